// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Norms, softmax, gathers and transposes as linalg (see RowMath.h). Every reduction is a linalg.generic over one axis
// and every other step a parallel map, so that a target can tile all of them by rows and fuse them.
#include "passes/lowering/RowMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;

namespace ingot::passes {

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

Value RowMath::empty(Value like, Type element, int64_t dropped) {
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, size] : llvm::enumerate(tensorOf(like).getShape())) {
    if (static_cast<int64_t>(dim) == dropped)
      continue;
    if (ShapedType::isDynamic(size))
      sizes.push_back(tensor::DimOp::create(builder, loc, like, dim).getResult());
    else
      sizes.push_back(builder.getIndexAttr(size));
  }
  return tensor::EmptyOp::create(builder, loc, sizes, element);
}

Value RowMath::map(ArrayRef<Input> inputs, Value init, Scalar body) {
  int64_t rank = tensorOf(init).getRank();
  SmallVector<AffineMap> maps;
  SmallVector<Value> values;
  for (const Input &input : inputs) {
    int64_t inputRank = tensorOf(input.value).getRank();
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = input.dropped < 0 ? rank - inputRank : 0; dim < rank; ++dim)
      if (dim != input.dropped)
        exprs.push_back(builder.getAffineDimExpr(dim));
    maps.push_back(AffineMap::get(rank, 0, exprs, builder.getContext()));
    values.push_back(input.value);
  }
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, init.getType(), values, init, maps, iterators,
                                   [&](OpBuilder &b, Location l, ValueRange args) {
                                     linalg::YieldOp::create(b, l, body(b, l, args.drop_back()));
                                   })
      .getResult(0);
}

Value RowMath::fill(TypedAttr value, Value init) {
  Value scalar = arith::ConstantOp::create(builder, loc, value);
  return linalg::FillOp::create(builder, loc, scalar, init).getResult(0);
}

Value RowMath::reduce(Value x, int64_t axis, TypedAttr identity, Value init, Scalar body) {
  int64_t rank = tensorOf(x).getRank();
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators[axis] = utils::IteratorType::reduction;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != axis)
      kept.push_back(builder.getAffineDimExpr(dim));
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(rank),
                                 AffineMap::get(rank, 0, kept, builder.getContext())};
  Value start = fill(identity, init);
  return linalg::GenericOp::create(
             builder, loc, start.getType(), x, start, maps, iterators,
             [&](OpBuilder &b, Location l, ValueRange args) { linalg::YieldOp::create(b, l, body(b, l, args)); })
      .getResult(0);
}

static Value constant(OpBuilder &builder, Location loc, Type type, double value) {
  return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, value));
}

// 1 / sqrt(sum / count + eps), for each value of `sums`.
static Value inverseDeviation(RowMath &math, Value sums, Value init, int64_t count, double eps) {
  return math.map({{sums}}, init, [&](OpBuilder &b, Location l, ValueRange args) -> Value {
    Type type = args[0].getType();
    Value mean = arith::DivFOp::create(b, l, args[0], constant(b, l, type, static_cast<double>(count)));
    Value shifted = arith::AddFOp::create(b, l, mean, constant(b, l, type, eps));
    return arith::DivFOp::create(b, l, constant(b, l, type, 1.0), math::SqrtOp::create(b, l, shifted));
  });
}

Value RowMath::rmsNorm(Value x, Value gamma, double eps, Value init) {
  auto type = tensorOf(x);
  int64_t axis = type.getRank() - 1;
  Type element = type.getElementType();
  Value sums = reduce(x, axis, builder.getFloatAttr(element, 0.0), empty(x, element, axis),
                      [](OpBuilder &b, Location l, ValueRange args) -> Value {
                        return math::FmaOp::create(b, l, args[0], args[0], args[1]);
                      });
  Value inverse = inverseDeviation(*this, sums, empty(x, element, axis), type.getDimSize(axis), eps);
  return map({{x}, {inverse, axis}, {gamma}}, init, [](OpBuilder &b, Location l, ValueRange args) -> Value {
    return arith::MulFOp::create(b, l, arith::MulFOp::create(b, l, args[0], args[1]), args[2]);
  });
}

