// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The primitives of primitives_host.h that concern other threads or memory, as the PTX manual defines them.
#include "compiler/target/cuda/device/primitives.h"
#include "test/simulator/block.h"

#include <algorithm>
#include <cstring>

using ingot::simulator::Block;
using ingot::simulator::checkAccess;
using ingot::simulator::Copy;
using ingot::simulator::Fiber;
using ingot::simulator::kLanes;
using ingot::simulator::running;
using ingot::simulator::sharedArena;

namespace ingot::device {

namespace {

// What -ftrivial-auto-var-init=pattern leaves in a register that nothing was put into: of integers, of floats.
constexpr uint32_t kNothing = 0xaaaaaaaa, kNoFloat = 0xffffffff;

void checkSet(const uint32_t *registers, int count, uint32_t nothing, const char *what) {
  for (int i = 0; i < count; ++i)
    if (registers[i] == nothing)
      running()->find(std::string("gives mma a fragment ") + what + " whose register " + std::to_string(i) +
                      " nothing was put into");
}

struct MmaOperands {
  void *c;
  const FragmentA *a;
  const FragmentB *b;
};

// Element [row][k] of A and [k][column] of B, of 16 bits.
uint16_t elementA(void *const *lanes, int row, int k) {
  const auto &of = *static_cast<MmaOperands *>(lanes[row % 8 * 4 + k % 8 / 2]);
  const uint32_t pair = of.a->r[row / 8 + k / 8 * 2];
  return uint16_t(pair >> (k % 2 * 16));
}
uint16_t elementB(void *const *lanes, int k, int column) {
  const auto &of = *static_cast<MmaOperands *>(lanes[column * 4 + k % 8 / 2]);
  return uint16_t(of.b->r[k / 8] >> (k % 2 * 16));
}

template <class Type> void multiply16(FragmentC &c, const FragmentA &a, const FragmentB &b, const char *name) {
  checkSet(a.r, 4, kNothing, "a");
  checkSet(b.r, 2, kNothing, "b");
  checkSet(reinterpret_cast<const uint32_t *>(c.r), 4, kNoFloat, "c");
  MmaOperands mine{&c, &a, &b};
  running()->meet(name, &mine, [](void *const *lanes) {
    float sums[16][8];
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        // The order of a tensor core's sums is not defined; this is in double and rounded once.
        double sum = 0;
        for (int k = 0; k < 16; ++k)
          sum += double(toFloat(Type{elementA(lanes, row, k)})) * double(toFloat(Type{elementB(lanes, k, column)}));
        const auto &of = *static_cast<MmaOperands *>(lanes[row % 8 * 4 + column / 2]);
        sums[row][column] = float(sum + static_cast<FragmentC *>(of.c)->r[row / 8 * 2 + column % 2]);
      }
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        const auto &of = *static_cast<MmaOperands *>(lanes[row % 8 * 4 + column / 2]);
        static_cast<FragmentC *>(of.c)->r[row / 8 * 2 + column % 2] = sums[row][column];
      }
  });
}

void loadMatrices(uint32_t (&r)[4], const void *row, bool transposed, const char *name) {
  checkAccess(row, 16, false, true);
  struct Operands {
    uint32_t *r;
    const void *row;
  } mine{r, row};
  running()->meet(name, &mine, [transposed](void *const *lanes) {
    uint32_t values[32][4];
    for (int lane = 0; lane < 32; ++lane)
      for (int matrix = 0; matrix < 4; ++matrix) {
        const int g = lane / 4, t = lane % 4;
        uint16_t pair[2];
        for (int i = 0; i < 2; ++i) {
          const int line = transposed ? 2 * t + i : g, column = transposed ? g : 2 * t + i;
          const auto *from = static_cast<Operands *>(lanes[matrix * 8 + line]);
          std::memcpy(&pair[i], static_cast<const uint8_t *>(from->row) + column * 2, 2);
        }
        values[lane][matrix] = uint32_t(pair[0]) | uint32_t(pair[1]) << 16;
      }
    for (int lane = 0; lane < 32; ++lane)
      std::memcpy(static_cast<Operands *>(lanes[lane])->r, values[lane], 16);
  });
}

