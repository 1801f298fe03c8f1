// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// pack_rows and quantize_rows: rows of f32 become operands of products, normalized on the way (params.h).
// Grid (rows), block any multiple of 32. One block is one row.
// in f32[rows][k], [stats f32[rows][partials], gamma f32[k]]; out as the template states it.
//   pack_rows:     shared 128 bytes (sums of warps). out type[rows][k_padded].
//   quantize_rows: shared 128 + k_padded bytes (the row's integers, for the sums over groups). Rows of out are
//                  i8[k_padded], f32 scale, i32 sums[groups], zeros up to a multiple of 64 bytes.
// Both read the row from memory twice at most; the second time it comes from the first cache.
#ifndef INGOT_CUDA_DEVICE_ROWS_H
#define INGOT_CUDA_DEVICE_ROWS_H

#include "compiler/target/cuda/device/elements.h"

namespace ingot::device {

// 1 / sqrt(mean square + eps) from a row's partial sums. All threads of the block call; see sumOverBlock for `shared`.
INGOT_DEVICE float normFactor(const float *stats, int32_t partials, int32_t k, float eps, float *shared) {
  float squares = 0.0f;
  for (int32_t i = (int32_t)thread(); i < partials; i += (int32_t)threads())
    squares = add(squares, stats[i]);
  squares = sumOverBlock(squares, shared);
  return divide(1.0f, squareRoot(add(divide(squares, (float)k), eps)));
}

template <class P> INGOT_DEVICE void packRows(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t row = blockX();
  if (row >= args.symbols[args.tiles_symbol])
    return;
  const float *x = (const float *)args.buffers[0] + row * p.k;
  const float *gamma = nullptr;
  float factor = 1.0f;
  if constexpr (p.partials > 0) {
    gamma = (const float *)args.buffers[2];
    factor =
        normFactor((const float *)args.buffers[1] + row * p.partials, p.partials, p.k, p.eps, (float *)sharedMemory());
  }
  void *out = args.buffers[p.partials ? 3 : 1];
  auto y = [&](int32_t k) {
    if (k >= p.k)
      return 0.0f;
    return p.partials ? multiply(multiply(x[k], factor), gamma[k]) : x[k];
  };
  if constexpr (p.type == INGOT_F32 || p.k_padded % 2 != 0) {
    for (int32_t k = (int32_t)thread(); k < p.k_padded; k += (int32_t)threads())
      storeAs<p.type>(out, row * p.k_padded + k, y(k));
  } else {
    uint32_t *to = (uint32_t *)out + row * (p.k_padded / 2);
    for (int32_t i = (int32_t)thread(); i < p.k_padded / 2; i += (int32_t)threads())
      to[i] = packPair<p.type>(y(2 * i), y(2 * i + 1));
  }
}

template <class P> INGOT_DEVICE void quantizeRows(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  constexpr int32_t groups = (p.k + p.group - 1) / p.group;
  constexpr int64_t rowBytes = p.k_padded + roundedUp(4 + 4 * (int64_t)groups, 64);
  // Below this 127 / peak would be infinite: the row is taken as zeros.
  constexpr float kLeastPeak = 0x1p-119f;
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t row = blockX();
  if (row >= args.symbols[args.tiles_symbol])
    return;
  const float *x = (const float *)args.buffers[0] + row * p.k;
  const float *gamma = nullptr;
  float factor = 1.0f;
  if constexpr (p.partials > 0) {
    gamma = (const float *)args.buffers[2];
    factor =
        normFactor((const float *)args.buffers[1] + row * p.partials, p.partials, p.k, p.eps, (float *)sharedMemory());
  }
  auto y = [&](int32_t k) { return p.partials ? multiply(multiply(x[k], factor), gamma[k]) : x[k]; };
  // What is not a number lies above all magnitudes: so a row that holds one gets such a scale.
  uint32_t most = 0;
  for (int32_t k = (int32_t)thread(); k < p.k; k += (int32_t)threads()) {
    const uint32_t here = magnitudeOf(y(k));
    most = here > most ? here : most;
  }
  const float peak = floatOf(largestOverBlock(most, (uint32_t *)sharedMemory()));
  const float inverse = peak >= kLeastPeak ? divide(127.0f, peak) : 0.0f;

  char *out = (char *)args.buffers[p.partials ? 3 : 1] + row * rowBytes;
  uint32_t *words = (uint32_t *)out;
  uint32_t *kept = (uint32_t *)(sharedMemory() + 128);
  for (int32_t w = (int32_t)thread(); w < p.k_padded / 4; w += (int32_t)threads()) {
    uint32_t word = 0;
    for (int32_t e = 0; e < 4; ++e)
      if (const int32_t k = 4 * w + e; k < p.k)
        word |= ((uint32_t)roundToInt(multiply(y(k), inverse)) & 0xffu) << (8 * e);
    words[w] = word;
    kept[w] = word;
  }
  barrier();
  // scale, sums, zeros: a warp for each word.
  const int8_t *q = (const int8_t *)kept;
  uint32_t *tail = words + p.k_padded / 4;
  for (int32_t i = (int32_t)warp(); i < (int32_t)(rowBytes - p.k_padded) / 4; i += (int32_t)threads() / 32) {
    uint32_t word = i == 0 ? bitsOf(divide(peak, 127.0f)) : 0;
    if (i > 0 && i <= groups) {
      const int32_t end = lesser(p.k, i * p.group);
      int32_t sum = 0;
      for (int32_t k = (i - 1) * p.group + (int32_t)lane(); k < end; k += 32)
        sum += q[k];
      word = (uint32_t)sumOverWarp(sum);
    }
    if (lane() == 0)
      tail[i] = word;
  }
}

} // namespace ingot::device

#endif
