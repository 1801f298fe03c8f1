// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_append: norms of queries and keys, rotary embedding, append of keys and values to the paged cache; operands as
// params.h states. One tile is (token, kv head): its queries are rewritten in place, its key and value go to their
// slot.
#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {
namespace {
// to = rope(norm(from)); `to` may be `from`.
INGOT_INLINE void turn(const rope_append_params *p, float *to, const float *from, const float *gamma,
                       const float *cosSin) {
  int32_t hd = p->head_dim, half = p->rotary_dim / 2;
  if (p->qk_norm) {
    float factor = 1.0f / __builtin_sqrtf(sumOfSquares(from, hd) / (float)hd + p->eps);
    for (int32_t d = 0; d < hd; d += 16) {
      int32_t count = minimum(16, hd - d);
      store16(to + d, load16(from + d, count) * factor * load16(gamma + d, count), count);
    }
  } else if (to != from) {
    for (int32_t d = 0; d < hd; d += 16)
      store16(to + d, load16(from + d, minimum(16, hd - d)), minimum(16, hd - d));
  }
  for (int32_t i = 0; i < half; i += 16) {
    int32_t count = minimum(16, half - i);
    f32x16 a = load16(to + i, count), b = load16(to + half + i, count);
    f32x16 c = load16(cosSin + i, count), s = load16(cosSin + half + i, count);
    store16(to + i, a * c - b * s, count);
    store16(to + half + i, b * c + a * s, count);
  }
}
} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(rope_append) {
  using namespace ingot::kernels;
  float *qkv = (float *)buffers[0];
  const float *angles = (const float *)buffers[1];
  const int32_t *slots = (const int32_t *)buffers[2] + p->group * symbols[p->tokens_symbol];
  const float *qNorm = p->qk_norm ? (const float *)buffers[3] : nullptr;
  const float *kNorm = p->qk_norm ? (const float *)buffers[4] : nullptr;
  void *keys = buffers[p->qk_norm ? 5 : 3];
  void *values = buffers[p->qk_norm ? 6 : 4];
  float *key = (float *)scratch;
  const int32_t hd = p->head_dim;
  for (uint32_t tile = tile0; tile < tile1; ++tile) {
    int32_t t = (int32_t)(tile / (uint32_t)p->kv_heads), h = (int32_t)(tile % (uint32_t)p->kv_heads);
    float *heads = qkv + (int64_t)tile * (p->q_per_kv + 2) * hd;
    const float *cosSin = angles + (int64_t)t * p->rotary_dim;
    for (int32_t g = 0; g < p->q_per_kv; ++g)
      turn(p, heads + g * hd, heads + g * hd, qNorm, cosSin);
    int32_t slot = slots[t];
    if (slot < 0)
      continue;
    turn(p, key, heads + p->q_per_kv * hd, kNorm, cosSin);
    const float *value = heads + (p->q_per_kv + 1) * hd;
    int64_t page = slot / p->page_tokens;
    int32_t offset = slot % p->page_tokens;
    int64_t head = (page * p->kv_heads + h) * p->page_tokens; // in tokens
    int64_t keyAt = (head + offset / 16 * 16) * hd + offset % 16;
    for (int32_t d = 0; d < hd; ++d)
      storeAs(p->cache_type, keys, keyAt + (int64_t)d * 16, key[d]);
    for (int32_t d = 0; d < hd; d += 16)
      store16As(p->cache_type, values, (head + offset) * hd + d, load16(value + d, minimum(16, hd - d)),
                minimum(16, hd - d));
  }
  return 0;
}
