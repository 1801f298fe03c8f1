// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the test engine (test_engine.h): what a step computes, at any number of threads, and every refusal of a caller.
#include "runtime/core/machine.h"
#include "runtime/executor/executor.h"
#include "runtime/executor/layout.h"
#include "runtime/format/kernel_abi.h"
#include "test/unit/runtime/test_engine.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <thread>

using namespace ingot;
using namespace ingot::runtime;
using ingot::test::Bytes;
using ingot::test::TestEngine;

namespace {

std::shared_ptr<const EngineFile> openEngine(const TestEngine &engine = {}) {
  auto file = EngineFile::open(test::write(engine.build()));
  EXPECT_TRUE(file.ok()) << file.error().message();
  return file.ok() ? *file : nullptr;
}

ExecutorOptions options(unsigned threads = 2) { return {threads, {{"tokens", 64}, {"sequences", 4}}, {16}}; }

std::unique_ptr<Executor> makeExecutor(const ExecutorOptions &how = options(), const TestEngine &engine = {}) {
  auto executor = Executor::create(openEngine(engine), how);
  EXPECT_TRUE(executor.ok()) << executor.error().message();
  return executor.ok() ? *std::move(executor) : nullptr;
}

// One run of `step`, and what the description in test_engine.h says it must give.
struct Step {
  int64_t tokens;
  std::vector<int32_t> in, slots, sums;

  explicit Step(int64_t tokens) : tokens(tokens), in(size_t(tokens) * 4), slots(size_t(tokens)), sums(size_t(tokens)) {
    std::iota(in.begin(), in.end(), -7);
    for (size_t t = 0; t < slots.size(); ++t)
      slots[t] = int32_t((t * 37 + 5) % 128); // scattered, distinct: 37 is odd
  }
  Result<void> run(Executor &executor) {
    int64_t symbols[] = {tokens, 1};
    const void *inputs[] = {in.data(), slots.data()};
    void *outputs[] = {sums.data()};
    return executor.run("step", symbols, inputs, outputs);
  }
  int32_t x(size_t t, int i) const { return in[t * 4 + size_t(i)] + i; }
  void check(const Executor &executor) const {
    int32_t sum = 0;
    for (size_t t = 0; t < size_t(tokens); ++t) {
      for (int i = 0; i < 4; ++i) {
        sum += x(t, i);
        for (unsigned layer = 0; layer < 2; ++layer) {
          auto *keys = reinterpret_cast<int32_t *>(executor.hostCache()->plane(0, layer, 0));
          auto *values = reinterpret_cast<int32_t *>(executor.hostCache()->plane(0, layer, 1));
          ASSERT_EQ(keys[slots[t] * 4 + i], x(t, i));
          ASSERT_EQ(values[slots[t] * 4 + i], x(t, i) + 100 + i);
        }
      }
      ASSERT_EQ(sums[t], sum);
    }
  }
};

std::string refusal(const Result<void> &result, ErrorCode code) {
  EXPECT_FALSE(result.ok());
  if (result.ok())
    return "";
  EXPECT_EQ(errorCodeName(result.error().code()), errorCodeName(code)) << result.error().message();
  return result.error().message();
}

std::string createRefusal(const ExecutorOptions &how, ErrorCode code, const TestEngine &engine = {}) {
  auto executor = Executor::create(openEngine(engine), how);
  EXPECT_FALSE(executor.ok());
  if (executor.ok())
    return "";
  EXPECT_EQ(errorCodeName(executor.error().code()), errorCodeName(code));
  return executor.error().message();
}

// Rows are cut in a part a worker where there are 256 for each and 512 of all, and where tiles are fewer than 8 a worker,
// never below 32 rows (ingot_row_parts). Kernels of ABI 2 do the second alone.
TEST(UnitsTest, CutsManyRowsAndRowsOfFewTiles) {
  auto units = [](int64_t tiles, int64_t rows, unsigned workers, unsigned abi = INGOT_KERNEL_ABI) {
    flatbuffers::FlatBufferBuilder builder;
    std::vector<int64_t> perRow = {1};
    auto launch = format::CreateLaunch(builder, 0, builder.CreateVector(std::vector<uint32_t>()),
                                       format::CreateSizeDirect(builder, tiles), 0, 0, 0, false, -1,
                                       rows < 0 ? 0 : format::CreateSizeDirect(builder, 0, &perRow));
    builder.Finish(launch);
    std::vector<int64_t> symbols = {rows};
    return unitsOf(*flatbuffers::GetRoot<format::Launch>(builder.GetBufferPointer()), symbols, workers, abi);
  };
  EXPECT_EQ(units(128, 512, 1), 128);
  EXPECT_EQ(units(128, 511, 16), 128);
  EXPECT_EQ(units(128, 512, 16), 256);
  EXPECT_EQ(units(128, 1100, 16), 512);
  EXPECT_EQ(units(128, 1100, 3), 384);
  EXPECT_EQ(units(128, 512, 16, 2), 128);
  EXPECT_EQ(units(128, 512, 17, 2), 256);
  EXPECT_EQ(units(128, 512, 17), 256);
  EXPECT_EQ(units(128, 512, 96), 768); // 8 a worker
  EXPECT_EQ(units(128, 100, 96), 384); // parts of 32 rows at least
  EXPECT_EQ(units(128, 63, 96), 128);
  EXPECT_EQ(units(128, 0, 96), 128);
  EXPECT_EQ(units(128, -1, 96), 128); // a launch that states no rows
  EXPECT_EQ(units(0, 512, 96), 0);
}

} // namespace