// All lanes give a value, and each takes that of the lane `from(lane)`.
template <class From> uint32_t exchange(uint32_t value, uint32_t argument, const char *name, From from) {
  struct Operands {
    uint32_t value, argument, result;
  } mine{value, argument, 0};
  running()->meet(name, &mine, [&](void *const *lanes) {
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      auto *of = static_cast<Operands *>(lanes[lane]);
      of->result = static_cast<Operands *>(lanes[from(lane, of->argument) % kLanes])->value;
    }
  });
  return mine.result;
}

void meetBlock(const void *where) {
  Block &block = *running();
  Fiber &mine = block.fibers[block.current];
  if (block.waiting > 0)
    for (const Fiber &other : block.fibers)
      if (other.state == Fiber::atBarrier && other.where != where)
        block.find("is at a barrier while thread " + std::to_string(&other - block.fibers.data()) +
                   " is at another: threads of a block must meet at the same one");
  mine.where = where;
  if (++block.waiting < block.fibers.size()) {
    mine.state = Fiber::atBarrier;
    block.yield();
    return;
  }
  block.waiting = 0;
  ++block.epoch;
  block.any = false;
  for (Fiber &fiber : block.fibers) {
    block.any |= fiber.condition;
    fiber.condition = false;
    fiber.state = Fiber::ready;
  }
}

void checkCopy(void *shared, const void *global, uint32_t bytes, uint32_t size) {
  Block &block = *running();
  const uint8_t *at = static_cast<const uint8_t *>(shared);
  if (at < sharedArena() || at >= sharedArena() + simulator::kSharedArena)
    block.find("copies asynchronously to what is not shared memory");
  if (reinterpret_cast<uintptr_t>(shared) % size || (bytes && reinterpret_cast<uintptr_t>(global) % size))
    block.find("copies " + std::to_string(size) + " bytes asynchronously from or to what is not aligned to them");
  if (size_t(at - sharedArena()) + size > block.launch->sharedBytes)
    block.find("copies asynchronously to byte " + std::to_string(at - sharedArena()) +
               " of shared memory, of which the block has " + std::to_string(block.launch->sharedBytes));
  if (bytes)
    checkAccess(global, bytes, false, false);
  Copy copy{shared, global, bytes, size};
  block.issue(copy);
  block.fibers[block.current].open.push_back(copy);
}

} // namespace

uint32_t thread() { return running()->current; }
uint32_t threads() { return running()->launch->threads; }
uint32_t blockX() { return running()->index[0]; }
uint32_t blockY() { return running()->index[1]; }
uint32_t blockZ() { return running()->index[2]; }
uint32_t gridX() { return running()->launch->grid[0]; }
uint32_t gridY() { return running()->launch->grid[1]; }
uint32_t gridZ() { return running()->launch->grid[2]; }
unsigned char *sharedMemory() { return sharedArena(); }

__attribute__((noinline)) void barrier() { meetBlock(__builtin_return_address(0)); }
__attribute__((noinline)) bool barrierAny(bool condition) {
  Block &block = *running();
  block.fibers[block.current].condition = condition;
  meetBlock(__builtin_return_address(0));
  return block.any;
}
void barrierWarp() {
  int nothing = 0;
  Block &block = *running();
  const uint32_t warp = block.current / kLanes;
  block.meet("barrierWarp", &nothing, [&](void *const *) { ++block.warps[warp].sync; });
}
void fence() {}

uint32_t shuffle(uint32_t value, uint32_t from) {
  return exchange(value, from, "shuffle", [](uint32_t, uint32_t from) { return from; });
}
uint32_t shuffleXor(uint32_t value, uint32_t mask) {
  return exchange(value, mask, "shuffleXor", [](uint32_t lane, uint32_t mask) { return lane ^ mask; });
}
uint32_t shuffleUp(uint32_t value, uint32_t delta) {
  return exchange(value, delta, "shuffleUp",
                  [](uint32_t lane, uint32_t delta) { return lane < delta ? lane : lane - delta; });
}
uint32_t ballot(bool condition) {
  struct Operands {
    bool condition;
    uint32_t result;
  } mine{condition, 0};
  running()->meet("ballot", &mine, [](void *const *lanes) {
    uint32_t bits = 0;
    for (uint32_t lane = 0; lane < kLanes; ++lane)
      bits |= uint32_t(static_cast<Operands *>(lanes[lane])->condition) << lane;
    for (uint32_t lane = 0; lane < kLanes; ++lane)
      static_cast<Operands *>(lanes[lane])->result = bits;
  });
  return mine.result;
}

