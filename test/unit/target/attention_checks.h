// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of rope_append, attention and attention_merge (checks.h): a model of a paged cache with pages in scrambled
// order and sequences mixed in one step, and softmax in f64 over keys and values kept beside (of int8: over what the
// cache holds, which is compared by itself).
#ifndef INGOT_TEST_UNIT_TARGET_ATTENTION_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_ATTENTION_CHECKS_H

#include "compiler/target/cpu/kernels/scratch.h"
#include "test/unit/target/checks.h"
#include <algorithm>
#include <gtest/gtest.h>

namespace ingot::test {

// Parameters of attention, by short names.
struct AttentionShape {
  int kvHeads, queries, hd, rotary, page, cache, norm, window, out, stride, distances;
  double eps, scale, cap;
  explicit AttentionShape(const TestKernel &attention)
      : kvHeads(attention.integer("kv_heads")), queries(attention.integer("q_per_kv")),
        hd(attention.integer("head_dim")), rotary(attention.integer("rotary_dim")),
        page(attention.integer("page_tokens")), cache(attention.integer("cache_type")),
        norm(attention.integer("qk_norm")), window(attention.integer("window")), out(attention.integer("out_type")),
        stride(attention.integer("out_stride")), distances(attention.integer("distances")), eps(attention.real("eps")), scale(attention.real("scale")),
        cap(attention.real("soft_cap")) {}
  int perToken() const { return kvHeads * (queries + 2) * hd; }
  bool int8() const { return cache == INGOT_I8; }
  size_t pageBytes() const { return static_cast<size_t>(kvHeads) * page * hd * (int8() ? 1 : bytesOf(cache)); }
  size_t scaleBytes() const { return int8() ? static_cast<size_t>(kvHeads) * page * 4 : 0; }
  // Bytes of partials for so many blocks, as the plan has them.
  size_t partialBytes(int blocks) const {
    return static_cast<size_t>(ingot::kernels::partialBytes({roundUp(hd, 16), queries}, page)) * blocks;
  }
};

// The three kernels of one layer, and how they are run. Operands of a product may be 16-bit floats of `products`:
// queries and weights are rounded then (kF32: not).
struct Layer {
  const TestKernel *append, *attention, *merge;
  Run run;
  int products = kF32;
  bool exact = true; // what a token gets does not depend, to the bit, on which tokens share its step
};

// One sequence's tokens in a step: positions [from, to).
struct Piece {
  int sequence, from, to;
};

// A cache with pages handed out in scrambled order, and what every sequence's tokens hold before norms and rope.
class AttentionModel {
public:
  AttentionModel(const Layer &layer, std::vector<int> lengths)
      : layer(layer), s(*layer.attention), lengths(lengths),
        blocks((*std::max_element(lengths.begin(), lengths.end()) + s.page - 1) / s.page + 1),
        pages(static_cast<int>(lengths.size()) * blocks + 3), keys(pages * s.pageBytes()),
        values(pages * s.pageBytes()), keyScales(pages * s.scaleBytes()), valueScales(pages * s.scaleBytes()),
        qNorm(s.hd * 4), kNorm(s.hd * 4), biases(static_cast<size_t>(s.kvHeads) * s.queries * s.distances * 4) {
    std::vector<int> order(static_cast<size_t>(pages));
    for (int i = 0; i < pages; ++i)
      order[i] = i;
    Numbers numbers(17);
    for (int i = pages - 1; i > 0; --i)
      std::swap(order[i], order[numbers.below(i + 1)]);
    tables.resize(lengths.size());
    for (size_t i = 0; i < lengths.size(); ++i)
      tables[i].assign(order.begin() + static_cast<long>(i) * blocks,
                       order.begin() + static_cast<long>(i + 1) * blocks);
    numbers = Numbers(18); // the same gammas however many pages there are
    for (int d = 0; d < s.hd; ++d) {
      qNorm.as<float>()[d] = static_cast<float>(1.0 + 0.5 * numbers.next());
      kNorm.as<float>()[d] = static_cast<float>(1.0 + 0.5 * numbers.next());
    }
    for (int i = 0; i < s.kvHeads * s.queries * s.distances; ++i)
      biases.as<float>()[i] = static_cast<float>(3 * numbers.next());
  }

