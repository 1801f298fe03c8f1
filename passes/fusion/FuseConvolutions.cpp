// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fuse-convolutions: what is done to each element of a convolution's result moves into its epilogue: a factor and an
// offset for each channel (batch norm), a residual, an activation, bounds. In this order, so that what comes too late
// stays outside. Zeros around its input become its padding (ZeroPads.h).
#include "passes/Linears.h"
#include "passes/Locations.h"
#include "passes/Passes.h"
#include "passes/fusion/ZeroPads.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_FUSECONVOLUTIONSPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

// The convolution whose result this is, where nothing else reads it.
ir::ConvolutionOp convolutionOf(Value value) {
  auto op = value.getDefiningOp<ir::ConvolutionOp>();
  return op && op.getResult().hasOneUse() ? op : ir::ConvolutionOp();
}
bool isBounded(ir::ConvolutionOp op) { return op.getLow() || op.getHigh(); }

// Everything that makes a convolution, to be changed and built again.
struct Parts {
  explicit Parts(ir::ConvolutionOp op)
      : op(op), scale(op.getScale()), bias(op.getBias()), residual(op.getResidual()),
        activation(op.getActivationAttr()), low(op.getLowAttr()), high(op.getHighAttr()) {}

  // In place of `last`, which computes something of the convolution's result.
  void replace(Operation *last, PatternRewriter &rewriter) {
    rewriter
        .replaceOpWithNewOp<ir::ConvolutionOp>(
            last, op.getResult().getType(), op.getInput(), op.getWeight(), scale, bias, residual, op.getStridesAttr(),
            op.getDilationsAttr(), op.getPadsAttr(), op.getGroupsAttr(), activation, low, high, op.getWindowAttr())
        ->setLoc(location);
    rewriter.eraseOp(op);
  }
  void join(Operation *last) { location = fuseLocations({op, last}); }

  ir::ConvolutionOp op;
  Value scale, bias, residual;
  ir::ActivationAttr activation;
  FloatAttr low, high;
  Location location = op.getLoc();
};

// The elements of a constant that has one for each channel of [B, C, spatial...], repeated for everything else (or one
// for all): as a vector of `channels`. Nothing where it is something else.
DenseElementsAttr perChannel(Value value, int64_t rank, int64_t channels) {
  auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
  Value from = broadcast ? broadcast.getInput() : value;
  auto constant = from.getDefiningOp<ir::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || !dense.getElementType().isF32())
    return {};
  auto type = tensorOf(from);
  auto vector = RankedTensorType::get({channels}, dense.getElementType());
  if (dense.isSplat() && (broadcast || type.getRank() == rank)) // what was repeated may have folded
    return DenseElementsAttr::get(vector, dense.getSplatValue<APFloat>());
  const int64_t place = type.getRank() - (rank - 1); // of the channels
  if (place < 0 || type.getNumElements() != channels || type.getDimSize(place) != channels)
    return {};
  return dense.reshape(vector);
}

Value constantOf(DenseElementsAttr elements, Location loc, PatternRewriter &rewriter) {
  return ir::ConstantOp::create(rewriter, loc, cast<RankedTensorType>(elements.getType()), elements);
}

// f of each pair of elements, rounded as f32.
DenseElementsAttr combined(DenseElementsAttr a, DenseElementsAttr b, float (*f)(float, float)) {
  SmallVector<float> values;
  for (auto [x, y] : llvm::zip(a.getValues<float>(), b.getValues<float>()))
    values.push_back(f(x, y));
  return DenseElementsAttr::get(cast<RankedTensorType>(a.getType()), ArrayRef(values));
}

// The convolution among an op's two operands, and the other operand.
std::pair<ir::ConvolutionOp, Value> sides(Operation *op) {
  if (auto convolution = convolutionOf(op->getOperand(0)))
    return {convolution, op->getOperand(1)};
  return {convolutionOf(op->getOperand(1)), op->getOperand(0)};
}

bool endsEarly(ir::ConvolutionOp op) { return !op.getResidual() && !op.getActivation() && !isBounded(op); }

struct FuseFactor : public OpRewritePattern<ir::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::MulOp op, PatternRewriter &rewriter) const override {
    auto [convolution, other] = sides(op);
    if (!convolution || !endsEarly(convolution))
      return rewriter.notifyMatchFailure(
          op, "no factor is a convolution's result that is only read here and not past its factors");
    auto result = tensorOf(convolution.getResult());
    DenseElementsAttr factor = perChannel(other, result.getRank(), result.getDimSize(1));
    if (!factor)
      return rewriter.notifyMatchFailure(op, "the other factor is no constant for each channel");
    auto known = [](Value value) {
      return value ? perChannel(value, 2, tensorOf(value).getDimSize(0)) : DenseElementsAttr();
    };
    DenseElementsAttr scale = known(convolution.getScale()), bias = known(convolution.getBias());
    if ((convolution.getScale() && !scale) || (convolution.getBias() && !bias))
      return rewriter.notifyMatchFailure(op, "the convolution adds or multiplies by what is not known");
    Parts parts(convolution);
    auto product = [](float a, float b) { return a * b; };
    parts.scale = constantOf(scale ? combined(scale, factor, product) : factor, op.getLoc(), rewriter);
    if (bias)
      parts.bias = constantOf(combined(bias, factor, product), op.getLoc(), rewriter);
    parts.join(op);
    parts.replace(op, rewriter);
    return success();
  }
};

