// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 8-bit products of many rows without VNNI (see linear_int_bytes.h, which says why they are exact).
#include "compiler/target/cpu/kernels/linear_int_bytes.h"

namespace ingot::kernels {
namespace {

typedef uint64_t u64x8 __attribute__((ext_vector_type(8)));
typedef int8_t i8x64 __attribute__((ext_vector_type(64)));
typedef i8x64 i8x64_u __attribute__((aligned(1)));
typedef bool bool16 __attribute__((ext_vector_type(16)));

constexpr uint32_t kOnes = 0x01010101u;

// The sums of the four i8 of each lane.
INGOT_INLINE i32x16 sum4(u32x16 w) { return widenPairs(pairs8((u32x16)(kOnes), w)); }

INGOT_INLINE bool any(u32x16 bits) { return __builtin_reduce_or(__builtin_bit_cast(u64x8, bits)) != 0; }

INGOT_INLINE bool makePanel(BytesPanel &panel, const uint8_t *values, int32_t length) {
  i32x16 columns = (i32x16)(0);
  int32_t count = 0;
#pragma clang loop unroll(disable)
  for (int32_t i = 0; i < length / 4; ++i) {
    const u32x16 w = *(const u32x16_u *)(values + (int64_t)i * 64) ^ 0x80808080u;
    columns += sum4(w);
    u32x16 cut = w;
    const i8x64 bytes = __builtin_bit_cast(i8x64, w);
    const u32x16 sizes = __builtin_bit_cast(u32x16, __builtin_elementwise_abs(bytes)); // of -128 it is 128, unsigned
    const i16x32 heavy = pairs8(sizes, (u32x16)(kOnes)) > (i16x32)(128);
    if (any(__builtin_bit_cast(u32x16, heavy))) {
      if (count == kBytesRest)
        return false;
      const i8x64 within = __builtin_elementwise_min(__builtin_elementwise_max(bytes, (i8x64)(-64)), (i8x64)(64));
      const u32x16 mask = __builtin_bit_cast(u32x16, heavy);
      cut = (__builtin_bit_cast(u32x16, within) & mask) | (w & ~mask);
      *(u32x16_u *)panel.rest[count] = __builtin_bit_cast(u32x16, bytes - __builtin_bit_cast(i8x64, cut));
      panel.at[count++] = (uint16_t)i;
    }
    *(u32x16_u *)panel.lines[i] = cut;
  }
  *(i32x16_u *)panel.columns = columns * -128;
  panel.count = count;
  return true;
}

// Adds the products of `length` k, a line of each panel at a time. SIGNED_ROWS: rows are signed and weights are not, else the
// other way about.
template <bool SIGNED_ROWS, int MR, int NP>
INGOT_INLINE void addLines(i32x16 (&sum)[MR][NP], const uint8_t *a, int64_t lda, const uint8_t *w, int64_t ldw,
                           int32_t length, const uint8_t *next, int64_t ldNext) {
#pragma clang loop unroll(disable)
  for (int32_t block = 0; block < length; block += 32) {
#pragma unroll
    for (int p = 0; p < NP; ++p)
      __builtin_prefetch(next + p * ldNext + (int64_t)block * 2, 0, 2);
#pragma clang loop unroll(disable)
    for (int32_t k = block; k < block + 32; k += 4) {
      u32x16 line[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p)
        line[p] = *(const u32x16_u *)(w + p * ldw + (int64_t)k * 16);
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        const u32x16 value = (u32x16)(*(const uint32_t *)(a + r * lda + k));
#pragma unroll
        for (int p = 0; p < NP; ++p)
          sum[r][p] += widenPairs(SIGNED_ROWS ? pairs8(line[p], value) : pairs8(value, line[p]));
      }
    }
  }
}

template <int MR, int NP>
INGOT_INLINE void addTo(int32_t *sums, int64_t sums_panel, const i32x16 (&sum)[MR][NP]) {
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      int32_t *to = sums + p * sums_panel + r * 16;
      *(i32x16_u *)to = *(const i32x16_u *)to + sum[r][p];
    }
}

