// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear_int` (see linear_int_rows.h). Integers are exact in any order; a group's integer is
// scaled and added to the sum by one fused multiply-add, groups in ascending order (docs/spec/numerics.md).
#include "compiler/target/cpu/kernels/linear_int_rows.h"
#include "compiler/target/cpu/kernels/steps.h"

namespace ingot::kernels {
namespace {

template <int MR, int NP> struct Tile { i32x16 sum[MR][NP]; };

// What a tile reads: rows of activations, panels of weights, and what it fetches for later, a line of each panel per
// 32 k.
struct Source {
  const uint32_t *a;
  int64_t lda;
  const uint8_t *w;
  int64_t ldw;
  const uint8_t *next;
  int64_t ldNext;
  StreamAhead ahead;
};

template <int NP> INGOT_INLINE void fetchNext(const Source &s, int32_t k) {
#pragma unroll
  for (int p = 0; p < NP; ++p)
    __builtin_prefetch(s.next + p * s.ldNext + (int64_t)k * 2, 0, 2);
}

// vpdpbusd takes some cycles to add: small tiles, whose sums alone are too few to hide that, have a second one each.
template <int MR, int NP> constexpr bool kTwoSums = kHasVnni &&MR *NP <= 4;

template <int MR, int NP> INGOT_INLINE void clear(Tile<MR, NP> &t) {
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      t.sum[r][p] = (i32x16)(0);
}
template <int MR, int NP> INGOT_INLINE void add(Tile<MR, NP> &t, const Tile<MR, NP> &other) {
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      t.sum[r][p] += other.sum[r][p];
}

// One line of 8-bit weights of each panel.
template <int MR, int NP, bool STREAM>
INGOT_INLINE void addLine(Tile<MR, NP> &t, const Source &s, const uint8_t *lines, const uint32_t *words,
                          int64_t ahead) {
  u32x16 line[NP];
#pragma unroll
  for (int p = 0; p < NP; ++p) {
    const uint8_t *at = lines + p * s.ldw;
    if constexpr (STREAM)
      __builtin_prefetch(at + ahead);
    line[p] = *(const u32x16_u *)at;
  }
  if constexpr (kHasVnni) {
#pragma unroll
    for (int r = 0; r < MR; ++r) {
      if constexpr (MR * NP >= 24)
        keepOrder();
      u32x16 value = (u32x16)(words[r * s.lda]);
#pragma unroll
      for (int p = 0; p < NP; ++p)
        t.sum[r][p] = dot4(t.sum[r][p], line[p], value);
    }
  } else {
    u32x16 even[NP], odd[NP];
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      even[p] = line[p] & 0x00ff00ffu;
      odd[p] = __builtin_bit_cast(u32x16, __builtin_bit_cast(u16x32, line[p]) >> 8);
    }
#pragma unroll
    for (int r = 0; r < MR; ++r) {
      u32x16 first = (u32x16)(words[r * s.lda]), second = (u32x16)(words[r * s.lda + 1]);
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        t.sum[r][p] += pairs16(even[p], first);
        t.sum[r][p] += pairs16(odd[p], second);
      }
    }
  }
}

// By vpdpbusd, a step of 4 k of 8-bit weights. (4-bit ones take registers for both halves of a line: with four steps at once
// sums are spilled.)
struct DotBytes {
  template <class V> static INGOT_INLINE u32x16 load(const char *line) { return *(const u32x16_u *)line; }
  static INGOT_INLINE i32x16 add(i32x16 sum, const char *row, u32x16 line) {
    return dot4(sum, line, (u32x16)(*(const uint32_t *)row));
  }
};
template <int MR, int NP>
INGOT_INLINE void addSteps(Tile<MR, NP> &t, const Source &s, int32_t from, int32_t length) {
  Apart<MR> rows(s.a + from / 4, s.lda * 4);
  Apart<NP> panels(s.w + (int64_t)from * 16, s.ldw);
#pragma clang loop unroll(disable)
  for (int32_t block = from; block < from + length; block += 32) {
    fetchNext<NP>(s, block);
    multiplySteps<DotBytes>(t.sum, rows, panels, 8);
  }
}

