// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// recognize-ops: mathematics that an exporter wrote out becomes the op that it is (see Passes.td). One pattern for each op; the spellings
// meet in Match.h's canonical views: products as factors, constants behind broadcasts, operands in any order.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Linears.h"
#include "passes/Passes.h"
#include "passes/fusion/Match.h"
#include "passes/fusion/RecognizePatterns.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_RECOGNIZEOPSPASS
#include "passes/Passes.h.inc"

namespace {

using namespace match;

using ir::tensorOf;
bool near(double a, double b) { return std::fabs(a - b) <= 1e-4 * std::fabs(b); }

// 1 / (1 + e^-x), and y / (1 + e^-x) as y times that.
struct Sigmoid : OpRewritePattern<ir::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::DivOp op, PatternRewriter &rewriter) const override {
    double one, sign;
    Value power;
    if (!plusConstant(op.getRhs(), one, power) || !near(one, 1))
      return failure();
    auto exp = power.getDefiningOp<ir::ExpOp>();
    if (!exp || exp.getType() != op.getType())
      return failure();
    Value x = unscaled(exp.getInput(), sign);
    if (sign != -1 || x.getType() != op.getType())
      x = ir::NegOp::create(rewriter, op.getLoc(), exp.getInput());
    if (isConstant(op.getLhs(), 1)) {
      rewriter.replaceOpWithNewOp<ir::SigmoidOp>(op, x);
      return success();
    }
    Value sigmoid = ir::SigmoidOp::create(rewriter, op.getLoc(), x);
    rewriter.replaceOpWithNewOp<ir::MulOp>(op, op.getLhs(), sigmoid);
    return success();
  }
};

// Products of x with a gate of x, which may be divided by a number: SiLU and both forms of GELU.
template <typename OpT> struct GatedActivation : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    Product product = productOf(op);
    if (product.factors.size() != 2)
      return failure();
    for (int i = 0; i < 2; ++i) {
      Value x = product.factors[i], gate = product.factors[1 - i];
      if (x.getType() != op.getType())
        continue;
      if (auto sigmoid = gate.template getDefiningOp<ir::SigmoidOp>()) {
        if (product.constant != 1)
          continue;
        if (sigmoid.getInput() == x)
          rewriter.replaceOpWithNewOp<ir::SiluOp>(op, x);
        else if (isTanhArgument(sigmoid.getInput(), x, 2)) // (1 + tanh(a)) / 2 is the sigmoid of 2a
          rewriter.replaceOpWithNewOp<ir::GeluTanhOp>(op, x);
        else
          continue;
        return success();
      }
      // (1 + f) / 2, of which both terms may hold their half; 1 - erf(-a), as Keras' erfc is written out, is 1 + erf(a).
      double half, scale, sign = 1, factor;
      Value inner;
      if (auto rest = gate.template getDefiningOp<ir::SubOp>(); rest && constantOf(rest.getLhs())) {
        half = *constantOf(rest.getLhs());
        inner = rest.getRhs();
        sign = -1;
      } else if (!plusConstant(gate, half, inner)) {
        continue;
      }
      inner = unscaled(inner, factor);
      if (factor < 0)
        sign = -sign;
      if (!near(half * product.constant, 0.5) || !near(std::fabs(factor) * product.constant, 0.5))
        continue;
      if (auto erf = inner.template getDefiningOp<ir::ErfOp>()) {
        if (unscaled(erf.getInput(), scale) != x || !near(scale * sign, std::sqrt(0.5)))
          continue;
        rewriter.replaceOpWithNewOp<ir::GeluOp>(op, x);
        return success();
      }
      if (auto tanh = inner.template getDefiningOp<ir::TanhOp>()) {
        if (!isTanhArgument(tanh.getInput(), x, sign))
          continue;
        rewriter.replaceOpWithNewOp<ir::GeluTanhOp>(op, x);
        return success();
      }
    }
    return failure();
  }

  // sqrt(2/pi) (x + 0.044715 x^3), or sqrt(2/pi) x (1 + 0.044715 x^2); both `times` a number.
  static bool isTanhArgument(Value value, Value x, double times) {
    const double root = times * std::sqrt(2 / 3.14159265358979323846), cubic = 0.044715;
    Product product = productOf(value);
    if (product.factors.size() == 1 && near(product.constant, root)) {
      Value rest, same;
      if (!commuted<ir::AddOp>(product.factors[0], [&](Value v) { return v == x; }, same, rest))
        return false;
      Product cube = productOf(rest);
      return isPower(cube, x, 3) && near(cube.constant, cubic);
    }
    // x (a + b x^2), in any split of sqrt(2/pi) between the factors.
    if (product.factors.size() == 2)
      for (int i = 0; i < 2; ++i) {
        double a;
        Value square;
        if (product.factors[i] != x || !plusConstant(product.factors[1 - i], a, square))
          continue;
        Product of = productOf(square);
        if (isPower(of, x, 2) && near(a * product.constant, root) && near(of.constant * product.constant, root * cubic))
          return true;
      }
    return false;
  }

  // Whether the factors are x to this power, however it is grouped.
  static bool isPower(const Product &product, Value x, unsigned power) {
    unsigned count = 0;
    for (Value factor : product.factors) {
      if (factor == x) {
        ++count;
        continue;
      }
      Product inner = productOf(factor);
      if (inner.constant != 1 || inner.factors.size() < 2 || !llvm::all_of(inner.factors, [&](Value v) { return v == x; }))
        return false;
      count += inner.factors.size();
    }
    return count == power;
  }
};

