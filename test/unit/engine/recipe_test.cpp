// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recipes: every step against the layout as docs/spec/engine.md states it, evaluated whole and in slices.
#include "compiler/engine/element.h"
#include "compiler/engine/recipe.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
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
  EXPECT_EQ(floatToBf16(1.00390625f), 0x3f80); // half way: to even
  EXPECT_EQ(floatToBf16(1.01171875f), 0x3f82); // half way: to even, upwards
  EXPECT_EQ(floatToBf16(3.4e38f), 0x7f80);     // rounds past the largest: infinity
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
  EXPECT_NE(error.find("ended while tensor model.norm.weight was read: expected 8 more bytes"), std::string::npos)
      << error;
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

// A weight [rows, columns] of f32 and its planes as bytes.
struct Planes {
  std::vector<uint8_t> values, scales, zeros;
};

std::vector<uint8_t> bytesOf(const Recipe &recipe, int64_t step, QuantizationError *error = nullptr) {
  TensorReader reader(0);
  std::vector<uint8_t> bytes(recipe.storedBytes());
  for (int64_t first = 0; first < recipe.units(); first += step)
    EXPECT_EQ(recipe.evaluate(reader, first, std::min(step, recipe.units() - first),
                              bytes.data() + uint64_t(first) * recipe.unitBytes(), error),
              "");
  return bytes;
}

Planes quantized(const std::vector<float> &w, int64_t rows, int64_t columns, Quantization how,
                 QuantizationError *error = nullptr) {
  std::vector<uint8_t> bytes(w.size() * 4);
  std::memcpy(bytes.data(), w.data(), bytes.size());
  auto quantize = Recipe::quantize(Recipe::constant(ElementType::f32, rows, columns, bytes), how);
  Planes planes;
  planes.values =
      bytesOf(*Recipe::pack(quantize, how.bits == 4 ? Recipe::Layout::n16k8 : Recipe::Layout::n16k4), 1, error);
  planes.scales = bytesOf(*Recipe::packGroups(quantize, GroupPlane::scales), 2);
  if (how.asym)
    planes.zeros = bytesOf(*Recipe::packGroups(quantize, GroupPlane::zeros), 3);
  return planes;
}

// u[row][k] of values packed as docs/spec/engine.md draws them.
unsigned valueAt(const Planes &planes, const Quantization &how, int64_t columns, int64_t row, int64_t k) {
  const int64_t padded = (columns + 63) / 64 * 64, panel = row / 16, c = row % 16;
  if (how.bits == 8)
    return planes.values[size_t(((panel * (padded / 4) + k / 4) * 16 + c) * 4 + k % 4)];
  uint8_t both = planes.values[size_t(((panel * (padded / 8) + k / 8) * 16 + c) * 4 + k % 4)];
  return k % 8 < 4 ? both & 15 : both >> 4;
}

// What MatMulNBits holds (onnxruntime, docs/ContribOperators.md): two codes a byte, the first in the low half; (code -
// 8) * scale.
TEST(Assemble, TakesCodesAndScalesAsTheyAre) {
  const int64_t rows = 17, columns = 40; // two blocks of 32, of which the second is padded
  std::vector<uint8_t> bytes(size_t(rows) * 32), scaleBytes(size_t(rows) * 2 * 4);
  std::vector<float> scales(size_t(rows) * 2);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = uint8_t(i * 37 + 5);
  for (size_t i = 0; i < scales.size(); ++i)
    scales[i] = 0.1f + float(i); // no f16
  std::memcpy(scaleBytes.data(), scales.data(), scaleBytes.size());
  auto packed = Recipe::constant(ElementType::u8, rows, 32, bytes);
  auto codes = Recipe::unpackBits(packed, ElementType::u8, 4, columns);
  auto of = Recipe::constant(ElementType::f32, rows, 2, scaleBytes);
  Quantization how{4, 32, ElementType::f32, false};
  auto weight = Recipe::assemble(codes, of, nullptr, 32, 8, &how);
  Planes planes;
  planes.values = bytesOf(*Recipe::pack(weight, Recipe::Layout::n16k8), 1);
  planes.scales = bytesOf(*Recipe::packGroups(weight, GroupPlane::scales), 1);
  auto floats = bytesOf(*Recipe::assemble(codes, of, nullptr, 32, 8, nullptr), 5);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < columns; ++k) {
      const uint8_t byte = bytes[size_t(row * 32 + k / 2)];
      const unsigned code = k % 2 ? byte >> 4 : byte & 15;
      ASSERT_EQ(valueAt(planes, how, columns, row, k), code) << row << ", " << k;
      float held, number;
      std::memcpy(&held, planes.scales.data() + size_t((row / 16 * 2 + k / 32) * 16 + row % 16) * 4, 4);
      std::memcpy(&number, floats.data() + size_t(row * columns + k) * 4, 4);
      ASSERT_EQ(held, scales[size_t(row * 2 + k / 32)]);
      ASSERT_EQ(number, (float(code) - 8.0f) * held);
    }
}

