// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape arithmetic of importers, written as text and read again: random expressions have the value that integer arithmetic gives,
// however they were simplified and wherever parentheses were left out.
#include "compiler/import/dimension.h"
#include "dialects/ingot/SymbolExpr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace ingot;

namespace {

constexpr int64_t kA = 37, kB = 5;

struct Case {
  Dimension dimension;
  int64_t value; // for a = kA, b = kB
};

int64_t floorOf(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0); } // b > 0

Case grow(std::mt19937 &random, int depth) {
  auto upTo = [&](int64_t most) { return int64_t(random() % uint64_t(most + 1)); };
  if (depth == 0) {
    const int64_t number = upTo(9);
    return number < 3 ? Case{Dimension::symbol("a"), kA} : number < 5 ? Case{Dimension::symbol("b"), kB} : Case{number, number};
  }
  Case x = grow(random, depth - 1), y = grow(random, depth - 1);
  const int64_t divisor = 1 + upTo(5);
  switch (upTo(6)) {
  case 0: return {x.dimension + y.dimension, x.value + y.value};
  case 1: return {x.dimension - y.dimension, x.value - y.value};
  case 2: return {x.dimension * Dimension(divisor), x.value * divisor};
  case 3: return {Dimension::max(x.dimension, y.dimension), std::max(x.value, y.value)};
  case 4: return {Dimension::min(x.dimension, y.dimension), std::min(x.value, y.value)};
  case 5: return {Dimension::floorDiv(x.dimension, divisor), floorOf(x.value, divisor)};
  default: return {Dimension::mod(x.dimension, divisor), x.value - floorOf(x.value, divisor) * divisor};
  }
}

int64_t valueOf(const std::string &text) {
  std::string why;
  std::optional<ir::SymbolExpr> expression = ir::SymbolExpr::parse(text, why);
  EXPECT_TRUE(expression) << text << ": " << why;
  return expression ? expression->evaluate([](llvm::StringRef name) { return name == "a" ? kA : kB; }).value_or(-1) : -1;
}

TEST(Dimension, TextHasTheValueOfTheArithmetic) {
  std::mt19937 random(7);
  for (int i = 0; i < 4000; ++i) {
    Case made = grow(random, 1 + i % 5);
    ASSERT_EQ(valueOf(made.dimension.text()), made.value) << made.dimension.text();
  }
}

TEST(Dimension, BoundsHold) {
  std::mt19937 random(11);
  for (int i = 0; i < 4000; ++i) {
    Case made = grow(random, 1 + i % 5);
    if (auto least = made.dimension.least())
      ASSERT_LE(*least, made.value) << made.dimension.text();
    if (auto most = made.dimension.most())
      ASSERT_GE(*most, made.value) << made.dimension.text();
  }
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

TEST(Dimension, OperandsMayHaveNames) {
  // What a convolution makes of a length that another made: (max(a - 1, 0) + 1 - 3) / 2 + 1.
  Dimension inner = Dimension::max(Dimension::symbol("a") - 7, 0) + 1;
  Dimension outer = Dimension::floorDiv(inner, 2);
  EXPECT_EQ(valueOf(outer.text()), (kA - 7 + 1) / 2);
  EXPECT_EQ(outer.text([](const Dimension &operand) { return operand.isConstant() ? operand.text() : "b"; }), "(b floordiv 2)");
}

} // namespace
