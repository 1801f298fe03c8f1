// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of sample (checks.h): against sorting in f64 with the same draw, and its edge cases.
#ifndef INGOT_TEST_UNIT_TARGET_SAMPLE_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_SAMPLE_CHECKS_H

#include "test/unit/target/checks.h"
#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <numeric>

namespace ingot::test {

inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    uint64_t a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(a)};
    k = {k[0] + 0x9E3779B9u, k[1] + 0xBB67AE85u};
  }
  return c;
}

inline double uniform(int64_t seed, int64_t counter) {
  auto u = static_cast<uint64_t>(counter), s = static_cast<uint64_t>(seed);
  auto r = philox({static_cast<uint32_t>(u), static_cast<uint32_t>(u >> 32), 0, 0},
                  {static_cast<uint32_t>(s), static_cast<uint32_t>(s >> 32)});
  return static_cast<double>(((static_cast<uint64_t>(r[0]) << 32) | r[1]) >> 11) * 0x1p-53;
}

struct Request {
  float temperature = 1, topP = 1, minP = 0, repetition = 1, presence = 0, frequency = 0;
  int topK = 0;
  int64_t seed = 0, counter = 0;
  std::vector<std::pair<int, int>> penalties; // id, count
  std::vector<int> allowed;                   // empty: all
};

struct Choice {
  int id;
  float logProbability;
};

inline std::vector<Choice> sample(const TestKernel &kernel, const Run &run, int vocabulary,
                                  const std::vector<std::vector<float>> &logits, const std::vector<Request> &requests,
                                  int32_t wanted = 0, uint32_t pieces = 2) {
  size_t rows = logits.size(), words = static_cast<size_t>(vocabulary + 31) / 32;
  std::vector<float> flat, temperature, topP, minP, repetition, presence, frequency;
  std::vector<int32_t> topK, starts = {0}, ids, counts, maskRows;
  std::vector<int64_t> seeds, counters;
  std::vector<uint32_t> masks(1);
  int32_t nextMask = 0;
  for (size_t i = 0; i < rows; ++i) {
    const Request &r = requests[i];
    flat.insert(flat.end(), logits[i].begin(), logits[i].end());
    temperature.push_back(r.temperature);
    topP.push_back(r.topP);
    minP.push_back(r.minP);
    repetition.push_back(r.repetition);
    presence.push_back(r.presence);
    frequency.push_back(r.frequency);
    topK.push_back(r.topK);
    seeds.push_back(r.seed);
    counters.push_back(r.counter);
    for (auto [id, count] : r.penalties) {
      ids.push_back(id);
      counts.push_back(count);
    }
    starts.push_back(static_cast<int32_t>(ids.size()));
    maskRows.push_back(r.allowed.empty() ? -1 : nextMask);
    if (!r.allowed.empty()) {
      masks.resize(static_cast<size_t>(++nextMask) * words);
      for (int id : r.allowed)
        masks[static_cast<size_t>(nextMask - 1) * words + id / 32] |= 1u << (id % 32);
    }
  }
  ids.push_back(0);
  counts.push_back(0);
  std::vector<int32_t> out(rows);
  std::vector<float> logs(rows);
  EXPECT_EQ(run(kernel,
                {flat, temperature, topK, topP, minP, repetition, presence, frequency, seeds, counters, starts, ids,
                 counts, maskRows, masks, out, logs},
                {0}, static_cast<uint32_t>(rows), pieces),
            wanted);
  std::vector<Choice> choices;
  for (size_t i = 0; i < rows; ++i)
    choices.push_back({out[i], logs[i]});
  return choices;
}

