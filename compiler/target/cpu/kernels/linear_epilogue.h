// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The end of every product, `linear` and `linear_int` alike: from the sums of a block of rows and panels to what is
// stored, in the order that docs/spec/numerics.md gives: bias, activation, gate, residual, rounding, statistics.
#ifndef INGOT_TARGET_CPU_KERNELS_LINEAR_EPILOGUE_H
#define INGOT_TARGET_CPU_KERNELS_LINEAR_EPILOGUE_H

#include "compiler/target/cpu/kernels/math.h"

namespace ingot::kernels {

// Where a product's results go. Params: linear_params or linear_int_params.
template <class Params> struct LinearResult {
  const Params *p;
  const float *bias;
  const float *residual;
  void *out;
  float *stats;
  int32_t tiles; // of the whole launch
  int64_t first; // the row that row 0 stands for

  // Takes the operands from `next` on: [bias], [residual], out, [stats].
  INGOT_INLINE LinearResult(const Params *p, void *const *next) : p(p) {
    bias = p->bias ? (const float *)*next++ : nullptr;
    residual = p->residual ? (const float *)*next++ : nullptr;
    out = *next++;
    stats = p->stats ? (float *)*next++ : nullptr;
    tiles = (p->n + 15) / 16;
    first = 0;
  }

  // Finishes tiles [tile, tile + count) for rows [row, row + rowCount). sums(i, r): the sixteen sums of panel i of
  // these and row r of these. Row by row: rows lie pages apart, and what is known of a row is read once.
  template <class Sums>
  INGOT_INLINE void finish(const Sums &sums, int32_t row, int32_t rowCount, int32_t tile, int32_t count) const {
    constexpr int32_t kRowsAhead = 3; // whose lines are asked for: a store that waits for its line holds up the others
    const int64_t element = p->out_type == INGOT_F32 ? 4 : 2;
    for (int32_t r = 0; r < rowCount; ++r) {
      int64_t at = first + row + r;
      if (r + kRowsAhead < rowCount)
        for (int32_t i = 0; i < count; ++i)
          __builtin_prefetch((const char *)out + ((at + kRowsAhead) * p->out_stride + (tile + i) * 16) * element, 1);
      for (int32_t i = 0; i < count; ++i) {
        int32_t column = (tile + i) * 16;
        int32_t width = minimum(16, p->n - column);
        f32x16 y;
        if (p->gated) {
          f32x16 gate = sums(2 * i, r);
          f32x16 up = sums(2 * i + 1, r);
          if (p->bias) {
            gate = gate + load16(bias + (int64_t)(tile + i) * 32);
            up = up + load16(bias + (int64_t)(tile + i) * 32 + 16);
          }
          y = activate(gate, p->act) * up;
        } else {
          y = sums(i, r);
          if (p->bias)
            y = y + load16(bias + column, width);
          y = activate(y, p->act);
        }
        if (p->residual)
          y = y + load16(residual + at * p->n + column, width);
        store16As(p->out_type, out, at * p->out_stride + column, y, width);
        if (p->stats) {
          i32x16 inside = lanes() < width;
          f32x16 kept = select(inside, y, splat(0.0f));
          stats[at * tiles + tile + i] = sum(kept * kept);
        }
      }
    }
    if (tile + count == tiles && p->out_stride > p->n)
      for (int32_t r = 0; r < rowCount; ++r)
        for (int32_t c = p->n; c < p->out_stride; ++c)
          storeAs(p->out_type, out, (first + row + r) * p->out_stride + c, 0.0f);
  }
};

// Does units [tile0, tile1) of a launch, `tiles` for each part of its rows (ingot_row_parts): work(first row, rows,
// tile, end of tiles) for every part that they reach into.
template <class Work>
INGOT_INLINE void overParts(const ingot_env *env, int64_t rows, int32_t tiles, uint32_t tile0, uint32_t tile1,
                            const Work &work) {
  const uint32_t parts = ingot_row_parts(rows, (uint32_t)tiles, env->workers);
  for (uint32_t part = tile0 / (uint32_t)tiles, at = part * (uint32_t)tiles; at < tile1;
       ++part, at += (uint32_t)tiles) {
    const int64_t from = rows * part / parts, to = rows * (part + 1) / parts;
    const uint32_t end = tile1 - at;
    work(from, (int32_t)(to - from), (int32_t)(tile0 > at ? tile0 - at : 0),
         end < (uint32_t)tiles ? (int32_t)end : tiles);
  }
}

} // namespace ingot::kernels

#endif
