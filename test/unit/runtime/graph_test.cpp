// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries as functions of named tensors: what the shapes of a caller's tensors say, every refusal, and runs over shapes
// that grow and shrink.
#include "runtime/executor/graph.h"
#include "test/unit/runtime/test_engine.h"

#include <gtest/gtest.h>
#include <numeric>

using namespace ingot;
using namespace ingot::runtime;
using format::ElementType;

namespace {

std::shared_ptr<const EngineFile> openEngine() {
  auto file = EngineFile::open(test::write(test::graphEngine().build(), "graph.ingot"));
  EXPECT_TRUE(file.ok()) << file.error().message();
  return file.ok() ? *file : nullptr;
}

struct Graph : testing::Test {
  std::shared_ptr<const EngineFile> engine = openEngine();
  const format::Plan &plan = engine->plan();
  const format::Entry &main = *plan.entries()->Get(*findEntry(plan, ""));

  static NamedTensor i32(const char *name, std::vector<int64_t> shape) {
    return {name, ElementType::i32, std::move(shape), nullptr};
  }
  std::string refusal(std::vector<NamedTensor> tensors) {
    auto bound = bindInputs(plan, main, tensors);
    EXPECT_FALSE(bound.ok());
    if (bound.ok())
      return {};
    EXPECT_EQ(bound.error().code(), ErrorCode::InvalidArgument);
    const std::string &text = bound.error().message();
    const std::string end =
        ". Entry 'main' takes in: i32 [tokens, 4], mask: i32 [sequences, tokens + 1], flat: i32 [cells]";
    return text.ends_with(end) ? text.substr(0, text.size() - end.size()) : text;
  }
};

TEST_F(Graph, ShapesGiveSymbols) {
  auto bound = bindInputs(plan, main, std::vector{i32("flat", {6}), i32("mask", {2, 4}), i32("in", {3, 4})});
  ASSERT_TRUE(bound.ok()) << bound.error().message();
  EXPECT_EQ(bound->symbols, (std::vector<int64_t>{3, 2, 6, 6, 12}));
  bound = bindInputs(plan, main, std::vector{i32("in", {0, 4}), i32("mask", {0, 1}), i32("flat", {0})});
  ASSERT_TRUE(bound.ok()) << bound.error().message();
  EXPECT_EQ(bound->symbols, (std::vector<int64_t>{0, 0, 0, 0, 0}));
}

TEST_F(Graph, TellsAllThatDoesNotFit) {
  EXPECT_EQ(refusal({}), "input 'in' is missing; input 'mask' is missing; input 'flat' is missing");
  EXPECT_EQ(refusal({i32("in", {3, 4}), i32("in", {3, 4}), i32("ni", {}), i32("flat", {6})}),
            "input 'in' is given twice; there is no input 'ni'; input 'mask' is missing");
  EXPECT_EQ(refusal({{"in", ElementType::f32, {3, 4}}, i32("mask", {2, 4, 1}), i32("flat", {6})}),
            "input 'in' is f32 [3, 4], expected i32 [tokens, 4]; input 'mask' is i32 [2, 4, 1], expected i32 "
            "[sequences, tokens + 1]");
  EXPECT_EQ(refusal({i32("in", {3, 4}), i32("mask", {2, 5}), i32("flat", {6})}),
            "input 'mask' has tokens = 4, but input 'in' has 3");
  EXPECT_EQ(refusal({i32("in", {0, 4}), i32("mask", {2, 0}), i32("flat", {0})}),
            "input 'mask': dimension 1 is 0, expected tokens + 1");
  EXPECT_EQ(refusal({i32("in", {3, 5}), i32("mask", {2, 4}), i32("flat", {7})}),
            "input 'in': dimension 1 is 5, expected 4; input 'flat': dimension 0 is 7, expected cells = 6");
}

TEST_F(Graph, FindsEntries) {
  EXPECT_EQ(*findEntry(plan, "failing"), 1u);
  EXPECT_EQ(*findEntry(plan, ""), 2u); // main
  auto missing = findEntry(plan, "encode");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message(), "the engine has no entry 'encode', it has 'step', 'failing', 'main', 'search'");
}

TEST_F(Graph, TellsSignatures) {
  EXPECT_EQ(signatureText(plan, main, "  "), "  input in: i32 [tokens, 4]\n"
                                             "  input mask: i32 [sequences, tokens + 1]\n"
                                             "  input flat: i32 [cells]\n"
                                             "  output sum: i32 [tokens, 4]\n"
                                             "  output sums: i32 [tokens]\n");
}

