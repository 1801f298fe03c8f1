// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a barrier costs here: workers do a fixed amount of arithmetic and meet.
//   bench_barrier [WORKERS] [WORK_MICROSECONDS] [HOGS]
// HOGS threads spin beside them, as another program on a busy machine would. The line compares spinning that adapts (as
// the pool does), spinning 100 us at every wait, and sleeping at once.
#include "runtime/device/cpu/barrier.h"

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace ingot::runtime;
using Clock = std::chrono::steady_clock;

namespace {

std::atomic<uint64_t> sink;

void work(uint64_t loops) {
  uint64_t x = loops;
  for (uint64_t i = 0; i < loops; ++i) {
    x = x * 6364136223846793005ull + i;
    asm volatile("" : "+r"(x)); // or the compiler finds a closed form
  }
  sink.store(x, std::memory_order_relaxed);
}

// Loops per microsecond on a CPU of one's own: the best of several tries.
double loopsPerMicrosecond() {
  double best = 0;
  for (int i = 0; i < 50; ++i) {
    auto start = Clock::now();
    work(200000);
    best = std::max(best, 200000 / std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  return best;
}

enum class Waiting { Adapts, AlwaysSpins, Sleeps };

// Barriers a second, nearly all with work before them.
double measure(unsigned workers, uint64_t loops, Waiting waiting) {
  Barrier barrier(workers);
  std::atomic<bool> over{false};
  uint64_t barriers = 0;
  auto start = Clock::now();
  auto run = [&](unsigned worker) {
    std::chrono::microseconds longest(waiting == Waiting::Sleeps ? 0 : 100);
    Spinner spinner(longest);
    for (bool last = false; !last;) {
      for (int i = 0; i < 16; ++i) {
        work(loops);
        if (waiting == Waiting::AlwaysSpins)
          spinner = Spinner(longest);
        barrier.arriveAndWait(worker, spinner);
      }
      if (worker == 0) {
        barriers += 16;
        over = Clock::now() - start > std::chrono::milliseconds(500);
      }
      barrier.arriveAndWait(worker, spinner);
      last = over;
      barrier.arriveAndWait(worker, spinner);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned worker = 1; worker < workers; ++worker)
    threads.emplace_back(run, worker);
  run(0);
  for (std::thread &thread : threads)
    thread.join();
  // Two more barriers end each 16.
  return double(barriers) / 16 * 18 / std::chrono::duration<double>(Clock::now() - start).count();
}

} // namespace

int main(int argc, char **argv) {
  unsigned workers = argc > 1 ? unsigned(std::atoi(argv[1])) : std::thread::hardware_concurrency();
  double microseconds = argc > 2 ? std::atof(argv[2]) : 0;
  unsigned hogs = argc > 3 ? unsigned(std::atoi(argv[3])) : 0;
  auto loops = uint64_t(microseconds * loopsPerMicrosecond());
  std::atomic<bool> over{false};
  std::vector<std::thread> others;
  for (unsigned i = 0; i < hogs; ++i)
    others.emplace_back([&] {
      while (!over)
        work(10000);
    });
  double adapts = measure(workers, loops, Waiting::Adapts);
  double spins = measure(workers, loops, Waiting::AlwaysSpins);
  double sleeps = measure(workers, loops, Waiting::Sleeps);
  std::printf("%u workers, %g us of work, %u hogs; us per round: adapting %.2f, always spinning %.2f, sleeping %.2f\n",
              workers, microseconds, hogs, 1e6 / adapts, 1e6 / spins, 1e6 / sleeps);
  over = true;
  for (std::thread &other : others)
    other.join();
}
