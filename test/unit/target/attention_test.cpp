// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_append and attention: pages in scrambled order, sequences mixed in one step, prompts in pieces; against softmax
// in f64 over keys and values kept beside, and bit by bit against other ways of cutting the same work.
#include "test/unit/target/images.h"
#include "test/unit/target/reference.h"
#include <algorithm>
#include <gtest/gtest.h>

using namespace ingot::test;

namespace {

struct Shape {
  int kvHeads, queries, hd, rotary, page, cache, norm, window, out, stride;
  double eps, scale, cap;
  Shape(const TestKernel &append, const TestKernel &attention)
      : kvHeads(append.integer("kv_heads")), queries(append.integer("q_per_kv")), hd(append.integer("head_dim")),
        rotary(append.integer("rotary_dim")), page(append.integer("page_tokens")), cache(append.integer("cache_type")),
        norm(append.integer("qk_norm")), window(attention.integer("window")), out(attention.integer("out_type")),
        stride(attention.integer("out_stride")), eps(append.real("eps")), scale(attention.real("scale")),
        cap(attention.real("soft_cap")) {}
  int perToken() const { return kvHeads * (queries + 2) * hd; }
  size_t pageBytes() const { return static_cast<size_t>(kvHeads) * page * hd * bytesOf(cache); }
};

// One sequence's tokens in a step: positions [from, to).
struct Piece {
  int sequence, from, to;
};

// A cache with pages handed out in scrambled order, and what every sequence's tokens hold before norms and rope.
class Model {
public:
  Model(const TestKernel &append, const TestKernel &attention, const TestSet &set, std::vector<int> lengths)
      : append(append), attention(attention), set(set), s(append, attention), lengths(lengths),
        blocks((*std::max_element(lengths.begin(), lengths.end()) + s.page - 1) / s.page + 1),
        pages(static_cast<int>(lengths.size()) * blocks + 3), keys(pages * s.pageBytes()),
        values(pages * s.pageBytes()), qNorm(s.hd * 4), kNorm(s.hd * 4) {
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
  }

