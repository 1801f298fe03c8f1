// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plan IR becomes the engine's PLAN and HEAD sections and the list of weights to store. One to one: whatever the
// executor will do stands in the IR already.
#ifndef INGOT_COMPILER_ENGINE_SERIALIZE_PLAN_H
#define INGOT_COMPILER_ENGINE_SERIALIZE_PLAN_H

#include "compiler/engine/engine_writer.h"
#include "compiler/target/cuda/target.h"
#include "dialects/plan/PlanDialect.h"

#include <optional>
#include <string>
#include <vector>

namespace ingot::engine {

// Defaults of generation that came with the model.
struct GenerationDefaults {
  int64_t bos = -1, pad = -1;
  std::vector<int64_t> eos, start;
  bool doSample = false;
  double temperature = 1, topP = 1, minP = 0, repetitionPenalty = 1;
  int64_t topK = 0;
};

// Code for one feature set, as the target made it.
struct VariantCode {
  std::string target, name;
  std::vector<std::string> features;
  uint32_t score = 0;
  std::vector<std::pair<std::string, uint32_t>> vendors; // another score on processors of a vendor
  bool partial = false;                                  // holds only some kernels
  uint32_t kernelAbi = 0;
  std::vector<uint8_t> image;
  std::vector<uint32_t> functions; // offset per kernel, in the program's order; 0xffffffff: not held
  uint32_t capability = 0, driver = 0; // of target "cuda", see head.fbs
};

// What the targets made of the kernels beside the images.
struct KernelFacts {
  std::vector<uint64_t> scratch;                                // per kernel, for each worker of a CPU
  std::vector<std::vector<target::cuda::NamedFunction>> cuda; // per kernel; empty: no CUDA
};

struct ModelFacts {
  std::string name, family, producer, compute;
  uint64_t parameters = 0;
  GenerationDefaults generation;
  bool drawn = false; // weights are drawn at load from this seed, and only constants are stored
  uint64_t seed = 0;
};

// Fills head, plan, code, weights and weightBytes of `contents`.
mlir::LogicalResult serializePlan(plan::ProgramOp program, const ModelFacts &facts,
                                  const std::vector<VariantCode> &variants, const KernelFacts &kernels,
                                  EngineContents &contents);

} // namespace ingot::engine

#endif