void mma(FragmentC &c, const FragmentA &a, const FragmentB &b, bf16) { multiply16<bf16>(c, a, b, "mma of bf16"); }
void mma(FragmentC &c, const FragmentA &a, const FragmentB &b, f16) { multiply16<f16>(c, a, b, "mma of f16"); }
namespace {
template <class OfB> void multiply8(FragmentInt &c, const FragmentA &a, const FragmentB &b, const char *name) {
  checkSet(a.r, 4, kNothing, "a");
  checkSet(b.r, 2, kNothing, "b");
  checkSet(reinterpret_cast<const uint32_t *>(c.r), 4, kNothing, "c");
  MmaOperands mine{&c, &a, &b};
  running()->meet(name, &mine, [](void *const *lanes) {
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        int32_t sum = 0;
        for (int k = 0; k < 32; ++k) {
          const auto &ofA = *static_cast<MmaOperands *>(lanes[row % 8 * 4 + k % 16 / 4]);
          const auto &ofB = *static_cast<MmaOperands *>(lanes[column * 4 + k % 16 / 4]);
          const auto x = int8_t(ofA.a->r[row / 8 + k / 16 * 2] >> (k % 4 * 8));
          const auto y = OfB(ofB.b->r[k / 16] >> (k % 4 * 8));
          sum += int32_t(x) * int32_t(y);
        }
        const auto &of = *static_cast<MmaOperands *>(lanes[row % 8 * 4 + column / 2]);
        static_cast<FragmentInt *>(of.c)->r[row / 8 * 2 + column % 2] += sum;
      }
  });
}
} // namespace
void mmaS8U8(FragmentInt &c, const FragmentA &a, const FragmentB &b) { multiply8<uint8_t>(c, a, b, "mma of s8 by u8"); }
void mmaS8S8(FragmentInt &c, const FragmentA &a, const FragmentB &b) { multiply8<int8_t>(c, a, b, "mma of s8 by s8"); }
void loadMatrix4(uint32_t (&r)[4], const void *row) { loadMatrices(r, row, false, "loadMatrix4"); }
void loadMatrix4Transposed(uint32_t (&r)[4], const void *row) { loadMatrices(r, row, true, "loadMatrix4Transposed"); }

void copyAsync16(void *shared, const void *global, uint32_t bytes) {
  if (bytes > 16)
    running()->find("copies " + std::to_string(bytes) + " of 16 bytes asynchronously");
  checkCopy(shared, global, bytes, 16);
}
void copyAsync4(void *shared, const void *global, uint32_t bytes) {
  if (bytes != 0 && bytes != 4)
    running()->find("copies " + std::to_string(bytes) + " of 4 bytes asynchronously");
  checkCopy(shared, global, bytes, 4);
}
void commitCopies() {
  Block &block = *running();
  Fiber &mine = block.fibers[block.current];
  mine.groups.push_back(std::move(mine.open));
  mine.open.clear();
}
void waitForCopies(int left) {
  Block &block = *running();
  Fiber &mine = block.fibers[block.current];
  while (mine.groups.size() > size_t(left)) {
    std::vector<Copy> group = std::move(mine.groups.front());
    mine.groups.erase(mine.groups.begin());
    std::shuffle(group.begin(), group.end(), block.random);
    for (const Copy &copy : group)
      block.land(copy);
  }
}

Vector16 loadStream(const void *global) {
  checkAccess(global, 16, false, true);
  Vector16 value;
  std::memcpy(&value, global, 16);
  return value;
}
float loadCoherent(const float *global) {
  checkAccess(global, 4, false, true);
  return *global;
}
uint32_t atomicAddGlobal(uint32_t *address, uint32_t value) {
  checkAccess(address, 4, true, true);
  const uint32_t before = *address;
  *address = before + value;
  return before;
}
void atomicStoreIfZero(int32_t *address, int32_t value) {
  checkAccess(address, 4, true, true);
  if (*address == 0)
    *address = value;
}

} // namespace ingot::device
