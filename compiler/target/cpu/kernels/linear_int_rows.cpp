// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear_int` (see linear_int_rows.h). Integers are exact in any order; a group's integer is
// scaled and added to the sum by one fused multiply-add, groups in ascending order (docs/spec/numerics.md).
#include "compiler/target/cpu/kernels/linear_int_rows.h"

namespace ingot::kernels {
namespace {

constexpr int64_t kAhead = 1536; // bytes of weights that are fetched ahead of the loop that streams them

template <int MR, int NP> struct Tile { i32x16 sum[MR][NP]; };

// Adds the products of 8-bit weights over `length` k.
template <int MR, int NP, bool STREAM>
INGOT_INLINE void add8(Tile<MR, NP> &t, const uint32_t *__restrict a, int64_t lda, const uint8_t *__restrict w,
                       int64_t ldw, int32_t length) {
#pragma clang loop unroll(disable)
  for (int32_t k = 0; k < length; k += 4) {
    u32x16 line[NP];
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      const uint8_t *at = w + p * ldw + (int64_t)k * 16;
      if constexpr (STREAM)
        __builtin_prefetch(at + kAhead);
      line[p] = *(const u32x16_u *)at;
    }
    const uint32_t *words = a + (int64_t)k / 4 * kWordsPer4;
    if constexpr (kHasVnni) {
#pragma unroll
      for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int p = 0; p < NP; ++p)
          t.sum[r][p] = dot4(t.sum[r][p], line[p], (u32x16)(words[r * lda]));
    } else {
      u32x16 even[NP], odd[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        typedef uint16_t u16x32 __attribute__((ext_vector_type(32)));
        even[p] = line[p] & 0x00ff00ffu;
        odd[p] = __builtin_bit_cast(u32x16, __builtin_bit_cast(u16x32, line[p]) >> 8);
      }
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        u32x16 first = (u32x16)(words[r * lda]), second = (u32x16)(words[r * lda + 1]);
#pragma unroll
        for (int p = 0; p < NP; ++p) {
          t.sum[r][p] += pairs16(even[p], first);
          t.sum[r][p] += pairs16(odd[p], second);
        }
      }
    }
  }
}

// Adds the products of 4-bit weights over `length` k, a multiple of 32: 32 of them add up in 16 bits.
template <int MR, int NP, bool STREAM>
INGOT_INLINE void add4(Tile<MR, NP> &t, const uint32_t *__restrict a, int64_t lda, const uint8_t *__restrict w,
                       int64_t ldw, int32_t length) {
#pragma clang loop unroll(disable)
  for (int32_t block = 0; block < length; block += 32) {
    i16x32 pairs[MR][NP];
    if constexpr (!kHasVnni) {
#pragma unroll
      for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int p = 0; p < NP; ++p)
          pairs[r][p] = (i16x32)(0);
    }
#pragma clang loop unroll(disable)
    for (int32_t k = block; k < block + 32; k += 8) {
      u32x16 low[NP], high[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        const uint8_t *at = w + p * ldw + (int64_t)k * 8;
        if constexpr (STREAM)
          __builtin_prefetch(at + kAhead);
        u32x16 line = *(const u32x16_u *)at;
        low[p] = line & 0x0f0f0f0fu;
        high[p] = line >> 4 & 0x0f0f0f0fu;
      }
      const uint32_t *words = a + k / 4;
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        u32x16 first = (u32x16)(words[r * lda]), second = (u32x16)(words[r * lda + 1]);
#pragma unroll
        for (int p = 0; p < NP; ++p) {
          if constexpr (kHasVnni) {
            t.sum[r][p] = dot4(dot4(t.sum[r][p], low[p], first), high[p], second);
          } else {
            pairs[r][p] += pairs8(low[p], first);
            pairs[r][p] += pairs8(high[p], second);
          }
        }
      }
    }
    if constexpr (!kHasVnni) {
#pragma unroll
      for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int p = 0; p < NP; ++p)
          t.sum[r][p] += widenPairs(pairs[r][p]);
    }
  }
}