  // q, k, v of a token, the same whenever it is asked for. Scaled so that attention is peaked.
  std::vector<float> token(int sequence, int position) const {
    Numbers numbers(static_cast<uint64_t>(sequence) * 1000003 + static_cast<uint64_t>(position) * 7 + 5);
    std::vector<float> v(static_cast<size_t>(s.perToken()));
    for (float &x : v)
      x = static_cast<float>(numbers.next() * 2.5);
    if (position == infinite) // the first two columns of the first head's value
      for (int d = 0; d < 2; ++d)
        v[static_cast<size_t>((s.queries + 1) * s.hd + d)] = d ? INFINITY : NAN;
    return v;
  }
  std::vector<float> angles(int position) const {
    std::vector<float> v(static_cast<size_t>(s.rotary));
    for (int i = 0; i < s.rotary / 2; ++i) {
      double angle = position * std::pow(10000.0, -2.0 * i / s.rotary);
      v[i] = static_cast<float>(std::cos(angle));
      v[s.rotary / 2 + i] = static_cast<float>(std::sin(angle));
    }
    return v;
  }

  // One step over pieces; returns rows of `out` in the order of tokens. Nothing is appended where `keep` is set.
  // Without `attend` only rope_append is run, so that the last token of each piece is not appended.
  Buffer step(const std::vector<Piece> &pieces, uint32_t split, bool keep = false, bool attend = true) {
    std::vector<int32_t> positions, starts = {0}, contexts, slots;
    std::vector<float> qkv, cosSin;
    std::vector<int32_t> table;
    for (const Piece &piece : pieces) {
      for (int position = piece.from; position < piece.to; ++position) {
        positions.push_back(position);
        slots.push_back(keep ? -1 - position : tables[piece.sequence][position / s.page] * s.page + position % s.page);
        std::vector<float> t = token(piece.sequence, position), a = angles(position);
        qkv.insert(qkv.end(), t.begin(), t.end());
        cosSin.insert(cosSin.end(), a.begin(), a.end());
      }
      starts.push_back(static_cast<int32_t>(positions.size()));
      contexts.push_back(piece.to);
      table.insert(table.end(), tables[piece.sequence].begin(), tables[piece.sequence].end());
    }
    int tokens = static_cast<int>(positions.size()), sequences = static_cast<int>(pieces.size());
    std::vector<int64_t> symbols = {tokens, sequences, blocks};
    cosSin.push_back(0); // never empty
    std::vector<Operand> planes = {keys, values};
    if (s.int8()) {
      planes.push_back(keyScales);
      planes.push_back(valueScales);
    }
    std::vector<Operand> buffers = {qkv, cosSin, slots, starts};
    if (s.norm)
      buffers.push_back(kNorm);
    buffers.insert(buffers.end(), planes.begin(), planes.end());
    EXPECT_EQ(
        layer.run(*layer.append, buffers, symbols, static_cast<uint32_t>((tokens - sequences) * s.kvHeads), split), 0);
    Buffer out(static_cast<size_t>(tokens) * s.stride * bytesOf(s.out)), partials(s.partialBytes(blocks));
    if (!attend)
      return out;
    buffers = {qkv, cosSin, slots};
    if (s.norm) {
      buffers.push_back(qNorm);
      buffers.push_back(kNorm);
    }
    buffers.insert(buffers.end(), planes.begin(), planes.end());
    for (const Operand &rest : std::vector<Operand>{positions, starts, contexts, table})
      buffers.push_back(rest);
    if (s.distances)
      buffers.push_back(biases);
    buffers.push_back(partials);
    buffers.push_back(out);
    EXPECT_EQ(layer.run(*layer.attention, buffers, symbols, 960, split), 0);
    if (layer.merge) {
      // 96 tiles for each block past 2,048 positions.
      int tiles = std::max(0, 96 * (blocks - 2048 / s.page));
      EXPECT_EQ(
          layer.run(*layer.merge, {partials, positions, starts, out}, symbols, static_cast<uint32_t>(tiles), split), 0);
    }
    EXPECT_TRUE(out.fenceHolds() && keys.fenceHolds() && values.fenceHolds() && partials.fenceHolds() &&
                keyScales.fenceHolds() && valueScales.fenceHolds())
        << layer.attention->name;
    return out;
  }

  // Element d of the cached key or value of head h, as the layouts of params.h place it.
  double cached(bool isKey, int sequence, int position, int h, int d) const {
    size_t head = (static_cast<size_t>(tables[sequence][position / s.page]) * s.kvHeads + h) * s.page; // in tokens
    size_t offset = position % s.page;
    size_t at = isKey ? (head + offset / 16 * 16) * s.hd + static_cast<size_t>(d) * 16 + offset % 16
                      : (head + offset) * s.hd + d;
    const Buffer &plane = isKey ? keys : values;
    if (!s.int8())
      return get(plane.get(), s.cache, at);
    return static_cast<double>((isKey ? keyScales : valueScales).as<float>()[head + offset]) * plane.as<int8_t>()[at];
  }
  std::vector<double> valueOf(int sequence, int position, int h) const {
    std::vector<float> t = token(sequence, position);
    auto from = t.begin() + (static_cast<long>(h) * (s.queries + 2) + s.queries + 1) * s.hd;
    return {from, from + s.hd};
  }

