// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the workers of a pool wait for each other. No bit of a result follows from any of it. Workers stand in groups of
// 8, each group with cache lines of its own, so that no line is fought for by more than 8 workers or by all groups'
// lasts:
//
//   worker     0 .. 7    8 .. 15   16 .. 23
//   arrive     count 0   count 1   count 2     the last of each group ...
//                     \     |     /
//                       root count             ... arrives here, and the last of all
//   release    word 0    word 1    word 2      advances every group's word, on which its workers wait
//
// A waiting worker spins, then sleeps in the kernel; who releases makes no system call where nobody sleeps.
#ifndef INGOT_RUNTIME_DEVICE_CPU_BARRIER_H
#define INGOT_RUNTIME_DEVICE_CPU_BARRIER_H

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace ingot::runtime {

// How long one worker spins before it sleeps, learned from how its waits ended. Where another program holds the other's
// CPU, or both workers share one, spinning only puts off what is waited for: waits in vain halve the budget down to
// none. From there a full spin is tried now and then, more and more rarely, and one that succeeds restores it.
class alignas(64) Spinner {
public:
  // `longest` 0: never spins.
  explicit Spinner(std::chrono::nanoseconds longest) : longest(longest), budget(longest) {}

  // True as soon as `word` is no longer `value`; false when it was for as long as is worth spinning.
  bool changed(const std::atomic<uint32_t> &word, uint32_t value);

  // What the next wait may spin, a trial left out.
  std::chrono::nanoseconds patience() const { return budget; }

private:
  std::chrono::nanoseconds longest, budget;
  uint32_t untried = 0;  // waits without a budget since the last trial
  uint32_t interval = 0; // of such waits between trials
};

// A count that one thread advances and the others wait on.
class Signal {
public:
  explicit Signal(unsigned waiters);
  // What `waiter` sees of the count. Acquires what was written before the advance that it sees.
  uint32_t value(unsigned waiter) const;
  // Returns when the count is no longer `seen`.
  void waitWhile(unsigned waiter, uint32_t seen, Spinner &spinner);
  // One thread at a time.
  void advance();

private:
  struct alignas(64) Group {
    std::atomic<uint32_t> word{0};
    std::atomic<uint32_t> sleepers{0};
  };
  unsigned count;
  std::unique_ptr<Group[]> groups;
};

class Barrier {
public:
  explicit Barrier(unsigned workers);
  // Returns once all workers have arrived; what they wrote before is then seen. Reusable at once.
  void arriveAndWait(unsigned worker, Spinner &spinner);

private:
  struct alignas(64) Counter {
    std::atomic<uint32_t> arrived{0};
    uint32_t expected = 0;
    bool arrive(); // true for the last; the counter then starts again
  };
  std::unique_ptr<Counter[]> groups;
  Counter root;
  Signal released;
};

} // namespace ingot::runtime

#endif
