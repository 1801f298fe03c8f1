// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A few rows of attention against one block of a bf16 cache, where more rows go by AMX tiles (attention_tiles.h): the same
// bits by vectors, straight from the cache. A token of few queries would pay more for laying a block out as tiles than
// for multiplying it.
#ifndef INGOT_TARGET_CPU_KERNELS_ATTENTION_VECTORS_H
#define INGOT_TARGET_CPU_KERNELS_ATTENTION_VECTORS_H

#include "compiler/target/cpu/kernels/scratch.h"
#include "compiler/target/cpu/kernels/tiles.h"

namespace ingot::kernels {

struct VectorBlock {
  const uint16_t *a; // bf16: queries [rows][lda], or weights of softmax
  int64_t lda;
  int32_t rows; // at most kVectorRows, which see the same positions
  int32_t headDim;
  int32_t low, high; // groups of 16 positions of keys, or positions of values: what is seen
  // Of each group of 16 positions: keys [headDim][16] or values [16][headDim], and what is read next of them.
  const bf16 *from[kBlock / 16];
  const char *next[kBlock / 16];
  float *sums;        // [groups][..][16], written; or [columns / 16][..][16], added to
  int64_t sums_panel; // elements from one group of 16 to the next
};

} // namespace ingot::kernels

extern "C" {
#define INGOT_ATTENTION_VECTORS(name)                                                                                  \
  __attribute__((visibility("hidden"), noinline)) void ingot_attention_vectors_##name
// Scores of the groups [low, high); sums of values at the positions [low, high). The second of each is called by the
// first alone.
INGOT_ATTENTION_VECTORS(scores)(const ingot::kernels::VectorBlock *block);
INGOT_ATTENTION_VECTORS(scores_flushed)(const ingot::kernels::VectorBlock *block);
INGOT_ATTENTION_VECTORS(values)(const ingot::kernels::VectorBlock *block);
INGOT_ATTENTION_VECTORS(values_flushed)(const ingot::kernels::VectorBlock *block);
}

#endif