  // q, k, v of a token, the same whenever it is asked for. Scaled so that attention is peaked.
  std::vector<float> token(int sequence, int position) const {
    Numbers numbers(static_cast<uint64_t>(sequence) * 1000003 + static_cast<uint64_t>(position) * 7 + 5);
    std::vector<float> v(static_cast<size_t>(s.perToken()));
    for (float &x : v)
      x = static_cast<float>(numbers.next() * 2.5);
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

  // One step over pieces; returns rows of `out` in the order of tokens.
  Buffer step(const std::vector<Piece> &pieces, uint32_t split) {
    std::vector<int32_t> positions, starts = {0}, contexts, slots;
    std::vector<float> qkv, cosSin;
    std::vector<int32_t> table;
    for (const Piece &piece : pieces) {
      for (int position = piece.from; position < piece.to; ++position) {
        positions.push_back(position);
        slots.push_back(tables[piece.sequence][position / s.page] * s.page + position % s.page);
        std::vector<float> t = token(piece.sequence, position), a = angles(position);
        qkv.insert(qkv.end(), t.begin(), t.end());
        cosSin.insert(cosSin.end(), a.begin(), a.end());
      }
      starts.push_back(static_cast<int32_t>(positions.size()));
      contexts.push_back(piece.to);
      table.insert(table.end(), tables[piece.sequence].begin(), tables[piece.sequence].end());
    }
    int tokens = static_cast<int>(positions.size());
    std::vector<int64_t> symbols = {tokens, static_cast<int64_t>(pieces.size()), blocks};
    cosSin.push_back(0); // never empty
    std::vector<void *> buffers = {qkv.data(), cosSin.data(), slots.data()};
    if (s.norm) {
      buffers.push_back(qNorm.get());
      buffers.push_back(kNorm.get());
    }
    buffers.push_back(keys.get());
    buffers.push_back(values.get());
    EXPECT_EQ(runKernel(append, set, buffers, symbols, static_cast<uint32_t>(tokens * s.kvHeads), split), 0);
    Buffer out(static_cast<size_t>(tokens) * s.stride * bytesOf(s.out));
    EXPECT_EQ(runKernel(attention, set,
                        {qkv.data(), keys.get(), values.get(), positions.data(), starts.data(), contexts.data(),
                         table.data(), out.get()},
                        symbols, static_cast<uint32_t>(tokens * s.kvHeads), split),
              0);
    EXPECT_TRUE(out.fenceHolds() && keys.fenceHolds() && values.fenceHolds()) << attention.name;
    rotated = qkv;
    return out;
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

  const TestKernel &append, &attention;
  const TestSet &set;
  Shape s;
  std::vector<int> lengths;
  int blocks, pages;
  Buffer keys, values, qNorm, kNorm;
  std::vector<std::vector<int>> tables;
  std::vector<float> rotated; // qkv after the last step
};

// Row of attention in f64 over what the cache's type keeps of keys and values.
std::vector<double> expected(const Model &m, int sequence, int position) {
  const Shape &s = m.s;
  std::vector<double> row(static_cast<size_t>(s.kvHeads) * s.queries * s.hd);
  int from = s.window ? std::max(0, position - s.window + 1) : 0;
  for (int h = 0; h < s.kvHeads; ++h) {
    std::vector<std::vector<double>> k, v;
    for (int at = from; at <= position; ++at) {
      k.push_back(m.turned(sequence, at, h, s.queries));
      std::vector<float> t = m.token(sequence, at);
      std::vector<double> value(static_cast<size_t>(s.hd));
      for (int d = 0; d < s.hd; ++d) {
        k.back()[d] = rounded(s.cache, k.back()[d]);
        value[d] = rounded(s.cache, t[(static_cast<size_t>(h) * (s.queries + 2) + s.queries + 1) * s.hd + d]);
      }
      v.push_back(value);
    }
    for (int g = 0; g < s.queries; ++g) {
      std::vector<double> q = m.turned(sequence, position, h, g), weight(k.size());
      double most = -INFINITY, sum = 0;
      for (size_t i = 0; i < k.size(); ++i) {
        double score = 0;
        for (int d = 0; d < s.hd; ++d)
          score += q[d] * k[i][d];
        score *= s.scale;
        if (s.cap != 0)
          score = s.cap * std::tanh(score / s.cap);
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

class AttentionTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
  static std::vector<std::pair<const TestKernel *, const TestKernel *>> pairs() {
    std::vector<std::pair<const TestKernel *, const TestKernel *>> all;
    for (const TestKernel *attention : Images::get().kernels("attention"))
      all.push_back({&Images::get().kernel("append-" + attention->name.substr(10)), attention});
    return all;
  }
};

TEST_P(AttentionTest, AgreesWithSoftmaxInF64) {
  for (auto [append, attention] : pairs()) {
    // Lengths cross pages, blocks of 64, segments of 1,024 and windows.
    Model m(*append, *attention, *GetParam(), {3, 210, 1100});
    const Shape &s = m.s;
    Buffer first = m.step({{1, 0, 150}, {0, 0, 3}, {2, 0, 1090}}, 3);
    std::vector<float> qkv = m.rotated;
    Buffer second = m.step({{2, 1090, 1091}, {1, 150, 210}, {2, 1091, 1100}}, 2);
    auto check = [&](const Buffer &out, int row, int sequence, int position) {
      std::vector<double> want = expected(m, sequence, position);
      for (int c = 0; c < s.stride; ++c) {
        double got = get(out.get(), s.out, static_cast<size_t>(row) * s.stride + c);
        if (c >= static_cast<int>(want.size())) {
          ASSERT_EQ(got, 0.0) << attention->name << " padding";
          continue;
        }
        // f32 scores of size up to ~30 err by ~1e-5, which softmax passes on relative to values of size 2.5; keys and
        // values of 16 bits may round the other way than f64's where f32's last bit differs: one unit of them on one
        // key.
        double error = 6e-5 + (s.cache == kF32 ? 0.0 : 3.0 * unitOf(s.cache)) + std::fabs(want[c]) * unitOf(s.out);
        ASSERT_NEAR(got, want[c], error) << attention->name << " on " << GetParam()->name << ", sequence " << sequence
                                         << ", position " << position << ", column " << c;
      }
    };
    for (int position : {0, 1, 63, 64, 99, 100, 149})
      check(first, position, 1, position);
    for (int position : {0, 2})
      check(first, 150 + position, 0, position);
    for (int position : {0, 15, 16, 127, 1023, 1024, 1025, 1089})
      check(first, 153 + position, 2, position);
    check(second, 0, 2, 1090);
    for (int position : {150, 191, 192, 209})
      check(second, 1 + position - 150, 1, position);
    check(second, 61 + 8, 2, 1099);
  }
}

TEST_P(AttentionTest, QueriesAreTurnedInPlace) {
  for (auto [append, attention] : pairs()) {
    Model m(*append, *attention, *GetParam(), {40});
    m.step({{0, 0, 40}}, 3);
    for (int position : {0, 1, 17, 39})
      for (int h = 0; h < m.s.kvHeads; ++h)
        for (int g = 0; g < m.s.queries; ++g) {
          double largest = 0;
          std::vector<double> want = m.turned(0, position, h, g, &largest);
          for (int d = 0; d < m.s.hd; ++d)
            ASSERT_NEAR(m.rotated[(static_cast<size_t>(position) * m.s.kvHeads + h) * (m.s.queries + 2) * m.s.hd +
                                  static_cast<size_t>(g) * m.s.hd + d],
                        want[d], 1e-6 * largest)
                << append->name;
        }
  }
}

// However a prompt is cut, whatever shares its steps, and however tiles are split: the same bits.
TEST_P(AttentionTest, CutsAndCompanyChangeNoBit) {
  for (auto [append, attention] : pairs()) {
    constexpr int kLength = 1060;
    Model whole(*append, *attention, *GetParam(), {kLength});
    Buffer all = whole.step({{0, 0, kLength}}, 1);
    size_t rowBytes = all.size / kLength;
    Model cut(*append, *attention, *GetParam(), {kLength, 300});
    int other = 0;
    Numbers numbers(3);
    for (int from = 0; from < kLength;) {
      int to = std::min(kLength, from + (from > 1000 ? 1 : 1 + numbers.below(130)));
      int more = std::min(300, other + numbers.below(40));
      std::vector<Piece> pieces = {{0, from, to}};
      int row = 0;
      if (more > other) {
        bool before = numbers.below(2);
        pieces.insert(before ? pieces.begin() : pieces.end(), Piece{1, other, more});
        row = before ? more - other : 0;
        other = more;
      }
      Buffer some = cut.step(pieces, static_cast<uint32_t>(1 + numbers.below(4)));
      ASSERT_EQ(std::memcmp(some.as<uint8_t>() + static_cast<size_t>(row) * rowBytes,
                            all.as<uint8_t>() + static_cast<size_t>(from) * rowBytes,
                            static_cast<size_t>(to - from) * rowBytes),
                0)
          << attention->name << " on " << GetParam()->name << ", positions " << from << ".." << to;
      from = to;
    }
  }
}

// A negative slot appends nothing; a group's slots are its own row.
TEST_P(AttentionTest, SlotsDecideWhatIsAppended) {
  const TestKernel &kernel = Images::get().kernel("append-group1");
  constexpr int kTokens = 5, kHd = 16, kPage = 16;
  std::vector<float> qkv(kTokens * 3 * kHd), angles(kTokens * kHd);
  for (size_t i = 0; i < qkv.size(); ++i)
    qkv[i] = static_cast<float>(i);
  for (int t = 0; t < kTokens; ++t)
    for (int i = 0; i < kHd / 2; ++i)
      angles[t * kHd + i] = 1.0f; // angle 0
  std::vector<int32_t> slots = {0, 1, 2, 3, 4, 30, -1, 2, -7, 17};
  Buffer keys(2 * kPage * kHd * 4), values(2 * kPage * kHd * 4);
  ASSERT_EQ(runKernel(kernel, *GetParam(), {qkv.data(), angles.data(), slots.data(), keys.get(), values.get()},
                      {kTokens}, kTokens, 2),
            0);
  for (int slot = 0; slot < 2 * kPage; ++slot) {
    int token = slot == 30 ? 0 : slot == 2 ? 2 : slot == 17 ? 4 : -1;
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

INSTANTIATE_TEST_SUITE_P(Sets, AttentionTest, testing::ValuesIn(Images::get().setsOf("attention")),
                         [](const auto &info) { return info.param->name; });

} // namespace
