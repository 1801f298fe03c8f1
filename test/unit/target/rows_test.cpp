// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The templates that work on rows alone: embedding, rope_angles, pack_rows; and the elementary functions as the
// epilogues of linear show them.
#include "test/unit/target/reference_quantized.h"
#include <gtest/gtest.h>

using namespace ingot::test;

namespace {

class RowsTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

TEST_P(RowsTest, EmbeddingGathersFromEveryLayout) {
  for (const TestKernel *kernel : Images::get().kernels("embedding")) {
    int n = kernel->integer("n"), k = kernel->integer("k"), type = kernel->integer("weight_type");
    Numbers numbers(4);
    std::vector<double> table(static_cast<size_t>(n) * k);
    for (double &x : table)
      x = rounded(type, numbers.next());
    Buffer rowMajor(table.size() * static_cast<size_t>(bytesOf(type)));
    for (size_t i = 0; i < table.size(); ++i)
      put(rowMajor.get(), type, i, table[i]);
    Buffer packed = packWeights(table, n, k, type);
    std::vector<void *> planes = {kernel->integer("layout") == 0 ? rowMajor.get() : packed.get()};
    std::unique_ptr<QuantizedWeights> quantized;
    if (isQuantized(*kernel)) {
      quantized = std::make_unique<QuantizedWeights>(*kernel, false, 4);
      for (size_t i = 0; i < table.size(); ++i)
        table[i] = quantized->at(static_cast<int>(i) / k, static_cast<int>(i) % k);
      planes.clear();
      quantized->addTo(planes);
    }
    std::vector<int32_t> tokens = {0, n - 1, 16, -1, 3, -3, 15}, previous = {7, 5, n - 2};
    std::vector<int> ids = {0, n - 1, 16, 7, 3, n - 2, 15};
    Buffer out(tokens.size() * static_cast<size_t>(k) * 4), stats(tokens.size() * 4);
    std::vector<void *> buffers = {tokens.data(), previous.data()};
    buffers.insert(buffers.end(), planes.begin(), planes.end());
    buffers.push_back(out.get());
    buffers.push_back(stats.get());
    ASSERT_EQ(runKernel(*kernel, *GetParam(), buffers, {7}, 7, 2), 0);
    for (size_t t = 0; t < tokens.size(); ++t) {
      double squares = 0;
      for (int i = 0; i < k; ++i) {
        float got = out.as<float>()[t * k + i];
        ASSERT_EQ(got, static_cast<float>(table[static_cast<size_t>(ids[t]) * k + i] * kernel->real("scale")))
            << kernel->name << " token " << t << " column " << i;
        squares += double(got) * got;
      }
      if (kernel->integer("stats")) {
        ASSERT_NEAR(stats.as<float>()[t], squares, 1e-6 * squares);
      } else {
        ASSERT_TRUE(std::isnan(stats.as<float>()[t]));
      }
    }
    tokens[2] = n;
    EXPECT_EQ(runKernel(*kernel, *GetParam(), buffers, {7}, 7, 3), 1) << "an id past the table";
    tokens[2] = -2;
    previous[1] = -4;
    EXPECT_EQ(runKernel(*kernel, *GetParam(), buffers, {7}, 7, 1), 1) << "a previous id before the table";
  }
}

TEST_P(RowsTest, PackRowsNormalizesAndRoundsOnce) {
  for (const TestKernel *kernel : Images::get().kernels("pack_rows")) {
    int k = kernel->integer("k"), padded = kernel->integer("k_padded"), type = kernel->integer("type"),
        partials = kernel->integer("partials");
    constexpr int kRows = 9;
    Numbers numbers(4);
    std::vector<float> in(static_cast<size_t>(kRows) * k), stats(static_cast<size_t>(kRows) * std::max(partials, 1)),
        gamma(static_cast<size_t>(k));
    for (float &x : in)
      x = static_cast<float>(numbers.next() * 3);
    for (float &x : stats)
      x = static_cast<float>(std::fabs(numbers.next()) * 20);
    for (float &x : gamma)
      x = static_cast<float>(1 + numbers.next());
    Buffer out(static_cast<size_t>(kRows) * padded * bytesOf(type));
    std::vector<void *> buffers = {in.data()};
    if (partials) {
      buffers.push_back(stats.data());
      buffers.push_back(gamma.data());
    }
    buffers.push_back(out.get());
    ASSERT_EQ(runKernel(*kernel, *GetParam(), buffers, {kRows}, kRows, 2), 0);
    for (int r = 0; r < kRows; ++r) {
      double squares = 0;
      for (int i = 0; i < partials; ++i)
        squares += stats[static_cast<size_t>(r) * partials + i];
      for (int i = 0; i < padded; ++i) {
        double got = get(out.get(), type, static_cast<size_t>(r) * padded + i);
        double want = i < k ? in[static_cast<size_t>(r) * k + i] : 0.0;
        if (!partials || i >= k) {
          ASSERT_EQ(got, rounded(type, want)) << kernel->name;
          continue;
        }
        want *= gamma[i] / std::sqrt(squares / k + kernel->real("eps"));
        // Half a unit of the type, and a few of f32 before.
        ASSERT_NEAR(got, want, std::fabs(want) * (unitOf(type) + 6 * 0x1p-24)) << kernel->name;
      }
    }
    EXPECT_TRUE(out.fenceHolds());
  }
}

TEST_P(RowsTest, RopeAnglesAtAnyPosition) {
  for (const TestKernel *kernel : Images::get().kernels("rope_angles")) {
    int half = kernel->integer("half"), kind = kernel->integer("kind"), original = kernel->integer("original");
    // Sequences: one short, one past `original`, one that starts far out.
    std::vector<int32_t> positions = {0, 1, 2, 15, 16, 17, 1000, 4095, 131071, 999999}, starts = {0, 3, 6, 10},
                         lengths = {16, 18, 1000000};
    std::vector<float> shorter, longer;
    for (int i = 0; i < half; ++i) {
      shorter.push_back(static_cast<float>(std::pow(10000.0, -double(i) / half)));
      longer.push_back(static_cast<float>(std::pow(10000.0, -double(i) / half) / (1.0 + i)));
    }
    Buffer out(positions.size() * 2 * static_cast<size_t>(half) * 4);
    std::vector<void *> buffers = {positions.data(), starts.data(), lengths.data(), shorter.data()};
    if (kind == 2)
      buffers.push_back(longer.data());
    buffers.push_back(out.get());
    ASSERT_EQ(runKernel(*kernel, *GetParam(), buffers, {10, 3}, 10, 3), 0);
    for (size_t t = 0; t < positions.size(); ++t) {
      int length = lengths[t < 3 ? 0 : t < 6 ? 1 : 2];
      bool past = kind != 0 && length > original;
      for (int i = 0; i < half; ++i) {
        float frequency = shorter[i];
        double factor = kernel->real("attention_factor");
        if (past && kind == 1) {
          double dim = 2.0 * half, f = kernel->real("factor");
          double base = kernel->real("base") * std::pow(f * length / original - (f - 1), dim / (dim - 2));
          frequency = static_cast<float>(std::pow(base, -2.0 * i / dim));
        }
        if (past && kind == 2) {
          frequency = longer[i];
          factor = kernel->real("long_attention_factor");
        }
        // The f32 product is the angle, as the models' own code has it. Dynamic frequencies may differ in their last
        // bit.
        double angle = static_cast<float>(positions[t]) * frequency;
        double error = 1.5e-7 * factor + (past && kind == 1 ? angle * 0x1p-23 : 0.0);
        ASSERT_NEAR(out.as<float>()[t * 2 * half + i], std::cos(angle) * factor, error)
            << kernel->name << " position " << positions[t] << " frequency " << i;
        ASSERT_NEAR(out.as<float>()[t * 2 * half + half + i], std::sin(angle) * factor, error);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, RowsTest, testing::ValuesIn(Images::get().setsOf("embedding")), [](const auto &info) { return info.param->name; });

} // namespace
