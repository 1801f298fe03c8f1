// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `ingot compile` and `ingot check`: the stages in order, from a model to an engine file. Diagnostics go to stderr,
// a printed stage to stdout or to the output file.
#ifndef INGOT_COMPILER_DRIVER_COMPILE_H
#define INGOT_COMPILER_DRIVER_COMPILE_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ingot::driver {

// Exit statuses of every command.
enum ExitStatus { kDone = 0, kModelAtFault = 1, kUsageAtFault = 2, kBug = 3 };

struct CompileOptions {
  std::string model;                     // a directory of Hugging Face or of ONNX files, an .onnx file, or a .mlir file in the ingot dialect
  std::string encoder;                   // the .onnx file of an encoder whose results the model attends to; "": none
  std::string output;                    // the engine; for an emitted stage: a file, or "" or "-" for stdout
  std::string emit = "engine";           // import, ingot, linalg, plan, llvm, asm, cuda, ptx, engine
  bool cpu = true;                       // kernels for CPUs
  std::vector<std::string> cuda;         // architectures of kernels for GPUs, see --target; empty: none
  std::string dumpStages;                // a folder that receives every stage; "": none
  std::string compute;                   // "f32", "bf16", or "": by the weights' type
  std::string weights;                   // scheme (passes/quantization/Schemes.h), or "": as in the checkpoint
  std::string activations;               // "float", "int8", or "": int8 for quantized weights
  std::string rules;                     // file of exceptions by tensor name, or ""
  std::string kv;                        // type of cached keys and values, as --kv spells it; "": that of products
  std::string padding = "drop";          // what masks of the caller's hide: "keep" computes it, "drop-ranges" leaves it out of ranges too
  std::string set;                       // llvm, asm: the feature set to show; "": the widest
  std::optional<uint64_t> dummyWeights;  // seed
  bool drawAtLoad = false;               // dummy weights are drawn when the engine is loaded, and are no part of the file
  std::string chatTemplate;              // a file that stands in for the model's chat templates, or ""
  std::string tokenizer;                 // of an ONNX graph: a tokenizer.json or its directory; "": what lies beside it
  unsigned threads = 0;                  // 0: as many as the machine has
  bool quiet = false;
};

int compileModel(const CompileOptions &options);

// Reads --target: "cpu", "cuda", "cuda:sm_90,sm_89", "cpu,cuda". Returns "" or what is wrong with it.
std::string parseTargets(const std::string &text, CompileOptions &options);

struct CheckOptions {
  std::string model;
  std::optional<uint64_t> dummyWeights;
  std::string compute, kv, weights, activations, rules, chatTemplate, tokenizer, encoder; // as in CompileOptions
  std::string padding = "drop";
};

// Says, without reading weights, whether and how a model will compile.
int checkModel(const CheckOptions &options);

} // namespace ingot::driver

#endif
