// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and type inference of rotary embedding, cache and attention. What needs the cache group's declaration is
// checked with the symbols (verifySymbolUses), the rest by the op alone.
#include "dialects/ingot/Verify.h"
#include "mlir/IR/Builders.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace ingot::ir {

// --- rope_angles.

LogicalResult RopeAnglesOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  int64_t half = cast<ShapedType>(op.getInvFreq().getType()).getNumElements();
  types.push_back(tensorType({dimOf(tensorOf(op.getPositions()), 1), Dim(2 * half)}, Float32Type::get(context)));
  return success();
}

bool RopeAnglesOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult RopeAnglesOp::verify() {
  ShapedType freq = getInvFreq().getType();
  if (freq.getRank() != 1 || freq.getNumElements() == 0) // rope-angles-c1
    return emitOpError() << "inv_freq must be a list of at least one frequency, found " << freq;
  bool longrope = getKind() == RopeKind::Longrope;
  if (longrope != getLongInvFreq().has_value()) // rope-angles-c2
    return emitOpError(longrope ? "longrope needs long_inv_freq" : "long_inv_freq is for longrope alone");
  if (longrope && getLongInvFreq()->getType() != freq)
    return emitOpError() << "long_inv_freq is " << getLongInvFreq()->getType() << "; inv_freq is " << freq;
  if (getKind() != RopeKind::Fixed && static_cast<int64_t>(getOriginal()) <= 0) // rope-angles-c3
    return emitOpError() << stringifyRopeKind(getKind()) << " needs a positive original context, found "
                         << static_cast<int64_t>(getOriginal());
  if (failed(checkDim(*this, "positions", getPositions(), 0, Dim(1), "the axes that this op knows"))) // rope-angles-c4
    return failure();
  if (!(getBase().convertToDouble() > 0) || !(getFactor().convertToDouble() > 0)) // rope-angles-c5
    return emitOpError("base and factor must be positive");
  if (getKind() == RopeKind::Dynamic && freq.getNumElements() < 2)
    return emitOpError("dynamic needs at least two frequencies");
  return success();
}

// --- rope.

LogicalResult RopeOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  types.push_back(op.getInput().getType());
  return success();
}

bool RopeOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

static LogicalResult checkRotary(Operation *op, Value angles, int64_t headDim) {
  int64_t rotary = tensorOf(angles).getDimSize(1);
  if (ShapedType::isDynamic(rotary) || ShapedType::isDynamic(headDim) || (rotary % 2 == 0 && rotary <= headDim))
    return success();
  return op->emitOpError() << "angles has " << rotary << " columns; expected an even number of at most " << headDim
                           << ", the size of a head";
}

LogicalResult RopeOp::verify() {
  if (failed(checkRotary(*this, getAngles(), tensorOf(getInput()).getDimSize(2)))) // rope-c1
    return failure();
  return checkDim(*this, "angles", getAngles(), 0, dimOf(tensorOf(getInput()), 0), "as the input has"); // rope-c2
}

// --- cache, keep, cache_append.

LogicalResult CacheOp::verifySymbolUses(SymbolTableCollection &) {
  return checkCacheUse(*this, getType(), std::nullopt, std::nullopt, std::nullopt); // cache-c1
}

LogicalResult KeepOp::verifySymbolUses(SymbolTableCollection &) {
  return checkCacheUse(*this, getCache().getType(), std::nullopt, std::nullopt, std::nullopt); // keep-c1
}

LogicalResult CacheAppendOp::verify() {
  if (getKey().getType() != getValue().getType()) // cache-append-c1
    return emitOpError() << "value is " << getValue().getType() << "; key is " << getKey().getType();
  RankedTensorType key = tensorOf(getKey());
  if (key.isDynamicDim(1) || key.isDynamicDim(2))
    return emitOpError() << "key must have a static number of heads of static size, found " << key;
  return checkDim(*this, "slots", getSlots(), 1, dimOf(key, 0), "as the key has"); // cache-append-c4
}

LogicalResult CacheAppendOp::verifySymbolUses(SymbolTableCollection &) { // cache-append-c2, cache-append-c3
  RankedTensorType key = tensorOf(getKey());
  return checkCacheUse(*this, getCache().getType(), getLayer(), key.getDimSize(1), key.getDimSize(2));
}

// --- rope_append.

LogicalResult RopeAppendOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  types.push_back(op.getQkv().getType());
  types.push_back(op.getCache().getType());
  return success();
}

bool RopeAppendOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

static LogicalResult checkHeads(Operation *op, int64_t heads, int64_t kvHeads, int64_t headDim, int64_t least = 1) {
  if (kvHeads <= 0 || heads < least || headDim <= 0 || heads % kvHeads)
    return op->emitOpError() << "needs heads a positive multiple of kv_heads, found " << heads << " and " << kvHeads
                             << " of " << headDim << " elements";
  return success();
}

