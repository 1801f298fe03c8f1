// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of convolution where channels are last: places, each a row of k, against panels [k][16] of the
// weight, over one chunk of k. An output's chunk is one chain of fused multiply-adds from zero over ascending k, added
// to the sum at its end (docs/spec/numerics.md). Groups of rows pass by each group of panels, as in blocks of
// linear_rows.h. Sums of the last chunk are finished in registers where what is done with them is simple and a panel is
// whole or half.
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
  bool ahead;          // the rows that follow are fetched early
  const LastEnd *end;  // null: sums are kept
};

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

// Asks for what finishLast reads and writes: each row lies in lines of its own, which nothing else would see coming.
template <int MR, int NP> INGOT_INLINE void fetchEnd(const LastEnd &end, int32_t row, int32_t panel) {
  int64_t at = row * end.across + panel * 16;
#pragma clang loop unroll(disable)
  for (int r = 0; r < MR; ++r, at += end.across)
#pragma unroll
    for (int i = 0; i < NP; ++i) {
      if (end.residual)
        __builtin_prefetch(end.residual + at + i * 16);
      __builtin_prefetch(end.out + at + i * 16, 1);
    }
}

// MR rows by NP panels.
template <class V, int MR, int NP>
INGOT_INLINE void lastGroup(const LastChunk &c, int32_t row, int32_t panel, Fetch<NP> &fetch) {
  const float *__restrict rows = c.rows + row * c.lda;
  const int64_t lda = c.lda;
  if (c.end)
    fetchEnd<MR, NP>(*c.end, row, panel);
  V acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < NP; ++i)
      acc[r][i] = (V)(0.0f);
  Apart<MR> left(rows, lda * 4);
  Apart<NP> right(c.weight + panel * c.ldw, c.ldw * 4);
  for (int32_t k = 0; k < c.length; k += kFetchEvery) {
    fetch.some();
    // Rows that lie in the image are met for the first time by the first panels.
    if (c.ahead && panel == 0)
#pragma clang loop unroll(disable)
      for (int r = MR; r < 2 * MR; ++r)
        __builtin_prefetch(rows + r * lda + k);
    multiplySteps<MultiplyAdd>(acc, left, right, minimum(kFetchEvery, c.length - k));
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
template <class V, int NP> INGOT_INLINE void lastPanels(const LastChunk &c, int32_t panel, Fetch<NP> fetch) {
  constexpr bool kHalf = sizeof(V) < 64;
  overBlockRows<NP == kBlockPanels || kHalf ? kBlockUnit : kRows, NP>(
      c.count, [&]<int MR>(int32_t row) __attribute__((always_inline)) { lastGroup<V, MR, NP>(c, row, panel, fetch); });
}

// Where the sums of columns are finished by lastGroup: of whole panels, and of a last one that is half.
INGOT_INLINE bool finishedInRegisters(const LastChunk &c, int32_t panel) {
  const int32_t width = minimum(16, c.columns - panel * 16);
  return c.end && (width == 16 || width == 8);
}

__attribute__((noinline)) inline void multiplyLast(const LastChunk &chunk) {
  const LastChunk c = chunk; // of its own: what lies elsewhere might be what it writes
  // A panel that is not whole is multiplied alone: another beside it would not be finished in registers either.
  const int32_t panels = (c.columns + 15) / 16, whole = c.columns / 16;
  const auto *w = (const char *)c.weight;
  const int64_t bytes = (int64_t)c.length * 64, across = c.ldw * 4;
  const int32_t lines = linesAtATime(c.count);
  // NP panels, while those after them are fetched.
  auto some = [&]<class V, int NP>(int32_t panel) __attribute__((always_inline)) {
    const char *next = w + (int64_t)minimum(panel + NP, maximum(0, panels - NP)) * across;
    lastPanels<V, NP>(c, panel, Fetch<NP>{next, next + bytes, across, lines});
  };
  const int32_t wide = c.columns - whole * 16 > 8 ? panels : whole;
  overBlockPanels(
      whole, [&]<int NP>(int32_t panel) __attribute__((always_inline)) { some.template operator()<f32x16, NP>(panel); });
  if (whole < wide)
    some.template operator()<f32x16, 1>(whole);
  if (wide < panels)
    some.template operator()<f32x8, 1>(wide);
}

} // namespace ingot::kernels

#endif