// Signed codes begin at the middle; a scale and a zero point of all rows; blocks that are larger than groups; sums of u
// - z.
TEST(Assemble, ShiftsSignedCodesAndRepeatsParameters) {
  const int64_t rows = 3, columns = 256;
  std::vector<uint8_t> codes(size_t(rows * columns));
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = uint8_t(i * 7); // as i8, all of them
  const float one[] = {0.5f, 2.0f};
  std::vector<uint8_t> scale(8);
  std::memcpy(scale.data(), one, 8);
  auto of = Recipe::constant(ElementType::i8, rows, columns, codes);
  Quantization how{8, 64, ElementType::f32, true};
  auto weight = Recipe::assemble(of, Recipe::constant(ElementType::f32, 1, 2, scale),
                                 Recipe::constant(ElementType::i8, 1, 1, {0xfd}), 128, 0, &how); // -3
  Planes planes;
  planes.values = bytesOf(*Recipe::pack(weight, Recipe::Layout::n16k4), 1);
  planes.scales = bytesOf(*Recipe::packGroups(weight, GroupPlane::scales), 1);
  planes.zeros = bytesOf(*Recipe::packGroups(weight, GroupPlane::zeros), 1);
  auto sums = bytesOf(*Recipe::packGroups(weight, GroupPlane::sums), 1);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t group = 0; group < 4; ++group) {
      int32_t sum = 0, found;
      for (int64_t k = group * 64; k < (group + 1) * 64; ++k) {
        const int code = int8_t(codes[size_t(row * columns + k)]);
        ASSERT_EQ(valueAt(planes, how, columns, row, k), unsigned(code + 128));
        sum += code + 3;
      }
      float held;
      std::memcpy(&held, planes.scales.data() + size_t(group * 16 + row) * 4, 4);
      std::memcpy(&found, sums.data() + size_t(group * 16 + row) * 4, 4);
      EXPECT_EQ(held, one[group / 2]);
      EXPECT_EQ(planes.zeros[size_t(group * 16 + row)], 125);
      EXPECT_EQ(found, sum);
    }
}

// Joined weights hold what each of them holds.
TEST(Assemble, IsJoinedRowByRow) {
  Quantization how{8, 0, ElementType::f32, false};
  auto weightOf = [&](uint8_t code, float scale) {
    std::vector<uint8_t> bytes(4);
    std::memcpy(bytes.data(), &scale, 4);
    return Recipe::assemble(Recipe::constant(ElementType::u8, 16, 4, std::vector<uint8_t>(64, code)),
                            Recipe::constant(ElementType::f32, 1, 1, bytes), nullptr, 0, 128, &how);
  };
  auto joined = Recipe::interleave({weightOf(7, 0.25f), weightOf(9, 4.0f)}, 8);
  ASSERT_TRUE(joined->quantized);
  Planes planes;
  planes.values = bytesOf(*Recipe::pack(joined, Recipe::Layout::n16k4), 1);
  planes.scales = bytesOf(*Recipe::packGroups(joined, GroupPlane::scales), 1);
  for (int64_t row = 0; row < 32; ++row) {
    const bool second = row / 8 % 2;
    float held;
    std::memcpy(&held, planes.scales.data() + size_t(row) * 4, 4);
    EXPECT_EQ(valueAt(planes, how, 4, row, 3), second ? 9u : 7u);
    EXPECT_EQ(held, second ? 4.0f : 0.25f);
  }
}

