// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The builder over MLIR: what an importer calls becomes a module that verifies, with the step contract's arguments, one
// declaration per tensor, one op per rotary frequencies, and the model's own names as locations.
#include "compiler/import/builder.h"
#include "compiler/import/module.h"
#include "dialects/ingot/IngotDialect.h"

#include <gtest/gtest.h>

using namespace mlir;
using ingot::GraphBuilder;
namespace ir = ingot::ir;

namespace {

ingot::TensorSource source(std::string name, std::vector<int64_t> shape, bool dummy = false) {
  ingot::TensorSource tensor{std::move(name), ingot::ElementType::f32, std::move(shape), "m.safetensors", 64, 4};
  for (int64_t size : tensor.shape)
    tensor.bytes *= static_cast<uint64_t>(size);
  if (dummy)
    tensor.file.clear();
  return tensor;
}

ingot::RopeSpec frequencies(float second) {
  ingot::RopeSpec spec;
  spec.inv_freq = {1, second};
  return spec;
}

// Two layers over a cache of 2 kv heads of 4 elements, tied ends.
void build(GraphBuilder &b, int64_t width = 16) {
  b.beginDecoder({.name = "small",
                  .family = "llama",
                  .vocabulary = 100,
                  .context = 64,
                  .layers = 2,
                  .kv_heads = 2,
                  .head_dim = 4});
  ingot::Value x;
  {
    auto scope = b.scope("model.embed_tokens");
    x = b.embedding(b.tokens(), b.weight(source("embed", {100, 16})));
  }
  for (int64_t layer = 0; layer < 2; ++layer) {
    std::string name = "model.layers." + std::to_string(layer);
    auto scope = b.scope(name);
    ingot::Value n = b.rmsNorm(x, b.weight(source(name + ".norm", {16})), 1e-5);
    auto heads = [&](const char *what, int64_t count) {
      auto inner = b.scope(name + what);
      return b.splitHeads(b.linear(n, b.weight(source(name + what, {count * 4, width}))), count);
    };
    ingot::Value q = heads(".q", 4), k = heads(".k", 2), v = heads(".v", 2);
    ingot::Value angles = b.ropeAngles(frequencies(0.5f));
    ingot::Value o = b.attention(b.rope(q, angles), b.rope(k, angles), v,
                                 {.layer = layer, .heads = 4, .kv_heads = 2, .head_dim = 4, .scale = 0.5});
    x = b.elementwise(ingot::Elementwise::add, x, b.mergeHeads(o));
  }
  x = b.activation(ingot::Activation::gelu_tanh, b.scale(b.selectLogitRows(x), 0.5));
  b.endDecoder(b.linear(x, b.weight(source("embed", {100, 16}))));
}

template <typename Op> SmallVector<Op> all(ModuleOp module) {
  SmallVector<Op> ops;
  module.walk([&](Op op) { ops.push_back(op); });
  return ops;
}

SmallVector<std::string> names(ArrayAttr attr) {
  SmallVector<std::string> list;
  for (auto name : attr.getAsRange<StringAttr>())
    list.push_back(name.str());
  return list;
}

TEST(Builder, DecoderVerifiesAndHasTheStepContract) {
  GraphBuilder builder;
  build(builder);
  OwningOpRef<ModuleOp> module = ingot::takeModule(builder);
  ASSERT_TRUE(module);
  EXPECT_EQ(module->getName(), "small");
  EXPECT_EQ(module.get()->getAttrOfType<StringAttr>("ingot.family"), "llama");

  SmallVector<std::string> symbols;
  for (ir::SymbolOp symbol : all<ir::SymbolOp>(*module))
    symbols.push_back(symbol.getSymName().str());
  EXPECT_EQ(symbols, (SmallVector<std::string>{"tokens", "sequences", "logit_rows", "blocks", "penalties", "masks"}));

  SmallVector<ir::EntryOp> entries = all<ir::EntryOp>(*module);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(names(entries[0].getArgNames()),
            (SmallVector<std::string>{"tokens", "positions", "sequence_starts", "context_lengths", "slots",
                                      "block_table", "logit_rows", "previous_ids"}));
  EXPECT_EQ(names(entries[0].getResNames()), (SmallVector<std::string>{"logits"}));
  EXPECT_EQ(names(entries[1].getArgNames()),
            (SmallVector<std::string>{"logits", "temperature", "top_k", "top_p", "min_p", "repetition", "presence",
                                      "frequency", "seed", "counter", "penalty_starts", "penalty_ids", "penalty_counts",
                                      "mask_rows", "masks"}));
  EXPECT_EQ(names(entries[1].getResNames()), (SmallVector<std::string>{"ids", "log_probabilities"}));
  auto logits = cast<RankedTensorType>(entries[0].getFunctionType().getResult(0));
  EXPECT_EQ(ir::dimOf(logits, 0).name, "logit_rows");
  EXPECT_EQ(logits.getDimSize(1), 100);
}

TEST(Builder, EqualThingsAreMadeOnce) {
  GraphBuilder builder;
  build(builder);
  OwningOpRef<ModuleOp> module = ingot::takeModule(builder);
  ASSERT_TRUE(module);
  EXPECT_EQ(all<ir::RopeAnglesOp>(*module).size(), 1u); // both layers have the same frequencies
  unsigned embeds = 0;
  for (ir::TensorOp tensor : all<ir::TensorOp>(*module))
    embeds += tensor.getSymName() == "embed";
  EXPECT_EQ(embeds, 1u); // tied
}

TEST(Builder, OtherFrequenciesAreAnotherOp) {
  GraphBuilder builder;
  builder.beginDecoder(
      {.name = "ropes", .family = "llama", .vocabulary = 8, .context = 8, .layers = 1, .kv_heads = 1, .head_dim = 4});
  ingot::Value a = builder.ropeAngles(frequencies(0.5f)), b = builder.ropeAngles(frequencies(0.25f)),
               c = builder.ropeAngles(frequencies(0.5f));
  EXPECT_NE(a.impl, b.impl);
  EXPECT_EQ(a.impl, c.impl);
}

TEST(Builder, TheCacheIsThreadedThroughTheLayers) {
  GraphBuilder builder;
  build(builder);
  OwningOpRef<ModuleOp> module = ingot::takeModule(builder);
  ASSERT_TRUE(module);
  SmallVector<ir::CacheAppendOp> appends = all<ir::CacheAppendOp>(*module);
  SmallVector<ir::AttentionOp> attentions = all<ir::AttentionOp>(*module);
  ASSERT_EQ(appends.size(), 2u);
  EXPECT_TRUE(appends[0].getCache().getDefiningOp<ir::CacheOp>());
  EXPECT_EQ(appends[1].getCache().getDefiningOp(), appends[0].getOperation());
  EXPECT_EQ(attentions[1].getCache().getDefiningOp(), appends[1].getOperation());
  EXPECT_EQ(appends[1].getLayer(), 1u);
}

TEST(Builder, OpsAreLocatedAtTheModelsNames) {
  GraphBuilder builder;
  build(builder);
  OwningOpRef<ModuleOp> module = ingot::takeModule(builder);
  ASSERT_TRUE(module);
  auto location = [](Operation *op) { return cast<NameLoc>(op->getLoc()).getName().str(); };
  EXPECT_EQ(location(all<ir::EmbeddingOp>(*module)[0]), "model.embed_tokens");
  EXPECT_EQ(location(all<ir::LinearOp>(*module)[0]), "model.layers.0.q");
  EXPECT_EQ(location(all<ir::RmsNormOp>(*module)[1]), "model.layers.1");
}

TEST(Builder, SourcesSayWhereBytesLie) {
  GraphBuilder builder;
  builder.beginDecoder(
      {.name = "m", .family = "llama", .vocabulary = 8, .context = 8, .layers = 1, .kv_heads = 1, .head_dim = 4});
  builder.weight(source("table", {8, 4}));
  builder.weight(source("drawn", {8, 4}, /*dummy=*/true));
  builder.endDecoder(builder.linear(
      builder.selectLogitRows(builder.embedding(builder.tokens(), builder.weight(source("table", {8, 4})))),
      builder.weight(source("drawn", {8, 4}))));
  OwningOpRef<ModuleOp> module = ingot::takeModule(builder);
  ASSERT_TRUE(module);
  SmallVector<ir::TensorOp> tensors = all<ir::TensorOp>(*module);
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].getFile(), "m.safetensors");
  EXPECT_EQ(tensors[0].getOffset(), 64u);
  EXPECT_EQ(tensors[0].getBytes(), 128u);
  EXPECT_TRUE(tensors[1].getDummy());
  EXPECT_FALSE(tensors[1].getFile());
}

