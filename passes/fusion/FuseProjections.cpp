// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fuse-projections: one linear of q, k and v, and one gated linear of gate and up. It only joins weights by recipes
// and cuts the result apart again; fuse-rope-append and fuse-epilogues then take the cuts and activations away.
#include "passes/Linears.h"
#include "passes/Locations.h"
#include "passes/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_FUSEPROJECTIONSPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

// A linear whose result only becomes [T, heads, head_dim] and goes on to an attention.
struct Projection {
  ir::LinearOp linear;
  ir::ReshapeOp heads;
};

// Walks from a value that an attention or an append reads back over rotations and norms of heads to its projection.
std::optional<Projection> findProjection(Value value, const char *&reason) {
  while (true) {
    Operation *op = value.getDefiningOp();
    if (!op || !value.hasOneUse()) {
      reason = "a query, key or value has another reader";
      return std::nullopt;
    }
    if (isa<ir::RopeOp, ir::RmsNormOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    auto reshape = dyn_cast<ir::ReshapeOp>(op);
    auto linear = reshape ? reshape.getInput().getDefiningOp<ir::LinearOp>() : ir::LinearOp();
    if (!linear || !linear.getResult().hasOneUse() || tensorOf(linear.getResult()).getRank() != 2) {
      reason = "a query, key or value is not the reshaped result of a linear that it alone reads";
      return std::nullopt;
    }
    if (!isPlain(linear) || !ir::isRecipe(linear.getWeight())) {
      reason = "a projection has an epilogue, or a weight that is not stored";
      return std::nullopt;
    }
    return Projection{linear, reshape};
  }
}

// Whether weights can be joined: those that the model quantized only with their like.
bool canJoin(ir::LinearOp a, ir::LinearOp b) {
  Type left = tensorOf(a.getWeight()).getElementType(), right = tensorOf(b.getWeight()).getElementType();
  return left == right || (!isa<ir::QuantizedType>(left) && !isa<ir::QuantizedType>(right));
}

// Casts recipes to f32 unless all have one element type.
void unifyTypes(SmallVectorImpl<Value> &values, PatternRewriter &rewriter, Location loc) {
  Type first = tensorOf(values.front()).getElementType();
  if (llvm::all_of(values, [&](Value value) { return tensorOf(value).getElementType() == first; }))
    return;
  for (Value &value : values)
    if (!tensorOf(value).getElementType().isF32())
      value = ir::CastOp::create(rewriter, loc, tensorOf(value).clone(rewriter.getF32Type()), value);
}

// The biases of `linears`, zeros where one has none; nothing where none has any.
SmallVector<Value> biasesOf(ArrayRef<ir::LinearOp> linears, PatternRewriter &rewriter, Location loc) {
  if (llvm::none_of(linears, [](ir::LinearOp linear) { return linear.getBias() != nullptr; }))
    return {};
  SmallVector<Value> biases;
  for (ir::LinearOp linear : linears) {
    Value bias = linear.getBias();
    if (!bias) {
      auto type = RankedTensorType::get({linear.columns()}, rewriter.getF32Type());
      bias = ir::ConstantOp::create(rewriter, loc, type, cast<ElementsAttr>(rewriter.getZeroAttr(type)));
    }
    biases.push_back(bias);
  }
  unifyTypes(biases, rewriter, loc);
  return biases;
}

ir::LinearOp firstOf(ArrayRef<ir::LinearOp> linears) {
  return *llvm::min_element(linears, [](ir::LinearOp a, ir::LinearOp b) { return a->isBeforeInBlock(b); });
}

// attention(q(x), append(k(x), v(x))) -> one linear over the rows of wq, wk and wv by kv head
struct FuseQkv : public OpRewritePattern<ir::AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::AttentionOp attention, PatternRewriter &rewriter) const override {
    auto append = attention.getCache().getDefiningOp<ir::CacheAppendOp>();
    if (!append || append.getLayer() != attention.getLayer())
      return rewriter.notifyMatchFailure(attention, "its layer is not appended to just before it");
    if (tensorOf(attention.getQuery()).getRank() != 3)
      return rewriter.notifyMatchFailure(attention, "the query is in rows already");
    const char *reason = nullptr;
    SmallVector<ir::LinearOp> linears;
    SmallVector<ir::ReshapeOp> heads;
    for (Value value : {attention.getQuery(), append.getKey(), append.getValue()}) {
      auto projection = findProjection(value, reason);
      if (!projection)
        return rewriter.notifyMatchFailure(attention, reason);
      linears.push_back(projection->linear);
      heads.push_back(projection->heads);
    }
    for (ir::LinearOp linear : linears) {
      if (linear.getInput() != linears[0].getInput())
        return rewriter.notifyMatchFailure(attention, "the projections read different values");
      if (linear.getInScale() != linears[0].getInScale() || linear.getInZero() != linears[0].getInZero())
        return rewriter.notifyMatchFailure(attention, "the projections read codes of different scales");
      if (linear.getComputeAttr() != linears[0].getComputeAttr() || !canJoin(linear, linears[0]) ||
          linear.getWeightElementAttr() != linears[0].getWeightElementAttr())
        return rewriter.notifyMatchFailure(attention, "the projections differ in precision");
    }
    int64_t headDim = attention.getHeadDim(), kvHeads = attention.getKvHeads();
    int64_t group = static_cast<int64_t>(attention.getHeads()) / kvHeads;
    if (linears[0].columns() != group * kvHeads * headDim || linears[1].columns() != kvHeads * headDim ||
        linears[2].columns() != kvHeads * headDim)
      return rewriter.notifyMatchFailure(attention, "the projections are not heads of head_dim columns");
    const int64_t counts[] = {group * kvHeads, kvHeads, kvHeads};
    for (auto [reshape, count] : llvm::zip(heads, counts))
      if (tensorOf(reshape.getResult()).getRank() != 3 || tensorOf(reshape.getResult()).getDimSize(1) != count)
        return rewriter.notifyMatchFailure(attention, "the projections are not cut into heads");