LogicalResult RopeAppendOp::verify() {
  int64_t heads = getHeads(), kvHeads = getKvHeads(), headDim = getHeadDim();
  if (failed(checkHeads(*this, heads, kvHeads, headDim, /*least=*/0))) // rope-append-c1
    return failure();
  if (failed(checkDim(*this, "qkv", getQkv(), 1, Dim((heads + 2 * kvHeads) * headDim),
                      "(heads + 2 * kv_heads) * head_dim"))) // rope-append-c2
    return failure();
  unsigned norms = static_cast<bool>(getQNorm()) + static_cast<bool>(getKNorm()) + getEps().has_value();
  if (norms != 0 && norms != 3) // rope-append-c3
    return emitOpError("q_norm, k_norm and eps are given together or not at all");
  if (norms && (failed(checkDim(*this, "q_norm", getQNorm(), 0, Dim(headDim), "head_dim")) ||
                failed(checkDim(*this, "k_norm", getKNorm(), 0, Dim(headDim), "head_dim"))))
    return failure();
  Dim tokens = dimOf(tensorOf(getQkv()), 0);
  if (getAngles() && (failed(checkRotary(*this, getAngles(), headDim)) || // rope-append-c4
                      failed(checkDim(*this, "angles", getAngles(), 0, tokens, "as qkv has"))))
    return failure();
  return checkDim(*this, "slots", getSlots(), 1, tokens, "as qkv has"); // rope-append-c6
}

LogicalResult RopeAppendOp::verifySymbolUses(SymbolTableCollection &) { // rope-append-c5
  return checkCacheUse(*this, getCache().getType(), getLayer(), getKvHeads(), getHeadDim());
}

// --- attention.

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  RankedTensorType query = tensorOf(op.getQuery());
  Type element = op.getResultElement().value_or(query.getElementType());
  SmallVector<Dim> dims = dimsOf(query);
  if (query.getRank() == 2)
    dims[1] = Dim(op.getHeads() * op.getHeadDim());
  types.push_back(tensorType(dims, element));
  return success();
}

bool AttentionOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult AttentionOp::verify() {
  int64_t heads = getHeads(), kvHeads = getKvHeads(), headDim = getHeadDim();
  if (failed(checkHeads(*this, heads, kvHeads, headDim))) // attention-c2
    return failure();
  RankedTensorType query = tensorOf(getQuery());
  if (query.getRank() != 2 && query.getRank() != 3) // attention-c1
    return emitOpError() << "query must be [tokens, heads, head_dim] or rows of qkv, found " << query;
  if (query.getRank() == 2 && query.getDimSize(1) != heads * headDim &&
      failed(checkDim(*this, "query", getQuery(), 1, Dim((heads + 2 * kvHeads) * headDim),
                      "(heads + 2 * kv_heads) * head_dim, or heads * head_dim")))
    return failure();
  if (query.getRank() == 3 && (failed(checkDim(*this, "query", getQuery(), 1, Dim(heads), "heads")) ||
                               failed(checkDim(*this, "query", getQuery(), 2, Dim(headDim), "head_dim"))))
    return failure();
  if (!(getScale().convertToDouble() > 0)) // attention-c5
    return emitOpError() << "scale must be positive, found " << getScale().convertToDouble();
  if (static_cast<int64_t>(getWindow()) < 0)
    return emitOpError() << "window must not be negative, found " << static_cast<int64_t>(getWindow());
  if (!(getSoftCap().convertToDouble() >= 0))
    return emitOpError() << "soft_cap must not be negative, found " << getSoftCap().convertToDouble();
  if (getResultElement() && !isa<FloatType>(*getResultElement()))
    return emitOpError() << "result_element must be a float type, found " << *getResultElement();
  if (getDistanceBias()) { // attention-c7
    Dim distances = dimOf(tensorOf(getDistanceBias()), 1);
    if (failed(checkDim(*this, "distance_bias", getDistanceBias(), 0, Dim(heads), "heads")))
      return failure();
    if (dimOf(tensorOf(getDistanceBias()), 0).isDynamic() || distances.isDynamic() || distances.size < 1)
      return emitOpError() << "distance_bias must be [heads, distances], static, with one distance or more, found "
                           << getDistanceBias().getType();
  }
  return checkDim(*this, "positions", getPositions(), 1, dimOf(query, 0), "as the query has"); // attention-c6
}

LogicalResult AttentionOp::verifySymbolUses(SymbolTableCollection &) { // attention-c3, attention-c4
  return checkCacheUse(*this, getCache().getType(), getLayer(), getKvHeads(), getHeadDim());
}

// --- scaled_dot_product_attention.

