// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of convolution where channels are last: places, each a row of k, against panels [k][16] of the
// weight, over one chunk of k. An output's chunk is one chain of fused multiply-adds from zero over ascending k, added
// to the sum at its end (docs/spec/numerics.md). A piece of a panel's chunk stays in the first-level cache while all
// rows pass by; chains are parked between pieces, which rounds nothing. Sums of the last chunk are finished in
// registers where what is done with them is simple and a panel is whole or half.
#ifndef INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_ROWS_H
#define INGOT_TARGET_CPU_KERNELS_CONVOLUTION_LAST_ROWS_H

#include "compiler/target/cpu/kernels/lanes.h"
#include "compiler/target/cpu/kernels/linear_rows.h"
#include "compiler/target/cpu/kernels/scratch.h"

namespace ingot::kernels {

// What is done with sums of the last chunk, in this order: c * scale + bias + residual, at least low, at most high.
// What there is none of is null, and infinite.
struct LastEnd {
  const float *scale, *bias; // of the first panel
  const float *residual;     // as out
  float *out;                // row 0 and the first panel
  int64_t across;            // floats from row to row
  float low, high;
};

struct LastChunk {
  const float *rows;
  int64_t lda; // floats from row to row
  int32_t count;
  const float *weight; // panels from this k on
  int64_t ldw;         // floats from panel to panel
  int32_t columns;     // of all panels
  int32_t length;      // of the chunk
  float *sums;         // [panel][row][16]; null where the first chunk is the last
  int64_t ldsums;      // floats from panel to panel
  bool first;          // sums are set and not added to
  const LastEnd *end;  // null: sums are kept
};

constexpr int kLastPanels = kRows > 6 ? 2 : 1;       // multiplied at once
constexpr int32_t kLastPiece = 256 / kLastPanels;    // k of a piece: 16 KB of the weight
constexpr int32_t kLastBlock = (int32_t)kLastPlaces; // rows at most

template <class V, int MR, int NP>
INGOT_INLINE void finishLast(V (&acc)[MR][NP], const LastEnd &end, int32_t row, int32_t panel) {
#pragma unroll
  for (int i = 0; i < NP; ++i) {
    const int64_t column = (panel + i) * 16;
    if (end.scale) {
      const V scale = loadLanes<V>(end.scale + column);
#pragma unroll
      for (int r = 0; r < MR; ++r)
        acc[r][i] = acc[r][i] * scale;
    }
    if (end.bias) {
      const V bias = loadLanes<V>(end.bias + column);
#pragma unroll
      for (int r = 0; r < MR; ++r)
        acc[r][i] = acc[r][i] + bias;
    }
    const int64_t at = row * end.across + column;
    if (end.residual) {
#pragma unroll
      for (int r = 0; r < MR; ++r)
        acc[r][i] = acc[r][i] + loadLanes<V>(end.residual + at + r * end.across);
    }
    const V low = (V)(end.low), high = (V)(end.high);
#pragma unroll
    for (int r = 0; r < MR; ++r) {
      V y = acc[r][i];
      y = y < low ? low : y;
      storeLanes(end.out + at + r * end.across, y > high ? high : y);
    }
  }
}

// MR rows by NP panels over k [from, from + some) of the chunk.
template <class V, int MR, int NP>
INGOT_INLINE void lastPiece(const LastChunk &c, int32_t row, int32_t panel, int32_t from, int32_t some, float *chains,
                            Fetch &fetch) {
  const float *__restrict rows = c.rows + row * c.lda + from;
  const float *__restrict w = c.weight + panel * c.ldw + (int64_t)from * 16;
  const int64_t lda = c.lda, ldw = c.ldw;
  chains += row * NP * 16;
  V acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < NP; ++i)
      acc[r][i] = from == 0 ? (V)(0.0f) : loadLanes<V>(chains + (r * NP + i) * 16);
  for (int32_t k = 0; k < some;) {
    fetch.line();
    const int32_t end = minimum(k + kFetchEvery, some);
#pragma clang loop unroll_count(4)
    for (; k < end; ++k) {
      V line[NP];
#pragma unroll
      for (int i = 0; i < NP; ++i)
        line[i] = loadLanes<V>(w + i * ldw + (int64_t)k * 16);
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        const V factor = (V)(rows[r * lda + k]);
#pragma unroll
        for (int i = 0; i < NP; ++i)
          acc[r][i] = __builtin_elementwise_fma(factor, line[i], acc[r][i]);
      }
    }
  }
  if (from + some < c.length) {
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int i = 0; i < NP; ++i)
        storeLanes(chains + (r * NP + i) * 16, acc[r][i]);
    return;
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < NP; ++i)
      acc[r][i] = (c.first ? (V)(0.0f) : loadLanes<V>(c.sums + (panel + i) * c.ldsums + (row + r) * 16)) + acc[r][i];
  // A panel of other widths than its vector's is finished by its sums.
  const int32_t width = minimum(16, c.columns - (panel + NP - 1) * 16);
  if (c.end && width == (int32_t)(sizeof(V) / sizeof(float)))
    return finishLast<V, MR, NP>(acc, *c.end, row, panel);
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < NP; ++i)
      storeLanes(c.sums + (panel + i) * c.ldsums + (row + r) * 16, acc[r][i]);
}

