// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions over the threads of a warp or a block. Fixed order: within a warp by halves, then the warps in ascending order. Every
// thread of the warp or block takes part and gets the result.
#ifndef INGOT_CUDA_DEVICE_REDUCE_H
#define INGOT_CUDA_DEVICE_REDUCE_H

#include "compiler/target/cuda/device/primitives.h"

namespace ingot::device {

INGOT_DEVICE float otherLane(float value, uint32_t mask) { return shuffleXor(value, mask); }
INGOT_DEVICE int32_t otherLane(int32_t value, uint32_t mask) { return shuffleXor(value, mask); }
INGOT_DEVICE uint32_t otherLane(uint32_t value, uint32_t mask) { return shuffleXor(value, mask); }
INGOT_DEVICE bool otherLane(bool value, uint32_t mask) { return shuffleXor((int32_t)value, mask) != 0; }
INGOT_DEVICE int8_t otherLane(int8_t value, uint32_t mask) { return (int8_t)shuffleXor((int32_t)value, mask); }
INGOT_DEVICE int16_t otherLane(int16_t value, uint32_t mask) { return (int16_t)shuffleXor((int32_t)value, mask); }
INGOT_DEVICE int64_t otherLane(int64_t value, uint32_t mask) {
  const uint32_t low = shuffleXor((uint32_t)value, mask), high = shuffleXor((uint32_t)((uint64_t)value >> 32), mask);
  return (int64_t)((uint64_t)high << 32 | low);
}
INGOT_DEVICE double otherLane(double value, uint32_t mask) {
  return __builtin_bit_cast(double, otherLane(__builtin_bit_cast(int64_t, value), mask));
}

// combine(a, b) of the values of a warp.
template <class T, class Combine> INGOT_DEVICE T reduceWarp(T value, Combine combine) {
  for (uint32_t mask = 16; mask; mask >>= 1)
    value = combine(value, otherLane(value, mask));
  return value;
}

// combine(a, b) of the values of a block. `shared` holds 32 values that nobody else uses until every thread is back; its former
// contents may still be being read when this is called.
template <class T, class Combine> INGOT_DEVICE T reduceBlock(T value, void *shared, Combine combine) {
  value = reduceWarp(value, combine);
  T *ofWarps = (T *)shared;
  barrier();
  if (lane() == 0)
    ofWarps[warp()] = value;
  barrier();
  T total = ofWarps[0];
  for (uint32_t i = 1; i < threads() / 32; ++i)
    total = combine(total, ofWarps[i]);
  return total;
}

} // namespace ingot::device

#endif