// The same by sorting, in f64.
inline Choice expectedChoice(const std::vector<float> &logits, const Request &r) {
  std::vector<double> x(logits.begin(), logits.end());
  if (!r.allowed.empty())
    for (size_t v = 0; v < x.size(); ++v)
      if (std::find(r.allowed.begin(), r.allowed.end(), static_cast<int>(v)) == r.allowed.end())
        x[v] = -INFINITY;
  for (auto [id, count] : r.penalties) {
    x[id] = x[id] < 0 ? x[id] * double(r.repetition) : x[id] / double(r.repetition);
    if (count > 0)
      x[id] -= double(r.presence) + double(r.frequency) * count;
  }
  double most = *std::max_element(x.begin(), x.end()), total = 0;
  for (double v : x)
    total += std::exp(v - most);
  auto logOf = [&](int id) { return static_cast<float>(x[id] - most - std::log(total)); };
  if (r.temperature == 0) {
    int id = static_cast<int>(std::max_element(x.begin(), x.end()) - x.begin());
    return {id, logOf(id)};
  }
  std::vector<int> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return x[a] != x[b] ? x[a] > x[b] : a < b; });
  std::vector<double> w;
  for (int id : order)
    w.push_back(std::exp((x[id] - most) / double(r.temperature)));
  size_t keep = w.size();
  if (r.topK > 0)
    keep = std::min<size_t>(keep, static_cast<size_t>(r.topK));
  if (r.topP < 1) {
    double all = std::accumulate(w.begin(), w.begin() + static_cast<long>(keep), 0.0), sum = 0;
    size_t n = 0;
    while (n < keep && (n == 0 || sum < double(r.topP) * all))
      sum += w[n++];
    keep = n;
  }
  while (keep > 1 && w[keep - 1] < double(r.minP))
    --keep;
  std::vector<std::pair<int, double>> left;
  for (size_t i = 0; i < keep; ++i)
    left.push_back({order[i], w[i]});
  std::sort(left.begin(), left.end());
  double sum = 0, reached = 0;
  for (auto &[id, weight] : left)
    sum += weight;
  double target = uniform(r.seed, r.counter) * sum;
  for (auto &[id, weight] : left) {
    reached += weight;
    if (reached > target)
      return {id, logOf(id)};
  }
  return {left.back().first, logOf(left.back().first)};
}

inline std::vector<float> someLogits(int vocabulary, uint64_t seed, double scale) {
  Numbers numbers(seed);
  std::vector<float> x;
  for (int v = 0; v < vocabulary; ++v)
    x.push_back(static_cast<float>(numbers.next() * scale));
  return x;
}

// Runs sample over a vocabulary that the target was given a kernel for.
using Sample =
    std::function<std::vector<Choice>(int vocabulary, const std::vector<std::vector<float>> &logits,
                                      const std::vector<Request> &requests, int32_t wanted, uint32_t pieces)>;

// Equal logits over 4,096 ids show the first 12 bits of the draw.
inline void checkDrawsByPhilox(const Sample &sample) {
  std::vector<std::vector<float>> logits;
  std::vector<Request> requests;
  Numbers numbers(1);
  for (int i = 0; i < 40; ++i) {
    logits.push_back(std::vector<float>(4096, 0.5f));
    Request r;
    r.seed = i == 0 ? 0 : static_cast<int64_t>(numbers.bits());
    r.counter = i == 0 ? 0 : static_cast<int64_t>(numbers.bits());
    requests.push_back(r);
  }
  std::vector<Choice> choices = sample(4096, logits, requests, 0, 2);
  EXPECT_EQ(choices[0].id, 0x6627e8d5 >> 20);
  for (size_t i = 0; i < choices.size(); ++i) {
    EXPECT_EQ(choices[i].id, static_cast<int>(uniform(requests[i].seed, requests[i].counter) * 4096)) << i;
    EXPECT_NEAR(choices[i].logProbability, -std::log(4096.0), 1e-6);
  }
}

inline void checkAgreesWithSortingInF64(const Sample &sample, int rows = 400,
                                        const std::vector<int> &vocabularies = {97, 4096}) {
  for (int vocabulary : vocabularies) {
    std::vector<std::vector<float>> logits;
    std::vector<Request> requests;
    Numbers numbers(5);
    for (int i = 0; i < rows; ++i) {
      logits.push_back(someLogits(vocabulary, static_cast<uint64_t>(i), i % 3 ? 8.0 : 2.0));
      Request r;
      r.seed = static_cast<int64_t>(numbers.bits());
      r.counter = i;
      r.temperature = i % 7 == 0 ? 0.0f : static_cast<float>(0.3 + 0.7 * std::fabs(numbers.next()));
      if (i % 2)
        r.topK = 1 + numbers.below(i % 4 == 1 ? 5 : vocabulary + 20);
      if (i % 3)
        r.topP = static_cast<float>(std::fabs(numbers.next()));
      if (i % 5 == 0)
        r.minP = static_cast<float>(0.2 * std::fabs(numbers.next()));
      if (i % 4 == 0) {
        r.repetition = 1.3f;
        r.presence = 0.5f;
        r.frequency = 0.25f;
        for (int j = 0; j < 20; ++j)
          if (int id = j * (vocabulary / 20); true)
            r.penalties.push_back({id, j % 4});
      }
      if (i % 6 == 0)
        for (int v = 0; v < vocabulary; ++v)
          if (numbers.below(3) == 0)
            r.allowed.push_back(v);
      requests.push_back(r);
    }
    std::vector<Choice> choices = sample(vocabulary, logits, requests, 0, 2);
    for (size_t i = 0; i < choices.size(); ++i) {
      Choice want = expectedChoice(logits[i], requests[i]);
      EXPECT_EQ(choices[i].id, want.id) << "row " << i << " of vocabulary " << vocabulary;
      EXPECT_NEAR(choices[i].logProbability, want.logProbability, 2e-6 * (1 + std::fabs(want.logProbability)));
    }
  }
}

