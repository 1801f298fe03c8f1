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
// that a tied embedding and its head are seen to be one. Padding is dropped once attentions are there, before linears
// are looked at: their rows are then the last word.
void buildImportPipeline(OpPassManager &manager, const Options &options) {
  manager.addPass(passes::createInferShapesPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(passes::createWidenFloatsPass());
  manager.addPass(passes::createRecognizeOpsPass());
  manager.addPass(passes::createFuseAttentionPass());
  manager.addPass(passes::createTellUnfusedPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(passes::createFormDecoderPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  if (options.padding != "keep") {
    manager.addPass(passes::createDropPaddingPass({/*ranges=*/options.padding == "drop-ranges"}));
    manager.addPass(createCanonicalizerPass());
    manager.addPass(createCSEPass());
  }
}

// The first decision, while weights still are the tensors that a checkpoint names, and each linear has its own. Fusion
// then joins only linears that are alike in precision.
void buildChoicePipeline(OpPassManager &manager, const Options &options) {
  manager.addPass(
      passes::createChoosePrecisionPass({options.compute, options.weights, options.activations, options.rules}));
}

void buildPrecisionPipeline(OpPassManager &manager, const Options &options) {
  buildImportPipeline(manager, options);
  buildChoicePipeline(manager, options);
}

// Rows are picked first, while ops are still small, and one choice of a value's rows serves all its readers.
// Convolutions take what is theirs while images have their shape; then all else that a linear's rows meet keeps to rows.
// Projections join before rope_append looks for their rows, and gate and up before activations move into single
// linears. Results are narrowed when readers are final; weights are packed last, when it is known which linears there
// are.
void buildFusionPipeline(OpPassManager &manager, const Options &options) {
  manager.addPass(passes::createHoistGatherRowsPass());
  manager.addPass(createCSEPass());
  manager.addPass(passes::createFuseConvolutionsPass());
  manager.addPass(passes::createChannelsLastPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(passes::createFlattenRowsPass({/*besideLinears=*/true}));
  manager.addPass(createCanonicalizerPass());
  manager.addPass(passes::createFuseProjectionsPass());
  manager.addPass(passes::createFuseRopeAppendPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(passes::createFuseEpiloguesPass());
  manager.addPass(passes::createNarrowResultsPass());
  manager.addPass(passes::createChooseCacheLayoutPass({options.pageTokens, options.kv}));
  manager.addPass(passes::createPackWeightsPass());
  manager.addPass(createCSEPass());
}

void buildIngotPipeline(OpPassManager &manager, const Options &options) {
  buildPrecisionPipeline(manager, options);
  buildFusionPipeline(manager, options);
}

// Nothing may run between this stage and the next that would move ops out of the functions' order of operands.
void buildLinalgPipeline(OpPassManager &manager, const Options &) {
  manager.addPass(passes::createFlattenRowsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(passes::createLowerGeneralOpsPass());
}

// Launches are joined before memory is planned, as those that overlap in time share no bytes. Memory is planned once
// all launches are there, and checked by a pass that shares nothing with the planner but the kernels' effects.
void buildPlanPipeline(OpPassManager &manager, const Options &) {
  manager.addPass(passes::createLowerToPlanPass());
  manager.addPass(passes::createJoinLaunchesPass());
  manager.addPass(passes::createPlanMemoryPass());
  manager.addPass(passes::createVerifyPlanPass());
}

namespace {
struct CommandLine : public PassPipelineOptions<CommandLine> {
  Option<std::string> compute{*this, "compute", llvm::cl::desc("products of float weights: f32, bf16 or auto"),
                              llvm::cl::init("auto")};
  Option<int64_t> pageTokens{*this, "page-tokens", llvm::cl::desc("tokens of a page of the cache"), llvm::cl::init(32)};
  Option<std::string> weights{*this, "weights", llvm::cl::desc("scheme of weights, such as int4:g32")};
  Option<std::string> activations{*this, "activations", llvm::cl::desc("float or int8")};
  Option<std::string> rules{*this, "rules", llvm::cl::desc("file of exceptions by tensor name")};
  Option<std::string> padding{*this, "padding", llvm::cl::desc("what masks hide: drop, keep or drop-ranges"), llvm::cl::init("drop")};
  Option<std::string> kv{*this, "kv", llvm::cl::desc("type of cached keys and values: f32, bf16, f16 or int8")};
  Options options() const { return {compute, pageTokens, weights, activations, rules, padding, kv}; }
};

template <void (*build)(OpPassManager &, const Options &)> void registerOne(StringRef name, StringRef description) {
  PassPipelineRegistration<CommandLine>(
      name, description, [](OpPassManager &manager, const CommandLine &line) { build(manager, line.options()); });
}
} // namespace

void registerPipelines() {
  registerOne<buildImportPipeline>("ingot-import-pipeline", "Sharpen types and canonicalize what an importer wrote");
  registerOne<buildPrecisionPipeline>("ingot-precision-pipeline", "Decide how weights are stored and multiplied");
  registerOne<buildIngotPipeline>("ingot-pipeline", "Fuse, and decide layouts and precision");
  registerOne<buildLinalgPipeline>("ingot-linalg-pipeline", "Outline general ops as linalg");
  registerOne<buildPlanPipeline>("ingot-plan-pipeline", "Choose kernels and plan memory");
}

} // namespace ingot::pipelines
