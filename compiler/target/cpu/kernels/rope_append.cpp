// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_append: norms and rotary embedding of keys, append of keys and values to the paged cache, for every token but
// the last of each sequence, which attention itself appends, or for all; operands as params.h states. One tile is (token, kv head).
// A step that only decodes has no tile, and so no barrier.
#include "compiler/target/cpu/kernels/cache.h"

INGOT_KERNEL(rope_append) {
  using namespace ingot::kernels;
  const float *qkv = (const float *)buffers[0];
  const float *angles = (const float *)buffers[1];
  const int32_t *slots = (const int32_t *)buffers[2] + p->group * symbols[p->tokens_symbol];
  const int32_t *starts = (const int32_t *)buffers[3];
  const float *gamma = p->qk_norm ? (const float *)buffers[4] : nullptr;
  CachePlanes planes;
  takePlanes(p, buffers + (p->qk_norm ? 5 : 4), planes);
  int32_t sequences = (int32_t)symbols[p->sequences_symbol];
  float *key = (float *)scratch;
  const int32_t hd = p->head_dim;
  for (uint32_t tile = tile0; tile < tile1; ++tile) {
    int32_t i = (int32_t)(tile / (uint32_t)p->kv_heads), h = (int32_t)(tile % (uint32_t)p->kv_heads);
    // Token number i of those that are no last ones lies in the last sequence s with starts[s] - s <= i.
    int32_t low = 0, high = p->all_tokens ? 0 : sequences;
    while (high - low > 1) {
      int32_t middle = (low + high) / 2;
      if (starts[middle] - middle <= i)
        low = middle;
      else
        high = middle;
    }
    int32_t t = i + low, slot = slots[t];
    if (slot < 0)
      continue;
    const float *head = qkv + ((int64_t)t * p->kv_heads + h) * (p->q_per_kv + 2) * hd + (int64_t)p->q_per_kv * hd;
    turn(p, key, head, gamma, angles + (int64_t)t * p->rotary_dim);
    append(p, planes, h, slot, key, head + hd);
  }
  return 0;
}
