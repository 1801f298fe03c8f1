// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What windows of a convolution read, as lines that lie in order: a line is a row of the input from some column on,
// with the padding in its place, and for a stride of s as s phases, each of every s-th element, so that neighbouring
// places of a window's element are neighbours in memory. Knows nothing of products.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LINES_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LINES_H

#include "compiler/target/cpu/kernels/math.h"

namespace ingot::kernels {

INGOT_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INGOT_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

INGOT_INLINE void clearFloats(float *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = 0.0f;
}

// The same by vectors, which may reach past the count by 15.
INGOT_INLINE void clearVectors(float *to, int64_t count) {
  for (int64_t i = 0; i < count; i += 16)
    store16(to + i, splat(0.0f));
}

// to[i] = from[i * stride] for i < count. Vectors may reach past the count in `to` (by 15), and in `from` up to `end`.
INGOT_INLINE void copyEvery(float *to, const float *from, int64_t count, int32_t stride, const float *end) {
  int64_t i = 0;
  if (stride == 1) {
    for (; i < count && from + i + 16 <= end; i += 16)
      store16(to + i, load16(from + i));
  } else if (stride == 2) {
    for (; i < count && from + 2 * i + 32 <= end; i += 16) {
      const f32x16 a = load16(from + 2 * i), b = load16(from + 2 * i + 16);
      store16(to + i, __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
    }
  }
  for (; i < count; ++i)
    to[i] = from[i * stride];
}

// Steps of `stride` until a distance, not negative, is covered.
INGOT_INLINE int64_t stepsTo(int64_t distance, int32_t stride) {
  return stride == 1 ? distance : stride == 2 ? (distance + 1) >> 1 : (distance + stride - 1) / stride;
}

// One line: phase f of it at to + f * each, element i of which is that of column x + i * stride + f of the row, or 0
// where there is none. `used` has a bit for each phase that is read. Writes up to 15 floats past the last phase.
INGOT_INLINE void copyLine(float *to, int64_t each, uint64_t used, const float *row, int64_t columns, int64_t x,
                           int32_t stride, const float *end) {
  for (int32_t f = 0; f < stride; ++f) {
    if (!(used >> (f & 63) & 1))
      continue;
    float *phase = to + f * each;
    const int64_t first = x + f;
    // Elements [low, high) lie in the row.
    const int64_t low = first >= 0 ? 0 : least(stepsTo(-first, stride), each);
    const int64_t high = columns <= first ? low : most(low, least(stepsTo(columns - first, stride), each));
    clearVectors(phase, low);
    copyEvery(phase + low, row + first + low * stride, high - low, stride, end);
    clearVectors(phase + high, each - high);
  }
}

// The phases that some column of a window is read from. Phases beyond 63 share bits, so that too many may be copied.
template <class Params> INGOT_INLINE uint64_t usedPhases(const Params &p) {
  uint64_t used = 0;
  for (int32_t t = 0; t < p.kernel_w; ++t)
    used |= (uint64_t)1 << ((int64_t)t * p.dilation_w % p.stride_w & 63);
  return used;
}

} // namespace ingot::kernels

#endif
