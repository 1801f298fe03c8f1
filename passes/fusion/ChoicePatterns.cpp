// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choices that are written as arithmetic, as by exporters to versions of ONNX without Where. See RecognizePatterns.h.
#include "passes/fusion/Match.h"
#include "passes/fusion/RecognizePatterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

#include <limits>

using namespace mlir;

namespace ingot::passes {

namespace {

using ir::tensorOf;

// Zeros and ones as floats: which truth values they are, under broadcasts and reshapes.
struct Flags {
  Value condition;             // before these; truth values, or a constant of floats
  bool negated = false;        // 1 where it is false
  SmallVector<int64_t> origin; // of each dimension, the condition's that it is; -1: of size 1 there, or none

  bool isComplementOf(const Flags &other) const {
    return condition == other.condition && negated != other.negated && origin == other.origin;
  }
};

// Of `not c`: c.
Value notOf(Value value) {
  auto compute = value.getDefiningOp<ir::ComputeOp>();
  if (!compute || compute.getReduce() || compute.getInputs().size() != 1)
    return {};
  Block &body = compute.getBody().front();
  auto flip = cast<ir::YieldOp>(body.getTerminator()).getValue().getDefiningOp<arith::XOrIOp>();
  if (!flip)
    return {};
  APInt one;
  auto element = flip.getLhs().getDefiningOp<ir::ElementOp>();
  if (!element || !matchPattern(flip.getRhs(), m_ConstantInt(&one)) || !one.isAllOnes())
    return {};
  return llvm::equal(element.getIndices(), body.getArguments().drop_front()) ? compute.getInputs()[0] : Value();
}

Flags broadcastOf(Flags flags, RankedTensorType to, RankedTensorType from) {
  flags.origin.insert(flags.origin.begin(), size_t(to.getRank() - from.getRank()), -1);
  return flags;
}

// Dimensions of 1 may come and go.
std::optional<Flags> reshapeOf(Flags flags, RankedTensorType to, RankedTensorType from) {
  SmallVector<int64_t> origin;
  int64_t at = 0;
  auto skip = [&] {
    while (at < from.getRank() && from.getDimSize(at) == 1)
      ++at;
  };
  for (int64_t i = 0; i < to.getRank(); ++i) {
    origin.push_back(-1);
    if (to.getDimSize(i) == 1)
      continue;
    skip();
    if (at == from.getRank() || !ir::dimOf(to, unsigned(i)).agrees(ir::dimOf(from, unsigned(at))))
      return std::nullopt;
    origin.back() = flags.origin[size_t(at++)];
  }
  skip();
  if (at != from.getRank())
    return std::nullopt;
  flags.origin = origin;
  return flags;
}

Flags conditionAsItIs(Value value) {
  Flags flags;
  flags.condition = value;
  auto type = tensorOf(value);
  for (int64_t i = 0; i < type.getRank(); ++i)
    flags.origin.push_back(type.getDimSize(i) == 1 ? -1 : i);
  return flags;
}

std::optional<Flags> flagsOf(Value value) {
  auto type = tensorOf(value);
  if (type.getElementType().isInteger(1)) {
    if (Value inner = notOf(value)) {
      auto flags = flagsOf(inner);
      if (flags)
        flags->negated = !flags->negated;
      return flags;
    }
    if (!value.getDefiningOp<ir::BroadcastOp>() && !value.getDefiningOp<ir::ReshapeOp>())
      return conditionAsItIs(value);
  }
  if (auto constant = value.getDefiningOp<ir::ConstantOp>()) {
    auto elements = dyn_cast<DenseFPElementsAttr>(constant.getValue());
    if (!elements || elements.isSplat() || !llvm::all_of(elements.getValues<APFloat>(), [](const APFloat &x) {
          return x.isZero() || x.isExactlyValue(1.0);
        }))
      return std::nullopt;
    return conditionAsItIs(value);
  }
  if (auto cast = value.getDefiningOp<ir::CastOp>())
    return tensorOf(cast.getInput()).getElementType().isInteger(1) ? flagsOf(cast.getInput()) : std::nullopt;
  std::optional<Flags> inner;
  if (auto broadcast = value.getDefiningOp<ir::BroadcastOp>()) {
    inner = flagsOf(broadcast.getInput());
    return inner ? broadcastOf(*inner, type, tensorOf(broadcast.getInput())) : inner;
  }
  if (auto reshape = value.getDefiningOp<ir::ReshapeOp>()) {
    inner = flagsOf(reshape.getInput());
    return inner ? reshapeOf(*inner, type, tensorOf(reshape.getInput())) : inner;
  }
  // 1 - x
  if (auto rest = value.getDefiningOp<ir::SubOp>(); rest && match::constantOf(rest.getLhs()) == 1.0) {
    inner = flagsOf(rest.getRhs());
    if (inner)
      inner->negated = !inner->negated;
  }
  return inner;
}

// x * flags, which may be repeated after that.
struct Term {
  Value x;
  Flags flags;
  SmallVector<RankedTensorType, 2> repeated;

