// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// General ops one by one (see GeneralOps.h). Maps and reductions are written by RowMath; ops that pick elements
// (gathers, joins, rotations) are one linalg.generic over the result that extracts what it needs, so that any of them
// can be tiled by rows of its result.
#include "passes/lowering/GeneralOps.h"
#include "dialects/ingot/IngotDialect.h"
#include "passes/lowering/RowMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

bool isGeneral(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || ir::isRecipe(value))
    return false;
  return isa<ir::ScalarBodyInterface, ir::RmsNormOp, ir::LayerNormOp, ir::SoftmaxOp, ir::ReduceOp, ir::TransposeOp,
             ir::SplitOp, ir::GatherRowsOp, ir::ConcatOp, ir::RopeOp, ir::ComputeOp, ir::BroadcastOp, ir::MatmulOp>(op);
}

bool readsRowByRow(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (isa<ir::ScalarBodyInterface>(op))
    return true;
  if (operand.getOperandNumber() != 0)
    return false;
  int64_t rank = tensorOf(operand.get()).getRank();
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<ir::RmsNormOp, ir::LayerNormOp>([&](auto) { return rank > 1; })
      .Case<ir::BroadcastOp>([&](auto broadcast) { return rank > 0 && rank == tensorOf(broadcast.getResult()).getRank(); })
      .Case<ir::SoftmaxOp, ir::ReduceOp>([](auto along) { return along.getAxis() != 0; })
      .Case<ir::TransposeOp>([](auto transpose) {
        return transpose.getPermutation().front() == 0 && !llvm::is_sorted(transpose.getPermutation());
      })
      .Default([](Operation *) { return false; });
}

namespace {

class Emitter {
public:
  Emitter(const IRMapping &operands, Value init, OpBuilder &builder, Location loc)
      : operands(operands), init(init), builder(builder), loc(loc), math(builder, loc) {}

  Value emit(OpResult result) {
    Operation *op = result.getOwner();
    if (auto scalar = dyn_cast<ir::ScalarBodyInterface>(op))
      return map(scalar);
    return llvm::TypeSwitch<Operation *, Value>(op)
        .Case([&](ir::RmsNormOp norm) {
          return math.rmsNorm(in(norm.getInput()), in(norm.getGamma()), norm.getEps().convertToDouble(), init);
        })
        .Case([&](ir::LayerNormOp norm) {
          return math.layerNorm(in(norm.getInput()), in(norm.getGamma()), norm.getBeta() ? in(norm.getBeta()) : Value(),
                                norm.getEps().convertToDouble(), init);
        })
        .Case([&](ir::SoftmaxOp softmax) { return math.softmax(in(softmax.getInput()), softmax.getAxis(), init); })
        .Case([&](ir::TransposeOp transpose) { return emitTranspose(transpose); })
        .Case(
            [&](ir::GatherRowsOp gather) { return math.gatherRows(in(gather.getInput()), in(gather.getRows()), init); })
        .Case([&](ir::ReduceOp reduce) { return emitReduce(reduce); })
        .Case([&](ir::SplitOp split) { return emitSplit(split, result.getResultNumber()); })
        .Case([&](ir::ConcatOp concat) { return emitConcat(concat); })
        .Case([&](ir::RopeOp rope) { return emitRope(rope); })
        .Case([&](ir::BroadcastOp broadcast) { return emitBroadcast(broadcast); })
        .Case([&](ir::MatmulOp product) { return emitMatmul(product); })
        .Case([&](ir::ComputeOp compute) { return emitCompute(compute); });
  }

private:
  Value in(Value value) { return operands.lookup(value); }

  Value map(ir::ScalarBodyInterface op) {
    SmallVector<RowMath::Input> inputs;
    for (Value operand : op->getOperands())
      inputs.push_back({in(operand)});
    return math.map(inputs, init, [&](OpBuilder &b, Location l, ValueRange stored) {
      SmallVector<Value> scalars;
      for (auto [scalar, operand] : llvm::zip(stored, op->getOperands()))
        scalars.push_back(fromStored(b, l, scalar, operand));
      return toStored(b, l, op.buildScalarBody(b, l, scalars));
    });
  }

