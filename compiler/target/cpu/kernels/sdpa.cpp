// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sdpa: attention over keys and values that are operands, as params.h states. A tile is a query head of a query;
// neighbouring tiles that read one kv head are "rows" that share each block of 64 keys, which is laid out for
// attention_rows.h first: keys transposed, values side by side. Sums are those of `attention` without segments
// (docs/spec/numerics.md): they depend on nothing but the row, however tiles are cut. With starts each sequence is a
// batch with as many queries and keys as it has rows. Products of bf16 run on AMX where there are tiles
// (attention_tiles.h); elsewhere they are f32.
#include "compiler/target/cpu/kernels/attention_tiles.h"
#include "compiler/target/cpu/kernels/transpose.h"

namespace ingot::kernels {
namespace {

// What attention_rows.h asks of parameters.
struct Scoring {
  int32_t head_dim, cache_type;
  float scale, soft_cap;
};

// PRODUCTS: the type that operands of products are rounded to, INGOT_F32 for none.
template <int PRODUCTS> struct Sdpa {
  static constexpr bool kTiles = kHasTiles && PRODUCTS == INGOT_BF16;
  static constexpr int32_t kTogether = 48;     // rows that meet a block one step behind another, so that its scores are at hand
  static constexpr int64_t kFetchedKeys = 256; // those of the next head that are asked for: 128 KiB with their values
  const sdpa_params *p;
  const float *query, *key, *value, *bias;
  const int32_t *lengths, *starts, *places;
  float *out;
  int64_t queries, keys;    // of the batch, or of the sequence at hand
  int64_t queryRow, keyRow; // its first ones
  int64_t biasRows, biasColumns;
  SdpaScratch layout;
  // Scratch.
  Rows rows;
  int32_t *first, *last; // [rows]
  const float **biases;  // [rows]: of key 0
  float *queryRows; // [rows][layout.depth], where they are copied
  float *blockKeys, *blockValues;
  const float *nextQuery; // of the first row of the next unit
  bool nextHead;          // whether that begins the next kv head
  TileRows tiles;
  uint16_t *keyLines; // [16][tiles.depth]

  INGOT_INLINE void carve(char *scratch) {
    auto take = [&](int64_t bytes) __attribute__((always_inline)) {
      char *part = scratch;
      scratch += bytes;
      return (float *)part;
    };
    rows.width = layout.width;
    queryRows = take(layout.query);
    rows.acc = take(layout.acc);
    rows.scores = take(layout.scores);
    rows.most = take(layout.scalars);
    rows.sum = take(layout.scalars);
    rows.first = first = (int32_t *)take(layout.scalars);
    rows.last = last = (int32_t *)take(layout.scalars);
    biases = (const float **)take(layout.biases);
    blockKeys = take(layout.key);
    blockValues = take(layout.value);
    if constexpr (kTiles)
      keyLines = (uint16_t *)tiles.carve(kSdpaRows, p->head_dim, p->value_dim, scratch);
  }

  // Sixteen scores of a row, of keys from `position` on, with their bias.
  INGOT_INLINE f32x16 biased(f32x16 s, int32_t row, int64_t position) const {
    if (!p->bias)
      return s;
    const float *at = biases[row];
    if (!p->bias_keys)
      return s + *at;
    const int64_t left = keys - position;
    if (p->places) {
      f32x16 picked = splat(0.0f);
      const int32_t *of = places + keyRow + position;
      if (left >= 16 && of[15] - of[0] == 15) // ascending, so none between is left out
        return s + load16(at + of[0]);
      for (int32_t lane = 0; lane < 16 && lane < left; ++lane)
        picked[lane] = at[of[lane]];
      return s + picked;
    }
    return left < 16 ? s + load16(at + position, maximum((int32_t)left, 0)) : s + load16(at + position);
  }

  // Scores of a row with its bias; weights take their place.
  struct Place {
    static constexpr bool kMasks = true;
    const Sdpa &a;
    const Rows &rows; // those from row `start` on
    int32_t start;
    int64_t base;
    INGOT_INLINE float *at(int32_t row, int32_t g) const { return rows.scores + (int64_t)row * kBlock + g * 16; }
    INGOT_INLINE f32x16 score(int32_t row, int32_t g) const { return a.biased(load16(at(row, g)), start + row, base + g * 16); }
    INGOT_INLINE bool plain() const { return !a.p->bias; }
    template <bool NORMAL> INGOT_INLINE void weights(int32_t row, const f32x16 (&w)[kBlock / 16]) const {
#pragma unroll
      for (int32_t g = 0; g < (int32_t)kBlock / 16; ++g)
        store16(at(row, g), w[g]);
    }
    INGOT_INLINE void nothing(int32_t) const {} // weights of what a row does not see are never read
    INGOT_INLINE void scale(int32_t row, float keep) const {
      float *acc = rows.acc + row * rows.width;
      for (int64_t d = 0; d < rows.width; d += 16)
        store16(acc + d, load16(acc + d) * keep);
    }
  };

  // The same where scores and weights are those of tiles.
  struct TilePlace : TileRows::Place<Scoring> {
    static constexpr bool kMasks = true;
    const Sdpa &a;
    INGOT_INLINE TilePlace(const Sdpa &a, const Scoring &scoring, int64_t base, int32_t start)
        : TileRows::Place<Scoring>{a.tiles, &scoring, a.rows, (int32_t)base, start}, a(a) {}
    INGOT_INLINE f32x16 score(int32_t row, int32_t g) const {
      const float *sums = this->of.scores + (g * TileRows::kTogether + row - this->start) * 16;
      return a.biased(finishScore(this->p, load16(sums)), row, this->base + g * 16);
    }
    INGOT_INLINE bool plain() const { return !a.p->bias && this->p->soft_cap == 0.0f; }
  };

  // The keys that query s of batch b sees: first[row] to last[row], none where that is less.
  INGOT_INLINE void range(int32_t row, int64_t b, int64_t s) const {
    const int64_t at = s + keys - queries;
    int64_t low = 0, high = keys;
    if (p->lengths)
      high = lengths[b] < high ? lengths[b] : high;
    if (p->causal)
      high = at + 1 < high ? at + 1 : high;
    if (p->window) {
      low = at - p->window + 1 > 0 ? at - p->window + 1 : 0;
      high = at + p->window < high ? at + p->window : high;
    }
    first[row] = (int32_t)low;
    last[row] = (int32_t)(high > 0 ? high - 1 : -1);
  }

  INGOT_INLINE void begin(int64_t b, int64_t g, int64_t from) {
    // Rows one stride apart are read where they are.
    const bool inPlace = !kTiles && p->q_per_kv == 1;
    rows.query = inPlace ? query + ((queryRow + from) * p->kv_heads + g) * p->head_dim : queryRows;
    rows.depth = inPlace ? (int64_t)p->kv_heads * p->head_dim : layout.depth;
    for (int32_t row = 0; row < rows.count; ++row) {
      const int64_t s = (from + row) / p->q_per_kv, h = g * p->q_per_kv + (from + row) % p->q_per_kv;
      range(row, b, s);
      if (!inPlace) {
        const float *in = query + ((queryRow + s) * p->kv_heads * p->q_per_kv + h) * p->head_dim;
        float *to = queryRows + row * layout.depth;
        int32_t d = 0;
        for (; d + 16 <= p->head_dim; d += 16)
          store16(to + d, load16(in + d));
        for (; d < p->head_dim; ++d)
          to[d] = in[d];
        if constexpr (kTiles)
          tiles.setQuery(row, to);
      }
      if (p->bias) {
        const int64_t heads = p->bias_heads ? p->kv_heads * p->q_per_kv : 1, columns = p->bias_keys ? biasColumns : 1;
        const int64_t lines = p->bias_queries ? biasRows : 1, line = p->places ? places[queryRow + s] : s;
        biases[row] = bias + (((p->bias_batch ? b : 0) * heads + (p->bias_heads ? h : 0)) * lines +
                              (p->bias_queries ? line : 0)) *
                                 columns;
      }
      if constexpr (kTiles)
        tiles.clear(row);
      rows.most[row] = -__builtin_inff();
      rows.sum[row] = 0.0f;
      for (int64_t e = 0; e < rows.width; e += 16)
        store16(rows.acc + row * rows.width + e, splat(0.0f));
    }
  }

  // Keys [base, end) of a block and their values into scratch. Behind the last key stands that key again, for lanes
  // that nobody reads.
  INGOT_INLINE void lay(int64_t g, int64_t base, int64_t end, BlockView<float> &block) const {
    const int64_t keyStride = (int64_t)p->kv_heads * p->head_dim, valueStride = (int64_t)p->kv_heads * p->value_dim;
    const float *keyRows = key + keyRow * keyStride + g * p->head_dim;
    const float *valueRows = value + keyRow * valueStride + g * p->value_dim;
    block.stride = (int32_t)rows.width;
    block.keyScales = block.valueScales = nullptr;
    for (int32_t group = block.from; group < block.to; ++group) {
      const int64_t t = base + group * 16;
      float *to = blockKeys + (int64_t)group * 16 * p->head_dim;
      block.keys[group] = to;
      transpose16(keyRows + t * keyStride, keyStride, (int32_t)(end - t < 16 ? end - t : 16), p->head_dim, to);
      block.values[group] = blockValues + (int64_t)group * 16 * rows.width;
    }
    const int64_t from = base + block.from * 16;
    for (int64_t t = from; t < end; ++t) {
      const float *in = valueRows + t * valueStride;
      float *to = blockValues + (t - base) * rows.width;
      int32_t e = 0;
      for (; e + 16 <= p->value_dim; e += 16)
        store16(to + e, load16(in + e));
      if (e < p->value_dim)
        store16(to + e, load16(in + e, p->value_dim - e));
    }
  }

  // Keys [base, end) of a block as panels of tiles: sixteen of them as rows of bf16, whose pairs are then turned.
  INGOT_INLINE void layTileKeys(int64_t g, int64_t base, int64_t end, int32_t from, int32_t to) const {
    const int64_t stride = (int64_t)p->kv_heads * p->head_dim;
    const float *source = key + keyRow * stride + g * p->head_dim;
    for (int32_t group = from; group < to; ++group) {
      for (int32_t i = 0; i < 16; ++i) {
        const int64_t t = base + group * 16 + i;
        const float *in = source + (t < end ? t : end - 1) * stride;
        auto *row = (bf16 *)(keyLines + i * tiles.depth);
        int32_t d = 0;
        for (; d + 32 <= p->head_dim; d += 32)
          store32Normal(row + d, load16(in + d), load16(in + d + 16));
        for (; d < tiles.depth; d += 16)
          store16(row + d, load16(in + d, maximum(0, minimum(16, p->head_dim - d))));
      }
      transpose16((const float *)keyLines, tiles.depth / 2, 16, tiles.depth / 2,
                  (float *)(tiles.keys + (int64_t)group * tiles.depth * 16));
    }
  }

  // Values of keys [from, to) of a block as panels of tiles, zeros elsewhere. Tells whether one of them is not finite.
  INGOT_INLINE bool layTileValues(int64_t g, int64_t base, int32_t from, int32_t to) const {
    if (from >= to) {
      clearVectors(tiles.values, kBlock * tiles.width / 32);
      return false;
    }
    const int64_t stride = (int64_t)p->kv_heads * p->value_dim;
    const float *source = value + (keyRow + base) * stride + g * p->value_dim;
    u16x32 largest = (u16x32)(0); // exponents
    for (int32_t at = 0; at < kBlock; at += 2) {
      const float *even = source + minimum(maximum(at, from), to - 1) * stride;
      const float *odd = source + minimum(maximum(at + 1, from), to - 1) * stride;
      const bool hasEven = at >= from && at < to, hasOdd = at + 1 >= from && at + 1 < to;
      for (int32_t c = 0; c < tiles.width; c += 16) {
        const int32_t width = minimum(16, p->value_dim - c);
        bf16 both[32];
        store32Normal(both, hasEven ? load16(even + c, width) : splat(0.0f),
                      hasOdd ? load16(odd + c, width) : splat(0.0f));
        const u16x32 bits = *(const u16x32_u *)both;
        largest = __builtin_elementwise_max(largest, bits & (uint16_t)0x7f80);
        *(u16x32_u *)(tiles.values + (int64_t)c * kBlock + at * 16) = pairsOf(bits.lo, bits.hi);
      }
    }
    return __builtin_reduce_max(largest) == 0x7f80;
  }

  INGOT_INLINE void attendTiles(int64_t g) const {
    const Scoring scoring = {p->head_dim, INGOT_BF16, p->scale, p->soft_cap};
    const int32_t low = first[0], high = last[rows.count - 1]; // both ascend with the row
    bool alike = true;
    for (int32_t row = 1; row < rows.count; ++row)
      alike = alike && first[row] == first[0] && last[row] == last[0];
    for (int64_t base = low / kBlock * kBlock; base <= high; base += kBlock) {
      const int32_t from = maximum(low - (int32_t)base, 0), to = minimum(high - (int32_t)base + 1, (int32_t)kBlock);
      const int32_t groups = (to + 15) / 16;
      layTileKeys(g, base, base + to, from / 16, groups);
      const bool apart = layTileValues(g, base, from, to) && !alike;
#pragma clang loop unroll(disable)
      for (int32_t start = 0; start < rows.count; start += TileRows::kTogether) {
        const int32_t count = minimum(TileRows::kTogether, rows.count - start);
        tiles.template product<true>(tiles.queries + (int64_t)start * tiles.depth, tiles.depth, count,
                                     tiles.keys + (int64_t)(from / 16) * tiles.depth * 16, groups - from / 16,
                                     tiles.scores + from / 16 * TileRows::kTogether * 16, TileRows::kTogether * 16,
                                     true);
        softmaxRows(rows, start, start + count, (int32_t)base, TilePlace(*this, scoring, base, start));
        tiles.mix(rows, (int32_t)base, start, start + count, apart,
                  [&](int32_t a, int32_t b) __attribute__((always_inline)) { layTileValues(g, base, a, b); });
      }
    }
    for (int32_t row = 0; row < rows.count; ++row)
      tiles.take(rows, row);
  }

  // Asks for what the next unit reads while rows [start, start + count) meet a block: the same part of its rows, and of the next head's keys
  // and values beside those of the block, where the next unit begins there and they are few.
  INGOT_INLINE void fetch(int64_t g, int64_t base, int32_t start, int32_t count) const {
    auto line = [](const float *from, int64_t columns) __attribute__((always_inline)) {
      for (int64_t d = 0; d < columns; d += 16)
        __builtin_prefetch(from + d, 0, 2);
    };
    if (base < kBlock)
      for (int64_t s = start / p->q_per_kv; s * p->q_per_kv < start + count; ++s)
        line(nextQuery + s * p->kv_heads * p->q_per_kv * p->head_dim, (int64_t)p->q_per_kv * p->head_dim);
    if (!nextHead || keys > kFetchedKeys)
      return;
    const int64_t low = base + start * kBlock / rows.count, high = base + (start + count) * kBlock / rows.count;
    for (int64_t t = low; t < high && t < keys; ++t) {
      line(key + ((keyRow + t) * p->kv_heads + g + 1) * p->head_dim, p->head_dim);
      line(value + ((keyRow + t) * p->kv_heads + g + 1) * p->value_dim, p->value_dim);
    }
  }

  INGOT_INLINE void attend(int64_t g) const {
    const Scoring scoring = {p->head_dim, INGOT_F32, p->scale, p->soft_cap};
    const int32_t low = first[0], high = last[rows.count - 1]; // both ascend with the row
    for (int64_t base = low / kBlock * kBlock; base <= high; base += kBlock) {
      BlockView<float> block;
      block.base = (int32_t)base;
      block.from = maximum(low - block.base, 0) / 16;
      block.to = minimum((high - block.base) / 16 + 1, (int32_t)kBlock / 16);
      lay(g, base, minimum(high + 1, block.base + (int32_t)kBlock), block);
#pragma clang loop unroll(disable)
      for (int32_t start = 0; start < rows.count; start += kTogether) {
        const Rows some = rowsFrom(rows, start, minimum(kTogether, rows.count - start));
        fetch(g, base, start, some.count);
        scoreBlock<kTile, false>(&scoring, some, block);
        softmaxRows(some, 0, some.count, block.base, Place{*this, some, start, base});
        mixBlock<kTile, false>(some, block);
      }
    }
  }

  INGOT_INLINE void store(int64_t g, int64_t from) const {
    for (int32_t row = 0; row < rows.count; ++row) {
      const int64_t s = (from + row) / p->q_per_kv, h = g * p->q_per_kv + (from + row) % p->q_per_kv;
      float *to = out + ((queryRow + s) * p->kv_heads * p->q_per_kv + h) * p->value_dim;
      const float *acc = rows.acc + row * rows.width, sum = rows.sum[row];
      for (int32_t e = 0; e < p->value_dim; e += 16)
        store16(to + e, sum == 0.0f ? splat(0.0f) : load16(acc + e) / sum, minimum(16, p->value_dim - e));
    }
  }

  // The rows of a unit from row `from` of kv head g on, at most `count`; how many they were.
  INGOT_INLINE int64_t unit(int64_t b, int64_t g, int64_t from, int64_t count) {
    const auto all = (int32_t)(count < 1 << 30 ? count : 1 << 30);
    rows.count = minimum(evenBlocks(all, kSdpaRows, kTiles ? TileRows::kTogether : kTile), all);
    nextHead = rows.count == all;
    const int64_t next = nextHead ? 0 : (from + rows.count) / p->q_per_kv;
    nextQuery = query + ((queryRow + next) * p->kv_heads + g + nextHead) * p->q_per_kv * p->head_dim;
    begin(b, g, from);
    if constexpr (kTiles)
      attendTiles(g);
    else
      attend(g);
    store(g, from);
    return rows.count;
  }

  INGOT_INLINE void run(int64_t tile0, int64_t tile1) {
    const int64_t group = queries * p->q_per_kv; // tiles that read one kv head
    for (int64_t tile = tile0; tile < tile1;) {
      const int64_t number = tile / group, from = tile % group, b = number / p->kv_heads, g = number % p->kv_heads;
      queryRow = b * queries;
      keyRow = b * keys;
      tile += unit(b, g, from, group - from < tile1 - tile ? group - from : tile1 - tile);
    }
  }

  INGOT_INLINE void runSequences(int64_t tile0, int64_t tile1, int64_t sequences) {
    const int64_t heads = (int64_t)p->kv_heads * p->q_per_kv;
    int64_t r = 0;
    for (int64_t tile = tile0; tile < tile1;) {
      while (r + 1 < sequences && starts[r + 1] * heads <= tile)
        ++r;
      queryRow = keyRow = starts[r];
      queries = keys = starts[r + 1] - starts[r];
      const int64_t group = queries * p->q_per_kv, within = tile - queryRow * heads;
      if (within >= group * p->kv_heads)
        return; // behind the last sequence
      const int64_t from = within % group;
      tile += unit(0, within / group, from, group - from < tile1 - tile ? group - from : tile1 - tile);
    }
  }
};

template <int PRODUCTS>
INGOT_INLINE void runSdpa(const sdpa_params *p, void *const *buffers, const int64_t *symbols, uint32_t tile0,
                          uint32_t tile1, void *scratch) {
  Sdpa<PRODUCTS> a;
  a.p = p;
  a.queries = symbols[p->queries_symbol];
  a.keys = symbols[p->keys_symbol];
  a.query = (const float *)buffers[0];
  a.key = (const float *)buffers[1];
  a.value = (const float *)buffers[2];
  a.bias = p->bias ? (const float *)buffers[3] : nullptr;
  a.biasRows = a.queries;
  a.biasColumns = a.keys;
  int32_t next = 3 + p->bias;
  a.lengths = p->lengths ? (const int32_t *)buffers[next++] : nullptr;
  a.starts = p->starts ? (const int32_t *)buffers[next++] : nullptr;
  a.places = p->places ? (const int32_t *)buffers[next++] : nullptr;
  a.out = (float *)buffers[next];
  a.layout = sdpaScratch(*p);
  a.carve((char *)scratch);
  if constexpr (Sdpa<PRODUCTS>::kTiles)
    ingot_linear_tiles_shape_whole();
  if (p->starts)
    a.runSequences(tile0, tile1, symbols[p->batch_symbol] - 1);
  else
    a.run(tile0, tile1);
  if constexpr (Sdpa<PRODUCTS>::kTiles)
    releaseTiles();
}

} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(sdpa) {
  using namespace ingot::kernels;
  if (p->product_type == INGOT_BF16)
    runSdpa<INGOT_BF16>(p, buffers, symbols, tile0, tile1, scratch);
  else
    runSdpa<INGOT_F32>(p, buffers, symbols, tile0, tile1, scratch);
  return 0;
}
