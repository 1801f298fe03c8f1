// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sdpa: attention over given keys and values, in f32 (params.h states operands and formula). Grid persistent, block
// 128. Shared: SdpaShape. A unit is (batch, kv head, 16 rows), a row a query head of a query; rows of a unit share each
// block of 32 keys:
//
//   keys    all threads copy the block's keys to shared memory, a row of it to an odd number of words
//   scores  thread = (key of 32, rows 4w .. 4w + 3 of warp w)
//   weights warp = 4 rows, lane = key: maxima and sums over the warp, online
//   acc     thread = elements e = thread, thread + 128, ... of [16 rows][value_dim]: in registers
//
// A key that a row does not see enters none of its sums. With starts each sequence is a batch with as many queries and
// keys as it has rows.
#ifndef INGOT_CUDA_DEVICE_SDPA_H
#define INGOT_CUDA_DEVICE_SDPA_H

#include "compiler/target/cuda/device/attention_units.h"
#include "compiler/target/cuda/device/sdpa_shape.h"

namespace ingot::device {

template <class P> struct Sdpa {
  static constexpr auto p = P::p;
  static constexpr int32_t depth = p.head_dim, width = p.value_dim, perKv = p.q_per_kv, heads = p.kv_heads * perKv;
  static constexpr int32_t kThreads = 128;
  static constexpr int32_t elements = (kSdpaRows * width + kThreads - 1) / kThreads; // of acc, of a thread
  static constexpr SdpaShape layout = sdpaShape(p);
  const float *query, *key, *value, *bias;
  const int32_t *lengths, *places;
  float *out;
  int64_t queries, keys; // of the batch, or of the sequence at hand
  int64_t biasRows, biasColumns;
  float *shared;

  struct Range {
    int32_t from, to; // keys seen, `to` inclusive
  };
  INGOT_DEVICE Range seen(int64_t b, int64_t row) const {
    const int64_t at = row / perKv + keys - queries;
    int64_t low = 0, high = keys;
    if constexpr (p.lengths != 0)
      high = lengths[b] < high ? lengths[b] : high;
    if constexpr (p.causal != 0)
      high = at + 1 < high ? at + 1 : high;
    if constexpr (p.window != 0) {
      low = at - p.window + 1 > 0 ? at - p.window + 1 : 0;
      high = at + p.window < high ? at + p.window : high;
    }
    return {(int32_t)low, (int32_t)(high > 0 ? high - 1 : -1)};
  }
  INGOT_DEVICE static int64_t headOf(int64_t g, int64_t row) { return g * perKv + row % perKv; }

  // Where a bias stands of a row of the sequence.
  INGOT_DEVICE int64_t placeOf(int64_t row) const {
    if constexpr (p.places != 0)
      return places[row];
    else
      return row;
  }
  INGOT_DEVICE float biasOf(int64_t b, int64_t g, int64_t row, int64_t t) const {
    const int64_t line = ((p.bias_batch ? b : 0) * (p.bias_heads ? heads : 1) + (p.bias_heads ? headOf(g, row) : 0)) *
                             (p.bias_queries ? biasRows : 1) +
                         (p.bias_queries ? placeOf(row / perKv) : 0);
    return bias[line * (p.bias_keys ? biasColumns : 1) + (p.bias_keys ? placeOf(t) : 0)];
  }

  // Rows [row0, row0 + rows) of those that read kv head g of batch b.
  INGOT_DEVICE void unit(int64_t b, int64_t g, int64_t row0, int32_t rows) const {
    float *queryRows = shared + layout.query, *keyRows = shared + layout.key, *weights = shared + layout.weights;
    float *scalars = shared + layout.scalars;
    barrier(); // the unit before is done with shared memory
    for (int32_t r = (int32_t)warp(); r < rows; r += kThreads / 32) {
      const int64_t row = row0 + r;
      const float *in = query + ((b * queries + row / perKv) * heads + headOf(g, row)) * depth;
      for (int32_t d = (int32_t)lane(); d < depth; d += 32)
        queryRows[r * depth + d] = in[d];
    }
    Range range[4]; // of the rows of this warp
    float most[4], sum[4];
    for (int32_t i = 0; i < 4; ++i) {
      const int32_t r = (int32_t)warp() * 4 + i;
      range[i] = r < rows ? seen(b, row0 + r) : Range{0, -1};
      most[i] = -infinity();
      sum[i] = 0.0f;
    }
    float acc[elements];
    for (int32_t e = 0; e < elements; ++e)
      acc[e] = 0.0f;
    // Both ends ascend with the row.
    const int32_t low = seen(b, row0).from, high = seen(b, row0 + rows - 1).to;
    for (int32_t base = low / kSdpaKeys * kSdpaKeys; base <= high; base += kSdpaKeys) {
      const int32_t count = lesser(kSdpaKeys, high + 1 - base);
      for (int32_t i = (int32_t)thread(); i < count * depth; i += kThreads)
        keyRows[i / depth * layout.keyStride + i % depth] =
            key[((b * keys + base + i / depth) * p.kv_heads + g) * depth + i % depth];
      barrier();
      float score[4] = {0.0f, 0.0f, 0.0f, 0.0f};
      if ((int32_t)lane() < count)
        for (int32_t d = 0; d < depth; ++d) {
          const float k = keyRows[(int32_t)lane() * layout.keyStride + d];
          for (int32_t i = 0; i < 4; ++i)
            if ((int32_t)warp() * 4 + i < rows)
              score[i] = fma(queryRows[((int32_t)warp() * 4 + i) * depth + d], k, score[i]);
        }
      const int32_t position = base + (int32_t)lane();
      for (int32_t i = 0; i < 4; ++i) {
        const int32_t r = (int32_t)warp() * 4 + i;
        if (r >= rows)
          break;
        const bool sees = position >= range[i].from && position <= range[i].to;
        float x = multiply(score[i], p.scale);
        if constexpr (p.soft_cap != 0.0f)
          x = softCap(x, p.soft_cap);
        if constexpr (p.bias != 0)
          x = sees ? add(x, biasOf(b, g, row0 + r, position)) : x;
        x = sees ? x : -infinity();
        const float top = largestOverWarp(x > most[i] || x != x ? x : most[i]);
        // Differences come first: the lowest masks times log2(e) would be infinite.
        const float origin = top == -infinity() ? 0.0f : top;
        const float w = sees ? exp2Fast((x - origin) * kLog2E) : 0.0f;
        const float correction = exp2Fast((most[i] - origin) * kLog2E);
        sum[i] = fma(sum[i], correction, sumOverWarp(w));
        most[i] = top;
        weights[r * kSdpaKeys + (int32_t)lane()] = w;
        if (lane() == 0)
          scalars[r] = correction;
      }
      barrier();
      for (int32_t e = 0; e < elements; ++e) {
        const int32_t r = (e * kThreads + (int32_t)thread()) / width,
                      column = (e * kThreads + (int32_t)thread()) % width;
        if (r >= rows)
          break;
        const Range of = seen(b, row0 + r);
        acc[e] = multiply(acc[e], scalars[r]);
        const int32_t last = lesser(of.to, base + count - 1);
        for (int32_t t = greater(of.from, base); t <= last; ++t)
          acc[e] =
              fma(weights[r * kSdpaKeys + t - base], value[((b * keys + t) * p.kv_heads + g) * width + column], acc[e]);
      }
      barrier();
    }
    for (int32_t i = 0; i < 4; ++i)
      if (const int32_t r = (int32_t)warp() * 4 + i; r < rows && lane() == 0)
        scalars[kSdpaRows + r] = sum[i];
    barrier();
    for (int32_t e = 0; e < elements; ++e) {
      const int32_t r = (e * kThreads + (int32_t)thread()) / width, column = (e * kThreads + (int32_t)thread()) % width;
      if (r >= rows)
        break;
      const int64_t row = row0 + r;
      const float total = scalars[kSdpaRows + r];
      out[((b * queries + row / perKv) * heads + headOf(g, row)) * width + column] =
          total == 0.0f ? 0.0f : divide(acc[e], total);
    }
  }

  // Units of the sequences one behind another, `step` apart from unit `first` on; starts[count].
  INGOT_DEVICE static void units(const Sdpa &all, const int32_t *starts, int64_t count, int64_t first, int64_t step) {
    Sdpa own = all;
    int64_t r = 0, before = 0; // units of the sequences before r
    for (int64_t unit = first;; unit += step) {
      int64_t begin, rows, tiles;
      for (;; ++r) {
        if (r + 1 >= count)
          return;
        begin = starts[r];
        rows = (starts[r + 1] - begin) * perKv;
        tiles = (rows + kSdpaRows - 1) / kSdpaRows;
        if (unit < before + tiles * p.kv_heads)
          break;
        before += tiles * p.kv_heads;
      }
      own.queries = own.keys = rows / perKv;
      own.query = all.query + begin * heads * depth;
      own.key = all.key + begin * p.kv_heads * depth;
      own.value = all.value + begin * p.kv_heads * width;
      own.out = all.out + begin * heads * width;
      if constexpr (p.places != 0)
        own.places = all.places + begin;
      const int64_t row0 = (unit - before) % tiles * kSdpaRows;
      own.unit(0, (unit - before) / tiles, row0, (int32_t)(rows - row0 < kSdpaRows ? rows - row0 : kSdpaRows));
    }
  }

  static constexpr float kLog2E = 1.4426950408889634f;
};

template <class P> INGOT_DEVICE void scaledDotProduct(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t batch = args.symbols[p.batch_symbol], queries = args.symbols[p.queries_symbol];
  const int64_t keys = args.symbols[p.keys_symbol];
  constexpr int32_t kLengths = 3 + p.bias, kStarts = kLengths + p.lengths, kPlaces = kStarts + p.starts;
  const Sdpa<P> sdpa{(const float *)args.buffers[0],
                     (const float *)args.buffers[1],
                     (const float *)args.buffers[2],
                     p.bias ? (const float *)args.buffers[3] : nullptr,
                     p.lengths ? (const int32_t *)args.buffers[kLengths] : nullptr,
                     p.places ? (const int32_t *)args.buffers[kPlaces] : nullptr,
                     (float *)args.buffers[kPlaces + p.places],
                     queries,
                     keys,
                     queries,
                     keys,
                     (float *)sharedMemory()};
  if constexpr (p.starts != 0) {
    Sdpa<P>::units(sdpa, (const int32_t *)args.buffers[kStarts], batch, blockX(), gridX());
    return;
  }
  const int64_t rows = queries * p.q_per_kv, tiles = (rows + kSdpaRows - 1) / kSdpaRows;
  for (int64_t unit = blockX(); unit < batch * p.kv_heads * tiles; unit += gridX()) {
    const int64_t row0 = unit % tiles * kSdpaRows;
    sdpa.unit(unit / tiles / p.kv_heads, unit / tiles % p.kv_heads, row0,
              (int32_t)(rows - row0 < kSdpaRows ? rows - row0 : kSdpaRows));
  }
}

} // namespace ingot::device

#endif