TEST(Executor, ComputesTheStepAtAnyNumberOfThreads) {
  for (unsigned threads : {1u, 2u, 3u, 7u, 40u}) {
    auto executor = makeExecutor(options(threads));
    ASSERT_TRUE(executor);
    EXPECT_EQ(executor->threads(), threads);
    for (int64_t tokens : {1, 2, 5, 64, 3}) {
      Step step(tokens);
      auto result = step.run(*executor);
      ASSERT_TRUE(result.ok()) << result.error().message();
      step.check(*executor);
    }
  }
}

TEST(Executor, TakesTheMachinesThreadsByDefault) {
  auto executor = makeExecutor(options(0));
  ASSERT_TRUE(executor);
  EXPECT_EQ(executor->threads(), defaultThreads());
}

TEST(Executor, RunsWithNothingToDo) {
  auto executor = makeExecutor();
  ASSERT_TRUE(executor);
  int64_t symbols[] = {0, 0};
  const void *inputs[] = {nullptr, nullptr}; // no bytes, so no pointer is needed
  void *outputs[] = {nullptr};
  auto result = executor->run("step", symbols, inputs, outputs);
  EXPECT_TRUE(result.ok()) << result.error().message();
}

TEST(Executor, KeepsTheCacheFromRunToRun) {
  auto executor = makeExecutor();
  ASSERT_TRUE(executor);
  Step first(8), second(8);
  for (int32_t &slot : second.slots)
    slot = 127 - slot;
  for (int32_t &value : second.in)
    value *= 3;
  ASSERT_TRUE(first.run(*executor).ok());
  ASSERT_TRUE(second.run(*executor).ok());
  first.check(*executor);
  second.check(*executor);
}

