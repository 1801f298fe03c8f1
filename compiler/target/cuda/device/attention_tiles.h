// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attention on tensor cores (params.h states operands and formula; attention_units.h how a step is divided), for caches
// of 16 and 8 bits. FlashAttention-2's structure: softmax online over tiles of keys and values, weights stay in
// registers. Grid persistent, block 128 = 4 warps. Shared: AttentionTilesShape.
//
// Operands of mma are f16 for an f16 cache, else bf16: queries are rounded after norm and rotation, weights after they
// are summed. Integers of an int8 cache are exact in bf16; the scale of a key multiplies its score, that of a value its
// weight. Scores, sums and acc are f32.
//
// Tiles of keys and of values come by turns through a ring of `stages`, copied asynchronously while others are used:
//
//   keys    [position / 16][d][2 halves of 8 positions]: 16 bytes a half; halves change places where d & 4, so that the
//           eight rows d .. d + 7 of one half, which one ldmatrix phase reads, lie in different banks
//   values  [position][d], rows `rowBytes` apart (an odd number of 16 bytes, for the same reason)
//
// Both are read by transposing ldmatrix, which gives B[k][n] fragments from k rows of n. What int8 caches, and heads
// that do not divide into 16 bytes, have is copied as it lies and laid out so from there.
//
// A tile of up to 64 rows (units.h) is used in one of two ways:
//   few rows (<= 16, all of decoding): the rows are one fragment; warp w takes positions 16w .. 16w + 15 of each tile,
//                                      and the warps' states are merged at the end
//   many:                              warp w takes rows 16w .. 16w + 15, and all positions
//
// Of the last token of a sequence key and value are not in the cache when a unit begins (another block, or this one, is
// writing them): a unit that sees it takes both from qkv and puts them into the tile.
#ifndef INGOT_CUDA_DEVICE_ATTENTION_TILES_H
#define INGOT_CUDA_DEVICE_ATTENTION_TILES_H

#include "compiler/target/cuda/device/attention_units.h"

