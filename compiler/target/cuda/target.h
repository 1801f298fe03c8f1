// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA target: kernels named by the plan become one program of CUDA C++ that a person can read, and that program one
// image per GPU architecture. It stands behind the plan dialect and before the engine writer, as the CPU target does.
//
//   makeProgram     templates (device/, specialised by parameters) and functions over tensors, as source
//   compileProgram  NVRTC makes a cubin per architecture, and PTX for GPUs newer than the engine
//
// No GPU, driver, nvcc or toolkit header is needed: NVRTC's library alone, found when it is called for.
#ifndef INGOT_COMPILER_TARGET_CUDA_TARGET_H
#define INGOT_COMPILER_TARGET_CUDA_TARGET_H

#include "compiler/target/cuda/launch.h"
#include "compiler/target/kernel.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::target::cuda {

// What an image is for.
struct Architecture {
  std::string name;    // "sm_90": a cubin; "compute_80": PTX, which the driver compiles when the engine is loaded;
                       // "simulated": the source itself, for the simulated device of the tests
  unsigned capability; // 10 * major + minor: the least compute capability; of a cubin the only major, and the least minor
};

// What an engine gets where --target names none.
const std::vector<Architecture> &defaultArchitectures();
// The architecture of this name; false where there is none, and `error` lists those there are.
bool findArchitecture(const std::string &name, Architecture &architecture, std::string &error);

// A function of the program.
struct NamedFunction : Function {
  std::string name;         // in every image
  uint32_t firstSymbol = 0; // the function takes the symbols from this one on
};

struct Program {
  std::string source;                                // CUDA C++, all it includes but <stdint.h> within
  std::vector<std::vector<NamedFunction>> functions; // per kernel: none where a kernel has nothing to do on a GPU
};

// nodes[i]: the model's own names for what kernel i computes, for comments. False: `error` names the kernel at fault.
bool makeProgram(const std::vector<Kernel> &kernels, const std::vector<std::vector<std::string>> &nodes,
                 Program &program, std::string &error);

struct Image {
  Architecture architecture;
  std::vector<uint8_t> bytes;
  // The driver that the image needs, as cuDriverGetVersion numbers it (1000 * major + 10 * minor).
  uint32_t driver = 0;
  std::string log; // what the assembler says of registers, shared memory and spills
};

struct CompileOptions {
  unsigned threads = 1;
  bool cache = true; // in the user's cache directory, by content
};

// False: `error` has the compiler's log with the function's name, or says where NVRTC can be had.
bool compileProgram(const Program &program, const std::vector<Architecture> &architectures,
                    const CompileOptions &options, std::vector<Image> &images, std::string &error);

// As compileProgram for one architecture, but PTX as text for a person.
bool printPtx(const Program &program, const Architecture &architecture, std::string &text, std::string &error);

} // namespace ingot::target::cuda

#endif
