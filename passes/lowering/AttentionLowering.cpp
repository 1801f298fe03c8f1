// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering of rotary angles, of the append to the cache and of attention, over the cache and over given keys (see
// EntryLoweringImpl.h).
#include "compiler/target/cpu/kernels/scratch.h"
#include "passes/lowering/EntryLoweringImpl.h"

#include <algorithm>
#include <limits>

using namespace mlir;

namespace ingot::passes {

LogicalResult EntryLowering::lowerOp(ir::RopeAnglesOp op) {
  auto symbol = symbolOf(op, op.getContextLengths(), 0);
  if (failed(symbol))
    return failure();
  int64_t half = cast<RankedTensorType>(op.getInvFreq().getType()).getDimSize(0);
  bool longrope = op.getKind() == ir::RopeKind::Longrope;
  KernelParams params(builder, "rope_angles");
  params.set("half", half)
      .set("kind", static_cast<int64_t>(op.getKind()))
      .set("original", op.getOriginal(), 0)
      .setFloat("base", op.getBase().convertToDouble(), 10000.0)
      .setFloat("factor", op.getFactor().convertToDouble(), 1.0)
      .setFloat("attention_factor", op.getAttentionFactor().convertToDouble(), 1.0)
      .setFloat("long_attention_factor", op.getLongAttentionFactor().convertToDouble(), 1.0)
      .set("sequences_symbol", *symbol);
  std::string node = nodeName(op.getLoc());
  auto frequencies = [&](ElementsAttr values, StringRef name) {
    std::string hint = (node.empty() ? "" : node + ".") + name.str();
    return weight(tables.weights.addConstant(cast<DenseElementsAttr>(values), hint, op.getLoc()), op);
  };
  Operands operands;
  operands.add(bufferOf(op, op.getPositions()));
  operands.add(bufferOf(op, op.getSequenceStarts()));
  operands.add(bufferOf(op, op.getContextLengths()));
  operands.add(frequencies(op.getInvFreq(), "inv_freq"));
  if (longrope)
    operands.add(frequencies(*op.getLongInvFreq(), "long_inv_freq"));
  operands.add(bufferOf(op, op.getResult()));
  if (operands.failed)
    return failure();
  plan::SizeAttr rows = rowsOf(op.getResult());
  launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, rows.times(4), rows.times(3 * half),
         op.getLoc());
  return success();
}

FailureOr<ir::CacheGroupOp> EntryLowering::groupOf(Operation *op, ir::CacheType type) {
  ir::CacheGroupOp group = ir::cacheGroupOf(op, type);
  if (!group || !group.hasLayout())
    return op->emitOpError() << "reads cache group @" << type.getGroup().getValue()
                             << ", which has no layout; run ingot-choose-cache-layout first";
  return group;
}

Value EntryLowering::plane(ir::CacheGroupOp group, StringRef name, int64_t layer) {
  Value &buffer = planes[{group.getSymNameAttr(), builder.getStringAttr(name), layer}];
  if (!buffer)
    buffer = plan::CachePlaneOp::create(builder, group.getLoc(), bufferType(),
                                        FlatSymbolRefAttr::get(group.getSymNameAttr()), builder.getStringAttr(name),
                                        builder.getI64IntegerAttr(layer));
  return buffer;
}

// The number of the cache's element type, as the kernels count them.
static int64_t cacheNumber(ir::CacheGroupOp group) {
  Type element = *group.getElementType();
  return element.isInteger(8) ? INGOT_I8 : elementNumber(element);
}

KernelParams &EntryLowering::setCache(KernelParams &params, int64_t heads, int64_t kvHeads, int64_t headDim,
                                      ir::CacheGroupOp group, int64_t rotaryDim, bool norm, double eps) {
  return params.set("kv_heads", kvHeads)
      .set("q_per_kv", heads / kvHeads)
      .set("head_dim", headDim)
      .set("rotary_dim", rotaryDim, headDim)
      .set("page_tokens", *group.getPageTokens())
      .set("cache_type", cacheNumber(group))
      .set("qk_norm", norm)
      .setFloat("eps", eps, 0.0)
      .set("group", ir::cacheGroupIndex(group), 0);
}