// e^(x - max) / sum of them
struct Softmax : OpRewritePattern<ir::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::DivOp op, PatternRewriter &rewriter) const override {
    auto exp = op.getLhs().getDefiningOp<ir::ExpOp>();
    Value sum = perRow(op.getRhs());
    if (!exp || !sum || reducedAlongLast(sum, ir::ReduceKind::Sum) != exp.getResult())
      return failure();
    Value x = exp.getInput();
    if (auto sub = x.getDefiningOp<ir::SubOp>())
      if (Value of = largestOf(sub.getRhs()); of && of == sub.getLhs())
        x = sub.getLhs();
    const int64_t axis = tensorOf(op).getRank() - 1;
    rewriter.replaceOpWithNewOp<ir::SoftmaxOp>(op, x, rewriter.getI64IntegerAttr(axis));
    return success();
  }

  // What the largest is taken of; exporters of JAX guard it by a maximum with -inf.
  static Value largestOf(Value repeated) {
    Value value = perRow(repeated);
    if (!value)
      return {};
    if (auto guarded = value.getDefiningOp<ir::MaxOp>())
      for (auto [number, rest] :
           {std::pair(guarded.getLhs(), guarded.getRhs()), std::pair(guarded.getRhs(), guarded.getLhs())})
        if (auto constant = constantOf(number); constant && std::isinf(*constant) && *constant < 0)
          value = rest;
    return reducedAlongLast(value, ir::ReduceKind::Max);
  }
};

// The same as a product with 1 / sum.
struct SoftmaxProduct : OpRewritePattern<ir::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::MulOp op, PatternRewriter &rewriter) const override {
    for (auto [power, inverse] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto exp = power.getDefiningOp<ir::ExpOp>();
      Value row = exp ? perRow(inverse) : Value();
      auto div = row ? row.getDefiningOp<ir::DivOp>() : ir::DivOp();
      if (!div || !isConstant(div.getLhs(), 1, 0) || reducedAlongLast(throughReshape(div.getRhs()), ir::ReduceKind::Sum) != exp.getResult())
        continue;
      rewriter.replaceOpWithNewOp<ir::DivOp>(op, power, ir::BroadcastOp::create(rewriter, op.getLoc(), op.getType(), div.getRhs()));
      return success();
    }
    return failure();
  }
};

// (x - mean) / sqrt(variance + eps) * gamma + beta, and the same without the mean.
struct Norm {
  Value x;
  bool centred = false;
  double eps = 0;
};