namespace ingot::device {

template <class P> struct AttentionTiles {
  static constexpr AttentionTilesShape s = attentionTilesShape(P::p);
  static constexpr int32_t hd = P::p.head_dim, width = s.width, cache = P::p.cache_type;
  static constexpr int32_t operand = cache == INGOT_F16 ? INGOT_F16 : INGOT_BF16;
  static constexpr int32_t kThreads = 128, groups = s.positions / 16, cacheBytes = cache == INGOT_I8 ? 1 : 2;
  static constexpr bool keepsQuery = width <= 128; // its fragments in registers
  const ingot_cuda_args &args;
  const AttentionOperands<P> &o;
  unsigned char *shared;

  INGOT_DEVICE static uint16_t toOperand(float x) {
    if constexpr (operand == INGOT_F16)
      return toF16(x).bits;
    else
      return toBf16(x).bits;
  }
  INGOT_DEVICE static void multiplyAdd(FragmentC &c, const FragmentA &a, const FragmentB &b) {
    if constexpr (operand == INGOT_F16)
      mma(c, a, b, f16{});
    else
      mma(c, a, b, bf16{});
  }
  INGOT_DEVICE static bool isFinite(uint32_t bits) { // of a 16-bit operand
    constexpr uint32_t exponent = operand == INGOT_F16 ? 0x7c00u : 0x7f80u;
    return (bits & exponent) != exponent;
  }
  // Offset in a tile of keys of the 16 bytes that hold positions 8 half .. 8 half + 7 of a group, row d.
  INGOT_DEVICE static int32_t keyAt(int32_t group, int32_t d, int32_t half) {
    return (group * width + d) * 32 + ((half ^ (d >> 2 & 1)) * 16);
  }

  // --- Into shared memory ---

  // Begins to copy tile number i: of keys where i is even, of values where odd.
  INGOT_DEVICE void copyTile(const AttentionUnit &u, const int32_t *table, int32_t start, int32_t i,
                             bool hasNew) const {
    const int32_t base = start + i / 2 * s.positions;
    if (base > u.high)
      return;
    const bool isKey = i % 2 == 0;
    unsigned char *stage = shared + s.ring + i % s.stages * s.stageBytes;
    const char *plane = (const char *)(isKey ? o.planes.keys : o.planes.values);
#pragma unroll 1
    for (int32_t group = 0; group < groups; ++group) {
      const int32_t position = base + group * 16;
      const bool seen = position <= u.high && position + 15 >= u.low; // pages below u.low may be gone
      const int64_t token =
          seen ? headOfPage<P>(table[position / P::p.page_tokens], u.head) + position % P::p.page_tokens : 0;
      const char *from = plane + token * (hd * cacheBytes);
      if constexpr (s.converts) {
        constexpr int32_t chunks = hd * cacheBytes;
#pragma unroll
        for (int32_t i = 0; i < (chunks + kThreads - 1) / kThreads; ++i)
          if (const int32_t c = i * kThreads + (int32_t)thread(); chunks % kThreads == 0 || c < chunks)
            copyAsync16(stage + (group * chunks + c) * 16, from + c * 16, seen ? 16 : 0);
        if constexpr (cache == INGOT_I8)
          if (thread() < 4)
            copyAsync16(stage + s.scalesAt + (group * 16 + (int32_t)thread() * 4) * 4,
                        (isKey ? o.planes.keyScales : o.planes.valueScales) + token + thread() * 4, seen ? 16 : 0);
      } else if (isKey) {
#pragma unroll
        for (int32_t i = 0; i < (width * 2 + kThreads - 1) / kThreads; ++i) {
          const int32_t c = i * kThreads + (int32_t)thread();
          if (width * 2 % kThreads != 0 && c >= width * 2)
            break;
          const bool inside = hd == width || c / 2 < hd;
          copyAsync16(stage + keyAt(group, c / 2, c % 2), from + (inside ? c * 16 : 0), seen && inside ? 16 : 0);
        }
      } else {
        const int32_t end = u.high - (hasNew ? 1 : 0);
#pragma unroll
        for (int32_t i = 0; i < (width * 2 + kThreads - 1) / kThreads; ++i) {
          const int32_t c = i * kThreads + (int32_t)thread();
          if (width * 2 % kThreads != 0 && c >= width * 2)
            break;
          const int32_t t = c / (width / 8), d = c % (width / 8) * 8;
          const bool inside = seen && position + t >= u.low && position + t <= end && (hd == width || d < hd);
          copyAsync16(stage + (group * 16 + t) * s.rowBytes + d * 2, from + (inside ? (t * hd + d) * 2 : 0),
                      inside ? 16 : 0);
        }
      }
    }
  }

  // Eight elements of the cache at `from` as operands; `vector`: they are aligned to their size.
  template <bool vector> INGOT_DEVICE static Vector16 widen(const unsigned char *from, int32_t count) {
    Vector16 v;
    if constexpr (vector && cache == INGOT_I8) {
      // Byte b of the word, offset by 128, becomes the float 2^23 + 128 + b: cheaper than a conversion.
      auto at = [](uint32_t word, uint32_t byte) {
        return add(floatOf(permuteBytes(word, 0x4b000000u, 0x7440u | byte)), -8388736.0f);
      };
      auto pair = [&](uint32_t word, uint32_t byte) { return packPair<operand>(at(word, byte), at(word, byte + 1)); };
      const uint32_t low = ((const uint32_t *)from)[0] ^ 0x80808080u, high = ((const uint32_t *)from)[1] ^ 0x80808080u;
      v = {pair(low, 0), pair(low, 2), pair(high, 0), pair(high, 2)};
    } else if constexpr (vector) {
      v = *(const Vector16 *)from;
    } else {
      uint32_t e[8];
      for (int32_t i = 0; i < 8; ++i) {
        e[i] = 0;
        if (i < count) {
          if constexpr (cache == INGOT_I8)
            e[i] = toOperand((float)((const int8_t *)from)[i]);
          else
            e[i] = ((const uint16_t *)from)[i];
        }
      }
      v = {e[0] | e[1] << 16, e[2] | e[3] << 16, e[4] | e[5] << 16, e[6] | e[7] << 16};
    }
    return v;
  }
  // Lays a tile that was copied as it is out in the order of operands.
  INGOT_DEVICE void convert(const AttentionUnit &u, const unsigned char *stage, bool isKey, int32_t base) const {
    unsigned char *to = shared + s.converted;
    if (isKey) {
      constexpr int32_t chunks = width * 2;
      for (int32_t c = (int32_t)thread(); c < groups * chunks; c += kThreads) {
        const int32_t group = c / chunks, d = c % chunks / 2, half = c % 2;
        Vector16 v = {0, 0, 0, 0};
        if (d < hd)
          v = widen<true>(stage + ((group * hd + d) * 16 + half * 8) * cacheBytes, 8);
        *(Vector16 *)(to + keyAt(group, d, half)) = v;
      }
    } else {
      constexpr int32_t chunks = width / 8;
      for (int32_t c = (int32_t)thread(); c < s.positions * chunks; c += kThreads) {
        const int32_t t = c / chunks, position = base + t, d = c % chunks * 8;
        Vector16 v = {0, 0, 0, 0};
        if (position <= u.high && position >= u.low && d < hd)
          v = widen<hd % 8 == 0>(stage + (t * hd + d) * cacheBytes, hd - d);
        *(Vector16 *)(to + t * s.rowBytes + d * 2) = v;
      }
    }
  }

  // The last token's key and value as operands and scales, and their append.
  struct Fresh {
    uint16_t *key, *value; // [width]
    float *scales;         // of the key, of the value
  };
  INGOT_DEVICE Fresh fresh() const {
    uint16_t *at = (uint16_t *)(shared + s.fresh);
    return {at, at + width, (float *)(at + 2 * width)};
  }
  template <class Head> INGOT_DEVICE static void keep(uint16_t *to, float *scaleTo, const Head &head) {
    const CacheScale scale = cacheScale<cache, hd>(head);
    for (int32_t d = (int32_t)lane(); d < width; d += 32) {
      float x = 0.0f;
      if (d < hd)
        x = cache == INGOT_I8 ? (float)toInt8(head(d), scale.inverse) : head(d);
      to[d] = toOperand(x);
    }
    if (lane() == 0)
      *scaleTo = scale.scale;
  }
  INGOT_DEVICE void takeNew(const AttentionUnit &u) const {
    const int32_t t = u.start + u.tokens - 1;
    const bool writes = appendsNew<P>(u);
    const Fresh f = fresh();
    if (warp() == 3) {
      const TurnedHead<P> key = o.key(t, u.head);
      keep(f.key, f.scales, key);
      if (writes)
        appendHead<P, true>(o.planes, u.head, o.slots[t], key);
    } else if (warp() == 2) {
      const PlainHead value = o.value(t, u.head);
      keep(f.value, f.scales + 1, value);
      if (writes)
        appendHead<P, false>(o.planes, u.head, o.slots[t], value);
    }
  }

  // Queries of the tile as operands; rows up to a multiple of 16 are zero. A warp takes four rows at once, so that
  // their loads are under way together.
  INGOT_DEVICE void takeQueries(const AttentionUnit &u) const {
    constexpr int32_t each = (width + 31) / 32;
    for (int32_t r = (int32_t)warp(); r < u.rows; r += 16) { // r, r + 4, r + 8, r + 12
      float x[4][each];
#pragma unroll
      for (int32_t i = 0; i < 4; ++i) {
        const int32_t row = lesser(r + 4 * i, u.rows - 1);
        const TurnedHead<P> head = o.query(tokenOf<P>(u, row), u.head, queryOf<P>(u, row));
#pragma unroll
        for (int32_t j = 0; j < each; ++j) {
          const int32_t d = (int32_t)lane() + 32 * j;
          x[i][j] = d < hd ? head(d) : 0.0f;
        }
      }
#pragma unroll
      for (int32_t i = 0; i < 4; ++i)
#pragma unroll
        for (int32_t j = 0; j < each; ++j)
          if (const int32_t d = (int32_t)lane() + 32 * j; d < width)
            *(uint16_t *)(shared + s.query + (r + 4 * i) * s.rowBytes + d * 2) =
                r + 4 * i < u.rows ? toOperand(x[i][j]) : (uint16_t)0;
    }
    // Where a warp has no row in the last 16, those are zero all the same.
    const int32_t first = u.rows / 16 * 16 + (int32_t)warp();
    if (u.rows % 16 != 0 && first >= u.rows)
      for (int32_t i = 0; i < 4; ++i)
        for (int32_t d = (int32_t)lane(); d < width; d += 32)
          *(uint16_t *)(shared + s.query + (first + 4 * i) * s.rowBytes + d * 2) = 0;
  }

  // --- A unit ---

  INGOT_DEVICE FragmentA queryFragment(int32_t row0, int32_t k) const {
    const int32_t row = row0 + (int32_t)(lane() & 15), d = k * 16 + (int32_t)(lane() >> 4) * 8;
    FragmentA a;
    loadMatrix4(a.r, shared + s.query + row * s.rowBytes + d * 2);
    return a;
  }

  // G groups of 16 positions of each tile for a warp: 1 with few rows, all with many.
  template <int G> INGOT_DEVICE void run(const AttentionUnit &u) const {
    constexpr bool few = G == 1;
    const int32_t row0 = few ? 0 : (int32_t)warp() * 16, group0 = few ? (int32_t)warp() : 0;
    const bool works = few ? (int32_t)warp() < groups : row0 < u.rows;
    const int32_t g = (int32_t)lane() / 4, t2 = (int32_t)lane() % 4 * 2;
    const int32_t *table = o.tables + (int64_t)u.sequence * o.blocks;
    const int32_t start = u.low / s.positions * s.positions;
    const int32_t tiles = (u.high - start) / s.positions + 1;
    const bool hasNew = seesNew<P>(o, u);

    barrier(); // the unit before is done with shared memory
    for (int32_t i = 0; i < s.stages - 1; ++i) {
      copyTile(u, table, start, i, hasNew);
      commitCopies();
    }
    takeQueries(u);
    if (hasNew)
      takeNew(u);
    // What the two rows of this thread see, and between which positions every row sees all.
    int32_t own[2], from[2], to[2];
    const float *biases[2];
    for (int32_t i = 0; i < 2; ++i) {
      const int32_t r = row0 + g + 8 * i;
      const int32_t position = r < u.rows ? o.positions[tokenOf<P>(u, r)] : -1;
      own[i] = position;
      biases[i] = o.biasesOf(u.head, queryOf<P>(u, r));
      from[i] = position < 0 ? 0 : greater(firstSeen<P>(position), u.low);
      to[i] = lesser(position, u.high);
    }
    const int32_t allFrom = greater(firstSeen<P>(o.positions[u.last]), u.low);
    const int32_t allTo = lesser(o.positions[u.first], u.high);
    barrier();

    FragmentA query[keepsQuery ? width / 16 : 1];
    if (keepsQuery && works)
#pragma unroll
      for (int32_t k = 0; k < width / 16; ++k)
        query[keepsQuery ? k : 0] = queryFragment(row0, k);
    FragmentC acc[width / 8];
#pragma unroll
    for (int32_t n = 0; n < width / 8; ++n)
      acc[n] = {{0.0f, 0.0f, 0.0f, 0.0f}};
    float most[2] = {-infinity(), -infinity()}, sum[2] = {0.0f, 0.0f}; // sum: of this thread's columns

    for (int32_t j = 0; j < tiles; ++j) {
      const int32_t base = start + j * s.positions;
      const bool whole = base >= allFrom && base + s.positions - 1 <= allTo;
      const bool freshHere = hasNew && base + s.positions > u.high;
      const int32_t at = u.high - base; // of the new position in its tile
      FragmentC score[2 * G];

      // Keys.
      unsigned char *stage = next(u, table, start, 2 * j, hasNew);
      const float *scales = (const float *)(stage + s.scalesAt);
      const unsigned char *tile = arrange(u, stage, true, base);
      if (freshHere) {
        for (int32_t d = (int32_t)thread(); d < width; d += kThreads)
          ((uint16_t *)(tile + keyAt(at / 16, d, at % 16 / 8)))[at % 8] = fresh().key[d];
        if (cache == INGOT_I8 && thread() == 0)
          ((float *)scales)[at] = fresh().scales[0];
        barrier();
      }
      if (works) {
#pragma unroll
        for (int32_t n = 0; n < 2 * G; ++n)
          score[n] = {{0.0f, 0.0f, 0.0f, 0.0f}};
#pragma unroll
        for (int32_t k = 0; k < width / 16; ++k) {
          const FragmentA a = keepsQuery ? query[keepsQuery ? k : 0] : queryFragment(row0, k);
#pragma unroll
          for (int32_t n = 0; n < G; ++n) {
            uint32_t r[4];
            loadMatrix4Transposed(r, tile + keyAt(group0 + n, k * 16 + (int32_t)(lane() & 15), (int32_t)(lane() >> 4)));
            multiplyAdd(score[2 * n], a, FragmentB{{r[0], r[1]}});
            multiplyAdd(score[2 * n + 1], a, FragmentB{{r[2], r[3]}});
          }
        }
        soften<G>(score, base + group0 * 16 + t2, group0 * 16 + t2, scales, whole, own, biases, from, to, most,
                  sum, acc);
      }

      // Values.
      stage = next(u, table, start, 2 * j + 1, hasNew);
      scales = (const float *)(stage + s.scalesAt);
      tile = arrange(u, stage, false, base);
      if (freshHere) {
        for (int32_t d = (int32_t)thread(); d < width; d += kThreads)
          ((uint16_t *)(tile + at * s.rowBytes))[d] = fresh().value[d];
        if (cache == INGOT_I8 && thread() == 0)
          ((float *)scales)[at] = fresh().scales[1];
        barrier();
      }
      if (!whole && u.first != u.last)
        guard(const_cast<unsigned char *>(tile), base, from, to, few ? group0 == 0 : works, acc);
      if (works) {
#pragma unroll
        for (int32_t k = 0; k < G; ++k) {
          FragmentA a;
#pragma unroll
          for (int32_t i = 0; i < 2; ++i) {
            FragmentC w = score[2 * k + i];
            if constexpr (cache == INGOT_I8) {
              const float *scale = scales + (group0 + k) * 16 + i * 8 + t2;
#pragma unroll
              for (int32_t e = 0; e < 4; ++e) // what is not seen may have any scale
                w.r[e] = w.r[e] == 0.0f ? 0.0f : w.r[e] * scale[e % 2];
            }
            a.r[2 * i] = packPair<operand>(w.r[0], w.r[1]);
            a.r[2 * i + 1] = packPair<operand>(w.r[2], w.r[3]);
          }
#pragma unroll
          for (int32_t n = 0; n < width / 16; ++n) {
            uint32_t r[4];
            loadMatrix4Transposed(r, tile + ((group0 + k) * 16 + (int32_t)(lane() & 15)) * s.rowBytes + n * 32 +
                                         (int32_t)(lane() >> 4) * 16);
            multiplyAdd(acc[2 * n], a, FragmentB{{r[0], r[1]}});
            multiplyAdd(acc[2 * n + 1], a, FragmentB{{r[2], r[3]}});
          }
        }
      }
    }

#pragma unroll
    for (int32_t i = 0; i < 2; ++i) {
      sum[i] += shuffleXor(sum[i], 1);
      sum[i] += shuffleXor(sum[i], 2);
    }
    if constexpr (few)
      mergeWarps(u, g, t2, most, sum, acc, works);
    else if (works)
      store(u, row0 + g, t2, most, sum, acc);
    if (u.splits > 1) {
      barrier(); // of the shared memory that merging takes
      mergeStates<P, kTileRows>(args, o, u, (float *)shared);
    }
    zeroPadding<P>(o, u);
  }

  // Waits for tile i, then begins to copy the one that takes the place of tile i - 1.
  INGOT_DEVICE unsigned char *next(const AttentionUnit &u, const int32_t *table, int32_t start, int32_t i,
                                   bool hasNew) const {
    waitCopies<s.stages - 2>();
    barrier(); // the tile is there for all, and nobody reads the one before any more
    copyTile(u, table, start, i + s.stages - 1, hasNew);
    commitCopies();
    return shared + s.ring + i % s.stages * s.stageBytes;
  }
  INGOT_DEVICE const unsigned char *arrange(const AttentionUnit &u, const unsigned char *stage, bool isKey,
                                            int32_t base) const {
    if constexpr (!s.converts)
      return stage;
    convert(u, stage, isKey, base);
    barrier();
    return shared + s.converted;
  }

  // Scores become weights; states follow. `position` and `column` are those of the thread's first column.
  template <int G>
  INGOT_DEVICE static void soften(FragmentC (&score)[2 * G], int32_t position, int32_t column, const float *scales,
                                  bool whole, const int32_t (&own)[2], const float *const (&biases)[2],
                                  const int32_t (&from)[2], const int32_t (&to)[2], float (&most)[2], float (&sum)[2],
                                  FragmentC (&acc)[width / 8]) {
    constexpr float log2e = 1.4426950408889634f;
    float top[2] = {most[0], most[1]};
#pragma unroll
    for (int32_t n = 0; n < 2 * G; ++n)
#pragma unroll
      for (int32_t e = 0; e < 4; ++e) {
        float x = score[n].r[e];
        if constexpr (cache == INGOT_I8)
          x *= scales[column + n * 8 + e % 2];
        if constexpr (P::p.soft_cap != 0.0f)
          x = softCap(x * P::p.scale, P::p.soft_cap) * log2e;
        else
          x *= P::p.scale * log2e;
        const int32_t at = position + n * 8 + e % 2;
        if constexpr (P::p.distances != 0)
          x = fma(distanceBias<P>(biases[e / 2], own[e / 2], at), log2e, x);
        if (!whole && (at < from[e / 2] || at > to[e / 2]))
          x = -infinity();
        score[n].r[e] = x;
        top[e / 2] = x > top[e / 2] ? x : top[e / 2];
      }
    float correction[2];
#pragma unroll
    for (int32_t i = 0; i < 2; ++i) {
      for (uint32_t mask = 1; mask <= 2; mask *= 2) {
        const float other = shuffleXor(top[i], mask);
        top[i] = other > top[i] ? other : top[i];
      }
      const float origin = top[i] == -infinity() ? 0.0f : top[i];
      correction[i] = exp2Fast(most[i] - origin);
      most[i] = top[i];
      sum[i] *= correction[i];
      top[i] = origin;
    }
#pragma unroll
    for (int32_t n = 0; n < 2 * G; ++n)
#pragma unroll
      for (int32_t e = 0; e < 4; ++e) {
        const float w = exp2Fast(score[n].r[e] - top[e / 2]);
        score[n].r[e] = w;
        sum[e / 2] += w;
      }
#pragma unroll
    for (int32_t n = 0; n < width / 8; ++n)
      acc[n] = {{acc[n].r[0] * correction[0], acc[n].r[1] * correction[0], acc[n].r[2] * correction[1],
                 acc[n].r[3] * correction[1]}};
  }

  // In a tile of which rows see different parts, a value that is not finite would reach those that do not see it, as
  // zero times it. Such values are added to the rows that see them, and zeroed in the tile. All threads of the block.
  INGOT_DEVICE void guard(unsigned char *tile, int32_t base, const int32_t (&from)[2], const int32_t (&to)[2],
                          bool adds, FragmentC (&acc)[width / 8]) const {
    bool found = false;
    for (int32_t c = (int32_t)thread(); c < s.positions * (width / 2); c += kThreads) {
      const uint32_t pair = *(const uint32_t *)(tile + c / (width / 2) * s.rowBytes + c % (width / 2) * 4);
      found = found || !isFinite(pair) || !isFinite(pair >> 16);
    }
    if (!barrierAny(found))
      return;
    const int32_t t2 = (int32_t)lane() % 4 * 2;
    if (adds)
      for (int32_t i = 0; i < s.positions; ++i)
#pragma unroll
        for (int32_t n = 0; n < width / 8; ++n) {
          const uint32_t pair = *(const uint32_t *)(tile + i * s.rowBytes + (n * 8 + t2) * 2);
          for (int32_t e = 0; e < 4; ++e) {
            const uint32_t bits = pair >> (e % 2 * 16) & 0xffffu;
            if (!isFinite(bits) && base + i >= from[e / 2] && base + i <= to[e / 2])
              acc[n].r[e] += operand == INGOT_F16 ? toFloat(f16{(uint16_t)bits}) : toFloat(bf16{(uint16_t)bits});
          }
        }
    barrier();
    for (int32_t c = (int32_t)thread(); c < s.positions * (width / 2); c += kThreads) {
      uint32_t *pair = (uint32_t *)(tile + c / (width / 2) * s.rowBytes + c % (width / 2) * 4);
      *pair &= (isFinite(*pair) ? 0xffffu : 0u) | (isFinite(*pair >> 16) ? 0xffff0000u : 0u);
    }
    barrier();
  }

  // --- Out of a unit ---

  INGOT_DEVICE static constexpr AttentionStates states() { return attentionStates(P::p, kTileRows); }

  // Rows r and r + 8, columns t2 and t2 + 1 of each 8.
  INGOT_DEVICE void store(const AttentionUnit &u, int32_t r, int32_t t2, const float (&most)[2], const float (&sum)[2],
                          const FragmentC (&acc)[width / 8]) const {
#pragma unroll
    for (int32_t i = 0; i < 2; ++i) {
      const int32_t row = r + 8 * i;
      if (row >= u.rows)
        continue;
      if (u.splits == 1) {
        const int64_t to = outOf<P>(u, row);
        const float inverse = divide(1.0f, sum[i]);
#pragma unroll
        for (int32_t n = 0; n < width / 8; ++n)
          storePair(to, n * 8 + t2, acc[n].r[2 * i] * inverse, acc[n].r[2 * i + 1] * inverse);
      } else {
        float *state = stateOf<P, kTileRows>(args, u) + row * states().row();
        if (t2 == 0) {
          state[0] = most[i];
          state[1] = sum[i];
        }
#pragma unroll
        for (int32_t n = 0; n < width / 8; ++n) {
          state[2 + n * 8 + t2] = acc[n].r[2 * i];
          state[3 + n * 8 + t2] = acc[n].r[2 * i + 1];
        }
      }
    }
  }
  INGOT_DEVICE void storePair(int64_t to, int32_t d, float x, float y) const {
    if constexpr (hd % 8 == 0 && P::p.out_stride % 2 == 0 && P::p.out_type != INGOT_F32) {
      if (d < hd)
        ((uint32_t *)o.out)[(to + d) / 2] = packPair<P::p.out_type>(x, y);
    } else {
      if (d < hd)
        storeAs<P::p.out_type>(o.out, to + d, x);
      if (d + 1 < hd)
        storeAs<P::p.out_type>(o.out, to + d + 1, y);
    }
  }

  // The states of warps that shared the positions become one.
  INGOT_DEVICE void mergeWarps(const AttentionUnit &u, int32_t g, int32_t t2, const float (&most)[2],
                               const float (&sum)[2], const FragmentC (&acc)[width / 8], bool works) const {
    constexpr int32_t stride = width + 2;
    float *all = (float *)shared; // [warp][16][2 + width]
    barrier();                    // queries and tiles are not read any more
    if (works)
#pragma unroll
      for (int32_t i = 0; i < 2; ++i) {
        float *to = all + ((int32_t)warp() * 16 + g + 8 * i) * stride;
        if (t2 == 0) {
          to[0] = most[i];
          to[1] = sum[i];
        }
#pragma unroll
        for (int32_t n = 0; n < width / 8; ++n) {
          to[2 + n * 8 + t2] = acc[n].r[2 * i];
          to[3 + n * 8 + t2] = acc[n].r[2 * i + 1];
        }
      }
    barrier();
    float *state = u.splits > 1 ? stateOf<P, kTileRows>(args, u) : nullptr;
    for (int32_t i = (int32_t)thread(); i < u.rows * hd; i += kThreads) {
      const int32_t r = i / hd, d = i % hd;
      float top = -infinity();
      for (int32_t w = 0; w < groups; ++w) {
        const float here = all[(w * 16 + r) * stride];
        top = here > top ? here : top;
      }
      float total = 0.0f, value = 0.0f;
      for (int32_t w = 0; w < groups; ++w) {
        const float *from = all + (w * 16 + r) * stride;
        const float weight = exp2Fast(from[0] - top);
        total = fma(from[1], weight, total);
        value = fma(from[2 + d], weight, value);
      }
      if (u.splits == 1) {
        storeAs<P::p.out_type>(o.out, outOf<P>(u, r) + d, divide(value, total));
      } else {
        if (d == 0) {
          state[r * states().row()] = top;
          state[r * states().row() + 1] = total;
        }
        state[r * states().row() + 2 + d] = value;
      }
    }
  }

  INGOT_DEVICE void operator()(const AttentionUnit &u) const {
    if (u.rows <= 16)
      run<1>(u);
    else
      run<groups>(u);
  }
};

template <class P> INGOT_DEVICE void attentionTiles(const ingot_cuda_args &args) {
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const AttentionOperands<P> o(args);
  unsigned char *shared = sharedMemory();
  const AttentionTiles<P> tiles{args, o, shared};
  AttentionUnits<P, kTileRows>::forEach(o, (int32_t *)(shared + attentionTilesShape(P::p).ends), tiles);
}

} // namespace ingot::device

#endif
