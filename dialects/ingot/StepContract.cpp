// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See StepContract.h.
#include "dialects/ingot/StepContract.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace ingot::ir {

namespace {

// In the order in which the engine's symbol table has them.
constexpr StringLiteral kSymbols[] = {"tokens", "sequences", "logit_rows", "blocks", "penalties", "masks"};

constexpr StringLiteral kSource = "source"; // the cache group of an encoder's results

struct Types {
  explicit Types(OpBuilder &builder) : builder(builder) {}
  Dim dim(StringRef expression) const { return Dim(ShapedType::kDynamic, builder.getStringAttr(expression)); }
  Type of(ArrayRef<Dim> dims, Type element) const { return tensorType(dims, element); }
  OpBuilder &builder;
};

} // namespace

EntryOp openStep(OpBuilder &builder, ModuleOp module, Location loc, const DecoderContract &contract, Value &cache) {
  builder.setInsertionPointToEnd(module.getBody());
  module->setAttr("ingot.family", builder.getStringAttr(contract.family));
  module->setAttr("ingot.vocabulary", builder.getI64IntegerAttr(contract.vocabulary));
  module->setAttr("ingot.context", builder.getI64IntegerAttr(contract.context));
  for (StringRef symbol : kSymbols)
    SymbolOp::create(builder, loc, symbol, /*max=*/nullptr);
  CacheGroupOp::create(builder, loc, "kv", contract.layers, contract.kvHeads, contract.headDim, "full",
                       /*window=*/nullptr, /*page_tokens=*/nullptr, /*element_type=*/nullptr, /*key_layout=*/nullptr,
                       /*value_layout=*/nullptr);
  const int64_t groups = contract.sourceLayers ? 2 : 1;
  if (contract.sourceLayers)
    CacheGroupOp::create(builder, loc, kSource, contract.sourceLayers, contract.sourceHeads, contract.sourceHeadDim, "source",
                         /*window=*/nullptr, /*page_tokens=*/nullptr, /*element_type=*/nullptr, /*key_layout=*/nullptr,
                         /*value_layout=*/nullptr);
  Types types(builder);
  Dim tokens = types.dim("tokens"), sequences = types.dim("sequences"), rows = types.dim("logit_rows");
  Type i32 = builder.getI32Type();
  SmallVector<EntryParameter> arguments = {{"tokens", types.of({tokens}, i32)},
                                           {"positions", types.of({1, tokens}, i32)},
                                           {"sequence_starts", types.of({types.dim("sequences+1")}, i32)},
                                           {"context_lengths", types.of({sequences}, i32)},
                                           {"slots", types.of({groups, tokens}, i32)},
                                           {"block_table", types.of({groups, sequences, types.dim("blocks")}, i32)},
                                           {"logit_rows", types.of({rows}, i32)},
                                           {"previous_ids", types.of({rows}, i32)}};
  if (contract.sourceLayers)
    llvm::append_values(arguments, EntryParameter{"source_positions", types.of({1, tokens}, i32)},
                        EntryParameter{"source_lengths", types.of({sequences}, i32)});
  EntryOp step = openEntry(builder, module, loc, "step", arguments,
                           {{"logits", types.of({rows, contract.vocabulary}, builder.getF32Type())}});
  auto group = FlatSymbolRefAttr::get(builder.getContext(), "kv");
  cache = CacheOp::create(builder, loc, CacheType::get(builder.getContext(), group));
  return step;
}

Value appendAndAttend(OpBuilder &builder, Location loc, EntryOp step, Value &cache, Value q, Value k, Value v,
                      const LayerAttention &layer) {
  auto whole = [&](int64_t value) { return builder.getI64IntegerAttr(value); };
  cache = CacheAppendOp::create(builder, loc, cache.getType(), cache, k, v, step.argumentNamed("slots"), whole(layer.layer));
  return AttentionOp::create(builder, loc, q, cache, step.argumentNamed("positions"), step.argumentNamed("sequence_starts"),
                             step.argumentNamed("context_lengths"), step.argumentNamed("block_table"), layer.distanceBias, whole(layer.layer),
                             whole(layer.heads), whole(layer.kvHeads), whole(layer.headDim),
                             builder.getF64FloatAttr(layer.scale), whole(layer.window),
                             builder.getF64FloatAttr(layer.softCap), /*result_element=*/nullptr);
}

