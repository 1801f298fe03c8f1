// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See NotFused.h.
#include "passes/fusion/NotFused.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::passes {

void addNotFused(ModuleOp module, ArrayRef<std::string> texts) {
  constexpr StringLiteral name = "ingot.not_fused";
  if (texts.empty())
    return;
  OpBuilder b(module.getContext());
  SmallVector<Attribute> all;
  if (auto before = module->getAttrOfType<ArrayAttr>(name))
    all.append(before.begin(), before.end());
  for (const std::string &text : texts)
    all.push_back(b.getStringAttr(text));
  module->setAttr(name, b.getArrayAttr(all));
}

} // namespace ingot::passes
