// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sample, the two passes over whole rows that many blocks share (sample.h does the rest):
//
//   sampleLargest  masks and penalizes logits (into the workspace, where a row asks for it), then the largest of each
//   64 sampleSums     sums of the weights of each 64 ids, as docs/spec/numerics.md adds them, and their totals in f64
//
// Grid (parts of 2,048 ids, rows), block 128; shared 1024 bytes. Half a warp has a block of 64 ids, four at once: lane
// l of 16 has ids l, l + 16, l + 32, l + 48.
#ifndef INGOT_CUDA_DEVICE_SAMPLE_PASSES_H
#define INGOT_CUDA_DEVICE_SAMPLE_PASSES_H

#include "compiler/target/cuda/device/sample_row.h"

namespace ingot::device {

// A part's logits: x[j][i] is id i of this lane in its block number j. What lies past the last id is -infinity.
template <class P> struct SamplePart {
  static constexpr int32_t n = P::p.vocabulary;
  float x[4][4];
  INGOT_DEVICE static int32_t block(int32_t j) {
    return (int32_t)blockX() * kSamplePart + (int32_t)thread() / 16 + 8 * j;
  }
  INGOT_DEVICE explicit SamplePart(const float *logits) {
#pragma unroll
    for (int32_t j = 0; j < 4; ++j)
#pragma unroll
      for (int32_t i = 0; i < 4; ++i) {
        const int32_t v = block(j) * kSampleIds + i * 16 + (int32_t)lane() % 16;
        x[j][i] = v < n ? logits[v] : -infinity();
      }
  }
};

template <class P> INGOT_DEVICE void sampleLargest(const ingot_cuda_args &args) {
  constexpr int32_t n = P::p.vocabulary, ids = kSamplePart * kSampleIds;
  constexpr SampleShape s = sampleShape(P::p);
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t r = blockY();
  if (r >= args.symbols[args.tiles_symbol])
    return;
  const SampleRequest<P> request(args, r);
  if (request.changed) {
    const float *logits = (const float *)args.buffers[0] + r * n;
    const uint32_t *mask = request.maskRow >= 0
                               ? (const uint32_t *)args.buffers[14] + (int64_t)request.maskRow * ((n + 31) / 32)
                               : nullptr;
    const int32_t from = (int32_t)blockX() * ids, to = lesser(n, from + ids);
    for (int32_t v = from + (int32_t)thread(); v < to; v += (int32_t)threads())
      request.copy[v] = mask && !(mask[v / 32] >> (v % 32) & 1) ? -infinity() : logits[v];
    barrier();
    const float repetition = ((const float *)args.buffers[5])[r], presence = ((const float *)args.buffers[6])[r],
                frequency = ((const float *)args.buffers[7])[r];
    for (int32_t i = request.penalties + (int32_t)thread(); i < request.penaltiesEnd; i += (int32_t)threads()) {
      const int32_t id = ((const int32_t *)args.buffers[11])[i], count = ((const int32_t *)args.buffers[12])[i];
      if (id < from || id >= to)
        continue;
      float y = request.copy[id];
      y = y < 0.0f ? multiply(y, repetition) : divide(y, repetition);
      if (count > 0)
        y = add(add(y, -presence), -multiply(frequency, (float)count));
      request.copy[id] = y;
    }
    barrier();
  }
  const SamplePart<P> part(request.logits);
#pragma unroll
  for (int32_t j = 0; j < 4; ++j) {
    float here = -infinity(); // what is not a number counts as that
    for (int32_t i = 0; i < 4; ++i)
      here = part.x[j][i] > here ? part.x[j][i] : here;
    for (uint32_t across = 8; across > 0; across /= 2) {
      const float other = shuffleXor(here, across);
      here = other > here ? other : here;
    }
    if (part.block(j) < s.blocks && lane() % 16 == 0)
      request.largest[part.block(j)] = here;
  }
}

// The sum of weights of a block of 64 ids; in every lane of its half of the warp.
INGOT_DEVICE float blockSum(const float (&x)[4], float most, float by) {
  float sum = add(add(weightOf(x[0], most, by), weightOf(x[1], most, by)),
                  add(weightOf(x[2], most, by), weightOf(x[3], most, by)));
  for (uint32_t across = 8; across > 0; across /= 2)
    sum = add(sum, shuffleXor(sum, across));
  return sum;
}

template <class P> INGOT_DEVICE void sampleSums(const ingot_cuda_args &args) {
  constexpr SampleShape s = sampleShape(P::p);
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t r = blockY();
  if (r >= args.symbols[args.tiles_symbol])
    return;
  const SampleRequest<P> request(args, r);
  const SamplePart<P> part(request.logits);
  double *shared = (double *)sharedMemory();
  uint32_t top = 0;
  for (int32_t b = (int32_t)thread(); b < s.blocks; b += (int32_t)threads()) {
    const uint32_t here = orderOf(request.largest[b]);
    top = here > top ? here : top;
  }
  const float most = logitOf(largestOverBlock(top, (uint32_t *)shared)), by = request.sumsAt();
  if (most == -infinity() || most == infinity())
    return;
  double total[2] = {0.0, 0.0};
#pragma unroll
  for (int32_t j = 0; j < 4; ++j) {
    const float one = blockSum(part.x[j], most, 1.0f), other = by == 1.0f ? one : blockSum(part.x[j], most, by);
    if (part.block(j) < s.blocks && lane() % 16 == 0) {
      request.sums[part.block(j)] = other;
      total[0] += (double)one;
      total[1] += (double)other;
    }
  }
  sumOverBlock64(total, shared);
  if (thread() == 0) {
    request.totals[2 * blockX()] = total[0];
    request.totals[2 * blockX() + 1] = total[1];
  }
}

} // namespace ingot::device

#endif