// Adds the products of 8-bit weights over `length` k from `from`, multiples of 32.
template <int MR, int NP, bool STREAM>
INGOT_INLINE void add8(Tile<MR, NP> &t, const Source &s, int32_t from, int32_t length) {
  const uint32_t *words = s.a + (int64_t)(from / 4) * kWordsPer4;
  const uint8_t *lines = s.w + (int64_t)from * 16;
  [[maybe_unused]] Tile<MR, NP> second;
  if constexpr (kTwoSums<MR, NP>)
    clear(second);
#pragma clang loop unroll(disable)
  for (int32_t block = from; block < from + length; block += 32) {
    const int64_t ahead = s.ahead.at((int64_t)block * 16);
    if constexpr (!STREAM)
      fetchNext<NP>(s, block);
    if constexpr (kTwoSums<MR, NP>) {
#pragma clang loop unroll(disable)
      for (int32_t k = 0; k < 32; k += 8, words += 2 * kWordsPer4, lines += 128) {
        addLine<MR, NP, STREAM>(t, s, lines, words, ahead);
        addLine<MR, NP, STREAM>(second, s, lines + 64, words + kWordsPer4, ahead);
      }
    } else {
#pragma clang loop unroll(disable)
      for (int32_t k = 0; k < 32; k += 4, words += kWordsPer4, lines += 64)
        addLine<MR, NP, STREAM>(t, s, lines, words, ahead);
    }
  }
  if constexpr (kTwoSums<MR, NP>)
    add(t, second);
}

