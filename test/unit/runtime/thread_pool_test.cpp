// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The workers: every tile once, in order, with a barrier between steps; failures stop everyone at the same step. The
// "kernels" here are ordinary functions of the test.
#include "runtime/device/cpu/thread_pool.h"

#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <set>

using namespace ingot::runtime;

namespace {

// buffers: seen u32[tiles]: how often each tile was done.
int32_t countTiles(const ingot_env *, void *const *buffers, const int64_t *, uint32_t first, uint32_t end, void *) {
  auto *seen = static_cast<std::atomic<uint32_t> *>(buffers[0]);
  for (uint32_t tile = first; tile < end; ++tile)
    seen[tile].fetch_add(1, std::memory_order_relaxed);
  return 0;
}

// Adds the tiles to buffers[0] (u64), and checks that they are of one worker's contiguous share, as the contract says.
int32_t addTiles(const ingot_env *env, void *const *buffers, const int64_t *symbols, uint32_t first, uint32_t end,
                 void *) {
  static_cast<std::atomic<uint64_t> *>(buffers[0])->fetch_add(end - first);
  const auto tiles = uint32_t(symbols[0]);
  for (unsigned worker = 0; worker < env->workers; ++worker)
    if (const TileRange share = tileShare(tiles, worker, env->workers); first >= share.first && first < share.end)
      return end > first && end <= share.end ? 0 : 7;
  return 8;
}

// Of worker 1 a call ends only when others have done all other tiles: buffers[0] counts (u64).
int32_t holdWorkerOne(const ingot_env *env, void *const *buffers, const int64_t *symbols, uint32_t first, uint32_t end,
                      void *) {
  auto *done = static_cast<std::atomic<uint64_t> *>(buffers[0]);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (env->worker == 1 && done->load() < uint64_t(symbols[0]) - (end - first))
    if (std::chrono::steady_clock::now() > deadline)
      return 9;
  done->fetch_add(end - first);
  return 0;
}

// next[i] = sum over all of prev, so each tile reads what every worker wrote in the step before.
int32_t sumAll(const ingot_env *, void *const *buffers, const int64_t *symbols, uint32_t first, uint32_t end, void *) {
  auto *prev = static_cast<const uint64_t *>(buffers[0]);
  auto *next = static_cast<uint64_t *>(buffers[1]);
  for (uint32_t tile = first; tile < end; ++tile) {
    next[tile] = tile;
    for (int64_t i = 0; i < symbols[0]; ++i)
      next[tile] += prev[i] * uint64_t(i + 1);
  }
  return 0;
}

// Fails with the code that buffers[0] (i32 per tile) holds.
int32_t failAt(const ingot_env *, void *const *buffers, const int64_t *, uint32_t first, uint32_t end, void *) {
  for (uint32_t tile = first; tile < end; ++tile)
    if (int32_t code = static_cast<const int32_t *>(buffers[0])[tile])
      return code;
  return 0;
}

// Fills the scratch with the worker's number and checks that nobody else does.
int32_t useScratch(const ingot_env *env, void *const *, const int64_t *symbols, uint32_t, uint32_t, void *scratch) {
  if (reinterpret_cast<uintptr_t>(scratch) % uint64_t(symbols[2]) != 0)
    return 1;
  auto *own = static_cast<volatile uint8_t *>(scratch);
  for (int64_t i = 0; i < symbols[1]; ++i)
    own[i] = uint8_t(env->worker);
  for (int64_t i = 0; i < symbols[1]; ++i)
    if (own[i] != uint8_t(env->worker))
      return 2;
  return 0;
}

std::unique_ptr<ThreadPool> makePool(unsigned workers, uint64_t scratch = 0) {
  auto pool = ThreadPool::create(workers, scratch);
  EXPECT_TRUE(pool.ok());
  return *std::move(pool);
}

constexpr unsigned kWorkers[] = {1, 2, 3, 4, 8, 33};

} // namespace

