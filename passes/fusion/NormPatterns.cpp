// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns of recognize-ops: layer norm and RMS norm along the last axis, with their scales and shifts.
#include "dialects/ingot/IngotDialect.h"
#include "passes/fusion/Match.h"
#include "passes/fusion/RecognizePatterns.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

namespace {

using namespace match;

using ir::tensorOf;

// (x - mean) / (divisor * sqrt(variance + eps)) * gamma + beta, and the same without the mean. The divisor is 1 of a norm, sqrt(n) where a
// vector is given length 1, sqrt(n / (n - 1)) where the variance is that of a sample.
struct Norm {
  Value x;
  bool centred = false;
  double eps = 0, divisor = 1;
};

// Of what this is a multiple of the mean along the last axis, one number for each row under any shape; a sum is n times a mean.
Value averagedOf(Value value, double &multiple) {
  Value inner = unscaled(throughReshape(value), multiple);
  if (Value direct = reducedAlongLast(inner, ir::ReduceKind::Mean))
    return direct;
  Value x = reducedAlongLast(inner, ir::ReduceKind::Sum);
  if (!x || ShapedType::isDynamic(tensorOf(x).getShape().back()))
    return {};
  multiple *= static_cast<double>(tensorOf(x).getShape().back());
  if (std::fabs(multiple - 1) < 1e-6) // 1/n was rounded to f32
    multiple = 1;
  return x;
}

Value meanOf(Value value) {
  double multiple;
  Value x = averagedOf(value, multiple);
  return x && near(multiple, 1) ? x : Value();
}

bool isSquareOf(Value value, Value x) {
  auto mul = value.getDefiningOp<ir::MulOp>();
  return mul && mul.getLhs() == x && mul.getRhs() == x;
}

// d = x - mean(x).
bool isCentred(Value d, Value &x) {
  auto sub = d.getDefiningOp<ir::SubOp>();
  Value mean = sub ? perRow(sub.getRhs()) : Value();
  if (!mean || meanOf(mean) != sub.getLhs())
    return false;
  x = sub.getLhs();
  return true;
}

// variance + eps, of the centred `d` (or of x itself, where nothing is centred); one number for each row.
bool isVariance(Value value, Value d, Norm &norm) {
  Value variance;
  if (!plusConstant(value, norm.eps, variance)) {
    norm.eps = 0;
    variance = value;
  }
  norm.divisor = 1;
  variance = throughReshape(variance);
  norm.centred = isCentred(d, norm.x);
  if (!norm.centred)
    norm.x = d;
  double multiple;
  if (Value squares = averagedOf(variance, multiple); squares && multiple > 0) {
    norm.divisor = std::sqrt(multiple);
    norm.eps /= multiple;
    if (isSquareOf(squares, d))
      return true;
    // Squares of a difference that is written again.
    Value again;
    auto mul = squares.getDefiningOp<ir::MulOp>();
    return norm.centred && mul && mul.getLhs() == mul.getRhs() && isCentred(mul.getLhs(), again) && again == norm.x;
  }
  // mean(x^2) - mean(x)^2, kept from being negative.
  if (!norm.centred)
    return false;
  if (auto kept = variance.getDefiningOp<ir::MaxOp>())
    for (auto [number, rest] : {std::pair(kept.getLhs(), kept.getRhs()), std::pair(kept.getRhs(), kept.getLhs())})
      if (auto constant = constantOf(number); constant && *constant == 0)
        variance = throughReshape(rest);
  auto sub = variance.getDefiningOp<ir::SubOp>();
  Value of = sub ? meanOf(sub.getLhs()) : Value();
  if (!of || !isSquareOf(of, norm.x))
    return false;
  auto square = throughReshape(sub.getRhs()).getDefiningOp<ir::MulOp>();
  return square && square.getLhs() == square.getRhs() && meanOf(square.getLhs()) == norm.x;
}

// factor * sqrt(of), which is kept from being less than `least`: by the epsilon of torch.nn.functional.normalize, say.
struct Root {
  Value of;
  double factor = 1, least = 0;

  explicit Root(Value value) {
    value = throughReshape(value);
    if (auto kept = value.getDefiningOp<ir::MaxOp>())
      for (auto [number, rest] : {std::pair(kept.getLhs(), kept.getRhs()), std::pair(kept.getRhs(), kept.getLhs())})
        if (auto constant = constantOf(number); constant && *constant >= 0 && *constant <= kMostKept) {
          least = *constant;
          value = throughReshape(rest);
        }
    if (auto root = throughReshape(unscaled(value, factor)).getDefiningOp<ir::SqrtOp>(); root && factor > 0)
      of = root.getInput();
  }

