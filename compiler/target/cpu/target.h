// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU target: kernels named by the plan become one flat image of machine code per feature set. It stands behind
// the plan dialect (which says what kernels there are) and before the engine writer (which stores the images); it knows
// nothing of models, entries or weights.
//
// A kernel is either a template (compiler/target/cpu/kernels, compiled to bitcode when Ingot is built) with the values
// of its parameters, or a function over tensors that came through linalg. Both obey runtime/format/kernel_abi.h. An
// image is position-independent, imports nothing, carries no relocations, and is mapped read-execute as it stands.
#ifndef INGOT_COMPILER_TARGET_CPU_TARGET_H
#define INGOT_COMPILER_TARGET_CPU_TARGET_H

#include "compiler/target/kernel.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::target::cpu {

// A score that holds on the processors of one vendor (the twelve letters that cpuid gives).
struct VendorScore {
  std::string vendor;
  uint32_t score;
};

// One of the sets of CPU features that kernels are compiled for. An engine holds one image per set that has kernels.
struct FeatureSet {
  std::string name;                  // "avx2", "avx512", ...: also what INGOT_ISA takes
  std::vector<std::string> features; // what the machine must have, in the words of runtime/core
  uint32_t score;                    // the loader takes each kernel from the runnable image with the highest score
  std::vector<VendorScore> vendors;  // processors where another score holds
  std::string base;                  // holds only kernels whose code gains over this set's; empty: holds all kernels
};

// In ascending order of score; a set comes after the one it stands on.
const std::vector<FeatureSet> &featureSets();

using target::kLacking; // the loader takes such a kernel from another image
using target::Kernel;
using target::Parameter;

struct Image {
  FeatureSet set;
  std::vector<uint8_t> bytes;      // a multiple of 4096
  std::vector<uint32_t> functions; // per kernel: offset of its function, or kLacking
};

struct CompiledKernels {
  std::vector<uint64_t> scratchBytes; // per kernel, per worker, the same for every set
  std::vector<Image> images;          // in the order of featureSets(), without those that hold no kernel
  size_t pieces = 0, known = 0;       // of code: a kernel for a set; how many of them the cache held
};

struct CompileOptions {
  std::vector<std::string> sets; // names of featureSets() to compile for; empty: all
  unsigned threads = 0;          // 0: as many as the machine has; never changes a byte of the result
  bool cache = false;            // in the user's cache directory, by content (code_cache.h); changes no byte either
};

// Compiles all kernels for all sets. False: `error` says which kernel is at fault and why. Safe to call from one thread
// at a time.
bool compileKernels(const std::vector<Kernel> &kernels, const CompileOptions &options, CompiledKernels &result,
                    std::string &error);

enum class Text { Llvm, Assembly };

// The same kernels as text for one set: optimised LLVM IR, or assembly, kernel by kernel. For a kernel that the set
// does not hold, a line says which set's code runs.
bool printKernels(const std::vector<Kernel> &kernels, const std::string &set, Text form, std::string &text,
                  std::string &error);

// Scratch of a template with these parameters, in bytes per worker. False: the template or a parameter is not valid.
bool templateScratchBytes(const Kernel &kernel, uint64_t &bytes, std::string &error);

} // namespace ingot::target::cpu

#endif
