// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_angles: cosines and sines for each token, operands as params.h states. One tile is a token. The angle is the f32
// product of position and frequency, rounded as the models' own code rounds it; cosine and sine of that angle are exact
// to half a unit in the last place, at any position.
#include "compiler/target/cpu/kernels/math.h"

INGOT_KERNEL(rope_angles) {
  using namespace ingot::kernels;
  const int32_t *positions = (const int32_t *)buffers[0];
  const int32_t *starts = (const int32_t *)buffers[1];
  const int32_t *lengths = (const int32_t *)buffers[2];
  const float *fixed = (const float *)buffers[3];
  const float *longer = p->kind == 2 ? (const float *)buffers[4] : nullptr;
  float *out = (float *)buffers[p->kind == 2 ? 5 : 4];
  float *stretched = (float *)scratch; // frequencies of a sequence past `original`, kind 1
  int32_t sequences = (int32_t)symbols[p->sequences_symbol];
  int32_t known = -1; // the sequence whose frequencies `stretched` holds
  for (uint32_t t = tile0; t < tile1; ++t) {
    const float *frequencies = fixed;
    float factor = p->attention_factor;
    if (p->kind != 0) {
      int32_t s = sequenceOf(starts, sequences, (int32_t)t);
      if (lengths[s] > p->original) {
        if (p->kind == 2) {
          frequencies = longer;
          factor = p->long_attention_factor;
        } else {
          if (s != known) {
            // base' = base (factor length / original - (factor - 1)) ^ (dim / (dim - 2)); frequency i = base' ^
            // (-2i/dim)
            double dim = 2.0 * p->half;
            double stretch = (double)p->factor * lengths[s] / p->original - ((double)p->factor - 1.0);
            double base = log((double)p->base) + log(stretch) * (p->half > 1 ? dim / (dim - 2.0) : 1.0);
            for (int32_t i = 0; i < p->half; ++i)
              stretched[i] = (float)exp(-base * (2.0 * i / dim));
            known = s;
          }
          frequencies = stretched;
        }
      }
    }
    float *row = out + (int64_t)t * 2 * p->half;
    float position = (float)positions[t];
    for (int32_t i = 0; i < p->half; ++i) {
      float cosine, sine;
      cosSin(position * frequencies[i], &cosine, &sine);
      row[i] = cosine * factor;
      row[p->half + i] = sine * factor;
    }
  }
  return 0;
}