  Value value(PatternRewriter &rewriter) const {
    Value made = x;
    for (RankedTensorType type : repeated)
      made = ir::BroadcastOp::create(rewriter, made.getLoc(), type, made);
    return made;
  }
};

std::optional<Term> termOf(Value value) {
  if (auto broadcast = value.getDefiningOp<ir::BroadcastOp>()) {
    auto term = termOf(broadcast.getInput());
    if (!term)
      return term;
    term->flags = broadcastOf(term->flags, tensorOf(value), tensorOf(broadcast.getInput()));
    term->repeated.push_back(tensorOf(value));
    return term;
  }
  auto product = value.getDefiningOp<ir::MulOp>();
  if (!product)
    return std::nullopt;
  for (auto [x, other] : {std::pair(product.getLhs(), product.getRhs()), std::pair(product.getRhs(), product.getLhs())})
    if (auto flags = flagsOf(other))
      return Term{x, *flags, {}};
  return std::nullopt;
}

// The condition of flags that were repeated to a shape, so repeated.
Value conditionOf(const Flags &flags, RankedTensorType to, Location loc, PatternRewriter &rewriter) {
  SmallVector<ir::Dim> dims;
  for (int64_t at : flags.origin)
    dims.push_back(at < 0 ? ir::Dim(1) : ir::dimOf(tensorOf(flags.condition), unsigned(at)));
  Value made = flags.condition;
  if (!tensorOf(made).getElementType().isInteger(1)) {
    auto type = tensorOf(made);
    Value zero = ir::ConstantOp::create(rewriter, loc, type, DenseElementsAttr::get(type, 0.0f));
    made = ir::CompareOp::create(rewriter, loc, ir::tensorType(ir::dimsOf(type), rewriter.getI1Type()), made, zero,
                                 ir::CompareKindAttr::get(rewriter.getContext(), ir::CompareKind::Ne));
  }
  auto placed = ir::tensorType(dims, rewriter.getI1Type());
  if (placed != made.getType())
    made = ir::ReshapeOp::create(rewriter, loc, placed, made);
  auto wide = ir::tensorType(ir::dimsOf(to), rewriter.getI1Type());
  return wide == made.getType() ? made : Value(ir::BroadcastOp::create(rewriter, loc, wide, made));
}

Value numbers(double value, RankedTensorType type, Location loc, PatternRewriter &rewriter) {
  auto scalar = RankedTensorType::get({}, rewriter.getF32Type());
  Value constant = ir::ConstantOp::create(rewriter, loc, scalar, DenseElementsAttr::get(scalar, float(value)));
  return type == scalar ? constant : Value(ir::BroadcastOp::create(rewriter, loc, type, constant));
}

// x * c + y * (1 - c) of a condition c is c ? x : y, where x and y are finite.
template <typename OpT> struct Choice : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    auto type = tensorOf(op.getResult());
    if (!type.getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "it is not of f32");
    auto left = termOf(op.getLhs()), right = left ? termOf(op.getRhs()) : std::nullopt;
    if (!right || !left->flags.isComplementOf(right->flags))
      return rewriter.notifyMatchFailure(op, "its sides are no products with a condition and its opposite");
    Value condition = conditionOf(left->flags, type, op.getLoc(), rewriter);
    Value one = left->value(rewriter), other = right->value(rewriter);
    if (std::is_same_v<OpT, ir::SubOp>) {
      auto number = match::constantOf(other);
      other = number ? numbers(-*number, type, op.getLoc(), rewriter)
                     : Value(ir::NegOp::create(rewriter, op.getLoc(), other));
    }
    const bool swap = left->flags.negated;
    rewriter.replaceOpWithNewOp<ir::SelectOp>(op, type, condition, swap ? other : one, swap ? one : other);
    return success();
  }
};

// Probabilities that are masked and made to add up to 1 again: p * flags / sum(p * flags), where p = softmax(scores).
struct Renormed {
  ir::SoftmaxOp softmax;
  Flags flags;
  ir::ReduceOp sum;
  bool guarded = false; // divides by 1 where the sum is 0
};

