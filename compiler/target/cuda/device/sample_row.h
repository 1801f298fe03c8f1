// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sample, what its three launches share: weights of logits and the order of them, the uniform number of a draw, where a
// row's parts lie in the workspace. Weights and Philox are the CPU's, bit for bit.
#ifndef INGOT_CUDA_DEVICE_SAMPLE_ROW_H
#define INGOT_CUDA_DEVICE_SAMPLE_ROW_H

#include "compiler/target/cuda/device/block64.h"
#include "compiler/target/cuda/device/elements.h"
#include "compiler/target/cuda/device/math64.h"
#include "compiler/target/cuda/device/sample_shape.h"

namespace ingot::device {

// Logits further below the largest, in temperatures, weigh nothing.
constexpr float kFar = 87.0f;

// Order-preserving map of floats to unsigned integers, and back; -0 and +0 are one value.
INGOT_DEVICE uint32_t orderOf(float x) {
  const uint32_t bits = bitsOf(add(x, 0.0f));
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
INGOT_DEVICE float logitOf(uint32_t order) { return floatOf(order & 0x80000000u ? order & 0x7fffffffu : ~order); }

// exp(x) for x <= 0, bit for bit as the CPU's kernels have it: Cody and Waite in two parts, degree-6 polynomial after
// N. Juffa. 0 below -kFar and where x is not a number.
INGOT_DEVICE float weigh(float x) {
  if (!(x >= -kFar))
    return 0.0f;
  const int32_t i = roundToInt(multiply(x, 1.44269504f));
  const float n = (float)i;
  float r = fma(n, -6.93145752e-1f, x);
  r = fma(n, -1.42860677e-6f, r);
  float y = 1.37805939e-3f;
  y = fma(y, r, 8.37312452e-3f);
  y = fma(y, r, 4.16695364e-2f);
  y = fma(y, r, 1.66664720e-1f);
  y = fma(y, r, 4.99999851e-1f);
  y = fma(y, r, 1.0f);
  y = fma(y, r, 1.0f);
  return multiply(y, floatOf((uint32_t)(i + 127) << 23));
}

// Philox4x32-10 after Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011); 53 bits in [0, 1).
INGOT_DEVICE double uniform(uint64_t seed, uint64_t counter) {
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  for (int32_t round = 0; round < 10; ++round) {
    const uint32_t high0 = multiplyHigh(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
    const uint32_t high1 = multiplyHigh(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return (double)((((uint64_t)c0 << 32) | c1) >> 11) * 0x1p-53;
}

// What a row asks for, and its parts of the workspace.
template <class P> struct SampleRequest {
  static constexpr int32_t n = P::p.vocabulary;
  static constexpr SampleShape s = sampleShape(P::p);
  float temperature, topP, minP;
  int32_t topK, maskRow, penalties, penaltiesEnd;
  bool draws, first, nucleus, least; // draws at all; cut by top-k, top-p, min-p
  bool changed;                      // logits are masked or penalized: `copy` holds them
  const float *logits;
  float *copy, *largest, *sums; // [n], [blocks], [blocks]
  double *totals;               // [parts][2]

  INGOT_DEVICE SampleRequest(const ingot_cuda_args &args, int64_t r) {
    temperature = ((const float *)args.buffers[1])[r];
    topK = ((const int32_t *)args.buffers[2])[r];
    topP = ((const float *)args.buffers[3])[r];
    minP = ((const float *)args.buffers[4])[r];
    penalties = ((const int32_t *)args.buffers[10])[r];
    penaltiesEnd = ((const int32_t *)args.buffers[10])[r + 1];
    maskRow = ((const int32_t *)args.buffers[13])[r];
    draws = temperature > 0.0f;
    first = draws && topK > 0 && topK < n;
    nucleus = draws && topP < 1.0f;
    least = draws && minP > 0.0f;
    changed = maskRow >= 0 || penalties < penaltiesEnd;
    char *row = (char *)args.workspace + kCounterBytes + r * s.rowBytes;
    copy = (float *)row;
    largest = (float *)(row + s.rowLargest);
    sums = (float *)(row + s.rowSums);
    totals = (double *)(row + s.rowTotals);
    logits = changed ? copy : (const float *)args.buffers[0] + r * n;
  }
  INGOT_DEVICE float inverse() const { return draws ? divide(1.0f, temperature) : 1.0f; }
  // The factor at which block sums are wanted beside 1: of a draw without top-k that looks at all ids.
  INGOT_DEVICE float sumsAt() const { return first || (least && !nucleus) ? 1.0f : inverse(); }
};

INGOT_DEVICE float weightOf(float logit, float most, float by) { return weigh(multiply(add(logit, -most), by)); }

} // namespace ingot::device

#endif