TEST(Quantize, RoundsToNearestEvenAgainstAScaleOfOne) {
  // The largest magnitude makes each scale exactly 1.
  std::vector<float> w = {7, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -7, 0};
  const unsigned four[] = {15, 8, 10, 10, 8, 6, 1, 8};
  Quantization how{4, 32, ElementType::f16, false};
  Planes planes = quantized(w, 1, 8, how);
  for (int64_t k = 0; k < 8; ++k)
    EXPECT_EQ(valueAt(planes, how, 8, 0, k), four[k]) << k;
  EXPECT_EQ(planes.scales[0] | planes.scales[1] << 8, 0x3c00); // 1 in f16

  // lo = -3, hi = 12: a scale of 1 and zero point 3.
  w = {-3, 12, 0.5f, 1.5f, -2.5f, 0, 11.6f, -0.4f};
  const unsigned asym[] = {0, 15, 3, 5, 1, 3, 15, 3};
  how.asym = true;
  planes = quantized(w, 1, 8, how);
  for (int64_t k = 0; k < 8; ++k)
    EXPECT_EQ(valueAt(planes, how, 8, 0, k), asym[k]) << k;
  EXPECT_EQ(planes.zeros[0], 3);

  w = {127, -127, 62.5f, 63.5f, -0.5f, 0.49f, -126.51f, 0};
  const unsigned eight[] = {255, 1, 190, 192, 128, 128, 1, 128};
  how = {8, 0, ElementType::f32, false};
  QuantizationError error;
  planes = quantized(w, 1, 8, how, &error);
  for (int64_t k = 0; k < 8; ++k)
    EXPECT_EQ(valueAt(planes, how, 8, 0, k), eight[k]) << k;
  // Errors by hand: 0.5, 0.5, 0.5, 0.49, 0.49.
  double squares = 2 * 127.0 * 127 + 62.5 * 62.5 + 63.5 * 63.5 + 0.25 + 0.49 * 0.49 + 126.51 * 126.51;
  EXPECT_NEAR(error.relative(), std::sqrt((3 * 0.25 + 2 * 0.49 * 0.49) / squares), 1e-7);
  EXPECT_EQ(error.most, 0.5);
}

// Every value against the formula in f64: no other integer is nearer to w / s, s is within half a unit of f16 (2^-11)
// of the largest magnitude over 7, or equal to the f32 quotient.
TEST(Quantize, IsNearestInEveryGroupOfRaggedSizes) {
  const int64_t rows = 21, columns = 70;
  std::vector<float> w(rows * columns);
  for (size_t i = 0; i < w.size(); ++i)
    w[i] = std::sin(float(i) * 1.7f) * (1 + float(i % 13)) * 0.01f;
  for (Quantization how :
       {Quantization{8, 0, ElementType::f32, false}, Quantization{8, 64, ElementType::f16, false},
        Quantization{4, 32, ElementType::f16, false}, Quantization{4, 128, ElementType::f16, false}}) {
    Planes planes = quantized(w, rows, columns, how);
    const int64_t size = how.groupSize(columns), groups = how.groups(columns);
    const double most = how.bits == 4 ? 7 : 127;
    for (int64_t row = 0; row < 32; ++row)
      for (int64_t g = 0; g < groups; ++g) {
        const int64_t index = (row / 16 * groups + g) * 16 + row % 16, end = std::min(columns, (g + 1) * size);
        float s;
        toFloat(how.scale, planes.scales.data() + index * int64_t(elementBytes(how.scale)), &s, 1);
        double largest = 0;
        for (int64_t k = g * size; row < rows && k < end; ++k)
          largest = std::max(largest, std::fabs(double(w[size_t(row * columns + k)])));
        EXPECT_NEAR(s, largest / most, largest / most * (how.scale == ElementType::f16 ? 0x1p-11 : 0x1p-24)) << row;
        for (int64_t k = g * size; row < rows && k < end; ++k) {
          const double ratio = double(w[size_t(row * columns + k)]) / s;
          const double q = double(valueAt(planes, how, columns, row, k)) - (most + 1);
          EXPECT_LE(std::fabs(q), most);
          EXPECT_LE(std::fabs(q - std::clamp(ratio, -most, most)), 0.5 + 1e-5)
              << how.scheme() << " " << row << " " << k;
        }
      }
    // Outside the weight stands what means zero.
    for (auto [row, k] : {std::pair<int64_t, int64_t>{0, 70}, {20, 127}, {21, 0}, {31, 127}})
      EXPECT_EQ(valueAt(planes, how, columns, row, k), unsigned(most + 1)) << how.scheme();
  }
}

