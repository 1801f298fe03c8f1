// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering of rotary angles, of the append to the cache and of attention (see EntryLoweringImpl.h).
#include "passes/lowering/EntryLoweringImpl.h"

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

LogicalResult EntryLowering::lowerOp(ir::RopeAppendOp op) {
  if (!originOf(op.getQkv()).hasOneUse() || !op.getQkv().hasOneUse())
    return op.emitOpError() << "qkv has another reader; it is changed where it stands, so only this op may read it";
  if (failed(requireF32(op, op.getQNorm(), "q_norm")) || failed(requireF32(op, op.getKNorm(), "k_norm")))
    return failure();
  auto group = groupOf(op, cast<ir::CacheType>(op.getCache().getType()));
  auto symbol = symbolOf(op, op.getQkv(), 0);
  if (failed(group) || failed(symbol))
    return failure();
  int64_t rotary = op.getAngles() ? lastDim(op.getAngles()) : 0;
  KernelParams params(builder, "rope_append");
  params.set("kv_heads", op.getKvHeads())
      .set("q_per_kv", op.getHeads() / op.getKvHeads())
      .set("head_dim", op.getHeadDim())
      .set("rotary_dim", rotary, op.getHeadDim())
      .set("page_tokens", *group->getPageTokens())
      .set("cache_type", elementNumber(*group->getElementType()))
      .set("qk_norm", op.getQNorm() != nullptr)
      .setFloat("eps", op.getEps() ? op.getEps()->convertToDouble() : 0.0, 0.0)
      .set("group", ir::cacheGroupIndex(*group), 0)
      .set("tokens_symbol", *symbol);
  Operands operands;
  operands.add(bufferOf(op, op.getQkv()));
  // Without angles nothing is rotated and nothing is read there: any buffer will do.
  operands.add(bufferOf(op, op.getAngles() ? Value(op.getAngles()) : Value(op.getSlots())));
  operands.add(bufferOf(op, op.getSlots()));
  if (op.getQNorm()) {
    operands.add(bufferOf(op, op.getQNorm()));
    operands.add(bufferOf(op, op.getKNorm()));
  }
  operands.add(plane(*group, "key", op.getLayer()));
  operands.add(plane(*group, "value", op.getLayer()));
  if (operands.failed)
    return failure();
  plan::SizeAttr tokens = rowsOf(op.getQkv());
  launch(op, tables.kernel(params, op.getLoc()), operands.values, tokens.times(op.getKvHeads()), bytesOf(op.getQkv()),
         tokens.times(3 * rotary * (op.getHeads() + op.getKvHeads())), op.getLoc());
  return success();
}

LogicalResult EntryLowering::lowerOp(ir::AttentionOp op) {
  if (tensorOf(op.getQuery()).getRank() != 2)
    return op.emitOpError() << "was not fused with the append of layer " << op.getLayer()
                            << ": its kernel reads the rows of ingot.rope_append; expected an append of this layer, in "
                               "f32, between whose result and the attention no other op reads the cache";
  auto group = groupOf(op, cast<ir::CacheType>(op.getCache().getType()));
  auto tokens = symbolOf(op, op.getQuery(), 0);
  auto sequences = symbolOf(op, op.getContextLengths(), 0);
  auto blocks = symbolOf(op, op.getBlockTable(), 2);
  if (failed(group) || failed(tokens) || failed(sequences) || failed(blocks))
    return failure();
  KernelParams params(builder, "attention");
  params.set("kv_heads", op.getKvHeads())
      .set("q_per_kv", op.getHeads() / op.getKvHeads())
      .set("head_dim", op.getHeadDim())
      .set("page_tokens", *group->getPageTokens())
      .set("cache_type", elementNumber(*group->getElementType()))
      .set("window", op.getWindow(), 0)
      .set("group", ir::cacheGroupIndex(*group), 0)
      .set("out_type", elementNumber(elementOf(op.getResult())))
      .set("out_stride", strideOf(op.getResult()), op.getHeads() * op.getHeadDim())
      .setFloat("scale", op.getScale().convertToDouble())
      .setFloat("soft_cap", op.getSoftCap().convertToDouble(), 0.0)
      .set("tokens_symbol", *tokens)
      .set("sequences_symbol", *sequences)
      .set("blocks_symbol", *blocks);
  Operands operands;
  operands.add(bufferOf(op, op.getQuery()));
  operands.add(plane(*group, "key", op.getLayer()));
  operands.add(plane(*group, "value", op.getLayer()));
  operands.add(bufferOf(op, op.getPositions()));
  operands.add(bufferOf(op, op.getSequenceStarts()));
  operands.add(bufferOf(op, op.getContextLengths()));
  operands.add(bufferOf(op, op.getBlockTable()));
  operands.add(bufferOf(op, op.getResult()));
  if (operands.failed)
    return failure();
  // What a token costs depends on its position, which no symbol says: the profile counts the query alone.
  plan::SizeAttr rows = rowsOf(op.getQuery());
  launch(op, tables.kernel(params, op.getLoc()), operands.values, rows.times(op.getKvHeads()),
         rows.times(4 * op.getHeads() * op.getHeadDim()), constant(0), op.getLoc());
  return success();
}

} // namespace ingot::passes