TEST_F(Graph, RunsShapesThatGrow) {
  GraphOptions options;
  options.threads = 1;
  options.expected = {{"sequences", 4}};
  auto graph = GraphRunner::create(engine, options);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  Executor *small = nullptr;
  for (int64_t tokens : {3, 0, 2, 9}) {
    std::vector<int32_t> in(size_t(tokens) * 4), mask(size_t(tokens + 1) * 2), flat(size_t(tokens) * 2);
    std::iota(in.begin(), in.end(), 1);
    std::vector<NamedTensor> tensors = {{"in", ElementType::i32, {tokens, 4}, in.data()},
                                        {"mask", ElementType::i32, {2, tokens + 1}, mask.data()},
                                        {"flat", ElementType::i32, {2 * tokens}, flat.data()}};
    auto bound = bindInputs(plan, main, tensors);
    ASSERT_TRUE(bound.ok()) << bound.error().message();
    std::vector<int32_t> sums(static_cast<size_t>(tokens), -1);
    void *outputs[] = {nullptr, sums.data()}; // the sum is not wanted
    auto ran = (*graph)->run(2, bound->symbols, bound->data, outputs);
    ASSERT_TRUE(ran.ok()) << ran.error().message();
    if (tokens == 3)
      small = (*graph)->executor();
    else
      EXPECT_EQ((*graph)->executor() == small, tokens < 3);
    int32_t sum = 0;
    for (size_t t = 0; t < sums.size(); ++t) {
      for (int i = 0; i < 4; ++i)
        sum += in[t * 4 + size_t(i)] + i; // weight 0 is 0, 1, 2, 3
      EXPECT_EQ(sums[t], sum);
    }
  }
}

// (2 * tokens * 2^40 * tokens) floordiv (2^40 * tokens) is 2 * tokens, but bounds alone allow it 2^41 times as much.
TEST_F(Graph, PlacesMemoryForTheSizesOfARun) {
  using enum format::SymbolStepKind;
  const int64_t many = int64_t(1) << 40;
  test::TestEngine bent = test::graphEngine();
  bent.plan.symbols[2]->steps = {{symbol, 0}, {symbol, 0},      {multiply, 0}, {constant, 2 * many}, {multiply, 0},
                                 {symbol, 0}, {constant, many}, {multiply, 0}, {floordiv, 0}};
  bent.plan.arena_bytes[2] = bent.head.arena_bytes[2] = 1 << 20;
  auto file = EngineFile::open(test::write(bent.build(), "quotient.ingot"));
  ASSERT_TRUE(file.ok()) << file.error().message();
  GraphOptions options;
  options.threads = 1;
  options.expected = {{"tokens", 4}};
  auto graph = GraphRunner::create(*file, options);
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  for (int64_t tokens : {4, 5}) {
    std::vector<int32_t> in(size_t(tokens) * 4), mask(size_t(tokens + 1) * 2), flat(size_t(tokens) * 2);
    std::vector<NamedTensor> tensors = {{"in", ElementType::i32, {tokens, 4}, in.data()},
                                        {"mask", ElementType::i32, {2, tokens + 1}, mask.data()},
                                        {"flat", ElementType::i32, {2 * tokens}, flat.data()}};
    auto bound = bindInputs((*file)->plan(), *(*file)->plan().entries()->Get(2), tensors);
    ASSERT_TRUE(bound.ok()) << bound.error().message();
    void *outputs[] = {nullptr, nullptr};
    auto ran = (*graph)->run(2, bound->symbols, bound->data, outputs);
    ASSERT_TRUE(ran.ok()) << ran.error().message();
    EXPECT_LT((*graph)->executor()->memory().arenas, 11u << 20);
  }
}

TEST_F(Graph, LeavesDecodersAlone) {
  auto graph = GraphRunner::create(engine, {1});
  ASSERT_TRUE(graph.ok());
  auto ran = (*graph)->run(0, std::vector<int64_t>{1, 1, 1, 1, 2}, {}, {});
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(ran.error().code(), ErrorCode::Unsupported);
  EXPECT_EQ(ran.error().message(), "entry 'step' works on a KV cache, so it runs over sequences of tokens and not on "
                                   "tensors alone; generate text with it instead");
  GraphOptions options;
  options.expected = {{"cells", 4}};
  auto derived = GraphRunner::create(engine, options);
  ASSERT_FALSE(derived.ok());
  EXPECT_EQ(derived.error().message(),
            "symbol 'cells' has no bound of its own: it is tokens*sequences; bound those symbols");
}

