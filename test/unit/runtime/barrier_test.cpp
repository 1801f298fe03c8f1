// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Barriers and signals: nobody passes before all have come, nobody sleeps through a release, and a spinner gives up
// what does not pay and finds back. Workers outnumber CPUs here, so most waits end in the kernel.
#include "runtime/device/cpu/barrier.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace ingot::runtime;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

namespace {

// Runs work(worker) on `workers` threads.
template <class Work> void onAll(unsigned workers, Work work) {
  std::vector<std::thread> threads;
  for (unsigned worker = 0; worker < workers; ++worker)
    threads.emplace_back(work, worker);
  for (std::thread &thread : threads)
    thread.join();
}

// Counts of one group, of full and ragged groups, and of more groups than a group has workers.
constexpr unsigned kWorkers[] = {1, 2, 3, 8, 9, 16, 33, 96};

// Waits in vain on a word that never changes.
void waitInVain(Spinner &spinner) {
  std::atomic<uint32_t> word{0};
  EXPECT_FALSE(spinner.changed(word, 0));
}

} // namespace

// Each worker adds to a plain counter of its own and reads everyone's after the barrier: a worker let through early, or
// one that does not see what another wrote, finds a smaller number.
TEST(Barrier, HoldsEveryoneUntilAllHaveCome) {
  for (microseconds longest : {microseconds(0), microseconds(100)})
    for (unsigned workers : kWorkers) {
      const uint32_t rounds = workers > 16 ? 100 : 1000;
      Barrier barrier(workers);
      std::vector<uint32_t> counters(workers);
      std::atomic<uint32_t> wrong{0};
      onAll(workers, [&](unsigned worker) {
        Spinner spinner(longest);
        for (uint32_t round = 1; round <= rounds; ++round) {
          counters[worker] = round;
          barrier.arriveAndWait(worker, spinner);
          for (uint32_t counter : counters)
            wrong += counter != round;
          barrier.arriveAndWait(worker, spinner);
        }
      });
      EXPECT_EQ(wrong.load(), 0u) << workers << " workers";
    }
}

// The answer to each advance must come before the next: a lost wake-up hangs.
TEST(Signal, WakesEveryWaiterEachTime) {
  for (microseconds longest : {microseconds(0), microseconds(100)})
    for (unsigned waiters : {1u, 8u, 20u}) {
      constexpr uint32_t kRounds = 300;
      Signal signal(waiters);
      std::atomic<uint32_t> answers{0};
      std::thread teller([&] {
        for (uint32_t round = 1; round <= kRounds; ++round) {
          signal.advance();
          while (answers.load() < round * waiters)
            std::this_thread::yield();
        }
      });
      onAll(waiters, [&](unsigned waiter) {
        Spinner spinner(longest);
        for (uint32_t seen = 0; seen < kRounds; ++seen) {
          signal.waitWhile(waiter, seen, spinner);
          EXPECT_EQ(signal.value(waiter), seen + 1);
          ++answers;
        }
      });
      teller.join();
    }
}

TEST(Spinner, GivesUpWhatDoesNotPay) {
  Spinner spinner{microseconds(100)};
  EXPECT_EQ(spinner.patience(), nanoseconds(100000));
  waitInVain(spinner);
  EXPECT_EQ(spinner.patience(), nanoseconds(50000));
  for (int i = 0; i < 4; ++i) // 25, 12.5, 6.25, and less than is worth a deadline
    waitInVain(spinner);
  EXPECT_EQ(spinner.patience(), nanoseconds(0));
}

TEST(Spinner, FindsBackByWaitsThatEndAtOnce) {
  Spinner spinner{microseconds(100)};
  for (int i = 0; i < 5; ++i)
    waitInVain(spinner);
  std::atomic<uint32_t> word{1};
  for (int i = 0; i < 6; ++i) // 5, 10, 20, 40, 80, 100
    EXPECT_TRUE(spinner.changed(word, 0));
  EXPECT_EQ(spinner.patience(), nanoseconds(100000));
}

// Without a budget a wait is a glance; the 16th is a trial of the whole.
TEST(Spinner, TriesAgainNowAndThen) {
  Spinner spinner{microseconds(100)};
  for (int i = 0; i < 5 + 15; ++i)
    waitInVain(spinner);
  auto start = std::chrono::steady_clock::now();
  waitInVain(spinner);
  EXPECT_GE(std::chrono::steady_clock::now() - start, microseconds(100));
  EXPECT_EQ(spinner.patience(), nanoseconds(0)) << "it was in vain";
}

TEST(Spinner, DoesNotSpinWhenToldNotTo) {
  Spinner spinner{nanoseconds(0)};
  std::atomic<uint32_t> word{1};
  EXPECT_TRUE(spinner.changed(word, 0));
  EXPECT_EQ(spinner.patience(), nanoseconds(0));
  waitInVain(spinner);
  EXPECT_EQ(spinner.patience(), nanoseconds(0));
}
