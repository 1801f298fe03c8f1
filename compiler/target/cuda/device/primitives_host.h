// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The primitives for the host: what kernels are compiled against for the simulated device (test/simulator). What only
// computes stands here; what concerns other threads, or memory, is the simulator's, which checks how it is used.
#ifndef INGOT_CUDA_DEVICE_PRIMITIVES_HOST_H
#define INGOT_CUDA_DEVICE_PRIMITIVES_HOST_H

#include <bit>
#include <cmath>
#include <cstring>

#define INGOT_DEVICE inline
#define INGOT_CONSTEXPR constexpr
#define INGOT_KERNEL(name, threads) extern "C" __attribute__((visibility("default"))) void name(ingot_cuda_args args)

// What several threads do together must not be moved under conditions that only some of them meet, nor be copied there.
#define INGOT_TOGETHER __attribute__((convergent))

namespace ingot::device {

uint32_t thread();
uint32_t threads();
inline uint32_t lane() { return thread() & 31; }
inline uint32_t warp() { return thread() >> 5; }
uint32_t blockX();
uint32_t blockY();
uint32_t gridX();
unsigned char *sharedMemory();

INGOT_TOGETHER void barrier();
INGOT_TOGETHER bool barrierAny(bool condition);
INGOT_TOGETHER void barrierWarp();
void fence();

INGOT_TOGETHER uint32_t shuffle(uint32_t value, uint32_t from);
INGOT_TOGETHER uint32_t shuffleXor(uint32_t value, uint32_t mask);
INGOT_TOGETHER uint32_t shuffleUp(uint32_t value, uint32_t delta);
inline float shuffle(float value, uint32_t from) {
  return std::bit_cast<float>(shuffle(std::bit_cast<uint32_t>(value), from));
}
inline int32_t shuffle(int32_t value, uint32_t from) { return (int32_t)shuffle((uint32_t)value, from); }
inline float shuffleXor(float value, uint32_t mask) {
  return std::bit_cast<float>(shuffleXor(std::bit_cast<uint32_t>(value), mask));
}
inline int32_t shuffleXor(int32_t value, uint32_t mask) { return (int32_t)shuffleXor((uint32_t)value, mask); }
inline float shuffleUp(float value, uint32_t delta) {
  return std::bit_cast<float>(shuffleUp(std::bit_cast<uint32_t>(value), delta));
}
inline int32_t shuffleUp(int32_t value, uint32_t delta) { return (int32_t)shuffleUp((uint32_t)value, delta); }
INGOT_TOGETHER uint32_t ballot(bool condition);

INGOT_TOGETHER void mma(FragmentC &c, const FragmentA &a, const FragmentB &b, bf16);
INGOT_TOGETHER void mma(FragmentC &c, const FragmentA &a, const FragmentB &b, f16);
INGOT_TOGETHER void mmaS8S8(FragmentInt &c, const FragmentA &a, const FragmentB &b);
INGOT_TOGETHER void loadMatrix4(uint32_t (&r)[4], const void *row);
INGOT_TOGETHER void loadMatrix4Transposed(uint32_t (&r)[4], const void *row);

void copyAsync16(void *shared, const void *global, uint32_t bytes = 16);
void copyAsync4(void *shared, const void *global, uint32_t bytes = 4);
void commitCopies();
void waitForCopies(int left);
template <int left> inline void waitCopies() { waitForCopies(left); }

float loadCoherent(const float *global);
Vector16 loadCoherent(const Vector16 *global);
uint32_t atomicAddGlobal(uint32_t *address, uint32_t value);
void atomicStoreIfZero(int32_t *address, int32_t value);

inline void waitForPreviousLaunch() {}
inline void letNextLaunchBegin() {}

inline uint32_t bitsOf(float value) { return std::bit_cast<uint32_t>(value); }
inline float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }
inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float add(float a, float b) { return a + b; }
inline float multiply(float a, float b) { return a * b; }
inline float divide(float a, float b) { return a / b; }
inline float squareRoot(float a) { return __builtin_sqrtf(a); }
inline float exp2Fast(float x) {
  const float y = ::exp2f(x);
  return y < 0x1p-126f ? 0.0f : y; // results that are not normal become zero
}
inline bf16 toBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (value != value)
    return {0x7fff};
  return {(uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}
inline f16 toF16(float value) { return {value != value ? (uint16_t)0x7fff : std::bit_cast<uint16_t>((_Float16)value)}; }
inline float toFloat(bf16 value) { return std::bit_cast<float>((uint32_t)value.bits << 16); }
inline float toFloat(f16 value) { return (float)std::bit_cast<_Float16>(value.bits); }
inline uint32_t packBf16(float low, float high) {
  return (uint32_t)toBf16(low).bits | (uint32_t)toBf16(high).bits << 16;
}
inline uint32_t packF16(float low, float high) { return (uint32_t)toF16(low).bits | (uint32_t)toF16(high).bits << 16; }
inline uint32_t addPairs(uint32_t a, uint32_t b, bf16) {
  return packBf16(floatOf(a << 16) + floatOf(b << 16), floatOf(a & 0xffff0000u) + floatOf(b & 0xffff0000u));
}
inline uint32_t addPairs(uint32_t a, uint32_t b, f16) {
  const auto at = [](uint32_t pair, int i) { return toFloat(f16{(uint16_t)(pair >> (16 * i))}); };
  return packF16(at(a, 0) + at(b, 0), at(a, 1) + at(b, 1));
}
inline int32_t roundToInt(float value) {
  if (value != value)
    return 0;
  const float rounded = __builtin_rintf(value);
  return rounded >= 0x1p31f ? 0x7fffffff : rounded < -0x1p31f ? (int32_t)0x80000000 : (int32_t)rounded;
}
inline uint32_t multiplyHigh(uint32_t a, uint32_t b) { return (uint32_t)((uint64_t)a * b >> 32); }
inline int32_t countBits(uint32_t value) { return __builtin_popcount(value); }
inline uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t all = (uint64_t)b << 32 | a;
  uint32_t result = 0;
  for (int i = 0; i < 4; ++i) {
    const uint32_t nibble = selector >> (4 * i) & 0xf;
    uint32_t byte = (uint32_t)(all >> (8 * (nibble & 7))) & 0xff;
    if (nibble & 8) // its sign alone
      byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}

} // namespace ingot::device

#endif
