// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loaded engine end to end, without the compiler: arguments bound by name, bounds from options, cache budgets, and
// text through the executor equal to what the reference of fake_model.h says.
#include "runtime/serve/forward.h"
#include "runtime/serve/model.h"
#include "test/unit/serve/decoder_engine.h"
#include "test/unit/serve/fake_model.h"

#include <gtest/gtest.h>

using namespace ingot;
using namespace ingot::serve;
using ingot::test::decoderEngine;
using ingot::test::TestEngine;

namespace {

std::string engineFile() {
  static const std::string path = ingot::test::write(decoderEngine().build(), "decoder.ingot");
  return path;
}

std::unique_ptr<Model> load(const LoadOptions &options) {
  auto model = Model::load(engineFile(), options);
  EXPECT_TRUE(model.ok()) << (model ? "" : model.error().message());
  return model ? std::move(*model) : nullptr;
}

std::string refusal(const std::string &path, const LoadOptions &options) {
  auto model = Model::load(path, options);
  if (model)
    return "loaded";
  std::string message = model.error().message();
  size_t at = message.find(path);
  return at == message.npos ? message : message.replace(at, path.size(), "FILE");
}

std::vector<int32_t> idsOf(int seed, int64_t count) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i)
    ids.push_back(int32_t((seed * 31 + i * i + 3 * i) % 97));
  return ids;
}

} // namespace

TEST(Model, TextThroughTheExecutorIsThatOfTheReference) {
  for (int64_t sequences : {1, 3})
    for (uint64_t cacheBytes : {uint64_t(0), uint64_t(25 * 64)}) { // all, or 25 pages: one context
      LoadOptions options;
      options.sequences = sequences;
      options.chunk = 16;
      options.threads = 2;
      options.cache_bytes = cacheBytes;
      std::unique_ptr<Model> model = load(options);
      ASSERT_TRUE(model);
      Scheduler scheduler(model->runner(), {options.chunk});
      std::map<uint64_t, Request> requests;
      std::map<uint64_t, std::vector<int32_t>> drawn;
      for (int i = 0; i < 6; ++i) {
        Request request;
        request.prompt = idsOf(i, 1 + 25 * i);
        request.new_tokens = 60;
        request.sampling.temperature = i % 2 ? 0.7f : 0;
        request.sampling.seed = i;
        request.sampling.repetition_penalty = i == 4 ? 1.3f : 1;
        auto id = scheduler.submit(request, nullptr);
        ASSERT_TRUE(id.ok()) << id.error().message();
        requests[*id] = request;
      }
      while (!scheduler.idle()) {
        auto outputs = scheduler.step();
        ASSERT_TRUE(outputs.ok()) << outputs.error().message();
        for (const Output &output : *outputs)
          drawn[output.request].push_back(*output.id);
      }
      EXPECT_EQ(scheduler.stats().preemptions > 0, sequences == 3 && cacheBytes);
      for (auto &[id, request] : requests)
        EXPECT_EQ(drawn[id], serve::test::reference(model->info(), request.prompt, request.sampling, 60)) << id;
    }
}

TEST(Model, ForwardGivesTheSameBitsHoweverItIsCut) {
  LoadOptions options;
  options.sequences = 2;
  options.step_tokens = 400;
  options.logit_rows = 200;
  std::unique_ptr<Model> model = load(options);
  ASSERT_TRUE(model);
  std::vector<int32_t> ids = idsOf(3, 150), other = idsOf(8, 180);
  for (ForwardOptions how :
       {ForwardOptions{}, ForwardOptions{13, {}}, ForwardOptions{1, other}, ForwardOptions{0, other}}) {
    int64_t seen = 0;
    auto done =
        forward(model->runner(), ids, how, [&](int64_t first, int64_t rows, const float *logits) -> Result<void> {
          EXPECT_EQ(first, seen);
          seen += rows;
          for (int64_t i = 0; i < rows; ++i) {
            uint64_t digest = serve::test::digest(model->info().groups, {ids.begin(), ids.begin() + first + i + 1});
            for (int64_t v = 0; v < 97; ++v)
              EXPECT_EQ(logits[i * 97 + v], v < 64 && (digest >> v & 1) ? 1.0f : 0.0f);
          }
          return {};
        });
    ASSERT_TRUE(done.ok()) << done.error().message();
    EXPECT_EQ(seen, 150);
  }
}

// Dimensions of other entries, and those that follow from a decoder's own, are no matter of text.
TEST(Model, LeavesOtherSymbolsAlone) {
  using enum format::SymbolStepKind;
  TestEngine engine = decoderEngine();
  for (const char *name : {"frames", "cells"}) {
    engine.plan.symbols.push_back(std::make_unique<format::SymbolT>());
    engine.plan.symbols.back()->name = name;
    engine.head.arena_symbols.push_back(name);
    engine.head.arena_bytes.push_back(64);
    engine.plan.arena_bytes.push_back(64);
  }
  engine.plan.symbols.back()->steps = {{symbol, 0}, {symbol, 0}, {multiply, 0}};
  auto model = Model::load(ingot::test::write(engine.build(), "more.ingot"), {});
  ASSERT_TRUE(model.ok()) << model.error().message();
  std::vector<int32_t> ids = idsOf(3, 20);
  auto done = forward((*model)->runner(), ids, {}, [&](int64_t, int64_t, const float *) -> Result<void> { return {}; });
  EXPECT_TRUE(done.ok()) << done.error().message();
}

