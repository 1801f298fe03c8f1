// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of passes, stage by stage: import -> ingot -> linalg -> plan. What each pass does stands in
// passes/Passes.td; what each stage's IR looks like, in docs/design/0001-foundation.md. Code generation comes after the
// last stage.
#ifndef INGOT_COMPILER_PIPELINES_PIPELINES_H
#define INGOT_COMPILER_PIPELINES_PIPELINES_H

#include <cstdint>
#include <string>

namespace mlir {
class OpPassManager;
}

namespace ingot::pipelines {

struct Options {
  std::string compute = "auto"; // type of products of float weights: f32, bf16, or auto: that of the weights
  int64_t pageTokens = 32;      // tokens of a page of the cache
  std::string weights;          // scheme of weights (passes/quantization/Schemes.h), or "": as they are
  std::string activations;      // float, int8, or "": int8 for quantized weights
  std::string rules;            // file of exceptions to `weights` and `activations`, or ""
  std::string padding = "drop"; // what masks of the caller's hide is not computed; "keep": it is; "drop-ranges": nor does it count in ranges
  std::string kv;               // type of cached keys and values: f32, bf16, f16, int8, or "": that of products
};

// From what an importer wrote to sharp types and canonical form. Part of buildIngotPipeline.
void buildImportPipeline(mlir::OpPassManager &manager, const Options &options);
// From there to linears that say how their weights are stored and multiplied. Fails where the options do not fit the model.
void buildChoicePipeline(mlir::OpPassManager &manager, const Options &options);
// Both of these. Part of buildIngotPipeline.
void buildPrecisionPipeline(mlir::OpPassManager &manager, const Options &options);
// From there to fused ops over stored weights. Part of buildIngotPipeline.
void buildFusionPipeline(mlir::OpPassManager &manager, const Options &options);
// Both, from what an importer wrote: what --emit=ingot shows.
void buildIngotPipeline(mlir::OpPassManager &manager, const Options &options);
// General ops to functions of linalg: what --emit=linalg shows.
void buildLinalgPipeline(mlir::OpPassManager &manager, const Options &options);
// To launches over placed buffers: what --emit=plan shows.
void buildPlanPipeline(mlir::OpPassManager &manager, const Options &options);

// Registers --ingot-import-pipeline, --ingot-precision-pipeline, --ingot-pipeline, --ingot-linalg-pipeline and --ingot-plan-pipeline.
void registerPipelines();

} // namespace ingot::pipelines

#endif
