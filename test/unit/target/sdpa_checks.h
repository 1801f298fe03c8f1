// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of sdpa on any target (checks.h): operands by params.h, softmax in f64. Keys and values that no query sees are
// not-a-numbers.
#ifndef INGOT_TEST_UNIT_TARGET_SDPA_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_SDPA_CHECKS_H

#include "test/unit/target/checks.h"
#include "test/unit/target/reference.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

namespace ingot::test {

struct SdpaShape {
  int batch, queries, keys;
};

// An operand of a product; rounded to bf16 where such products are (numerics.md).
inline double operand(float x, bool rounds) { return rounds ? rounded(kBF16, x) : double(x); }

// What an output may be off by. Rounding errors of a score of `size` shift weights by as much, twice; of the sums, by some
// units. Values are below 1, so weights that are rounded to bf16 add half a unit of it at most.
inline double errorOf(int depth, int keys, double size, bool rounds) {
  return 0x1p-24 * (2 * (4 * std::sqrt(depth + 4.0)) * size + 4 * std::sqrt(double(keys)) + 16) + (rounds ? 0x1p-9 : 0);
}

struct SdpaProblem {
  const TestKernel &kernel;
  SdpaShape shape;
  int kvHeads = kernel.integer("kv_heads"), perKv = kernel.integer("q_per_kv"), heads = kvHeads * perKv;
  int depth = kernel.integer("head_dim"), width = kernel.integer("value_dim");
  std::vector<float> query, key, value, bias;
  std::vector<int32_t> lengths;
  bool rounds = false; // see checkSdpa

  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  bool flag(const char *name) const { return kernel.integer(name) != 0; }
  size_t index(int a, int b, int c, int d, int sizeB, int sizeC, int sizeD) const {
    return ((static_cast<size_t>(a) * static_cast<size_t>(sizeB) + static_cast<size_t>(b)) *
                static_cast<size_t>(sizeC) +
            static_cast<size_t>(c)) *
               static_cast<size_t>(sizeD) +
           static_cast<size_t>(d);
  }

  SdpaProblem(const TestKernel &kernel, SdpaShape shape, uint64_t seed) : kernel(kernel), shape(shape) {
    auto [batch, queries, keys] = shape;
    // Each batch has numbers of its own, so that it is the same in other company.
    for (int b = 0; b < batch; ++b) {
      Numbers numbers(seed * 1000 + static_cast<uint64_t>(b));
      auto fill = [&](std::vector<float> &v, int count) {
        for (int i = 0; i < count; ++i)
          v.push_back(static_cast<float>(numbers.next()));
      };
      lengths.push_back(b == 0 ? keys - keys / 3 : b == 1 ? 0 : numbers.below(keys + 40) - 20);
      fill(query, queries * heads * depth);
      fill(key, keys * kvHeads * depth);
      fill(value, keys * kvHeads * width);
      if (flag("bias") && (b == 0 || flag("bias_batch")))
        addBias(numbers);
    }
    if (!flag("lengths"))
      lengths.assign(static_cast<size_t>(batch), keys);
    for (int b = 0; b < batch; ++b)
      for (int t = 0; t < keys; ++t) {
        bool seen = false;
        for (int s = 0; s < queries && !seen; ++s)
          seen = sees(b, s, t);
        if (seen)
          continue;
        for (int g = 0; g < kvHeads; ++g) {
          std::fill_n(key.begin() + static_cast<long>(index(b, t, g, 0, keys, kvHeads, depth)), depth, NAN);
          std::fill_n(value.begin() + static_cast<long>(index(b, t, g, 0, keys, kvHeads, width)), width, NAN);
        }
      }
  }

