// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How attention divides a step among blocks, whatever its arithmetic. The query heads of a sequence's tokens that read
// one kv head are its rows: row r is query r % q_per_kv of token r / q_per_kv. Rows go in tiles of `tileRows`:
//
//   unit = (sequence, tile of rows, kv head, split of the positions)
//
// Positions are split only where a sequence has one token, so where rows are few and contexts long: into pieces of
// 128 * 2^j positions, the least j with at most `mostSplits` pieces. That depends on the context alone; so what a
// sequence gets depends neither on the grid nor on its company. The pieces of a tile leave their states in the
// workspace, and the block that ends last merges them in ascending order.
//
// The grid is persistent: block b takes units b, b + grid, ... It finds them by counting, 128 sequences at a time, so
// that any number of sequences fits.
//
// Workspace: u32 counters[kCounters] (zero between launches), then the states of pieces, f32
//   [sequence][kv head][tile of a token's rows][piece][rows of the tile][2 + width]: most, sum, acc[width].
#ifndef INGOT_CUDA_DEVICE_ATTENTION_UNITS_H
#define INGOT_CUDA_DEVICE_ATTENTION_UNITS_H

#include "compiler/target/cuda/device/attention_shape.h"
#include "compiler/target/cuda/device/cache.h"

namespace ingot::device {

// The operands of a launch.
template <class P> struct AttentionOperands {
  const float *qkv, *angles, *qNorm, *kNorm, *biases;
  const int32_t *slots, *positions, *starts, *tables;
  CachePlanes planes;
  void *out;
  int32_t sequences;
  int64_t blocks; // columns of the block table

  INGOT_DEVICE explicit AttentionOperands(const ingot_cuda_args &args) {
    constexpr auto p = P::p;
    constexpr int32_t first = p.qk_norm ? 5 : 3, rest = first + planeCount<P>();
    const int64_t tokens = args.symbols[p.tokens_symbol];
    sequences = (int32_t)args.symbols[p.sequences_symbol];
    blocks = args.symbols[p.blocks_symbol];
    qkv = (const float *)args.buffers[0];
    angles = (const float *)args.buffers[1];
    slots = (const int32_t *)args.buffers[2] + p.group * tokens;
    qNorm = p.qk_norm ? (const float *)args.buffers[3] : nullptr;
    kNorm = p.qk_norm ? (const float *)args.buffers[4] : nullptr;
    planes = planesAt<P>(args, first);
    positions = (const int32_t *)args.buffers[rest];
    starts = (const int32_t *)args.buffers[rest + 1];
    tables = (const int32_t *)args.buffers[rest + 3] + (int64_t)p.group * sequences * blocks;
    biases = p.distances ? (const float *)args.buffers[rest + 4] : nullptr;
    out = args.buffers[rest + 5 + (p.distances != 0)]; // before it: the partials of a CPU
  }
  // Head `which` of a token among those of kv head h: a query, q_per_kv the key, q_per_kv + 1 the value.
  INGOT_DEVICE const float *head(int32_t t, int32_t h, int32_t which) const {
    return qkv + (((int64_t)t * P::p.kv_heads + h) * (P::p.q_per_kv + (P::p.queries_only ? 0 : 2)) + which) * P::p.head_dim;
  }
  INGOT_DEVICE TurnedHead<P> query(int32_t t, int32_t h, int32_t g) const {
    return TurnedHead<P>(head(t, h, g), qNorm, angles + (int64_t)t * P::p.rotary_dim);
  }
  INGOT_DEVICE TurnedHead<P> key(int32_t t, int32_t h) const {
    return TurnedHead<P>(head(t, h, P::p.q_per_kv), kNorm, angles + (int64_t)t * P::p.rotary_dim);
  }
  // The biases of query g of kv head h, by distance; null where there are none.
  INGOT_DEVICE const float *biasesOf(int32_t h, int32_t g) const {
    return P::p.distances ? biases + ((int64_t)h * P::p.q_per_kv + g) * P::p.distances : nullptr;
  }
  INGOT_DEVICE PlainHead value(int32_t t, int32_t h) const { return {head(t, h, P::p.q_per_kv + 1)}; }
};

template <class P> INGOT_DEVICE int32_t firstSeen(int32_t position) {
  return P::p.window ? greater(0, position - P::p.window + 1) : 0;
}

// The bias of the score that a query at position `own` gives to another; 0 where there are none.
template <class P> INGOT_DEVICE float distanceBias(const float *biases, int32_t own, int32_t position) {
  if constexpr (P::p.distances != 0)
    return biases[lesser(greater(own - position, 0), P::p.distances - 1)];
  return 0.0f;
}

// One piece of work.
struct AttentionUnit {
  int32_t sequence, start, tokens; // the sequence's tokens: [start, start + tokens)
  int32_t row0, rows;              // rows of the tile, counted from the sequence's first
  int32_t tile, head, split, splits;
  int32_t low, high;   // positions of this piece
  int32_t first, last; // tokens that have rows in the tile
};

template <class P, int tileRows> struct AttentionUnits {
  // What a sequence has.
  struct Sequence {
    int32_t start, tokens, tiles, splits, size;
    INGOT_DEVICE int32_t units() const { return tiles * P::p.kv_heads * splits; }
  };
  INGOT_DEVICE static Sequence look(const AttentionOperands<P> &o, int32_t s) {
    Sequence q;
    q.start = o.starts[s];
    q.tokens = o.starts[s + 1] - q.start;
    q.tiles = (q.tokens * P::p.q_per_kv + tileRows - 1) / tileRows;
    q.splits = 1;
    q.size = 0;
    if (q.tokens == 1 && (s + 1) * P::p.kv_heads * q.tiles <= kAttentionCounters) {
      const int32_t position = o.positions[q.start];
      const int32_t span = position - firstSeen<P>(position) / kAttentionAlign * kAttentionAlign + 1;
      q.size = kLeastSplit;
      while ((span + q.size - 1) / q.size > attentionSplits(P::p))
        q.size *= 2;
      q.splits = (span + q.size - 1) / q.size;
    }
    return q;
  }

  // Calls work(unit) for every unit of this block. All threads of the block call, and take part in each. `ends` is
  // shared memory for kSequencesAtOnce + 32 words.
  template <class Work> INGOT_DEVICE static void forEach(const AttentionOperands<P> &o, int32_t *ends, Work work) {
    static_assert(kSequencesAtOnce == 128);
    int32_t next = (int32_t)blockX(), before = 0;
    for (int32_t from = 0; from < o.sequences; from += kSequencesAtOnce) {
      const int32_t here = lesser(kSequencesAtOnce, o.sequences - from), mine = (int32_t)thread();
      int32_t count = 0;
      if (mine < here)
        count = look(o, from + mine).units();
      for (uint32_t delta = 1; delta < 32; delta *= 2) {
        const int32_t below = shuffleUp(count, delta);
        count += lane() >= delta ? below : 0;
      }
      barrier(); // nobody looks at the sequences before any more
      if (lane() == 31 && mine < kSequencesAtOnce)
        ends[kSequencesAtOnce + warp()] = count;
      barrier();
      if (mine < kSequencesAtOnce) {
        for (uint32_t w = 0; w < warp(); ++w)
          count += ends[kSequencesAtOnce + w];
        ends[mine] = before + count;
      }
      barrier();
      const int32_t all = ends[kSequencesAtOnce - 1];
      for (; next < all; next += (int32_t)gridX()) {
        int32_t low = 0, high = here - 1; // the first sequence that ends past `next`
        while (low < high) {
          const int32_t middle = (low + high) / 2;
          if (ends[middle] > next)
            high = middle;
          else
            low = middle + 1;
        }
        const Sequence q = look(o, from + low);
        const int32_t at = next - (low > 0 ? ends[low - 1] : before);
        AttentionUnit u;
        u.sequence = from + low;
        u.start = q.start;
        u.tokens = q.tokens;
        u.splits = q.splits;
        u.split = at % q.splits;
        u.head = at / q.splits % P::p.kv_heads;
        u.tile = q.tiles - 1 - at / q.splits / P::p.kv_heads; // late ones see most, and go first
        u.row0 = u.tile * tileRows;
        u.rows = lesser(tileRows, q.tokens * P::p.q_per_kv - u.row0);
        u.first = q.start + u.row0 / P::p.q_per_kv;
        u.last = q.start + (u.row0 + u.rows - 1) / P::p.q_per_kv;
        u.low = firstSeen<P>(o.positions[u.first]);
        u.high = o.positions[u.last];
        if (q.splits > 1) {
          const int32_t base = u.low / kAttentionAlign * kAttentionAlign + u.split * q.size;
          u.low = greater(u.low, base);
          u.high = lesser(u.high, base + q.size - 1);
        }
        work(u);
      }
      before = all;
    }
  }
};

// Whether this unit reads the sequence's last position, and whether it is the one that appends its key and value. Of a
// token that has a negative slot the cache holds both already.
template <class P> INGOT_DEVICE bool seesNew(const AttentionOperands<P> &o, const AttentionUnit &u) {
  if (P::p.queries_only)
    return false;
  const int32_t t = u.start + u.tokens - 1;
  return u.last == t && u.high == o.positions[t] && o.slots[t] >= 0;
}
template <class P> INGOT_DEVICE bool appendsNew(const AttentionUnit &u) {
  return u.row0 + u.rows == u.tokens * P::p.q_per_kv; // beside seesNew
}

// Row r of the tile: its token and query.
template <class P> INGOT_DEVICE int32_t tokenOf(const AttentionUnit &u, int32_t r) {
  return u.start + (u.row0 + r) / P::p.q_per_kv;
}
template <class P> INGOT_DEVICE int32_t queryOf(const AttentionUnit &u, int32_t r) {
  return (u.row0 + r) % P::p.q_per_kv;
}
// Element 0 of a row in `out`.
template <class P> INGOT_DEVICE int64_t outOf(const AttentionUnit &u, int32_t r) {
  return (int64_t)tokenOf<P>(u, r) * P::p.out_stride +
         ((int64_t)u.head * P::p.q_per_kv + queryOf<P>(u, r)) * P::p.head_dim;
}

// Zeroes the columns past the heads, of tokens whose last row is in the tile. One unit of each tile does.
template <class P> INGOT_DEVICE void zeroPadding(const AttentionOperands<P> &o, const AttentionUnit &u) {
  constexpr int32_t used = P::p.kv_heads * P::p.q_per_kv * P::p.head_dim, more = P::p.out_stride - used;
  if constexpr (more > 0) {
    if (u.head != P::p.kv_heads - 1 || u.split != 0)
      return;
    const int32_t end = u.start + (u.row0 + u.rows) / P::p.q_per_kv; // the tokens [first, end)
    for (int32_t i = (int32_t)thread(); i < (end - u.first) * more; i += (int32_t)threads())
      storeAs<P::p.out_type>(o.out, (int64_t)(u.first + i / more) * P::p.out_stride + used + i % more, 0.0f);
  }
}

// --- States of pieces ---

template <class P, int tileRows> INGOT_DEVICE float *stateOf(const ingot_cuda_args &args, const AttentionUnit &u) {
  constexpr AttentionStates s = attentionStates(P::p, tileRows);
  const int64_t tile = ((int64_t)u.sequence * P::p.kv_heads + u.head) * s.tiles + u.tile;
  return (float *)((char *)args.workspace + kCounterBytes) + (tile * s.splits + u.split) * s.floats();
}
template <class P, int tileRows> INGOT_DEVICE uint32_t *counterOf(const ingot_cuda_args &args, const AttentionUnit &u) {
  constexpr AttentionStates s = attentionStates(P::p, tileRows);
  return (uint32_t *)args.workspace + ((int64_t)u.sequence * P::p.kv_heads + u.head) * s.tiles + u.tile;
}

// After a block has left a piece's state: the last block of the tile merges them into `out` and sets the counter back.
// All threads of the block call, and meet at a barrier before they use `shared` again: splits * rows + 1 words.
template <class P, int tileRows>
INGOT_DEVICE void mergeStates(const ingot_cuda_args &args, const AttentionOperands<P> &o, const AttentionUnit &u,
                              float *shared) {
  constexpr AttentionStates s = attentionStates(P::p, tileRows);
  constexpr int32_t hd = P::p.head_dim;
  int32_t *arrived = (int32_t *)shared;
  float *weights = shared + 1;
  fence();
  barrier();
  if (thread() == 0) {
    uint32_t *counter = counterOf<P, tileRows>(args, u);
    const bool all = atomicAddGlobal(counter, 1) == (uint32_t)u.splits - 1;
    if (all)
      *counter = 0;
    *arrived = all;
  }
  barrier();
  const bool last = *arrived != 0;
  if (last) {
    fence();
    AttentionUnit piece = u;
    piece.split = 0;
    const float *states = stateOf<P, tileRows>(args, piece);
    // weights[row][split]: exp of the piece's most less the largest, over the sum of all.
    for (int32_t r = (int32_t)warp(); r < u.rows; r += (int32_t)threads() / 32) {
      const float *row = states + r * s.row();
      float most = -infinity();
      for (int32_t i = (int32_t)lane(); i < u.splits; i += 32) {
        const float here = loadCoherent(row + i * s.floats());
        most = here > most ? here : most;
      }
      most = largestOverWarp(most);
      float sum = 0.0f;
      for (int32_t i = (int32_t)lane(); i < u.splits; i += 32) {
        const float w = exp2Fast(loadCoherent(row + i * s.floats()) - most);
        weights[r * u.splits + i] = w;
        sum = fma(w, loadCoherent(row + i * s.floats() + 1), sum);
      }
      const float inverse = divide(1.0f, sumOverWarp(sum));
      barrierWarp();
      for (int32_t i = (int32_t)lane(); i < u.splits; i += 32)
        weights[r * u.splits + i] = multiply(weights[r * u.splits + i], inverse);
    }
    barrier();
    for (int32_t i = (int32_t)thread(); i < u.rows * hd; i += (int32_t)threads()) {
      const int32_t r = i / hd, d = i % hd;
      float total = 0.0f;
      for (int32_t piece = 0; piece < u.splits; ++piece)
        total =
            fma(weights[r * u.splits + piece], loadCoherent(states + piece * s.floats() + r * s.row() + 2 + d), total);
      storeAs<P::p.out_type>(o.out, outOf<P>(u, r) + d, total);
    }
  }
}

// cap * tanh(x / cap), by tanh(y) = 1 - 2 / (exp(2y) + 1): off by at most 3 units of the last place of 1, times cap.
INGOT_DEVICE float softCap(float x, float cap) {
  const float e = exp2Fast(x * (2.885390081777927f / cap)); // 2 log2(e)
  return cap * (1.0f - divide(2.0f, e + 1.0f));
}

} // namespace ingot::device

#endif
