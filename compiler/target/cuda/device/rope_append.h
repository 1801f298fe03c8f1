// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_append: k norm, rotary embedding of k, append of k and v to the paged cache, for every token but the last of
// each sequence, which attention appends, or for all (params.h). Grid any; block any multiple of 32; no shared memory. A warp takes
// (token, kv head) pairs, as many apart as the grid has warps: a step that only decodes has none, and its blocks return
// at once. qkv f32[T][kv_heads][q_per_kv + 2][head_dim], cos_sin f32[T][rotary_dim], slots i32[G][T], sequence_starts
// i32[R+1], [k_norm f32[head_dim]], planes.
#ifndef INGOT_CUDA_DEVICE_ROPE_APPEND_H
#define INGOT_CUDA_DEVICE_ROPE_APPEND_H

#include "compiler/target/cuda/device/cache.h"

namespace ingot::device {

template <class P> INGOT_DEVICE void ropeAppend(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  constexpr int32_t hd = p.head_dim;
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t tokens = args.symbols[p.tokens_symbol];
  const int32_t sequences = (int32_t)args.symbols[p.sequences_symbol];
  const float *qkv = (const float *)args.buffers[0];
  const float *angles = (const float *)args.buffers[1];
  const int32_t *slots = (const int32_t *)args.buffers[2] + p.group * tokens;
  const int32_t *starts = (const int32_t *)args.buffers[3];
  const float *gamma = p.qk_norm ? (const float *)args.buffers[4] : nullptr;
  const CachePlanes planes = planesAt<P>(args, p.qk_norm ? 5 : 4);
  const int64_t pairs = (tokens - (p.all_tokens ? 0 : sequences)) * p.kv_heads, stride = (int64_t)gridX() * (threads() / 32);
  for (int64_t pair = (int64_t)blockX() * (threads() / 32) + warp(); pair < pairs; pair += stride) {
    const int32_t i = (int32_t)(pair / p.kv_heads), h = (int32_t)(pair % p.kv_heads);
    // Token number i of those that are no last ones lies in the last sequence s with starts[s] - s <= i.
    int32_t low = 0, high = p.all_tokens ? 0 : sequences;
    while (high - low > 1) {
      const int32_t middle = (low + high) / 2;
      if (starts[middle] - middle <= i)
        low = middle;
      else
        high = middle;
    }
    const int32_t t = i + low, slot = slots[t];
    if (slot < 0)
      continue;
    const float *head = qkv + (((int64_t)t * p.kv_heads + h) * (p.q_per_kv + 2) + p.q_per_kv) * hd;
    appendHead<P, true>(planes, h, slot, TurnedHead<P>(head, gamma, angles + (int64_t)t * p.rotary_dim));
    appendHead<P, false>(planes, h, slot, PlainHead{head + hd});
  }
}

} // namespace ingot::device

#endif
