// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernels over rows share: elements of any type to and from memory, elements of packed weights, and the
// reductions that they use. Layouts are those of params.h.
#ifndef INGOT_CUDA_DEVICE_ELEMENTS_H
#define INGOT_CUDA_DEVICE_ELEMENTS_H

#include "compiler/target/cuda/device/reduce.h"

namespace ingot::device {

INGOT_CONSTEXPR int64_t roundedUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
INGOT_CONSTEXPR int32_t lesser(int32_t a, int32_t b) { return a < b ? a : b; }
INGOT_CONSTEXPR int32_t greater(int32_t a, int32_t b) { return a > b ? a : b; }
INGOT_CONSTEXPR int32_t bytesOfType(int32_t type) {
  return type == INGOT_F32 ? 4 : type == INGOT_I8 || type == INGOT_U8 ? 1 : 2;
}

// Magnitude of a float as an integer that compares like it; what is not a number lies above all.
INGOT_DEVICE uint32_t magnitudeOf(float x) { return bitsOf(x) & 0x7fffffffu; }
INGOT_DEVICE float infinity() { return floatOf(0x7f800000u); }

// Elements by a type that is a constant of the kernel; `at` counts elements.
template <int type> INGOT_DEVICE float loadAs(const void *p, int64_t at) {
  if constexpr (type == INGOT_F32)
    return ((const float *)p)[at];
  else if constexpr (type == INGOT_BF16)
    return toFloat(((const bf16 *)p)[at]);
  else if constexpr (type == INGOT_F16)
    return toFloat(((const f16 *)p)[at]);
  else
    return (float)((const int8_t *)p)[at];
}
template <int type> INGOT_DEVICE void storeAs(void *p, int64_t at, float value) {
  if constexpr (type == INGOT_F32)
    ((float *)p)[at] = value;
  else if constexpr (type == INGOT_BF16)
    ((bf16 *)p)[at] = toBf16(value);
  else
    ((f16 *)p)[at] = toF16(value);
}
// Two floats as 16-bit elements of `type`, the first in the low half.
template <int type> INGOT_DEVICE uint32_t packPair(float low, float high) {
  return type == INGOT_BF16 ? packBf16(low, high) : packF16(low, high);
}

// Element [id][k] of a table of K columns in any layout: as stored, or dequantized.
template <int layout, int type> INGOT_DEVICE float tableAt(const void *table, int64_t id, int32_t k, int32_t columns) {
  const int64_t panel = id / 16, lane = id % 16;
  if constexpr (layout == INGOT_N16K)
    return loadAs<type>(table, (panel * columns + k) * 16 + lane);
  else if constexpr (layout == INGOT_N16K2)
    return loadAs<type>(table, ((panel * (roundedUp(columns, 32) / 2) + k / 2) * 16 + lane) * 2 + k % 2);
  else
    return loadAs<type>(table, id * columns + k);
}

// A table of quantized weights; zeros is null where the zero point is that of the layout.
template <int layout, int scaleType> struct QuantizedTable {
  const uint8_t *values;
  const void *scales;
  const uint8_t *zeros;
  int32_t columns, group, groups;

  // The stored integer.
  INGOT_DEVICE int32_t stored(int64_t id, int32_t k) const {
    const int64_t lane = id % 16, panel = roundedUp(columns, 64) * (layout == INGOT_N16K4 ? 16 : 8);
    const uint8_t *line = values + id / 16 * panel;
    if constexpr (layout == INGOT_N16K4)
      return line[((int64_t)(k / 4) * 16 + lane) * 4 + k % 4];
    else
      return line[((int64_t)(k / 8) * 16 + lane) * 4 + k % 4] >> (k % 8 / 4 * 4) & 15;
  }
  // (u - z) * s, rounded once.
  INGOT_DEVICE float at(int64_t id, int32_t k) const {
    const int64_t g = (id / 16 * groups + k / group) * 16 + id % 16;
    const int32_t zero = zeros ? (int32_t)zeros[g] : layout == INGOT_N16K4 ? 128 : 8;
    return multiply((float)(stored(id, k) - zero), loadAs<scaleType>(scales, g));
  }
};

// --- Over a warp: every lane gets the result ---
INGOT_DEVICE float sumOverWarp(float value) {
  return reduceWarp(value, [](float a, float b) { return add(a, b); });
}
INGOT_DEVICE int32_t sumOverWarp(int32_t value) {
  return reduceWarp(value, [](int32_t a, int32_t b) { return a + b; });
}
INGOT_DEVICE float largestOverWarp(float value) {
  return reduceWarp(value, [](float a, float b) { return b > a ? b : a; });
}

// --- Over the block: every thread gets the result; `shared` as for reduceBlock ---
INGOT_DEVICE float sumOverBlock(float value, float *shared) {
  return reduceBlock(value, shared, [](float a, float b) { return add(a, b); });
}
INGOT_DEVICE uint32_t largestOverBlock(uint32_t value, uint32_t *shared) {
  return reduceBlock(value, shared, [](uint32_t a, uint32_t b) { return b > a ? b : a; });
}

} // namespace ingot::device

#endif