TEST(Quantize, KeepsZerosAndRefusesWhatIsNotFinite) {
  Quantization how{4, 32, ElementType::f16, true};
  Planes planes = quantized(std::vector<float>(40, 0.0f), 1, 40, how);
  EXPECT_EQ(std::count(planes.scales.begin(), planes.scales.end(), 0), int64_t(planes.scales.size()));
  EXPECT_EQ(std::count(planes.values.begin(), planes.values.end(), 0), int64_t(planes.values.size()));
  how = {8, 0, ElementType::f32, false};
  planes = quantized(std::vector<float>(40, 0.0f), 1, 40, how);
  EXPECT_EQ(std::count(planes.values.begin(), planes.values.end(), 128), int64_t(planes.values.size()));

  TensorReader reader(0);
  for (float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<uint8_t> bytes(8, 0), out(1024);
    std::memcpy(bytes.data() + 4, &bad, 4);
    auto recipe =
        Recipe::pack(Recipe::quantize(Recipe::constant(ElementType::f32, 2, 1, bytes), how), Recipe::Layout::n16k4);
    EXPECT_EQ(
        recipe->evaluate(reader, 0, 1, out.data()),
        "cannot store  as int8:channel: row 1 holds a value that is not finite or too large for the scale's type; "
        "expected finite weights");
  }
  // Wherever in a row it stands.
  for (float bad : {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    for (int64_t at = 0; at < 21; ++at) {
      std::vector<float> w(21, 0.5f), scale(1);
      w[size_t(at)] = bad;
      std::vector<uint8_t> u(21), zero(1);
      EXPECT_FALSE(quantizeRow(how, w.data(), 21, u.data(), scale.data(), zero.data())) << at;
      w[size_t(at)] = -3;
      EXPECT_TRUE(quantizeRow(how, w.data(), 21, u.data(), scale.data(), zero.data())) << at;
      EXPECT_EQ(scale[0], 3.0f / 127.0f) << at;
    }
}

// The least scale of f16 is 2^-24: groups of smaller weights keep what that leaves, and no scale is much below the nearest, which would cut weights off.
TEST(Quantize, KeepsGroupsOfTinyWeights) {
  for (const Quantization &how : {Quantization{8, 32, ElementType::f16, false}, Quantization{4, 32, ElementType::f16, false}})
    for (float largest : {1e-4f, 1e-5f, 1e-6f, 2e-7f}) {
      std::vector<float> w(32), scale(1);
      for (size_t i = 0; i < w.size(); ++i)
        w[i] = largest * (float(i) - 15.5f) / 15.5f;
      std::vector<uint8_t> u(32), zero(1);
      ASSERT_TRUE(quantizeRow(how, w.data(), 32, u.data(), scale.data(), zero.data()));
      const float most = how.bits == 4 ? 7 : 127;
      EXPECT_GE(scale[0] * most, largest * 0.998f) << how.scheme() << " " << largest;
      for (size_t i = 0; i < w.size(); ++i) // half a step, and what f16 rounds a normal scale by
        EXPECT_NEAR(scale[0] * (float(u[i]) - most - 1), w[i], scale[0] * 0.5f + largest * 0x1p-10f) << how.scheme() << " " << largest << " " << i;
    }
}

TEST(Recipe, RefusesWhatIsBeyondF16) {
  TensorReader reader(0);
  for (float largest : {65504.0f, 65520.0f}) { // the largest number, and what rounds to infinity
    std::vector<uint8_t> bytes(8, 0), out(4096);
    std::memcpy(bytes.data() + 4, &largest, 4);
    auto recipe = Recipe::pack(Recipe::cast(Recipe::constant(ElementType::f32, 2, 1, bytes), ElementType::f16), Recipe::Layout::n16k2);
    EXPECT_EQ(recipe->evaluate(reader, 0, 1, out.data()),
              largest < 65510 ? "" : "cannot store  as f16: row 1 holds a value that is not finite or beyond f16's largest number, 65504; store it as f32 or bf16 (--weights, or --rules for this tensor)");
  }
}

// What rounding cost, against sums in f64 over rows that fill no vector.
TEST(Quantize, MeasuresEveryColumn) {
  Quantization how{8, 0, ElementType::f32, false};
  for (int64_t columns : {1, 3, 4, 7, 30}) {
    std::vector<float> w, scale(1);
    for (int64_t k = 0; k < columns; ++k)
      w.push_back(std::sin(float(k) * 2.3f + 1));
    std::vector<uint8_t> u(static_cast<size_t>(columns)), zero(1);
    ASSERT_TRUE(quantizeRow(how, w.data(), columns, u.data(), scale.data(), zero.data()));
    QuantizationError error;
    measureRow(how, w.data(), columns, u.data(), scale.data(), zero.data(), error);
    double squares = 0, lost = 0, most = 0;
    for (size_t k = 0; k < w.size(); ++k) {
      double e = (double(u[k]) - 128) * double(scale[0]) - double(w[k]);
      squares += double(w[k]) * double(w[k]);
      lost += e * e;
      most = std::max(most, std::fabs(e));
    }
    // The error of one product and one difference in f32 of values up to 1.
    EXPECT_NEAR(error.most, most, 0x1p-22);
    EXPECT_NEAR(error.squares, squares, 1e-12);
    EXPECT_NEAR(std::sqrt(error.errorSquares), std::sqrt(lost), 0x1p-22 * std::sqrt(double(columns)));
  }
}

} // namespace