TEST(Executor, NamesTheNodeOfAFailedKernel) {
  for (unsigned threads : {1u, 4u}) {
    auto executor = makeExecutor(options(threads));
    ASSERT_TRUE(executor);
    int64_t symbols[] = {1, 1};
    int32_t code = 1;
    const void *inputs[] = {&code};
    EXPECT_EQ(refusal(executor->run("failing", symbols, inputs, {}), ErrorCode::InvalidArgument),
              "'model.failing' (kernel fail) refused its input: an index in it is out of range");
    code = 2;
    EXPECT_TRUE(refusal(executor->run("failing", symbols, inputs, {}), ErrorCode::InvalidArgument)
                    .starts_with("'model.failing' (kernel fail) found no token to take: every logit is masked, "));
    code = -3;
    EXPECT_EQ(refusal(executor->run("failing", symbols, inputs, {}), ErrorCode::Internal),
              "'model.failing' (kernel fail) failed with code -3");
    code = 0;
    EXPECT_TRUE(executor->run("failing", symbols, inputs, {}).ok());

    // A failure in the middle of a step, by one worker of several; the next run is whole again.
    Step step(64);
    step.slots[63] = -1;
    EXPECT_EQ(refusal(step.run(*executor), ErrorCode::InvalidArgument),
              "'model.keys' (kernel append-n4) refused its input: an index in it is out of range");
    step.slots[63] = 0;
    ASSERT_TRUE(step.run(*executor).ok());
    EXPECT_EQ(step.sums[1], step.x(0, 0) + step.x(0, 1) + step.x(0, 2) + step.x(0, 3) + step.x(1, 0) + step.x(1, 1) +
                                step.x(1, 2) + step.x(1, 3));
  }
}

TEST(Executor, RefusesSymbolsOutOfBounds) {
  auto executor = makeExecutor();
  ASSERT_TRUE(executor);
  Step step(64);
  const void *inputs[] = {step.in.data(), step.slots.data()};
  void *outputs[] = {step.sums.data()};
  int64_t many[] = {65, 1}, negative[] = {1, -1};
  EXPECT_EQ(refusal(executor->run("step", many, inputs, outputs), ErrorCode::InvalidArgument),
            "symbol 'tokens' is 65, expected 0 to its bound 64");
  EXPECT_EQ(refusal(executor->run("step", negative, inputs, outputs), ErrorCode::InvalidArgument),
            "symbol 'sequences' is -1, expected 0 to its bound 4");
  EXPECT_EQ(refusal(executor->run("step", std::span(many, 1), inputs, outputs), ErrorCode::InvalidArgument),
            "1 symbol values, the engine has 2 symbols: 'tokens', 'sequences'");
}

TEST(Executor, RefusesBadPointers) {
  auto executor = makeExecutor();
  ASSERT_TRUE(executor);
  Step step(3);
  int64_t symbols[] = {3, 1};
  const void *null[] = {step.in.data(), nullptr};
  void *outputs[] = {step.sums.data()};
  EXPECT_EQ(refusal(executor->run("step", symbols, null, outputs), ErrorCode::InvalidArgument),
            "input 'slots' is null, expected 12 bytes");
  const void *inputs[] = {step.in.data(), step.slots.data()};
  void *odd[] = {reinterpret_cast<uint8_t *>(step.sums.data()) + 2};
  EXPECT_EQ(refusal(executor->run("step", symbols, inputs, odd), ErrorCode::InvalidArgument),
            "output 'sums' is not aligned to its 4-byte elements");
  EXPECT_EQ(refusal(executor->run("step", symbols, std::span(inputs, 1), outputs), ErrorCode::InvalidArgument),
            "entry 'step' takes 2 inputs, 1 are given");
  EXPECT_EQ(refusal(executor->run("step", symbols, inputs, std::span(outputs, 0)), ErrorCode::InvalidArgument),
            "entry 'step' has 1 outputs, room for 0 is given");
}

TEST(Executor, StartsRunsOnGpusOnly) {
  auto executor = makeExecutor();
  ASSERT_TRUE(executor);
  Step step(3);
  const int64_t symbols[] = {3, 1};
  const void *inputs[] = {step.in.data(), step.slots.data()};
  void *outputs[] = {step.sums.data()};
  for (const auto &result : {executor->start(0, symbols, inputs), executor->finish(0, symbols, outputs)})
    EXPECT_EQ(refusal(result, ErrorCode::Unsupported), "a CPU runs entries to their end; only GPUs start them");
}

