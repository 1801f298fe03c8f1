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

// Products of x with a gate of x, which may be divided by a number: SiLU and the forms of GELU.
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
        double factor;
        if (sigmoid.getInput() == x)
          rewriter.replaceOpWithNewOp<ir::SiluOp>(op, x);
        else if (unscaled(sigmoid.getInput(), factor) == x && near(factor, 1.702))
          rewriter.replaceOpWithNewOp<ir::QuickGeluOp>(op, x);
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

// a x + b x f of an erf or tanh f is the product x (a + b f).
struct GatedSum : OpRewritePattern<ir::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::AddOp op, PatternRewriter &rewriter) const override {
    for (auto [plain, gated] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      Product product = productOf(gated);
      if (product.factors.size() != 2)
        continue;
      for (int i = 0; i < 2; ++i) {
        // What both terms are multiples of may be one itself.
        double scale = 1;
        Value x = product.factors[i] == plain ? plain : unscaled(plain, scale);
        if (x.getType() != op.getType())
          continue;
        Value f = product.factors[1 - i];
        if (product.factors[i] != x || f.getType() != op.getType() || !isa_and_nonnull<ir::ErfOp, ir::TanhOp>(f.getDefiningOp()))
          continue;
        auto splat = DenseElementsAttr::get(RankedTensorType::get({}, tensorOf(op).getElementType()), rewriter.getFloatAttr(tensorOf(op).getElementType(), scale));
        Value number = ir::ConstantOp::create(rewriter, op.getLoc(), cast<RankedTensorType>(splat.getType()), splat);
        number = ir::BroadcastOp::create(rewriter, op.getLoc(), op.getType(), number);
        f = ir::ScaleOp::create(rewriter, op.getLoc(), f, rewriter.getF64FloatAttr(product.constant));
        rewriter.replaceOpWithNewOp<ir::MulOp>(op, x, ir::AddOp::create(rewriter, op.getLoc(), number, f));
        return success();
      }
    }
    return failure();
  }
};

// Of what this is the sum along the last axis, where that is powers of e.
ir::ExpOp sumOfPowers(Value value) {
  Value powers = reducedAlongLast(throughReshape(value), ir::ReduceKind::Sum);
  return powers ? powers.getDefiningOp<ir::ExpOp>() : ir::ExpOp();
}

// One number for each row, in any shape, repeated along the last axis of `type`.
Value repeatedInRows(PatternRewriter &rewriter, Location loc, RankedTensorType type, Value rows) {
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  dims.back() = ir::Dim(1);
  rows = ir::ReshapeOp::create(rewriter, loc, ir::tensorType(dims, type.getElementType()), rows);
  return ir::BroadcastOp::create(rewriter, loc, type, rows);
}

// e^(x - c) / sum of them; c is the largest of a row, or any other number that it has one of.
struct Softmax : OpRewritePattern<ir::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::DivOp op, PatternRewriter &rewriter) const override {
    auto exp = op.getLhs().getDefiningOp<ir::ExpOp>();
    Value sum = perRow(op.getRhs());
    if (!exp || !sum || reducedAlongLast(sum, ir::ReduceKind::Sum) != exp.getResult())
      return failure();
    Value x = exp.getInput();
    if (auto sub = x.getDefiningOp<ir::SubOp>(); sub && perRow(sub.getRhs()))
      x = sub.getLhs();
    const int64_t axis = tensorOf(op).getRank() - 1;
    rewriter.replaceOpWithNewOp<ir::SoftmaxOp>(op, x, rewriter.getI64IntegerAttr(axis));
    return success();
  }
};

// The same as a product with 1 / sum.
struct SoftmaxProduct : OpRewritePattern<ir::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::MulOp op, PatternRewriter &rewriter) const override {
    for (auto [power, inverse] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto exp = power.getDefiningOp<ir::ExpOp>();
      Value row = exp ? perRow(inverse) : Value();
      Value sum = row ? inverted(row) : Value();
      if (!sum || sumOfPowers(sum) != exp)
        continue;
      rewriter.replaceOpWithNewOp<ir::DivOp>(op, power, repeatedInRows(rewriter, op.getLoc(), tensorOf(op), sum));
      return success();
    }
    return failure();
  }

  // v, of 1 / v and v^-1
  static Value inverted(Value value) {
    if (auto div = value.getDefiningOp<ir::DivOp>(); div && isConstant(div.getLhs(), 1, 0))
      return div.getRhs();
    auto pow = value.getDefiningOp<ir::PowOp>();
    return pow && isConstant(pow.getRhs(), -1, 0) ? pow.getLhs() : Value();
  }
};

// The same as e^(x - log of the sum); of powers of x - max the largest may be added to the logarithm.
struct SoftmaxOfLogarithms : OpRewritePattern<ir::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ExpOp op, PatternRewriter &rewriter) const override {
    auto sub = op.getInput().getDefiningOp<ir::SubOp>();
    Value row = sub ? perRow(sub.getRhs()) : Value();
    if (!row)
      return failure();
    Value x = sub.getLhs(), largest, logarithm;
    auto isLog = [](Value value) { return throughReshape(value).getDefiningOp<ir::LogOp>() != nullptr; };
    if (!commuted<ir::AddOp>(row, isLog, logarithm, largest))
      logarithm = row;
    auto log = throughReshape(logarithm).getDefiningOp<ir::LogOp>();
    ir::ExpOp powers = log ? sumOfPowers(log.getInput()) : ir::ExpOp();
    if (!powers || powers == op || powers.getType() != op.getType())
      return failure();
    // The powers are those of x, or of x less what is added.
    auto less = powers.getInput().getDefiningOp<ir::SubOp>();
    const bool fits = largest ? less && less.getLhs() == x && perRow(less.getRhs()) && throughReshape(perRow(less.getRhs())) == throughReshape(largest)
                              : powers.getInput() == x;
    if (!fits)
      return failure();
    Value sum = repeatedInRows(rewriter, op.getLoc(), tensorOf(op), log.getInput());
    rewriter.replaceOpWithNewOp<ir::DivOp>(op, powers.getResult(), sum);
    return success();
  }
};

// (e v) / sum of the rows of e, powers of e, is (e / sum) v.
struct SoftmaxAfterProduct : OpRewritePattern<ir::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::DivOp op, PatternRewriter &rewriter) const override {
    auto product = op.getLhs().getDefiningOp<ir::MatmulOp>();
    auto exp = product && product->hasOneUse() ? product.getLhs().getDefiningOp<ir::ExpOp>() : ir::ExpOp();
    Value sum = exp ? perRow(op.getRhs()) : Value();
    if (!sum || sumOfPowers(sum) != exp)
      return failure();
    Value repeated = repeatedInRows(rewriter, op.getLoc(), tensorOf(exp), sum);
    Value probabilities = ir::DivOp::create(rewriter, op.getLoc(), exp, repeated);
    auto made = cast<ir::MatmulOp>(rewriter.clone(*product));
    made->setOperand(0, probabilities);
    rewriter.replaceOp(op, made.getResult());
    return success();
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
    patterns.add<Sigmoid, GatedActivation<ir::MulOp>, GatedActivation<ir::DivOp>, GatedSum, Softmax, SoftmaxProduct, SoftmaxOfLogarithms,
                 SoftmaxAfterProduct, LinearBias, WideRows<ir::RmsNormOp>, WideRows<ir::LayerNormOp>, WideRows<ir::SoftmaxOp>>(&getContext());
    addWeightPatterns(patterns);
    addChoicePatterns(patterns);
    addMovePatterns(patterns);
    addNormPatterns(patterns);
    addPositionPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace ingot::passes
