// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positions are cut into parts, whose sums of each channel are computed side by side; those of all parts, then those of a group's channels, are
// few. The variance is that of the centred input, as it is where channels are not last.
#include "passes/layout/GroupNorms.h"

#include "dialects/ingot/Dims.h"
#include "dialects/ingot/IngotDialect.h"
#include "passes/Compute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

namespace {

constexpr int64_t kMostParts = 64;

class GroupNorm {
public:
  GroupNorm(OpBuilder &b, Location loc, Value input, int64_t groups) : b(b), loc(loc), input(input), groups(groups) {
    SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(input));
    batch = dims.front();
    channels = dims.back().size;
    positions = 1;
    for (const ir::Dim &dim : ArrayRef(dims).drop_front().drop_back())
      positions *= dim.size;
    for (parts = std::min(kMostParts, positions); positions % parts != 0; --parts)
      ;
    perPart = positions / parts;
    grouped = reshape(input, {batch, parts, perPart, channels});
  }

  Value write(double eps) {
    Value mean = meanOf([&](OpBuilder &o, Value x, Value) { return x; }, {});
    auto square = [&](OpBuilder &o, Value x, Value centre) -> Value {
      Value centred = arith::SubFOp::create(o, loc, x, centre);
      return arith::MulFOp::create(o, loc, centred, centred);
    };
    Value variance = meanOf(square, mean);
    auto type = tensorOf(variance);
    auto scalar = RankedTensorType::get({}, type.getElementType());
    Value number = ir::ConstantOp::create(b, loc, scalar, DenseElementsAttr::get(scalar, static_cast<float>(eps)));
    Value above = ir::AddOp::create(b, loc, variance, ir::BroadcastOp::create(b, loc, type, number));
    Value inverse = ir::RsqrtOp::create(b, loc, above);
    Value centred = ir::SubOp::create(b, loc, input, overPositions(mean));
    return ir::MulOp::create(b, loc, centred, overPositions(inverse));
  }

private:
  using Term = llvm::function_ref<Value(OpBuilder &, Value, Value)>;

  Value reshape(Value value, ArrayRef<ir::Dim> dims) {
    return ir::ReshapeOp::create(b, loc, ir::tensorType(dims, tensorOf(value).getElementType()), value);
  }
  RankedTensorType typeOf(ArrayRef<ir::Dim> dims) { return ir::tensorType(dims, b.getF32Type()); }
  Value element(OpBuilder &o, Value tensor, ArrayRef<Value> at) { return ir::ElementOp::create(o, loc, b.getF32Type(), tensor, at); }

  // The mean over a channel's group and all positions, of a term of each element and the channel's `centre`: [B, C].
  Value meanOf(Term term, Value centre) {
    SmallVector<Value> inputs{grouped};
    if (centre)
      inputs.push_back(centre);
    // Parts first: they are what threads share.
    Value sums = makeCompute(b, loc, typeOf({parts, batch, channels}), inputs, ir::Dim(perPart), [&](OpBuilder &o, ValueRange in, ValueRange at) {
      Value x = element(o, in[0], {at[1], at[0], at[3], at[2]});
      return term(o, x, centre ? element(o, in[1], {at[1], at[2]}) : Value());
    });
    const int64_t wide = channels / groups;
    const float share = 1.0f / static_cast<float>(positions * wide);
    auto shared = [&](OpBuilder &o, Value sum) -> Value {
      return arith::MulFOp::create(o, loc, sum, arith::ConstantOp::create(o, loc, o.getF32FloatAttr(share)));
    };
    Value ofChannels = makeCompute(b, loc, typeOf({batch, channels}), {sums}, ir::Dim(parts), [&](OpBuilder &o, ValueRange in, ValueRange at) {
      return shared(o, element(o, in[0], {at[2], at[0], at[1]}));
    });
    if (wide == 1)
      return ofChannels;
    return makeCompute(b, loc, typeOf({batch, channels}), {ofChannels}, ir::Dim(wide), [&](OpBuilder &o, ValueRange in, ValueRange at) {
      Value size = arith::ConstantIndexOp::create(o, loc, wide);
      Value first = arith::MulIOp::create(o, loc, arith::DivUIOp::create(o, loc, at[1], size), size);
      return element(o, in[0], {at[0], arith::AddIOp::create(o, loc, first, at[2])});
    });
  }

  // [B, C] repeated to the input's shape.
  Value overPositions(Value value) {
    SmallVector<ir::Dim> dims(tensorOf(input).getRank(), ir::Dim(1));
    dims.front() = batch;
    dims.back() = channels;
    return ir::BroadcastOp::create(b, loc, tensorOf(input), reshape(value, dims));
  }

  OpBuilder &b;
  Location loc;
  Value input, grouped; // [B, X..., C], [B, parts, positions of a part, C]
  int64_t groups, channels, positions, parts, perPart;
  ir::Dim batch;
};

} // namespace

Value groupNormLast(OpBuilder &builder, Location loc, Value input, int64_t groups, double eps) {
  return GroupNorm(builder, loc, input, groups).write(eps);
}

} // namespace ingot::passes