TEST(ThreadPool, DoesEveryTileOnce) {
  for (unsigned workers : kWorkers) {
    auto pool = makePool(workers);
    ASSERT_EQ(pool->workers(), workers);
    for (uint32_t tiles : {1u, 2u, 7u, 32u, 1000u}) {
      std::vector<std::atomic<uint32_t>> seen(tiles);
      void *buffers[] = {seen.data()};
      int64_t symbols[] = {tiles};
      Step steps[] = {{countTiles, buffers, 0, tiles}, {countTiles, buffers, 0, 0}, {countTiles, buffers, 0, tiles}};
      EXPECT_FALSE(pool->walk(steps, symbols));
      for (auto &count : seen)
        ASSERT_EQ(count.load(), 2u);
    }
  }
}

// Steps of `kernel`, which counts tiles in buffers[0], come out with all of them, whatever reserve was learned before.
static void doesAllTiles(ingot_kernel kernel, std::span<const unsigned> workers, std::initializer_list<uint32_t> tiles) {
  for (unsigned many : workers) {
    auto pool = makePool(many);
    for (uint32_t count : tiles)
      for (int repeat = 0; repeat < 4; ++repeat) {
        std::atomic<uint64_t> done = 0;
        void *buffers[] = {&done};
        int64_t symbols[] = {count};
        Step steps[] = {{kernel, buffers, 0, count}};
        EXPECT_FALSE(pool->walk(steps, symbols)) << many << " workers, " << count << " tiles";
        EXPECT_EQ(done, count);
      }
  }
}

TEST(ThreadPool, GivesPartsOfContiguousEvenShares) {
  doesAllTiles(addTiles, kWorkers, {1u, 5u, 100u, 4711u, 0xffffffffu});
}

TEST(ThreadPool, OthersDoWhatAWorkerDoesNotComeTo) {
  constexpr unsigned workers[] = {2, 3, 8};
  doesAllTiles(holdWorkerOne, workers, {16u, 1000u});
}

// Steps that need no barrier between them: a worker may be at the second while another has not begun the first.
TEST(ThreadPool, JoinedStepsAreDoneOnceEach) {
  for (unsigned workers : kWorkers) {
    auto pool = makePool(workers);
    for (uint32_t tiles : {1u, 3u, 40u, 500u}) {
      std::vector<std::atomic<uint32_t>> seen[3] = {std::vector<std::atomic<uint32_t>>(tiles),
                                                    std::vector<std::atomic<uint32_t>>(tiles),
                                                    std::vector<std::atomic<uint32_t>>(tiles)};
      void *a[] = {seen[0].data()}, *b[] = {seen[1].data()}, *c[] = {seen[2].data()};
      int64_t symbols[] = {tiles};
      Step steps[] = {{countTiles, a, 0, tiles, true}, {countTiles, b, 0, tiles, true},
                      {countTiles, c, 0, tiles}};
      for (int repeat = 0; repeat < 200; ++repeat)
        ASSERT_FALSE(pool->walk(steps, symbols));
      for (auto &each : seen)
        for (auto &count : each)
          ASSERT_EQ(count.load(), 200u);
    }
  }
}

TEST(ThreadPool, WaitsForEveryoneBetweenSteps) {
  constexpr uint32_t kTiles = 50, kSteps = 200;
  std::vector<uint64_t> expected(kTiles, 1);
  std::vector<uint64_t> scratch(kTiles);
  int64_t symbols[] = {kTiles};
  for (uint32_t step = 0; step < kSteps; ++step) {
    void *buffers[] = {expected.data(), scratch.data()};
    sumAll(nullptr, buffers, symbols, 0, kTiles, nullptr);
    std::swap(expected, scratch);
  }
  for (unsigned workers : kWorkers) {
    auto pool = makePool(workers);
    std::vector<uint64_t> a(kTiles, 1), b(kTiles);
    void *forward[] = {a.data(), b.data()}, *back[] = {b.data(), a.data()};
    std::vector<Step> steps;
    for (uint32_t step = 0; step < kSteps; ++step)
      steps.push_back({sumAll, step % 2 ? back : forward, 0, kTiles});
    for (int repeat = 0; repeat < 5; ++repeat) {
      std::fill(a.begin(), a.end(), 1);
      EXPECT_FALSE(pool->walk(steps, symbols));
      ASSERT_EQ(a, expected);
    }
  }
}

