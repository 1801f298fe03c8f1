// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See thread_pool.h. Why a failed kernel stops all workers at the same step: a failure of step i is recorded before
// the next barrier, so after it every worker sees it; one of a later step, seen early, is larger and ignored until
// then.
#include "runtime/device/cpu/thread_pool.h"

#include "runtime/core/cpu_features.h"
#include "runtime/core/machine.h"

#include <algorithm>
#include <system_error>

namespace ingot::runtime {

using Clock = std::chrono::steady_clock;

// UBSan looks for a function's type in front of it, where machine code out of an engine has none.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
static int32_t
call(const Step &step, const ingot_env *env, const int64_t *symbols, uint32_t first, uint32_t end, void *scratch) {
  return step.function(env, step.buffers + size_t(env->worker) * step.stride, symbols, first, end, scratch);
}

// A few times what a sleep and its wake-up take (36 us, measured on two CPUs of a virtual machine): where spinning is
// in vain that is lost a few times only. Where workers outnumber CPUs, a spinning one only keeps another from its work.
static std::chrono::nanoseconds longestSpin(unsigned workers) {
  return std::chrono::microseconds(workers <= allowedCpus() ? 100 : 0);
}

ThreadPool::ThreadPool(unsigned workers, uint64_t weightBytes)
    : envs(workers), waits(workers, Waits(longestSpin(workers))), shares(workers), epoch(workers), barrier(workers) {
  CacheSizes caches = cacheSizes();
  // Caches are read alike in any number of streams. Weights of up to twice their size are found there in part.
  const uint64_t lastLevels = (workers + caches.l3Cores - 1) / caches.l3Cores;
  const unsigned streams = weightBytes > 2 * caches.l3 * lastLevels ? CpuFeatures::host().readStreams() : 0;
  for (unsigned worker = 0; worker < workers; ++worker)
    envs[worker] = {INGOT_KERNEL_ABI,
                    worker,
                    workers,
                    streams,
                    caches.l1,
                    caches.l2,
                    caches.l3 / std::max(1u, std::min(workers, caches.l3Cores))};
}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(unsigned workers, uint64_t scratchBytes,
                                                       uint64_t weightBytes) {
  if (workers == 0)
    return makeError(ErrorCode::InvalidArgument, "a thread pool needs at least 1 worker");
  std::unique_ptr<ThreadPool> pool(new ThreadPool(workers, weightBytes));
  // Where there is as much as a large page, each begins with one: products on tiles keep what they multiply there, and in
  // small pages, wherever those lie, it pushes itself out of the second cache. What follows costs what is touched.
  const uint64_t granule = scratchBytes >= kLargePage ? kLargePage : 4096;
  pool->scratchStride = (scratchBytes + granule - 1) / granule * granule;
  INGOT_ASSIGN_OR_RETURN(pool->scratch, Region::reserve(pool->scratchStride * workers, "the kernels' scratch memory"));
  if (scratchBytes >= kLargePage)
    for (uint64_t first = 0; first < pool->scratch.size(); first += pool->scratchStride)
      pool->scratch.preferLargePages(first, first + kLargePage);
  for (unsigned worker = 1; worker < workers; ++worker) {
    try {
      pool->threads.emplace_back(&ThreadPool::work, pool.get(), worker);
    } catch (const std::system_error &failure) {
      return makeError(ErrorCode::ResourceExhausted, "cannot start thread %u of %u: %s; use fewer threads", worker + 1,
                       workers, failure.what());
    }
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  stopping.store(true, std::memory_order_relaxed);
  epoch.advance();
  for (std::thread &thread : threads)
    thread.join();
}

void ThreadPool::work(unsigned worker) {
  for (uint32_t seen = 0;;) {
    epoch.waitWhile(worker, seen, waits[worker].start);
    seen = epoch.value(worker);
    if (stopping.load(std::memory_order_relaxed))
      return;
    walkAs(worker);
  }
}

void ThreadPool::walkAs(unsigned worker) {
  if (!times)
    return walkSteps<false>(worker);
  walkSteps<true>(worker);
  // Nobody may read the times before their last writer is done.
  if (envs.size() > 1)
    barrier.arriveAndWait(worker, waits[worker].barrier);
}

static int64_t now() { return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count(); }

template <bool Timed> void ThreadPool::walkSteps(unsigned worker) {
  // Copies: once past the last barrier the caller may be setting up the next walk.
  const std::span<const Step> list = steps;
  const int64_t *const values = symbols;
  const uint64_t first = number;
  std::atomic<uint64_t> &failure = failures[epoch.value(worker) & 1];
  const uint64_t workers = envs.size();
  const ingot_env *env = &envs[worker];
  void *own = scratch.data() + worker * scratchStride;
  StepTime *const time = Timed ? times + worker * timesStride : nullptr;
  bool waited = false;                 // a barrier was passed
  bool pending = false, dirty = false; // shared work, any work was done since
  for (uint32_t index = 0; index < list.size(); ++index) {
    const Step &step = list[index];
    if (step.tiles != 0) {
      if constexpr (Timed)
        time[index].began = now();
      auto work = [&](TileRange range) {
        if (int32_t code = call(step, env, values, range.first, range.end, own)) {
          uint64_t mine = uint64_t(index) << 32 | uint32_t(code);
          uint64_t least = failure.load(std::memory_order_relaxed);
          while (mine < least && !failure.compare_exchange_weak(least, mine, std::memory_order_relaxed)) {
          }
        }
      };
      if (step.whole || workers == 1)
        work({0, step.tiles});
      else
        shares.over(worker, first + index, step.tiles, work);
      if constexpr (Timed)
        time[index].worked = time[index].passed = now();
      pending |= !step.whole;
      dirty = true;
    }
    // All work ends in a barrier, so that no worker is still here when the caller returns.
    const bool last = index + 1 == list.size();
    if (last ? dirty || !waited : pending && !step.joined && !step.whole) {
      if (workers > 1)
        barrier.arriveAndWait(worker, waits[worker].barrier);
      if constexpr (Timed)
        if (step.tiles != 0)
          time[index].passed = now();
      if (worker == 0) // the others may not even store what they read there
        ++passed;
      waited = true;
      pending = dirty = false;
      if (failure.load(std::memory_order_relaxed) >> 32 <= index)
        return;
    }
  }
}

std::optional<StepFailure> ThreadPool::walk(std::span<const Step> list, const int64_t *values, StepTime *into) {
  timesStride = list.size();
  // The last step has tiles, so that a walk ends in a barrier: nobody reads the steps once the caller may change them.
  while (!list.empty() && list.back().tiles == 0)
    list = list.first(list.size() - 1);
  if (list.empty())
    return std::nullopt;
  steps = list;
  symbols = values;
  times = into;
  number = begun;
  begun += list.size();
  uint32_t next = epoch.value(0) + 1;
  // Two slots take turns: a worker may still be reading the last walk's when this one starts, but not the one before's,
  // because it took part in the last walk's barriers.
  std::atomic<uint64_t> &failure = failures[next & 1];
  failure.store(~0ull, std::memory_order_relaxed);
  epoch.advance();
  walkAs(0);
  uint64_t found = failure.load(std::memory_order_relaxed);
  if (found == ~0ull)
    return std::nullopt;
  return StepFailure{uint32_t(found >> 32), int32_t(uint32_t(found))};
}

} // namespace ingot::runtime
