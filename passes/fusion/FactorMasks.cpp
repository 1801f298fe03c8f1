// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See FactorMasks.h.
#include "passes/fusion/FactorMasks.h"

#include "passes/fusion/Match.h"

#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace ingot::passes {

namespace {

// What an op takes its elements from that gives elements of one tensor in other places: slices and repetitions among them. Else null.
Value moved(Operation *op) {
  if (!op)
    return {};
  if (isa<ir::BroadcastOp, ir::ReshapeOp, ir::TransposeOp>(op))
    return op->getOperand(0);
  auto compute = dyn_cast<ir::ComputeOp>(op);
  if (!compute || compute.getInputs().size() != 1 || compute.getReduce())
    return {};
  auto yield = cast<ir::YieldOp>(compute.getBody().front().getTerminator());
  return yield.getValue().getDefiningOp<ir::ElementOp>() ? compute.getInputs()[0] : Value();
}

Value source(Value value) {
  while (Value before = moved(value.getDefiningOp()))
    value = before;
  return value;
}

// Whether two ops move elements alike.
bool moveAlike(Operation *a, Operation *b) {
  if (!moved(a) || !moved(b) || a->getName() != b->getName() || a->getResultTypes() != b->getResultTypes() || a->getAttrDictionary() != b->getAttrDictionary())
    return false;
  return a->getNumRegions() == 0 ||
         OperationEquivalence::isRegionEquivalentTo(&a->getRegion(0), &b->getRegion(0), OperationEquivalence::IgnoreLocations);
}

bool alike(Value a, Value b) {
  while (a != b) {
    if (!moveAlike(a.getDefiningOp(), b.getDefiningOp()))
      return false;
    a = moved(a.getDefiningOp());
    b = moved(b.getDefiningOp());
  }
  return true;
}

// Whether bias * factor is so low where the mask is 0: k * (1 - mask), repeated as the mask is.
bool hides(Value bias, Value mask, double factor) {
  while (true) {
    double constant;
    bias = match::unscaled(bias, constant);
    factor *= constant;
    auto sum = bias.getDefiningOp<ir::SubOp>();
    if (sum && match::isConstant(sum.getLhs(), 1) && alike(sum.getRhs(), mask))
      return factor <= match::kHiddenScore;
    // Repeated before it is subtracted, or behind that.
    if (moveAlike(bias.getDefiningOp(), mask.getDefiningOp()))
      mask = moved(mask.getDefiningOp());
    else if (!bias.getDefiningOp<ir::BroadcastOp>())
      return false;
    bias = moved(bias.getDefiningOp());
  }
}

} // namespace

bool FactorMasks::hidden(Value bias, Value mask) { return hides(bias, mask, 1) && isZeroOrOne(mask); }

bool FactorMasks::mayBe(Value value) {
  value = source(value);
  auto cast = value.getDefiningOp<ir::CastOp>();
  return cast ? ir::tensorOf(cast.getInput()).getElementType().isInteger(1) || mayBe(cast.getInput())
              : value.getDefiningOp<ir::ConstantOp>() || value.getDefiningOp<ir::WeightOp>();
}

bool FactorMasks::isZeroOrOne(Value value) {
  value = source(value);
  Operation *op = value.getDefiningOp();
  if (auto cast = dyn_cast_or_null<ir::CastOp>(op))
    return ir::tensorOf(cast.getInput()).getElementType().isInteger(1) || isZeroOrOne(cast.getInput());
  if (auto constant = dyn_cast_or_null<ir::ConstantOp>(op)) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!dense)
      return false;
    if (isa<FloatType>(dense.getElementType()))
      return llvm::all_of(dense.getValues<APFloat>(), [](const APFloat &x) { return x.isZero() || x.isExactlyValue(1); });
    return isa<IntegerType>(dense.getElementType()) &&
           llvm::all_of(dense.getValues<APInt>(), [](const APInt &x) { return x.isZero() || x.isOne(); });
  }
  if (auto weight = dyn_cast_or_null<ir::WeightOp>(op))
    if (auto tensor = SymbolTable::lookupNearestSymbolFrom<ir::TensorOp>(op, weight.getTensorAttr()))
      return isZeroOrOne(tensor);
  return false;
}

bool FactorMasks::isZeroOrOne(ir::TensorOp tensor) {
  auto [at, fresh] = known.try_emplace(tensor.getSymName(), false);
  if (!fresh || !tensor.getTensorType().hasStaticShape())
    return at->second;
  const int64_t count = tensor.getTensorType().getNumElements();
  bool all = true;
  for (int64_t i = 0; i < count && all; ++i) {
    auto value = stored.at(tensor, i);
    all = value && (*value == 0 || *value == 1);
  }
  return at->second = all;
}

} // namespace ingot::passes
