// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear: every kernel of the list against sums in f64, against the numeric contract written out in scalar code (bit by
// bit), and against itself with other rows beside, other splits of the tiles.
#include "test/unit/target/linear_checks.h"
#include <gtest/gtest.h>

using namespace ingot::test;

namespace {

// A subnormal number is zero to tdpbf16ps, as an operand and as a result.
float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

// One sum of bf16 by bf16 on AMX: what the Intel SDM (volume 2, TDPBF16PS) writes out, over chunks of 32 k.
float tileSum(const double *a, const double *w, int k) {
  float total = 0.0f;
  for (int from = 0; from < k; from += 32) {
    float chain[2] = {0.0f, 0.0f};
    for (int i = from; i < from + 32; ++i) {
      float x = i < k ? flushed(static_cast<float>(a[i])) : 0.0f, y = i < k ? flushed(static_cast<float>(w[i])) : 0.0f;
      chain[i % 2] = flushed(std::fmaf(x, y, chain[i % 2]));
    }
    total = flushed(total + flushed(chain[0] + chain[1]));
  }
  return total;
}

// One sum as docs/spec/numerics.md states it for a set.
float contractSum(const LinearProblem &p, const TestSet &set, int row, int output) {
  const LinearShape &s = p.s;
  const double *a = &p.input[static_cast<size_t>(row) * s.k];
  const double *w = &p.weights[static_cast<size_t>(output) * s.k];
  bool pairs = s.in == kBF16 && s.weight == kBF16;
  if (pairs && set.tileOrder)
    return tileSum(a, w, s.k);
  float total = 0.0f;
  for (int from = 0; from < s.k; from += 512) {
    int to = std::min(from + 512, s.k);
    float chain = 0.0f;
    auto step = [&](int k) {
      chain = std::fmaf(k < s.k ? static_cast<float>(a[k]) : 0.0f, k < s.k ? static_cast<float>(w[k]) : 0.0f, chain);
    };
    for (int k = from; k < to; ++k) {
      if (!pairs) {
        step(k);
      } else if (k % 2 == 0) {
        step(k + 1);
        step(k);
      }
    }
    total += chain;
  }
  return total;
}

class LinearTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

const std::vector<int> kRowCounts = {1, 2, 3, 4, 5, 6, 7, 8, 13, 15, 16, 17, 29, 40};

TEST_P(LinearTest, AgreesWithSumsInF64) {
  for (const TestKernel *kernel : Images::get().kernels("linear", GetParam()))
    checkLinear(*kernel, onSet(*GetParam()), {1, 7, 40, 130}, 7, 1, 0.0);
}

// Kernels without epilogue give the very bits of the contract.
TEST_P(LinearTest, ObeysTheNumericContractToTheBit) {
  int checked = 0;
  for (const TestKernel *kernel : Images::get().kernels("linear", GetParam())) {
    if (kernel->name.rfind("plain-", 0) != 0)
      continue;
    LinearShape s(*kernel);
    for (int rows : {1, 3, 40, 600}) {
      if (rows == 600 && (s.k < 1000 || !GetParam()->tileOrder))
        continue; // several blocks of rows and of K on tiles
      LinearProblem p(*kernel, rows, 11);
      LinearResult result = runLinear(*kernel, onSet(*GetParam()), p, 1);
      for (int r = 0; r<rows; r += rows> 40 ? 7 : 1)
        for (int i = 0; i < s.n; ++i)
          ASSERT_EQ(result.out.as<float>()[static_cast<size_t>(r) * s.stride + i], contractSum(p, *GetParam(), r, i))
              << kernel->name << " on " << GetParam()->name << ", row " << r << " of " << rows << ", column " << i;
    }
    ++checked;
  }
  EXPECT_GT(checked, GetParam()->name == "avx2" ? 10 : 0);
}

// A row's bits do not depend on the rows beside it, nor on how tiles are split among workers.
TEST_P(LinearTest, RowsAndSplitsChangeNoBit) {
  for (const TestKernel *kernel : Images::get().kernels("linear", GetParam())) {
    LinearShape s(*kernel);
    if (kernel->integer("k") * kernel->integer("n") < 100000) { // more rows than a block of theirs has
      LinearResult many = runLinear(*kernel, onSet(*GetParam()), LinearProblem(*kernel, 300, 3), 1);
      ASSERT_TRUE(runLinear(*kernel, onSet(*GetParam()), LinearProblem(*kernel, 300, 3), 7).out == many.out) << kernel->name << " on " << GetParam()->name;
    }
    LinearResult all = runLinear(*kernel, onSet(*GetParam()), LinearProblem(*kernel, 130, 3), 1);
    for (uint32_t workers : {2u, 7u, 96u}) // rows are cut in parts too
      ASSERT_TRUE(runLinear(*kernel, onSet(*GetParam()), LinearProblem(*kernel, 130, 3), workers).out == all.out)
          << kernel->name << " on " << GetParam()->name << " with " << workers << " workers";
    for (int rows : kRowCounts) {
      LinearResult some =
          runLinear(*kernel, onSet(*GetParam()), LinearProblem(*kernel, rows, 3), static_cast<uint32_t>(rows % 5 + 1));
      ASSERT_EQ(std::memcmp(some.out.get(), all.out.get(), some.out.size), 0)
          << kernel->name << " on " << GetParam()->name << " with " << rows << " rows";
      if (s.stats) {
        ASSERT_EQ(std::memcmp(some.stats.get(), all.stats.get(), some.stats.size), 0) << kernel->name;
      }
    }
  }
}

// What kernels/math.h states of an epilogue's activations: of the numbers themselves, which weights of one 1 a row let through.
TEST_P(LinearTest, ActivationsAreAsCloseAsStated) {
  struct Activation {
    const char *kernel;
    double (*exact)(double);
    double units, negative; // ulp from 0 on; of the result below
  };
  auto gelu = [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); };
  auto geluTanh = [](double x) { return x / (1.0 + std::exp(-std::sqrt(8.0 / M_PI) * (x + 0.044715 * x * x * x))); };
  auto silu = [](double x) { return x / (1.0 + std::exp(-x)); };
  auto quickGelu = [](double x) { return x / (1.0 + std::exp(-1.702 * x)); };
  for (Activation a : {Activation{"act-silu-f32", silu, 2.0, 0x1p-18}, Activation{"act-gelu-f32", gelu, 2.0, 0x1p-18}, Activation{"act-gelu_tanh-f32", geluTanh, 2.0, 0x1p-18},
                       Activation{"act-quick_gelu-f32", quickGelu, 2.0, 0x1p-18}}) {
    const TestKernel &kernel = Images::get().kernel(a.kernel);
    constexpr int kRows = 4096;
    LinearProblem p(kernel, kRows, 5);
    const LinearShape &s = p.s;
    std::fill(p.weights.begin(), p.weights.end(), 0.0);
    std::fill(p.bias.begin(), p.bias.end(), 0.0);
    for (int i = 0; i < s.n; ++i)
      p.weights[static_cast<size_t>(i) * s.k + i] = 1.0;
    Numbers numbers(9);
    for (double &x : p.input) // half spread evenly, half over all magnitudes
      x = static_cast<float>(numbers.below(2) ? numbers.next() * 14 : std::ldexp(numbers.next(), -numbers.below(60)) * 14);
    const double edges[] = {0.0, 1e30, -1e30, 100.0, -100.0, 5.5, -5.5, 1e-38, -1e-38};
    std::copy(std::begin(edges), std::end(edges), p.input.begin());
    LinearResult result = runLinear(kernel, onSet(*GetParam()), p, 1);
    double units = 0, negative = 0, far = 0;
    for (int r = 0; r < kRows; ++r)
      for (int i = 0; i < s.n; ++i) {
        const double x = p.input[static_cast<size_t>(r) * s.k + i], want = a.exact(x), got = result.out.as<float>()[static_cast<size_t>(r) * s.stride + i];
        const double off = std::fabs(got - want), ulp = std::ldexp(1.0, std::max(std::ilogb(want), -126) - 23);
        if (x >= 0)
          units = std::max(units, want == got ? 0.0 : off / ulp);
        else if (x > -5.5)
          negative = std::max(negative, (off - ulp) / std::fabs(want));
        else
          far = std::max(far, off - a.negative * std::fabs(want));
      }
    EXPECT_LE(units, a.units) << a.kernel;
    EXPECT_LE(negative, a.negative) << a.kernel;
    EXPECT_LE(far, 1e-9) << a.kernel;
    RecordProperty(a.kernel, std::to_string(units) + " " + std::to_string(negative) + " " + std::to_string(far));
  }
}

TEST_P(LinearTest, OutMayBeTheBufferOfResidual) {
  for (const TestKernel *kernel : Images::get().kernels("linear", GetParam())) {
    LinearShape s(*kernel);
    if (!s.residual || s.out != kF32 || s.stride != s.n)
      continue;
    for (int rows : {1, 5, 40}) {
      LinearProblem p(*kernel, rows, 3);
      EXPECT_TRUE(runLinear(*kernel, onSet(*GetParam()), p, 2).out ==
                  runLinear(*kernel, onSet(*GetParam()), p, 1, true).out)
          << kernel->name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, LinearTest, testing::ValuesIn(Images::get().setsOf("linear")),
                         [](const auto &info) { return info.param->name; });

} // namespace