Value RowMath::layerNorm(Value x, Value gamma, Value beta, double eps, Value init) {
  auto type = tensorOf(x);
  int64_t axis = type.getRank() - 1;
  int64_t count = type.getDimSize(axis);
  Type element = type.getElementType();
  TypedAttr zero = builder.getFloatAttr(element, 0.0);
  Value sums = reduce(x, axis, zero, empty(x, element, axis), [](OpBuilder &b, Location l, ValueRange args) -> Value {
    return arith::AddFOp::create(b, l, args[0], args[1]);
  });
  Value mean = map({{sums}}, empty(x, element, axis), [&](OpBuilder &b, Location l, ValueRange args) -> Value {
    return arith::DivFOp::create(b, l, args[0], constant(b, l, element, static_cast<double>(count)));
  });
  Value centred = map({{x}, {mean, axis}}, empty(x, element), [](OpBuilder &b, Location l, ValueRange args) -> Value {
    return arith::SubFOp::create(b, l, args[0], args[1]);
  });
  Value squares =
      reduce(centred, axis, zero, empty(x, element, axis), [](OpBuilder &b, Location l, ValueRange args) -> Value {
        return math::FmaOp::create(b, l, args[0], args[0], args[1]);
      });
  Value inverse = inverseDeviation(*this, squares, empty(x, element, axis), count, eps);
  SmallVector<Input> inputs = {{centred}, {inverse, axis}, {gamma}};
  if (beta)
    inputs.push_back({beta});
  return map(inputs, init, [](OpBuilder &b, Location l, ValueRange args) -> Value {
    Value scaled = arith::MulFOp::create(b, l, args[0], args[1]);
    if (args.size() == 4)
      return math::FmaOp::create(b, l, scaled, args[2], args[3]);
    return arith::MulFOp::create(b, l, scaled, args[2]);
  });
}

Value RowMath::softmax(Value x, int64_t axis, Value init) {
  Type element = tensorOf(x).getElementType();
  Value peak = reduce(x, axis, builder.getFloatAttr(element, -std::numeric_limits<double>::infinity()),
                      empty(x, element, axis), [](OpBuilder &b, Location l, ValueRange args) -> Value {
                        return arith::MaxNumFOp::create(b, l, args[0], args[1]);
                      });
  Value powers = map({{x}, {peak, axis}}, empty(x, element), [](OpBuilder &b, Location l, ValueRange args) -> Value {
    return math::ExpOp::create(b, l, arith::SubFOp::create(b, l, args[0], args[1]));
  });
  Value sums = reduce(
      powers, axis, builder.getFloatAttr(element, 0.0), empty(x, element, axis),
      [](OpBuilder &b, Location l, ValueRange args) -> Value { return arith::AddFOp::create(b, l, args[0], args[1]); });
  return map({{powers}, {sums, axis}}, init, [](OpBuilder &b, Location l, ValueRange args) -> Value {
    return arith::DivFOp::create(b, l, args[0], args[1]);
  });
}

Value RowMath::gatherRows(Value x, Value rows, Value init) {
  int64_t rank = tensorOf(init).getRank();
  SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, builder.getAffineDimExpr(0)),
                                 builder.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, init.getType(), rows, init, maps, iterators,
             [&](OpBuilder &b, Location l, ValueRange args) {
               SmallVector<Value> indices = {arith::IndexCastOp::create(b, l, b.getIndexType(), args[0])};
               for (int64_t dim = 1; dim < rank; ++dim)
                 indices.push_back(linalg::IndexOp::create(b, l, dim));
               linalg::YieldOp::create(b, l, tensor::ExtractOp::create(b, l, x, indices).getResult());
             })
      .getResult(0);
}

Value RowMath::transpose(Value x, ArrayRef<int64_t> permutation, Value init) {
  return linalg::TransposeOp::create(builder, loc, x, init, permutation).getResult()[0];
}

} // namespace ingot::passes