  // Masks as exporters write them: -inf, values near the least of f32, and numbers; whole rows of either.
  void addBias(Numbers &numbers) {
    const int lines = (flag("bias_heads") ? heads : 1) * (flag("bias_queries") ? shape.queries : 1);
    const int columns = flag("bias_keys") ? shape.keys : 1;
    for (int line = 0; line < lines; ++line) {
      const int kind = lines > 1 ? numbers.below(8) : 7;
      for (int t = 0; t < columns; ++t) {
        const int one = columns > 1 ? numbers.below(10) : 9;
        const bool infinite = kind == 0 || (kind != 1 && one == 0), least = kind == 1 || one == 1;
        const float number = static_cast<float>(2 * numbers.next());
        bias.push_back(infinite ? -std::numeric_limits<float>::infinity() : least ? -3.4e38f : number);
      }
    }
  }

  bool sees(int b, int s, int t) const {
    const int at = s + shape.keys - shape.queries, window = kernel.integer("window");
    return t < lengths[static_cast<size_t>(b)] && (!flag("causal") || t <= at) &&
           (window == 0 || (at - window < t && t < at + window));
  }

  double biasAt(int b, int h, int s, int t) const {
    if (!flag("bias"))
      return 0;
    const int sizeH = flag("bias_heads") ? heads : 1, sizeS = flag("bias_queries") ? shape.queries : 1,
              sizeT = flag("bias_keys") ? shape.keys : 1;
    return bias[index(flag("bias_batch") ? b : 0, flag("bias_heads") ? h : 0, flag("bias_queries") ? s : 0,
                      flag("bias_keys") ? t : 0, sizeH, sizeS, sizeT)];
  }

  // One row in f64, and in `error` what f32 may be off by.
  std::vector<double> expected(int b, int h, int s, double &error) const {
    const int keys = shape.keys, g = h / perKv;
    std::vector<double> scores(static_cast<size_t>(keys), -kInfinity);
    double most = -kInfinity, size = 0;
    for (int t = 0; t < keys; ++t) {
      if (!sees(b, s, t))
        continue;
      double sum = 0, terms = 0;
      for (int d = 0; d < depth; ++d) {
        double product = operand(query[index(b, s, h, d, shape.queries, heads, depth)], rounds) *
                         operand(key[index(b, t, g, d, keys, kvHeads, depth)], rounds);
        sum += product;
        terms += std::fabs(product);
      }
      double score = sum * kernel.real("scale"), cap = kernel.real("soft_cap");
      if (cap != 0)
        score = cap * std::tanh(score / cap);
      size = std::max(size, terms * std::fabs(kernel.real("scale")) + 4);
      scores[static_cast<size_t>(t)] = score + biasAt(b, h, s, t);
      most = std::max(most, scores[static_cast<size_t>(t)]);
    }
    std::vector<double> result(static_cast<size_t>(width), 0.0);
    error = errorOf(depth, keys, size, rounds);
    if (most == -kInfinity)
      return result;
    double total = 0;
    for (int t = 0; t < keys; ++t) {
      double weight = std::exp(scores[static_cast<size_t>(t)] - most);
      if (!sees(b, s, t))
        continue;
      total += weight;
      for (int e = 0; e < width; ++e)
        result[static_cast<size_t>(e)] += weight * operand(value[index(b, t, g, e, keys, kvHeads, width)], rounds);
    }
    for (double &x : result)
      x /= total;
    return result;
  }

