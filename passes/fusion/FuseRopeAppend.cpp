// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fuse-rope-append: every attention comes to read qkv rows that one op normalized, rotated and appended. Where
// fuse-projections made such rows they are used as they are; else they are assembled, so that any attention over its
// own append can be lowered. Attention over what was cached before the step reads rows of queries, and an append that no
// attention follows becomes one of rows of keys and values.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Locations.h"
#include "passes/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <numeric>

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_FUSEROPEAPPENDPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

template <typename OpT> OpT onlyReadHere(Value value) { return value.hasOneUse() ? value.getDefiningOp<OpT>() : OpT(); }

// rope(rms_norm(base)), each step there or not.
struct HeadChain {
  Value base;
  ir::RmsNormOp norm;
  ir::RopeOp rope;
};

// What of the chains of query and key the fused op can do: both rotate by the same angles, and both normalize alike.
std::pair<HeadChain, HeadChain> commonChains(Value query, Value key) {
  HeadChain q{query, {}, {}}, k{key, {}, {}};
  auto qRope = onlyReadHere<ir::RopeOp>(query), kRope = onlyReadHere<ir::RopeOp>(key);
  bool rotate = qRope && kRope && qRope.getAngles() == kRope.getAngles();
  bool anyRope = query.getDefiningOp<ir::RopeOp>() || key.getDefiningOp<ir::RopeOp>();
  if (rotate) {
    q = {qRope.getInput(), {}, qRope};
    k = {kRope.getInput(), {}, kRope};
  } else if (anyRope) {
    return {q, k}; // a rotation stays outside, and so must what stands before it
  }
  auto qNorm = onlyReadHere<ir::RmsNormOp>(q.base), kNorm = onlyReadHere<ir::RmsNormOp>(k.base);
  if (qNorm && kNorm && qNorm.getEps() == kNorm.getEps()) {
    q = {qNorm.getInput(), qNorm, q.rope};
    k = {kNorm.getInput(), kNorm, k.rope};
  }
  return {q, k};
}

// The qkv rows of which the three values are the parts that fuse-projections cut, or null.
Value rowsOfParts(ArrayRef<Value> parts, int64_t kvHeads, int64_t group, int64_t headDim) {
  ir::SplitOp split;
  for (auto [index, part] : llvm::enumerate(parts)) {
    auto reshape = onlyReadHere<ir::ReshapeOp>(part);
    Value cut = reshape ? reshape.getInput() : part;
    auto result = dyn_cast<OpResult>(cut);
    auto owner = result && cut.hasOneUse() ? dyn_cast<ir::SplitOp>(result.getOwner()) : ir::SplitOp();
    if (!owner || result.getResultNumber() != index || (split && owner != split))
      return {};
    split = owner;
  }
  if (split.getAxis() != 2 || split.getSizes() != ArrayRef<int64_t>{group, 1, 1})
    return {};
  auto reshape = onlyReadHere<ir::ReshapeOp>(split.getInput());
  if (!reshape || tensorOf(reshape.getInput()).getRank() != 2 ||
      tensorOf(reshape.getResult()).getShape().drop_front() != ArrayRef<int64_t>{kvHeads, group + 2, headDim})
    return {};
  // The fused op changes the queries where they stand, so nothing else may read the rows.
  return reshape.getInput().hasOneUse() ? reshape.getInput() : Value();
}

struct FuseRopeAppend : public OpRewritePattern<ir::AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::AttentionOp attention, PatternRewriter &rewriter) const override {
    if (tensorOf(attention.getQuery()).getRank() != 3)
      return rewriter.notifyMatchFailure(attention, "the query is in rows already");
    auto append = attention.getCache().getDefiningOp<ir::CacheAppendOp>();
    if (!append || append.getLayer() != attention.getLayer())
      return rewriter.notifyMatchFailure(attention, "its layer is not appended to just before it");
    for (Operation *user : append.getResult().getUsers())
      if (user != attention && user->isBeforeInBlock(attention))
        return rewriter.notifyMatchFailure(attention, "the appended cache is read before the query is");
    if (!tensorOf(attention.getQuery()).getElementType().isF32() || !tensorOf(append.getKey()).getElementType().isF32())
      return rewriter.notifyMatchFailure(attention, "queries, keys and values are not f32");

    auto [query, key] = commonChains(attention.getQuery(), append.getKey());
    int64_t headDim = attention.getHeadDim(), kvHeads = attention.getKvHeads();
    int64_t group = attention.getHeads() / kvHeads;
    auto present = [](Operation *op) { return op != nullptr; };
    SmallVector<Operation *> fused = {query.norm, key.norm, query.rope, key.rope, append, attention};
    llvm::erase_if(fused, [&](Operation *op) { return !present(op); });
    Location loc = fuseLocations(ArrayRef(fused).drop_back());