  // Head h of a token after norm and rope in f64. which: query g, or queries (the key).
  std::vector<double> turned(int sequence, int position, int h, int which, double *largest = nullptr) const {
    std::vector<float> t = token(sequence, position);
    std::vector<double> x(static_cast<size_t>(s.hd));
    for (int d = 0; d < s.hd; ++d)
      x[d] = t[(static_cast<size_t>(h) * (s.queries + 2) + which) * s.hd + d];
    if (s.norm) {
      double squares = 0;
      for (double v : x)
        squares += v * v;
      const float *gamma = (which == s.queries ? kNorm : qNorm).as<float>();
      for (int d = 0; d < s.hd; ++d)
        x[d] *= gamma[d] / std::sqrt(squares / s.hd + s.eps);
    }
    std::vector<float> a = angles(position);
    int half = s.rotary / 2;
    for (int i = 0; i < half; ++i) {
      double u = x[i], v = x[i + half], c = a[i], sn = a[half + i];
      x[i] = u * c - v * sn;
      x[i + half] = v * c + u * sn;
    }
    if (largest)
      for (double v : x)
        *largest = std::max(*largest, std::fabs(v));
    return x;
  }

  // By how much an element of `out` may differ from softmax in f64.
  double error(double want) const {
    // f32 scores of size up to ~30 err by ~1e-5, which softmax passes on relative to values of size 2.5; keys and
    // values of 16 bits may round the other way than f64's where f32's last bit differs: one unit of them on one
    // key. int8 is compared over what the cache holds.
    double error = 6e-5 + (s.cache == kF32 || s.int8() ? 0.0 : 3.0 * unitOf(s.cache)) + std::fabs(want) * unitOf(s.out);
    // Where products take 16 bits weights are rounded as well, each by half a unit of itself, of values of size 2.5;
    // and a query may round the other way than f64's: one unit of one of size 2.5, by keys of that size.
    if (const double unit = unitOf(layer.products); layer.products != kF32)
      error += 2.5 * unit + 2 * 2.5 * (2.5 * 2 * unit * 2.5 * s.scale);
    return error;
  }

