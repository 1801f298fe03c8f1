// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lower-to-plan: every op of an entry becomes launches of kernels over buffers. Which template computes an op, with
// which parameters and operands, is said here, op by op (EntryLowering.cpp); params.h says what the templates do with
// them. Where buffers lie is left to plan-memory.
#include "passes/Passes.h"
#include "passes/lowering/EntryLowering.h"
#include "passes/shapes/Dimensions.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_LOWERTOPLANPASS
#include "passes/Passes.h.inc"

namespace {

struct LowerToPlanPass : public impl::LowerToPlanPassBase<LowerToPlanPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<ir::EntryOp> entries(module.getOps<ir::EntryOp>());
    if (entries.empty())
      return;
    for (ir::EntryOp entry : entries)
      if (failed(checkNamed(entry)))
        return signalPassFailure();
    auto program = makeProgram(module);
    if (failed(declareGroups(module, program)))
      return signalPassFailure();

    ProgramTables tables(program);
    for (ir::EntryOp entry : entries)
      if (failed(lowerEntry(entry, program, tables)))
        return signalPassFailure();
    order(program);

    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<ir::EntryOp, ir::SymbolOp, ir::CacheGroupOp>(op))
        op.erase();
  }

  plan::ProgramOp makeProgram(ModuleOp module) {
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto number = [&](StringRef name) {
      auto attr = module->getAttrOfType<IntegerAttr>(name);
      return attr ? attr.getInt() : 0;
    };
    auto program = plan::ProgramOp::create(builder, module.getLoc(), module.getSymName().value_or("model"),
                                           number("ingot.vocabulary"), number("ingot.context"));
    builder.setInsertionPointToEnd(&program.getBody().front());
    for (auto symbol : module.getOps<ir::SymbolOp>())
      plan::SymbolOp::create(builder, symbol.getLoc(), symbol.getSymNameAttr(), symbol.getMaxAttr(),
                             symbol.getValueAttr(), symbol.getDataAttr(), symbol.getRequirementAttr());
    return program;
  }

  LogicalResult declareGroups(ModuleOp module, plan::ProgramOp program) {
    OpBuilder builder = OpBuilder::atBlockEnd(&program.getBody().front());
    for (auto group : module.getOps<ir::CacheGroupOp>()) {
      if (!group.hasLayout())
        return group.emitOpError() << "has no layout; run ingot-choose-cache-layout first";
      Type element = *group.getElementType();
      int64_t bytes = group.getKvHeads() * group.getHeadDim() * *group.getPageTokens() * ir::elementBytes(element);
      auto plane = [&](StringRef name, StringRef layout) -> Attribute {
        return plan::PlaneAttr::get(builder.getContext(), name, element, layout, bytes);
      };
      SmallVector<Attribute> planes = {plane("key", *group.getKeyLayout()), plane("value", *group.getValueLayout())};
      if (element.isInteger(8))
        for (StringRef name : {"key_scale", "value_scale"})
          planes.push_back(plan::PlaneAttr::get(builder.getContext(), name, builder.getF32Type(), "h_t",
                                                group.getKvHeads() * *group.getPageTokens() * 4));
      plan::CacheGroupOp::create(builder, group.getLoc(), group.getSymNameAttr(), group.getLayersAttr(),
                                 group.getPageTokensAttr(), group.getRetentionAttr(), group.getWindowAttr(),
                                 builder.getArrayAttr(planes));
    }
    return success();
  }

  // Declarations before what uses them: weights, kernels, entries, after the symbols and groups that stand already.
  static void order(plan::ProgramOp program) {
    Block &body = program.getBody().front();
    SmallVector<Operation *> sorted;
    auto take = [&](auto kind) {
      for (Operation &op : body)
        if (kind(&op))
          sorted.push_back(&op);
    };
    take([](Operation *op) { return isa<plan::WeightOp>(op); });
    take([](Operation *op) { return isa<plan::KernelOp>(op); });
    take([](Operation *op) { return isa<plan::EntryOp>(op); });
    for (Operation *op : sorted)
      op->moveBefore(&body, body.end());
  }
};

} // namespace
} // namespace ingot::passes
