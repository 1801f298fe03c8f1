// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recipes: every step against the layout as docs/spec/engine.md states it, evaluated whole and in slices.
#include "compiler/engine/element.h"
#include "compiler/engine/recipe.h"

#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <limits>
#include <unistd.h>

using namespace ingot;
using namespace ingot::engine;

namespace {

// A constant whose element (row, column) is base + 100 * row + column.
std::shared_ptr<Recipe> numbered(ElementType type, int64_t rows, int64_t columns, float base = 0) {
  std::vector<float> values;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      values.push_back(base + float(100 * r + c));
  std::vector<uint8_t> bytes(values.size() * elementBytes(type));
  fromFloat(type, values.data(), bytes.data(), int64_t(values.size()));
  return Recipe::constant(type, rows, columns, bytes);
}

std::vector<float> evaluate(const Recipe &recipe, int64_t step) {
  TensorReader reader(0);
  std::vector<uint8_t> bytes(recipe.storedBytes());
  for (int64_t first = 0; first < recipe.units(); first += step)
    EXPECT_EQ(recipe.evaluate(reader, first, std::min(step, recipe.units() - first),
                              bytes.data() + uint64_t(first) * recipe.unitBytes()),
              "");
  std::vector<float> values(bytes.size() / elementBytes(recipe.type));
  toFloat(recipe.type, bytes.data(), values.data(), int64_t(values.size()));
  return values;
}

TEST(Recipe, PacksPanelsOfSixteenRows) {
  auto recipe = Recipe::pack(numbered(ElementType::f32, 21, 5), Recipe::Layout::n16k);
  std::vector<float> values = evaluate(*recipe, 1);
  ASSERT_EQ(values.size(), 2u * 5 * 16);
  for (int64_t n = 0; n < 32; ++n)
    for (int64_t k = 0; k < 5; ++k)
      EXPECT_EQ(values[size_t((n / 16 * 5 + k) * 16 + n % 16)], n < 21 ? float(100 * n + k) : 0) << n << " " << k;
}

TEST(Recipe, PacksPairsOfSixteenBitValues) {
  for (int64_t columns : {5, 6, 32, 33}) {
    auto recipe = Recipe::pack(numbered(ElementType::f16, 17, columns), Recipe::Layout::n16k2);
    std::vector<float> values = evaluate(*recipe, 3);
    const int64_t padded = (columns + 31) / 32 * 32;
    ASSERT_EQ(int64_t(values.size()), 2 * padded * 16);
    for (int64_t n = 0; n < 32; ++n)
      for (int64_t k = 0; k < padded; ++k)
        EXPECT_EQ(values[size_t(n / 16 * padded * 16 + k / 2 * 32 + n % 16 * 2 + k % 2)],
                  n < 17 && k < columns ? float(100 * n + k) : 0)
            << n << " " << k;
  }
}

TEST(Recipe, InterleavesBlocksAndPadsTheLast) {
  auto recipe = Recipe::interleave({numbered(ElementType::f32, 20, 2), numbered(ElementType::f32, 20, 2, 10000)}, 16);
  ASSERT_EQ(recipe->rows, 64);
  for (int64_t step : {1, 7, 64}) {
    std::vector<float> values = evaluate(*recipe, step);
    for (int64_t row = 0; row < 64; ++row) {
      int64_t source = row / 32 * 16 + row % 16;
      float base = row / 16 % 2 ? 10000 : 0;
      for (int64_t c = 0; c < 2; ++c)
        EXPECT_EQ(values[size_t(row * 2 + c)], source < 20 ? base + float(100 * source + c) : 0) << row;
    }
  }
}

TEST(Recipe, ConcatenatesSegmentsInTheirOrder) {
  auto a = numbered(ElementType::bf16, 4, 3), b = numbered(ElementType::bf16, 2, 3, 1000);
  auto recipe = Recipe::concat({a, b}, {{0, 0, 2}, {1, 0, 1}, {0, 2, 2}, {1, 1, 1}});
  const float firsts[] = {0, 100, 1000, 200, 300, 1104}; // bf16 keeps 8 bits: 1100 = 137.5 * 8 rounds to 138 * 8
  for (int64_t step : {1, 4, 6}) {
    std::vector<float> values = evaluate(*recipe, step);
    for (int row = 0; row < 6; ++row)
      EXPECT_EQ(values[size_t(row * 3)], firsts[row]);
  }
}

TEST(Element, RoundsToNearestEven) {
  EXPECT_EQ(floatToBf16(1.0f), 0x3f80);
  EXPECT_EQ(floatToBf16(1.00390625f), 0x3f80);  // half way: to even
  EXPECT_EQ(floatToBf16(1.01171875f), 0x3f82);  // half way: to even, upwards
  EXPECT_EQ(floatToBf16(3.4e38f), 0x7f80);      // rounds past the largest: infinity
  EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBf16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(f16ToFloat(0x0001), std::ldexp(1.0f, -24)); // smallest subnormal
  EXPECT_EQ(floatToF16(65520.0f), 0x7c00);              // half way past the largest: infinity
}

TEST(TensorReader, NamesTheTensorWhenTheFileEnds) {
  char path[] = "/tmp/recipe_testXXXXXX";
  int descriptor = mkstemp(path);
  ASSERT_EQ(write(descriptor, "12345678", 8), 8);
  close(descriptor);
  TensorSource source{"model.norm.weight", ElementType::f32, {4}, path, 0, 16};
  TensorReader reader(0);
  ASSERT_EQ(reader.open(source), "");
  float out[4];
  std::string error = reader.read(source, 0, 4, out);
  EXPECT_NE(error.find("ended while tensor model.norm.weight was read: expected 8 more bytes"), std::string::npos) << error;
  unlink(path);
}

TEST(TensorReader, DummyValuesDependOnSeedNameAndRowAlone) {
  TensorSource source{"w", ElementType::f32, {64, 256}, "", 0, 0};
  std::vector<float> all(64 * 256), one(256), other(256);
  ASSERT_EQ(TensorReader(1).read(source, 0, 64, all.data()), "");
  ASSERT_EQ(TensorReader(1).read(source, 13, 1, one.data()), "");
  ASSERT_EQ(TensorReader(2).read(source, 13, 1, other.data()), "");
  EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + 13 * 256));
  EXPECT_NE(one, other);
  double sum = 0, squares = 0;
  for (float value : all)
    sum += value, squares += double(value) * value;
  // 16,384 draws: the mean's standard error is 0.0005, the deviation's 0.6%.
  EXPECT_NEAR(sum / 16384, 0, 0.003);
  EXPECT_NEAR(std::sqrt(squares / 16384), 1.0 / 16, 0.002);
}

} // namespace
