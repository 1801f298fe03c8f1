// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loops of attention: "rows" (a query head of a token) against one block of 64 positions for one kv head.
//
//   scores[row][64] = query[row] · key            by tiles of rows x groups of 16 keys
//   scores, (m, l)  = online softmax of a row over the positions that it sees
//   acc[row]       += scores[row] · value         by tiles of rows x groups of 16 columns
//
// Sums stand in registers through a tile; how it is cut changes no bit (docs/spec/numerics.md).
#ifndef INGOT_TARGET_CPU_KERNELS_ATTENTION_ROWS_H
#define INGOT_TARGET_CPU_KERNELS_ATTENTION_ROWS_H

#include "compiler/target/cpu/kernels/cache.h"
#include "compiler/target/cpu/kernels/math.h"

namespace ingot::kernels {

#if defined(__AVX512F__)
constexpr int kTile = 12;      // rows whose sums over 16 lanes stand in registers at once, ...
constexpr int kTileGroups = 2; // ... of so many groups of 16 positions or columns: 14 loads for 24 sums
#else
constexpr int kTile = 6;
constexpr int kTileGroups = 1;
#endif

// The rows of a chunk and their states, in scratch.
struct Rows {
  int32_t count;
  int64_t depth, width;        // from one row of query and of acc to the next
  const float *query;          // [rows][depth]
  float *acc;                  // [rows][width]; width is a multiple of 16
  float *scores;               // [rows][64]
  float *most, *sum;           // [rows]
  const int32_t *first, *last; // [rows]: positions the row sees, last inclusive
  const float *biases;         // of attention with distances: those of the kv head's queries, [q_per_kv][distances]
};

// Sixteen elements of the cache as the loops below multiply them. Where bf16 becomes two ymm the lanes stand as
// unpacking leaves them, {0-3, 8-11, 4-7, 12-15}: one instruction for 8 lanes instead of two. `ordered` swaps lanes
// there and back.
#if defined(__AVX512F__)
template <class T> INGOT_INLINE f32x16 unpacked(const T *p) { return widen16(p); }
template <class T> INGOT_INLINE f32x16 ordered(f32x16 v) { return v; }
#else
template <class T> INGOT_INLINE f32x16 unpacked(const T *p) {
  if constexpr (__is_same(T, bf16)) {
    const u16x16 h = *(const u16x16_u *)p, zero = (u16x16)(0);
    const u16x32 pairs = __builtin_shufflevector(zero, h, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27, 4,
                                                 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31);
    return __builtin_bit_cast(f32x16, pairs);
  } else {
    return widen16(p);
  }
}
template <class T> INGOT_INLINE f32x16 ordered(f32x16 v) {
  if constexpr (__is_same(T, bf16))
    return __builtin_shufflevector(v, v, 0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15);
  return v;
}
#endif

// `count` rows from `start` on.
INGOT_INLINE Rows rowsFrom(const Rows &rows, int32_t start, int32_t count) {
  Rows some = rows;
  some.count = count;
  some.query += start * rows.depth;
  some.acc += start * rows.width;
  some.scores += (int64_t)start * kBlock;
  some.most += start;
  some.sum += start;
  some.first += start;
  some.last += start;
  return some;
}

// One block: for each group of 16 positions its keys [head_dim][16] and its values [16][stride].
template <class T> struct BlockView {
  int32_t base;     // first position
  int32_t from, to; // groups that any row sees
  int32_t stride;   // elements from one value to the next
  const T *keys[kBlock / 16], *values[kBlock / 16];
  const float *keyScales, *valueScales; // [64], only for int8
  // What is read next, to be fetched early while this block is multiplied: as keys and values, of one group each.
  const char *nextKeys[kBlock / 16], *nextValues[kBlock / 16];
};

// A score from the sum of its products.
template <class P> INGOT_INLINE f32x16 finishScore(const P *p, f32x16 sum) {
  sum = sum * p->scale;
  if (p->soft_cap != 0.0f)
    sum = p->soft_cap * tanh(sum / p->soft_cap);
  return sum;
}

// Sixteen scores from `position` on, with the row's biases by distance. A row's own position is the last that it sees.
template <class P>
INGOT_INLINE f32x16 addDistanceBias(const P *p, const Rows &rows, int32_t row, int32_t position, f32x16 score) {
  if (p->distances == 0)
    return score;
  const float *table = rows.biases + (int64_t)(row % p->q_per_kv) * p->distances;
  const int32_t farthest = p->distances - 1, distance = rows.last[row] - position; // of lane 0; that of lane i is i less
  if (distance - 15 >= farthest)
    return score + table[farthest];
  if (distance >= 15 && distance <= farthest) {
    const f32x16 ascending = load16(table + distance - 15);
    return score + __builtin_shufflevector(ascending, ascending, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  }
  for (int32_t i = 0; i < 16; ++i)
    score[i] += table[minimum(maximum(distance - i, 0), farthest)];
  return score;
}

// scores of MR rows for the MG groups of 16 positions from group g on.
template <int MR, int MG, bool FETCH, class P, class T>
INGOT_INLINE void scoreTile(const P *p, const Rows &rows, int32_t row, const BlockView<T> &block, int32_t g) {
  f32x16 acc[MR][MG];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < MG; ++i)
      acc[r][i] = splat(0.0f);
  const float *q = rows.query + row * rows.depth;
#pragma clang loop unroll(disable)
  for (int32_t d = 0; d < p->head_dim; ++d) {
    f32x16 key[MG];
    if constexpr (FETCH) {
#pragma unroll
      for (int i = 0; i < MG; ++i)
        __builtin_prefetch(block.nextKeys[g + i] + d * 16 * (int64_t)sizeof(T));
    }
#pragma unroll
    for (int i = 0; i < MG; ++i)
      key[i] = unpacked(block.keys[g + i] + (int64_t)d * 16);
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int i = 0; i < MG; ++i)
        acc[r][i] = fma(splat(q[r * rows.depth + d]), key[i], acc[r][i]);
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int i = 0; i < MG; ++i) {
      f32x16 s = ordered<T>(acc[r][i]);
      if (p->cache_type == INGOT_I8)
        s = s * load16(block.keyScales + (g + i) * 16);
      store16(rows.scores + (int64_t)(row + r) * kBlock + (g + i) * 16, finishScore(p, s));
    }
}