TEST(Executor, RefusesTwoRunsAtOnce) {
  auto executor = makeExecutor(options(1));
  ASSERT_TRUE(executor);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    Step step(64);
    while (!stop)
      (void)step.run(*executor);
  });
  Step step(64);
  std::string message;
  for (int i = 0; i < 5'000'000 && message.empty(); ++i)
    if (auto result = step.run(*executor); !result)
      message = result.error().message();
  stop = true;
  other.join();
  EXPECT_EQ(message, "another run is in progress; one executor runs one entry at a time");
  ASSERT_TRUE(step.run(*executor).ok());
}

TEST(Executor, FindsThingsByName) {
  auto executor = makeExecutor();
  ASSERT_TRUE(executor);
  EXPECT_EQ(*executor->entryIndex("failing"), 1u);
  EXPECT_EQ(*executor->symbolIndex("sequences"), 1u);
  EXPECT_EQ(*executor->inputIndex(0, "slots"), 1u);
  EXPECT_EQ(*executor->outputIndex(0, "sums"), 0u);
  auto missing = executor->entryIndex("main");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
  EXPECT_EQ(missing.error().message(), "the engine has no entry 'main', it has 'step', 'failing'");
}

TEST(Executor, RefusesBadBounds) {
  EXPECT_EQ(createRefusal({1, {{"tokens", 64}}, {16}}, ErrorCode::InvalidArgument),
            "symbol 'sequences' has no bound; give every symbol's largest value");
  EXPECT_EQ(createRefusal({1, {{"tokens", 64}, {"tokens", 64}}, {16}}, ErrorCode::InvalidArgument),
            "the bound of symbol 'tokens' is given twice");
  EXPECT_EQ(createRefusal({1, {{"tokens", -1}}, {16}}, ErrorCode::InvalidArgument),
            "the bound of symbol 'tokens' is -1, expected 0 to 2147483647");
  EXPECT_EQ(createRefusal({1, {{"token", 1}}, {16}}, ErrorCode::NotFound),
            "the engine has no symbol 'token', it has 'tokens', 'sequences'");
  EXPECT_EQ(createRefusal({5000, {{"tokens", 1}, {"sequences", 1}}, {16}}, ErrorCode::InvalidArgument),
            "5000 threads, expected at most 4096");
}

// The test engine with a symbol `fewer` = (tokens - 3) * 2.
TestEngine withDerived() {
  using enum format::SymbolStepKind;
  TestEngine engine;
  auto fewer = std::make_unique<format::SymbolT>();
  fewer->name = "fewer";
  fewer->steps = {{symbol, 0}, {constant, 3}, {subtract, 0}, {constant, 2}, {multiply, 0}};
  engine.plan.symbols.push_back(std::move(fewer));
  engine.head.arena_symbols.push_back("fewer");
  engine.head.arena_bytes.push_back(128);
  engine.plan.arena_bytes.push_back(128);
  return engine;
}

TEST(Executor, DerivesSymbolsFromOthers) {
  auto executor = makeExecutor(options(1), withDerived());
  ASSERT_TRUE(executor);
  EXPECT_TRUE(executor->symbols().derived(2));
  EXPECT_EQ(executor->symbols().expression(2), "(tokens - 3)*2");
  int64_t values[] = {5, 1, -1};
  ASSERT_TRUE(executor->complete(0, values).ok());
  EXPECT_EQ(values[2], 4);
  // At the bounds tokens is 64, so that there are 122 of 128 bytes; 192 of each token, and 64 of constants.
  EXPECT_EQ(executor->memory().arenas, 64u * 192 + roundUpToPage(122 * 128) + 4096);
  Step step(5);
  const void *inputs[] = {step.in.data(), step.slots.data()};
  void *outputs[] = {step.sums.data()};
  ASSERT_TRUE(executor->run("step", values, inputs, outputs).ok());
  step.check(*executor);
  values[2] = 5;
  EXPECT_EQ(refusal(executor->run("step", values, inputs, outputs), ErrorCode::InvalidArgument),
            "symbol 'fewer' is 5, but (tokens - 3)*2 is 4");
  values[0] = 2;
  EXPECT_EQ(refusal(executor->complete(0, values), ErrorCode::InvalidArgument),
            "entry 'step': symbol 'fewer' = (tokens - 3)*2 is -2, expected at least 0, for tokens = 2; give inputs of "
            "other shapes");
  values[2] = 0;
  EXPECT_FALSE(executor->run("step", values, inputs, outputs).ok());
  // What an entry has no input for does not matter to it.
  values[2] = -5;
  ASSERT_TRUE(executor->complete(1, values).ok());
  EXPECT_EQ(values[2], 0);
  EXPECT_EQ(createRefusal({1, {{"tokens", 64}, {"sequences", 4}, {"fewer", 3}}, {16}}, ErrorCode::InvalidArgument,
                          withDerived()),
            "symbol 'fewer' has no bound of its own: it is (tokens - 3)*2; bound those symbols");
}

