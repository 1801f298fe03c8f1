// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape arithmetic of importers, written as text and read again: random expressions have the value that integer arithmetic gives,
// however they were simplified and wherever parentheses were left out.
#include "compiler/import/dimension.h"
#include "dialects/ingot/SymbolExpr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

using namespace ingot;

namespace {

constexpr int64_t kA = 37, kB = 5;
// What a and b stand for: these, nothing, and more and less of each.
constexpr std::array<std::pair<int64_t, int64_t>, 8> kPoints = {{{kA, kB}, {0, 0}, {1, 0}, {0, 5}, {3, 2}, {17, 40}, {128, 7}, {1000, 999}}};

struct Case {
  Dimension dimension;
  std::array<int64_t, kPoints.size()> values;
};

int64_t floorOf(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0); } // b > 0

Case grow(std::mt19937 &random, int depth) {
  auto upTo = [&](int64_t most) { return int64_t(random() % uint64_t(most + 1)); };
  auto make = [](const Dimension &dimension, auto valueOf) {
    Case made{dimension, {}};
    for (size_t i = 0; i < kPoints.size(); ++i)
      made.values[i] = valueOf(i);
    return made;
  };
  if (depth == 0) {
    const int64_t number = upTo(9);
    return number < 3   ? make(Dimension::symbol("a"), [](size_t i) { return kPoints[i].first; })
           : number < 5 ? make(Dimension::symbol("b"), [](size_t i) { return kPoints[i].second; })
                        : make(number, [&](size_t) { return number; });
  }
  Case x = grow(random, depth - 1), y = grow(random, depth - 1);
  const int64_t divisor = 1 + upTo(5);
  switch (upTo(7)) {
  case 0: return make(x.dimension + y.dimension, [&](size_t i) { return x.values[i] + y.values[i]; });
  case 1: return make(x.dimension - y.dimension, [&](size_t i) { return x.values[i] - y.values[i]; });
  case 2: return make(x.dimension * Dimension(divisor), [&](size_t i) { return x.values[i] * divisor; });
  case 3: return make(Dimension::max(x.dimension, y.dimension), [&](size_t i) { return std::max(x.values[i], y.values[i]); });
  case 4: return make(Dimension::min(x.dimension, y.dimension), [&](size_t i) { return std::min(x.values[i], y.values[i]); });
  case 5: return make(Dimension::floorDiv(x.dimension, divisor), [&](size_t i) { return floorOf(x.values[i], divisor); });
  case 6: // of a window, as convolutions make sizes of sizes
    return make(Dimension::max(Dimension::floorDiv(x.dimension - divisor, 2) + 1, 0),
                [&](size_t i) { return std::max<int64_t>(floorOf(x.values[i] - divisor, 2) + 1, 0); });
  default:
    return make(Dimension::mod(x.dimension, divisor), [&](size_t i) { return x.values[i] - floorOf(x.values[i], divisor) * divisor; });
  }
}

int64_t valueOf(const std::string &text, std::pair<int64_t, int64_t> point = {kA, kB}) {
  std::string why;
  std::optional<ir::SymbolExpr> expression = ir::SymbolExpr::parse(text, why);
  EXPECT_TRUE(expression) << text << ": " << why;
  return expression ? expression->evaluate([&](llvm::StringRef name) { return name == "a" ? point.first : point.second; }).value_or(-1) : -1;
}

TEST(Dimension, TextHasTheValueOfTheArithmetic) {
  std::mt19937 random(7);
  for (int i = 0; i < 4000; ++i) {
    Case made = grow(random, 1 + i % 5);
    for (size_t p = 0; p < kPoints.size(); ++p)
      ASSERT_EQ(valueOf(made.dimension.text(), kPoints[p]), made.values[p]) << made.dimension.text() << " at point " << p;
  }
}

TEST(Dimension, BoundsHold) {
  std::mt19937 random(11);
  for (int i = 0; i < 4000; ++i) {
    Case made = grow(random, 1 + i % 5);
    for (int64_t value : made.values) {
      if (auto least = made.dimension.least())
        ASSERT_LE(*least, value) << made.dimension.text();
      if (auto most = made.dimension.most())
        ASSERT_GE(*most, value) << made.dimension.text();
    }
  }
}

// Lengths behind convolutions, each of which gives nothing where its window does not fit, and as torch.export simplifies them: one quotient,
// whether it rounds down or towards 0.
TEST(Dimension, LengthsBehindConvolutionsAreOneQuotient) {
  const Dimension samples = Dimension::symbol("a");
  auto convolved = [](const Dimension &length, int64_t window, int64_t stride) {
    return Dimension::max(Dimension::floorDiv(length - window, stride) + 1, 0);
  };
  const Dimension length = convolved(convolved(convolved(samples, 127, 64), 7, 3), 3, 2), rest = samples - 127;
  EXPECT_EQ(length.text(), Dimension::max(Dimension::floorDiv(rest, 384) - 1, 0).text());
  const Dimension towardsZero = Dimension::floorDiv(Dimension::max(rest, 0), 384) - Dimension::floorDiv(Dimension::max(Dimension(0) - rest, 0), 384);
  EXPECT_EQ(length.text(), Dimension::max(towardsZero - 1, 0).text());
}

// Padded to the next multiple of a window, parted in windows, put together again; rolled by two.
TEST(Dimension, WindowsComeOutEven) {
  const Dimension size = Dimension::floorDiv(Dimension::symbol("a"), 2);
  const Dimension padding = Dimension::mod(Dimension(4) - Dimension::mod(size, 4), 4), padded = size + padding;
  EXPECT_EQ(valueOf(padded.text()), (kA / 2 + 3) / 4 * 4);
  EXPECT_EQ(padding.least(), 0);
  EXPECT_TRUE(Dimension::floorDiv(padded, 4) * Dimension(4) == padded);
  const Dimension cut = Dimension::min(padded, 2);
  EXPECT_TRUE(Dimension::max(padded - cut, 0) + cut == padded);
}

// What hostile files sum up wraps; dividing it neither traps nor goes beyond what an integer holds.
TEST(Dimension, TheLeastNumberIsDivided) {
  const Dimension least(INT64_MIN);
  EXPECT_EQ(Dimension::floorDiv(least, 3).constant(), INT64_MIN / 3 - 1);
  EXPECT_EQ(Dimension::mod(least, 3).constant(), 1); // -2^63 = 3 * -3074457345618258603 + 1
  EXPECT_EQ(Dimension::mod(least, -1).constant(), 0);
  EXPECT_EQ(Dimension::floorDiv(least, -1).constant(), INT64_MIN); // wraps
  EXPECT_EQ(Dimension::floorDiv(Dimension(-7), 2).constant(), -4);
  EXPECT_EQ(Dimension::mod(Dimension(-7), 2).constant(), 1);
  EXPECT_EQ(Dimension::mod(Dimension(7), -2).constant(), -1);
}

TEST(Dimension, OperandsMayHaveNames) {
  // What a convolution makes of a length that another made: (max(a - 1, 0) + 1 - 3) / 2 + 1.
  Dimension inner = Dimension::max(Dimension::symbol("a") - 7, 0) + 1;
  Dimension outer = Dimension::floorDiv(inner, 2);
  EXPECT_EQ(valueOf(outer.text()), (kA - 7 + 1) / 2);
  EXPECT_EQ(outer.text([](const Dimension &operand) { return operand.isConstant() ? operand.text() : "b"; }), "(b floordiv 2)");
}

} // namespace
