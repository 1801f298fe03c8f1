// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear` over quantized weights for few rows (see linear_dequant_rows.h). The numeric contract
// (docs/spec/numerics.md): a weight is (f32)(u - z) * s, rounded once; an output's chunk is one chain of fused
// multiply-adds from zero over ascending k, added to the sum at its end.
#include "compiler/target/cpu/kernels/linear_dequant_rows.h"

namespace ingot::kernels {
namespace {

// MR rows against panels [panel, panel + NP).
template <int BITS, int MR, int NP> INGOT_INLINE void tile(const DequantChunk &c, int32_t row, int32_t panel) {
  constexpr int32_t kPerLine = 32 / BITS; // k of a line of 64 bytes
  const float *a = c.a + row * c.lda;
  const uint8_t *lines = c.w.values + panel * c.w.ldValues;
  f32x16 acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      acc[r][p] = splat(0.0f);
  const uint8_t *const begin = lines;
  const StreamAhead stream = {c.rest, (c.panels - 1) * c.w.ldValues};
  c.w.fetchScales(panel + c.panels, NP, c.length);
  int32_t g = 0;
#pragma clang loop unroll(disable)
  for (int32_t k = 0; k < c.length; ++g) {
    const int32_t end = minimum(c.length, (g + 1) * c.w.group);
    f32x16 scale[NP];
    i32x16 zero[NP];
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      scale[p] = c.w.scale(panel + p, g);
      zero[p] = c.w.zeroPoint(panel + p, g);
    }
    // The k that stands `shift` bits into each lane of the line.
    auto step = [&](int32_t at, uint32_t shift) __attribute__((always_inline)) {
      f32x16 weight[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        u32x16 line = *(const u32x16_u *)(lines + p * c.w.ldValues);
        i32x16 value = (i32x16)(line >> shift & (BITS == 8 ? 0xffu : 0xfu));
        weight[p] = dequantized(value, zero[p], scale[p]);
      }
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        f32x16 value = splat(a[r * c.lda + at]);
#pragma unroll
        for (int p = 0; p < NP; ++p)
          acc[r][p] = fma(value, weight[p], acc[r][p]);
      }
    };
#pragma clang loop unroll(disable)
    for (; k + kPerLine <= end; k += kPerLine, lines += 64) {
      const int64_t ahead = stream.at(lines - begin);
#pragma unroll
      for (int p = 0; p < NP; ++p)
        __builtin_prefetch(lines + p * c.w.ldValues + ahead);
#pragma unroll
      for (int32_t e = 0; e < kPerLine; ++e)
        step(k + e, BITS == 8 ? e * 8 : e % 4 * 8 + e / 4 * 4);
    }
    // A group that does not end with a line is the last of K.
#pragma clang loop unroll(disable)
    for (int32_t e = 0; k < end; ++k, ++e)
      step(k, BITS == 8 ? e * 8 : e % 4 * 8 + e / 4 * 4);
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      float *to = c.sums + (panel + p) * c.sums_panel + (row + r) * 16;
      store16(to, load16(to) + acc[r][p]);
    }
}

// MR rows x all panels; few rows take two panels at once, as their chains alone are too few.
template <int BITS, int MR> INGOT_INLINE void rowsByPanels(const DequantChunk &c, int32_t row) {
  int32_t i = 0;
  if constexpr (MR <= 2)
    for (; i + 2 <= c.panels; i += 2)
      tile<BITS, MR, 2>(c, row, i);
  for (; i < c.panels; ++i)
    tile<BITS, MR, 1>(c, row, i);
}

template <int BITS> INGOT_INLINE void allRows(const DequantChunk &c) {
  int32_t r = 0;
  for (; r + 4 <= c.count; r += 4)
    rowsByPanels<BITS, 4>(c, r);
  for (; r + 2 <= c.count; r += 2)
    rowsByPanels<BITS, 2>(c, r);
  for (; r < c.count; ++r)
    rowsByPanels<BITS, 1>(c, r);
}

} // namespace
} // namespace ingot::kernels

INGOT_LINEAR_DEQUANT_ROWS_PROTOTYPE(w8) { ingot::kernels::allRows<8>(*chunk); }
INGOT_LINEAR_DEQUANT_ROWS_PROTOTYPE(w4) { ingot::kernels::allRows<4>(*chunk); }