// The chunk's products of MR rows from `row` and NP panels from `panel`.
template <int BITS, bool GROUPS, bool STREAM, int MR, int NP>
INGOT_INLINE void tile(const IntChunk &c, int32_t row, int32_t panel) {
  const uint32_t *a = c.a + row * c.lda;
  const uint8_t *w = c.w + panel * c.ldw;
  auto add = [&](Tile<MR, NP> & t, int32_t k, int32_t length) __attribute__((always_inline)) {
    if constexpr (BITS == 8)
      add8<MR, NP, STREAM>(t, a + (int64_t)k / 4 * kWordsPer4, c.lda, w + (int64_t)k * 16, c.ldw, length);
    else
      add4<MR, NP, STREAM>(t, a + k / 4, c.lda, w + (int64_t)k * 8, c.ldw, length);
  };
  if constexpr (!GROUPS) {
    int32_t *sums = (int32_t *)c.sums + panel * c.sums_panel + row * 16;
    Tile<MR, NP> t;
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int p = 0; p < NP; ++p)
        t.sum[r][p] = (i32x16)(0);
    add(t, 0, c.length);
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        int32_t *s = sums + p * c.sums_panel + r * 16;
        *(i32x16_u *)s = *(const i32x16_u *)s + t.sum[r][p];
      }
  } else {
    float *sums = (float *)c.sums + panel * c.sums_panel + row * 16;
    const int32_t *rowSums = c.rowSums + row * c.ldRowSums;
    int32_t g = 0;
#pragma clang loop unroll(disable)
    for (int32_t k = 0; k < c.length; k += c.group, ++g) {
      Tile<MR, NP> t;
      // The zero point first: -z times the sum of the row's integers.
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        i32x16 zero = (i32x16)(-c.zero);
        if (c.zeros)
          zero = -__builtin_convertvector(*(const u8x16_u *)(c.zeros + (panel + p) * c.ldScales + g * 16), i32x16);
#pragma unroll
        for (int r = 0; r < MR; ++r)
          t.sum[r][p] = zero * rowSums[r * c.ldRowSums + g];
      }
      add(t, k, minimum(c.group, c.length - k));
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        f32x16 scale = load16As(c.scaleType, c.scales, (panel + p) * c.ldScales + g * 16);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
          float *s = sums + p * c.sums_panel + r * 16;
          store16(s, fma(__builtin_convertvector(t.sum[r][p], f32x16), scale, load16(s)));
        }
      }
    }
  }
}

// MR rows x all panels, NP at a time.
template <int BITS, bool GROUPS, bool STREAM, int MR, int NP>
INGOT_INLINE void rowsByPanels(const IntChunk &c, int32_t row) {
  int32_t i = 0;
  for (; i + NP <= c.panels; i += NP)
    tile<BITS, GROUPS, STREAM, MR, NP>(c, row, i);
  if constexpr (NP > 1)
    for (; i < c.panels; ++i)
      tile<BITS, GROUPS, STREAM, MR, 1>(c, row, i);
}

template <int BITS, bool GROUPS, bool STREAM> INGOT_INLINE void allRows(const IntChunk &c) {
  constexpr bool wide = kIntRows > 4;
  int32_t r = 0;
  for (; r + kIntRows <= c.count; r += kIntRows)
    rowsByPanels<BITS, GROUPS, STREAM, kIntRows, wide ? 2 : 1>(c, r);
  if constexpr (wide)
    for (; r + 4 <= c.count; r += 4)
      rowsByPanels<BITS, GROUPS, STREAM, 4, 2>(c, r);
  for (; r + 2 <= c.count; r += 2)
    rowsByPanels<BITS, GROUPS, STREAM, 2, 1>(c, r);
  for (; r < c.count; ++r)
    rowsByPanels<BITS, GROUPS, STREAM, 1, 1>(c, r);
}

} // namespace
} // namespace ingot::kernels

#define INGOT_DEFINE(name, BITS, GROUPS, STREAM)                                                                       \
  INGOT_LINEAR_INT_ROWS_PROTOTYPE(name) { ingot::kernels::allRows<BITS, GROUPS, STREAM>(*chunk); }
INGOT_LINEAR_INT_ROWS(INGOT_DEFINE)