// The kernel that counts sets `found` for those behind it.
TEST_F(Graph, TakesDimensionsFromData) {
  for (unsigned threads : {1u, 3u}) {
    auto graph = GraphRunner::create(engine, {threads});
    ASSERT_TRUE(graph.ok());
    for (std::vector<int32_t> flat :
         {std::vector<int32_t>{0, 3, 0, 0, -1, 9}, {1, 1, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0}}) {
      std::vector<int32_t> in(6), where(6, -1), pairs(12), expected;
      for (size_t i = 0; i < flat.size(); ++i)
        if (flat[i])
          expected.push_back(int32_t(i));
      std::vector<NamedTensor> tensors = {{"in", ElementType::i32, {3, 2}, in.data()},
                                          {"flat", ElementType::i32, {6}, flat.data()}};
      auto bound = bindInputs(plan, *plan.entries()->Get(3), tensors);
      ASSERT_TRUE(bound.ok()) << bound.error().message();
      EXPECT_EQ(bound->symbols, (std::vector<int64_t>{3, 2, 6, 6, 12})); // the largest that they may be
      // No launch writes the pairs: whatever lies there has no meaning.
      void *outputs[] = {where.data(), pairs.data()};
      std::vector<StepTime> times;
      ASSERT_TRUE((*graph)->reserve(bound->symbols).ok());
      (*graph)->executor()->profile(&times);
      auto ran = (*graph)->run(3, bound->symbols, bound->data, outputs);
      ASSERT_TRUE(ran.ok()) << ran.error().message();
      const int64_t found = int64_t(expected.size());
      std::span<const int64_t> settled = (*graph)->executor()->settled();
      EXPECT_EQ(std::vector<int64_t>(settled.begin(), settled.end()),
                (std::vector<int64_t>{3, 2, 6, found, 2 * found}));
      EXPECT_EQ(times.size(), 2 * threads);
      EXPECT_GT(times[0].began, 0);
      EXPECT_EQ(std::vector<int32_t>(where.begin(), where.begin() + found), expected);
      EXPECT_TRUE(std::all_of(where.begin() + found, where.end(), [](int32_t value) { return value == -1; }));
    }
  }
}

TEST_F(Graph, RefusesDimensionsThatPassTheirBound) {
  test::TestEngine bent = test::graphEngine();
  bent.plan.symbols[3]->steps = {{format::SymbolStepKind::constant, 2}};
  auto file = EngineFile::open(test::write(bent.build(), "bent.ingot"));
  ASSERT_TRUE(file.ok()) << file.error().message();
  auto graph = GraphRunner::create(*file, {1});
  std::vector<int32_t> flat = {1, 1, 1}, in(3), where(3), pairs(6);
  std::vector<NamedTensor> tensors = {{"in", ElementType::i32, {3, 1}, in.data()},
                                      {"flat", ElementType::i32, {3}, flat.data()}};
  auto bound = bindInputs((*file)->plan(), *(*file)->plan().entries()->Get(3), tensors);
  ASSERT_TRUE(bound.ok()) << bound.error().message();
  void *outputs[] = {where.data(), pairs.data()};
  auto ran = (*graph)->run(3, bound->symbols, bound->data, outputs);
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(ran.error().message(), "entry 'search': symbol 'found' came out as 3, expected 0 to 2 = 2");
}

TEST_F(Graph, ChecksSettingsAtLoad) {
  auto refused = [](auto change) {
    test::TestEngine bent = test::graphEngine();
    change(bent.plan);
    auto file = EngineFile::open(test::write(bent.build(), "bent.ingot"));
    EXPECT_FALSE(file.ok());
    const std::string text = file.ok() ? "" : file.error().message();
    return text.substr(text.find("PLAN: ") + 6, text.find(';') - text.find("PLAN: ") - 6);
  };
  const std::string owner = "entry 'search', setting 0: ";
  auto setting = [](format::PlanT &plan) -> format::SymbolSettingT & { return *plan.entries[3]->settings[0]; };
  EXPECT_EQ(refused([&](auto &p) { setting(p).symbol = 1; }),
            owner + "symbol 1 does not depend on data, or is set before");
  EXPECT_EQ(refused([&](auto &p) { setting(p).symbol = 9; }), owner + "names symbol 9, there are 5");
  EXPECT_EQ(refused([&](auto &p) { setting(p).launch = 2; }), owner + "names launch 2, there are 2");
  EXPECT_EQ(refused([&](auto &p) { setting(p).buffer = 3; }), owner + "names buffer 3, there are 3");
  EXPECT_EQ(refused([&](auto &p) { setting(p).buffer = 2; }),
            owner + "buffer 2 is not one of 8 bytes in the arena of constants");
  EXPECT_EQ(refused([&](auto &p) { p.entries[3]->launches[0]->joined = true; }),
            owner + "workers do not wait for launch 0, or it stands before the last setting");
  EXPECT_EQ(refused([&](auto &p) { p.symbols[3]->steps.clear(); }), "symbol 'found': depends on data and has no bound");
}

} // namespace