TEST(ThreadPool, SurvivesManyShortWalks) {
  auto pool = makePool(4);
  std::vector<std::atomic<uint32_t>> seen(3);
  void *buffers[] = {seen.data()};
  int64_t symbols[] = {3};
  Step steps[] = {{countTiles, buffers, 0, 3}};
  Step nothing[] = {{countTiles, buffers, 0, 0}};
  for (int i = 0; i < 20000; ++i) {
    ASSERT_FALSE(pool->walk(steps, symbols));
    ASSERT_FALSE(pool->walk(nothing, symbols));
    ASSERT_FALSE(pool->walk({}, symbols));
  }
  for (auto &count : seen)
    EXPECT_EQ(count.load(), 20000u);
}

TEST(ThreadPool, StopsEveryoneAtTheFailedStep) {
  constexpr uint32_t kTiles = 64;
  for (unsigned workers : kWorkers) {
    auto pool = makePool(workers);
    std::vector<std::atomic<uint32_t>> before(kTiles), after(kTiles);
    std::vector<int32_t> fine(kTiles), bad(kTiles);
    void *beforeBuffer[] = {before.data()}, *afterBuffer[] = {after.data()};
    void *fineBuffer[] = {fine.data()}, *badBuffer[] = {bad.data()};
    int64_t symbols[] = {kTiles};
    Step steps[] = {{countTiles, beforeBuffer, 0, kTiles},
                    {failAt, fineBuffer, 0, kTiles},
                    {failAt, badBuffer, 0, kTiles},
                    {countTiles, afterBuffer, 0, kTiles}};
    for (uint32_t round = 0; round < 300; ++round) {
      std::fill(bad.begin(), bad.end(), 0);
      bad[round % kTiles] = 5;
      bad[(round * 7 + 3) % kTiles] = 4;
      auto failure = pool->walk(steps, symbols);
      ASSERT_TRUE(failure);
      EXPECT_EQ(failure->step, 2u);
      EXPECT_TRUE(failure->code == 4 || failure->code == 5);
      ASSERT_EQ(after[round % kTiles].load(), round / 2) << "a step after the failed one ran";
      if (round % 2) { // and works again afterwards
        std::fill(bad.begin(), bad.end(), 0);
        ASSERT_FALSE(pool->walk(steps, symbols));
      }
    }
  }
}

TEST(ThreadPool, GivesEachWorkerItsScratch) {
  // Less than a large page, and more: each begins with one.
  struct {
    uint64_t bytes, each, alignment;
  } const cases[] = {{10000, 12288, 4096}, {kLargePage + 5, 2 * kLargePage, kLargePage}};
  for (const auto &c : cases)
    for (unsigned workers : kWorkers) {
      auto pool = makePool(workers, c.bytes);
      EXPECT_EQ(pool->scratchBytes(), workers * c.each);
      int64_t symbols[] = {int64_t(workers), int64_t(c.bytes), int64_t(c.alignment)};
      Step steps[] = {{useScratch, nullptr, 0, workers}, {useScratch, nullptr, 0, workers}};
      EXPECT_FALSE(pool->walk(steps, symbols));
    }
}

TEST(ThreadPool, TimesStepsOfEveryWorkerWhenAsked) {
  for (unsigned workers : {1u, 2u, 8u}) {
    auto pool = makePool(workers);
    std::vector<std::atomic<uint32_t>> seen(100000);
    void *buffers[] = {seen.data()};
    int64_t symbols[] = {0};
    Step steps[] = {{countTiles, buffers, 0, 100000}, {countTiles, buffers, 0, 0}, {countTiles, buffers, 0, 1}};
    std::vector<StepTime> times(workers * 3);
    EXPECT_FALSE(pool->walk(steps, symbols, times.data()));
    int64_t worked = 0; // one worker may come too late to do anything
    for (unsigned worker = 0; worker < workers; ++worker)
      worked += times[worker * 3].worked - times[worker * 3].began;
    EXPECT_GT(worked, 40000) << "100,000 additions take more than 40 microseconds";
    for (unsigned worker = 0; worker < workers; ++worker) {
      const StepTime *time = &times[worker * 3];
      EXPECT_GE(time[0].passed, time[0].worked);
      EXPECT_EQ(time[1].began, 0);
      EXPECT_EQ(time[1].passed, 0);
      EXPECT_GE(time[2].began, time[0].passed);
      // Nobody passes a barrier before all have done their part.
      for (unsigned other = 0; other < workers; ++other)
        EXPECT_GE(time[0].passed, times[other * 3].worked);
    }
  }
}