TEST(Executor, TellsTheRequirementThatARunBreaks) {
  TestEngine engine = withDerived();
  engine.plan.symbols[2]->requirement = "node 'places' expects more than 2 tokens";
  auto executor = makeExecutor(options(1), engine);
  ASSERT_TRUE(executor);
  int64_t values[] = {3, 1, 0};
  EXPECT_TRUE(executor->complete(0, values).ok());
  values[0] = 2;
  EXPECT_EQ(refusal(executor->complete(0, values), ErrorCode::InvalidArgument),
            "entry 'step': node 'places' expects more than 2 tokens; found tokens = 2 for inputs in [2, 4], slots [2]");
}

TEST(Executor, RefusesToDivideByLessThanOne) {
  TestEngine engine = withDerived();
  engine.plan.symbols[2]->steps = {{format::SymbolStepKind::constant, 8}, {format::SymbolStepKind::symbol, 0},
                                   {format::SymbolStepKind::floordiv, 0}};
  auto executor = makeExecutor(options(1), engine);
  ASSERT_TRUE(executor);
  int64_t values[] = {3, 1, 0};
  ASSERT_TRUE(executor->complete(0, values).ok());
  EXPECT_EQ(values[2], 2);
  values[0] = 0;
  EXPECT_EQ(refusal(executor->complete(0, values), ErrorCode::InvalidArgument),
            "entry 'step': symbol 'fewer' = 8 floordiv tokens divides by less than 1 for tokens = 0; give inputs of "
            "other shapes");
}

TEST(Executor, RefusesBadCaches) {
  EXPECT_EQ(createRefusal({1, {{"tokens", 64}, {"sequences", 4}}, {}}, ErrorCode::InvalidArgument),
            "pages are given for 0 cache groups, the engine has 1");
  EXPECT_EQ(createRefusal({1, {{"tokens", 64}, {"sequences", 4}}, {1u << 30}}, ErrorCode::InvalidArgument),
            "cache group 'kv': 1073741824 pages, expected at most 268435455 of 8 tokens");
}

TEST(Executor, SaysWhenMemoryCannotBeReserved) {
  TestEngine engine;
  engine.plan.arena_bytes[0] = engine.head.arena_bytes[0] = 1ull << 40;
  EXPECT_EQ(createRefusal({1, {{"tokens", 1 << 20}, {"sequences", 4}}, {16}}, ErrorCode::ResourceExhausted, engine),
            "cannot reserve 1.0 EiB for the arenas: Cannot allocate memory; ask for less");
  EXPECT_NE(createRefusal({1, {{"tokens", 1 << 30}, {"sequences", 4}}, {16}}, ErrorCode::ResourceExhausted, engine)
                .find("symbol 'tokens': 1099511627776 bytes for each of 1073741824"),
            std::string::npos);
  TestEngine cache;
  for (auto &plane : cache.plan.cache_groups[0]->planes)
    plane->page_bytes = 1ull << 39;
  EXPECT_EQ(
      createRefusal({1, {{"tokens", 1}, {"sequences", 4}}, {1 << 20}}, ErrorCode::ResourceExhausted, cache),
      "cannot reserve 2.0 EiB for 1048576 pages of the KV cache's group 'kv': Cannot allocate memory; ask for less");
}