// The same of 4-bit weights: 32 of them add up in 16 bits.
template <int MR, int NP, bool STREAM>
INGOT_INLINE void add4(Tile<MR, NP> &t, const Source &s, int32_t from, int32_t length) {
  const uint32_t *words = s.a + from / 4;
  const uint8_t *lines = s.w + (int64_t)from * 8;
  [[maybe_unused]] Tile<MR, NP> second;
  if constexpr (kTwoSums<MR, NP>)
    clear(second);
#pragma clang loop unroll(disable)
  for (int32_t block = from; block < from + length; block += 32) {
    const int64_t ahead = s.ahead.at((int64_t)block * 8);
    i16x32 pairs[MR][NP];
    if constexpr (!kHasVnni) {
#pragma unroll
      for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int p = 0; p < NP; ++p)
          pairs[r][p] = (i16x32)(0);
    }
    if constexpr (!STREAM)
      fetchNext<NP>(s, block);
#pragma clang loop unroll(disable)
    for (int32_t k = 0; k < 32; k += 8, words += 2, lines += 64) {
      u32x16 low[NP], high[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        const uint8_t *at = lines + p * s.ldw;
        if constexpr (STREAM)
          __builtin_prefetch(at + ahead);
        u32x16 line = *(const u32x16_u *)at;
        low[p] = line & 0x0f0f0f0fu;
        high[p] = line >> 4 & 0x0f0f0f0fu;
      }
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        if constexpr (MR * NP >= 24)
          keepOrder();
        u32x16 first = (u32x16)(words[r * s.lda]), other = (u32x16)(words[r * s.lda + 1]);
#pragma unroll
        for (int p = 0; p < NP; ++p) {
          if constexpr (kHasVnni) {
            t.sum[r][p] = dot4(t.sum[r][p], low[p], first);
            i32x16 &to = kTwoSums<MR, NP> ? second.sum[r][p] : t.sum[r][p];
            to = dot4(to, high[p], other);
          } else {
            pairs[r][p] += pairs8(low[p], first);
            pairs[r][p] += pairs8(high[p], other);
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
  if constexpr (kTwoSums<MR, NP>)
    add(t, second);
}

template <int BITS, bool STREAM, int MR, int NP>
INGOT_INLINE void addProducts(Tile<MR, NP> &t, const Source &s, int32_t from, int32_t length) {
  if constexpr (BITS == 8 && !STREAM && kHasVnni && !kTwoSums<MR, NP>)
    addSteps(t, s, from, length);
  else if constexpr (BITS == 8)
    add8<MR, NP, STREAM>(t, s, from, length);
  else
    add4<MR, NP, STREAM>(t, s, from, length);
}

// The chunk's products of MR rows from `row` and NP panels from `panel`.
template <int BITS, bool GROUPS, bool STREAM, int MR, int NP>
INGOT_INLINE void tile(const IntChunk &c, int32_t row, int32_t panel) {
  Source s = {c.a + row * c.lda, c.lda,    c.w.values + panel * c.w.ldValues,
              c.w.ldValues,      nullptr,  c.ldNext,
              {c.rest,           (c.panels - 1) * c.w.ldValues}};
  if constexpr (STREAM && GROUPS)
    c.w.fetchScales(panel + c.panels, NP, c.length);
  if constexpr (!STREAM) // this tile's share of what comes next
    s.next = c.next + panel * c.ldNext + c.nextBytes * row / c.count;
  if constexpr (!GROUPS) {
    int32_t *sums = (int32_t *)c.sums + panel * c.sums_panel + row * 16;
    Tile<MR, NP> t;
    clear(t);
    addProducts<BITS, STREAM>(t, s, 0, c.length);
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        int32_t *to = sums + p * c.sums_panel + r * 16;
        *(i32x16_u *)to = *(const i32x16_u *)to + t.sum[r][p];
      }
  } else {
    float *sums = (float *)c.sums + panel * c.sums_panel + row * 16;
    const int32_t *rowSums = c.rowSums + row * c.ldRowSums;
    int32_t g = 0;
#pragma clang loop unroll(disable)
    for (int32_t k = 0; k < c.length; k += c.w.group, ++g) {
      Tile<MR, NP> t;
      // The zero point first: -z times the sum of the row's integers.
      if (c.w.zeros) {
#pragma unroll
        for (int p = 0; p < NP; ++p) {
          i32x16 zero = -c.w.zeroPoint(panel + p, g);
#pragma unroll
          for (int r = 0; r < MR; ++r)
            t.sum[r][p] = zero * rowSums[r * c.ldRowSums + g];
        }
      } else {
#pragma unroll
        for (int r = 0; r < MR; ++r) {
          i32x16 start = (i32x16)(-c.w.zero * rowSums[r * c.ldRowSums + g]);
#pragma unroll
          for (int p = 0; p < NP; ++p)
            t.sum[r][p] = start;
        }
      }
      addProducts<BITS, STREAM>(t, s, k, minimum(c.w.group, c.length - k));
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        f32x16 scale = c.w.scale(panel + p, g);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
          float *to = sums + p * c.sums_panel + r * 16;
          store16(to, fma(__builtin_convertvector(t.sum[r][p], f32x16), scale, load16(to)));
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

// Groups of kIntRows rows, the rest in groups of 4, 2, 1. Few rows that stream take more panels side by side.
template <int BITS, bool GROUPS, bool STREAM> INGOT_INLINE void allRows(const IntChunk &c) {
  int32_t r = 0;
  for (; r + kIntRows <= c.count; r += kIntRows)
    rowsByPanels<BITS, GROUPS, STREAM, kIntRows, kIntPanels>(c, r);
  constexpr int kPanels4 = STREAM && kBesideRows >= 4 ? 4 : kIntPanels, kPanels2 = STREAM && kBesideRows >= 2 ? 4 : 1;
  if constexpr (kIntRows > 4)
    for (; r + 4 <= c.count; r += 4)
      rowsByPanels<BITS, GROUPS, STREAM, 4, kPanels4>(c, r);
  for (; r + 2 <= c.count; r += 2)
    rowsByPanels<BITS, GROUPS, STREAM, 2, kPanels2>(c, r);
  for (; r < c.count; ++r)
    rowsByPanels<BITS, GROUPS, STREAM, 1, STREAM ? 4 : 1>(c, r);
}

} // namespace
} // namespace ingot::kernels

#define INGOT_DEFINE(name, BITS, GROUPS, STREAM)                                                                       \
  INGOT_LINEAR_INT_ROWS_PROTOTYPE(name) { ingot::kernels::allRows<BITS, GROUPS, STREAM>(*chunk); }
INGOT_LINEAR_INT_ROWS(INGOT_DEFINE)
