// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions of derived symbols: what is one, how it is written back, its value and its bounds.
#include "dialects/ingot/SymbolExpr.h"

#include <gtest/gtest.h>

#include <random>

using namespace ingot;
using ir::SymbolExpr;

namespace {

std::string canonical(llvm::StringRef text) {
  std::string why;
  std::optional<SymbolExpr> expr = SymbolExpr::parse(text, why);
  return expr ? expr->text() : "refused: " + why;
}

// With a = 7, b = 2, c = 0.
std::optional<int64_t> valueOf(llvm::StringRef text) {
  std::string why;
  std::optional<SymbolExpr> expr = SymbolExpr::parse(text, why);
  EXPECT_TRUE(expr) << why;
  return expr ? expr->evaluate([](llvm::StringRef name) { return name == "a"   ? 7
                                                                 : name == "b" ? 2
                                                                               : 0; })
              : std::nullopt;
}

TEST(SymbolExpr, IsWrittenInOneWay) {
  EXPECT_EQ(canonical("batch*sequence"), "batch*sequence");
  EXPECT_EQ(canonical(" ( (height-1)floordiv 2 )+1 "), "(height - 1) floordiv 2 + 1");
  EXPECT_EQ(canonical("a-(b-c)"), "a - (b - c)");
  EXPECT_EQ(canonical("(a-b)-c"), "a - b - c");
  EXPECT_EQ(canonical("a*(b*c)"), "a*(b*c)");
  EXPECT_EQ(canonical("max(a,min(b , 3*4))+0"), "max(a, min(b, 12)) + 0");
  EXPECT_EQ(canonical("a mod b ceildiv c"), "a mod b ceildiv c");
  EXPECT_EQ(canonical("max*mod"), "max*mod"); // names like any other where they can be
  EXPECT_EQ(canonical("2-5"), "2 - 5");
}

TEST(SymbolExpr, RefusesWhatIsNone) {
  EXPECT_EQ(canonical(""), "refused: expected a number, a symbol or '(' at character 1 of \"\"");
  EXPECT_EQ(canonical("a b"), "refused: expected an operator or the end at character 3 of \"a b\"");
  EXPECT_EQ(canonical("(a+1"), "refused: expected ')' at character 5 of \"(a+1\"");
  EXPECT_EQ(canonical("max(a)"), "refused: expected ',' at character 6 of \"max(a)\"");
  EXPECT_EQ(canonical("a+_b"),
            "refused: expected a symbol: a letter, then letters, digits and underscores at character 3 of \"a+_b\"");
  EXPECT_EQ(canonical("a*99999999999999999999"),
            "refused: expected a whole number of 64 bits at character 3 of \"a*99999999999999999999\"");
  EXPECT_EQ(canonical("2a"), "refused: expected a whole number of 64 bits at character 1 of \"2a\"");
  EXPECT_NE(canonical(std::string(100000, '(')).find("expected less than 100 parentheses"), std::string::npos);
}

// As Python's //, -(-a // b) and %.
TEST(SymbolExpr, DividesDownAndUp) {
  EXPECT_EQ(valueOf("a floordiv b"), 3);
  EXPECT_EQ(valueOf("a ceildiv b"), 4);
  EXPECT_EQ(valueOf("a mod b"), 1);
  EXPECT_EQ(valueOf("(c-a) floordiv b"), -4);
  EXPECT_EQ(valueOf("(c-a) ceildiv b"), -3);
  EXPECT_EQ(valueOf("(c-a) mod b"), 1);
  EXPECT_EQ(valueOf("(a-3) floordiv 2 + 1"), 3);
  EXPECT_EQ(valueOf("a-b-1"), 4);
  EXPECT_EQ(valueOf("max(a, b)*min(a, b)"), 14);
  EXPECT_EQ(valueOf("a floordiv c"), std::nullopt);
  EXPECT_EQ(valueOf("a mod (c - b)"), std::nullopt);
}

TEST(SymbolExpr, StopsAtTheLargestNumbers) {
  EXPECT_EQ(valueOf("9223372036854775807*a"), INT64_MAX);
  EXPECT_EQ(valueOf("9223372036854775807*a*(c-b)"), INT64_MIN);
  EXPECT_EQ(valueOf("(c-9223372036854775807-a) floordiv 1"), INT64_MIN);
}

TEST(SymbolExpr, KnowsProducts) {
  std::string why;
  auto product = SymbolExpr::parse("b*3*a*2", why)->product();
  ASSERT_TRUE(product);
  EXPECT_EQ(product->factor, 6);
  EXPECT_EQ(product->symbols, (llvm::SmallVector<llvm::StringRef>{"b", "a"}));
  EXPECT_FALSE(SymbolExpr::parse("a*(b+1)", why)->product());
}

// Random expressions over symbols of 0 to 4: no value lies outside the bounds.
TEST(SymbolExpr, BoundsHold) {
  std::mt19937 random(5);
  auto pick = [&](unsigned n) { return unsigned(random() % n); };
  for (int round = 0; round < 3000; ++round) {
    std::vector<SymbolExpr> made = {SymbolExpr::symbol("a"), SymbolExpr::symbol("b"), SymbolExpr::constant(pick(6))};
    for (int i = 0; i < 4; ++i)
      made.push_back(made[pick(unsigned(made.size()))].combine(symbols::Op(2 + pick(symbols::kOps - 2)),
                                                               made[pick(unsigned(made.size()))]));
    const SymbolExpr &expr = made.back();
    symbols::Interval bound = expr.bound([](llvm::StringRef) { return symbols::Interval{0, 4}; });
    std::string why;
    EXPECT_EQ(SymbolExpr::parse(expr.text(), why)->text(), expr.text());
    for (int64_t a = 0; a <= 4; ++a)
      for (int64_t b = 0; b <= 4; ++b)
        if (auto value = expr.evaluate([&](llvm::StringRef name) { return name == "a" ? a : b; }))
          EXPECT_TRUE(bound.least <= *value && *value <= bound.most)
              << expr.text() << " is " << *value << " for " << a << ", " << b << "; bounds " << bound.least << " to "
              << bound.most;
  }
}

} // namespace
