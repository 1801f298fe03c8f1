// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The end of every product, from a fragment of sums to what is stored, in registers: bias, activation, gate, residual,
// rounding, statistics, in the order of docs/spec/numerics.md. Of linear_params and linear_int_params.
#ifndef INGOT_CUDA_DEVICE_LINEAR_EPILOGUE_H
#define INGOT_CUDA_DEVICE_LINEAR_EPILOGUE_H

#include "compiler/target/cuda/device/elements.h"

namespace ingot::device {

template <int act> INGOT_DEVICE float activated(float x) {
  if constexpr (act == INGOT_ACT_SILU)
    return divide(x, add(1.0f, expf(-x)));
  else if constexpr (act == INGOT_ACT_GELU)
    return multiply(multiply(0.5f, x), add(1.0f, erff(multiply(x, 0.70710678f))));
  else if constexpr (act == INGOT_ACT_GELU_TANH) {
    const float inner = multiply(0.79788456f, fma(multiply(multiply(x, x), x), 0.044715f, x));
    return multiply(multiply(0.5f, x), add(1.0f, tanhf(inner)));
  } else if constexpr (act == INGOT_ACT_QUICK_GELU)
    return divide(x, add(1.0f, expf(multiply(-1.702f, x))));
  else if constexpr (act == INGOT_ACT_RELU)
    return x > 0.0f ? x : 0.0f;
  else
    return x;
}

struct alignas(8) Floats2 {
  float x, y;
};

template <class P> struct LinearEpilogue {
  static constexpr auto p = P::p;
  static constexpr int32_t tiles = (p.n + 15) / 16;
  const float *bias = nullptr, *residual = nullptr;
  void *out = nullptr;
  float *stats = nullptr;

  INGOT_DEVICE LinearEpilogue(const ingot_cuda_args &args, int32_t next) {
    if constexpr (p.bias != 0)
      bias = (const float *)args.buffers[next++];
    if constexpr (p.residual != 0)
      residual = (const float *)args.buffers[next++];
    out = args.buffers[next++];
    if constexpr (p.stats != 0)
      stats = (float *)args.buffers[next++];
  }

  // Two neighbours of a row, as one access where they are aligned to it.
  static constexpr bool pairs = p.out_stride % 2 == 0;
  INGOT_DEVICE void store(int64_t r, int32_t column, const float (&y)[2]) const {
    const int64_t at = r * p.out_stride + column;
    if (pairs && column + 1 < p.n) {
      if constexpr (p.out_type == INGOT_F32)
        *(Floats2 *)((float *)out + at) = {y[0], y[1]};
      else
        *(uint32_t *)((uint16_t *)out + at) = packPair<p.out_type>(y[0], y[1]);
      return;
    }
    storeAs<p.out_type>(out, at, y[0]);
    if (column + 1 < p.n)
      storeAs<p.out_type>(out, at + 1, y[1]);
  }

  // Finishes tile `tile` (16 columns) for rows [row, row + 8) of `rows`, all lanes together. A fragment holds, as C of
  // mma with the columns of linear_operands.h: (column 2g, rows 2t and 2t + 1), then column 2g + 1; `up` is that of the
  // gated product, else not looked at.
  INGOT_DEVICE void finish(const FragmentC &sums, const FragmentC &up, int32_t tile, int64_t row, int64_t rows) const {
    const int32_t g = (int32_t)lane() / 4, t = (int32_t)lane() % 4;
    const int32_t column = tile * 16 + 2 * g;
    float squares[2] = {0.0f, 0.0f}; // of rows 2t, 2t + 1
    for (int i = 0; i < 2; ++i) {
      const int64_t r = row + 2 * t + i;
      if (r >= rows || column >= p.n)
        continue;
      float y[2] = {0.0f, 0.0f};
      for (int j = 0; j < 2; ++j) {
        if (column + j >= p.n)
          continue;
        float x = sums.r[j * 2 + i];
        if constexpr (p.gated != 0) {
          float other = up.r[j * 2 + i];
          if constexpr (p.bias != 0) {
            x = add(x, bias[tile * 32 + 2 * g + j]);
            other = add(other, bias[tile * 32 + 16 + 2 * g + j]);
          }
          x = multiply(activated<p.act>(x), other);
        } else {
          if constexpr (p.bias != 0)
            x = add(x, bias[column + j]);
          x = activated<p.act>(x);
        }
        if constexpr (p.residual != 0)
          x = add(x, residual[r * p.n + column + j]);
        y[j] = x;
        squares[i] = fma(x, x, squares[i]);
      }
      store(r, column, y);
    }
    if constexpr (p.stats != 0) {
      for (int i = 0; i < 2; ++i) {
        for (uint32_t mask = 4; mask < 32; mask *= 2) // over columns
          squares[i] = add(squares[i], shuffleXor(squares[i], mask));
        const int64_t r = row + 2 * t + i;
        if (g == 0 && r < rows)
          stats[r * tiles + tile] = squares[i];
      }
    }
    if constexpr (p.out_stride > p.n) // the last tile clears what lies beyond its columns
      if (tile == tiles - 1)
        for (int i = 0; i < 8 && row + i < rows; ++i)
          for (int32_t column = p.n + (int32_t)lane(); column < p.out_stride; column += 32)
            storeAs<p.out_type>(out, (row + i) * p.out_stride + column, 0.0f);
  }
};

} // namespace ingot::device

#endif
