// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// embedding: rows of a table for tokens, operands as params.h states. One tile is a token. A packed table (that of a
// tied head) is gathered from its panel: column `id % 16` of panel `id / 16`; a quantized one is dequantized.
#include "compiler/target/cpu/kernels/quantized.h"

namespace ingot::kernels {
namespace {
INGOT_INLINE int64_t elementAt(const embedding_params *p, int64_t id, int64_t k) {
  if (p->layout == INGOT_N16K)
    return ((id / 16) * p->k + k) * 16 + id % 16;
  if (p->layout == INGOT_N16K2)
    return (((id / 16) * (roundUp(p->k, 32) / 2) + k / 2) * 16 + id % 16) * 2 + k % 2;
  return id * p->k + k;
}

// Asks for a row that lies in one piece: rows are read from pages that are far apart, one after another too slowly.
INGOT_INLINE void fetchRow(const embedding_params *p, const void *table, const int32_t *tokens,
                           const int32_t *previous, uint32_t t) {
  const int32_t id = tokens[t] < 0 ? previous[-1 - tokens[t]] : tokens[t];
  if ((uint32_t)id >= (uint32_t)p->n)
    return;
  const int64_t bytes = (int64_t)p->k * (p->weight_type == INGOT_F32 ? 4 : 2);
  for (int64_t at = 0; at < bytes; at += 64)
    __builtin_prefetch((const char *)table + id * bytes + at);
}
} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(embedding) {
  using namespace ingot::kernels;
  const int32_t *tokens = (const int32_t *)buffers[0];
  const int32_t *previous = (const int32_t *)buffers[1];
  const bool quantized = p->weight_type == INGOT_U8;
  const void *table = buffers[2];
  void *const *next = buffers + 3;
  if (quantized)
    next += p->zeros ? 2 : 1;
  float *out = (float *)*next++;
  float *stats = p->stats ? (float *)*next : nullptr;
  int32_t status = 0;
  for (uint32_t t = tile0; t < tile1; ++t) {
    constexpr uint32_t kAhead = 2;
    if (p->layout == INGOT_ROW_MAJOR && !quantized && t + kAhead < tile1)
      fetchRow(p, table, tokens, previous, t + kAhead);
    int32_t id = tokens[t];
    if (id < 0)
      id = previous[-1 - id];
    float *row = out + (int64_t)t * p->k;
    if ((uint32_t)id >= (uint32_t)p->n) {
      status = 1;
      id = 0; // the step fails; the row only has to be written
    }
    int32_t k = 0;
    if (quantized) {
      void *const *planes = buffers + 2;
      QuantizedWeight weight(p, planes);
      for (; k < p->k; ++k)
        row[k] = weight.at(id, k) * p->scale;
    }
    if (p->layout == INGOT_ROW_MAJOR)
      for (; k + 16 <= p->k; k += 16)
        store16(row + k, load16As(p->weight_type, table, (int64_t)id * p->k + k) * p->scale);
    for (; k < p->k; ++k)
      row[k] = loadAs(p->weight_type, table, elementAt(p, id, k)) * p->scale;
    if (p->stats)
      stats[t] = sumOfSquares(row, p->k);
  }
  return status;
}
