// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of two computed matrices, for functions that came through linalg. Each sum is one chain of fused multiply-adds over ascending
// k from zero, as the function states it; how rows and columns are cut changes no bit. Columns go by panels that are laid side by side
// first, up to kPanelDepth of k at a time: as they lie, lines of a power of two apart would share few places of the cache.
#ifndef INGOT_TARGET_CPU_KERNELS_MATMUL_H
#define INGOT_TARGET_CPU_KERNELS_MATMUL_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

#if defined(__AVX512F__)
constexpr int kPanelRows = 12, kPanelGroups = 2; // sums in registers: rows by groups of 16 columns
#else
constexpr int kPanelRows = 6, kPanelGroups = 1;
#endif
constexpr int64_t kPanelDepth = 256, kPanelWidth = kPanelGroups * 16;

// Columns of b, `stride` apart from one k to the next, and of c.
struct Panel {
  const float *b;
  int64_t stride;
  int32_t columns; // up to kPanelWidth
  bool first;      // sums begin here
};

template <int MR, bool WHOLE>
INGOT_INLINE void panelTile(const float *a, int64_t lda, int64_t depth, const Panel &panel, float *c, int64_t ldc) {
  f32x16 sum[MR][kPanelGroups];
  auto left = [&](int i) __attribute__((always_inline)) { return maximum(0, minimum(16, panel.columns - i * 16)); };
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < kPanelGroups; ++i) {
      sum[r][i] = splat(0.0f);
      if (!panel.first)
        sum[r][i] = WHOLE ? load16(c + r * ldc + i * 16) : load16(c + r * ldc + i * 16, left(i));
    }
  const float *b = panel.b;
#pragma clang loop unroll(disable)
  for (int64_t k = 0; k < depth; ++k, b += panel.stride) {
    f32x16 column[kPanelGroups];
#pragma unroll
    for (int i = 0; i < kPanelGroups; ++i)
      column[i] = load16(b + i * 16);
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int i = 0; i < kPanelGroups; ++i)
        sum[r][i] = fma(splat(a[r * lda + k]), column[i], sum[r][i]);
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < kPanelGroups; ++i)
      if (WHOLE)
        store16(c + r * ldc + i * 16, sum[r][i]);
      else
        store16(c + r * ldc + i * 16, sum[r][i], left(i));
}

template <bool WHOLE>
INGOT_INLINE void panelRows(const float *a, int64_t lda, int64_t depth, const Panel &panel, float *c, int64_t ldc, int64_t rows) {
  int64_t r = 0;
#pragma clang loop unroll(disable)
  for (; r + kPanelRows <= rows; r += kPanelRows)
    panelTile<kPanelRows, WHOLE>(a + r * lda, lda, depth, panel, c + r * ldc, ldc);
#pragma clang loop unroll(disable)
  for (; r + 4 <= rows; r += 4)
    panelTile<4, WHOLE>(a + r * lda, lda, depth, panel, c + r * ldc, ldc);
#pragma clang loop unroll(disable)
  for (; r < rows; ++r)
    panelTile<1, WHOLE>(a + r * lda, lda, depth, panel, c + r * ldc, ldc);
}

// c [rows][columns] = a [rows][depth] · b [depth][columns]
INGOT_INLINE void matmul(const float *a, const float *b, float *c, int64_t rows, int64_t columns, int64_t depth) {
  alignas(64) float laid[kPanelDepth * kPanelWidth];
#pragma clang loop unroll(disable)
  for (int64_t column = 0; column < columns; column += kPanelWidth) {
    const auto count = (int32_t)(columns - column < kPanelWidth ? columns - column : kPanelWidth);
    int64_t k = 0;
    do { // once at least: a sum of nothing is zero
      const int64_t deep = depth - k < kPanelDepth ? depth - k : kPanelDepth;
      const float *from = b + k * columns + column;
      Panel panel{from, columns, count, k == 0};
      if (rows >= 4 || count < kPanelWidth) {
        for (int64_t i = 0; i < deep; ++i)
#pragma unroll
          for (int g = 0; g < kPanelGroups; ++g)
            store16(laid + i * kPanelWidth + g * 16, load16(from + i * columns + g * 16, maximum(0, minimum(16, count - g * 16))));
        panel.b = laid;
        panel.stride = kPanelWidth;
      }
      if (count == kPanelWidth)
        panelRows<true>(a + k, depth, deep, panel, c + column, columns, rows);
      else
        panelRows<false>(a + k, depth, deep, panel, c + column, columns, rows);
      k += deep;
    } while (k < depth);
  }
}

} // namespace ingot::kernels

#endif
