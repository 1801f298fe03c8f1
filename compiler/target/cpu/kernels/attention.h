// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How attention divides a step, shared by attention and attention_merge. The tokens of a sequence go in chunks whose
// query heads share each block of keys; where few tokens see a long context, the segments of a chunk are left apart as
// "partials", so that they are units of work of their own:
//
//   partials[segment][token * kv_heads + head][query of the head] = (m, l, 14 unused floats, acc[width])
#ifndef INGOT_TARGET_CPU_KERNELS_ATTENTION_H
#define INGOT_TARGET_CPU_KERNELS_ATTENTION_H

#include "compiler/target/cpu/kernels/math.h"

namespace ingot::kernels {

// The first position that a token at `position` sees.
INGOT_INLINE int32_t firstSeen(int32_t window, int32_t position) {
  return window ? maximum(0, position - window + 1) : 0;
}

// Tokens [t0, t1) of a sequence and the positions [low, high] that any of them sees.
struct Chunk {
  int32_t t0, t1, low, high;
  INGOT_INLINE int32_t segments() const { return high / (int32_t)kSegment - low / (int32_t)kSegment + 1; }
};

// The chunk of at most `together` tokens that token t of the sequence with tokens [start, end) is in. Positions ascend
// within a sequence.
template <class Params>
INGOT_INLINE Chunk chunkOf(const Params &p, const int32_t *positions, int32_t start, int32_t end, int32_t t,
                           int32_t together) {
  Chunk chunk;
  chunk.t0 = start + (t - start) / together * together;
  chunk.t1 = minimum(end, chunk.t0 + together);
  chunk.low = firstSeen(p.window, positions[chunk.t0]);
  chunk.high = positions[chunk.t1 - 1];
  return chunk;
}

// Whether this step leaves the segments of chunks that have several apart.
template <class Params> INGOT_INLINE bool leavesSegments(const Params &p, int64_t tokens, int64_t blocks) {
  return mergeTiles(p.page_tokens, blocks) > 0 && tokens * p.kv_heads <= kSplitUnits;
}

// (total, most, sum) merged with a segment's (part, partMost, partSum): docs/spec/numerics.md, attention, step 4.
INGOT_INLINE void mergeState(float *total, float &most, float &sum, const float *part, float partMost, float partSum,
                             int64_t width) {
  if (partSum == 0.0f)
    return; // nothing seen there
  if (most == -__builtin_inff()) { // nothing before: what the formulas below give for sums of 0 and exp(0) = 1
    most = partMost;
    sum = partSum;
    for (int64_t d = 0; d < width; d += 16)
      store16(total + d, load16(part + d) + 0.0f);
    return;
  }
  float top = partMost > most ? partMost : most;
  float keep = exp(most - top), add = exp(partMost - top);
  sum = fma(sum, keep, partSum * add);
  most = top;
  for (int64_t d = 0; d < width; d += 16)
    store16(total + d, fma(load16(total + d), splat(keep), load16(part + d) * add));
}

} // namespace ingot::kernels

#endif