// Resident memory of this process in bytes.
static uint64_t resident() {
  FILE *file = std::fopen("/proc/self/statm", "r");
  unsigned long total = 0, pages = 0;
  int got = std::fscanf(file, "%lu %lu", &total, &pages);
  std::fclose(file);
  return got == 2 ? pages * 4096ull : 0;
}

TEST(Executor, PaysForMemoryOnlyWhereItIsTouched) {
  TestEngine engine;
  for (auto &plane : engine.plan.cache_groups[0]->planes)
    plane->page_bytes = 1 << 20;
  uint64_t before = resident();
  auto executor = makeExecutor({1, {{"tokens", 1 << 24}, {"sequences", 4}}, {4096}}, engine);
  ASSERT_TRUE(executor);
  EXPECT_EQ(executor->memory().cache, 4096ull * 4 << 20); // 16 GiB: 2 layers of 2 planes
  EXPECT_EQ(executor->memory().arenas, (192ull << 24) + 4096);
  Step step(4);
  ASSERT_TRUE(step.run(*executor).ok());
  step.check(*executor);
  EXPECT_LT(resident() - before, 64ull << 20);
}

TEST(Executor, TellsItsMemory) {
  auto executor = makeExecutor(options(3));
  ASSERT_TRUE(executor);
  auto planned = memoryUse(executor->engine(), options(3));
  ASSERT_TRUE(planned.ok());
  // 192 bytes a token for 64 tokens: 3 pages; constants 1 page; scratch 1 page a thread; 4 planes of 16 pages of 128 B.
  EXPECT_EQ(planned->arenas, 4u * 4096);
  EXPECT_EQ(planned->scratch, 3u * 4096);
  EXPECT_EQ(planned->cache, 4u * 4096);
  EXPECT_EQ(planned->weights, 80u);
  EXPECT_EQ(executor->memory().cache, executor->hostCache()->bytes());
  const CacheGroupInfo &group = executor->hostCache()->groups()[0];
  EXPECT_EQ(group.name, "kv");
  EXPECT_EQ(group.pageTokens, 8u);
  EXPECT_EQ(group.pageBytes, 4u * 128);
  EXPECT_EQ(group.pages, 16u);
}

TEST(Executor, ProfilesWhenAsked) {
  auto executor = makeExecutor();
  ASSERT_TRUE(executor);
  std::vector<StepTime> times;
  executor->profile(&times);
  Step step(64);
  ASSERT_TRUE(step.run(*executor).ok());
  ASSERT_EQ(times.size(), 7u * executor->threads());
  for (const StepTime &time : times)
    EXPECT_GT(time.passed, time.began);
  LaunchInfo info = executor->launch(0, 6);
  EXPECT_EQ(info.node, "model.sums");
  EXPECT_EQ(info.kernel, "prefix_sums-n4");
  EXPECT_EQ(info.variant, "base");
  int64_t symbols[] = {10, 1};
  EXPECT_EQ(extent(info.bytesRead, symbols), 16 + 320);
  EXPECT_EQ(extent(info.operations, symbols), 0);
  executor->profile(nullptr);
  times.clear();
  ASSERT_TRUE(step.run(*executor).ok());
  EXPECT_TRUE(times.empty());
}

TEST(Executor, TakesTheBestVariantThatHasTheKernel) {
  if (!CpuFeatures::host().has("avx2"))
    GTEST_SKIP() << "needs a CPU with AVX2";
  TestEngine engine;
  engine.head.variants[0]->features = {"avx2"};
  engine.plan.kernels[2]->functions[0] = 0xffffffff;
  auto executor = makeExecutor(options(), engine);
  ASSERT_TRUE(executor);
  EXPECT_EQ(executor->choice().explain(), "future: taken\nbase: not taken: future is faster\n");
  EXPECT_EQ(executor->launch(0, 0).variant, "future");
  EXPECT_EQ(executor->launch(0, 6).variant, "base");
  Step step(20);
  ASSERT_TRUE(step.run(*executor).ok());
  step.check(*executor);
}

