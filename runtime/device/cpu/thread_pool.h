// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU's workers. They live as long as the pool; each walks the same list of steps in the same order, does its share
// of a step's tiles and what others have not begun of theirs (shares.h), and meets the others at a barrier after it,
// unless the step needs none. No bit of a result follows from who did which tile.
//
//   step           shares of worker 0 .. W-1
//   0              | 0 1 2 | 3 4 5 | 6 7 8 9 |
//   --- barrier ---
//   1              |   0   |   1   |    2    |
//
// A waiting worker spins for a moment, then sleeps: see barrier.h.
#ifndef INGOT_RUNTIME_DEVICE_CPU_THREAD_POOL_H
#define INGOT_RUNTIME_DEVICE_CPU_THREAD_POOL_H

#include "runtime/core/error.h"
#include "runtime/core/memory.h"
#include "runtime/device/cpu/barrier.h"
#include "runtime/device/cpu/shares.h"
#include "runtime/device/cpu/step_time.h"
#include "runtime/format/kernel_abi.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace ingot::runtime {

// One step of a flattened plan. Trusted: function and buffers were checked at load.
struct Step {
  ingot_kernel function;
  void *const *buffers; // of worker 0; of worker w: buffers + w * stride
  uint32_t stride;      // 0 where all workers have the same
  uint32_t tiles;
  bool joined = false; // no barrier follows
  bool whole = false;  // every worker does all tiles, into memory of its own; no barrier follows
};

// Why a walk stopped: the kernel of `step` returned `code`.
struct StepFailure {
  uint32_t step;
  int32_t code;
};

class ThreadPool {
public:
  // `workers` >= 1 counts the calling thread, so workers-1 threads are started. Each gets `scratchBytes` of its own.
  // `weightBytes`: of the weights that walks read; what the caches do not hold comes from memory each time.
  static Result<std::unique_ptr<ThreadPool>> create(unsigned workers, uint64_t scratchBytes, uint64_t weightBytes = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned workers() const { return unsigned(envs.size()); }
  uint64_t scratchBytes() const { return scratch.size(); }
  // Barriers that all workers have passed since the pool was made.
  uint64_t barriers() const { return passed; }

  // Walks the steps on all workers; the caller is worker 0. Stops after the first step in which a kernel failed (the
  // lowest code, where several did). With `times` ([workers][steps], zeros) every worker writes there when it was
  // where, and all meet once more at the end. One walk at a time.
  std::optional<StepFailure> walk(std::span<const Step> steps, const int64_t *symbols, StepTime *times = nullptr);

private:
  ThreadPool(unsigned workers, uint64_t weightBytes);
  void work(unsigned worker);
  void walkAs(unsigned worker);
  template <bool Timed> void walkSteps(unsigned worker);

  // Learned apart: a walk may begin any time, the others of a barrier are at work.
  struct Waits {
    Spinner start, barrier;
    explicit Waits(std::chrono::nanoseconds longest) : start(longest), barrier(longest) {}
  };

  std::vector<ingot_env> envs;
  Region scratch;
  uint64_t scratchStride = 0;
  std::vector<std::thread> threads;
  std::vector<Waits> waits;

  uint64_t passed = 0; // barriers, counted by worker 0

  // The walk in progress; written by the caller before `epoch` moves.
  std::span<const Step> steps;
  const int64_t *symbols = nullptr;
  StepTime *times = nullptr;
  size_t timesStride = 0; // of a worker's times: the steps as given
  uint64_t number = 1;    // of the walk's first step, among the steps of all walks
  uint64_t begun = 1;     // steps of all walks so far

  Shares shares;
  Signal epoch; // counts walks; workers wait for it between them
  Barrier barrier;
  alignas(64) std::atomic<uint64_t> failures[2]{}; // step << 32 | code, the smallest; by parity of the epoch
  std::atomic<bool> stopping{false};
};

} // namespace ingot::runtime

#endif