inline void checkGreedyTakesTheLowestOfEquals(const Sample &sample) {
  std::vector<float> x(97, -1.0f);
  x[40] = x[13] = x[96] = 3.0f;
  Request greedy;
  greedy.temperature = 0;
  EXPECT_EQ(sample(97, {x}, {greedy}, 0, 2)[0].id, 13);
  x[96] = 3.5f;
  EXPECT_EQ(sample(97, {x}, {greedy}, 0, 2)[0].id, 96);
}

inline void checkTiesAtTheBoundaryStayLowestIdFirst(const Sample &sample) {
  std::vector<float> x(97, 1.0f);
  Request r;
  r.topK = 3;
  for (int i = 0; i < 50; ++i) {
    r.counter = i;
    EXPECT_LT(sample(97, {x}, {r}, 0, 2)[0].id, 3);
  }
  r.topK = 0;
  r.topP = 0.05f; // 4.85 of 97 equal ids: five stay
  int highest = 0;
  for (int i = 0; i < 100; ++i) {
    r.counter = i;
    highest = std::max(highest, sample(97, {x}, {r}, 0, 2)[0].id);
  }
  EXPECT_EQ(highest, 4);
  r.topP = 0.0f; // one always stays
  EXPECT_EQ(sample(97, {x}, {r}, 0, 2)[0].id, 0);
}

// More than there are blocks of 64 ids, as many, and fewer: what is looked at before the k-th is known must not matter.
inline void checkManyEqualsStayLowestIdFirst(const Sample &sample, int draws = 400) {
  std::vector<float> x(4096, 1.0f);
  for (int k : {1, 63, 64, 65, 1000}) {
    Request r;
    r.topK = k;
    int highest = 0;
    for (int i = 0; i < draws; ++i) {
      r.counter = i;
      highest = std::max(highest, sample(4096, {x}, {r}, 0, 2)[0].id);
    }
    EXPECT_LT(highest, k);
    EXPECT_GE(highest, k * 9 / 10);
  }
}

// Where few logits are numbers, at temperatures from nearly none to nearly without bound.
inline void checkWhatIsNotANumberIsMasked(const Sample &sample) {
  Numbers numbers(11);
  for (float temperature : {0.0f, 1e-6f, 1.0f, 1e6f, 1e30f})
    for (int i = 0; i < 60; ++i) {
      std::vector<float> x = someLogits(97, static_cast<uint64_t>(i), 4), masked = x;
      for (size_t v = 0; v < x.size(); ++v)
        if (numbers.below(4) != 0 && v != 50) {
          x[v] = v % 2 ? NAN : -INFINITY;
          masked[v] = -INFINITY;
        }
      Request r;
      r.temperature = temperature;
      r.counter = i;
      r.topK = i % 4 == 1 ? 5 : 0;
      r.topP = i % 4 == 2 ? 0.6f : 1.0f;
      r.minP = i % 4 == 3 ? 0.3f : 0.0f;
      Choice got = sample(97, {x}, {r}, 0, 2)[0], want = expectedChoice(masked, r);
      EXPECT_EQ(got.id, want.id) << "row " << i << " at " << temperature;
      EXPECT_NEAR(got.logProbability, want.logProbability, 2e-6 * (1 + std::fabs(want.logProbability)));
    }
}

// min_p 1 leaves the largest alone, top_p just below 1 nearly all.
inline void checkExtremeCuts(const Sample &sample, int rows = 100) {
  Numbers numbers(3);
  for (int i = 0; i < rows; ++i) {
    std::vector<float> x = someLogits(4096, static_cast<uint64_t>(i), i % 2 ? 0.5 : 20);
    Request r;
    r.seed = static_cast<int64_t>(numbers.bits());
    r.temperature = 0.7f;
    if (i % 4 < 2)
      r.minP = i % 3 ? 1.0f : 1e-30f;
    else
      r.topP = i % 3 ? 0.99999994f : 0.0f;
    EXPECT_EQ(sample(4096, {x}, {r}, 0, 2)[0].id, expectedChoice(x, r).id) << i;
  }
}

inline void checkNothingAllowedIsAnError(const Sample &sample) {
  std::vector<float> bad(97, -INFINITY), nan(97, NAN), good(97, 0.0f);
  sample(97, {bad}, {Request()}, 2, 2);
  sample(97, {good, nan}, {Request(), Request()}, 2, 1);
}

} // namespace ingot::test

#endif