  Buffer run(const Run &run, uint32_t pieces) const {
    const size_t rows = static_cast<size_t>(shape.batch) * static_cast<size_t>(shape.queries * heads);
    Buffer out(rows * static_cast<size_t>(width) * 4);
    std::vector<Operand> operands = {query, key, value};
    if (flag("bias"))
      operands.push_back(bias);
    if (flag("lengths"))
      operands.push_back(lengths);
    operands.push_back(out);
    std::vector<int64_t> symbols(8, -7); // no other symbol counts
    symbols[static_cast<size_t>(kernel.integer("batch_symbol"))] = shape.batch;
    symbols[static_cast<size_t>(kernel.integer("queries_symbol"))] = shape.queries;
    symbols[static_cast<size_t>(kernel.integer("keys_symbol"))] = shape.keys;
    EXPECT_EQ(run(kernel, operands, symbols, static_cast<uint32_t>(rows), pieces), 0);
    EXPECT_TRUE(out.fenceHolds()) << kernel.name;
    return out;
  }
};

// `rounds`: the target multiplies operands that are rounded to bf16.
inline void checkSdpa(const TestKernel &kernel, const Run &run, SdpaShape shape, uint32_t pieces, bool rounds = false) {
  SdpaProblem p(kernel, shape, 11);
  p.rounds = rounds;
  Buffer out = p.run(run, pieces);
  for (int b = 0; b < shape.batch; ++b)
    for (int s = 0; s < shape.queries; ++s)
      for (int h = 0; h < p.heads; ++h) {
        double error;
        std::vector<double> want = p.expected(b, h, s, error);
        for (int e = 0; e < p.width; ++e)
          ASSERT_NEAR(double(out.as<float>()[p.index(b, s, h, e, shape.queries, p.heads, p.width)]),
                      want[static_cast<size_t>(e)], error)
              << kernel.name << " of " << shape.batch << " x " << shape.queries << " x " << shape.keys << ", batch "
              << b << ", query " << s << ", head " << h << ", column " << e;
      }
}

// However tiles are cut, and whatever else is in the batch: the same bits.
inline void checkSdpaCompany(const TestKernel &kernel, const Run &run, SdpaShape shape) {
  SdpaProblem p(kernel, shape, 5);
  Buffer whole = p.run(run, 1);
  for (uint32_t pieces : {2u, 3u, 7u, 50u})
    ASSERT_TRUE(p.run(run, pieces) == whole) << kernel.name << " in " << pieces << " pieces";
  SdpaProblem alone(kernel, {1, shape.queries, shape.keys}, 5);
  Buffer first = alone.run(run, 2);
  ASSERT_EQ(std::memcmp(first.get(), whole.get(), first.size), 0) << kernel.name << " alone";
}

// Sequences one behind another: each attends to itself, a bias is read by places; in one piece and in several, and each
// sequence alone, the same bits.
inline void checkSdpaSequences(const TestKernel &kernel, const Run &run, const std::vector<int> &lengths,
                               bool rounds = false) {
  const int kvHeads = kernel.integer("kv_heads"), perKv = kernel.integer("q_per_kv"), heads = kvHeads * perKv;
  const int depth = kernel.integer("head_dim"), width = kernel.integer("value_dim"), longest = 200;
  Numbers numbers(17);
  auto drawn = [&](int count) {
    std::vector<float> values;
    for (int i = 0; i < count; ++i)
      values.push_back(static_cast<float>(numbers.next()));
    return values;
  };
  std::vector<int32_t> starts{0}, places;
  for (int length : lengths) {
    starts.push_back(starts.back() + length);
    // Ascending, with holes in some sequences.
    const bool holes = starts.size() % 2 == 0;
    int place = holes ? numbers.below(20) : 0;
    for (int i = 0; i < length; ++i, ++place) {
      places.push_back(place);
      place += holes && i % 20 == 19 ? numbers.below(3) : 0;
    }
  }
  const int rows = starts.back();
  const std::vector<float> query = drawn(rows * heads * depth), key = drawn(rows * kvHeads * depth),
                           value = drawn(rows * kvHeads * width);
  const bool bias = kernel.integer("bias"), byHead = kernel.integer("bias_heads"),
             byQuery = kernel.integer("bias_queries");
  const std::vector<float> table = drawn((byHead ? heads : 1) * (byQuery ? longest : 1) * longest);
  auto once = [&](uint32_t pieces, size_t first, size_t end) { // of sequences first to end - 1
    const int from = starts[first], to = starts[end];
    auto part = [&](const auto &all, int perRow) { return std::vector(all.begin() + from * perRow, all.begin() + to * perRow); };
    const auto q = part(query, heads * depth), k = part(key, kvHeads * depth), v = part(value, kvHeads * width);
    const auto at = part(places, 1);
    std::vector<int32_t> begins;
    for (size_t r = first; r <= end; ++r)
      begins.push_back(starts[r] - from);
    Buffer out(static_cast<size_t>((to - from) * heads * width) * 4);
    std::vector<Operand> operands = {q, k, v};
    if (bias)
      operands.push_back(table);
    operands.push_back(begins);
    if (bias)
      operands.push_back(at);
    operands.push_back(out);
    std::vector<int64_t> symbols(8, -7);
    symbols[static_cast<size_t>(kernel.integer("queries_symbol"))] = bias ? longest : to - from;
    symbols[static_cast<size_t>(kernel.integer("keys_symbol"))] = bias ? longest : to - from;
    symbols[static_cast<size_t>(kernel.integer("batch_symbol"))] = static_cast<int64_t>(begins.size());
    EXPECT_EQ(run(kernel, operands, symbols, static_cast<uint32_t>((to - from) * heads), pieces), 0);
    EXPECT_TRUE(out.fenceHolds()) << kernel.name;
    return out;
  };
  Buffer out = once(1, 0, lengths.size());
  for (uint32_t pieces : {2u, 5u, 13u})
    ASSERT_TRUE(once(pieces, 0, lengths.size()) == out) << kernel.name << " in " << pieces << " pieces";
  for (size_t r = 0; r < lengths.size(); ++r) {
    if (lengths[r] == 0)
      continue;
    Buffer alone = once(1, r, r + 1);
    ASSERT_EQ(std::memcmp(alone.get(), out.as<float>() + starts[r] * heads * width, alone.size), 0)
        << kernel.name << ", sequence " << r << " alone";
  }
  for (size_t r = 0; r < lengths.size(); ++r)
    for (int s = starts[r]; s < starts[r + 1]; ++s)
      for (int h = 0; h < heads; ++h) {
        const int g = h / perKv, last = kernel.integer("causal") ? s : starts[r + 1] - 1;
        std::vector<double> weights, want(static_cast<size_t>(width), 0.0);
        double most = -SdpaProblem::kInfinity, total = 0, size = 0;
        for (int t = starts[r]; t <= last; ++t) {
          double sum = 0, terms = 0;
          for (int d = 0; d < depth; ++d) {
            double product = operand(query[static_cast<size_t>((s * heads + h) * depth + d)], rounds) *
                             operand(key[static_cast<size_t>((t * kvHeads + g) * depth + d)], rounds);
            sum += product;
            terms += std::fabs(product);
          }
          double score = sum * kernel.real("scale"), cap = kernel.real("soft_cap");
          score = cap != 0 ? cap * std::tanh(score / cap) : score;
          if (bias)
            score += table[static_cast<size_t>(
                ((byHead ? h : 0) * (byQuery ? longest : 1) + (byQuery ? places[static_cast<size_t>(s)] : 0)) *
                    longest +
                places[static_cast<size_t>(t)])];
          size = std::max(size, terms * kernel.real("scale") + 4);
          weights.push_back(score);
          most = std::max(most, score);
        }
        for (int t = starts[r]; t <= last; ++t) {
          const double weight = std::exp(weights[static_cast<size_t>(t - starts[r])] - most);
          total += weight;
          for (int e = 0; e < width; ++e)
            want[static_cast<size_t>(e)] +=
                weight * operand(value[static_cast<size_t>((t * kvHeads + g) * width + e)], rounds);
        }
        const double error = errorOf(depth, rows, size, rounds);
        for (int e = 0; e < width; ++e)
          ASSERT_NEAR(double(out.as<float>()[(s * heads + h) * width + e]), want[static_cast<size_t>(e)] / total, error)
              << kernel.name << ", sequence " << r << ", row " << s << ", head " << h << ", column " << e;
      }
}

} // namespace ingot::test

#endif
