// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See block.h: the order of threads, barriers, instructions of a warp.
#include "test/simulator/block.h"

#include "test/simulator/memory.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <sys/mman.h>

namespace ingot::simulator {

namespace {

Block *current = nullptr;

std::string nameOf(const Block &block, uint32_t thread) {
  return block.launch->name + ", block (" + std::to_string(block.index[0]) + ", " + std::to_string(block.index[1]) +
         ", " + std::to_string(block.index[2]) + "), thread " + std::to_string(thread) + ": ";
}

void runThread(void *argument) {
  Block &block = *static_cast<Block *>(argument);
  block.kernel(block.args);
  block.fibers[block.current].state = Fiber::done;
  block.yield();
}

} // namespace

Block *running() { return current; }

uint8_t *sharedArena() {
  static uint8_t *const arena = [] {
    void *at = mmap(nullptr, kSharedArena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<uint8_t *>(at);
  }();
  return arena;
}

void Block::find(const std::string &what) {
  if (!stopped)
    findings->push_back(nameOf(*this, current) + what);
  stopped = true;
  // The fiber is left where it stands.
  Context left;
  switchTo(left, scheduler);
}

void Block::yield() { switchTo(fibers[current].context, scheduler); }

void Block::meet(const char *name, void *operand, const std::function<void(void *const *)> &work) {
  WarpMeeting &meeting = warps[current / kLanes];
  if (meeting.name && std::strcmp(meeting.name, name) != 0)
    find(std::string("is at ") + name + " while other lanes of its warp are at " + meeting.name +
         "; all 32 lanes must take part");
  meeting.name = name;
  meeting.operands[current % kLanes] = operand;
  if (++meeting.arrived < kLanes) {
    fibers[current].state = Fiber::atWarp;
    yield();
    return;
  }
  work(meeting.operands);
  meeting.name = nullptr;
  meeting.arrived = 0;
  const uint32_t first = current / kLanes * kLanes;
  for (uint32_t thread = first; thread < first + kLanes; ++thread)
    if (thread != current)
      fibers[thread].state = Fiber::ready;
}

void Block::run() {
  fibers.assign(launch->threads, {});
  warps.assign(launch->threads / kLanes, {});
  epoch = waiting = 0;
  shadow.assign(launch->sharedBytes, {});
  std::memset(sharedArena(), 0xff, std::min(kSharedArena, size_t(launch->sharedBytes) + 4096));
  for (uint32_t i = 0; i < launch->threads; ++i)
    prepare(fibers[i].context, i, runThread, this);
  simulator::current = this;
  std::vector<uint32_t> order(launch->threads);
  std::iota(order.begin(), order.end(), 0);
  for (uint32_t finished = 0; finished < launch->threads && !stopped;) {
    std::shuffle(order.begin(), order.end(), random);
    bool moved = false;
    for (uint32_t thread : order) {
      if (fibers[thread].state != Fiber::ready || stopped)
        continue;
      moved = true;
      current = thread;
      switchTo(scheduler, fibers[thread].context);
      if (fibers[thread].state == Fiber::done)
        ++finished;
    }
    if (stopped || moved)
      continue;
    // Nobody can go on: say who waits for whom.
    auto count = [&](Fiber::State state) {
      return std::count_if(fibers.begin(), fibers.end(), [&](const Fiber &f) { return f.state == state; });
    };
    current = uint32_t(std::find_if(fibers.begin(), fibers.end(),
                                    [](const Fiber &f) { return f.state != Fiber::done; }) -
                       fibers.begin());
    const char *what = fibers[current].state == Fiber::atBarrier ? "a barrier" : warps[current / kLanes].name;
    findings->push_back(nameOf(*this, current) + "waits at " + what + " that not all threads come to: " +
                        std::to_string(count(Fiber::atBarrier)) + " at barriers of the block, " +
                        std::to_string(count(Fiber::atWarp)) + " at instructions of their warp, " +
                        std::to_string(count(Fiber::done)) + " have ended");
    stopped = true;
  }
  simulator::current = nullptr;
}

std::vector<std::string> launch(Kernel kernel, const Launch &launch, const ingot_cuda_args &args, uint64_t seed) {
  std::vector<std::string> findings;
  if (launch.threads == 0 || launch.threads > kMostFibers || launch.threads % kLanes != 0 ||
      launch.sharedBytes > kSharedArena - 4096) {
    findings.push_back(launch.name + ": a block of " + std::to_string(launch.threads) + " threads with " +
                       std::to_string(launch.sharedBytes) + " bytes of shared memory cannot be launched");
    return findings;
  }
  Block block{};
  block.kernel = kernel;
  block.launch = &launch;
  block.args = args;
  block.random.seed(seed * 7919 + 17);
  block.findings = &findings;
  std::vector<uint64_t> order(uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2]);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), block.random);
  for (uint64_t number : order) {
    block.index[0] = uint32_t(number % launch.grid[0]);
    block.index[1] = uint32_t(number / launch.grid[0] % launch.grid[1]);
    block.index[2] = uint32_t(number / launch.grid[0] / launch.grid[1]);
    block.run();
    if (block.stopped)
      break;
  }
  return findings;
}

} // namespace ingot::simulator
