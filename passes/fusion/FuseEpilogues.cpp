// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fuse-epilogues: activations, residuals and norms move into the linears around them. A norm's weight is applied while
// activations are packed and never folded into a stored weight, which would round it.
#include "passes/Linears.h"
#include "passes/Locations.h"
#include "passes/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

// act(linear(x)) -> linear(x) {activation}
struct FuseActivation : public RewritePattern {
  FuseActivation(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    auto activation = epilogueActivation(op);
    if (!activation)
      return rewriter.notifyMatchFailure(op, "no activation that an epilogue has");
    auto linear = op->getOperand(0).getDefiningOp<ir::LinearOp>();
    if (!linear || !linear.getResult().hasOneUse())
      return rewriter.notifyMatchFailure(op, "its input is no linear's result, or has another reader");
    if (linear.getActivationAttr() || linear.getGated() || linear.getResidual() || linear.getEmitStats())
      return rewriter.notifyMatchFailure(op, "the linear's epilogue is past its activation");
    LinearParts parts(linear);
    parts.activation = ir::ActivationAttr::get(getContext(), *activation);
    rewriter.replaceOp(op, parts.build(rewriter, fuseLocations({linear, op})).getResult());
    rewriter.eraseOp(linear);
    return success();
  }
};

// add(linear(x), y) -> linear(x) residual y
struct FuseResidual : public OpRewritePattern<ir::AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::AddOp add, PatternRewriter &rewriter) const override {
    ir::LinearOp chosen;
    Value residual;
    for (auto [value, other] : {std::pair(add.getLhs(), add.getRhs()), std::pair(add.getRhs(), add.getLhs())}) {
      auto linear = value.getDefiningOp<ir::LinearOp>();
      if (!linear || !linear.getResult().hasOneUse() || linear.getResidual() || linear.getGated() ||
          linear.getEmitStats() || !tensorOf(other).getElementType().isF32() ||
          !tensorOf(value).getElementType().isF32())
        continue;
      // Of two candidates the later one: the other's result is there when it runs.
      if (!chosen || chosen->isBeforeInBlock(linear)) {
        chosen = linear;
        residual = other;
      }
    }
    if (!chosen)
      return rewriter.notifyMatchFailure(add, "no term is a linear's f32 result that is only read here and could take "
                                              "a residual");
    LinearParts parts(chosen);
    parts.residual = residual;
    rewriter.replaceOp(add, parts.build(rewriter, fuseLocations({chosen, add})).getResult());
    rewriter.eraseOp(chosen);
    return success();
  }
};

// linear(rms_norm(y)), y = linear(...) or embedding(...) -> linear(y) norm stats(y)
struct FuseNorm : public OpRewritePattern<ir::RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::RmsNormOp norm, PatternRewriter &rewriter) const override {
    Value input = norm.getInput();
    if (tensorOf(input).getRank() != 2 || !tensorOf(input).getElementType().isF32())
      return rewriter.notifyMatchFailure(norm, "its input is not plain f32 rows");
    if (!ir::isRecipe(norm.getGamma()))
      return rewriter.notifyMatchFailure(norm, "its weight is not stored");
    SmallVector<ir::LinearOp> readers;
    for (OpOperand &use : norm.getResult().getUses()) {
      auto linear = dyn_cast<ir::LinearOp>(use.getOwner());
      if (!linear || use.get() != linear.getInput() || linear.getResidual() == norm.getResult() ||
          linear.getNormStats())
        return rewriter.notifyMatchFailure(norm, "something else than linears without a norm reads it");
      readers.push_back(linear);
    }
    if (readers.empty())
      return rewriter.notifyMatchFailure(norm, "nothing reads it");
    Value stats = statsOf(input, rewriter);
    if (!stats)
      return rewriter.notifyMatchFailure(norm, "its input is not made by a linear or an embedding");
    for (ir::LinearOp reader : readers) {
      LinearParts parts(reader);
      hoistRecipe(norm.getGamma(), reader);
      parts.input = norm.getInput(); // statsOf may have replaced it
      parts.normStats = stats;
      parts.gamma = norm.getGamma();
      parts.eps = norm.getEpsAttr();
      rewriter.setInsertionPoint(reader);
      ir::LinearOp fused = parts.build(rewriter, fuseLocations({norm, reader}));
      rewriter.replaceOp(reader, fused->getResults());
    }
    rewriter.eraseOp(norm);
    return success();
  }

  // Partial sums of squares of `rows`, from the op that makes it; null when that op cannot give them.
  static Value statsOf(Value rows, PatternRewriter &rewriter) {
    if (auto linear = rows.getDefiningOp<ir::LinearOp>(); linear && rows == linear.getResult()) {
      if (linear.getEmitStats())
        return linear.getStats();
      if (linear.getGated())
        return {};
      LinearParts parts(linear);
      parts.emitStats = true;
      rewriter.setInsertionPoint(linear);
      ir::LinearOp emitting = parts.build(rewriter, linear.getLoc());
      rewriter.replaceOp(linear, emitting.getResult());
      return emitting.getStats();
    }
    if (auto embedding = rows.getDefiningOp<ir::EmbeddingOp>(); embedding && rows == embedding.getResult()) {
      if (embedding.getEmitStats())
        return embedding.getStats();
      rewriter.setInsertionPoint(embedding);
      auto emitting =
          ir::EmbeddingOp::create(rewriter, embedding.getLoc(), embedding.getTokens(), embedding.getTable(),
                                  embedding.getPreviousIds(), embedding.getScales(), embedding.getZeros(), embedding.getScaleAttr(), rewriter.getUnitAttr(),
                                  embedding.getLayoutAttr(), embedding.getNAttr(), embedding.getKAttr());
      rewriter.replaceOp(embedding, emitting.getResult());
      return emitting.getStats();
    }
    return {};
  }
};

struct FuseEpiloguesPass : public impl::FuseEpiloguesPassBase<FuseEpiloguesPass> {
  void runOnOperation() override {
    // Norms come last: statistics are of what the finished epilogue stores.
    RewritePatternSet epilogues(&getContext());
    epilogues.add<FuseActivation, FuseResidual>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(epilogues))))
      return signalPassFailure();
    RewritePatternSet norms(&getContext());
    norms.add<FuseNorm>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(norms))))
      signalPassFailure();
  }
};

} // namespace
} // namespace ingot::passes