TEST(Builder, WhatDoesNotFitIsRefusedAtItsName) {
  GraphBuilder builder;
  std::string message, where;
  ScopedDiagnosticHandler handler(&ingot::contextOf(builder), [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    where = cast<NameLoc>(diagnostic.getLocation()).getName().str();
  });
  build(builder, /*width=*/20); // projections of a wider model
  EXPECT_FALSE(ingot::takeModule(builder));
  EXPECT_EQ(message, "'ingot.linear' op input has 16 in dimension 1; expected 20, the weight's k");
  EXPECT_EQ(where, "model.layers.0.q");
}

TEST(Builder, AttendsOverGivenKeys) {
  GraphBuilder b;
  const auto batch = ingot::Dimension::symbol("b");
  auto sized = [&](const char *name, int64_t heads, int64_t width) {
    return ingot::Shape{batch, ingot::Dimension::symbol(name), heads, width};
  };
  std::vector<ingot::Value> in = b.beginEntry("m", "main",
                                              {{"q", ingot::ElementType::f32, sized("s", 4, 8)},
                                               {"k", ingot::ElementType::f32, sized("t", 2, 8)},
                                               {"v", ingot::ElementType::f32, sized("t", 2, 6)},
                                               {"n", ingot::ElementType::i32, {batch}}});
  ingot::Value plain = b.attentionOver(in[0], in[1], in[2], {}, {}, {.scale = 0.5});
  ingot::Value masked =
      b.attentionOver(in[0], in[1], in[2], {}, in[3], {.scale = 0.25, .causal = true, .window = 7, .soft_cap = 30});
  b.endEntry({{"plain", plain}, {"masked", masked}});
  OwningOpRef<ModuleOp> module = ingot::takeModule(b);
  ASSERT_TRUE(module);
  SmallVector<ir::ScaledDotProductAttentionOp> ops = all<ir::ScaledDotProductAttentionOp>(*module);
  ASSERT_EQ(ops.size(), 2u);
  auto type = cast<RankedTensorType>(ops[0].getResult().getType());
  EXPECT_EQ(ir::dimOf(type, 1).text(), "s");
  EXPECT_EQ(type.getDimSize(2), 4);
  EXPECT_EQ(type.getDimSize(3), 6);
  EXPECT_FALSE(ops[0].getBias() || ops[0].getLengths() || ops[0].getCausal());
  EXPECT_TRUE(ops[1].getLengths() && ops[1].getCausal());
  EXPECT_EQ(ops[1].getWindow(), 7u);
  EXPECT_EQ(ops[1].getSoftCap().convertToDouble(), 30);
}

TEST(Builder, TheModuleIsTakenOnce) {
  GraphBuilder builder;
  build(builder);
  OwningOpRef<ModuleOp> module = ingot::takeModule(builder);
  EXPECT_TRUE(module);
  EXPECT_FALSE(ingot::takeModule(builder));
}

} // namespace