    rewriter.setInsertionPoint(attention);
    Value rows = rowsOfParts({query.base, key.base, append.getValue()}, kvHeads, group, headDim);
    if (!rows)
      rows = assemble({query.base, key.base, append.getValue()}, {group, 1, 1}, kvHeads, headDim, rewriter, loc);
    auto rotated = ir::RopeAppendOp::create(
        rewriter, loc, rows, append.getCache(), append.getSlots(), query.rope ? query.rope.getAngles() : Value(),
        query.norm ? query.norm.getGamma() : Value(), key.norm ? key.norm.getGamma() : Value(),
        rewriter.getI64IntegerAttr(attention.getLayer()), rewriter.getI64IntegerAttr(attention.getHeads()),
        rewriter.getI64IntegerAttr(kvHeads), rewriter.getI64IntegerAttr(headDim),
        query.norm ? query.norm.getEpsAttr() : FloatAttr());

    ir::Dim tokens = ir::dimOf(tensorOf(rows), 0);
    auto type = ir::tensorType({tokens, ir::Dim(attention.getHeads() * headDim)},
                               tensorOf(attention.getResult()).getElementType());
    auto attended = ir::AttentionOp::create(
        rewriter, attention.getLoc(), type, rotated.getResult(), rotated.getCacheOut(), attention.getPositions(),
        attention.getSequenceStarts(), attention.getContextLengths(), attention.getBlockTable(), attention.getDistanceBias(),
        attention.getLayerAttr(), attention.getHeadsAttr(), attention.getKvHeadsAttr(), attention.getHeadDimAttr(),
        attention.getScaleAttr(), attention.getWindowAttr(), attention.getSoftCapAttr(),
        attention.getResultElementAttr());
    Value result =
        ir::ReshapeOp::create(rewriter, attention.getLoc(), attention.getResult().getType(), attended.getResult());
    rewriter.replaceOp(attention, result);
    rewriter.replaceOp(append, rotated.getCacheOut());
    return success();
  }

  // Heads of each part side by side, so many of it for a kv head, kv head by kv head.
  static Value assemble(ArrayRef<Value> parts, ArrayRef<int64_t> counts, int64_t kvHeads, int64_t headDim,
                        PatternRewriter &rewriter, Location loc) {
    SmallVector<Value> grouped;
    ir::Dim tokens = ir::dimOf(tensorOf(parts[0]), 0);
    Type element = rewriter.getF32Type();
    for (auto [part, heads] : llvm::zip(parts, counts))
      grouped.push_back(ir::ReshapeOp::create(
          rewriter, loc, ir::tensorType({tokens, ir::Dim(kvHeads), ir::Dim(heads), ir::Dim(headDim)}, element), part));
    Value joined = ir::ConcatOp::create(rewriter, loc, grouped, rewriter.getI64IntegerAttr(2), DenseI64ArrayAttr());
    auto type = ir::tensorType({tokens, ir::Dim(kvHeads * std::accumulate(counts.begin(), counts.end(), int64_t(0)) * headDim)}, element);
    return ir::ReshapeOp::create(rewriter, loc, type, joined);
  }
};

// No layer of its cache is appended to in this entry.
struct ReadCached : public OpRewritePattern<ir::AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::AttentionOp attention, PatternRewriter &rewriter) const override {
    auto query = tensorOf(attention.getQuery());
    if (query.getRank() != 3 || !attention.getCache().getDefiningOp<ir::CacheOp>() || !query.getElementType().isF32())
      return rewriter.notifyMatchFailure(attention, "its keys are of this step");
    Location loc = attention.getLoc();
    auto rowsOf = [&](Type element) {
      return ir::tensorType({ir::dimOf(query, 0), ir::Dim(int64_t(attention.getHeads() * attention.getHeadDim()))}, element);
    };
    Value rows = ir::ReshapeOp::create(rewriter, loc, rowsOf(query.getElementType()), attention.getQuery());
    auto attended = cast<ir::AttentionOp>(rewriter.clone(*attention));
    attended.getQueryMutable().assign(rows);
    attended.getResult().setType(rowsOf(tensorOf(attention.getResult()).getElementType()));
    rewriter.replaceOpWithNewOp<ir::ReshapeOp>(attention, attention.getResult().getType(), attended.getResult());
    return success();
  }
};

// Keys and values that only later entries read.
struct AppendAlone : public OpRewritePattern<ir::CacheAppendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::CacheAppendOp append, PatternRewriter &rewriter) const override {
    if (llvm::any_of(append.getResult().getUsers(), [](Operation *user) { return isa<ir::AttentionOp>(user); }))
      return rewriter.notifyMatchFailure(append, "attention reads what it gives");
    auto key = tensorOf(append.getKey());
    if (!key.getElementType().isF32())
      return rewriter.notifyMatchFailure(append, "keys and values are not f32");
    const int64_t heads = key.getDimSize(1), size = key.getDimSize(2);
    Value rows = FuseRopeAppend::assemble({append.getKey(), append.getValue()}, {1, 1}, heads, size, rewriter, append.getLoc());
    auto whole = [&](int64_t value) { return rewriter.getI64IntegerAttr(value); };
    auto alone = ir::RopeAppendOp::create(rewriter, append.getLoc(), rows, append.getCache(), append.getSlots(), Value(), Value(), Value(),
                                          append.getLayerAttr(), whole(0), whole(heads), whole(size), FloatAttr());
    rewriter.replaceOp(append, alone.getCacheOut());
    return success();
  }
};

struct FuseRopeAppendPass : public impl::FuseRopeAppendPassBase<FuseRopeAppendPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseRopeAppend, ReadCached, AppendAlone>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace ingot::passes
