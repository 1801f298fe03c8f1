// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attention: causal attention over the paged cache; operands and plane layouts as params.h states. The tokens of a
// sequence go in chunks; the query heads of a chunk's tokens that read one kv head are "rows" that share each block of
// 64 keys (attention_rows.h). A unit of work is a (sequence, kv head, chunk), or one segment of it where few tokens see
// a long context; units stand in that order, and a tile does those whose middle lies in its share of the total cost.
//
// The numeric contract (docs/spec/numerics.md): an online softmax runs over the blocks of a segment of 1,024 positions,
// segments are merged in ascending order. A block none of whose positions a row sees leaves that row alone, and inside
// a block only the positions it sees enter its sums: so rows that share a block do not touch each other.
//
// The unit that attends the last token of a sequence appends that token's key and value first. Nobody else reads that
// position: others load it at most beside keys and values that they see, and drop it.
#include "compiler/target/cpu/kernels/attention.h"
#include "compiler/target/cpu/kernels/attention_rows.h"
#include "compiler/target/cpu/kernels/attention_tiles.h"

namespace ingot::kernels {
namespace {

constexpr int32_t kCopyRows = 9; // from so many rows on, keys and values are widened once for all of them

template <int CACHE> struct Attention {
  using C = typename CacheElement<CACHE>::type;
  static constexpr bool kTiles = kHasTiles && CACHE == INGOT_BF16;
  const attention_params *p;
  const float *qkv, *angles, *qNorm, *kNorm;
  const float *biases; // [heads][distances]
  const int32_t *slots, *positions, *starts, *tables;
  CachePlanes planes;
  float *partials;
  void *out;
  int32_t tokenCount, sequences;
  int32_t together; // tokens of a chunk
  int64_t blocks;
  bool split;
  AttentionScratch layout;
  // Scratch.
  Rows rows;
  float *query;                // [rows][width]
  float *total;                // [rows][width]: the segments before
  float *totalMost, *totalSum; // [rows]
  int32_t *first, *last;       // [rows]
  float *key, *value;          // a block widened: [4][head_dim][16], [64][width]
  float *keyScales, *valueScales;
  TileRows tiles; // where kTiles

  INGOT_INLINE void carve(char *scratch) {
    if constexpr (kTiles)
      scratch = tiles.carve(layout.tileRows, p->head_dim, p->head_dim, scratch);
    int64_t scalars = roundUp(layout.rows * 4, 64), copy = kBlock * layout.width * 4;
    auto take = [&](int64_t bytes) __attribute__((always_inline)) {
      char *part = scratch;
      scratch += bytes;
      return (float *)part;
    };
    rows.depth = rows.width = layout.width;
    rows.query = query = take(layout.state);
    rows.acc = take(layout.state);
    total = take(layout.state);
    rows.scores = take(layout.rows * kBlock * 4);
    rows.most = take(scalars);
    rows.sum = take(scalars);
    totalMost = take(scalars);
    totalSum = take(scalars);
    rows.first = first = (int32_t *)take(scalars);
    rows.last = last = (int32_t *)take(scalars);
    key = take(copy);
    value = take(copy);
    keyScales = take(kBlock * 4);
    valueScales = take(kBlock * 4);
  }

  // --- What a unit does.

  INGOT_INLINE const float *heads(int32_t t, int32_t h) const {
    return qkv + ((int64_t)t * p->kv_heads + h) * (p->q_per_kv + (p->queries_only ? 0 : 2)) * p->head_dim;
  }

  INGOT_INLINE void appendLast(int32_t t, int32_t h) const {
    if (p->queries_only || slots[t] < 0)
      return;
    const float *head = heads(t, h) + (int64_t)p->q_per_kv * p->head_dim;
    turn(p, key, head, kNorm, angles + (int64_t)t * p->rotary_dim);
    append(p, planes, h, slots[t], key, head + p->head_dim);
  }

  // The rows of a chunk, their states empty.
  INGOT_INLINE void begin(const Chunk &chunk, int32_t h) {
    rows.count = (chunk.t1 - chunk.t0) * p->q_per_kv;
    if (p->distances)
      rows.biases = biases + (int64_t)h * p->q_per_kv * p->distances;
    for (int32_t t = chunk.t0, row = 0; t < chunk.t1; ++t)
      for (int32_t g = 0; g < p->q_per_kv; ++g, ++row) {
        first[row] = firstSeen(p->window, positions[t]);
        last[row] = positions[t];
        turn(p, query + row * layout.width, heads(t, h) + (int64_t)g * p->head_dim, qNorm,
             angles + (int64_t)t * p->rotary_dim);
        if constexpr (kTiles)
          tiles.setQuery(row, query + row * layout.width);
        totalMost[row] = -__builtin_inff();
        totalSum[row] = 0.0f;
        for (int64_t d = 0; d < layout.width; d += 16)
          store16(total + row * layout.width + d, splat(0.0f));
        clear(row);
      }
  }

  INGOT_INLINE void clear(int32_t row) const {
    rows.most[row] = -__builtin_inff();
    rows.sum[row] = 0.0f;
    if constexpr (kTiles)
      return tiles.clear(row);
    for (int64_t d = 0; d < layout.width; d += 16)
      store16(rows.acc + row * layout.width + d, splat(0.0f));
  }

  // All rows over the chunk's positions of one segment.
  INGOT_INLINE void segment(const Chunk &chunk, int32_t h, int32_t number, const int32_t *table) const {
    int32_t low = maximum(chunk.low, number * (int32_t)kSegment);
    int32_t high = minimum(chunk.high, (number + 1) * (int32_t)kSegment - 1);
    for (int32_t base = low / (int32_t)kBlock * (int32_t)kBlock; base <= high; base += kBlock) {
      BlockView<C> block;
      block.base = base;
      block.from = maximum(low - base, 0) / 16;
      block.to = minimum((high - base) / 16 + 1, (int32_t)kBlock / 16);
      block.stride = p->head_dim;
      block.keyScales = keyScales;
      block.valueScales = valueScales;
      for (int32_t g = block.from; g < block.to; ++g) {
        int32_t position = base + g * 16;
        int64_t page = table[position / p->page_tokens];
        int64_t token = (page * p->kv_heads + h) * p->page_tokens + position % p->page_tokens;
        block.keys[g] = (const C *)planes.keys + token * p->head_dim; // of 16 tokens: keys and values alike
        block.values[g] = (const C *)planes.values + token * p->head_dim;
        // The group 64 positions on, where there is one.
        int64_t later = token;
        if (position + kBlock <= chunk.high) {
          const int32_t at = position + (int32_t)kBlock;
          later = ((int64_t)table[at / p->page_tokens] * p->kv_heads + h) * p->page_tokens + at % p->page_tokens;
        }
        block.nextKeys[g] = (const char *)((const C *)planes.keys + later * p->head_dim);
        block.nextValues[g] = (const char *)((const C *)planes.values + later * p->head_dim);
        if (CACHE == INGOT_I8) {
          store16(keyScales + g * 16, load16(planes.keyScales + token));
          store16(valueScales + g * 16, load16(planes.valueScales + token));
        }
      }
      attend(block);
    }
  }

  INGOT_INLINE void attend(BlockView<C> &block) const {
    if constexpr (kTiles)
      return tiles.attend(p, rows, block);
    const int32_t hd = p->head_dim, width = (int32_t)layout.width;
    BlockView<float> copy;
    bool few = rows.count < kCopyRows;
    if constexpr (CACHE == INGOT_F32) {
      if (hd == width)
        return attendBlock<kTile, true>(p, rows, block);
      copy = block;
    } else {
      if (few && hd == width)
        return attendBlock<4, true>(p, rows, block);
      copy = {block.base, block.from, block.to, width, {}, {}, keyScales, valueScales, {}, {}};
    }
    for (int32_t g = block.from; g < block.to; ++g) {
      if constexpr (CACHE != INGOT_F32) {
        copy.keys[g] = key + (int64_t)g * hd * 16;
        for (int32_t d = 0; d < hd; ++d)
          store16(key + ((int64_t)g * hd + d) * 16, widen16(block.keys[g] + (int64_t)d * 16));
      }
      copy.values[g] = value + (int64_t)g * 16 * width;
      for (int32_t i = 0; i < 16; ++i) {
        const C *from = block.values[g] + (int64_t)i * hd;
        float *to = value + ((int64_t)g * 16 + i) * width;
        int32_t d = 0;
        for (; d + 16 <= hd; d += 16)
          store16(to + d, widen16(from + d));
        for (; d < width; ++d)
          to[d] = d < hd ? widen(from[d]) : 0.0f;
      }
    }
    copy.stride = width;
    attendBlock<kTile, false>(p, rows, copy);
  }
  INGOT_INLINE static float widen(int8_t x) { return (float)x; }
  template <class T> INGOT_INLINE static float widen(const T &x) { return load(&x); }

  INGOT_INLINE void store(const Chunk &chunk, int32_t h) const {
    const int32_t queries = p->q_per_kv, hd = p->head_dim;
    for (int32_t row = 0; row < rows.count; ++row) {
      int64_t to = (int64_t)(chunk.t0 + row / queries) * p->out_stride + ((int64_t)h * queries + row % queries) * hd;
      for (int32_t d = 0; d < hd; d += 16)
        store16As(p->out_type, out, to + d, load16(total + row * layout.width + d) / totalSum[row],
                  minimum(16, hd - d));
    }
  }

  // Segments [from, to) of a chunk, which end up in `out`, or in partials where they are left apart.
  INGOT_INLINE void unit(const Chunk &chunk, int32_t sequence, int32_t h, int32_t from, int32_t to, bool apart) {
    if (chunk.t1 == starts[sequence + 1] && chunk.high / (int32_t)kSegment < to)
      appendLast(chunk.t1 - 1, h);
    begin(chunk, h);
    const PartialLayout place = partialLayout(*p);
    for (int32_t number = from; number < to; ++number) {
      segment(chunk, h, number, tables + sequence * blocks);
      for (int32_t row = 0; row < rows.count; ++row) {
        if constexpr (kTiles)
          tiles.take(rows, row);
        const float *acc = rows.acc + row * layout.width;
        if (apart) {
          int64_t token = chunk.t0 + row / p->q_per_kv;
          float *part = partials + place.at(number, token * p->kv_heads + h, row % p->q_per_kv);
          part[0] = rows.most[row];
          part[1] = rows.sum[row];
          for (int64_t d = 0; d < layout.width; d += 16)
            store16(part + 16 + d, load16(acc + d));
        } else {
          mergeState(total + row * layout.width, totalMost[row], totalSum[row], acc, rows.most[row], rows.sum[row],
                     layout.width);
        }
        clear(row);
      }
    }
    if (!apart)
      store(chunk, h);
    const int32_t used = p->kv_heads * p->q_per_kv * p->head_dim;
    if (h == p->kv_heads - 1 && chunk.high / (int32_t)kSegment < to)
      for (int32_t t = chunk.t0; t < chunk.t1; ++t)
        for (int32_t c = used; c < p->out_stride; ++c)
          storeAs(p->out_type, out, (int64_t)t * p->out_stride + c, 0.0f);
  }

  // --- Who does which unit. Costs are counted twice, so that the middle of a unit is a whole number.

  // A segment's: its blocks, each by its rows and what it costs to read it.
  INGOT_INLINE int64_t cost(const Chunk &chunk, int32_t from, int32_t to) const {
    int32_t low = maximum(chunk.low, from * (int32_t)kSegment);
    int32_t high = minimum(chunk.high, to * (int32_t)kSegment - 1);
    int64_t passed = high / (int32_t)kBlock - low / (int32_t)kBlock + 1;
    return 2 * (passed + 1) * ((chunk.t1 - chunk.t0) * p->q_per_kv + 8);
  }
  INGOT_INLINE int64_t cost(const Chunk &chunk) const {
    int32_t from = chunk.low / (int32_t)kSegment, to = chunk.high / (int32_t)kSegment + 1;
    if (!split)
      return cost(chunk, from, to);
    int64_t sum = 0;
    for (int32_t number = from; number < to; ++number)
      sum += cost(chunk, number, number + 1);
    return sum;
  }
  // Of one kv head.
  INGOT_INLINE int64_t cost(int32_t sequence) const {
    int64_t sum = 0;
    for (int32_t t = starts[sequence]; t < starts[sequence + 1];) {
      Chunk chunk = chunkOf(*p, positions, starts[sequence], starts[sequence + 1], t, together);
      sum += cost(chunk);
      t = chunk.t1;
    }
    return sum;
  }

  // Chunks are small where segments are left apart, so that attention_merge knows them, and where there are few units.
  INGOT_INLINE int32_t tokensOfChunk(const ingot_env *env) const {
    const bool many = (int64_t)tokenCount * p->kv_heads * p->q_per_kv >=
                      kAttentionUnits * kAttentionTileRows * (int64_t)env->workers;
    return (int32_t)attentionTokens(p->q_per_kv, kTiles && many && !split ? kAttentionTileRows : kAttentionRows);
  }

  // All units whose middle lies in [from, to).
  INGOT_INLINE void run(uint32_t tile0, uint32_t tile1) {
    int64_t all = 0, at = 0;
    for (int32_t s = 0; s < sequences; ++s)
      all += cost(s) * p->kv_heads;
    const int64_t from = all * tile0 / kAttentionTiles, to = all * tile1 / kAttentionTiles;
    for (int32_t s = 0; s < sequences && at < to; ++s) {
      const int64_t head = cost(s);
      for (int32_t h = 0; h < p->kv_heads; ++h, at += head) {
        if (at + head <= from || at >= to)
          continue;
        int64_t begins = at;
        for (int32_t t = starts[s]; t < starts[s + 1];) {
          Chunk chunk = chunkOf(*p, positions, starts[s], starts[s + 1], t, together);
          t = chunk.t1;
          const bool apart = split && chunk.segments() > 1;
          const int32_t end = chunk.high / (int32_t)kSegment + 1;
          int32_t ours = -1, past = 0; // its segments that are ours stand side by side
          for (int32_t number = chunk.low / (int32_t)kSegment; number < end;) {
            int32_t next = apart ? number + 1 : end;
            int64_t part = cost(chunk, number, next), middle = begins + part / 2;
            begins += part;
            if (middle >= from && middle < to) {
              ours = ours < 0 ? number : ours;
              past = next;
            }
            number = next;
          }
          if (ours >= 0)
            unit(chunk, s, h, ours, past, apart);
          if (begins >= to)
            break;
        }
      }
    }
  }
};

template <int CACHE>
INGOT_INLINE int32_t runAttention(const attention_params *p, const ingot_env *env, void *const *buffers,
                                  const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch) {
  Attention<CACHE> a;
  a.p = p;
  a.tokenCount = (int32_t)symbols[p->tokens_symbol];
  a.sequences = (int32_t)symbols[p->sequences_symbol];
  a.blocks = symbols[p->blocks_symbol];
  a.qkv = (const float *)*buffers++;
  a.angles = (const float *)*buffers++;
  a.slots = (const int32_t *)*buffers++ + p->group * (int64_t)a.tokenCount;
  a.qNorm = p->qk_norm ? (const float *)*buffers++ : nullptr;
  a.kNorm = p->qk_norm ? (const float *)*buffers++ : nullptr;
  buffers += takePlanes(p, buffers, a.planes);
  a.positions = (const int32_t *)buffers[0];
  a.starts = (const int32_t *)buffers[1];
  a.tables = (const int32_t *)buffers[3] + p->group * a.sequences * a.blocks;
  buffers += 4;
  a.biases = p->distances ? (const float *)*buffers++ : nullptr;
  a.partials = (float *)buffers[0];
  a.out = buffers[1];
  a.split = leavesSegments(*p, a.tokenCount, a.blocks);
  a.together = a.tokensOfChunk(env);
  a.layout = attentionScratch(*p);
  a.carve((char *)scratch);
  if constexpr (Attention<CACHE>::kTiles)
    ingot_linear_tiles_shape_whole();
  a.run(tile0, tile1);
  if constexpr (Attention<CACHE>::kTiles)
    releaseTiles();
  return 0;
}
} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(attention) {
  using namespace ingot::kernels;
  switch (p->cache_type) {
  case INGOT_F16:
    return runAttention<INGOT_F16>(p, env, buffers, symbols, tile0, tile1, scratch);
  case INGOT_BF16:
    return runAttention<INGOT_BF16>(p, env, buffers, symbols, tile0, tile1, scratch);
  case INGOT_I8:
    return runAttention<INGOT_I8>(p, env, buffers, symbols, tile0, tile1, scratch);
  default:
    return runAttention<INGOT_F32>(p, env, buffers, symbols, tile0, tile1, scratch);
  }
}