void EntryLowering::setCache(KernelParams &params, ir::RopeAppendOp append, ir::CacheGroupOp group) {
  setCache(params, append.getHeads(), append.getKvHeads(), append.getHeadDim(), group,
           append.getAngles() ? lastDim(append.getAngles()) : 0, append.getQNorm() != nullptr,
           append.getEps() ? append.getEps()->convertToDouble() : 0.0);
}

// qkv, cos_sin, slots: what rope_append and attention both read first.
void EntryLowering::addRows(Operands &operands, ir::RopeAppendOp append) {
  operands.add(bufferOf(append, append.getQkv()));
  // Without angles nothing is rotated and nothing is read there: any buffer will do.
  operands.add(bufferOf(append, append.getAngles() ? Value(append.getAngles()) : Value(append.getSlots())));
  operands.add(bufferOf(append, append.getSlots()));
}

void EntryLowering::addPlanes(Operands &operands, ir::CacheGroupOp group, int64_t layer) {
  for (StringRef name : {"key", "value"})
    operands.add(plane(group, name, layer));
  if (cacheNumber(group) == INGOT_I8)
    for (StringRef name : {"key_scale", "value_scale"})
      operands.add(plane(group, name, layer));
}

// An append that no attention of the step follows: of all tokens.
LogicalResult EntryLowering::lowerAppend(ir::RopeAppendOp op) {
  auto group = groupOf(op, cast<ir::CacheType>(op.getCache().getType()));
  auto symbol = symbolOf(op, op.getQkv(), 0);
  if (failed(group) || failed(symbol))
    return failure();
  KernelParams params(builder, "rope_append");
  setCache(params, op, *group);
  params.set("tokens_symbol", *symbol).set("sequences_symbol", *symbol).set("all_tokens", true, 0);
  Operands operands;
  addRows(operands, op);
  operands.add(bufferOf(op, op.getSlots())); // in place of sequence_starts, which are not read
  addPlanes(operands, *group, op.getLayer());
  if (operands.failed)
    return failure();
  plan::SizeAttr tokens = rowsOf(op.getQkv());
  launch(op, tables.kernel(params, op.getLoc()), operands.values, tokens.times(op.getKvHeads()),
         tokens.times(8 * op.getKvHeads() * op.getHeadDim()), constant(0), op.getLoc());
  return success();
}

// The append of all tokens but the last of each sequence; attention appends that one.
LogicalResult EntryLowering::lowerOp(ir::RopeAppendOp op) {
  if (op.getHeads() == 0)
    return lowerAppend(op);
  auto attention =
      op.getResult().hasOneUse() ? dyn_cast<ir::AttentionOp>(*op.getResult().user_begin()) : ir::AttentionOp();
  if (!attention || attention.getQuery() != op.getResult() || attention.getCache() != op.getCacheOut() ||
      attention.getLayer() != op.getLayer())
    return op.emitOpError() << "is not read by one attention over layer " << op.getLayer()
                            << " of the cache that it appends to, whose kernel does a part of it";
  if (failed(requireF32(op, op.getQNorm(), "q_norm")) || failed(requireF32(op, op.getKNorm(), "k_norm")))
    return failure();
  auto group = groupOf(op, cast<ir::CacheType>(op.getCache().getType()));
  auto symbol = symbolOf(op, op.getQkv(), 0), sequences = symbolOf(op, attention.getContextLengths(), 0);
  if (failed(group) || failed(symbol) || failed(sequences))
    return failure();
  KernelParams params(builder, "rope_append");
  setCache(params, op, *group);
  params.set("tokens_symbol", *symbol).set("sequences_symbol", *sequences);
  Operands operands;
  addRows(operands, op);
  operands.add(bufferOf(op, attention.getSequenceStarts()));
  if (op.getKNorm())
    operands.add(bufferOf(op, op.getKNorm()));
  addPlanes(operands, *group, op.getLayer());
  if (operands.failed)
    return failure();
  plan::SizeAttr tokens = rowsOf(op.getQkv()).plus(rowsOf(attention.getContextLengths()).times(-1));
  int64_t rotary = op.getAngles() ? lastDim(op.getAngles()) : 0;
  launch(op, tables.kernel(params, op.getLoc()), operands.values, tokens.times(op.getKvHeads()),
         tokens.times(8 * op.getKvHeads() * op.getHeadDim()), tokens.times(3 * rotary * op.getKvHeads()), op.getLoc());
  return success();
}