  // Whether the centred `d` (or x) divided by it is a norm. As the square of `least` is added to the squares, what differs are rows about as
  // small as it: those of zeros stay zeros.
  bool makesNorm(Value d, Norm &norm) const {
    if (!of || !isVariance(of, d, norm))
      return false;
    norm.divisor *= factor;
    norm.eps += least * least / (norm.divisor * norm.divisor);
    return true;
  }

  static constexpr double kMostKept = 1e-6;
};

// d / sqrt(v), d * rsqrt(v), d * (1 / sqrt(v)); `scale` is what else the product holds.
bool isNorm(Value value, Norm &norm, Value &scale) {
  scale = {};
  if (auto div = value.getDefiningOp<ir::DivOp>()) {
    Value divisor = perRow(div.getRhs());
    return divisor && Root(divisor).makesNorm(div.getLhs(), norm);
  }
  auto inverts = [&](Value of, Value d) { // of = 1 / sqrt(v)
    Value inner = perRow(of);
    if (!inner)
      return false;
    if (auto rsqrt = inner.getDefiningOp<ir::RsqrtOp>())
      return isVariance(rsqrt.getInput(), d, norm);
    auto div = inner.getDefiningOp<ir::DivOp>();
    return div && isConstant(div.getLhs(), 1) && Root(div.getRhs()).makesNorm(d, norm);
  };
  auto mul = value.getDefiningOp<ir::MulOp>();
  if (!mul)
    return false;
  for (auto [d, other] : {std::pair(mul.getLhs(), mul.getRhs()), std::pair(mul.getRhs(), mul.getLhs())}) {
    if (inverts(other, d))
      return true;
    // The scale is multiplied to the inverse first.
    if (auto scaled = other.getDefiningOp<ir::MulOp>())
      for (auto [a, b] : {std::pair(scaled.getLhs(), scaled.getRhs()), std::pair(scaled.getRhs(), scaled.getLhs())})
        if (inverts(a, d)) {
          scale = b;
          return true;
        }
  }
  return false;
}

class NormWriter {
public:
  NormWriter(PatternRewriter &rewriter, Operation *op) : rewriter(rewriter), op(op), type(tensorOf(op->getResult(0))) {}

  int64_t size() const { return type.getDimSize(type.getRank() - 1); }
  bool fits(const Norm &norm) const {
    return norm.x.getType() == type && type.getElementType().isF32() && !type.isDynamicDim(type.getRank() - 1) && norm.eps >= 0;
  }
  Value vector(Value parameter) {
    auto of = tensorOf(parameter);
    if (of.getRank() == 1)
      return parameter;
    return ir::ReshapeOp::create(rewriter, op->getLoc(), RankedTensorType::get({size()}, of.getElementType()), parameter);
  }
  Value repeated(double number) {
    auto of = RankedTensorType::get({size()}, type.getElementType());
    return ir::ConstantOp::create(rewriter, op->getLoc(), of, DenseElementsAttr::get(of, static_cast<float>(number)));
  }
  void replace(const Norm &norm, Value gamma, Value beta) {
    Value scale = gamma ? vector(gamma) : repeated(1 / norm.divisor);
    if (gamma && norm.divisor != 1)
      scale = rewriter.createOrFold<ir::MulOp>(op->getLoc(), scale, repeated(1 / norm.divisor));
    auto eps = rewriter.getF64FloatAttr(norm.eps);
    Value result = norm.centred ? Value(ir::LayerNormOp::create(rewriter, op->getLoc(), norm.x, scale, beta ? vector(beta) : Value(), eps).getResult())
                                : Value(ir::RmsNormOp::create(rewriter, op->getLoc(), norm.x, scale, eps));
    rewriter.replaceOp(op, result);
  }

private:
  PatternRewriter &rewriter;
  Operation *op;
  RankedTensorType type;
};

// The norm by itself or with its scale, which may come before or after.
template <typename OpT> struct NormProduct : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    Norm norm;
    Value scale;
    NormWriter writer(rewriter, op);
    if (!isNorm(op, norm, scale) || !writer.fits(norm))
      return failure();
    Value gamma;
    if (scale && !(gamma = parameterOf(scale, writer.size())))
      return failure();
    writer.replace(norm, gamma, {});
    return success();
  }
};