  const Layer &layer;
  AttentionShape s;
  std::vector<int> lengths;
  int blocks, pages;
  int infinite = -1; // a position whose value is not finite
  Buffer keys, values, keyScales, valueScales, qNorm, kNorm;
  Buffer biases; // [heads][distances]
  std::vector<std::vector<int>> tables;
};

// Row of attention in f64 over what the cache's type keeps of keys and values.
inline std::vector<double> expected(const AttentionModel &m, int sequence, int position) {
  const AttentionShape &s = m.s;
  std::vector<double> row(static_cast<size_t>(s.kvHeads) * s.queries * s.hd);
  int from = s.window ? std::max(0, position - s.window + 1) : 0;
  for (int h = 0; h < s.kvHeads; ++h) {
    std::vector<std::vector<double>> k, v;
    for (int at = from; at <= position; ++at) {
      k.push_back(m.turned(sequence, at, h, s.queries));
      v.push_back(m.valueOf(sequence, at, h));
      for (int d = 0; d < s.hd; ++d) {
        k.back()[d] = s.int8() ? m.cached(true, sequence, at, h, d) : rounded(s.cache, k.back()[d]);
        v.back()[d] = s.int8() ? m.cached(false, sequence, at, h, d) : rounded(s.cache, v.back()[d]);
      }
    }
    for (int g = 0; g < s.queries; ++g) {
      std::vector<double> q = m.turned(sequence, position, h, g), weight(k.size());
      if (m.layer.products != kF32)
        for (double &x : q)
          x = rounded(m.layer.products, x);
      double most = -INFINITY, sum = 0;
      for (size_t i = 0; i < k.size(); ++i) {
        double score = 0;
        for (int d = 0; d < s.hd; ++d)
          score += q[d] * k[i][d];
        score *= s.scale;
        if (s.cap != 0)
          score = s.cap * std::tanh(score / s.cap);
        if (s.distances)
          score += m.biases.as<float>()[(h * s.queries + g) * s.distances +
                                        std::min(position - from - static_cast<int>(i), s.distances - 1)];
        weight[i] = score;
        most = std::max(most, score);
      }
      for (double &w : weight)
        sum += w = std::exp(w - most);
      for (int d = 0; d < s.hd; ++d) {
        double y = 0;
        for (size_t i = 0; i < k.size(); ++i)
          y += weight[i] / sum * v[i][d];
        row[(static_cast<size_t>(h) * s.queries + g) * s.hd + d] = y;
      }
    }
  }
  return row;
}

inline void checkAttention(const Layer &layer, int last) {
  // Lengths cross pages, blocks of 64, segments of 1,024 and windows.
  AttentionModel m(layer, {3, 210, last});
  const AttentionShape &s = m.s;
  Buffer first = m.step({{1, 0, 150}, {0, 0, 3}, {2, 0, last - 10}}, 3);
  Buffer second = m.step({{1, 150, 210}, {2, last - 10, last - 1}}, 2);
  Buffer third = m.step({{2, last - 1, last}}, 3); // its segments are left apart
  auto check = [&](const Buffer &out, int row, int sequence, int position) {
    std::vector<double> want = expected(m, sequence, position);
    for (int c = 0; c < s.stride; ++c) {
      double got = get(out.get(), s.out, static_cast<size_t>(row) * s.stride + c);
      if (c >= static_cast<int>(want.size())) {
        ASSERT_EQ(got, 0.0) << layer.attention->name << " padding";
        continue;
      }
      ASSERT_NEAR(got, want[c], m.error(want[c]))
          << layer.attention->name << ", sequence " << sequence << ", position " << position << ", column " << c;
    }
  };
  for (int position : {0, 1, 63, 64, 99, 100, 149})
    check(first, position, 1, position);
  for (int position : {0, 2})
    check(first, 150 + position, 0, position);
  for (int position : {0, 15, 16, 127, 1023, 1024, 1025, 2047, 2048, last - 11})
    if (position < last - 10)
      check(first, 153 + position, 2, position);
  check(second, 60, 2, last - 10);
  for (int position : {150, 191, 192, 209})
    check(second, position - 150, 1, position);
  check(second, 60 + 8, 2, last - 2);
  check(third, 0, 2, last - 1);
}

// Keys are normalized and rotated, values as they are, rounded to the cache's type: those of a prompt by rope_append,
// the last one by attention.
inline void checkCache(const Layer &layer) {
  AttentionModel m(layer, {41});
  const AttentionShape &s = m.s;
  m.step({{0, 0, 40}}, 3);
  m.step({{0, 40, 41}}, 2);
  for (int position : {0, 1, 17, 39, 40})
    for (int h = 0; h < s.kvHeads; ++h)
      for (bool isKey : {true, false}) {
        std::vector<double> want = isKey ? m.turned(0, position, h, s.queries) : m.valueOf(0, position, h);
        double largest = 0;
        for (double x : want)
          largest = std::max(largest, std::fabs(x));
        for (int d = 0; d < s.hd; ++d) {
          // f32's arithmetic before the rounding to the cache's type; int8: half of one part in 127 of the largest.
          double error = 1e-6 * largest + (s.int8() ? largest / 254 : std::fabs(want[d]) * unitOf(s.cache));
          ASSERT_NEAR(m.cached(isKey, 0, position, h, d), want[d], error)
              << layer.append->name << ", position " << position << (isKey ? ", key" : ", value");
        }
      }
}

// A value that a token does not see never reaches it, not as zero times infinity either: in a step with tokens that do
// see it the others get their usual bits.
inline void checkUnseen(const Layer &layer) {
  constexpr int kLength = 100, kInfinite = 70;
  AttentionModel finite(layer, {kLength}), other(layer, {kLength});
  other.infinite = kInfinite;
  Buffer want = finite.step({{0, 0, kLength}}, 1), got = other.step({{0, 0, kLength}}, 1);
  const AttentionShape &s = finite.s;
  const size_t rowBytes = want.size / kLength;
  auto same = [&](int row) {
    return std::memcmp(got.as<uint8_t>() + row * rowBytes, want.as<uint8_t>() + row * rowBytes, rowBytes) == 0;
  };
  for (int row = 0; row < kLength; ++row) {
    const bool sees = row >= kInfinite && (s.window == 0 || row - kInfinite < s.window);
    if (!sees) {
      ASSERT_TRUE(same(row)) << layer.attention->name << ", position " << row;
    } else if (!s.int8() && s.out != kF16) { // get() knows finite f16 alone
      ASSERT_TRUE(std::isnan(get(got.get(), s.out, static_cast<size_t>(row) * s.stride)))
          << layer.attention->name << ", position " << row;
    }
  }
}

// One token at a long context, beside one at a short one.
inline void checkLongContext(const Layer &layer, int context) {
  AttentionModel m(layer, {context, 20});
  m.step({{0, 0, context}, {1, 0, 20}}, 3, false, false);
  Buffer out = m.step({{1, 19, 20}, {0, context - 1, context}}, 3);
  for (int row : {0, 1}) {
    std::vector<double> want = row ? expected(m, 0, context - 1) : expected(m, 1, 19);
    for (size_t c = 0; c < want.size(); ++c)
      ASSERT_NEAR(get(out.get(), m.s.out, static_cast<size_t>(row) * m.s.stride + c), want[c], m.error(want[c]))
          << layer.attention->name << ", context " << (row ? context : 20) << ", column " << c;
  }
}

// More sequences in a step than a kernel may look at at once: prompts of 1 to 5 tokens, then one token more of each.
inline void checkManySequences(const Layer &layer, int sequences) {
  std::vector<int> lengths;
  std::vector<Piece> prompts, tokens;
  for (int i = 0; i < sequences; ++i) {
    lengths.push_back(2 + i * 7 % 5);
    prompts.push_back({i, 0, lengths.back() - 1});
    tokens.push_back({i, lengths.back() - 1, lengths.back()});
  }
  AttentionModel m(layer, lengths);
  m.step(prompts, 3);
  Buffer out = m.step(tokens, 3);
  for (int i = 0; i < sequences; ++i) {
    std::vector<double> want = expected(m, i, lengths[i] - 1);
    for (size_t c = 0; c < want.size(); ++c)
      ASSERT_NEAR(get(out.get(), m.s.out, static_cast<size_t>(i) * m.s.stride + c), want[c], m.error(want[c]))
          << layer.attention->name << ", sequence " << i << ", column " << c;
  }
}

// Tokens without a slot attend over what the cache holds already, and leave it alone.
inline void checkNegativeSlots(const Layer &layer) {
  AttentionModel m(layer, {40});
  Buffer all = m.step({{0, 0, 40}}, 2);
  size_t rowBytes = all.size / 40;
  Buffer keys(m.keys.size), values(m.values.size);
  std::memcpy(keys.get(), m.keys.get(), keys.size);
  std::memcpy(values.get(), m.values.get(), values.size);
  Buffer some = m.step({{0, 37, 40}}, 2, true);
  if (layer.exact) {
    EXPECT_EQ(std::memcmp(some.get(), all.as<uint8_t>() + 37 * rowBytes, 3 * rowBytes), 0) << layer.attention->name;
  } else {
    for (int i = 0; i < 3 * m.s.stride; ++i) {
      const double want = get(all.get(), m.s.out, static_cast<size_t>(37 * m.s.stride + i));
      ASSERT_NEAR(get(some.get(), m.s.out, static_cast<size_t>(i)), want, 2 * m.error(want)) << layer.attention->name;
    }
  }
  EXPECT_TRUE(keys == m.keys && values == m.values) << layer.attention->name;
}

// A negative slot appends nothing, nor does the last token of a sequence; a group's slots are its own row.
inline void checkSlots(const TestKernel &kernel, const Run &run) {
  constexpr int kTokens = 5, kHd = 16, kPage = 16;
  std::vector<float> qkv(kTokens * 3 * kHd), angles(kTokens * kHd);
  for (size_t i = 0; i < qkv.size(); ++i)
    qkv[i] = static_cast<float>(i);
  for (int t = 0; t < kTokens; ++t)
    for (int i = 0; i < kHd / 2; ++i)
      angles[t * kHd + i] = 1.0f; // angle 0
  std::vector<int32_t> slots = {0, 1, 2, 3, 4, 30, 5, 2, -7, 17}, starts = {0, 2, 5};
  Buffer keys(2 * kPage * kHd * 4), values(2 * kPage * kHd * 4);
  ASSERT_EQ(run(kernel, {qkv, angles, slots, starts, keys, values}, {kTokens, 2}, kTokens - 2, 2), 0);
  for (int slot = 0; slot < 2 * kPage; ++slot) {
    int token = slot == 30 ? 0 : slot == 2 ? 2 : -1;
    for (int d = 0; d < kHd; ++d) {
      float key = keys.as<float>()[(slot / 16 * kHd + d) * 16 + slot % 16], value = values.as<float>()[slot * kHd + d];
      if (token < 0) {
        EXPECT_TRUE(std::isnan(key) && std::isnan(value)) << slot;
      } else {
        EXPECT_EQ(key, qkv[(token * 3 + 1) * kHd + d]);
        EXPECT_EQ(value, qkv[(token * 3 + 2) * kHd + d]);
      }
    }
  }
}

} // namespace ingot::test

#endif
