// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// quantize_rows and linear_int: every kernel of the list bit by bit against scalar code written from
// docs/spec/numerics.md, that code against sums in f64, and rows against themselves with other rows beside and other
// splits of the tiles.
#include "test/unit/target/linear_int_checks.h"
#include "test/unit/target/rows_checks.h"
#include <gtest/gtest.h>

using namespace ingot::test;

namespace {

class LinearIntTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

TEST_P(LinearIntTest, QuantizeRowsGivesTheIntegersOfItsFormula) {
  for (const TestKernel *kernel : Images::get().kernels("quantize_rows", GetParam()))
    checkQuantizeRows(*kernel, onSet(*GetParam()));
}

// One sum as docs/spec/numerics.md states it.
float contractSum(const IntProblem &p, int row, int output) {
  float total = 0.0f;
  for (int g = 0; g < p.weights.groups; ++g) {
    int32_t integer = 0;
    for (int k = g * p.s.group; k < std::min(p.s.k, (g + 1) * p.s.group); ++k)
      integer += p.weights.value(output, k) * (p.input[row].q[k] - p.input[row].zero);
    total = std::fmaf(static_cast<float>(integer), p.weights.scale(output, g), total);
  }
  return total * p.input[row].scale;
}

TEST_P(LinearIntTest, ObeysTheNumericContractToTheBit) {
  int checked = 0;
  for (const TestKernel *kernel : Images::get().kernels("linear_int", GetParam())) {
    if (kernel->name.rfind("plain-", 0) != 0)
      continue;
    for (int rows : {1, 3, 16, 40, 130, 600}) {
      if (rows == 600 && (kernel->integer("k") < 1000 || !GetParam()->tileOrder))
        continue; // several blocks of rows and of K on tiles
      IntProblem p(*kernel, rows, 11);
      LinearResult result = runLinearInt(*kernel, onSet(*GetParam()), p, 1);
      for (int r = 0; r<rows; r += rows> 130 ? 7 : 1)
        for (int i = 0; i < p.s.n; ++i)
          ASSERT_EQ(result.out.as<float>()[static_cast<size_t>(r) * p.s.stride + i], contractSum(p, r, i))
              << kernel->name << " on " << GetParam()->name << ", row " << r << " of " << rows << ", column " << i;
    }
    ++checked;
  }
  EXPECT_GT(checked, GetParam()->name == "avx2" ? 10 : 0);
}

TEST_P(LinearIntTest, AgreesWithSumsInF64) {
  for (const TestKernel *kernel : Images::get().kernels("linear_int", GetParam()))
    checkLinearInt(*kernel, onSet(*GetParam()), {1, 7, 40, 130}, 7, 3, 0);
}

// A row's bits do not depend on the rows beside it, nor on how tiles are split among workers.
TEST_P(LinearIntTest, RowsAndSplitsChangeNoBit) {
  for (const TestKernel *kernel : Images::get().kernels("linear_int", GetParam())) {
    if (kernel->name.rfind("plain-", 0) == 0) { // more rows than a block of theirs has
      LinearResult many = runLinearInt(*kernel, onSet(*GetParam()), IntProblem(*kernel, 300, 3), 1);
      ASSERT_TRUE(runLinearInt(*kernel, onSet(*GetParam()), IntProblem(*kernel, 300, 3), 7).out == many.out) << kernel->name << " on " << GetParam()->name;
    }
    IntShape s(*kernel);
    LinearResult all = runLinearInt(*kernel, onSet(*GetParam()), IntProblem(*kernel, 130, 3), 1);
    for (uint32_t workers : {2u, 7u, 96u}) // rows are cut in parts too
      ASSERT_TRUE(runLinearInt(*kernel, onSet(*GetParam()), IntProblem(*kernel, 130, 3), workers).out == all.out)
          << kernel->name << " on " << GetParam()->name << " with " << workers << " workers";
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 13, 15, 16, 17, 29, 40}) {
      LinearResult some =
          runLinearInt(*kernel, onSet(*GetParam()), IntProblem(*kernel, rows, 3), static_cast<uint32_t>(rows % 5 + 1));
      ASSERT_EQ(std::memcmp(some.out.get(), all.out.get(), some.out.size), 0)
          << kernel->name << " on " << GetParam()->name << " with " << rows << " rows";
      if (s.stats) {
        ASSERT_EQ(std::memcmp(some.stats.get(), all.stats.get(), some.stats.size), 0) << kernel->name;
      }
    }
  }
}

TEST_P(LinearIntTest, OutMayBeTheBufferOfResidual) {
  int checked = 0;
  for (const TestKernel *kernel : Images::get().kernels("linear_int", GetParam())) {
    IntShape s(*kernel);
    if (!s.residual || s.out != kF32 || s.stride != s.n)
      continue;
    for (int rows : {1, 5, 40}) {
      IntProblem p(*kernel, rows, 3);
      EXPECT_TRUE(runLinearInt(*kernel, onSet(*GetParam()), p, 2).out ==
                  runLinearInt(*kernel, onSet(*GetParam()), p, 1, true).out)
          << kernel->name;
    }
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

INSTANTIATE_TEST_SUITE_P(Sets, LinearIntTest, testing::ValuesIn(Images::get().setsOf("linear_int")),
                         [](const auto &info) { return info.param->name; });

} // namespace