LogicalResult EntryLowering::lowerOp(ir::AttentionOp op) {
  auto append = op.getQuery().getDefiningOp<ir::RopeAppendOp>();
  const bool queriesOnly = !append && tensorOf(op.getQuery()).getRank() == 2 &&
                           lastDim(op.getQuery()) == int64_t(op.getHeads() * op.getHeadDim());
  if (!append && !queriesOnly)
    return op.emitOpError() << "was not fused with the append of layer " << op.getLayer()
                            << ": its kernel reads the rows of ingot.rope_append; expected an append of this layer, in "
                               "f32, between whose result and the attention no other op reads the cache";
  auto group = groupOf(op, cast<ir::CacheType>(op.getCache().getType()));
  auto tokens = symbolOf(op, op.getQuery(), 0);
  auto sequences = symbolOf(op, op.getContextLengths(), 0);
  auto blocks = symbolOf(op, op.getBlockTable(), 2);
  if (failed(group) || failed(tokens) || failed(sequences) || failed(blocks))
    return failure();
  int64_t page = *group->getPageTokens(), stride = strideOf(op.getResult());
  auto setResult = [&](KernelParams &params) -> KernelParams & {
    return params.set("window", op.getWindow(), 0)
        .set("out_type", elementNumber(elementOf(op.getResult())))
        .set("out_stride", stride, op.getHeads() * op.getHeadDim())
        .set("tokens_symbol", *tokens)
        .set("sequences_symbol", *sequences)
        .set("blocks_symbol", *blocks);
  };
  KernelParams params(builder, "attention");
  if (append)
    setCache(params, append, *group);
  else
    setCache(params, op.getHeads(), op.getKvHeads(), op.getHeadDim(), *group).set("queries_only", true, 0);
  setResult(params)
      .setFloat("scale", op.getScale().convertToDouble())
      .setFloat("soft_cap", op.getSoftCap().convertToDouble(), 0.0)
      .set("distances", op.getDistanceBias() ? lastDim(op.getDistanceBias()) : 0, 0);
  auto blockSymbol =
      builder.getStringAttr(ir::parseDim(ir::dimOf(tensorOf(op.getBlockTable()), 2).name.getValue())->symbol);
  int64_t queries = static_cast<int64_t>(op.getHeads() / op.getKvHeads());
  int64_t partialBytes = kernels::partialBytes({roundUp(static_cast<int64_t>(op.getHeadDim()), 16), queries}, page);
  Value partials = plan::AllocOp::create(builder, op->getLoc(), bufferType(), builder.getI64IntegerAttr(partialBytes),
                                         FlatSymbolRefAttr::get(blockSymbol))
                       .getResult();
  Operands operands;
  if (append) {
    addRows(operands, append);
  } else {
    operands.add(bufferOf(op, op.getQuery()));
    for (unsigned i = 0; i < 2; ++i) // angles and slots, which are not read
      operands.add(bufferOf(op, op.getBlockTable()));
  }
  if (append && append.getQNorm()) {
    operands.add(bufferOf(op, append.getQNorm()));
    operands.add(bufferOf(op, append.getKNorm()));
  }
  addPlanes(operands, *group, op.getLayer());
  operands.add(bufferOf(op, op.getPositions()));
  operands.add(bufferOf(op, op.getSequenceStarts()));
  operands.add(bufferOf(op, op.getContextLengths()));
  operands.add(bufferOf(op, op.getBlockTable()));
  if (op.getDistanceBias())
    operands.add(bufferOf(op, op.getDistanceBias()));
  operands.add(partials);
  operands.add(bufferOf(op, op.getResult()));
  if (operands.failed)
    return failure();
  // How many positions a token sees no symbol says: operations are those of one. Bytes are those of the queries and of
  // the keys and values that it appends; what is read of the cache comes to them from the contexts.
  plan::SizeAttr rows = rowsOf(op.getQuery());
  plan::SizeAttr bytes = rows.times(4 * op.getHeads() * op.getHeadDim())
                             .plus(rowsOf(op.getContextLengths()).times(8 * op.getKvHeads() * op.getHeadDim()));
  launch(op, tables.kernel(params, op.getLoc()), operands.values, constant(kernels::kAttentionTiles), bytes,
         rows.times(4 * op.getHeads() * op.getHeadDim()), op.getLoc());

  KernelParams merge(builder, "attention_merge");
  merge.set("kv_heads", op.getKvHeads())
      .set("q_per_kv", op.getHeads() / op.getKvHeads())
      .set("head_dim", op.getHeadDim())
      .set("page_tokens", page);
  setResult(merge);
  Value result = operands.values.back();
  Operands merged;
  merged.add(partials);
  merged.add(bufferOf(op, op.getPositions()));
  merged.add(bufferOf(op, op.getSequenceStarts()));
  merged.add(result);
  if (merged.failed)
    return failure();
  plan::SizeAttr tiles =
      plan::SizeAttr::get(builder.getContext(), blockSymbol.getValue(),
                          kernels::mergeTiles(page, 1) - kernels::mergeTiles(page, 0), kernels::mergeTiles(page, 0));
  // No symbol says what was left apart; it is little beside the keys and values it came from, and is told as nothing.
  launch(op, tables.kernel(merge, op.getLoc()), merged.values, tiles, constant(0), constant(0), op.getLoc());
  return success();
}