struct FuseSum : public OpRewritePattern<ir::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::AddOp op, PatternRewriter &rewriter) const override {
    // Of two convolutions the later one: the other's result is there when it runs.
    auto a = convolutionOf(op.getLhs()), b = convolutionOf(op.getRhs());
    for (auto *candidate : {&a, &b})
      if (*candidate && !endsEarly(*candidate))
        *candidate = {};
    if (a && b)
      (a->isBeforeInBlock(b) ? a : b) = {};
    ir::ConvolutionOp convolution = a ? a : b;
    if (!convolution)
      return rewriter.notifyMatchFailure(
          op, "no term is a convolution's result that is only read here and not past its sums");
    Value other = a ? op.getRhs() : op.getLhs();
    auto result = tensorOf(convolution.getResult());
    Parts parts(convolution);
    if (DenseElementsAttr offset = perChannel(other, result.getRank(), result.getDimSize(1))) {
      DenseElementsAttr bias = parts.bias ? perChannel(parts.bias, 2, result.getDimSize(1)) : DenseElementsAttr();
      if (parts.bias && !bias)
        return rewriter.notifyMatchFailure(op, "the convolution adds what is not known");
      parts.bias = constantOf(bias ? combined(bias, offset, [](float x, float y) { return x + y; }) : offset,
                              op.getLoc(), rewriter);
    } else if (!other.getDefiningOp<ir::BroadcastOp>() && !ir::isRecipe(other)) {
      parts.residual = other;
    } else {
      return rewriter.notifyMatchFailure(op, "the other term is repeated, and not for each channel");
    }
    parts.join(op);
    parts.replace(op, rewriter);
    return success();
  }
};

struct FuseActivation : public RewritePattern {
  FuseActivation(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    auto activation = epilogueActivation(op);
    auto convolution = activation ? convolutionOf(op->getOperand(0)) : ir::ConvolutionOp();
    if (!convolution || isBounded(convolution) || convolution.getActivation())
      return rewriter.notifyMatchFailure(op, "no activation of a convolution's result that is only read here");
    Parts parts(convolution);
    if (*activation == ir::Activation::Relu) // a bound, which may have another above it
      parts.low = rewriter.getF64FloatAttr(0.0);
    else
      parts.activation = ir::ActivationAttr::get(getContext(), *activation);
    parts.join(op);
    parts.replace(op, rewriter);
    return success();
  }
};

// max(convolution, low), then min(.., high).
template <typename Op, bool LOW> struct FuseBound : public OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto [convolution, other] = sides(op);
    if (!convolution || convolution.getHigh() || (LOW && convolution.getLow()))
      return rewriter.notifyMatchFailure(op, "no convolution's result that is only read here and could be bounded");
    DenseElementsAttr bound = perChannel(other, tensorOf(convolution.getResult()).getRank(), 1);
    if (!bound || !bound.isSplat())
      return rewriter.notifyMatchFailure(op, "the bound is not one known number");
    const float value = bound.getSplatValue<float>();
    if (!(value == value) || (convolution.getLow() && convolution.getLow()->convertToDouble() > value))
      return rewriter.notifyMatchFailure(op, "the bounds leave no number");
    Parts parts(convolution);
    (LOW ? parts.low : parts.high) = rewriter.getF64FloatAttr(value);
    parts.join(op);
    parts.replace(op, rewriter);
    return success();
  }
};

// convolution(zeros around x) -> convolution(x) {pads}
struct FusePads : public OpRewritePattern<ir::ConvolutionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ConvolutionOp op, PatternRewriter &rewriter) const override {
    std::optional<ZeroPads> zeros = zeroPadsOf(op.getInput());
    if (!zeros)
      return rewriter.notifyMatchFailure(op, "its input is not something among zeros");
    const size_t rank = zeros->front.size(), spatial = rank - 2;
    SmallVector<int64_t> pads(op.getPads());
    for (size_t dim = 0; dim < rank; ++dim) {
      if (dim < 2 && (zeros->front[dim] != 0 || zeros->back[dim] != 0))
        return rewriter.notifyMatchFailure(op, "there are zeros beside whole images or channels");
      if (dim >= 2) {
        pads[dim - 2] += zeros->front[dim];
        pads[spatial + dim - 2] += zeros->back[dim];
      }
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(zeros->input);
      op.setPads(pads);
    });
    return success();
  }
};

struct FuseConvolutionsPass : public impl::FuseConvolutionsPassBase<FuseConvolutionsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FusePads, FuseFactor, FuseSum, FuseActivation, FuseBound<ir::MaxOp, true>, FuseBound<ir::MinOp, false>>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace ingot::passes