// MR rows against all groups, MG at a time.
template <int MR, int MG, bool FETCH, class P, class T>
INGOT_INLINE void scoreGroups(const P *p, const Rows &rows, int32_t row, const BlockView<T> &block) {
  int32_t g = block.from;
  if constexpr (MG > 1)
    for (; g + MG <= block.to; g += MG)
      scoreTile<MR, MG, FETCH>(p, rows, row, block, g);
  for (; g < block.to; ++g)
    scoreTile<MR, 1, FETCH>(p, rows, row, block, g);
}

// TOP: the most rows of a tile.
template <int TOP, bool FETCH, class P, class T>
INGOT_INLINE void scoreBlock(const P *p, const Rows &rows, const BlockView<T> &block) {
  int32_t row = 0;
  if constexpr (TOP > 4)
    for (; row + TOP <= rows.count; row += TOP)
      scoreGroups<TOP, kTileGroups, FETCH>(p, rows, row, block);
  if constexpr (TOP > 8)
    for (; row + 8 <= rows.count; row += 8)
      scoreGroups<8, kTileGroups, FETCH>(p, rows, row, block);
  for (; row + 4 <= rows.count; row += 4)
    scoreGroups<4, 1, FETCH>(p, rows, row, block);
  for (; row + 2 <= rows.count; row += 2)
    scoreGroups<2, 2, FETCH>(p, rows, row, block);
  if (row < rows.count)
    scoreGroups<1, 4, FETCH>(p, rows, row, block);
}

// The positions [from, to) of a block at `base` that a row sees.
INGOT_INLINE void seenBy(const Rows &rows, int32_t row, int32_t base, int32_t &from, int32_t &to) {
  from = maximum(rows.first[row] - base, 0);
  to = minimum(rows.last[row] - base + 1, (int32_t)kBlock);
}

