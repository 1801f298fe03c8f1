// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// choose-cache-layout: how cache groups lie in memory. The layouts are drawn beside the attention template
// (compiler/target/cpu/kernels/params.h); importers know nothing of them.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_CHOOSECACHELAYOUTPASS
#include "passes/Passes.h.inc"

namespace {

struct ChooseCacheLayoutPass : public impl::ChooseCacheLayoutPassBase<ChooseCacheLayoutPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Builder builder(&getContext());
    StringRef name = element;
    if (auto compute = module->getAttrOfType<StringAttr>("ingot.compute"); compute && name.empty())
      name = compute.getValue();
    if (!name.empty() && name != "f32" && name != "bf16") {
      module.emitError() << "cannot keep the cache in '" << name << "': expected f32 or bf16";
      return signalPassFailure();
    }
    Type type = name == "bf16" ? Type(builder.getBF16Type()) : Type(builder.getF32Type());
    if (pageTokens <= 0 || pageTokens % 16 != 0) {
      module.emitError() << "cannot make pages of " << pageTokens.getValue()
                         << " tokens: expected a positive multiple of 16";
      return signalPassFailure();
    }
    for (auto group : module.getOps<ir::CacheGroupOp>()) {
      if (group.hasLayout())
        continue;
      group.setPageTokensAttr(builder.getI64IntegerAttr(pageTokens));
      group.setElementTypeAttr(TypeAttr::get(type));
      group.setKeyLayoutAttr(builder.getStringAttr("h_t16_d_16"));
      group.setValueLayoutAttr(builder.getStringAttr("h_t_d"));
    }
  }
};

} // namespace
} // namespace ingot::passes