// Panels that are ready: MR rows from `row` and NP panels from `first`.
struct ByPanels {
  const BytesChunk &c;
  INGOT_INLINE int32_t rows() const { return c.count; }
  INGOT_INLINE int32_t panels() const { return c.number; }
  template <int MR, int NP> INGOT_INLINE void tile(int32_t row, int32_t first) const {
    const BytesPanel *panels = c.panels + first;
    const uint8_t *a = c.a + row * c.lda;
    i32x16 sum[MR][NP];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int p = 0; p < NP; ++p)
        sum[r][p] = *(const i32x16_u *)panels[p].columns + c.rowSums[row + r];
    addLines<false>(sum, a, c.lda, panels[0].lines[0], sizeof(BytesPanel), c.length,
                    c.next + first * c.ldNext + c.nextBytes * row / c.count, c.ldNext);
#pragma unroll
    for (int p = 0; p < NP; ++p)
#pragma clang loop unroll(disable)
      for (int32_t i = 0; i < panels[p].count; ++i) {
        const u32x16 line = *(const u32x16_u *)panels[p].rest[i];
        const uint8_t *values = a + (int64_t)panels[p].at[i] * 4;
#pragma unroll
        for (int r = 0; r < MR; ++r)
          sum[r][p] += widenPairs(pairs8((u32x16)(*(const uint32_t *)(values + r * c.lda)), line));
      }
    addTo(c.sums + first * c.sums_panel + row * 16, c.sums_panel, sum);
  }
};

// Rows that are cut.
struct ByRows {
  const IntChunk &c;
  const CutRows &cut;
  INGOT_INLINE int32_t rows() const { return c.count; }
  INGOT_INLINE int32_t panels() const { return c.panels; }
  template <int MR, int NP> INGOT_INLINE void tile(int32_t row, int32_t first) const {
    const uint8_t *w = c.w.values + first * c.w.ldValues;
    i32x16 sum[MR][NP];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int p = 0; p < NP; ++p)
        sum[r][p] = (i32x16)(0);
    addLines<true>(sum, (const uint8_t *)cut.rows + row * kChunk, kChunk, w, c.w.ldValues, c.length,
                   c.next + first * c.ldNext + c.nextBytes * row / c.count, c.ldNext);
    addTo((int32_t *)c.sums + first * c.sums_panel + row * 16, c.sums_panel, sum);
  }
  // The words that are left of one row, by NP panels.
  template <int NP> INGOT_INLINE void rest(int32_t row, int32_t first) const {
    const uint8_t *w = c.w.values + first * c.w.ldValues;
    i32x16 sum[1][NP];
#pragma unroll
    for (int p = 0; p < NP; ++p)
      sum[0][p] = (i32x16)(0);
#pragma clang loop unroll(disable)
    for (int32_t i = cut.starts[row]; i < cut.starts[row + 1]; ++i) {
      const u32x16 value = (u32x16)(cut.rest[i]);
#pragma unroll
      for (int p = 0; p < NP; ++p)
        sum[0][p] += widenPairs(pairs8(*(const u32x16_u *)(w + p * c.w.ldValues + (int64_t)cut.at[i] * 64), value));
    }
    addTo((int32_t *)c.sums + first * c.sums_panel + row * 16, c.sums_panel, sum);
  }
  INGOT_INLINE void rests() const {
    for (int32_t row = 0; row < c.count; ++row) {
      if (cut.starts[row] == cut.starts[row + 1])
        continue;
      int32_t i = 0;
      for (; i + 4 <= c.panels; i += 4)
        rest<4>(row, i);
      for (; i < c.panels; ++i)
        rest<1>(row, i);
    }
  }
};