// Whether each element says that the sum is above 0.
bool isPositive(Value value, Value sum) {
  auto compare = value.getDefiningOp<ir::CompareOp>();
  return compare && compare.getKind() == ir::CompareKind::Gt && compare.getLhs() == sum &&
         match::constantOf(compare.getRhs()) == 0.0;
}

std::optional<Renormed> renormedOf(Value value) {
  auto quotient = value.getDefiningOp<ir::DivOp>();
  auto repeated = quotient ? quotient.getRhs().getDefiningOp<ir::BroadcastOp>() : nullptr;
  auto product = quotient ? quotient.getLhs().getDefiningOp<ir::MulOp>() : nullptr;
  if (!repeated || !product)
    return std::nullopt;
  Renormed found;
  for (auto [p, other] : {std::pair(product.getLhs(), product.getRhs()), std::pair(product.getRhs(), product.getLhs())})
    if (auto softmax = p.getDefiningOp<ir::SoftmaxOp>(); softmax && !found.softmax)
      if (auto flags = flagsOf(other)) {
        found.softmax = softmax;
        found.flags = *flags;
      }
  Value divisor = repeated.getInput();
  if (auto guard = divisor.getDefiningOp<ir::SelectOp>();
      guard && match::constantOf(guard.getOnFalse()) == 1.0 && isPositive(guard.getCondition(), guard.getOnTrue())) {
    found.guarded = true;
    divisor = guard.getOnTrue();
  }
  found.sum = divisor.getDefiningOp<ir::ReduceOp>();
  const int64_t last = tensorOf(value).getRank() - 1;
  if (!found.softmax || !found.softmax->hasOneUse() || !found.sum || found.sum.getKind() != ir::ReduceKind::Sum ||
      !found.sum.getKeepAxis() || found.sum.getInput() != product.getResult() || int64_t(found.sum.getAxis()) != last ||
      int64_t(found.softmax.getAxis()) != last || !tensorOf(value).getElementType().isF32())
    return std::nullopt;
  return found;
}

// The same is a softmax of scores that are masked, with zeros where nothing is seen.
void maskFirst(Operation *op, Renormed found, PatternRewriter &rewriter) {
  auto type = tensorOf(op->getResult(0));
  const Location loc = found.softmax->getLoc();
  Value condition = conditionOf(found.flags, type, loc, rewriter);
  Value hidden = numbers(-std::numeric_limits<double>::infinity(), type, loc, rewriter),
        zero = numbers(0, type, loc, rewriter);
  auto choose = [&](Value one, Value other) -> Value {
    return ir::SelectOp::create(rewriter, loc, type, condition, found.flags.negated ? other : one,
                                found.flags.negated ? one : other);
  };
  Value scores = choose(found.softmax.getInput(), hidden);
  Value probabilities =
      ir::SoftmaxOp::create(rewriter, loc, scores, rewriter.getI64IntegerAttr(type.getRank() - 1)).getResult();
  rewriter.replaceOp(op, choose(probabilities, zero));
}

// Divided by the sum, whatever it is.
struct MaskedAfterwards : OpRewritePattern<ir::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::DivOp op, PatternRewriter &rewriter) const override {
    auto found = renormedOf(op.getResult());
    if (!found || found->guarded)
      return rewriter.notifyMatchFailure(op, "no softmax is masked and divided by its sum");
    maskFirst(op, *found, rewriter);
    return success();
  }
};

// With zeros where the sum is none.
struct MaskedAfterwardsOrZero : OpRewritePattern<ir::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::SelectOp op, PatternRewriter &rewriter) const override {
    auto found = renormedOf(op.getOnTrue());
    auto repeated = op.getCondition().getDefiningOp<ir::BroadcastOp>();
    if (!found || !repeated || match::constantOf(op.getOnFalse()) != 0.0 ||
        !isPositive(repeated.getInput(), found->sum.getResult()))
      return rewriter.notifyMatchFailure(op, "no softmax is masked and divided by its sum where that is above 0");
    maskFirst(op, *found, rewriter);
    return success();
  }
};

} // namespace

void addChoicePatterns(RewritePatternSet &patterns) {
  patterns.add<Choice<ir::AddOp>, Choice<ir::SubOp>, MaskedAfterwards, MaskedAfterwardsOrZero>(patterns.getContext());
}

} // namespace ingot::passes
