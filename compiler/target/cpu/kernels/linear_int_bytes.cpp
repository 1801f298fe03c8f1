// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 8-bit products of many rows without VNNI (see linear_int_bytes.h, which says why they are exact).
#include "compiler/target/cpu/kernels/linear_int_bytes.h"

namespace ingot::kernels {
namespace {

typedef uint64_t u64x8 __attribute__((ext_vector_type(8)));
typedef int8_t i8x64 __attribute__((ext_vector_type(64)));

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

// MR rows from `row` and NP panels from `first`.
template <int MR, int NP> INGOT_INLINE void tile(const BytesChunk &c, int32_t row, int32_t first) {
  const BytesPanel *panels = c.panels + first;
  const uint8_t *a = c.a + row * c.lda;
  const uint8_t *next = c.next + first * c.ldNext + c.nextBytes * row / c.count;
  i32x16 sum[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      sum[r][p] = *(const i32x16_u *)panels[p].columns + c.rowSums[row + r];
#pragma clang loop unroll(disable)
  for (int32_t block = 0; block < c.length; block += 32) {
#pragma unroll
    for (int p = 0; p < NP; ++p)
      __builtin_prefetch(next + p * c.ldNext + (int64_t)block * 2, 0, 2);
#pragma clang loop unroll(disable)
    for (int32_t k = block; k < block + 32; k += 4) {
      u32x16 line[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p)
        line[p] = *(const u32x16_u *)panels[p].lines[k / 4];
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        const u32x16 value = (u32x16)(*(const uint32_t *)(a + r * c.lda + k));
#pragma unroll
        for (int p = 0; p < NP; ++p)
          sum[r][p] += widenPairs(pairs8(value, line[p]));
      }
    }
  }
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
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      int32_t *to = c.sums + (first + p) * c.sums_panel + (row + r) * 16;
      *(i32x16_u *)to = *(const i32x16_u *)to + sum[r][p];
    }
}

template <int MR> INGOT_INLINE void rowsByPanels(const BytesChunk &c, int32_t row) {
  int32_t i = 0;
  for (; i + kIntPanels <= c.number; i += kIntPanels)
    tile<MR, kIntPanels>(c, row, i);
  if constexpr (kIntPanels > 1)
    for (; i < c.number; ++i)
      tile<MR, 1>(c, row, i);
}

} // namespace
} // namespace ingot::kernels

extern "C" bool ingot_linear_int_bytes_panel(ingot::kernels::BytesPanel *panel, const uint8_t *values, int32_t length) {
  return ingot::kernels::makePanel(*panel, values, length);
}

extern "C" void ingot_linear_int_bytes_block(const ingot::kernels::BytesChunk *chunk) {
  using namespace ingot::kernels;
  int32_t r = 0;
  for (; r + kIntRows <= chunk->count; r += kIntRows)
    rowsByPanels<kIntRows>(*chunk, r);
  if constexpr (kIntRows > 4)
    for (; r + 4 <= chunk->count; r += 4)
      rowsByPanels<4>(*chunk, r);
  for (; r < chunk->count; ++r)
    rowsByPanels<1>(*chunk, r);
}