TEST(Executor, RefusesAMachineWithoutTheFeatures) {
  TestEngine engine;
  engine.head.variants[1]->features = {"avx2", "clairvoyance"};
  engine.head.variants[0]->kernel_abi = 9;
  std::string message = createRefusal(options(), ErrorCode::Unsupported, engine);
  EXPECT_NE(message.find(": none of its variants runs on this machine ("), std::string::npos) << message;
  EXPECT_NE(message.find("; future not taken: it was made for kernel ABI 9, this runtime has 2 to 3; base not taken: this "
                         "runtime does not know how to look for 'clairvoyance'"),
            std::string::npos)
      << message;

  TestEngine lacking;
  for (auto &kernel : lacking.plan.kernels)
    kernel->functions[1] = 0xffffffff;
  message = createRefusal(options(), ErrorCode::Unsupported, lacking);
  EXPECT_NE(message.find("kernel 'add_weight-n4' is in no variant that runs on this machine"), std::string::npos)
      << message;
}

TEST(Executor, ObeysTheRestrictionOfVariants) {
  TestEngine engine;
  engine.head.variants[0]->name = "avx512";
  engine.head.variants[0]->features.clear();
  engine.head.variants[1]->name = "avx2";
  setenv("INGOT_ISA", "avx2", 1);
  auto executor = makeExecutor(options(), engine);
  ASSERT_TRUE(executor);
  EXPECT_EQ(executor->choice().explain(), "avx512: not taken: restricted by INGOT_ISA=avx2\navx2: taken\n");
  setenv("INGOT_ISA", "avx512bf16", 1);
  engine.head.variants[1]->name = "avx512bf16";
  engine.head.variants[1]->features = {"clairvoyance"};
  engine.head.variants[0]->name = "future";
  std::string message = createRefusal(options(), ErrorCode::Unsupported, engine);
  EXPECT_NE(message.find("future not taken: restricted by INGOT_ISA=avx512bf16"), std::string::npos) << message;
  setenv("INGOT_ISA", "sse9", 1);
  EXPECT_EQ(createRefusal(options(), ErrorCode::InvalidArgument, engine),
            "INGOT_ISA is 'sse9', expected one of avx2, avxvnni, avx512, avx512vnni, avx512bf16, amx (or unset it to "
            "let Ingot choose)");
  unsetenv("INGOT_ISA");
}

// Variants of a head for made-up processors: what chooseVariant makes of scores, vendors and variants of some kernels.
class Choice : public testing::Test {
protected:
  void add(const char *name, unsigned score, bool partial, std::vector<std::string> features,
           std::vector<std::pair<const char *, unsigned>> vendors = {}) {
    auto variant = std::make_unique<format::VariantT>();
    variant->target = "cpu";
    variant->name = name;
    variant->score = score;
    variant->partial = partial;
    variant->features = std::move(features);
    variant->kernel_abi = INGOT_KERNEL_ABI;
    for (auto [vendor, other] : vendors) {
      variant->vendors.push_back(std::make_unique<format::VendorScoreT>());
      variant->vendors.back()->vendor = vendor;
      variant->vendors.back()->score = other;
    }
    head.variants.push_back(std::move(variant));
  }
  std::string explain(const CpuFeatures &cpu, std::optional<std::string> isa = std::nullopt) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(format::Head::Pack(builder, &head));
    return chooseVariant(*format::GetHead(builder.GetBufferPointer()), cpu, isa).explain();
  }
  void SetUp() override {
    head.model = head.family = head.producer = head.compute = "m";
    add("avx2", 100, false, {"avx2"});
    add("avx512", 200, false, {"avx512f"});
    add("avx512vnni", 300, true, {"avx512vnni"});
    add("avx512bf16", 400, true, {"avx512bf16"}, {{"GenuineIntel", 190}});
  }
  format::HeadT head;
  const std::set<std::string, std::less<>> names = {"avx2",     "fma",      "f16c",     "bmi2",       "avx512f",
                                                    "avx512bw", "avx512dq", "avx512vl", "avx512vnni", "avx512bf16"};
};

