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
#include "compiler/target/cuda/device/reduce.h"

namespace ingot::device {

// 1 / sqrt(mean square + eps) from a row's partial sums. All threads of the block call; see reduceBlock for `shared`.
INGOT_DEVICE float normFactor(const float *stats, int32_t partials, int32_t k, float eps, float *shared) {
  float squares = 0.0f;
  for (int32_t i = (int32_t)thread(); i < partials; i += (int32_t)threads())
    squares = add(squares, stats[i]);
  squares = sumOverBlock(squares, shared);
  return divide(1.0f, squareRoot(add(divide(squares, (float)k), eps)));
}

// Whether this block has a row.
INGOT_DEVICE bool beginRow(const ingot_cuda_args &args) {
  waitForPreviousLaunch();
  letNextLaunchBegin();
  return blockX() < args.symbols[args.tiles_symbol];
}

// A row of the input, normalized where the template says so. All threads of the block make it, over the shared bytes of normFactor.
template <class P> struct InputRow {
  static constexpr auto p = P::p;
  const float *x, *gamma = nullptr;
  float factor = 1.0f;

  INGOT_DEVICE InputRow(const ingot_cuda_args &args, int64_t row) : x((const float *)args.buffers[0] + row * p.k) {
    if constexpr (p.partials > 0) {
      gamma = (const float *)args.buffers[2];
      factor = normFactor((const float *)args.buffers[1] + row * p.partials, p.partials, p.k, p.eps, (float *)sharedMemory());
    }
  }
  // Element k of [0, p.k).
  INGOT_DEVICE float operator()(int32_t k) const {
    return p.partials ? multiply(multiply(x[k], factor), gamma[k]) : x[k];
  }
  // The same, and zeros behind.
  INGOT_DEVICE float padded(int32_t k) const { return k < p.k ? (*this)(k) : 0.0f; }
};

template <class P> INGOT_DEVICE void packRows(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  const int64_t row = blockX();
  if (!beginRow(args))
    return;
  const InputRow<P> y(args, row);
  void *out = args.buffers[p.partials ? 3 : 1];
  if constexpr (p.type == INGOT_F32 || p.k_padded % 2 != 0) {
    for (int32_t k = (int32_t)thread(); k < p.k_padded; k += (int32_t)threads())
      storeAs<p.type>(out, row * p.k_padded + k, y.padded(k));
  } else {
    uint32_t *to = (uint32_t *)out + row * (p.k_padded / 2);
    for (int32_t i = (int32_t)thread(); i < p.k_padded / 2; i += (int32_t)threads())
      to[i] = packPair<p.type>(y.padded(2 * i), y.padded(2 * i + 1));
  }
}

// Rows that the model itself quantized.
template <class P> INGOT_DEVICE void copyCodes(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  constexpr int64_t rowBytes = p.k_padded + roundedUp(8, 64);
  constexpr int32_t flip = p.codes == INGOT_U8 ? 128 : 0; // the highest bit: 128 less
  const int64_t row = blockX();
  if (!beginRow(args))
    return;
  const uint8_t *from = (const uint8_t *)args.buffers[0] + row * p.k;
  uint32_t *words = (uint32_t *)((char *)args.buffers[p.in_zeros ? 3 : 2] + row * rowBytes);
  int32_t sum = 0;
  for (int32_t w = (int32_t)thread(); w < p.k_padded / 4; w += (int32_t)threads()) {
    uint32_t word = 0;
    for (int32_t e = 0; e < 4; ++e)
      if (const int32_t k = 4 * w + e; k < p.k) {
        const uint32_t q = from[k] ^ (uint32_t)flip;
        word |= q << (8 * e);
        sum += (int8_t)q;
      }
    words[w] = word;
  }
  sum = reduceBlock(sum, sharedMemory(), [](int32_t a, int32_t b) { return a + b; });
  uint32_t *tail = words + p.k_padded / 4;
  for (int32_t i = (int32_t)thread(); i < (int32_t)(rowBytes - p.k_padded) / 4; i += (int32_t)threads()) {
    uint32_t word = i == 0 ? *(const uint32_t *)args.buffers[1] : i == 1 ? (uint32_t)sum : 0;
    if constexpr (p.in_zeros != 0)
      if (i == 2)
        word = (uint32_t)(p.codes == INGOT_U8 ? *(const uint8_t *)args.buffers[2] - 128
                                               : *(const int8_t *)args.buffers[2]);
    tail[i] = word;
  }
}

template <class P> INGOT_DEVICE void quantizeFloats(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  constexpr int32_t groups = (p.k + p.group - 1) / p.group;
  constexpr int64_t rowBytes = p.k_padded + roundedUp(4 + 4 * (int64_t)groups, 64);
  // Below this 127 / peak would be infinite: the row is taken as zeros.
  constexpr float kLeastPeak = 0x1p-119f;
  const int64_t row = blockX();
  if (!beginRow(args))
    return;
  const InputRow<P> y(args, row);
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

template <class P> INGOT_DEVICE void quantizeRows(const ingot_cuda_args &args) {
  if constexpr (P::p.codes != 0)
    copyCodes<P>(args);
  else
    quantizeFloats<P>(args);
}

} // namespace ingot::device

#endif
