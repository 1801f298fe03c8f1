// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See functions.h.
#include "compiler/target/templates/functions.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace ingot::target {

std::vector<std::string> symbolsAround(func::FuncOp body) {
  std::vector<std::string> symbols;
  auto around = body->getParentOfType<ModuleOp>();
  for (llvm::StringRef kind : {"plan.symbol", "ingot.symbol"})
    if (symbols.empty() && around)
      around.walk([&](Operation *op) {
        if (op->getName().getStringRef() == kind)
          symbols.push_back(SymbolTable::getSymbolName(op).str());
      });
  return symbols;
}

int64_t firstIndex(AffineMap map) {
  if (map.getNumResults() == 0)
    return -1;
  auto expr = dyn_cast<AffineDimExpr>(map.getResult(0));
  return expr ? static_cast<int64_t>(expr.getPosition()) : -1;
}

int64_t rowDimOf(linalg::LinalgOp op) { return firstIndex(op.getMatchingIndexingMap(op.getDpsInitOperand(0))); }

bool leadsTo(Value value, Value returned) {
  while (value != returned) {
    if (!value.hasOneUse())
      return false;
    auto reader = dyn_cast<linalg::LinalgOp>(*value.user_begin());
    if (!reader || reader.getDpsInitOperand(0)->get() != value)
      return false;
    value = reader->getResult(0);
  }
  return true;
}

} // namespace ingot::target