// All rows by NP panels.
template <class V, int NP> INGOT_INLINE void lastPanels(const LastChunk &c, int32_t panel, Fetch fetch) {
  alignas(64) float chains[kLastBlock * NP * 16];
  for (int32_t k = 0; k < c.length; k += kLastPiece) {
    const int32_t some = minimum(kLastPiece, c.length - k);
    int32_t row = 0;
    if constexpr (kRows == 6) {
      // 1 or 2 rows alone leave the units short of chains: 7 are 4 and 3, 8 are twice 4.
      const int32_t rest = c.count % 6, most = rest == 1 || rest == 2 ? c.count - rest - 6 : c.count - rest;
      for (; row + 6 <= most; row += 6)
        lastPiece<V, 6, NP>(c, row, panel, k, some, chains, fetch);
      if (c.count - row == 5) {
        lastPiece<V, 5, NP>(c, row, panel, k, some, chains, fetch);
        continue;
      }
      for (; row + 4 <= c.count; row += 4)
        lastPiece<V, 4, NP>(c, row, panel, k, some, chains, fetch);
      if (c.count - row == 3) {
        lastPiece<V, 3, NP>(c, row, panel, k, some, chains, fetch);
        continue;
      }
    } else {
      for (; row + kRows <= c.count; row += kRows)
        lastPiece<V, kRows, NP>(c, row, panel, k, some, chains, fetch);
      for (; row + 8 <= c.count; row += 8)
        lastPiece<V, 8, NP>(c, row, panel, k, some, chains, fetch);
      for (; row + 4 <= c.count; row += 4)
        lastPiece<V, 4, NP>(c, row, panel, k, some, chains, fetch);
    }
    for (; row + 2 <= c.count; row += 2)
      lastPiece<V, 2, NP>(c, row, panel, k, some, chains, fetch);
    for (; row < c.count; ++row)
      lastPiece<V, 1, NP>(c, row, panel, k, some, chains, fetch);
  }
}

// Where the sums of columns are finished by lastPiece: of whole panels, and of a last one that is half.
INGOT_INLINE bool finishedInRegisters(const LastChunk &c, int32_t panel) {
  const int32_t width = minimum(16, c.columns - panel * 16);
  return c.end && (width == 16 || width == 8);
}

INGOT_INLINE void multiplyLast(const LastChunk &c) {
  // A panel that is not whole is multiplied alone: another beside it would not be finished in registers either.
  const int32_t panels = (c.columns + 15) / 16, whole = c.columns / 16;
  const auto *w = (const char *)c.weight;
  const int64_t bytes = (int64_t)c.length * 64;
  int32_t panel = 0;
  auto fetchOf = [&](int32_t next) __attribute__((always_inline)) {
    const char *at = w + (int64_t)minimum(next, panels - 1) * c.ldw * 4;
    return Fetch{at, at + bytes};
  };
  for (; panel + kLastPanels <= whole; panel += kLastPanels)
    lastPanels<f32x16, kLastPanels>(c, panel, fetchOf(panel + kLastPanels));
  const int32_t wide = c.columns - whole * 16 > 8 ? panels : whole;
  for (; panel < wide; ++panel)
    lastPanels<f32x16, 1>(c, panel, fetchOf(panel + 1));
  if (panel < panels)
    lastPanels<f32x8, 1>(c, panel, fetchOf(panel));
}

} // namespace ingot::kernels

#endif
