// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers the dialect's ops, attributes and types, and holds the helpers of IngotDialect.h.
#include "dialects/ingot/IngotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/ingot/IngotDialect.cpp.inc"
#include "dialects/ingot/IngotEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/ingot/IngotAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/ingot/IngotInterfaces.cpp.inc"
#include "dialects/ingot/IngotTypes.cpp.inc"

namespace ingot::ir {

void IngotDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/ingot/IngotOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/ingot/IngotAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/ingot/IngotTypes.cpp.inc"
      >();
}

Operation *IngotDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}

CacheGroupOp cacheGroupOf(Operation *from, CacheType type) {
  return lookup<CacheGroupOp>(from, type.getGroup().getAttr());
}

int64_t cacheGroupIndex(CacheGroupOp group) {
  int64_t index = 0;
  for (Operation &op : *group->getBlock()) {
    if (&op == group.getOperation())
      break;
    index += isa<CacheGroupOp>(op);
  }
  return index;
}

bool isRecipe(Value value) {
  SmallVector<Value> work{value};
  llvm::SmallDenseSet<Value> seen;
  while (!work.empty()) {
    Value next = work.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    Operation *op = next.getDefiningOp();
    if (!op)
      return false;
    if (isa<WeightOp, ConstantOp>(op))
      continue;
    if (!isa<CastOp, ConcatOp, InterleaveOp, PackOp, TransposeOp, ReshapeOp, SplitOp>(op) &&
        !isa<ScalarBodyInterface>(op))
      return false;
    llvm::append_range(work, op->getOperands());
  }
  return true;
}

} // namespace ingot::ir