TEST_F(Choice, GoesDownToAVariantWithAllKernels) {
  EXPECT_EQ(explain(CpuFeatures(names, "AuthenticAMD")), "avx512bf16: taken\n"
                                                         "avx512vnni: taken for what avx512bf16 lacks\n"
                                                         "avx512: taken for what avx512bf16 lacks\n"
                                                         "avx2: not taken: avx512bf16 is faster\n");
  EXPECT_EQ(explain(CpuFeatures({"avx2"}, "AuthenticAMD")), "avx512bf16: not taken: the CPU lacks avx512bf16\n"
                                                            "avx512vnni: not taken: the CPU lacks avx512vnni\n"
                                                            "avx512: not taken: the CPU lacks avx512f\n"
                                                            "avx2: taken\n");
}

TEST_F(Choice, DependsOnTheProcessorsVendor) {
  EXPECT_EQ(explain(CpuFeatures(names, "GenuineIntel")), "avx512vnni: taken\n"
                                                         "avx512: taken for what avx512vnni lacks\n"
                                                         "avx512bf16: not taken: avx512vnni is faster\n"
                                                         "avx2: not taken: avx512vnni is faster\n");
}

TEST_F(Choice, TakesTheNamedSetWhateverTheScores) {
  EXPECT_EQ(explain(CpuFeatures(names, "GenuineIntel"), "avx512bf16"), "avx512bf16: taken\n"
                                                                       "avx512vnni: taken for what avx512bf16 lacks\n"
                                                                       "avx512: taken for what avx512bf16 lacks\n"
                                                                       "avx2: not taken: avx512bf16 is faster\n");
  EXPECT_EQ(explain(CpuFeatures(names, "GenuineIntel"), "avx512"),
            "avx512vnni: not taken: restricted by INGOT_ISA=avx512\n"
            "avx512bf16: not taken: restricted by INGOT_ISA=avx512\n"
            "avx512: taken\n"
            "avx2: not taken: avx512 is faster\n");
  EXPECT_EQ(explain(CpuFeatures({"avx2", "fma", "f16c", "bmi2"}, "GenuineIntel"), "avx512vnni"),
            "avx512vnni: not taken: the CPU lacks avx512vnni\n"
            "avx512: not taken: the CPU lacks avx512f\n"
            "avx512bf16: not taken: the CPU lacks avx512bf16\n"
            "avx2: not taken: restricted by INGOT_ISA=avx512vnni\n");
}

// Tiles of tokens - sequences, none where that is negative.
TEST(Executor, RunsNoTileWhereTheirNumberIsNegative) {
  TestEngine engine;
  engine.plan.entries[1]->launches[0]->tiles->constant = 0;
  engine.plan.entries[1]->launches[0]->tiles->coefficients = {1, -1};
  auto executor = makeExecutor(options(2), engine);
  ASSERT_TRUE(executor);
  int32_t code = 1;
  const void *inputs[] = {&code};
  for (auto [tokens, sequences] : {std::pair{2, 2}, {1, 2}}) {
    int64_t symbols[] = {tokens, sequences};
    EXPECT_TRUE(executor->run("failing", symbols, inputs, {}).ok());
  }
  int64_t symbols[] = {3, 2};
  EXPECT_FALSE(executor->run("failing", symbols, inputs, {}).ok());
}

TEST(Executor, RefusesTooManyTiles) {
  TestEngine engine;
  engine.plan.entries[0]->launches[6]->tiles->coefficients = {1ll << 40};
  EXPECT_EQ(createRefusal(options(), ErrorCode::InvalidArgument, engine),
            "launch 'model.sums' has more than 2^32 tiles at these bounds; ask for smaller bounds");
}