    Location loc = fuseLocations({linears[0], linears[1], linears[2]});
    ir::LinearOp first = firstOf(linears);
    for (ir::LinearOp linear : linears) {
      hoistRecipe(linear.getWeight(), first);
      if (linear.getBias())
        hoistRecipe(linear.getBias(), first);
    }
    rewriter.setInsertionPoint(first);

    // Rows of the result, kv head by kv head: its query heads, its key, its value.
    SmallVector<int64_t> segments;
    for (int64_t head = 0; head < kvHeads; ++head)
      llvm::append_values(segments, 0, head * group * headDim, group * headDim, //
                          1, head * headDim, headDim,                           //
                          2, head * headDim, headDim);
    auto concat = [&](SmallVector<Value> parts) -> Value {
      return ir::ConcatOp::create(rewriter, loc, parts, rewriter.getI64IntegerAttr(0),
                                  rewriter.getDenseI64ArrayAttr(segments));
    };
    SmallVector<Value> weights = {linears[0].getWeight(), linears[1].getWeight(), linears[2].getWeight()};
    unifyTypes(weights, rewriter, loc);
    LinearParts parts(first);
    parts.weight = concat(weights);
    SmallVector<Value> biases = biasesOf(linears, rewriter, loc);
    parts.bias = biases.empty() ? Value() : concat(biases);
    Value rows = parts.build(rewriter, loc).getResult();

    ir::Dim tokens = ir::dimOf(tensorOf(rows), 0);
    Type element = tensorOf(rows).getElementType();
    Value grouped = ir::ReshapeOp::create(
        rewriter, loc, ir::tensorType({tokens, ir::Dim(kvHeads), ir::Dim(group + 2), ir::Dim(headDim)}, element), rows);
    auto split = ir::SplitOp::create(rewriter, loc, grouped, rewriter.getI64IntegerAttr(2),
                                     rewriter.getDenseI64ArrayAttr({group, 1, 1}));
    for (auto [part, reshape] : llvm::zip(split.getResults(), heads)) {
      Value cut = ir::ReshapeOp::create(rewriter, reshape.getLoc(), reshape.getResult().getType(), part);
      rewriter.replaceOp(reshape, cut);
    }
    for (ir::LinearOp linear : linears)
      rewriter.eraseOp(linear);
    return success();
  }
};

// mul(act(gate(x)), up(x)) -> one gated linear over the interleaved rows of both
struct FuseGateUp : public OpRewritePattern<ir::MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::MulOp mul, PatternRewriter &rewriter) const override {
    if (succeeded(fuse(mul, mul.getLhs(), mul.getRhs(), rewriter)))
      return success();
    return fuse(mul, mul.getRhs(), mul.getLhs(), rewriter);
  }

  LogicalResult fuse(ir::MulOp mul, Value activated, Value other, PatternRewriter &rewriter) const {
    Operation *act = activated.getDefiningOp();
    auto activation = act ? epilogueActivation(act) : std::nullopt;
    if (!activation || !activated.hasOneUse())
      return rewriter.notifyMatchFailure(mul, "no factor is an activation that an epilogue has, and only read here");
    auto gate = act->getOperand(0).getDefiningOp<ir::LinearOp>();
    auto up = other.getDefiningOp<ir::LinearOp>();
    if (!gate || !up || gate == up || !gate.getResult().hasOneUse() || !up.getResult().hasOneUse())
      return rewriter.notifyMatchFailure(mul, "the factors are not of two linears that are only read here");
    if (!isPlain(gate) || !isPlain(up) || !ir::isRecipe(gate.getWeight()) || !ir::isRecipe(up.getWeight()))
      return rewriter.notifyMatchFailure(mul, "a linear has an epilogue, or a weight that is not stored");
    if (gate.getInput() != up.getInput() || gate.columns() != up.columns() || gate.getInScale() != up.getInScale() ||
        gate.getInZero() != up.getInZero() || !canJoin(gate, up) || gate.getComputeAttr() != up.getComputeAttr() ||
        gate.getWeightElementAttr() != up.getWeightElementAttr())
      return rewriter.notifyMatchFailure(mul, "the linears differ in input, columns or compute type");

    Location loc = fuseLocations({gate, act, up, mul});
    rewriter.setInsertionPoint(mul);
    SmallVector<Value> weights = {gate.getWeight(), up.getWeight()};
    unifyTypes(weights, rewriter, loc);
    auto interleave = [&](ArrayRef<Value> parts) -> Value {
      return ir::InterleaveOp::create(rewriter, loc, parts[0], parts[1], rewriter.getI64IntegerAttr(16));
    };
    LinearParts parts(gate);
    parts.weight = interleave(weights);
    SmallVector<Value> biases = biasesOf({gate, up}, rewriter, loc);
    parts.bias = biases.empty() ? Value() : interleave(biases);
    parts.gated = true;
    parts.activation = ir::ActivationAttr::get(rewriter.getContext(), *activation);
    parts.n = rewriter.getI64IntegerAttr(gate.columns());
    rewriter.replaceOp(mul, parts.build(rewriter, loc).getResult());
    rewriter.eraseOp(act);
    rewriter.eraseOp(gate);
    rewriter.eraseOp(up);
    return success();
  }
};

struct FuseProjectionsPass : public impl::FuseProjectionsPassBase<FuseProjectionsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseQkv, FuseGateUp>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace ingot::passes
