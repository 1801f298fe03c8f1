// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attention without tensor cores (params.h states operands and formula; attention_units.h how a step is divided): every
// type of cache, every head size, in f32. For f32 caches, and for head sizes that do not divide into 16 bytes.
// Grid persistent, block 128. Shared: AttentionRowsShape. A tile has 16 rows; they share each block of 32
// positions:
//
//   scores  thread = (position of 32, rows 4w .. 4w + 3 of warp w): queries from shared memory, keys from memory, where
//           those of 16 tokens lie side by side
//   weights warp = 4 rows, lane = position: maxima and sums over the warp, online
//   acc     thread = elements e = thread, thread + 128, ... of [16 rows][head_dim]: in registers
//
// Everything accumulates in f32. A position that a row does not see enters none of its sums.
#ifndef INGOT_CUDA_DEVICE_ATTENTION_ROWS_H
#define INGOT_CUDA_DEVICE_ATTENTION_ROWS_H

#include "compiler/target/cuda/device/attention_units.h"

namespace ingot::device {

template <class P> struct AttentionRows {
  static constexpr int32_t hd = P::p.head_dim, cache = P::p.cache_type;
  static constexpr int32_t kThreads = 128;
  static constexpr int32_t elements = (kSimpleRows * hd + kThreads - 1) / kThreads; // of acc, of a thread
  static constexpr AttentionRowsShape layout = attentionRowsShape(P::p);
  const ingot_cuda_args &args;
  const AttentionOperands<P> &o;
  float *shared;

  // The last token's key and value as the cache will give them back, and their append.
  INGOT_DEVICE void takeNew(const AttentionUnit &u) const {
    const int32_t t = u.start + u.tokens - 1;
    float *fresh = shared + layout.fresh;
    const bool writes = appendsNew<P>(u);
    if (warp() == 0) {
      const TurnedHead<P> key = o.key(t, u.head);
      keep(fresh, fresh + 2 * hd, key);
      if (writes)
        appendHead<P, true>(o.planes, u.head, o.slots[t], key);
    } else if (warp() == 1) {
      const PlainHead value = o.value(t, u.head);
      keep(fresh + hd, fresh + 2 * hd + 1, value);
      if (writes)
        appendHead<P, false>(o.planes, u.head, o.slots[t], value);
    }
  }
  template <class Head> INGOT_DEVICE static void keep(float *to, float *scaleTo, const Head &head) {
    const CacheScale scale = cacheScale<cache, hd>(head);
    for (int32_t d = (int32_t)lane(); d < hd; d += 32) {
      const float x = head(d);
      if constexpr (cache == INGOT_I8)
        to[d] = (float)toInt8(x, scale.inverse);
      else if constexpr (cache == INGOT_BF16)
        to[d] = toFloat(toBf16(x));
      else if constexpr (cache == INGOT_F16)
        to[d] = toFloat(toF16(x));
      else
        to[d] = x;
    }
    if (lane() == 0)
      *scaleTo = scale.scale;
  }

  INGOT_DEVICE void operator()(const AttentionUnit &u) const {
    float *query = shared + layout.query, *weights = shared + layout.weights, *scalars = shared + layout.scalars;
    const float *fresh = shared + layout.fresh;
    const int32_t *table = o.tables + (int64_t)u.sequence * o.blocks;
    const bool hasNew = seesNew<P>(o, u);
    barrier(); // the unit before is done with shared memory
    for (int32_t r = (int32_t)warp(); r < u.rows; r += kThreads / 32) {
      const TurnedHead<P> head = o.query(tokenOf<P>(u, r), u.head, queryOf<P>(u, r));
      for (int32_t d = (int32_t)lane(); d < hd; d += 32)
        query[r * hd + d] = head(d);
    }
    if (hasNew)
      takeNew(u);
    // The rows of this warp.
    int32_t own[4], from[4], to[4];
    float most[4], sum[4];
    for (int32_t i = 0; i < 4; ++i) {
      const int32_t r = (int32_t)warp() * 4 + i;
      const int32_t position = r < u.rows ? o.positions[tokenOf<P>(u, r)] : -1;
      own[i] = position;
      from[i] = position < 0 ? 0 : greater(firstSeen<P>(position), u.low);
      to[i] = lesser(position, u.high);
      most[i] = -infinity();
      sum[i] = 0.0f;
    }
    float acc[elements];
    int32_t row[elements], accFrom[elements], accTo[elements];
    for (int32_t e = 0; e < elements; ++e) {
      acc[e] = 0.0f;
      row[e] = (e * kThreads + (int32_t)thread()) / hd;
      const int32_t position = row[e] < u.rows ? o.positions[tokenOf<P>(u, row[e])] : -1;
      accFrom[e] = position < 0 ? 0 : greater(firstSeen<P>(position), u.low);
      accTo[e] = lesser(position, u.high);
    }
    barrier();

    for (int32_t base = u.low / kSimplePositions * kSimplePositions; base <= u.high; base += kSimplePositions) {
      const int32_t position = base + (int32_t)lane();
      float score[4] = {0.0f, 0.0f, 0.0f, 0.0f};
      float keyScale = 1.0f, valueScale = 1.0f;
      if (position <= u.high && position >= u.low) {
        const bool isNew = hasNew && position == u.high;
        const int64_t token = headOfPage<P>(table[position / P::p.page_tokens], u.head) + position % P::p.page_tokens;
        const int64_t keys = (token - position % 16) * hd + position % 16;
        if constexpr (cache == INGOT_I8) {
          keyScale = isNew ? fresh[2 * hd] : o.planes.keyScales[token];
          valueScale = isNew ? fresh[2 * hd + 1] : o.planes.valueScales[token];
        }
        for (int32_t d = 0; d < hd; ++d) {
          const float k = isNew ? fresh[d] : loadAs<cache>(o.planes.keys, keys + (int64_t)d * 16);
          for (int32_t i = 0; i < 4; ++i)
            if ((int32_t)warp() * 4 + i < u.rows)
              score[i] = fma(query[((int32_t)warp() * 4 + i) * hd + d], k, score[i]);
        }
      }
      for (int32_t i = 0; i < 4; ++i) {
        const int32_t r = (int32_t)warp() * 4 + i;
        if (r >= u.rows)
          break;
        const bool seen = position >= from[i] && position <= to[i];
        float x = score[i] * keyScale * P::p.scale;
        if constexpr (P::p.soft_cap != 0.0f)
          x = softCap(x, P::p.soft_cap);
        if constexpr (P::p.distances != 0)
          x += distanceBias<P>(o.biasesOf(u.head, queryOf<P>(u, r)), own[i], position);
        x = seen ? x * 1.4426950408889634f : -infinity(); // in powers of two from here on
        const float top = largestOverWarp(x > most[i] ? x : most[i]);
        const float origin = top == -infinity() ? 0.0f : top;
        const float w = seen ? exp2Fast(x - origin) : 0.0f, correction = exp2Fast(most[i] - origin);
        sum[i] = fma(sum[i], correction, sumOverWarp(w));
        most[i] = top;
        weights[r * kSimplePositions + (int32_t)lane()] = w * valueScale;
        if (lane() == 0)
          scalars[r] = correction;
      }
      barrier();
      for (int32_t e = 0; e < elements; ++e)
        if (row[e] < u.rows)
          acc[e] *= scalars[row[e]];
      for (int32_t i = 0; i < kSimplePositions; ++i) {
        const int32_t at = base + i;
        if (at > u.high)
          break;
        if (at < u.low)
          continue;
        const bool isNew = hasNew && at == u.high;
        const int64_t values = (headOfPage<P>(table[at / P::p.page_tokens], u.head) + at % P::p.page_tokens) * hd;
        for (int32_t e = 0; e < elements; ++e)
          if (at >= accFrom[e] && at <= accTo[e]) {
            const int32_t d = (e * kThreads + (int32_t)thread()) % hd;
            const float v = isNew ? fresh[hd + d] : loadAs<cache>(o.planes.values, values + d);
            acc[e] = fma(weights[row[e] * kSimplePositions + i], v, acc[e]);
          }
      }
      barrier();
    }

    for (int32_t i = 0; i < 4; ++i)
      if (const int32_t r = (int32_t)warp() * 4 + i; r < u.rows && lane() == 0) {
        scalars[kSimpleRows + r] = sum[i];
        scalars[2 * kSimpleRows + r] = most[i];
      }
    barrier();
    if (u.splits == 1) {
      for (int32_t e = 0; e < elements; ++e)
        if (row[e] < u.rows)
          storeAs<P::p.out_type>(o.out, outOf<P>(u, row[e]) + (e * kThreads + (int32_t)thread()) % hd,
                                 divide(acc[e], scalars[kSimpleRows + row[e]]));
    } else {
      constexpr AttentionStates s = attentionStates(P::p, kSimpleRows);
      float *state = stateOf<P, kSimpleRows>(args, u);
      for (int32_t e = 0; e < elements; ++e)
        if (row[e] < u.rows)
          state[row[e] * s.row() + 2 + (e * kThreads + (int32_t)thread()) % hd] = acc[e];
      for (int32_t r = (int32_t)thread(); r < u.rows; r += kThreads) {
        state[r * s.row()] = scalars[2 * kSimpleRows + r];
        state[r * s.row() + 1] = scalars[kSimpleRows + r];
      }
      mergeStates<P, kSimpleRows>(args, o, u, weights);
    }
    zeroPadding<P>(o, u);
  }
};

template <class P> INGOT_DEVICE void attentionRows(const ingot_cuda_args &args) {
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const AttentionOperands<P> o(args);
  float *shared = (float *)sharedMemory();
  const AttentionRows<P> rows{args, o, shared};
  AttentionUnits<P, kSimpleRows>::forEach(o, (int32_t *)(shared + attentionRowsShape(P::p).ends), rows);
}

} // namespace ingot::device

#endif
