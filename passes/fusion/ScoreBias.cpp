// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ScoreBias.h.
#include "passes/fusion/ScoreBias.h"

#include "passes/fusion/Match.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

namespace {

// The number in a tensor of the type's shape.
Value filled(OpBuilder &b, Location loc, RankedTensorType type, double number) {
  auto scalar = RankedTensorType::get({}, b.getF32Type());
  Value constant = ir::ConstantOp::create(b, loc, scalar, DenseElementsAttr::get(scalar, static_cast<float>(number)));
  return type == scalar ? constant : Value(ir::BroadcastOp::create(b, loc, type, constant));
}

// What `make` makes of the value before it is repeated, repeated as it was.
template <typename Make> Value beforeRepeated(OpBuilder &b, Value value, Make make) {
  auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
  Value made = make(broadcast ? broadcast.getInput() : value);
  if (!broadcast)
    return made;
  auto type = ir::tensorType(ir::dimsOf(tensorOf(value)), tensorOf(made).getElementType());
  return ir::BroadcastOp::create(b, value.getLoc(), type, made);
}

} // namespace

Value withoutConstants(OpBuilder &b, Value bias) {
  if (auto number = match::constantOf(bias); number && std::isfinite(*number))
    return {};
  if (auto broadcast = bias.getDefiningOp<ir::BroadcastOp>()) {
    Value inner = withoutConstants(b, broadcast.getInput());
    return inner == broadcast.getInput() ? bias : Value(ir::BroadcastOp::create(b, bias.getLoc(), bias.getType(), inner));
  }
  auto sum = bias.getDefiningOp<ir::AddOp>();
  if (!sum)
    return bias;
  Value left = withoutConstants(b, sum.getLhs()), right = withoutConstants(b, sum.getRhs());
  if (!left || !right)
    return left ? left : right;
  return left == sum.getLhs() && right == sum.getRhs() ? bias : Value(ir::AddOp::create(b, bias.getLoc(), left, right));
}

Value scaled(OpBuilder &b, Value bias, double factor) {
  if (factor == 1)
    return bias;
  return beforeRepeated(b, bias, [&](Value inner) -> Value {
    return ir::ScaleOp::create(b, bias.getLoc(), inner, b.getF64FloatAttr(factor));
  });
}

Value floored(OpBuilder &b, Value bias, std::optional<double> floor) {
  if (!floor)
    return bias;
  return beforeRepeated(b, bias, [&](Value inner) -> Value {
    return ir::MaxOp::create(b, bias.getLoc(), inner, filled(b, bias.getLoc(), tensorOf(inner), *floor));
  });
}

Value maskOf(OpBuilder &b, Value condition, bool seenWhereTrue, double fill) {
  return beforeRepeated(b, condition, [&](Value inner) -> Value {
    Location loc = condition.getLoc();
    auto type = ir::tensorType(ir::dimsOf(tensorOf(inner)), b.getF32Type());
    Value zero = filled(b, loc, type, 0), hidden = filled(b, loc, type, fill);
    return ir::SelectOp::create(b, loc, type, inner, seenWhereTrue ? zero : hidden, seenWhereTrue ? hidden : zero);
  });
}

Value inFourDimensions(OpBuilder &b, Value bias, ArrayRef<ir::Dim> whole, bool heads) {
  auto broadcast = bias.getDefiningOp<ir::BroadcastOp>();
  Value inner = broadcast ? broadcast.getInput() : bias;
  SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(inner));
  if (tensorOf(bias).getRank() == 3 && dims.size() == 3) { // one head, or all in the first dimension
    dims.insert(dims.begin() + 1, ir::Dim(1));
    if (heads && dims[0].size != 1) {
      dims[0] = whole[0];
      dims[1] = whole[1];
    }
  }
  if (dims.size() > 4)
    return {};
  dims.insert(dims.begin(), 4 - dims.size(), ir::Dim(1));
  for (int64_t i = 0; i < 4; ++i)
    if (dims[i].size != 1 && !dims[i].agrees(whole[i]))
      return {};
  auto type = ir::tensorType(dims, tensorOf(inner).getElementType());
  return type == inner.getType() ? inner : Value(ir::ReshapeOp::create(b, inner.getLoc(), type, inner));
}

} // namespace ingot::passes