// Shares are contiguous, hold every tile once, and no two differ by more than one: on 2 workers and on 96.
TEST(ThreadPool, SharesTilesEvenly) {
  for (unsigned workers : {1u, 2u, 3u, 96u})
    for (uint32_t tiles : {0u, 1u, 54u, 95u, 96u, 128u, 2000u, 4294967295u}) {
      uint32_t next = 0;
      for (unsigned worker = 0; worker < workers; ++worker) {
        auto [first, end] = tileShare(tiles, worker, workers);
        EXPECT_EQ(first, next);
        EXPECT_GE(end - first, tiles / workers);
        EXPECT_LE(end - first, tiles / workers + (tiles % workers != 0));
        next = end;
      }
      EXPECT_EQ(next, tiles) << workers << " workers";
    }
}

TEST(ThreadPool, RefusesNoWorkers) {
  auto pool = ThreadPool::create(0, 0);
  ASSERT_FALSE(pool.ok());
  EXPECT_EQ(pool.error().message(), "a thread pool needs at least 1 worker");
}

// Joined steps wait once, at the end of them; a step that every worker does whole for itself does not wait at all, and
// its readers find the worker's own result.
TEST(ThreadPool, WaitsOnlyWhereAStepMust) {
  constexpr uint32_t kTiles = 40;
  for (unsigned workers : kWorkers) {
    auto pool = makePool(workers);
    std::vector<std::atomic<uint32_t>> a(kTiles), b(kTiles), c(kTiles);
    std::vector<std::vector<std::atomic<uint32_t>>> own;
    std::vector<void *> pointers;
    for (unsigned worker = 0; worker < workers; ++worker) {
      own.emplace_back(kTiles);
      pointers.push_back(own.back().data());
    }
    void *first[] = {a.data()}, *second[] = {b.data()}, *third[] = {c.data()};
    int64_t symbols[] = {kTiles};
    Step steps[] = {{countTiles, first, 0, kTiles, true},
                    {countTiles, second, 0, kTiles},
                    {countTiles, pointers.data(), 1, kTiles, false, true},
                    {countTiles, first, 0, 0},
                    {countTiles, third, 0, kTiles}};
    uint64_t before = pool->barriers();
    EXPECT_FALSE(pool->walk(steps, symbols));
    EXPECT_EQ(pool->barriers() - before, 2u);
    for (uint32_t tile = 0; tile < kTiles; ++tile) {
      EXPECT_EQ(a[tile].load() + b[tile].load() + c[tile].load(), 3u);
      for (auto &mine : own)
        EXPECT_EQ(mine[tile].load(), 1u);
    }
    // Work that ends without a barrier gets one, so that nobody is still at it when the walk returns.
    Step alone[] = {{countTiles, third, 0, kTiles}, {countTiles, pointers.data(), 1, kTiles, true, true}};
    before = pool->barriers();
    EXPECT_FALSE(pool->walk(alone, symbols));
    EXPECT_EQ(pool->barriers() - before, 2u);
    for (auto &mine : own)
      EXPECT_EQ(mine[0].load(), 2u);
  }
}

// The caller may change the steps as soon as a walk has returned, also those behind the last that had tiles.
TEST(ThreadPool, LetsGoOfTheStepsWhenAWalkReturns) {
  for (unsigned workers : {2u, 8u}) {
    auto pool = makePool(workers);
    std::vector<std::atomic<uint32_t>> seen(workers);
    void *buffers[] = {seen.data()};
    int64_t symbols[] = {int64_t(workers)};
    std::vector<Step> steps(50, Step{countTiles, buffers, 0, 0});
    for (int repeat = 0; repeat < 3000; ++repeat) {
      for (size_t i = 1; i < steps.size(); ++i)
        steps[i].tiles = 0;
      steps[0].tiles = workers;
      ASSERT_FALSE(pool->walk(steps, symbols));
      for (size_t i = 1; i < steps.size(); ++i)
        steps[i].tiles = workers; // a worker that still read them would count too often
    }
    for (auto &count : seen)
      EXPECT_EQ(count.load(), 3000u);
  }
}
