// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See attention_vectors.h. As tdpbf16ps does it, each 32 k of a sum are two chains of fused multiply-adds from zero, of the
// even and of the odd k, whose sum is added; what is not there is a product of zeros.
#include "compiler/target/cpu/kernels/attention_vectors.h"

#include "compiler/target/cpu/kernels/math.h"

#if INGOT_HAS_TILES
namespace ingot::kernels {
namespace {

INGOT_INLINE f32x16 splatOf(uint16_t bits) { return __builtin_bit_cast(f32x16, (u32x16)((uint32_t)bits << 16)); }

template <int MR, int NP> struct Chains {
  f32x16 even[MR][NP], odd[MR][NP];
  INGOT_INLINE void clear() {
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int p = 0; p < NP; ++p)
        even[r][p] = odd[r][p] = splat(0.0f);
  }
};

// The scores of MR rows from `row` for MG groups from g.
template <int MR, int MG> INGOT_INLINE void scores(const VectorBlock &b, int32_t row, int32_t g) {
  f32x16 total[MR][MG];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < MG; ++i)
      total[r][i] = splat(0.0f);
  const uint16_t *a = b.a + row * b.lda;
#pragma clang loop unroll(disable)
  for (int32_t start = 0; start < b.headDim; start += 32) {
    Chains<MR, MG> c;
    c.clear();
    const int32_t end = minimum(start + 32, b.headDim);
    auto add = [&](f32x16(&chain)[MR][MG], int32_t d) __attribute__((always_inline)) {
      f32x16 key[MG];
#pragma unroll
      for (int i = 0; i < MG; ++i)
        key[i] = load16(b.from[g + i] + (int64_t)d * 16);
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        const f32x16 query = splatOf(a[r * b.lda + d]);
#pragma unroll
        for (int i = 0; i < MG; ++i)
          chain[r][i] = fma(query, key[i], chain[r][i]);
      }
    };
    int32_t d = start;
#pragma clang loop unroll(disable)
    for (; d + 2 <= end; d += 2) {
      if (row == 0) {
#pragma unroll
        for (int i = 0; i < MG; ++i)
          __builtin_prefetch(b.next[g + i] + (int64_t)d * 32);
      }
      add(c.even, d);
      add(c.odd, d + 1);
    }
    if (d < end)
      add(c.even, d);
    const bool whole = end - start == 32;
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int i = 0; i < MG; ++i) {
        if (!whole) { // a flushed result may be -0, which a product of zeros makes +0
          c.even[r][i] = c.even[r][i] + splat(0.0f);
          c.odd[r][i] = c.odd[r][i] + splat(0.0f);
        }
        total[r][i] = total[r][i] + (c.even[r][i] + c.odd[r][i]);
      }
  }
#pragma unroll
  for (int i = 0; i < MG; ++i)
#pragma unroll
    for (int r = 0; r < MR; ++r)
      store16(b.sums + (g + i) * b.sums_panel + (row + r) * 16, total[r][i]);
}

template <int MR, int MG> INGOT_INLINE void scoresOfGroups(const VectorBlock &b, int32_t row) {
  int32_t g = b.low;
  for (; g + MG <= b.high; g += MG)
    scores<MR, MG>(b, row, g);
  for (; g < b.high; ++g)
    scores<MR, 1>(b, row, g);
}

// Sixteen columns of the value at a position; zeros where nobody sees it, and beyond the head's columns.
INGOT_INLINE f32x16 valueAt(const VectorBlock &b, int32_t position, int32_t column) {
  if (position < b.low || position >= b.high)
    return splat(0.0f);
  return load16(b.from[position / 16] + (int64_t)(position % 16) * b.headDim + column,
                minimum(16, b.headDim - column));
}

// Adds the values, by MR rows' weights, to the sums of NC groups of columns from `column`.
template <int MR, int NC> INGOT_INLINE void values(const VectorBlock &b, int32_t row, int32_t column) {
  const uint16_t *a = b.a + row * b.lda;
  float *sums = b.sums + column / 16 * b.sums_panel + row * 16;
#pragma clang loop unroll(disable)
  for (int32_t start = 0; start < (int32_t)kBlock; start += 32) {
    Chains<MR, NC> c;
    c.clear();
    auto add = [&](f32x16(&chain)[MR][NC], int32_t position) __attribute__((always_inline)) {
      if (row == 0 && position >= b.low && position < b.high) {
        const char *next = b.next[position / 16] + ((int64_t)(position % 16) * b.headDim + column) * 2;
#pragma unroll
        for (int i = 0; i < NC; i += 2) // lines of 32 columns
          __builtin_prefetch(next + i * 32);
      }
      f32x16 value[NC];
#pragma unroll
      for (int i = 0; i < NC; ++i)
        value[i] = valueAt(b, position, column + i * 16);
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        const f32x16 weight = splatOf(a[r * b.lda + position]);
#pragma unroll
        for (int i = 0; i < NC; ++i)
          chain[r][i] = fma(weight, value[i], chain[r][i]);
      }
    };
#pragma clang loop unroll(disable)
    for (int32_t position = start; position < start + 32; position += 2) {
      add(c.even, position);
      add(c.odd, position + 1);
    }
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int i = 0; i < NC; ++i) {
        float *to = sums + i * b.sums_panel + r * 16;
        store16(to, load16(to) + (c.even[r][i] + c.odd[r][i]));
      }
  }
}

template <int MR, int NC> INGOT_INLINE void valuesOfColumns(const VectorBlock &b, int32_t row) {
  int32_t column = 0;
  for (; column + NC * 16 <= b.headDim; column += NC * 16)
    values<MR, NC>(b, row, column);
  for (; column < b.headDim; column += 16)
    values<MR, 1>(b, row, column);
}

} // namespace
} // namespace ingot::kernels

using namespace ingot::kernels;

INGOT_ATTENTION_VECTORS(scores_flushed)(const VectorBlock *block) {
  overVectorRows(
      block->rows, [&]<int ROWS>(int32_t row) __attribute__((always_inline)) {
        scoresOfGroups<ROWS, ROWS == 1 ? 4 : 2>(*block, row);
      });
}
INGOT_ATTENTION_VECTORS(values_flushed)(const VectorBlock *block) {
  overVectorRows(
      block->rows, [&]<int ROWS>(int32_t row) __attribute__((always_inline)) {
        valuesOfColumns<ROWS, ROWS == 1 ? 4 : 2>(*block, row);
      });
}
INGOT_ATTENTION_VECTORS(scores)(const VectorBlock *block) {
  SubnormalsAreZero flush;
  ingot_attention_vectors_scores_flushed(block);
}
INGOT_ATTENTION_VECTORS(values)(const VectorBlock *block) {
  SubnormalsAreZero flush;
  ingot_attention_vectors_values_flushed(block);
}
#endif
