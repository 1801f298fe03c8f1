// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of passes (see Pipelines.h), one function per stage.
#include "compiler/pipelines/Pipelines.h"
#include "passes/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace ingot::pipelines {

// Types first: every later pattern may then compare them. Folding may leave equal weights behind, which CSE joins, so
// that a tied embedding and its head are seen to be one.
void buildImportPipeline(OpPassManager &manager, const Options &) {
  manager.addPass(passes::createInferShapesPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

// Rows are picked first, while ops are still small, and one choice of a value's rows serves all its readers. The type
// of products comes before all fusion, which joins only linears that compute alike. Projections join before rope_append
// looks for their rows, and gate and up before activations move into single linears. Results are narrowed when readers
// are final; weights are packed last, when it is known which linears there are.
void buildIngotPipeline(OpPassManager &manager, const Options &options) {
  buildImportPipeline(manager, options);
  manager.addPass(passes::createHoistGatherRowsPass());
  manager.addPass(createCSEPass());
  manager.addPass(passes::createSetComputePass({options.compute}));
  manager.addPass(passes::createFuseProjectionsPass());
  manager.addPass(passes::createFuseRopeAppendPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(passes::createFuseEpiloguesPass());
  manager.addPass(passes::createNarrowResultsPass());
  manager.addPass(passes::createChooseCacheLayoutPass({options.pageTokens, ""}));
  manager.addPass(passes::createPackWeightsPass());
  manager.addPass(createCSEPass());
}

// Nothing may run between this stage and the next that would move ops out of the functions' order of operands.
void buildLinalgPipeline(OpPassManager &manager, const Options &) {
  manager.addPass(passes::createLowerGeneralOpsPass());
}

// Memory is planned once all launches are there, and checked by a pass that shares nothing with the planner but the
// kernels' effects.
void buildPlanPipeline(OpPassManager &manager, const Options &) {
  manager.addPass(passes::createLowerToPlanPass());
  manager.addPass(passes::createPlanMemoryPass());
  manager.addPass(passes::createVerifyPlanPass());
}

namespace {
struct CommandLine : public PassPipelineOptions<CommandLine> {
  Option<std::string> compute{*this, "compute", llvm::cl::desc("type of products: f32, bf16 or auto"),
                              llvm::cl::init("auto")};
  Option<int64_t> pageTokens{*this, "page-tokens", llvm::cl::desc("tokens of a page of the cache"), llvm::cl::init(32)};
  Options options() const { return {compute, pageTokens}; }
};

template <void (*build)(OpPassManager &, const Options &)> void registerOne(StringRef name, StringRef description) {
  PassPipelineRegistration<CommandLine>(
      name, description, [](OpPassManager &manager, const CommandLine &line) { build(manager, line.options()); });
}
} // namespace

void registerPipelines() {
  registerOne<buildImportPipeline>("ingot-import-pipeline", "Sharpen types and canonicalize what an importer wrote");
  registerOne<buildIngotPipeline>("ingot-pipeline", "Fuse, and decide layouts and precision");
  registerOne<buildLinalgPipeline>("ingot-linalg-pipeline", "Outline general ops as linalg");
  registerOne<buildPlanPipeline>("ingot-plan-pipeline", "Choose kernels and plan memory");
}

} // namespace ingot::pipelines
