// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See block.h: the order of threads, barriers, instructions of a warp. Lanes of a warp hand over to one another, so
// that an instruction of the warp costs no look at other threads; now and then, and at barriers, another warp is
// chosen.
#include "test/simulator/block.h"

#include "test/simulator/memory.h"

#include <algorithm>
#include <bit>
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
  block.kernel(*block.args);
  ++block.ended;
  block.yield(Fiber::done);
}

uint8_t *reserve(size_t bytes) {
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED)
    std::abort();
  return static_cast<uint8_t *>(at);
}

} // namespace

Block *const &runningBlock = current;
uint8_t *const sharedBegin = reserve(kSharedArena);

void Block::find(const std::string &what) {
  if (!stopped)
    findings->push_back(nameOf(*this, current) + what);
  stopped = true;
  // The fiber is left where it stands.
  Context left;
  switchTo(left, scheduler);
  std::abort();
}

void Block::yield(Fiber::State state) {
  Fiber &mine = fibers[current];
  Warp &warp = warps[current / kLanes];
  mine.state = state;
  if (state != Fiber::ready)
    warp.ready &= ~(1u << warp.places[current % kLanes]);
  if (warp.ready == 0 || state == Fiber::ready) {
    switchTo(mine.context, scheduler);
    return;
  }
  const uint32_t place = (uint32_t(std::countr_zero(std::rotr(warp.ready, int(warp.turn)))) + warp.turn) % kLanes;
  current = current / kLanes * kLanes + warp.lanes[place];
  switchTo(mine.context, fibers[current].context);
}

void Block::findMeeting(const Warp &warp, const char *name) {
  find(std::string("is at ") + name + " while other lanes of its warp are at " + warp.name +
       "; all 32 lanes must take part");
}

bool Block::arrive(Warp &warp, const char *name, void *operand) {
  if (warp.name && warp.name != name && std::strcmp(warp.name, name) != 0)
    findMeeting(warp, name);
  warp.name = name;
  warp.operands[current % kLanes] = operand;
  if (++warp.arrived == kLanes)
    return false;
  yield(Fiber::atWarp);
  return true;
}

void Block::leave(Warp &warp) {
  warp.name = nullptr;
  warp.arrived = 0;
  warp.ready = ~0u;
  const uint32_t first = current / kLanes * kLanes;
  for (uint32_t thread = first; thread < first + kLanes; ++thread)
    fibers[thread].state = Fiber::ready;
  const uint32_t number = random();
  warp.turn = number % kLanes;
  if (number >> 28 == 0) // another warp
    yield(Fiber::ready);
}

void Block::meetAll(const void *where) {
  if (waiting > 0 && barrier != where)
    find("is at a barrier while thread " + std::to_string(firstAtBarrier) +
         " is at another: threads of a block must meet at the same one");
  if (waiting == 0)
    firstAtBarrier = current;
  barrier = where;
  if (++waiting < fibers.size()) {
    yield(Fiber::atBarrier);
    return;
  }
  waiting = 0;
  ++epoch;
  any = false;
  for (Fiber &fiber : fibers) {
    any |= fiber.condition;
    fiber.condition = false;
    fiber.state = Fiber::ready;
  }
  for (Warp &warp : warps)
    warp.ready = ~0u;
  yield(Fiber::ready);
}

void Block::findDeadlock() {
  auto count = [&](Fiber::State state) {
    return std::count_if(fibers.begin(), fibers.end(), [&](const Fiber &f) { return f.state == state; });
  };
  current = uint32_t(std::find_if(fibers.begin(), fibers.end(), [](const Fiber &f) { return f.state != Fiber::done; }) -
                     fibers.begin());
  const char *what = fibers[current].state == Fiber::atBarrier ? "a barrier" : warps[current / kLanes].name;
  findings->push_back(nameOf(*this, current) + "waits at " + what +
                      " that not all threads come to: " + std::to_string(count(Fiber::atBarrier)) +
                      " at barriers of the block, " + std::to_string(count(Fiber::atWarp)) +
                      " at instructions of their warp, " + std::to_string(count(Fiber::done)) + " have ended");
  stopped = true;
}

void Block::start() {
  firstEpoch = ++epoch;
  waiting = ended = 0;
  for (uint32_t i = 0; i < launch->threads; ++i) {
    Fiber &fiber = fibers[i];
    fiber.state = Fiber::ready;
    fiber.condition = false;
    fiber.groups = 0;
    fiber.landed = 0;
    fiber.copies.clear();
    prepare(fiber.context, i, runThread, this);
  }
  for (Warp &warp : warps) {
    warp.name = nullptr;
    warp.arrived = warp.sync = 0;
    warp.ready = ~0u;
    std::iota(warp.lanes, warp.lanes + kLanes, 0);
    std::shuffle(warp.lanes, warp.lanes + kLanes, random);
    for (uint32_t place = 0; place < kLanes; ++place)
      warp.places[warp.lanes[place]] = uint8_t(place);
    warp.turn = random() % kLanes;
  }
}

void Block::run() {
  start();
  simulator::current = this;
  while (!stopped && ended < launch->threads) {
    // Any warp that can run, from a random one on.
    const uint32_t count = uint32_t(warps.size()), from = random() % count;
    uint32_t i = 0;
    while (i < count && warps[(from + i) % count].ready == 0)
      ++i;
    if (i == count) {
      findDeadlock();
      break;
    }
    const uint32_t number = (from + i) % count;
    Warp &warp = warps[number];
    const uint32_t place = (uint32_t(std::countr_zero(std::rotr(warp.ready, int(warp.turn)))) + warp.turn) % kLanes;
    current = number * kLanes + warp.lanes[place];
    switchTo(scheduler, fibers[current].context);
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
  block.args = &args;
  block.random.state = (seed + 1) * 0x9e3779b97f4a7c15ull | 1;
  block.findings = &findings;
  block.fibers.resize(launch.threads);
  block.warps.resize(launch.threads / kLanes);
  block.words.resize((launch.sharedBytes + 3) / 4);
  block.bytes.resize(block.words.size() * 4);
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
