// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of f32 turned into panels: 16 rows side by side, as attention_rows.h multiplies keys. Squares of 8 by 8 go
// through registers, in three rounds that exchange halves of ever wider pieces.
#ifndef INGOT_TARGET_CPU_KERNELS_TRANSPOSE_H
#define INGOT_TARGET_CPU_KERNELS_TRANSPOSE_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

typedef f32x8 f32x8_u __attribute__((aligned(4)));

// to[across * column + row] = row[column] for an 8 by 8 square.
INGOT_INLINE void transpose8(const float *const rows[8], int32_t column, float *to, int64_t across = 16) {
  f32x8 r[8], pair[8], four[8];
#pragma unroll
  for (int i = 0; i < 8; ++i)
    r[i] = *(const f32x8_u *)(rows[i] + column);
    // a0 b0 a1 b1 | a4 b4 a5 b5 and a2 b2 a3 b3 | a6 b6 a7 b7 of neighbouring rows a and b
#pragma unroll
  for (int i = 0; i < 8; i += 2) {
    pair[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pair[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  // columns i and i + 4 of four rows each
#pragma unroll
  for (int i = 0; i < 8; i += 4) {
    four[i] = __builtin_shufflevector(pair[i], pair[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    four[i + 1] = __builtin_shufflevector(pair[i], pair[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    four[i + 2] = __builtin_shufflevector(pair[i + 1], pair[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    four[i + 3] = __builtin_shufflevector(pair[i + 1], pair[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    *(f32x8_u *)(to + i * across) = __builtin_shufflevector(four[i], four[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *(f32x8_u *)(to + (i + 4) * across) = __builtin_shufflevector(four[i], four[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// to[columns][16] from `count` (1..16) rows, `stride` apart; the last of them stands for those that are not there.
INGOT_INLINE void transpose16(const float *in, int64_t stride, int32_t count, int32_t columns, float *to) {
#pragma clang loop unroll(disable)
  for (int32_t half = 0; half < 16; half += 8) {
    const float *rows[8];
#pragma unroll
    for (int i = 0; i < 8; ++i)
      rows[i] = in + minimum(half + i, count - 1) * stride;
    int32_t column = 0;
    for (; column + 8 <= columns; column += 8)
      transpose8(rows, column, to + (int64_t)column * 16 + half);
    for (; column < columns; ++column)
#pragma unroll
      for (int i = 0; i < 8; ++i)
        to[(int64_t)column * 16 + half + i] = rows[i][column];
  }
}

} // namespace ingot::kernels

#endif