LogicalResult ScaledDotProductAttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                                            SmallVectorImpl<Type> &types) {
  RankedTensorType query = tensorOf(op.getQuery());
  SmallVector<Dim> dims = dimsOf(query);
  dims[3] = dimOf(tensorOf(op.getValue()), 3);
  types.push_back(tensorType(dims, query.getElementType()));
  return success();
}

void ScaledDotProductAttentionOp::build(OpBuilder &builder, OperationState &state, Value query, Value key, Value value,
                                        Value bias, Value lengths, FloatAttr scale, UnitAttr causal, IntegerAttr window,
                                        FloatAttr softCap) {
  build(builder, state, query, key, value, bias, lengths, /*sequence_starts=*/Value(), /*places=*/Value(), scale,
        causal, window, softCap);
}

bool ScaledDotProductAttentionOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult ScaledDotProductAttentionOp::verify() {
  Operation *op = *this;
  RankedTensorType query = tensorOf(getQuery()), key = tensorOf(getKey());
  std::pair<StringRef, Value> inputs[] = {{"query", getQuery()}, {"key", getKey()}, {"value", getValue()}};
  for (auto [name, input] : inputs) // scaled-dot-product-attention-c1
    for (unsigned index : {2u, 3u})
      if (Dim dim = dimOf(tensorOf(input), index); dim.isDynamic() || dim.size == 0)
        return emitOpError() << name << " has " << dim.text() << " in dimension " << index
                             << "; expected a number of heads and their size, static and not 0, in " << input.getType();
  int64_t heads = query.getDimSize(2), kvHeads = key.getDimSize(2);
  if (heads % kvHeads) // scaled-dot-product-attention-c2
    return emitOpError() << "query has " << heads << " heads; expected a multiple of the key's " << kvHeads;
  Dim batch = dimOf(query, 0), keys = dimOf(key, 1);
  if (failed(checkDim(op, "key", getKey(), 0, batch, "as the query has")) || // scaled-dot-product-attention-c3
      failed(checkDim(op, "value", getValue(), 0, batch, "as the query has")) ||
      (getLengths() && failed(checkDim(op, "lengths", getLengths(), 0, batch, "as the query has"))))
    return failure();
  if (failed(
          checkDim(op, "key", getKey(), 3, dimOf(query, 3), "as the query has")) || // scaled-dot-product-attention-c4
      failed(checkDim(op, "value", getValue(), 1, keys, "as the key has")) ||
      failed(checkDim(op, "value", getValue(), 2, Dim(kvHeads), "as the key has")))
    return failure();
  if (getSequenceStarts()) { // scaled-dot-product-attention-c7
    if (batch.size != 1)
      return emitOpError() << "has sequence_starts and " << batch.text() << " batches; expected 1";
    if (failed(checkDim(op, "key", getKey(), 1, dimOf(query, 1),
                        "as the query has, whose rows are of the same sequences")))
      return failure();
    if (getLengths() || getWindow() != 0)
      return emitOpError() << "has sequence_starts and " << (getLengths() ? "lengths" : "a window")
                           << "; expected one of them";
  }
  const bool placed = getSequenceStarts() && getBias();
  if (placed != (getPlaces() != nullptr)) // scaled-dot-product-attention-c8
    return emitOpError() << (placed ? "has sequence_starts and a bias, which is read by places; expected places"
                                    : "has places, but not both sequence_starts and a bias");
  if (placed && failed(checkDim(op, "places", getPlaces(), 0, dimOf(query, 1), "as the query has")))
    return failure();
  if (getBias()) { // scaled-dot-product-attention-c5
    Dim scores[] = {batch, Dim(heads), placed ? Dim() : dimOf(query, 1), placed ? Dim() : keys};
    for (auto [index, expected] : llvm::enumerate(scores)) {
      Dim dim = dimOf(tensorOf(getBias()), index);
      if (dim.size != 1 && !dim.agrees(expected))
        return emitOpError() << "bias has " << dim.text() << " in dimension " << index << "; expected 1 or "
                             << expected.text() << ", as the scores have";
    }
  }
  double scale = getScale().convertToDouble(), softCap = getSoftCap().convertToDouble();
  if (!(std::abs(scale) <= std::numeric_limits<float>::max())) // scaled-dot-product-attention-c6
    return emitOpError() << "scale must be finite in f32, found " << scale;
  if (static_cast<int64_t>(getWindow()) < 0)
    return emitOpError() << "window must not be negative, found " << static_cast<int64_t>(getWindow());
  if (softCap != 0 && !(softCap >= std::numeric_limits<float>::min() && softCap <= std::numeric_limits<float>::max()))
    return emitOpError() << "soft_cap must be 0 or positive, and a normal number of f32, found " << softCap;
  return success();
}

} // namespace ingot::ir
