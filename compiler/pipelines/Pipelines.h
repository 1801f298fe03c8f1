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
  std::string compute = "auto"; // type of products: f32, bf16, or auto: that of the weights
  int64_t pageTokens = 32;      // tokens of a page of the cache
};

// From what an importer wrote to sharp types and canonical form. Part of buildIngotPipeline.
void buildImportPipeline(mlir::OpPassManager &manager, const Options &options);
// To fused ops over stored weights: what --emit=ingot shows.
void buildIngotPipeline(mlir::OpPassManager &manager, const Options &options);
// General ops to functions of linalg: what --emit=linalg shows.
void buildLinalgPipeline(mlir::OpPassManager &manager, const Options &options);
// To launches over placed buffers: what --emit=plan shows.
void buildPlanPipeline(mlir::OpPassManager &manager, const Options &options);

// Registers --ingot-import-pipeline, --ingot-pipeline, --ingot-linalg-pipeline and --ingot-plan-pipeline.
void registerPipelines();

} // namespace ingot::pipelines

#endif