  // Truth values are bytes in memory.
  static Value fromStored(OpBuilder &b, Location l, Value scalar, Value tensor) {
    Type element = tensorOf(tensor).getElementType();
    return element.isInteger(1) ? ir::castScalar(b, l, scalar, b.getIntegerType(8), element) : scalar;
  }
  static Value toStored(OpBuilder &b, Location l, Value scalar) {
    if (!scalar.getType().isInteger(1))
      return scalar;
    return arith::ExtUIOp::create(b, l, b.getIntegerType(8), scalar);
  }

  Value emitBroadcast(ir::BroadcastOp broadcast) {
    Value input = in(broadcast.getInput());
    int64_t rank = tensorOf(init).getRank(), lead = rank - tensorOf(input).getRank();
    SmallVector<AffineExpr> exprs;
    for (auto [i, size] : llvm::enumerate(tensorOf(input).getShape()))
      exprs.push_back(size == 1 ? builder.getAffineConstantExpr(0)
                                : builder.getAffineDimExpr(lead + static_cast<int64_t>(i)));
    SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, exprs, builder.getContext()),
                                   builder.getMultiDimIdentityMap(rank)};
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               builder, loc, init.getType(), input, init, maps, iterators,
               [](OpBuilder &b, Location l, ValueRange args) { linalg::YieldOp::create(b, l, args[0]); })
        .getResult(0);
  }

  Value emitMatmul(ir::MatmulOp product) {
    Value lhs = in(product.getLhs()), rhs = in(product.getRhs());
    const int64_t rank = tensorOf(init).getRank(), k = rank; // loops: batch, row, column, then k
    SmallVector<AffineExpr> left, right, own;
    for (int64_t i = 0; i < rank; ++i)
      own.push_back(builder.getAffineDimExpr(i));
    left = right = own;
    left[rank - 1] = right[rank - 2] = builder.getAffineDimExpr(k);
    SmallVector<AffineMap> maps;
    for (const auto &exprs : {left, right, own})
      maps.push_back(AffineMap::get(rank + 1, 0, exprs, builder.getContext()));
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    Value start = math.fill(builder.getFloatAttr(tensorOf(init).getElementType(), 0.0), init);
    return linalg::GenericOp::create(builder, loc, init.getType(), ValueRange{lhs, rhs}, start, maps, iterators,
                                     [](OpBuilder &b, Location l, ValueRange args) {
                                       linalg::YieldOp::create(b, l, math::FmaOp::create(b, l, args[0], args[1], args[2]).getResult());
                                     })
        .getResult(0);
  }

  // The neutral element of a reduction.
  TypedAttr neutral(ir::ReduceKind kind, Type element, bool isUnsigned) {
    bool most = kind == ir::ReduceKind::Min, least = kind == ir::ReduceKind::Max;
    if (isa<FloatType>(element)) {
      double infinity = std::numeric_limits<double>::infinity();
      return builder.getFloatAttr(element, most ? infinity : least ? -infinity : kind == ir::ReduceKind::Product);
    }
    unsigned bits = element.getIntOrFloatBitWidth();
    APInt value(bits, kind == ir::ReduceKind::Product);
    if (most)
      value = isUnsigned ? APInt::getMaxValue(bits) : APInt::getSignedMaxValue(bits);
    else if (least)
      value = isUnsigned ? APInt::getMinValue(bits) : APInt::getSignedMinValue(bits);
    return builder.getIntegerAttr(element, value);
  }

  static Value combine(OpBuilder &b, Location l, ir::ReduceKind kind, bool isUnsigned, Value x, Value sum) {
    bool real = isa<FloatType>(x.getType());
    switch (kind) {
    case ir::ReduceKind::Max:
      if (real)
        return arith::MaximumFOp::create(b, l, x, sum);
      return isUnsigned ? Value(arith::MaxUIOp::create(b, l, x, sum)) : Value(arith::MaxSIOp::create(b, l, x, sum));
    case ir::ReduceKind::Min:
      if (real)
        return arith::MinimumFOp::create(b, l, x, sum);
      return isUnsigned ? Value(arith::MinUIOp::create(b, l, x, sum)) : Value(arith::MinSIOp::create(b, l, x, sum));
    case ir::ReduceKind::Product:
      return real ? Value(arith::MulFOp::create(b, l, x, sum)) : Value(arith::MulIOp::create(b, l, x, sum));
    default:
      return real ? Value(arith::AddFOp::create(b, l, x, sum)) : Value(arith::AddIOp::create(b, l, x, sum));
    }
  }

  // One loop nest over the result's dimensions and the extents. What has the loops' extents but no elements stands for
  // the extents.
  Value emitCompute(ir::ComputeOp compute) {
    Block &block = compute.getBody().front();
    int64_t rank = tensorOf(init).getRank(), loops = rank + static_cast<int64_t>(compute.getExtents().size());
    auto reduce = compute.getReduce();
    Type element = tensorOf(compute.getResult()).getElementType();
    bool isUnsigned = element.isUnsignedInteger();
    SmallVector<AffineMap> maps;
    SmallVector<Value> spans;
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    for (auto [i, attribute] : llvm::enumerate(compute.getExtents())) {
      StringRef text = cast<StringAttr>(attribute).getValue();
      int64_t number;
      OpFoldResult size = builder.getIndexAttr(0);
      if (!text.getAsInteger(10, number))
        size = builder.getIndexAttr(number);
      else
        size = ir::SizeOp::create(builder, loc, text).getResult();
      spans.push_back(tensor::EmptyOp::create(builder, loc, {size}, builder.getIntegerType(8)));
      maps.push_back(AffineMap::get(loops, 0, builder.getAffineDimExpr(rank + static_cast<int64_t>(i))));
      iterators.push_back(utils::IteratorType::reduction);
    }
    SmallVector<AffineExpr> own;
    for (int64_t i = 0; i < rank; ++i)
      own.push_back(builder.getAffineDimExpr(i));
    maps.push_back(AffineMap::get(loops, 0, own, builder.getContext()));
    Value start = init;
    if (reduce)
      start = math.fill(neutral(*reduce, ir::storedType(element), isUnsigned), init);
    IRMapping mapping;
    for (auto [argument, input] : llvm::zip(block.getArguments(), compute.getInputs()))
      mapping.map(argument, in(input));
    for (auto size : block.getOps<ir::SizeOp>()) // the same for every element
      mapping.map(size.getResult(), ir::SizeOp::create(builder, loc, size.getExprAttr()).getResult());
    return linalg::GenericOp::create(
               builder, loc, init.getType(), spans, start, maps, iterators,
               [&](OpBuilder &b, Location l, ValueRange args) {
                 for (int64_t i = 0; i < loops; ++i)
                   mapping.map(block.getArgument(static_cast<unsigned>(compute.getInputs().size() + i)),
                               linalg::IndexOp::create(b, l, i).getResult());
                 for (Operation &op : block.without_terminator()) {
                   if (auto read = dyn_cast<ir::ElementOp>(op)) {
                     SmallVector<Value> indices;
                     for (Value index : read.getIndices())
                       indices.push_back(mapping.lookup(index));
                     Value stored = tensor::ExtractOp::create(b, l, mapping.lookup(read.getTensor()), indices);
                     mapping.map(read.getResult(), fromStored(b, l, stored, read.getTensor()));
                   } else if (!isa<ir::SizeOp>(op)) {
                     b.clone(op, mapping);
                   }
                 }
                 Value value = toStored(b, l, mapping.lookup(cast<ir::YieldOp>(block.getTerminator()).getValue()));
                 linalg::YieldOp::create(b, l, reduce ? combine(b, l, *reduce, isUnsigned, value, args.back()) : value);
               })
        .getResult(0);
  }

  Value emitReduce(ir::ReduceOp reduce) {
    Value input = in(reduce.getInput());
    auto element = cast<FloatType>(tensorOf(input).getElementType());
    int64_t axis = reduce.getAxis();
    auto kind = reduce.getKind();
    double infinity = std::numeric_limits<double>::infinity();
    double identity = kind == ir::ReduceKind::Max       ? -infinity
                      : kind == ir::ReduceKind::Min     ? infinity
                      : kind == ir::ReduceKind::Product ? 1.0
                                                        : 0.0;
    bool direct = !reduce.getKeepAxis() && kind != ir::ReduceKind::Mean;
    Value reduced = math.reduce(input, axis, builder.getFloatAttr(element, identity),
                                direct ? init : math.empty(input, element, axis),
                                [&](OpBuilder &b, Location l, ValueRange args) -> Value {
                                  if (kind == ir::ReduceKind::Max)
                                    return arith::MaximumFOp::create(b, l, args[0], args[1]);
                                  if (kind == ir::ReduceKind::Min)
                                    return arith::MinimumFOp::create(b, l, args[0], args[1]);
                                  if (kind == ir::ReduceKind::Product)
                                    return arith::MulFOp::create(b, l, args[0], args[1]);
                                  return arith::AddFOp::create(b, l, args[0], args[1]);
                                });
    if (direct)
      return reduced;
    RowMath::Input sums{reduced, reduce.getKeepAxis() ? axis : -1};
    if (kind != ir::ReduceKind::Mean)
      return math.map({sums}, init, [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    Value count = countAlong(input, axis, element);
    return math.map({sums}, init, [&](OpBuilder &b, Location l, ValueRange args) -> Value {
      return arith::DivFOp::create(b, l, args[0], count);
    });
  }

  Value countAlong(Value input, int64_t axis, FloatType element) {
    int64_t size = tensorOf(input).getDimSize(axis);
    if (!ShapedType::isDynamic(size))
      return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(element, static_cast<double>(size)));
    Value dim = tensor::DimOp::create(builder, loc, input, axis);
    Value integer = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), dim);
    return arith::SIToFPOp::create(builder, loc, element, integer);
  }

  // One parallel loop nest over `init` whose body gives the element at the indices.
  Value pick(llvm::function_ref<Value(OpBuilder &, Location, SmallVectorImpl<Value> &)> body) {
    int64_t rank = tensorOf(init).getRank();
    SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(rank)};
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    return linalg::GenericOp::create(builder, loc, init.getType(), ValueRange{}, init, maps, iterators,
                                     [&](OpBuilder &b, Location l, ValueRange) {
                                       SmallVector<Value> indices;
                                       for (int64_t dim = 0; dim < rank; ++dim)
                                         indices.push_back(linalg::IndexOp::create(b, l, dim));
                                       linalg::YieldOp::create(b, l, body(b, l, indices));
                                     })
        .getResult(0);
  }

  static Value index(OpBuilder &b, Location l, int64_t value) { return arith::ConstantIndexOp::create(b, l, value); }

  // A copy is written as a pick: an upstream fold would take an identity away, and its destination with it.
  Value emitTranspose(ir::TransposeOp transpose) {
    Value input = in(transpose.getInput());
    if (!llvm::is_sorted(transpose.getPermutation()))
      return math.transpose(input, transpose.getPermutation(), init);
    return pick([&](OpBuilder &b, Location l, SmallVectorImpl<Value> &indices) -> Value {
      return tensor::ExtractOp::create(b, l, input, indices);
    });
  }

  Value emitSplit(ir::SplitOp split, unsigned number) {
    Value input = in(split.getInput());
    int64_t axis = split.getAxis(), first = 0;
    for (unsigned i = 0; i < number; ++i)
      first += split.getSizes()[i];
    return pick([&](OpBuilder &b, Location l, SmallVectorImpl<Value> &indices) -> Value {
      indices[axis] = arith::AddIOp::create(b, l, indices[axis], index(b, l, first));
      return tensor::ExtractOp::create(b, l, input, indices);
    });
  }

  Value emitConcat(ir::ConcatOp concat) {
    struct Piece {
      Value operand;
      int64_t first, rows, start;
    };
    SmallVector<Piece> pieces;
    int64_t axis = concat.getAxis(), start = 0;
    auto add = [&](Value operand, int64_t first, int64_t rows) {
      pieces.push_back({in(operand), first, rows, start});
      start += rows;
    };
    if (auto segments = concat.getSegments()) {
      for (size_t i = 0; i + 2 < segments->size(); i += 3)
        add(concat.getInputs()[(*segments)[i]], (*segments)[i + 1], (*segments)[i + 2]);
    } else {
      for (Value operand : concat.getInputs())
        add(operand, 0, tensorOf(operand).getDimSize(axis));
    }
    return pick([&](OpBuilder &b, Location l, SmallVectorImpl<Value> &indices) -> Value {
      Value at = indices[axis], result;
      for (const Piece &piece : pieces) {
        // Outside its piece an operand is read at its nearest row, and not taken.
        Value offset = arith::SubIOp::create(b, l, at, index(b, l, piece.start));
        Value clamped = arith::MinSIOp::create(b, l, arith::MaxSIOp::create(b, l, offset, index(b, l, 0)),
                                               index(b, l, piece.rows - 1));
        indices[axis] = arith::AddIOp::create(b, l, clamped, index(b, l, piece.first));
        Value element = tensor::ExtractOp::create(b, l, piece.operand, indices);
        if (!result) {
          result = element;
          continue;
        }
        Value reached = arith::CmpIOp::create(b, l, arith::CmpIPredicate::sge, at, index(b, l, piece.start));
        result = arith::SelectOp::create(b, l, reached, element, result);
      }
      return result;
    });
  }

  Value emitRope(ir::RopeOp rope) {
    Value input = in(rope.getInput()), angles = in(rope.getAngles());
    int64_t rotary = tensorOf(angles).getDimSize(1), half = rotary / 2;
    auto element = cast<FloatType>(tensorOf(input).getElementType());
    return pick([&](OpBuilder &b, Location l, SmallVectorImpl<Value> &indices) -> Value {
      auto widen = [&](Value v) -> Value {
        return v.getType().isF32() ? v : Value(arith::ExtFOp::create(b, l, b.getF32Type(), v));
      };
      Value token = indices[0], at = indices[2];
      auto below = [&](int64_t bound) -> Value {
        return arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, at, index(b, l, bound));
      };
      Value first = below(half), rotated = below(rotary);
      // Partner and angle of this element; elements that do not rotate read theirs at 0 and drop them.
      Value plus = arith::AddIOp::create(b, l, at, index(b, l, half));
      Value minus = arith::SubIOp::create(b, l, at, index(b, l, half));
      Value partnerAt = arith::SelectOp::create(b, l, first, plus, minus);
      partnerAt = arith::SelectOp::create(b, l, rotated, partnerAt, index(b, l, 0));
      Value angleAt = arith::SelectOp::create(b, l, first, at, minus);
      angleAt = arith::SelectOp::create(b, l, rotated, angleAt, index(b, l, 0));
      Value sinAt = arith::AddIOp::create(b, l, angleAt, index(b, l, half));
      Value x = tensor::ExtractOp::create(b, l, input, indices);
      indices[2] = partnerAt;
      Value partner = tensor::ExtractOp::create(b, l, input, indices);
      Value cos = tensor::ExtractOp::create(b, l, angles, ValueRange{token, angleAt});
      Value sin = tensor::ExtractOp::create(b, l, angles, ValueRange{token, sinAt});
      Value along = arith::MulFOp::create(b, l, widen(x), cos),
            across = arith::MulFOp::create(b, l, widen(partner), sin);
      Value turned = arith::SelectOp::create(b, l, first, Value(arith::SubFOp::create(b, l, along, across)),
                                             Value(arith::AddFOp::create(b, l, along, across)));
      if (!element.isF32())
        turned = arith::TruncFOp::create(b, l, element, turned);
      return arith::SelectOp::create(b, l, rotated, turned, x);
    });
  }

  const IRMapping &operands;
  Value init;
  OpBuilder &builder;
  Location loc;
  RowMath math;
};

} // namespace

Value emitGeneral(OpResult result, const IRMapping &operands, Value init, OpBuilder &builder, Location loc) {
  return Emitter(operands, init, builder, loc).emit(result);
}

} // namespace ingot::passes