// How softmaxRows reads the scores of attendBlock and leaves weights there.
template <class P, class T> struct FlatPlace {
  static constexpr bool kMasks = false; // whether scores may be -infinity where a row sees
  const P *p;
  const Rows &rows;
  const BlockView<T> &block;
  INGOT_INLINE float *at(int32_t row, int32_t g) const { return rows.scores + (int64_t)row * kBlock + g * 16; }
  INGOT_INLINE f32x16 score(int32_t row, int32_t g) const {
    return addDistanceBias(p, rows, row, block.base + g * 16, load16(at(row, g)));
  }
  INGOT_INLINE bool plain() const { return p->distances == 0; }
  template <bool NORMAL> INGOT_INLINE void weights(int32_t row, const f32x16 (&w)[kBlock / 16]) const {
#pragma unroll
    for (int32_t g = 0; g < (int32_t)kBlock / 16; ++g)
      store16(at(row, g), p->cache_type == INGOT_I8 ? w[g] * load16(block.valueScales + g * 16) : w[g]);
  }
  INGOT_INLINE void nothing(int32_t) const {} // weights of what a row does not see are never read
  INGOT_INLINE void scale(int32_t row, float keep) const {
    float *acc = rows.acc + row * rows.width;
    for (int64_t d = 0; d < rows.width; d += 16)
      store16(acc + d, load16(acc + d) * keep);
  }
};

// Turns a row's scores into weights, 0 for what it does not see, and takes them into its state; `place` holds them.
template <class Place> INGOT_INLINE void softmaxRow(const Rows &rows, int32_t row, int32_t base, const Place &place) {
  int32_t from, to;
  seenBy(rows, row, base, from, to);
  if (from >= to)
    return place.nothing(row);
  constexpr int32_t kGroups = kBlock / 16;
  f32x16 lane[kGroups], weight[kGroups];
#pragma unroll
  for (int32_t g = 0; g < kGroups; ++g)
    lane[g] = place.score(row, g);
  const bool whole = from == 0 && to == kBlock;
  if (!whole) {
#pragma unroll
    for (int32_t g = 0; g < kGroups; ++g) {
      i32x16 at = lanes() + g * 16;
      lane[g] = select((at >= from) & (at < to), lane[g], splat(-__builtin_inff()));
    }
  }
  const float before = rows.most[row];
  float most = largest(larger(larger(lane[0], lane[1]), larger(lane[2], lane[3])));
  most = most > before ? most : before;
  if constexpr (Place::kMasks)
    if (most == -__builtin_inff()) { // nothing but masked scores so far: their weights are 0
#pragma unroll
      for (int32_t g = 0; g < kGroups; ++g)
        weight[g] = splat(0.0f);
      return place.template weights<true>(row, weight);
    }
  float least = -largest(-smaller(smaller(lane[0], lane[1]), smaller(lane[2], lane[3])));
  if (least - most > -87.0f) {
#pragma unroll
    for (int32_t g = 0; g < kGroups; ++g)
      weight[g] = expNormal(lane[g] - most);
  } else {
    // What is not seen, or masked, is so low that exp is 0; without it the others may allow the short form yet.
    i32x16 gone[kGroups];
#pragma unroll
    for (int32_t g = 0; g < kGroups; ++g) {
      lane[g] = lane[g] - most;
      gone[g] = lane[g] < -104.0f;
      weight[g] = select(gone[g], splat(0.0f), lane[g]);
    }
    least = -largest(-smaller(smaller(weight[0], weight[1]), smaller(weight[2], weight[3])));
    if (least > -87.0f) {
#pragma unroll
      for (int32_t g = 0; g < kGroups; ++g)
        weight[g] = select(gone[g], splat(0.0f), expNormal(weight[g]));
    } else {
#pragma unroll
      for (int32_t g = 0; g < kGroups; ++g) {
        i32x16 at = lanes() + g * 16;
        weight[g] = select((at >= from) & (at < to), exp(lane[g]), splat(0.0f));
      }
    }
  }
  place.template weights<false>(row, weight);
  float added = sum((weight[0] + weight[1]) + (weight[2] + weight[3]));
  if (before == most) { // exp(0) is 1
    rows.sum[row] += added;
    return;
  }
  rows.most[row] = most;
  if (before == -__builtin_inff()) { // nothing before
    rows.sum[row] = added;
    return;
  }
  float keep = exp(before - most);
  rows.sum[row] = fma(rows.sum[row], keep, added);
  place.scale(row, keep);
}

