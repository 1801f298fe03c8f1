// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of convolution: rows of a weight, as they are stored, against panels [k][16] of windows in
// scratch, over one chunk of k. An output's chunk is one chain of fused multiply-adds from zero over ascending k, added
// to the sum at its end (docs/spec/numerics.md). Sums of the last chunk are finished in registers where a panel's
// places are neighbours in the output. Panels stream from the second-level cache; what a group of rows reads of the
// weight is fetched while the group before it is multiplied.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_ROWS_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_ROWS_H

#include "compiler/target/cpu/kernels/lanes.h"
#include "compiler/target/cpu/kernels/linear_rows.h"

namespace ingot::kernels {

// What is done with sums of the last chunk, in this order: c * scale + bias + residual, at least low, at most high.
// What there is none of is null, and infinite.
struct ConvolutionEnd {
  const int64_t *at;         // where a panel's 16 places of row 0 are in the output; below 0: its sums are kept
  int64_t across;            // elements from row to row
  const float *scale, *bias; // of row 0
  const float *residual;
  float *out;
  float low, high;
};

struct ConvolutionChunk {
  const float *weight; // the first row from this k on
  int64_t lda;         // floats from row to row
  int32_t rows;
  const float *panels;
  int64_t ldw;               // floats from panel to panel
  int32_t places;            // lanes of all panels that are wanted
  int32_t length;            // of the chunk
  float *sums;               // [panel][row][16]
  int64_t ldsums;            // floats from panel to panel
  bool first;                // sums are set and not added to
  const ConvolutionEnd *end; // null: sums are kept
};

constexpr int32_t kFetched = 128; // k between two times that lines are fetched

// The sums of MR rows and one panel, whose place is at + row * end.across.
template <int MR, int NP>
INGOT_INLINE void finishRows(f32x16 (&acc)[MR][NP], int panel, const ConvolutionEnd &end, int32_t row, int64_t at) {
  at += row * end.across;
  if (end.scale) {
#pragma unroll
    for (int r = 0; r < MR; ++r)
      acc[r][panel] = acc[r][panel] * splat(end.scale[row + r]);
  }
  if (end.bias) {
#pragma unroll
    for (int r = 0; r < MR; ++r)
      acc[r][panel] = acc[r][panel] + splat(end.bias[row + r]);
  }
  if (end.residual) {
#pragma unroll
    for (int r = 0; r < MR; ++r)
      acc[r][panel] = acc[r][panel] + load16(end.residual + at + r * end.across);
  }
  const f32x16 low = splat(end.low), high = splat(end.high);
#pragma unroll
  for (int r = 0; r < MR; ++r) {
    f32x16 y = acc[r][panel];
    y = y < low ? low : y;
    store16(end.out + at + r * end.across, y > high ? high : y);
  }
}

// MR rows from `row` on by NP panels from `panel` on. Fetches rows [row + MR + fetch, row + MR + fetch + fetches) where
// there are such.
template <int MR, int NP, class V>
INGOT_INLINE void multiplyPiece(const ConvolutionChunk &c, int32_t row, int32_t panel, int32_t fetch, int32_t fetches) {
  const int64_t lda = c.lda, ldw = c.ldw;
  const float *a = c.weight + row * lda, *w = c.panels + panel * ldw;
  const int32_t length = c.length;
  const float *next = a + (MR + fetch) * lda;
  fetches = minimum(fetches, minimum(MR - fetch, c.rows - row - MR - fetch));
  V acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < NP; ++i)
      acc[r][i] = (V)(0.0f);
  for (int32_t k = 0; k < length;) {
    const int32_t end = minimum(k + kFetched, length);
    for (int32_t r = 0; r < fetches; ++r)
      for (int32_t line = k; line < end; line += 16)
        __builtin_prefetch(next + r * lda + line, 0, 3);
#pragma clang loop unroll_count(2)
    for (; k < end; ++k) {
      V line[NP];
#pragma unroll
      for (int i = 0; i < NP; ++i)
        line[i] = loadLanes<V>(w + i * ldw + (int64_t)k * 16);
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        const V factor = (V)(a[r * lda + k]);
#pragma unroll
        for (int i = 0; i < NP; ++i)
          acc[r][i] = __builtin_elementwise_fma(factor, line[i], acc[r][i]);
      }
    }
  }
  float *sums = c.sums + panel * c.ldsums + row * 16;
#pragma unroll
  for (int i = 0; i < NP; ++i) {
    float *to = sums + i * c.ldsums;
    if (c.first) {
#pragma unroll
      for (int r = 0; r < MR; ++r)
        acc[r][i] = (V)(0.0f) + acc[r][i];
    } else {
#pragma unroll
      for (int r = 0; r < MR; ++r)
        acc[r][i] = loadLanes<V>(to + r * 16) + acc[r][i];
    }
    if constexpr (sizeof(V) == 64)
      if (c.end && c.end->at[panel + i] >= 0) {
        finishRows<MR, NP>(acc, i, *c.end, row, c.end->at[panel + i]);
        continue;
      }
#pragma unroll
    for (int r = 0; r < MR; ++r)
      storeLanes(to + r * 16, acc[r][i]);
  }
}

constexpr int kRowPanels = kRows > 6 ? 2 : 1;

// MR rows by all panels. A last panel of 8 lanes and fewer is one of half the width.
template <int MR> INGOT_INLINE void multiplyGroup(const ConvolutionChunk &c, int32_t row) {
  const int32_t whole = (c.places + 7) / 16, half = (c.places + 7) / 8 % 2;
  // The next group's rows are fetched a few with each panel.
  const int32_t fetches = whole > 2 ? (MR + 3) / 4 * kRowPanels : MR;
  int32_t panel = 0, fetch = 0;
  for (; panel + kRowPanels <= whole; panel += kRowPanels, fetch = minimum(fetch + fetches, MR))
    multiplyPiece<MR, kRowPanels, f32x16>(c, row, panel, fetch, fetches);
  if constexpr (kRowPanels > 1)
    for (; panel < whole; ++panel, fetch = minimum(fetch + fetches, MR))
      multiplyPiece<MR, 1, f32x16>(c, row, panel, fetch, fetches);
  if (half)
    multiplyPiece<MR, 1, f32x8>(c, row, whole, fetch, fetches);
}

INGOT_INLINE void multiplyChunk(const ConvolutionChunk &c) {
  int32_t row = 0;
  if constexpr (kRows == 6) {
    // 1 or 2 rows alone leave the units short of chains: 7 are 4 and 3, 8 are twice 4.
    const int32_t rest = c.rows % 6, most = rest == 1 || rest == 2 ? c.rows - rest - 6 : c.rows - rest;
    for (; row + 6 <= most; row += 6)
      multiplyGroup<6>(c, row);
    if (c.rows - row == 5)
      return multiplyGroup<5>(c, row);
    for (; row + 4 <= c.rows; row += 4)
      multiplyGroup<4>(c, row);
    if (c.rows - row == 3)
      return multiplyGroup<3>(c, row);
  } else {
    for (; row + kRows <= c.rows; row += kRows)
      multiplyGroup<kRows>(c, row);
    for (; row + 8 <= c.rows; row += 8)
      multiplyGroup<8>(c, row);
    for (; row + 4 <= c.rows; row += 4)
      multiplyGroup<4>(c, row);
  }
  for (; row + 2 <= c.rows; row += 2)
    multiplyGroup<2>(c, row);
  for (; row < c.rows; ++row)
    multiplyGroup<1>(c, row);
}

} // namespace ingot::kernels

#endif
