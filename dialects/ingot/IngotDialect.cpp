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

LogicalResult QuantizedType::verify(function_ref<InFlightDiagnostic()> emitError, Type storage, int64_t group,
                                    Type scale, Type zero) {
  bool eight = storage.isUnsignedInteger(8), four = storage.isUnsignedInteger(4);
  if (!eight && !four) // quantized-c1
    return emitError() << "storage of !ingot.quantized must be ui8 or ui4, found " << storage;
  if ((group == 0 && four) || (group != 0 && group != 32 && group != 64 && group != 128)) // quantized-c2
    return emitError() << "group of !ingot.quantized must be 32, 64 or 128" << (four ? "" : ", or left out")
                       << ", found " << group;
  if (!scale.isF32() && (group == 0 || !scale.isF16())) // quantized-c3
    return emitError() << "scale of !ingot.quantized must be " << (group == 0 ? "f32 without" : "f16 or f32 with")
                       << " a group, found " << scale;
  if (zero && !zero.isUnsignedInteger(8)) // quantized-c4
    return emitError() << "zero of !ingot.quantized must be ui8, found " << zero;
  return success();
}

bool QuantizedType::isFourBit() const { return getStorage().isUnsignedInteger(4); }

std::string QuantizedType::scheme() const {
  std::string text = isFourBit() ? "int4:" : "int8:";
  text += getGroup() ? "g" + std::to_string(getGroup()) : "channel";
  return getZero() ? text + ",asym" : text;
}

RankedTensorType groupsType(QuantizedType type, int64_t rows, int64_t k, Type element) {
  return RankedTensorType::get({static_cast<int64_t>(llvm::divideCeil(rows, 16)), type.groups(k), 16}, element);
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

static Type storedElement(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

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
    if (!isa<CastOp, ConcatOp, InterleaveOp, QuantizeOp, UnpackBitsOp, AssembleOp, PackOp, PackGroupsOp, TransposeOp,
             ReshapeOp>(op))
      return false;
    if (auto reshape = dyn_cast<ReshapeOp>(op)) { // of weights that were assembled as matrices: rows stay what they are
      auto from = cast<RankedTensorType>(reshape.getInput().getType()),
           to = cast<RankedTensorType>(reshape.getResult().getType());
      if (!reshape.getInput().getDefiningOp<AssembleOp>() || from.getRank() == 0 || to.getRank() == 0 ||
          from.getDimSize(0) != to.getDimSize(0))
        return false;
    }
    if (auto concat = dyn_cast<ConcatOp>(op); concat && concat.getAxis() != 0)
      return false;
    if (auto transpose = dyn_cast<TransposeOp>(op); transpose && transpose.getPermutation() != ArrayRef<int64_t>{1, 0})
      return false;
    if (auto cast = dyn_cast<CastOp>(op)) // the engine writer converts floats
      if (!isa<FloatType>(storedElement(cast.getInput())) || !isa<FloatType>(storedElement(cast.getResult())))
        return false;
    llvm::append_range(work, op->getOperands());
  }
  return true;
}

} // namespace ingot::ir