// The same bits for four rows from `row` on, whose reductions go side by side. All of them see something, WHOLE: all of
// the block. Tells whether exp is a normal number throughout; otherwise nothing has been done.
template <bool WHOLE, class Place>
INGOT_INLINE bool softmaxFour(const Rows &rows, int32_t row, int32_t base, const Place &place) {
  constexpr int32_t kGroups = kBlock / 16, kRows = 4;
  f32x16 lane[kRows][kGroups], high[kRows], low[kRows];
  auto seen = [&](int32_t r, int32_t g) __attribute__((always_inline)) {
    const i32x16 at = lanes() + (base + g * 16);
    return (at >= rows.first[row + r]) & (at <= rows.last[row + r]);
  };
#pragma unroll
  for (int32_t r = 0; r < kRows; ++r) {
    f32x16 over[kGroups], under[kGroups];
#pragma unroll
    for (int32_t g = 0; g < kGroups; ++g) {
      lane[r][g] = over[g] = under[g] = place.score(row + r, g);
      if constexpr (!WHOLE) {
        over[g] = select(seen(r, g), lane[r][g], splat(-__builtin_inff()));
        under[g] = select(seen(r, g), lane[r][g], splat(__builtin_inff()));
      }
    }
    high[r] = larger(larger(over[0], over[1]), larger(over[2], over[3]));
    low[r] = -smaller(smaller(under[0], under[1]), smaller(under[2], under[3]));
  }
  const f32x4 before = *(const f32x4_u *)(rows.most + row);
  f32x4 most = largestFour(high);
  most = most > before ? most : before;
  const f32x4 least = -largestFour(low) - most;
  if (!(least.x > -87.0f && least.y > -87.0f && least.z > -87.0f && least.w > -87.0f))
    return false;
  f32x16 total[kRows];
#pragma unroll
  for (int32_t r = 0; r < kRows; ++r) {
    f32x16 weight[kGroups];
#pragma unroll
    for (int32_t g = 0; g < kGroups; ++g) {
      weight[g] = expNormal(lane[r][g] - most[r]);
      if constexpr (!WHOLE)
        weight[g] = select(seen(r, g), weight[g], splat(0.0f));
    }
    place.template weights<true>(row + r, weight);
    total[r] = (weight[0] + weight[1]) + (weight[2] + weight[3]);
  }
  const f32x4 added = sumFour(total);
  f32x4_u &sums = *(f32x4_u *)(rows.sum + row);
  if (before.x == most.x && before.y == most.y && before.z == most.z && before.w == most.w) {
    sums += added;
    return true;
  }
  *(f32x4_u *)(rows.most + row) = most;
  const f32x4 change = before - most;
  const f32x4 keep = exp(__builtin_shufflevector(change, change, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3)).lo.lo;
  sums = __builtin_elementwise_fma((f32x4)sums, keep, added);
#pragma unroll
  for (int32_t r = 0; r < kRows; ++r)
    if (keep[r] != 1.0f && before[r] != -__builtin_inff())
      place.scale(row + r, keep[r]);
  return true;
}

// Turns the scores of rows [row, end) into weights.
template <class Place>
INGOT_INLINE void softmaxRows(const Rows &rows, int32_t row, int32_t end, int32_t base, const Place &place) {
#if defined(__AVX512F__) // elsewhere four rows do not fit the registers
  for (; place.plain() && row + 4 <= end; row += 4) {
    bool some = true, whole = true;
    for (int32_t r = row; r < row + 4; ++r) {
      int32_t from, to;
      seenBy(rows, r, base, from, to);
      some = some && from < to;
      whole = whole && from == 0 && to == kBlock;
    }
    bool done = false;
    if (whole)
      done = softmaxFour<true>(rows, row, base, place);
    else if (some)
      done = softmaxFour<false>(rows, row, base, place);
    if (!done)
      for (int32_t r = 0; r < 4; ++r)
        softmaxRow(rows, row + r, base, place);
  }
#endif
  for (; row < end; ++row)
    softmaxRow(rows, row, base, place);
}