LogicalResult EntryLowering::lowerOp(ir::ScaledDotProductAttentionOp op) {
  RankedTensorType query = tensorOf(op.getQuery()), key = tensorOf(op.getKey()), value = tensorOf(op.getValue());
  // Of sequences without padding the kernel finds rows by their starts, and asks for a bias's rows and columns.
  const bool packed = op.getSequenceStarts() != nullptr, placed = op.getPlaces() != nullptr;
  auto batch = packed ? symbolOf(op, op.getSequenceStarts(), 0) : symbolOf(op, op.getQuery(), 0);
  auto queries = placed ? symbolOf(op, op.getBias(), 2) : symbolOf(op, op.getQuery(), 1);
  auto keys = placed ? symbolOf(op, op.getBias(), 3) : symbolOf(op, op.getKey(), 1);
  if (failed(batch) || failed(queries) || failed(keys))
    return failure();
  const int64_t heads = query.getDimSize(2), kvHeads = key.getDimSize(2), depth = key.getDimSize(3),
                width = value.getDimSize(3);
  KernelParams params(builder, "sdpa");
  params.set("kv_heads", kvHeads)
      .set("q_per_kv", heads / kvHeads, 1)
      .set("head_dim", depth)
      .set("value_dim", width, depth)
      .setFloat("scale", op.getScale().convertToDouble())
      .setFloat("soft_cap", op.getSoftCap().convertToDouble(), 0.0)
      .set("causal", op.getCausal())
      .set("window", std::min<int64_t>(op.getWindow(), std::numeric_limits<int32_t>::max()), 0) // keys are fewer
      .set("bias", op.getBias() != nullptr);
  static const StringRef whole[] = {"bias_batch", "bias_heads", "bias_queries", "bias_keys"};
  for (auto [index, name] : llvm::enumerate(whole))
    params.set(name, op.getBias() && tensorOf(op.getBias()).getDimSize(index) != 1);
  params.set("lengths", op.getLengths() != nullptr)
      .set("batch_symbol", *batch)
      .set("queries_symbol", *queries)
      .set("keys_symbol", *keys)
      .set("starts", packed, 0)
      .set("places", placed, 0);
  // Operands of products are rounded as those of other products are, where the target gains from it.
  if (auto compute = op->getParentOfType<ModuleOp>()->getAttrOfType<StringAttr>("ingot.compute"))
    params.set("product_type", compute.getValue() == "bf16" ? INGOT_BF16 : INGOT_F32, INGOT_F32);
  Operands operands = operandsOf(op);
  operands.add(bufferOf(op, op.getResult()));
  if (operands.failed)
    return failure();
  ir::Dim b = ir::dimOf(query, 0), s = ir::dimOf(query, 1), t = ir::dimOf(key, 1);
  std::optional<plan::SizeAttr> tiles = countOf({b, s, heads});
  if (!tiles)
    return op.emitOpError() << "has more than 2^63 queries in " << query;
  plan::SizeAttr bytes = constant(0);
  for (Value operand : op->getOperands())
    bytes = bytes.plus(bytesOf(operand));
  // All keys count, also those that a mask leaves out: how many that are no symbol says.
  plan::SizeAttr operations =
      countOf({b, s, packed ? ir::Dim(1) : t, 2 * heads * (depth + width)}).value_or(constant(0));
  launch(op, tables.kernel(params, op.getLoc()), operands.values, *tiles, bytes, operations, op.getLoc());
  return success();
}

} // namespace ingot::passes
