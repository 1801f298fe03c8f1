// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// pack_rows: rows of f32 become operands of products, operands as params.h states: normalized when partial sums of
// squares are given, rounded once to the type of products, padded with zeros. One tile is a row.
#include "compiler/target/cpu/kernels/common.h"

INGOT_KERNEL(pack_rows) {
  using namespace ingot::kernels;
  const float *in = (const float *)buffers[0];
  const float *stats = p->partials ? (const float *)buffers[1] : nullptr;
  const float *gamma = p->partials ? (const float *)buffers[2] : nullptr;
  void *out = buffers[p->partials ? 3 : 1];
  for (uint32_t row = tile0; row < tile1; ++row) {
    float factor = 1.0f;
    if (p->partials) {
      float squares = 0.0f;
      for (int32_t i = 0; i < p->partials; ++i)
        squares += stats[(int64_t)row * p->partials + i];
      factor = 1.0f / __builtin_sqrtf(squares / (float)p->k + p->eps);
    }
    const float *x = in + (int64_t)row * p->k;
    int64_t to = (int64_t)row * p->k_padded;
    for (int32_t k = 0; k < p->k; k += 16) {
      int32_t count = minimum(16, p->k - k);
      f32x16 y = load16(x + k, count);
      if (p->partials)
        y = y * factor * load16(gamma + k, count);
      store16As(p->type, out, to + k, y, count);
    }
    for (int32_t k = p->k; k < p->k_padded; ++k)
      storeAs(p->type, out, to + k, 0.0f);
  }
  return 0;
}
