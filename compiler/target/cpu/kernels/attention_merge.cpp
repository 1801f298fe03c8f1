// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attention_merge: merges the segments that attention left apart because few tokens see a long context; operands as
// params.h states. Tiles share the (token, kv head) units of the step. It has none while no context is that long, and
// does nothing where attention had no reason to leave segments apart.
#include "compiler/target/cpu/kernels/attention.h"

INGOT_KERNEL(attention_merge) {
  using namespace ingot::kernels;
  const float *partials = (const float *)buffers[0];
  const int32_t *positions = (const int32_t *)buffers[1];
  const int32_t *starts = (const int32_t *)buffers[2];
  void *out = buffers[3];
  int32_t tokens = (int32_t)symbols[p->tokens_symbol], sequences = (int32_t)symbols[p->sequences_symbol];
  int64_t blocks = symbols[p->blocks_symbol];
  if (!leavesSegments(*p, tokens, blocks))
    return 0;
  const int32_t queries = p->q_per_kv, hd = p->head_dim;
  const PartialLayout layout = partialLayout(*p);
  const int64_t width = layout.width;
  float *total = (float *)scratch;
  int64_t units = (int64_t)tokens * p->kv_heads, tiles = mergeTiles(p->page_tokens, blocks);
  for (int64_t unit = units * tile0 / tiles; unit < units * tile1 / tiles; ++unit) {
    int32_t t = (int32_t)(unit / p->kv_heads), h = (int32_t)(unit % p->kv_heads);
    int32_t s = sequenceOf(starts, sequences, t);
    const auto together = (int32_t)attentionTokens(p->q_per_kv, kAttentionRows);
    Chunk chunk = chunkOf(*p, positions, starts[s], starts[s + 1], t, together);
    if (chunk.segments() == 1)
      continue;
    int32_t from = firstSeen(p->window, positions[t]) / (int32_t)kSegment, to = positions[t] / (int32_t)kSegment;
    for (int32_t g = 0; g < queries; ++g) {
      float most = -__builtin_inff(), sum = 0.0f;
      for (int64_t d = 0; d < width; d += 16)
        store16(total + d, splat(0.0f));
      for (int32_t segment = from; segment <= to; ++segment) {
        const float *part = partials + layout.at(segment, unit, g);
        mergeState(total, most, sum, part + 16, part[0], part[1], width);
      }
      int64_t at = (int64_t)t * p->out_stride + ((int64_t)h * queries + g) * hd;
      for (int32_t d = 0; d < hd; d += 16)
        store16As(p->out_type, out, at + d, load16(total + d) / sum, minimum(16, hd - d));
    }
  }
  return 0;
}
