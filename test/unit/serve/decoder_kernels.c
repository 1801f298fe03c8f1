/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Kernels of the test decoder (decoder_engine.h): the fake model of fake_model.h as machine code behind a real plan.
 * The build turns the text section of this object into a flat image; each function starts at a multiple of 1024 bytes.
 * They keep off the floating-point registers: a float is its bits.
 */
#include "runtime/format/kernel_abi.h"

#define KERNEL(name)                                                                                                   \
  __attribute__((aligned(1024))) int32_t name(const ingot_env *env, void *const *buffers, const int64_t *symbols,      \
                                              uint32_t tile0, uint32_t tile1, void *scratch)

enum { kVocabulary = 97, kPageTokens = 8 };
/* In the order of decoder_engine.cpp. */
enum { kTokens, kSequences, kLogitRows, kBlocks, kPenalties, kMasks };

#define MIX(h, v)                                                                                                      \
  do {                                                                                                                 \
    h ^= (uint64_t)(int64_t)(v) + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);                                         \
    h *= 0xbf58476d1ce4e5b9ull;                                                                                        \
    h ^= h >> 29;                                                                                                      \
  } while (0)

/* 0: tokens, positions, slots, plane i32[slots][2]. Tiles: tokens. Returns 1 for a token outside the vocabulary. */
KERNEL(append) {
  const int32_t *tokens = buffers[0], *positions = buffers[1], *slots = buffers[2];
  int32_t *plane = buffers[3];
  for (uint32_t t = tile0; t < tile1; ++t) {
    if (tokens[t] < 0 || tokens[t] >= kVocabulary)
      return 1;
    plane[(int64_t)slots[t] * 2] = tokens[t];
    plane[(int64_t)slots[t] * 2 + 1] = positions[t];
  }
  return 0;
}

/* 1: positions, sequence_starts, block_table, logit_rows, plane, logits. Tiles: rows of logits. logits[i] is bit i of
 * the digest of the row's context, as 0.0 or 1.0; from 64 on it is 0. Returns 2 for a cell that holds another position.
 */
KERNEL(attend) {
  const int32_t *positions = buffers[0], *starts = buffers[1], *table = buffers[2], *rows = buffers[3];
  const int32_t *plane = buffers[4];
  uint32_t *logits = buffers[5];
  int64_t blocks = symbols[kBlocks];
  for (uint32_t l = tile0; l < tile1; ++l) {
    int32_t row = rows[l], sequence = 0;
    while (starts[sequence + 1] <= row)
      ++sequence;
    uint64_t h = 1;
    for (int32_t p = 0; p <= positions[row]; ++p) {
      const int32_t *cell =
          plane + ((int64_t)table[sequence * blocks + p / kPageTokens] * kPageTokens + p % kPageTokens) * 2;
      if (cell[1] != p)
        return 2;
      MIX(h, p);
      MIX(h, cell[0]);
    }
    for (int i = 0; i < kVocabulary; ++i)
      logits[l * kVocabulary + i] = i < 64 && (h >> i & 1) ? 0x3f800000u : 0;
  }
  return 0;
}

/* 2: logits, temperature, seed, counter, penalty_starts, penalty_ids, penalty_counts, ids, log_probabilities.
 * Tiles: rows of logits. */
KERNEL(sample) {
  const uint32_t *logits = buffers[0], *temperature = buffers[1];
  const int64_t *seed = buffers[2], *counter = buffers[3];
  const int32_t *starts = buffers[4], *penalized = buffers[5], *counts = buffers[6];
  int32_t *ids = buffers[7];
  uint32_t *log_probabilities = buffers[8];
  for (uint32_t l = tile0; l < tile1; ++l) {
    uint64_t h = 0;
    for (int i = 0; i < 64; ++i)
      h |= (uint64_t)(logits[l * kVocabulary + i] != 0) << i;
    if (temperature[l] != 0) {
      MIX(h, seed[l]);
      MIX(h, counter[l]);
    }
    for (int32_t id = 0; id < kVocabulary; ++id) /* ascending, whatever their order */
      for (int32_t e = starts[l]; e < starts[l + 1]; ++e)
        if (penalized[e] == id) {
          MIX(h, id);
          MIX(h, counts[e]);
        }
    ids[l] = (int32_t)(h % kVocabulary);
    log_probabilities[l] = 0xbf000000u; /* -0.5 */
  }
  return 0;
}
