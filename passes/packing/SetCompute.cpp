// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// set-compute: decides to which type the operands of products are rounded. Sums are f32 always (the numeric contract).
// It only says so on each linear: pack-weights then casts weights where that was asked for.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_SETCOMPUTEPASS
#include "passes/Passes.h.inc"

namespace {

struct SetComputePass : public impl::SetComputePassBase<SetComputePass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    MLIRContext *context = &getContext();
    if (compute != "auto" && compute != "f32" && compute != "bf16") {
      module.emitError() << "cannot compute products in '" << compute << "': expected f32, bf16 or auto";
      return signalPassFailure();
    }
    SmallVector<ir::LinearOp> linears;
    module.walk([&](ir::LinearOp linear) { linears.push_back(linear); });

    Type type = Float32Type::get(context);
    bool allBf16 = !linears.empty() && llvm::all_of(linears, [](ir::LinearOp linear) {
      return cast<RankedTensorType>(linear.getWeight().getType()).getElementType().isBF16();
    });
    if (compute == "bf16" || (compute == "auto" && allBf16))
      type = BFloat16Type::get(context);

    for (ir::LinearOp linear : linears)
      if (!linear.getComputeAttr())
        linear.setComputeAttr(TypeAttr::get(type));
    module->setAttr("ingot.compute", StringAttr::get(context, type.isBF16() ? "bf16" : "f32"));
  }
};

} // namespace
} // namespace ingot::passes