// Of what this is the mean along the last axis, one number for each row under any shape.
Value meanOf(Value value) {
  if (Value direct = reducedAlongLast(value, ir::ReduceKind::Mean))
    return direct;
  // A sum times 1/n.
  double factor;
  Value x = reducedAlongLast(unscaled(throughReshape(value), factor), ir::ReduceKind::Sum);
  if (!x)
    return {};
  const int64_t size = tensorOf(x).getShape().back();
  return !ShapedType::isDynamic(size) && near(factor * static_cast<double>(size), 1) ? x : Value();
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
  variance = throughReshape(variance);
  norm.centred = isCentred(d, norm.x);
  if (!norm.centred)
    norm.x = d;
  if (Value squares = meanOf(variance)) {
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

// d / sqrt(v), d * rsqrt(v), d * (1 / sqrt(v)); `scale` is what else the product holds.
bool isNorm(Value value, Norm &norm, Value &scale) {
  scale = {};
  if (auto div = value.getDefiningOp<ir::DivOp>()) {
    Value divisor = perRow(div.getRhs());
    auto root = divisor ? divisor.getDefiningOp<ir::SqrtOp>() : ir::SqrtOp();
    return root && isVariance(root.getInput(), div.getLhs(), norm);
  }
  auto inverse = [](Value of) -> Value { // v, of rsqrt(v)
    Value inner = perRow(of);
    if (!inner)
      return {};
    if (auto rsqrt = inner.getDefiningOp<ir::RsqrtOp>())
      return rsqrt.getInput();
    if (auto div = inner.getDefiningOp<ir::DivOp>(); div && isConstant(div.getLhs(), 1))
      if (auto root = throughReshape(div.getRhs()).getDefiningOp<ir::SqrtOp>())
        return root.getInput();
    return {};
  };
  auto mul = value.getDefiningOp<ir::MulOp>();
  if (!mul)
    return false;
  for (auto [d, other] : {std::pair(mul.getLhs(), mul.getRhs()), std::pair(mul.getRhs(), mul.getLhs())}) {
    if (Value variance = inverse(other); variance && isVariance(variance, d, norm))
      return true;
    // The scale is multiplied to the inverse first.
    if (auto scaled = other.getDefiningOp<ir::MulOp>())
      for (auto [a, b] : {std::pair(scaled.getLhs(), scaled.getRhs()), std::pair(scaled.getRhs(), scaled.getLhs())})
        if (Value variance = inverse(a); variance && isVariance(variance, d, norm)) {
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
  Value ones() {
    auto of = RankedTensorType::get({size()}, type.getElementType());
    return ir::ConstantOp::create(rewriter, op->getLoc(), of, DenseElementsAttr::get(of, 1.0f));
  }
  void replace(const Norm &norm, Value gamma, Value beta) {
    Value scale = gamma ? vector(gamma) : ones();
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

// A scale after a norm whose own is 1, and a shift after a layer norm that has none.
struct NormScale : OpRewritePattern<ir::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::MulOp op, PatternRewriter &rewriter) const override {
    for (auto [value, factor] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      Operation *norm = value.getDefiningOp();
      if (!norm || !isa<ir::LayerNormOp, ir::RmsNormOp>(norm) || !value.hasOneUse() || !isConstant(norm->getOperand(1), 1, 0))
        continue;
      auto layer = dyn_cast<ir::LayerNormOp>(norm);
      if (layer && layer.getBeta())
        continue;
      NormWriter writer(rewriter, op);
      Value gamma = parameterOf(factor, writer.size());
      if (!gamma)
        continue;
      Norm of{norm->getOperand(0), layer != nullptr,
              (layer ? layer.getEps() : cast<ir::RmsNormOp>(norm).getEps()).convertToDouble()};
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

// A bias that is added to a product goes into it, through the reshape that gives its rows their shape back.
struct LinearBias : OpRewritePattern<ir::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::AddOp op, PatternRewriter &rewriter) const override {
    for (auto [value, term] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      Value inner = value;
      auto reshape = value.getDefiningOp<ir::ReshapeOp>();
      if (reshape && value.hasOneUse())
        inner = reshape.getInput();
      auto linear = inner.getDefiningOp<ir::LinearOp>();
      if (!linear || !inner.hasOneUse() || linear.getBias() || inner != linear.getResult() || !isPlain(linear))
        continue;
      const int64_t n = tensorOf(inner).getDimSize(1);
      auto type = tensorOf(op);
      if (type.getRank() == 0 || type.getDimSize(type.getRank() - 1) != n)
        continue;
      Value bias = parameterOf(term, n);
      if (!bias || !ir::isRecipe(bias))
        continue;
      if (tensorOf(bias).getRank() != 1)
        bias = ir::ReshapeOp::create(rewriter, op.getLoc(), RankedTensorType::get({n}, type.getElementType()), bias);
      LinearParts parts(linear);
      parts.bias = bias;
      Value made = parts.build(rewriter, linear.getLoc()).getResult();
      if (made.getType() != op.getType())
        made = ir::ReshapeOp::create(rewriter, op.getLoc(), type, made);
      rewriter.replaceOp(op, made);
      return success();
    }
    return failure();
  }
};

// Sums over rows are f32: what is recognized of 16-bit floats is rounded once, at its end.
template <typename OpT> struct WideRows : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    auto type = tensorOf(op.getResult());
    if (!type.getElementType().isF16() && !type.getElementType().isBF16())
      return failure();
    auto wide = [&](Value value) -> Value {
      auto from = tensorOf(value);
      if (from.getElementType().isF32())
        return value;
      return ir::CastOp::create(rewriter, op.getLoc(), ir::tensorType(ir::dimsOf(from), rewriter.getF32Type()), value);
    };
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(wide(operand));
    OperationState state(op.getLoc(), op->getName(), operands, ir::tensorType(ir::dimsOf(type), rewriter.getF32Type()), op->getAttrs());
    rewriter.replaceOpWithNewOp<ir::CastOp>(op, type, rewriter.create(state)->getResult(0));
    return success();
  }
};

struct RecognizeOpsPass : public impl::RecognizeOpsPassBase<RecognizeOpsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Sigmoid, GatedActivation<ir::MulOp>, GatedActivation<ir::DivOp>, Softmax, SoftmaxProduct, NormProduct<ir::DivOp>, NormProduct<ir::MulOp>, NormScale, NormShift, LinearBias,
                 NormInTwoTerms, WideRows<ir::RmsNormOp>, WideRows<ir::LayerNormOp>, WideRows<ir::SoftmaxOp>>(&getContext());
    addWeightPatterns(patterns);
    addChoicePatterns(patterns);
    addMovePatterns(patterns);
    addPositionPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace ingot::passes