// A scale after a norm whose own is one number, and a shift after a layer norm that has none.
struct NormScale : OpRewritePattern<ir::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::MulOp op, PatternRewriter &rewriter) const override {
    for (auto [value, factor] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      Operation *norm = value.getDefiningOp();
      if (!norm || !isa<ir::LayerNormOp, ir::RmsNormOp>(norm) || !value.hasOneUse())
        continue;
      auto own = constantOf(norm->getOperand(1));
      if (!own || *own == 0)
        continue;
      auto layer = dyn_cast<ir::LayerNormOp>(norm);
      if (layer && layer.getBeta())
        continue;
      NormWriter writer(rewriter, op);
      auto number = constantOf(factor);
      Value gamma = number ? writer.repeated(*number) : parameterOf(factor, writer.size());
      if (!gamma)
        continue;
      Norm of{norm->getOperand(0), layer != nullptr,
              (layer ? layer.getEps() : cast<ir::RmsNormOp>(norm).getEps()).convertToDouble(), 1 / *own};
      writer.replace(of, gamma, {});
      return success();
    }
    return failure();
  }
};

struct NormShift : OpRewritePattern<ir::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::AddOp op, PatternRewriter &rewriter) const override {
    for (auto [value, term] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto norm = value.getDefiningOp<ir::LayerNormOp>();
      if (!norm || norm.getBeta() || !value.hasOneUse())
        continue;
      NormWriter writer(rewriter, op);
      Value beta = parameterOf(term, writer.size());
      if (!beta)
        continue;
      writer.replace({norm.getInput(), true, norm.getEps().convertToDouble()}, norm.getGamma(), beta);
      return success();
    }
    return failure();
  }
};

// A norm as TensorFlow spells it, x * s + (beta - mean * s) or, by Keras, x * s + (-mean * s + beta), becomes (x - mean) * s + beta, which the
// patterns above know.
struct NormInTwoTerms : OpRewritePattern<ir::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::AddOp op, PatternRewriter &rewriter) const override {
    for (auto [left, right] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto product = left.getDefiningOp<ir::MulOp>();
      if (!product)
        continue;
      for (Shift shift : shiftsOf(right))
        for (auto [x, scale] : {std::pair(product.getLhs(), product.getRhs()), std::pair(product.getRhs(), product.getLhs())})
          for (auto [mean, again] : {std::pair(shift.taken.getLhs(), shift.taken.getRhs()), std::pair(shift.taken.getRhs(), shift.taken.getLhs())})
            if (scale == again && isMeanOf(mean, x, shift.negated)) {
              const Value row = meanIn(mean, shift.negated);
              Value centred;
              for (Operation *user : x.getUsers())
                if (auto sub = dyn_cast<ir::SubOp>(user); sub && sub.getLhs() == x && sub->isBeforeInBlock(op) && meanIn(sub.getRhs(), false) == row)
                  centred = sub;
              if (!centred)
                centred = ir::SubOp::create(rewriter, op.getLoc(), x, ir::BroadcastOp::create(rewriter, op.getLoc(), x.getType(), row));
              Value scaled = ir::MulOp::create(rewriter, op.getLoc(), centred, scale);
              rewriter.replaceOpWithNewOp<ir::AddOp>(op, scaled, shift.beta);
              return success();
            }
    }
    return failure();
  }

  // beta and the product that is taken from it, or, negated, added to it.
  struct Shift {
    Value beta;
    ir::MulOp taken;
    bool negated;
  };
  static SmallVector<Shift, 2> shiftsOf(Value value) {
    SmallVector<Shift, 2> found;
    if (auto difference = value.getDefiningOp<ir::SubOp>())
      if (auto taken = difference.getRhs().getDefiningOp<ir::MulOp>())
        found.push_back({difference.getLhs(), taken, false});
    if (auto sum = value.getDefiningOp<ir::AddOp>())
      for (auto [beta, other] : {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
        if (auto taken = other.getDefiningOp<ir::MulOp>())
          found.push_back({beta, taken, true});
    return found;
  }

  // The rows' numbers that are repeated, or whose negatives are.
  static Value meanIn(Value value, bool negated) {
    auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
    Value inner = broadcast ? broadcast.getInput() : Value();
    if (!inner || !negated)
      return inner;
    auto neg = inner.getDefiningOp<ir::NegOp>();
    return neg ? neg.getInput() : Value();
  }
  static bool isMeanOf(Value value, Value x, bool negated) {
    Value inner = meanIn(value, negated);
    auto reduce = inner ? inner.getDefiningOp<ir::ReduceOp>() : nullptr;
    return reduce && reduce.getKind() == ir::ReduceKind::Mean && reduce.getInput() == x && int64_t(reduce.getAxis()) + 1 == tensorOf(x).getRank();
  }
};

} // namespace

void addNormPatterns(RewritePatternSet &patterns) {
  patterns.add<NormProduct<ir::DivOp>, NormProduct<ir::MulOp>, NormScale, NormShift, NormInTwoTerms>(patterns.getContext());
}

} // namespace ingot::passes