TEST(Model, BoundsFollowFromTheOptions) {
  LoadOptions options;
  options.sequences = 4;
  options.chunk = 1000;
  options.context = 50;
  std::unique_ptr<Model> model = load(options);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->info().context, 50);
  EXPECT_EQ(model->info().tokens, 50);
  EXPECT_EQ(model->info().groups[0].pages, 28u);               // 7 for each
  EXPECT_EQ(model->runner().executor().memory().cache, 4096u); // whole pages of the system
  EXPECT_EQ(model->endIds(), std::vector<int32_t>{7});
  EXPECT_EQ(model->defaultSampling().temperature, 0);
  EXPECT_NE(model->describe().find("28 pages of 8 positions"), std::string::npos) << model->describe();
}

TEST(Model, ABudgetBoundsTheContextUnlessOneWasAskedFor) {
  LoadOptions options;
  options.cache_bytes = 10 * 64;
  std::unique_ptr<Model> model = load(options);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->info().context, 80);
  options.context = 81;
  EXPECT_EQ(
      refusal(engineFile(), options),
      "a context of 81 positions needs 704 B of KV cache, but it may take 640 B, which holds 80; give it more memory "
      "or ask for a smaller context");
  options.context = 0;
  options.cache_bytes = 63;
  EXPECT_EQ(refusal(engineFile(), options), "the KV cache may take 63 B, but one page takes 64 B; give it more memory");
}

TEST(Model, RefusesOptionsOutOfRange) {
  LoadOptions options;
  options.context = 16777217;
  EXPECT_EQ(
      refusal(engineFile(), options),
      "a context of 16777217 positions was asked for; it must be from 1 to 16777216 (the model was made for 200)");
  options = {};
  options.sequences = 0;
  EXPECT_EQ(refusal(engineFile(), options), "the number of sequences at a time is 0; it must be 1 or more");
  options = {};
  options.chunk = 0;
  EXPECT_EQ(refusal(engineFile(), options), "a chunk is 0 tokens; it must be 1 or more");
}

TEST(Model, RefusesEnginesThatItDoesNotUnderstand) {
  auto refused = [](auto change) {
    TestEngine engine = decoderEngine();
    change(engine);
    return refusal(ingot::test::write(engine.build(), "odd.ingot"), {});
  };
  std::string newer = "; the engine was made by a newer Ingot; use its runtime, or compile the model again";
  EXPECT_EQ(refused([](TestEngine &e) { e.plan.entries[0]->inputs[2]->name = "angles"; }),
            "FILE: entry 'step' has an argument 'angles' that this runtime does not know" + newer);
  EXPECT_EQ(refused([](TestEngine &e) { e.plan.entries[1]->inputs[1]->type = format::ElementType::f16; }),
            "FILE: argument 'temperature' of entry 'sample' is of type f16, expected f32" + newer);
  EXPECT_EQ(refused([](TestEngine &e) { e.plan.entries[0]->inputs[2]->shape[0]->constant = 3; }),
            "FILE: argument 'positions' of entry 'step' leads with dimension 3, expected 1" + newer);
  EXPECT_EQ(refused([](TestEngine &e) { e.plan.symbols[4]->name = e.head.arena_symbols[4] = "drafts"; }),
            "FILE: the plan has a dimension 'drafts' that this runtime does not know" + newer);
  EXPECT_EQ(refused([](TestEngine &e) { e.plan.vocabulary = 0; }),
            "FILE: the engine is no decoder (it has no vocabulary), so it writes no text");
  EXPECT_EQ(refused([](TestEngine &e) { e.plan.cache_groups[0]->retention = format::Retention::state; }),
            "FILE: cache group 'kv' keeps a recurrent state, which this runtime cannot schedule" + newer);
  EXPECT_NE(refused([](TestEngine &e) {
              e.sections[format::Section::Tokenizer] = {1, 2, 3};
            }).find("FILE: section TOKENIZER: "),
            std::string::npos);
}

TEST(Model, TimesLaunchesWhenAsked) {
  std::unique_ptr<Model> model = load({});
  ASSERT_TRUE(model);
  auto once = [&] {
    return forward(model->runner(), idsOf(1, 10), {1, {}},
                   [](int64_t, int64_t, const float *) -> Result<void> { return {}; });
  };
  unsigned runs = 0;
  model->runner().observe([&](const RunRecord &run) {
    ++runs;
    EXPECT_EQ(run.entry, model->runner().stepEntry());
    EXPECT_EQ(run.work.size(), 2u);
    EXPECT_EQ(run.times.size(), 2u * model->runner().executor().threads());
    // The cache has 8 bytes a position, and each step reads all positions up to its token's.
    EXPECT_EQ(run.work[1].bytes - run.work[0].bytes, 8.0 * runs);
  });
  ASSERT_TRUE(once().ok());
  model->runner().observe({});
  ASSERT_TRUE(once().ok());
  EXPECT_EQ(runs, 10u);
}
