// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// choose-cache-layout: how cache groups lie in memory. The layouts are drawn beside the attention template
// (compiler/target/templates/params.h); importers know nothing of them.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"

#include "llvm/ADT/StringSwitch.h"

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
    Type type = StringSwitch<Type>(name)
                    .Cases({"", "f32"}, builder.getF32Type())
                    .Case("bf16", builder.getBF16Type())
                    .Case("f16", builder.getF16Type())
                    .Case("int8", builder.getI8Type())
                    .Default(Type());
    if (!type) {
      module.emitError() << "cannot keep the cache in '" << name << "': expected f32, bf16, f16 or int8";
      return signalPassFailure();
    }
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
