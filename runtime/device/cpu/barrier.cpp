// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See barrier.h. Who sleeps says so before looking at the word a last time, and who advances the word does so before
// looking for sleepers; both in one total order, so at least one of them sees the other.
#include "runtime/device/cpu/barrier.h"

#include <algorithm>
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ingot::runtime {

using std::chrono::nanoseconds;
using Clock = std::chrono::steady_clock;

static constexpr unsigned kGroup = 8;
static constexpr nanoseconds kLeastBudget{5000};
static constexpr uint32_t kFirstInterval = 16, kLongestInterval = 256;

static unsigned groupsOf(unsigned workers) { return (workers + kGroup - 1) / kGroup; }

static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

static void sleepWhile(std::atomic<uint32_t> &word, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

static void wakeAll(std::atomic<uint32_t> &word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

// Some 64 pauses: a microsecond or two.
static bool glance(const std::atomic<uint32_t> &word, uint32_t value) {
  for (int i = 0; i < 64; ++i) {
    if (word.load(std::memory_order_acquire) != value)
      return true;
    relax();
  }
  return false;
}

bool Spinner::changed(const std::atomic<uint32_t> &word, uint32_t value) {
  if (longest.count() == 0)
    return word.load(std::memory_order_acquire) != value;
  if (glance(word, value)) {
    budget = std::min(longest, std::max(2 * budget, kLeastBudget));
    return true;
  }
  bool trial = budget.count() == 0 && ++untried >= interval;
  nanoseconds tried = trial ? longest : budget;
  if (tried.count() > 0) {
    Clock::time_point deadline = Clock::now() + tried;
    do {
      if (glance(word, value)) {
        budget = std::min(longest, 2 * tried);
        interval = kFirstInterval;
        return true;
      }
    } while (Clock::now() < deadline);
  }
  if (trial) {
    interval = std::min(2 * interval, kLongestInterval);
    untried = 0;
  } else if (tried.count() > 0) {
    budget = tried / 2;
    if (budget < kLeastBudget) {
      budget = nanoseconds(0);
      interval = std::max(interval, kFirstInterval);
      untried = 0;
    }
  }
  return false;
}

Signal::Signal(unsigned waiters) : count(groupsOf(waiters)), groups(new Group[count]) {}

uint32_t Signal::value(unsigned waiter) const { return groups[waiter / kGroup].word.load(std::memory_order_acquire); }

void Signal::waitWhile(unsigned waiter, uint32_t seen, Spinner &spinner) {
  Group &group = groups[waiter / kGroup];
  if (spinner.changed(group.word, seen))
    return;
  group.sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (group.word.load(std::memory_order_seq_cst) == seen)
    sleepWhile(group.word, seen);
  group.sleepers.fetch_sub(1, std::memory_order_relaxed);
}

void Signal::advance() {
  // All words before any system call: those who spin need not wait for those who sleep.
  for (unsigned i = 0; i < count; ++i)
    groups[i].word.fetch_add(1, std::memory_order_seq_cst);
  for (unsigned i = 0; i < count; ++i)
    if (groups[i].sleepers.load(std::memory_order_seq_cst) != 0)
      wakeAll(groups[i].word);
}

Barrier::Barrier(unsigned workers) : groups(new Counter[groupsOf(workers)]), released(workers) {
  for (unsigned worker = 0; worker < workers; ++worker)
    ++groups[worker / kGroup].expected;
  root.expected = groupsOf(workers);
}

bool Barrier::Counter::arrive() {
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 < expected)
    return false;
  arrived.store(0, std::memory_order_relaxed);
  return true;
}

void Barrier::arriveAndWait(unsigned worker, Spinner &spinner) {
  uint32_t seen = released.value(worker);
  if (groups[worker / kGroup].arrive() && root.arrive())
    released.advance();
  else
    released.waitWhile(worker, seen, spinner);
}

} // namespace ingot::runtime
