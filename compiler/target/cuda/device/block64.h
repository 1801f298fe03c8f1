// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums and scans over a block in f64 and of integers, in a fixed order: within a warp by halves, then warp after warp.
// `shared` holds 96 doubles that nobody else uses; all threads of the block call; barriers are inside, before the first
// use of `shared` and after it is filled.
#ifndef INGOT_CUDA_DEVICE_BLOCK64_H
#define INGOT_CUDA_DEVICE_BLOCK64_H

#include "compiler/target/cuda/device/primitives.h"

namespace ingot::device {

INGOT_DEVICE double shuffleXor64(double value, uint32_t mask) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, value);
  const uint64_t low = shuffleXor((uint32_t)bits, mask), high = shuffleXor((uint32_t)(bits >> 32), mask);
  return __builtin_bit_cast(double, high << 32 | low);
}
INGOT_DEVICE double shuffleUp64(double value, uint32_t delta) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, value);
  const uint64_t low = (uint32_t)shuffleUp((int32_t)(uint32_t)bits, delta),
                 high = (uint32_t)shuffleUp((int32_t)(uint32_t)(bits >> 32), delta);
  return __builtin_bit_cast(double, high << 32 | low);
}

// Sums of N values of each thread; every thread gets them.
template <int N> INGOT_DEVICE void sumOverBlock64(double (&value)[N], double *shared) {
  static_assert(N <= 3);
  for (int32_t i = 0; i < N; ++i)
    for (uint32_t mask = 16; mask > 0; mask /= 2)
      value[i] += shuffleXor64(value[i], mask);
  barrier();
  if (lane() == 0)
    for (int32_t i = 0; i < N; ++i)
      shared[(int32_t)warp() * N + i] = value[i];
  barrier();
  for (int32_t i = 0; i < N; ++i) {
    value[i] = 0.0;
    for (int32_t w = 0; w < (int32_t)threads() / 32; ++w)
      value[i] += shared[w * N + i];
  }
}

// The sum of the threads before this one; `total` gets that of all.
INGOT_DEVICE double sumBefore64(double value, double &total, double *shared) {
  double upTo = value;
  for (uint32_t delta = 1; delta < 32; delta *= 2) {
    const double below = shuffleUp64(upTo, delta);
    upTo += lane() >= delta ? below : 0.0;
  }
  double before = shuffleUp64(upTo, 1);
  before = lane() == 0 ? 0.0 : before;
  barrier();
  if (lane() == 31)
    shared[warp()] = upTo;
  barrier();
  double base = 0.0;
  total = 0.0;
  for (uint32_t w = 0; w < threads() / 32; ++w) {
    base += w < warp() ? shared[w] : 0.0;
    total += shared[w];
  }
  return base + before;
}
INGOT_DEVICE int32_t sumBefore(int32_t value, int32_t &total, double *shared) {
  int32_t upTo = value;
  for (uint32_t delta = 1; delta < 32; delta *= 2) {
    const int32_t below = shuffleUp(upTo, delta);
    upTo += lane() >= delta ? below : 0;
  }
  int32_t *words = (int32_t *)shared;
  barrier();
  if (lane() == 31)
    words[warp()] = upTo;
  barrier();
  int32_t base = 0;
  total = 0;
  for (uint32_t w = 0; w < threads() / 32; ++w) {
    base += w < warp() ? words[w] : 0;
    total += words[w];
  }
  return base + upTo - value;
}

// The least and the largest of a value of each thread; every thread gets it.
INGOT_DEVICE int32_t leastOverBlock(int32_t value, double *shared) {
  for (uint32_t mask = 16; mask > 0; mask /= 2) {
    const int32_t other = shuffleXor(value, mask);
    value = other < value ? other : value;
  }
  int32_t *words = (int32_t *)shared;
  barrier();
  if (lane() == 0)
    words[warp()] = value;
  barrier();
  for (uint32_t w = 0; w < threads() / 32; ++w)
    value = words[w] < value ? words[w] : value;
  return value;
}
INGOT_DEVICE int32_t mostOverBlock(int32_t value, double *shared) { return ~leastOverBlock(~value, shared); }

} // namespace ingot::device

#endif
