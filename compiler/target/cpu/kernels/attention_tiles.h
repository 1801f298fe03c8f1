// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over a bf16 cache on AMX tiles: the rows of a chunk against one block of 64 positions, as attention_rows.h
// does it in f32. Both products run as those of `linear` do (linear_tiles.h), so a block's keys and values are first laid
// out as panels of weights: pairs along K side by side, for 16 columns.
//
//   scores [4 groups of 16 positions][rows][16] = queries [rows][depth] · keys    panels [depth/2][16 positions][2]
//   acc    [width/16][rows][16]                += weights [rows][64]    · values  panels [32][16 columns][2]
//
// Laying out costs a pass over the block, which all rows share; then it is two tiles of rows at a time, from queries to
// sums, so that their scores and weights stay in the first cache. A token whose rows are too few for that gets the same bits
// by vectors (attention_vectors.h), because what it gets may not depend on who shares its step.
#ifndef INGOT_TARGET_CPU_KERNELS_ATTENTION_TILES_H
#define INGOT_TARGET_CPU_KERNELS_ATTENTION_TILES_H

#include "compiler/target/cpu/kernels/attention_rows.h"
#include "compiler/target/cpu/kernels/attention_vectors.h"
#include "compiler/target/cpu/kernels/linear_tiles.h"

