// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attention: causal attention over the paged cache; operands and plane layouts as params.h states. One tile is
// (kv head, token). The query heads of neighbouring tokens of one sequence are "rows" that share each block of keys:
//
//   rows = up to 48: (token, query head of this kv head)       scores[row][64 positions of the block]
//
// The numeric contract (docs/spec/numerics.md): blocks of 64 positions aligned to position 0; a block's score is one
// chain over ascending head_dim, times scale, capped; an online softmax runs over the blocks of a segment of 1,024
// positions, segments are merged in ascending order. A block none of whose positions a row sees leaves that row alone,
// and inside a block only the positions it sees enter its sums: so rows that share a block do not touch each other.
#include "compiler/target/cpu/kernels/math.h"

namespace ingot::kernels {
namespace {

#if defined(__AVX512F__)
constexpr int kTile = 8; // rows whose sums stand in registers at once
#else
constexpr int kTile = 4;
#endif

// One block of the cache for one kv head: where each group of 16 positions starts, in elements.
struct Groups {
  int64_t start[kBlock / 16]; // of the group's keys [hd][16] and of its values [16][hd]: the two coincide
};

template <int CACHE> struct Attention {
  using C = typename ElementOf<CACHE>::type;
  const attention_params *p;
  const float *qkv;
  const C *keys;
  const C *values;
  const int32_t *positions;
  void *out;
  AttentionScratch layout;
  // Scratch.
  float *query;                                         // [rows][width]
  float *segment;                                       // [rows][width]: sum of p v in this segment
  float *total;                                         // [rows][width]: the same over the segments before
  float *scores;                                        // [rows][64]
  float *segmentMax, *segmentSum, *totalMax, *totalSum; // [rows]
  int32_t *first, *last;                                // [rows]: positions the row sees, last inclusive
  float *slice;                                         // [64][16]: the ragged last columns of a block of values

  INGOT_INLINE void carve(char *scratch) {
    int64_t scalars = roundUp(layout.rows * 4, 64);
    query = (float *)scratch;
    segment = (float *)(scratch += layout.state);
    total = (float *)(scratch += layout.state);
    scores = (float *)(scratch += layout.state);
    segmentMax = (float *)(scratch += layout.rows * kBlock * 4);
    segmentSum = (float *)(scratch += scalars);
    totalMax = (float *)(scratch += scalars);
    totalSum = (float *)(scratch += scalars);
    first = (int32_t *)(scratch += scalars);
    last = (int32_t *)(scratch += scalars);
    slice = (float *)(scratch += scalars);
  }

  // scores[r][i] of MR rows for the 16 positions of one group.
  template <int MR> INGOT_INLINE void scoreRows(int32_t row, const C *group, int32_t i) const {
    f32x16 acc[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r)
      acc[r] = splat(0.0f);
    const float *q = query + row * layout.width;
#pragma clang loop unroll(disable)
    for (int32_t d = 0; d < p->head_dim; ++d) {
      f32x16 key = load16(group + (int64_t)d * 16);
#pragma unroll
      for (int r = 0; r < MR; ++r)
        acc[r] = fma(splat(q[r * layout.width + d]), key, acc[r]);
    }
#pragma unroll
    for (int r = 0; r < MR; ++r) {
      f32x16 s = acc[r] * p->scale;
      if (p->soft_cap != 0.0f)
        s = p->soft_cap * tanh(s / p->soft_cap);
      store16(scores + (int64_t)(row + r) * kBlock + i, s);
    }
  }

  // segment[r][column ..+16] += sum over positions [from, to) of the block of scores x value, ascending.
  template <int MR, class V>
  INGOT_INLINE void mixRows(int32_t row, const V *value, int64_t stride, int32_t column, int32_t from,
                            int32_t to) const {
    f32x16 acc[MR];
    float *sums = segment + row * layout.width + column;
    const float *weight = scores + (int64_t)row * kBlock;
#pragma unroll
    for (int r = 0; r < MR; ++r)
      acc[r] = load16(sums + r * layout.width);
#pragma clang loop unroll(disable)
    for (int32_t i = from; i < to; ++i) {
      f32x16 v = load16(value + i * stride);
#pragma unroll
      for (int r = 0; r < MR; ++r)
        acc[r] = fma(splat(weight[r * kBlock + i]), v, acc[r]);
    }
#pragma unroll
    for (int r = 0; r < MR; ++r)
      store16(sums + r * layout.width, acc[r]);
  }

  // The same for positions of one group of 16 and any number of rows with their own ranges: where all rows of a tile
  // see the same positions they share the loads.
  template <class V>
  INGOT_INLINE void mixGroup(int32_t rows, const V *value, int64_t stride, int32_t column, int32_t base,
                             int32_t i) const {
    for (int32_t row = 0; row < rows;) {
      int32_t from, to;
      range(row, base, i, from, to);
      int32_t alike = 1; // rows from here on that see the same positions
      for (; alike < kTile && row + alike < rows; ++alike) {
        int32_t f, e;
        range(row + alike, base, i, f, e);
        if (f != from || e != to)
          break;
      }
      if (alike == kTile) {
        mixRows<kTile>(row, value - i * stride, stride, column, from, to);
        row += kTile;
      } else if (alike >= 2) {
        mixRows<2>(row, value - i * stride, stride, column, from, to);
        row += 2;
      } else {
        mixRows<1>(row, value - i * stride, stride, column, from, to);
        ++row;
      }
    }
  }

  // The part of group [i, i+16) of the block at position `base` that a row sees.
  INGOT_INLINE void range(int32_t row, int32_t base, int32_t i, int32_t &from, int32_t &to) const {
    from = maximum(first[row] - base, i);
    to = minimum(last[row] - base + 1, i + 16);
  }

  INGOT_INLINE void block(int32_t rows, int32_t base, const Groups &groups, int32_t groupFrom, int32_t groupTo) const {
    for (int32_t g = groupFrom; g < groupTo; ++g) {
      int32_t row = 0;
      for (; row + kTile <= rows; row += kTile)
        scoreRows<kTile>(row, keys + groups.start[g], g * 16);
      for (; row + 2 <= rows; row += 2)
        scoreRows<2>(row, keys + groups.start[g], g * 16);
      if (row < rows)
        scoreRows<1>(row, keys + groups.start[g], g * 16);
    }
    for (int32_t row = 0; row < rows; ++row) {
      int32_t from = maximum(first[row] - base, 0), to = minimum(last[row] - base + 1, (int32_t)kBlock);
      if (from >= to)
        continue;
      float *s = scores + (int64_t)row * kBlock;
      f32x16 lane[kBlock / 16];
      f32x16 top = splat(-__builtin_inff());
#pragma unroll
      for (int32_t g = 0; g < kBlock / 16; ++g) {
        i32x16 at = lanes() + g * 16;
        lane[g] = select((at >= from) & (at < to), load16(s + g * 16), splat(-__builtin_inff()));
        top = larger(top, lane[g]);
      }
      float before = segmentMax[row];
      float most = largest(top);
      most = most > before ? most : before;
      f32x16 sums[kBlock / 16];
#pragma unroll
      for (int32_t g = 0; g < kBlock / 16; ++g) {
        i32x16 at = lanes() + g * 16;
        sums[g] = select((at >= from) & (at < to), exp(lane[g] - most), splat(0.0f));
        store16(s + g * 16, sums[g]);
      }
      float added = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
      float keep = exp(before - most);
      segmentMax[row] = most;
      segmentSum[row] = fma(segmentSum[row], keep, added);
      if (keep != 1.0f)
        scaleRow(segment + row * layout.width, keep);
    }
    const int32_t hd = p->head_dim, whole = hd / 16 * 16;
    for (int32_t column = 0; column < whole; column += 16)
      for (int32_t g = groupFrom; g < groupTo; ++g)
        mixGroup(rows, values + groups.start[g] + column, hd, column, base, g * 16);
    if (whole < hd) {
      for (int32_t g = groupFrom; g < groupTo; ++g) {
        for (int32_t i = 0; i < 16; ++i)
          store16(slice + (g * 16 + i) * 16, load16(values + groups.start[g] + (int64_t)i * hd + whole, hd - whole));
        mixGroup(rows, slice + g * 16 * 16, 16, whole, base, g * 16);
      }
    }
  }

  INGOT_INLINE void scaleRow(float *row, float factor) const {
    for (int32_t d = 0; d < layout.width; d += 16)
      store16(row + d, load16(row + d) * factor);
  }

  // total = total merged with segment, which is then empty.
  INGOT_INLINE void mergeSegment(int32_t rows) const {
    for (int32_t row = 0; row < rows; ++row) {
      if (segmentSum[row] == 0.0f)
        continue; // nothing seen here
      float *to = total + row * layout.width, *from = segment + row * layout.width;
      float most = segmentMax[row] > totalMax[row] ? segmentMax[row] : totalMax[row];
      float keep = exp(totalMax[row] - most), add = exp(segmentMax[row] - most);
      totalSum[row] = fma(totalSum[row], keep, segmentSum[row] * add);
      totalMax[row] = most;
      for (int32_t d = 0; d < layout.width; d += 16) {
        store16(to + d, fma(load16(to + d), splat(keep), load16(from + d) * add));
        store16(from + d, splat(0.0f));
      }
      segmentSum[row] = 0.0f;
      segmentMax[row] = -__builtin_inff();
    }
  }

  // Tokens [t0, t1) of one sequence, whose blocks of the cache `table` names, for one kv head.
  INGOT_INLINE void tokens(int32_t h, int32_t t0, int32_t t1, const int32_t *table) const {
    const int32_t queries = p->q_per_kv, hd = p->head_dim;
    const int64_t perToken = (int64_t)p->kv_heads * (queries + 2) * hd;
    int32_t rows = (t1 - t0) * queries;
    int32_t low = 0x7fffffff, high = -1;
    for (int32_t t = t0; t < t1; ++t) {
      int32_t position = positions[t];
      int32_t from = p->window ? maximum(0, position - p->window + 1) : 0;
      low = minimum(low, from);
      high = maximum(high, position);
      const float *q = qkv + t * perToken + (int64_t)h * (queries + 2) * hd;
      for (int32_t g = 0; g < queries; ++g) {
        int32_t row = (t - t0) * queries + g;
        first[row] = from;
        last[row] = position;
        segmentMax[row] = totalMax[row] = -__builtin_inff();
        segmentSum[row] = totalSum[row] = 0.0f;
        for (int32_t d = 0; d < layout.width; d += 16) {
          store16(query + row * layout.width + d, load16(q + (int64_t)g * hd + d, maximum(0, minimum(16, hd - d))));
          store16(segment + row * layout.width + d, splat(0.0f));
          store16(total + row * layout.width + d, splat(0.0f));
        }
      }
    }
    for (int32_t base = low / (int32_t)kBlock * (int32_t)kBlock; base <= high; base += kBlock) {
      Groups groups;
      int32_t groupFrom = maximum(low - base, 0) / 16, groupTo = minimum((high - base) / 16 + 1, (int32_t)kBlock / 16);
      for (int32_t g = groupFrom; g < groupTo; ++g) {
        int32_t position = base + g * 16;
        int64_t page = table[position / p->page_tokens];
        groups.start[g] = ((page * p->kv_heads + h) * p->page_tokens + position % p->page_tokens) * hd;
      }
      block(rows, base, groups, groupFrom, groupTo);
      if ((base + kBlock) % kSegment == 0)
        mergeSegment(rows);
    }
    mergeSegment(rows);
    for (int32_t row = 0; row < rows; ++row) {
      int64_t to = (int64_t)(t0 + row / queries) * p->out_stride + ((int64_t)h * queries + row % queries) * hd;
      float sum = totalSum[row];
      for (int32_t d = 0; d < hd; d += 16)
        store16As(p->out_type, out, to + d, load16(total + row * layout.width + d) / sum, minimum(16, hd - d));
    }
    int32_t used = p->kv_heads * queries * hd;
    if (h == p->kv_heads - 1)
      for (int32_t t = t0; t < t1; ++t)
        for (int32_t c = used; c < p->out_stride; ++c)
          storeAs(p->out_type, out, (int64_t)t * p->out_stride + c, 0.0f);
  }
};

template <int CACHE>
INGOT_INLINE int32_t runAttention(const attention_params *p, void *const *buffers, const int64_t *symbols,
                                  uint32_t tile0, uint32_t tile1, void *scratch) {
  using A = Attention<CACHE>;
  A a;
  a.p = p;
  a.qkv = (const float *)buffers[0];
  a.keys = (const typename A::C *)buffers[1];
  a.values = (const typename A::C *)buffers[2];
  a.positions = (const int32_t *)buffers[3];
  const int32_t *starts = (const int32_t *)buffers[4];
  a.out = buffers[7];
  a.layout = attentionScratch(*p);
  a.carve((char *)scratch);
  int32_t all = (int32_t)symbols[p->tokens_symbol];
  int32_t sequences = (int32_t)symbols[p->sequences_symbol];
  int64_t blocks = symbols[p->blocks_symbol];
  const int32_t *tables = (const int32_t *)buffers[6] + p->group * sequences * blocks;
  const int32_t together = (int32_t)attentionTokens(p->q_per_kv);
  for (uint32_t tile = tile0; tile < tile1;) {
    int32_t h = (int32_t)(tile / (uint32_t)all), t = (int32_t)(tile % (uint32_t)all);
    int32_t sequence = sequenceOf(starts, sequences, t);
    int32_t end = minimum(minimum(all, starts[sequence + 1]), t + together);
    end = maximum(minimum(end, t + (int32_t)(tile1 - tile)), t + 1);
    a.tokens(h, t, end, tables + sequence * blocks);
    tile += (uint32_t)(end - t);
  }
  return 0;
}
} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(attention) {
  using namespace ingot::kernels;
  switch (p->cache_type) {
  case INGOT_F16:
    return runAttention<INGOT_F16>(p, buffers, symbols, tile0, tile1, scratch);
  case INGOT_BF16:
    return runAttention<INGOT_BF16>(p, buffers, symbols, tile0, tile1, scratch);
  default:
    return runAttention<INGOT_F32>(p, buffers, symbols, tile0, tile1, scratch);
  }
}
