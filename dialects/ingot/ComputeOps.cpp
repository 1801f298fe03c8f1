// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of ingot.compute and what stands in its region, and the conversion of scalars between element types.
#include "dialects/ingot/Verify.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::ir {

Type registerType(Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  return integer ? IntegerType::get(element.getContext(), integer.getWidth()) : element;
}

Type storedType(Type element) {
  return element.isInteger(1) ? IntegerType::get(element.getContext(), 8) : registerType(element);
}

RankedTensorType storedTensor(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(), storedType(type.getElementType()));
}

// An f64 as an f32 that rounds to the same number of 16 bits: inexact values keep an odd last bit, so that rounding twice
// is rounding once (Boldo and Melquiond, "When double rounding is odd").
static Value roundToOdd(OpBuilder &b, Location loc, Value x) {
  Type i32 = b.getI32Type();
  auto constant = [&](int64_t value) { return arith::ConstantOp::create(b, loc, b.getIntegerAttr(i32, value)); };
  Value near = arith::TruncFOp::create(b, loc, b.getF32Type(), x);
  Value back = arith::ExtFOp::create(b, loc, x.getType(), near);
  Value bits = arith::BitcastOp::create(b, loc, i32, near);
  Value away = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, math::AbsFOp::create(b, loc, back),
                                     math::AbsFOp::create(b, loc, x));
  Value down = arith::SelectOp::create(b, loc, away, arith::SubIOp::create(b, loc, bits, constant(1)), bits);
  Value odd = arith::OrIOp::create(b, loc, down, constant(1));
  Value exact = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, back, x);
  return arith::BitcastOp::create(b, loc, b.getF32Type(), arith::SelectOp::create(b, loc, exact, bits, odd));
}

Value castScalar(OpBuilder &b, Location loc, Value x, Type from, Type to) {
  Type type = registerType(to);
  if (from == to)
    return x;
  auto isUnsigned = [](Type of) { return of.isUnsignedInteger() || of.isInteger(1); };
  if (to.isInteger(1)) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(x.getType()));
    if (isa<FloatType>(from))
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, x, zero);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, x, zero);
  }
  auto fromFloat = dyn_cast<FloatType>(from), toFloat = dyn_cast<FloatType>(to);
  if (fromFloat && toFloat) {
    if (fromFloat.getWidth() < toFloat.getWidth())
      return arith::ExtFOp::create(b, loc, type, x);
    if (fromFloat.getWidth() == 64 && toFloat.getWidth() < 32)
      x = roundToOdd(b, loc, x);
    if (fromFloat.getWidth() > toFloat.getWidth())
      return arith::TruncFOp::create(b, loc, type, x);
    // f16 and bf16: neither holds the other; f32 holds both.
    Value wide = arith::ExtFOp::create(b, loc, b.getF32Type(), x);
    return arith::TruncFOp::create(b, loc, type, wide);
  }
  if (toFloat) {
    // By way of f32 where the float is narrow, as f16 and bf16 have no conversions of their own.
    Type direct = toFloat.getWidth() < 32 ? Type(b.getF32Type()) : type;
    Value real = isUnsigned(from) ? Value(arith::UIToFPOp::create(b, loc, direct, x))
                                  : Value(arith::SIToFPOp::create(b, loc, direct, x));
    return direct == type ? real : Value(arith::TruncFOp::create(b, loc, type, real));
  }
  if (fromFloat) {
    if (fromFloat.getWidth() < 32)
      x = arith::ExtFOp::create(b, loc, b.getF32Type(), x);
    // Through 64 bits, so that what does not fit wraps as integers do.
    Type wide = b.getI64Type();
    Value whole = to.isUnsignedInteger(64) ? Value(arith::FPToUIOp::create(b, loc, wide, x))
                                           : Value(arith::FPToSIOp::create(b, loc, wide, x));
    return type == wide ? whole : Value(arith::TruncIOp::create(b, loc, type, whole));
  }
  unsigned fromBits = from.getIntOrFloatBitWidth(), toBits = to.getIntOrFloatBitWidth();
  if (fromBits == toBits)
    return x;
  if (fromBits > toBits)
    return arith::TruncIOp::create(b, loc, type, x);
  return isUnsigned(from) ? Value(arith::ExtUIOp::create(b, loc, type, x))
                          : Value(arith::ExtSIOp::create(b, loc, type, x));
}

// Where each element is that of an input at its own indices, the result is the input: a pad by nothing, say.
OpFoldResult ComputeOp::fold(FoldAdaptor) {
  Block &body = getBody().front();
  auto read = cast<YieldOp>(body.getTerminator()).getValue().getDefiningOp<ElementOp>();
  auto input = read && !getReduce() ? dyn_cast<BlockArgument>(read.getTensor()) : BlockArgument();
  if (!input || input.getType() != getType() || !llvm::equal(read.getIndices(), body.getArguments().drop_front(getInputs().size())))
    return {};
  return getInputs()[input.getArgNumber()];
}

LogicalResult ComputeOp::verify() {
  Block &block = getBody().front();
  int64_t indices = tensorOf(getResult()).getRank() + static_cast<int64_t>(getExtents().size());
  size_t inputs = getInputs().size();
  if (block.getNumArguments() != inputs + static_cast<size_t>(indices)) // compute-c1
    return emitOpError() << "block has " << block.getNumArguments() << " arguments; expected " << inputs
                         << " inputs and " << indices << " indices";
  for (auto [index, argument] : llvm::enumerate(block.getArguments())) {
    Type expected = index < inputs ? getInputs()[index].getType() : Type(IndexType::get(getContext()));
    if (argument.getType() != expected)
      return emitOpError() << "argument " << index << " of the block is " << argument.getType() << "; expected "
                           << expected;
  }
  if (getReduce().has_value() == getExtents().empty() || getReduce() == ReduceKind::Mean) // compute-c2
    return emitOpError() << "reduce goes with extents, and is sum, product, max or min";
  auto yield = cast<YieldOp>(block.getTerminator());
  Type element = registerType(tensorOf(getResult()).getElementType());
  if (yield.getValue().getType() != element) // compute-c3
    return emitOpError() << "yields " << yield.getValue().getType() << "; expected " << element;
  for (Attribute extent : getExtents()) { // compute-c4
    StringRef text = cast<StringAttr>(extent).getValue();
    uint64_t number;
    if (text.getAsInteger(10, number) && !parseDim(text))
      return emitOpError() << "extent \"" << text << "\" is no number and no dimension's name";
  }
  return success();
}

LogicalResult ElementOp::verify() {
  if (static_cast<int64_t>(getIndices().size()) != tensorOf(getTensor()).getRank()) // element-c1
    return emitOpError() << "has " << getIndices().size() << " indices for " << getTensor().getType();
  Type element = registerType(tensorOf(getTensor()).getElementType());
  if (getType() != element) // element-c2
    return emitOpError() << "gives " << getType() << "; expected " << element;
  return success();
}

LogicalResult SizeOp::verify() {
  if (!parseDim(getExpr())) // size-c1
    return emitOpError() << "\"" << getExpr() << "\" is no dimension's name";
  return success();
}

} // namespace ingot::ir