namespace ingot::kernels {

// Sixteen lanes of two rows side by side: (a0, b0), (a1, b1), ...
INGOT_INLINE u16x32 pairsOf(u16x16 a, u16x16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11,
                                 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

struct TileRows {
  static constexpr int32_t kTogether = kAttentionTogether;
  int32_t stride;  // rows, rounded up to whole tiles
  int32_t headDim; // of keys and, of a cache, values
  int32_t depth;   // headDim rounded up to a tile, 32
  int32_t width;   // of values, rounded up to 16
  uint16_t *queries;       // [stride][depth]
  float *acc;              // [width / 16][stride][16]
  uint16_t *weights;       // [kTogether][64]
  float *scores;           // [4][kTogether][16]
  uint16_t *keys, *values; // panels

  // Takes its parts from `scratch`, as tileRowsScratch counts them; returns the bytes after them.
  INGOT_INLINE char *carve(int64_t rows, int32_t hd, int32_t valueDim, char *scratch) {
    headDim = hd;
    stride = (int32_t)rows;
    depth = (int32_t)roundUp(hd, 32);
    width = (int32_t)roundUp(valueDim, 16);
    auto take = [&](int64_t bytes) __attribute__((always_inline)) {
      char *part = scratch;
      scratch += bytes;
      return part;
    };
    queries = (uint16_t *)take((int64_t)stride * depth * 2);
    weights = (uint16_t *)take(kTogether * kBlock * 2);
    scores = (float *)take(kTogether * kBlock * 4);
    acc = (float *)take((int64_t)stride * width * 4);
    keys = (uint16_t *)take(kBlock * depth * 2);
    values = (uint16_t *)take(kBlock * width * 2);
    return scratch;
  }

  INGOT_INLINE void setQuery(int32_t row, const float *query) const {
    uint16_t *to = queries + (int64_t)row * depth;
    for (int32_t d = 0; d < depth; d += 16)
      store16((bf16 *)(to + d), d < headDim ? load16(query + d, minimum(16, headDim - d)) : splat(0.0f));
  }
  INGOT_INLINE void clear(int32_t row) const {
    for (int32_t c = 0; c < width; c += 16)
      store16(accOf(row, c), splat(0.0f));
  }
  INGOT_INLINE float *accOf(int32_t row, int32_t column) const {
    return acc + ((int64_t)(column / 16) * stride + row) * 16;
  }

  // The products of `count` rows with `panels` panels of `k` values, added to sums or beginning them. WHOLE: what lies
  // behind the rows, up to a tile, may be multiplied too.
  template <bool WHOLE>
  INGOT_INLINE void product(const uint16_t *a, int32_t k, int32_t count, const uint16_t *panels, int32_t panelCount,
                            float *sums, int64_t sumsPanel, bool first) const {
    TilePiece piece;
    tilesInPlace((const char *)a, (int64_t)k * 2).set(piece, 0);
    piece.rows = count;
    piece.panels = panelCount;
    piece.w = (const char *)panels;
    piece.ldw = (int64_t)k * 32;
    piece.steps = k / 32;
    piece.first = first;
    piece.configured = false;
    piece.sums = sums;
    piece.sums_panel = sumsPanel;
    piece.next = nullptr;
    piece.ld_next = piece.next_bytes = 0;
    if constexpr (WHOLE)
      return ingot_linear_tiles_bf16_whole(&piece);
    ingot_linear_tiles_bf16_block(&piece);
    ingot_linear_tiles_shape_whole();
  }

  // Keys lie as [head_dim][16] for each group.
  INGOT_INLINE void layOutKeys(const BlockView<bf16> &block) const {
    for (int32_t g = block.from; g < block.to; ++g) {
      const uint16_t *from = (const uint16_t *)block.keys[g];
      const char *next = block.nextKeys[g];
      uint16_t *to = keys + (int64_t)g * depth * 16;
      int32_t d = 0;
#pragma clang loop unroll_count(4)
      for (; d + 2 <= headDim; d += 2, from += 32, to += 32, next += 64) {
        __builtin_prefetch(next);
        *(u16x32_u *)to = pairsOf(*(const u16x16_u *)from, *(const u16x16_u *)(from + 16));
      }
      for (; d < depth; d += 2, to += 32)
        *(u16x32_u *)to = pairsOf(d < headDim ? *(const u16x16_u *)from : (u16x16)(0), (u16x16)(0));
    }
  }

  // Values of the positions [from, to) of the block, zeros elsewhere: what nobody sees may be anything. Tells whether one
  // of them is not finite.
  INGOT_INLINE bool layOutValues(const BlockView<bf16> &block, int32_t from, int32_t to) const {
    if (from >= to) {
      clearVectors(values, kBlock * width / 32);
      return false;
    }
    u16x16 largest = (u16x16)(0); // exponents
    for (int32_t at = 0; at < kBlock; at += 2) {
      const uint16_t *row[2];
      const char *next[2];
      uint16_t seen[2];
      for (int32_t i = 0; i < 2; ++i) {
        const int32_t place = minimum(maximum(at + i, from), to - 1);
        const int64_t offset = (int64_t)(place % 16) * headDim;
        row[i] = (const uint16_t *)block.values[place / 16] + offset;
        next[i] = block.nextValues[place / 16] + offset * 2;
        seen[i] = place == at + i ? 0xffff : 0;
      }
      uint16_t *panel = values + at * 16;
      auto lay = [&](int32_t c, u16x16 even, u16x16 odd) __attribute__((always_inline)) {
        even &= seen[0];
        odd &= seen[1];
        largest = __builtin_elementwise_max(largest, even & (uint16_t)0x7f80);
        largest = __builtin_elementwise_max(largest, odd & (uint16_t)0x7f80);
        *(u16x32_u *)(panel + (int64_t)c * kBlock) = pairsOf(even, odd);
      };
      int32_t c = 0;
#pragma clang loop unroll_count(4)
      for (; c + 16 <= headDim; c += 16) {
        if (c % 32 == 0) {
          __builtin_prefetch(next[0] + c * 2);
          __builtin_prefetch(next[1] + c * 2);
        }
        lay(c, *(const u16x16_u *)(row[0] + c), *(const u16x16_u *)(row[1] + c));
      }
      if (c < headDim)
        lay(c, loadFirst<uint16_t, 16>(row[0] + c, headDim - c), loadFirst<uint16_t, 16>(row[1] + c, headDim - c));
    }
    return __builtin_reduce_max(largest) == 0x7f80;
  }

  // How softmaxRows reads scores and leaves weights here.
  template <class P> struct Place {
    static constexpr bool kMasks = false;
    const TileRows &of;
    const P *p;
    const Rows &rows;
    int32_t base;
    int32_t start; // the row that row 0 of scores and weights stands for
    INGOT_INLINE f32x16 score(int32_t row, int32_t g) const {
      const f32x16 score = finishScore(p, load16(of.scores + (g * kTogether + row - start) * 16));
      return addDistanceBias(p, rows, row, base + g * 16, score);
    }
    INGOT_INLINE bool plain() const { return p->distances == 0 && p->soft_cap == 0.0f; }
    template <bool NORMAL> INGOT_INLINE void weights(int32_t row, const f32x16 (&w)[kBlock / 16]) const {
      bf16 *to = (bf16 *)(of.weights + (row - start) * kBlock);
#pragma unroll
      for (int32_t g = 0; g < (int32_t)kBlock / 16; g += 2)
        if constexpr (NORMAL) {
          store32Normal(to + g * 16, w[g], w[g + 1]);
        } else {
          store16(to + g * 16, w[g]);
          store16(to + g * 16 + 16, w[g + 1]);
        }
    }
    INGOT_INLINE void nothing(int32_t row) const { clearVectors(of.weights + (row - start) * kBlock, kBlock / 32); }
    INGOT_INLINE void scale(int32_t row, float keep) const {
      for (int32_t c = 0; c < of.width; c += 16)
        store16(of.accOf(row, c), load16(of.accOf(row, c)) * keep);
    }
  };

  // The same for a few rows that see the same positions.
  template <class P> INGOT_INLINE void attendFew(const P *p, const Rows &rows, const BlockView<bf16> &block) const {
    VectorBlock b;
    b.rows = rows.count;
    b.headDim = headDim;
    b.sums_panel = kTogether * 16;
    b.a = queries;
    b.lda = depth;
    b.low = block.from;
    b.high = block.to;
    for (int32_t g = 0; g < (int32_t)kBlock / 16; ++g) {
      b.from[g] = block.keys[g];
      b.next[g] = block.nextKeys[g];
    }
    b.sums = scores;
    ingot_attention_vectors_scores(&b);
    softmaxRows(rows, 0, rows.count, block.base, Place<P>{*this, p, rows, block.base, 0});
    b.a = weights;
    b.lda = kBlock;
    seenBy(rows, 0, block.base, b.low, b.high);
    for (int32_t g = 0; g < (int32_t)kBlock / 16; ++g) {
      b.from[g] = block.values[g];
      b.next[g] = block.nextValues[g];
    }
    b.sums = acc;
    b.sums_panel = (int64_t)stride * 16;
    ingot_attention_vectors_values(&b);
  }

  template <class P> INGOT_INLINE void attend(const P *p, const Rows &rows, const BlockView<bf16> &block) const {
    bool alike = true;
    for (int32_t row = 1; row < rows.count; ++row)
      alike = alike && rows.first[row] == rows.first[0] && rows.last[row] == rows.last[0];
    if (alike && rows.count <= kVectorRows)
      return attendFew(p, rows, block);
    int32_t low = kBlock, high = 0;
    for (int32_t row = 0; row < rows.count; ++row) {
      int32_t from, to;
      seenBy(rows, row, block.base, from, to);
      low = minimum(low, from);
      high = maximum(high, to);
    }
    layOutKeys(block);
    const bool apart = layOutValues(block, low, high) && !alike;
#pragma clang loop unroll(disable)
    for (int32_t start = 0; start < rows.count; start += kTogether) {
      const int32_t count = minimum(kTogether, rows.count - start);
      product<true>(queries + (int64_t)start * depth, depth, count, keys + (int64_t)block.from * depth * 16,
                    block.to - block.from, scores + block.from * kTogether * 16, kTogether * 16, true);
      softmaxRows(rows, start, start + count, block.base, Place<P>{*this, p, rows, block.base, start});
      mix(rows, block.base, start, start + count, apart,
          [&](int32_t from, int32_t to) __attribute__((always_inline)) { layOutValues(block, from, to); });
    }
  }

  // Adds weights times values to the sums of rows [start, stop). 0 times what is not finite is not 0: where such is seen by
  // some rows alone, the others are multiplied without it, values of positions [from, to) laid out for them anew.
  template <class LayOut>
  INGOT_INLINE void mix(const Rows &rows, int32_t base, int32_t start, int32_t stop, bool apart,
                        const LayOut &layOut) const {
    if (!apart)
      return product<true>(weights, kBlock, stop - start, values, width / 16, accOf(start, 0), stride * 16, false);
    for (int32_t row = start, end; row < stop; row = end) {
      for (end = row + 1; end < stop && rows.first[end] == rows.first[row] && rows.last[end] == rows.last[row];)
        ++end;
      int32_t from, to;
      seenBy(rows, row, base, from, to);
      layOut(from, to);
      product<false>(weights + (row - start) * kBlock, kBlock, end - row, values, width / 16, accOf(row, 0),
                     stride * 16, false);
    }
  }

  // The sums of a row, as the rest of attention has them.
  INGOT_INLINE void take(const Rows &rows, int32_t row) const {
    for (int32_t c = 0; c < width; c += 16)
      store16(rows.acc + (int64_t)row * rows.width + c, load16(accOf(row, c)));
  }
};

} // namespace ingot::kernels

#endif
