// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of attention that its kernels and its launches must agree on (attention_units.h explains them). Plain constants
// over the parameters; includes no primitives, so that the compiler reads it too.
#ifndef INGOT_CUDA_DEVICE_ATTENTION_SHAPE_H
#define INGOT_CUDA_DEVICE_ATTENTION_SHAPE_H

#include "compiler/target/templates/structs.h"

#if defined(__CUDACC__)
#define INGOT_SHAPE __host__ __device__ constexpr
#else
#define INGOT_SHAPE constexpr
#endif

namespace ingot::device {

constexpr int32_t kSequencesAtOnce = 128;
constexpr int32_t kLeastSplit = 128;    // positions of a piece, at least
constexpr int32_t kAttentionAlign = 64; // pieces begin at multiples of it
// The workspace begins with counters that are zero between launches; states follow.
constexpr int32_t kCounterBytes = 256 << 10;
constexpr int32_t kAttentionCounters = kCounterBytes / 4;

// Pieces of a context, at most: 256 units for a sequence, but at least 16 of a head.
template <class Params> INGOT_SHAPE int32_t attentionSplits(const Params &p) {
  const int32_t splits = (256 + p.kv_heads - 1) / p.kv_heads;
  return splits < 16 ? 16 : splits;
}

// The states of a sequence with one token.
struct AttentionStates {
  int32_t width;  // head_dim rounded up to 16
  int32_t rows;   // of a tile
  int32_t tiles;  // of one token's rows
  int32_t splits; // at most
  INGOT_SHAPE int32_t row() const { return width + 2; }
  INGOT_SHAPE int32_t floats() const { return rows * row(); }
  // Of one sequence.
  INGOT_SHAPE int64_t bytes(int32_t kvHeads) const { return (int64_t)kvHeads * tiles * splits * floats() * 4; }
};
template <class Params> INGOT_SHAPE AttentionStates attentionStates(const Params &p, int32_t tileRows) {
  AttentionStates s{};
  s.width = (p.head_dim + 15) / 16 * 16;
  s.rows = p.q_per_kv < tileRows ? p.q_per_kv : tileRows;
  s.tiles = (p.q_per_kv + tileRows - 1) / tileRows;
  s.splits = attentionSplits(p);
  return s;
}

// attention_rows.h: rows of a tile, positions of a block.
constexpr int32_t kSimpleRows = 16, kSimplePositions = 32;

// Parts of its shared memory, in floats.
struct AttentionRowsShape {
  int32_t query, weights, scalars, fresh, ends, total;
};
template <class Params> INGOT_SHAPE AttentionRowsShape attentionRowsShape(const Params &p) {
  AttentionRowsShape s{};
  s.query = 0;                                    // [16][head_dim]
  s.weights = s.query + kSimpleRows * p.head_dim; // [16][32], and what a merge needs
  int32_t work = kSimpleRows * kSimplePositions;
  const int32_t merge = (attentionSplits(p) + 1) * kSimpleRows + 1;
  work = work > merge ? work : merge;
  s.scalars = s.weights + work;          // correction, sum of each row
  s.fresh = s.scalars + 3 * kSimpleRows; // key, value of the last token as the cache keeps them
  s.ends = s.fresh + 2 * p.head_dim + 2;
  s.total = s.ends + kSequencesAtOnce + 32;
  return s;
}

// attention_tiles.h: rows of a tile, and the parts of its shared memory in bytes.
constexpr int32_t kTileRows = 64;
struct AttentionTilesShape {
  int32_t width;     // head_dim rounded up to 16
  int32_t positions; // of a tile of keys or values
  int32_t rowBytes;  // of a query or a value: 16 bytes more than it has, so that eight rows lie in different banks
  int32_t tileBytes; // a tile of values, of keys less
  bool converts;     // tiles come as the cache has them, and are laid out in 16 bits before they are used
  int32_t stages, stageBytes, scalesAt; // tiles on their way; int8: where the scales lie in one
  int32_t query, ring, converted, fresh, ends, total;
};
template <class Params> INGOT_SHAPE AttentionTilesShape attentionTilesShape(const Params &p) {
  AttentionTilesShape s{};
  const int32_t bytes = p.cache_type == INGOT_I8 ? 1 : 2;
  s.width = (p.head_dim + 15) / 16 * 16;
  s.positions = s.width <= 128 ? 64 : 32;
  s.rowBytes = s.width * 2 + 16;
  s.tileBytes = s.positions * s.rowBytes;
  s.converts = p.cache_type == INGOT_I8 || p.head_dim % 8 != 0;
  s.stages = s.width <= 64 ? 4 : 3;
  s.scalesAt = s.positions * p.head_dim * bytes;
  s.stageBytes = s.converts ? s.scalesAt + (p.cache_type == INGOT_I8 ? s.positions * 4 : 0) : s.tileBytes;
  s.query = 0;
  s.ring = s.query + kTileRows * s.rowBytes;
  s.converted = s.ring + s.stages * s.stageBytes;
  s.fresh = s.converted + (s.converts ? s.tileBytes : 0);
  // What a unit's end keeps instead: the states of four warps, the weights of pieces.
  const int32_t states = 4 * 16 * (s.width + 2) * 4;
  const int32_t rows = p.q_per_kv < kTileRows ? p.q_per_kv : kTileRows;
  const int32_t merge = (attentionSplits(p) * rows + 1 + 3) / 4 * 16;
  const int32_t end = states > merge ? states : merge;
  s.fresh = s.fresh > end ? s.fresh : end;
  s.ends = s.fresh + 2 * s.width * 2 + 16;
  s.total = s.ends + (kSequencesAtOnce + 32) * 4;
  return s;
}

} // namespace ingot::device

#endif