Value attendToSource(OpBuilder &builder, Location loc, EntryOp step, Value q, const LayerAttention &layer) {
  auto whole = [&](int64_t value) { return builder.getI64IntegerAttr(value); };
  Value cache = CacheOp::create(builder, loc, CacheType::get(builder.getContext(), FlatSymbolRefAttr::get(builder.getContext(), kSource)));
  return AttentionOp::create(builder, loc, q, cache, step.argumentNamed("source_positions"), step.argumentNamed("sequence_starts"),
                             step.argumentNamed("source_lengths"), step.argumentNamed("block_table"), layer.distanceBias, whole(layer.layer),
                             whole(layer.heads), whole(layer.kvHeads), whole(layer.headDim), builder.getF64FloatAttr(layer.scale),
                             whole(0), builder.getF64FloatAttr(layer.softCap), /*result_element=*/nullptr);
}

EntryOp openEncode(OpBuilder &builder, ModuleOp module, Location loc, RankedTensorType source, Dim positions) {
  Types types(builder);
  return openEntry(builder, module, loc, "encode",
                   {{"source", source}, {"source_slots", types.of({2, positions}, builder.getI32Type())}}, {});
}

void closeEncode(OpBuilder &builder, Location loc, EntryOp encode, const SourceLayers &layers) {
  Value slots = encode.argumentNamed("source_slots");
  const Dim positions = dimOf(cast<RankedTensorType>(slots.getType()), 1);
  Value cache = CacheOp::create(builder, loc, CacheType::get(builder.getContext(), FlatSymbolRefAttr::get(builder.getContext(), kSource)));
  for (auto [number, layer] : llvm::enumerate(layers)) {
    auto rows = [&](Value of) -> Value {
      auto type = cast<RankedTensorType>(of.getType());
      return ReshapeOp::create(builder, of.getLoc(),
                               tensorType({positions, Dim(type.getDimSize(2)), Dim(type.getDimSize(3))}, type.getElementType()), of);
    };
    cache = CacheAppendOp::create(builder, loc, cache.getType(), cache, rows(layer.first), rows(layer.second), slots,
                                  builder.getI64IntegerAttr(int64_t(number)));
  }
  KeepOp::create(builder, loc, cache);
  ReturnOp::create(builder, loc, ValueRange());
}

void closeStep(OpBuilder &builder, ModuleOp module, Location loc, int64_t vocabulary, Value logits) {
  ReturnOp::create(builder, loc, logits);
  Types types(builder);
  Dim rows = types.dim("logit_rows"), penalties = types.dim("penalties");
  auto perRow = [&](Type element) { return types.of({rows}, element); };
  Type f32 = builder.getF32Type(), i32 = builder.getI32Type(), i64 = builder.getI64Type();
  EntryOp sample = openEntry(builder, module, loc, "sample",
                             {{"logits", types.of({rows, vocabulary}, f32)},
                              {"temperature", perRow(f32)},
                              {"top_k", perRow(i32)},
                              {"top_p", perRow(f32)},
                              {"min_p", perRow(f32)},
                              {"repetition", perRow(f32)},
                              {"presence", perRow(f32)},
                              {"frequency", perRow(f32)},
                              {"seed", perRow(i64)},
                              {"counter", perRow(i64)},
                              {"penalty_starts", types.of({types.dim("logit_rows+1")}, i32)},
                              {"penalty_ids", types.of({penalties}, i32)},
                              {"penalty_counts", types.of({penalties}, i32)},
                              {"mask_rows", perRow(i32)},
                              {"masks", types.of({types.dim("masks"), int64_t(llvm::divideCeil(uint64_t(vocabulary), 32))}, i32)}},
                             {{"ids", perRow(i32)}, {"log_probabilities", perRow(f32)}});
  auto name = NameLoc::get(builder.getStringAttr("sample"));
  // The op takes the entry's arguments, in their order.
  auto drawn = SampleOp::create(builder, name, ValueRange(sample.getBody().getArguments()));
  ReturnOp::create(builder, name, drawn->getResults());
}

} // namespace ingot::ir
