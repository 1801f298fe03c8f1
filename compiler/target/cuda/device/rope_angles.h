// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_angles: cosines and sines of the rotary angles of each token (params.h).
// Grid (tokens), block any multiple of 32; no shared memory. One block is one token, one thread an angle.
// positions i32[T], sequence_starts i32[R+1], context_lengths i32[R], inv_freq f32[half], [long_inv_freq f32[half]],
// out f32[T][2*half]. The angle is the f32 product of position and frequency; cosine and sine of it are computed in
// f64 and rounded once, as on a CPU (docs/spec/numerics.md): at most 0.51 units in the last place at any position.
#ifndef INGOT_CUDA_DEVICE_ROPE_ANGLES_H
#define INGOT_CUDA_DEVICE_ROPE_ANGLES_H

#include "compiler/target/cuda/device/elements.h"
#include "compiler/target/cuda/device/math64.h"

namespace ingot::device {

// The sequence that token t belongs to: the last s with starts[s] <= t.
INGOT_DEVICE int32_t sequenceOf(const int32_t *starts, int32_t sequences, int32_t t) {
  int32_t low = 0, high = sequences;
  while (high - low > 1) {
    const int32_t middle = (low + high) / 2;
    if (starts[middle] <= t)
      low = middle;
    else
      high = middle;
  }
  return low;
}

template <class P> INGOT_DEVICE void ropeAngles(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t token = blockX();
  if (token >= args.symbols[args.tiles_symbol])
    return;
  const float position = (float)((const int32_t *)args.buffers[0])[token];
  const float *frequencies = (const float *)args.buffers[3];
  float factor = p.attention_factor;
  double logBase = 0.0; // of dynamic NTK, where the sequence has passed `original`
  if constexpr (p.kind != 0) {
    const int32_t s =
        sequenceOf((const int32_t *)args.buffers[1], (int32_t)args.symbols[p.sequences_symbol], (int32_t)token);
    const int32_t length = ((const int32_t *)args.buffers[2])[s];
    if (length > p.original) {
      if constexpr (p.kind == 2) {
        frequencies = (const float *)args.buffers[4];
        factor = p.long_attention_factor;
      } else {
        // base' = base (factor length / original - (factor - 1)) ^ (dim / (dim - 2)); frequency i = base' ^ (-2i/dim)
        const double dim = 2.0 * p.half;
        const double stretch = (double)p.factor * length / p.original - ((double)p.factor - 1.0);
        logBase = log64((double)p.base) + log64(stretch) * (p.half > 1 ? dim / (dim - 2.0) : 1.0);
        frequencies = nullptr;
      }
    }
  }
  float *row = (float *)args.buffers[p.kind == 2 ? 5 : 4] + token * 2 * p.half;
  for (int32_t i = (int32_t)thread(); i < p.half; i += (int32_t)threads()) {
    const float frequency = frequencies ? frequencies[i] : (float)exp64(-logBase * (2.0 * i / (2.0 * p.half)));
    float cosine, sine;
    cosSin(multiply(position, frequency), cosine, sine);
    row[i] = multiply(cosine, factor);
    row[p.half + i] = multiply(sine, factor);
  }
}

} // namespace ingot::device

#endif