// acc[row .. +MR][column .. +16 MC] += weights x values of positions [from, to) of the block.
template <int MR, int MC, bool FETCH, class T>
INGOT_INLINE void mixTile(const Rows &rows, int32_t row, const BlockView<T> &block, int32_t column, int32_t from,
                          int32_t to) {
  f32x16 acc[MR][MC];
  float *sums = rows.acc + row * rows.width + column;
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int c = 0; c < MC; ++c)
      acc[r][c] = ordered<T>(load16(sums + r * rows.width + c * 16));
  while (from < to) {
    int32_t end = minimum(from / 16 * 16 + 16, to);
    const T *value = block.values[from / 16] + (int64_t)(from % 16) * block.stride + column;
    const float *weight = rows.scores + (int64_t)row * kBlock;
    [[maybe_unused]] const char *next = nullptr;
    if constexpr (FETCH)
      next = block.nextValues[from / 16] + ((int64_t)(from % 16) * block.stride + column) * (int64_t)sizeof(T);
#pragma clang loop unroll(disable)
    for (; from < end; ++from, value += block.stride) {
      f32x16 v[MC];
      if constexpr (FETCH) {
        __builtin_prefetch(next);
        next += block.stride * (int64_t)sizeof(T);
      }
#pragma unroll
      for (int c = 0; c < MC; ++c)
        v[c] = unpacked(value + c * 16);
#pragma unroll
      for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int c = 0; c < MC; ++c)
          acc[r][c] = fma(splat(weight[r * kBlock + from]), v[c], acc[r][c]);
    }
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int c = 0; c < MC; ++c)
      store16(sums + r * rows.width + c * 16, ordered<T>(acc[r][c]));
}

// MR rows over all columns, 16 MC at a time.
template <int MR, int MC, bool FETCH, class T>
INGOT_INLINE void mixColumns(const Rows &rows, int32_t row, const BlockView<T> &block, int32_t from, int32_t to) {
  if (from >= to)
    return;
  const int32_t width = (int32_t)rows.width;
  int32_t column = 0;
  if constexpr (MC > 1)
    for (; column + 16 * MC <= width; column += 16 * MC)
      mixTile<MR, MC, FETCH>(rows, row, block, column, from, to);
  for (; column < width; column += 16)
    mixTile<MR, 1, FETCH>(rows, row, block, column, from, to);
}

// Rows side by side over what all of them see; what only some see before and after that, row by row.
template <int MR, int MC, bool FETCH, class T>
INGOT_INLINE void mixRows(const Rows &rows, int32_t row, const BlockView<T> &block) {
  int32_t from, to;
  seenBy(rows, row, block.base, from, to);
  if constexpr (MR == 1) {
    mixColumns<1, MC, FETCH>(rows, row, block, from, to);
  } else {
    bool alike = true;
    for (int32_t r = 1; r < MR; ++r) {
      int32_t f, t;
      seenBy(rows, row + r, block.base, f, t);
      alike = alike && f == from && t == to;
      from = maximum(from, f);
      to = minimum(to, t);
    }
    if (!alike && from > to)
      to = from; // nothing in common: row by row
#pragma clang loop unroll(disable)
    for (int32_t after = 0; after < 2; ++after) {
      if (!alike) {
#pragma clang loop unroll(disable)
        for (int32_t r = 0; r < MR; ++r) {
          int32_t f, t;
          seenBy(rows, row + r, block.base, f, t);
          mixColumns<1, 4, FETCH>(rows, row + r, block, after ? maximum(to, f) : f, after ? t : minimum(from, t));
        }
      }
      if (!after)
        mixColumns<MR, MC, FETCH>(rows, row, block, from, to);
    }
  }
}

template <int TOP, bool FETCH, class T> INGOT_INLINE void mixBlock(const Rows &rows, const BlockView<T> &block) {
  int32_t row = 0;
  if constexpr (TOP > 4)
    for (; row + TOP <= rows.count; row += TOP)
      mixRows<TOP, kTileGroups, FETCH>(rows, row, block);
  if constexpr (TOP > 8)
    for (; row + 8 <= rows.count; row += 8)
      mixRows<8, kTileGroups, FETCH>(rows, row, block);
  for (; row + 4 <= rows.count; row += 4)
    mixRows<4, 1, FETCH>(rows, row, block);
  for (; row + 2 <= rows.count; row += 2)
    mixRows<2, 2, FETCH>(rows, row, block);
  if (row < rows.count)
    mixRows<1, 4, FETCH>(rows, row, block);
}

template <int TOP, bool FETCH, class P, class T>
INGOT_INLINE void attendBlock(const P *p, const Rows &rows, const BlockView<T> &block) {
  scoreBlock<TOP, FETCH>(p, rows, block);
  softmaxRows(rows, 0, rows.count, block.base, FlatPlace<P, T>{p, rows, block});
  mixBlock<TOP, FETCH>(rows, block);
}

} // namespace ingot::kernels

#endif
