// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How quantized operands lie in memory (params.h draws the layouts): rows of quantize_rows, panels of 8-bit and 4-bit
// weights, their scales and zero points, and what a stored weight stands for.
#ifndef INGOT_TARGET_CPU_KERNELS_QUANTIZED_H
#define INGOT_TARGET_CPU_KERNELS_QUANTIZED_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

// Rows of quantize_rows: i8[k_padded], f32 scale, i32 sums[groups], to a multiple of 64 bytes. Rows of codes, which
// have one sum, have their zero point behind it.
INGOT_INLINE int64_t quantizedRowBytes(int32_t kPadded, int32_t groups) {
  return kPadded + roundUp(4 + 4 * (int64_t)groups, 64);
}

// Panels of one quantized weight from some column on, as loops over them want it.
struct QuantizedPanels {
  const uint8_t *values; // of the first panel
  int64_t ldValues;      // bytes from panel to panel
  const void *scales;    // of the first panel, from the first group on: [groups][16]
  const uint8_t *zeros;  // the same; null: `zero` everywhere
  int64_t ldScales;      // elements from panel to panel
  int32_t scaleType;
  int32_t group; // columns of a group
  int32_t zero;

  INGOT_INLINE f32x16 scale(int64_t panel, int32_t g) const {
    return load16As(scaleType, scales, panel * ldScales + (int64_t)g * 16);
  }
  INGOT_INLINE i32x16 zeroPoint(int64_t panel, int32_t g) const {
    return zeros ? __builtin_convertvector(*(const u8x16_u *)(zeros + panel * ldScales + (int64_t)g * 16), i32x16)
                 : (i32x16)(zero);
  }
  // Asks for the scales of `length` columns of some panels early.
  INGOT_INLINE void fetchScales(int64_t panel, int32_t panels, int32_t length) const {
    const int64_t element = scaleType == INGOT_F32 ? 4 : 2;
    const int64_t bytes = (length + group - 1) / group * 16 * element;
    for (int64_t p = panel; p < panel + panels; ++p)
      for (int64_t at = 0; at < bytes; at += 64)
        __builtin_prefetch((const char *)scales + p * ldScales * element + at);
  }
};

// (u - z) * s, rounded once: the difference is exact.
INGOT_INLINE f32x16 dequantized(i32x16 u, i32x16 zero, f32x16 scale) {
  return __builtin_convertvector(u - zero, f32x16) * scale;
}

// The planes of one quantized weight.
struct QuantizedWeight {
  const uint8_t *values;
  const void *scales;
  const uint8_t *zeros; // null: `zero` everywhere
  int32_t layout, scaleType, group, groups, zero;
  int64_t panel; // bytes of one panel of values

  QuantizedWeight() = default;
  // Takes the operands from `next` on, values, scales, [zeros], and moves it past them.
  template <class Params> INGOT_INLINE QuantizedWeight(const Params *p, void *const *&next) {
    values = (const uint8_t *)*next++;
    scales = *next++;
    zeros = p->zeros ? (const uint8_t *)*next++ : nullptr;
    layout = p->layout;
    scaleType = p->scale_type;
    group = p->group;
    groups = (int32_t)groupsOf(p->k, p->group);
    zero = layout == INGOT_N16K4 ? 128 : 8;
    panel = layout == INGOT_N16K4 ? roundUp(p->k, 64) * 16 : roundUp(p->k, 64) * 8;
  }
  INGOT_INLINE int64_t plane(int64_t panelIndex, int32_t g) const { return (panelIndex * groups + g) * 16; }
  INGOT_INLINE f32x16 scale(int64_t panelIndex, int32_t g) const {
    return load16As(scaleType, scales, plane(panelIndex, g));
  }
  INGOT_INLINE i32x16 zeroPoint(int64_t panelIndex, int32_t g) const {
    return zeros ? __builtin_convertvector(*(const u8x16_u *)(zeros + plane(panelIndex, g)), i32x16) : (i32x16)(zero);
  }
  // From panel `first` and column `k` on, which begins a group or lies in the only one.
  INGOT_INLINE QuantizedPanels from(int64_t first, int32_t k) const {
    const int64_t at = plane(first, k / group);
    return {values + first * panel + (int64_t)k * (layout == INGOT_N16K4 ? 16 : 8),
            panel,
            (const char *)scales + at * (scaleType == INGOT_F32 ? 4 : 2),
            zeros ? zeros + at : nullptr,
            (int64_t)groups * 16,
            scaleType,
            group,
            zero};
  }
  // Sixteen columns of one k.
  INGOT_INLINE i32x16 column(int64_t panelIndex, int32_t k) const {
    const uint8_t *at = values + panelIndex * panel;
    if (layout == INGOT_N16K4)
      return (i32x16)(*(const u32x16_u *)(at + (int64_t)(k / 4) * 64) >> (uint32_t)(k % 4 * 8) & 0xffu);
    return (i32x16)(*(const u32x16_u *)(at + (int64_t)(k / 8) * 64) >> (uint32_t)(k % 4 * 8 + k % 8 / 4 * 4) & 0xfu);
  }
  // Weights [k, k + length) of a panel as f32[length][16]: (u - z) * s. k is a multiple of 128.
  INGOT_INLINE void dequantize(float *to, int64_t panelIndex, int32_t k, int32_t length) const {
    for (int32_t from = 0; from < length;) {
      const int32_t g = (k + from) / group;
      const int32_t end = minimum(length, (g + 1) * group - k);
      const f32x16 s = scale(panelIndex, g);
      const i32x16 zero = zeroPoint(panelIndex, g);
      for (; from < end; ++from)
        store16(to + (int64_t)from * 16, dequantized(column(panelIndex, k + from), zero, s));
    }
  }
  // One weight of a row.
  INGOT_INLINE float at(int64_t n, int32_t k) const {
    const uint8_t *line = values + n / 16 * panel;
    const int64_t lane = n % 16;
    int32_t u;
    if (layout == INGOT_N16K4)
      u = line[((int64_t)(k / 4) * 16 + lane) * 4 + k % 4];
    else
      u = line[((int64_t)(k / 8) * 16 + lane) * 4 + k % 4] >> k % 8 / 4 * 4 & 15;
    const int64_t g = plane(n / 16, k / group) + lane;
    return (float)(u - (zeros ? (int32_t)zeros[g] : zero)) * loadAs(scaleType, scales, g);
  }
};

} // namespace ingot::kernels

#endif