template <int MR, class Way> INGOT_INLINE void byPanels(const Way &way, int32_t row) {
  int32_t i = 0;
  for (; i + kIntPanels <= way.panels(); i += kIntPanels)
    way.template tile<MR, kIntPanels>(row, i);
  if constexpr (kIntPanels > 1)
    for (; i < way.panels(); ++i)
      way.template tile<MR, 1>(row, i);
}
template <class Way> INGOT_INLINE void allRows(const Way &way) {
  int32_t r = 0;
  for (; r + kIntRows <= way.rows(); r += kIntRows)
    byPanels<kIntRows>(way, r);
  if constexpr (kIntRows > 4)
    for (; r + 4 <= way.rows(); r += 4)
      byPanels<4>(way, r);
  for (; r < way.rows(); ++r)
    byPanels<1>(way, r);
}

// Words of one row that hold heavy pairs are cut where they lie; false: more are left than there is room for.
INGOT_INLINE bool cutRow(const CutRows &cut, int8_t *row, int32_t length, int32_t &count, int32_t most) {
#pragma clang loop unroll(disable)
  for (int32_t k = 0; k < length; k += 64) {
    // The last 32 of a chunk that is no multiple of 64 are looked at with what lies behind them, which is zero.
    const i8x64 q = *(const i8x64_u *)(row + k);
    const i16x32 sums = pairs8((u32x16)(kOnes), __builtin_bit_cast(u32x16, q));
    const u32x16 heavy = __builtin_bit_cast(u32x16, __builtin_elementwise_abs(sums) > (i16x32)(128));
    uint32_t words = __builtin_bit_cast(uint16_t, __builtin_convertvector(heavy != 0u, bool16));
    if (!words)
      continue;
    const i8x64 within = __builtin_elementwise_min(__builtin_elementwise_max(q, (i8x64)(-64)), (i8x64)(64));
    const u32x16 left = __builtin_bit_cast(u32x16, q - within) & heavy;
    *(i8x64_u *)(row + k) = q - __builtin_bit_cast(i8x64, left);
    uint32_t rest[16];
    *(u32x16_u *)rest = left;
    if (count + __builtin_popcount(words) > most)
      return false;
#pragma clang loop unroll(disable)
    for (; words; words &= words - 1) {
      const int i = __builtin_ctz(words);
      cut.rest[count] = rest[i];
      cut.at[count++] = (uint16_t)(k / 4 + i);
    }
  }
  return true;
}

} // namespace
} // namespace ingot::kernels

extern "C" bool ingot_linear_int_bytes_panel(ingot::kernels::BytesPanel *panel, const uint8_t *values, int32_t length) {
  return ingot::kernels::makePanel(*panel, values, length);
}

extern "C" void ingot_linear_int_bytes_block(const ingot::kernels::BytesChunk *chunk) {
  ingot::kernels::allRows(ingot::kernels::ByPanels{*chunk});
}

extern "C" bool ingot_linear_int_bytes_cut(const ingot::kernels::CutRows *cut, const int8_t *in, int64_t row_bytes,
                                           int32_t count, int32_t length) {
  using namespace ingot::kernels;
  const int32_t most = (int32_t)(kCutRests * count / kBytesRows);
  int32_t left = 0;
  for (int32_t r = 0; r < count; ++r) {
    int8_t *row = cut->rows + r * kChunk;
    const int8_t *from = in + r * row_bytes;
    for (int32_t i = 0; i < length; i += 32)
      __builtin_memcpy(row + i, from + i, 32);
    if (length % 64)
      __builtin_memset(row + length, 0, 32);
    cut->starts[r] = left;
    if (!cutRow(*cut, row, length, left, most))
      return false;
  }
  cut->starts[count] = left;
  return true;
}

extern "C" void ingot_linear_int_bytes_cut_block(const ingot::kernels::IntChunk *chunk,
                                                 const ingot::kernels::CutRows *cut) {
  const ingot::kernels::ByRows way = {*chunk, *cut};
  ingot::kernels::allRows(way);
  way.rests();
}
