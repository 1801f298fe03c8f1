// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The primitives of primitives_host.h that concern other threads or memory, as the PTX manual defines them.
#include "compiler/target/cuda/device/primitives.h"
#include "test/simulator/block.h"

#include <cmath>
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

[[noreturn]] __attribute__((noinline)) void findUnset(const char *what, int i) {
  running()->find(std::string("gives mma a fragment ") + what + " whose register " + std::to_string(i) +
                  " nothing was put into");
}
inline void checkSet(const uint32_t *registers, int count, uint32_t nothing, const char *what) {
  for (int i = 0; i < count; ++i)
    if (registers[i] == nothing) [[unlikely]]
      findUnset(what, i);
}

struct MmaOperands {
  void *c;
  const FragmentA *a;
  const FragmentB *b;
};

// Tensor cores truncate their sums in f32 instead of rounding them (Fasi, Higham, Mikaitis, Pranesh: Numerical behavior of
// NVIDIA tensor cores, 2021), so that errors of one sign add up.
float truncated(double sum) {
  const float nearest = float(sum);
  return std::fabs(double(nearest)) > std::fabs(sum) ? std::nextafter(nearest, 0.0f) : nearest;
}

template <class Type> void multiply16(FragmentC &c, const FragmentA &a, const FragmentB &b, const char *name) {
  checkSet(a.r, 4, kNothing, "a");
  checkSet(b.r, 2, kNothing, "b");
  checkSet(reinterpret_cast<const uint32_t *>(c.r), 4, kNoFloat, "c");
  MmaOperands mine{&c, &a, &b};
  running()->meet(name, &mine, [](void *const *lanes) {
    double ofA[16][16], ofB[16][8]; // [row][k], [k][column]
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const auto &of = *static_cast<MmaOperands *>(lanes[lane]);
      const uint32_t g = lane / 4, t = lane % 4;
      for (uint32_t i = 0; i < 4; ++i) {
        ofA[g + i % 2 * 8][2 * t + i / 2 * 8] = double(toFloat(Type{uint16_t(of.a->r[i])}));
        ofA[g + i % 2 * 8][2 * t + i / 2 * 8 + 1] = double(toFloat(Type{uint16_t(of.a->r[i] >> 16)}));
      }
      for (uint32_t i = 0; i < 2; ++i) {
        ofB[2 * t + i * 8][g] = double(toFloat(Type{uint16_t(of.b->r[i])}));
        ofB[2 * t + i * 8 + 1][g] = double(toFloat(Type{uint16_t(of.b->r[i] >> 16)}));
      }
    }
    for (uint32_t row = 0; row < 16; ++row) {
      // The order of a tensor core's sums is not defined; this is in double and truncated once.
      double sums[8] = {};
      for (uint32_t k = 0; k < 16; ++k)
        for (uint32_t column = 0; column < 8; ++column)
          sums[column] += ofA[row][k] * ofB[k][column];
      for (uint32_t column = 0; column < 8; ++column) {
        const auto &of = *static_cast<MmaOperands *>(lanes[row % 8 * 4 + column / 2]);
        float &to = static_cast<FragmentC *>(of.c)->r[row / 8 * 2 + column % 2];
        to = truncated(sums[column] + double(to));
      }
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
  Fiber &mine = block.fibers[block.current];
  const Copy copy{static_cast<uint8_t *>(shared), global, bytes, size, mine.groups};
  block.issue(copy);
  mine.copies.push_back(copy);
}

} // namespace

uint32_t thread() { return running()->current; }
uint32_t threads() { return running()->launch->threads; }
uint32_t blockX() { return running()->index[0]; }
uint32_t blockY() { return running()->index[1]; }
uint32_t gridX() { return running()->launch->grid[0]; }
unsigned char *sharedMemory() { return sharedArena(); }

__attribute__((noinline)) void barrier() { running()->meetAll(__builtin_return_address(0)); }
__attribute__((noinline)) bool barrierAny(bool condition) {
  Block &block = *running();
  block.fibers[block.current].condition = condition;
  running()->meetAll(__builtin_return_address(0));
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
                  [](uint32_t lane, uint32_t delta) { return lane < delta % kLanes ? lane : lane - delta % kLanes; });
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
template <class Register> void checkSetInAny(void *const *lanes, const char *what, int i, Register of) {
  for (uint32_t lane = 0; lane < kLanes; ++lane)
    if (of(*static_cast<MmaOperands *>(lanes[lane])) != kNothing)
      return;
  findUnset(what, i);
}

void multiply8(FragmentInt &c, const FragmentA &a, const FragmentB &b, const char *name) {
  checkSet(reinterpret_cast<const uint32_t *>(c.r), 4, kNothing, "c");
  MmaOperands mine{&c, &a, &b};
  running()->meet(name, &mine, [](void *const *lanes) {
    // Four integers may well be what the pattern is, but not those of a whole warp.
    for (int i = 0; i < 4; ++i)
      checkSetInAny(lanes, "a", i, [i](const MmaOperands &of) { return of.a->r[i]; });
    for (int i = 0; i < 2; ++i)
      checkSetInAny(lanes, "b", i, [i](const MmaOperands &of) { return of.b->r[i]; });
    int32_t ofA[16][32], ofB[32][8]; // [row][k], [k][column]
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const auto &of = *static_cast<MmaOperands *>(lanes[lane]);
      const uint32_t g = lane / 4, t = lane % 4;
      for (uint32_t byte = 0; byte < 4; ++byte) {
        for (uint32_t i = 0; i < 4; ++i)
          ofA[g + i % 2 * 8][4 * t + i / 2 * 16 + byte] = int8_t(of.a->r[i] >> (8 * byte));
        for (uint32_t i = 0; i < 2; ++i)
          ofB[4 * t + i * 16 + byte][g] = int8_t(of.b->r[i] >> (8 * byte));
      }
    }
    for (uint32_t row = 0; row < 16; ++row) {
      int32_t sums[8] = {};
      for (uint32_t k = 0; k < 32; ++k)
        for (uint32_t column = 0; column < 8; ++column)
          sums[column] += ofA[row][k] * ofB[k][column];
      for (uint32_t column = 0; column < 8; ++column) {
        const auto &of = *static_cast<MmaOperands *>(lanes[row % 8 * 4 + column / 2]);
        int32_t &to = static_cast<FragmentInt *>(of.c)->r[row / 8 * 2 + column % 2];
        to = int32_t(uint32_t(to) + uint32_t(sums[column])); // wraps
      }
    }
  });
}
} // namespace
void mmaS8S8(FragmentInt &c, const FragmentA &a, const FragmentB &b) { multiply8(c, a, b, "mma of s8 by s8"); }
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
  ++block.fibers[block.current].groups;
}
void waitForCopies(int left) {
  Block &block = *running();
  Fiber &mine = block.fibers[block.current];
  // Copies after the last commit are no group's yet, and are not waited for. No two that are on their way write the
  // same byte, so the order in which they land is not seen.
  while (mine.landed < mine.copies.size() && mine.copies[mine.landed].group + uint32_t(left) < mine.groups)
    block.land(mine.copies[mine.landed++]);
  if (mine.landed == mine.copies.size()) {
    mine.copies.clear();
    mine.landed = 0;
  }
}

Vector16 loadCoherent(const Vector16 *global) {
  checkAccess(global, 16, false, true);
  return *global;
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
