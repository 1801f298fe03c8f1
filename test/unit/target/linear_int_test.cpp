// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// quantize_rows and linear_int: every kernel of the list bit by bit against scalar code written from
// docs/spec/numerics.md, that code against sums in f64, and rows against themselves with other rows beside and other
// splits of the tiles.
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

struct Shape {
  int n, k, kPadded, group, out, bias, residual, act, gated, stats, stride, tiles;
  explicit Shape(const TestKernel &k)
      : n(k.integer("n")), k(k.integer("k")), kPadded(k.integer("k_padded")), group(k.integer("group")),
        out(k.integer("out_type")), bias(k.integer("bias")), residual(k.integer("residual")), act(k.integer("act")),
        gated(k.integer("gated")), stats(k.integer("stats")), stride(k.integer("out_stride")), tiles((n + 15) / 16) {}
};

struct Problem {
  Shape s;
  int rows;
  QuantizedWeights weights;
  std::vector<QuantizedRow> input;
  std::vector<float> bias, residual; // bias: [n], or gate then up [2n]
  Problem(const TestKernel &kernel, int rows, uint64_t seed)
      : s(kernel), rows(rows), weights(kernel, s.gated != 0, seed) {
    Numbers numbers(seed + 1);
    for (int i = 0; i < (s.gated ? 2 * s.n : s.n); ++i)
      bias.push_back(static_cast<float>(numbers.next()));
    // Rows come last, one by one, so that more rows extend the same rows.
    for (int r = 0; r < rows; ++r) {
      std::vector<float> y;
      for (int i = 0; i < s.k; ++i)
        y.push_back(r == 2 ? 0.0f : static_cast<float>(numbers.next() * 0.5));
      input.emplace_back(y, s.kPadded, s.group);
      for (int i = 0; i < s.n; ++i)
        residual.push_back(static_cast<float>(numbers.next()));
    }
  }
};

struct Result {
  Buffer out, stats;
};

Result run(const TestKernel &kernel, const TestSet &set, const Problem &p, uint32_t pieces, bool inPlace = false) {
  const Shape &s = p.s;
  const size_t rowBytes = p.input[0].bytes();
  Buffer in(rowBytes * static_cast<size_t>(p.rows));
  for (int r = 0; r < p.rows; ++r)
    p.input[r].store(in.as<uint8_t>() + rowBytes * static_cast<size_t>(r));
  Buffer bias(static_cast<size_t>(s.gated ? s.tiles * 32 : s.n) * 4);
  for (size_t i = 0; i < bias.size / 4; ++i) {
    size_t row = s.gated ? i / 32 * 16 + i % 16 : i, half = s.gated ? i % 32 / 16 : 0;
    bias.as<float>()[i] = row < static_cast<size_t>(s.n) ? p.bias[half * static_cast<size_t>(s.n) + row] : 0.0f;
  }
  Buffer residual(p.residual.size() * 4);
  std::copy(p.residual.begin(), p.residual.end(), residual.as<float>());
  Result result{Buffer(static_cast<size_t>(p.rows) * s.stride * bytesOf(s.out)),
                Buffer(static_cast<size_t>(p.rows) * s.tiles * 4)};
  if (inPlace)
    std::memcpy(result.out.get(), residual.get(), residual.size);
  std::vector<void *> buffers = {in.get()};
  p.weights.addTo(buffers);
  if (s.bias)
    buffers.push_back(bias.get());
  if (s.residual)
    buffers.push_back(inPlace ? result.out.get() : residual.get());
  buffers.push_back(result.out.get());
  if (s.stats)
    buffers.push_back(result.stats.get());
  std::vector<int64_t> symbols(static_cast<size_t>(kernel.integer("rows_symbol")) + 1, -7); // no other symbol counts
  symbols.back() = p.rows;
  EXPECT_EQ(runKernel(kernel, set, buffers, symbols, static_cast<uint32_t>(s.tiles), pieces), 0);
  EXPECT_TRUE(result.out.fenceHolds() && result.stats.fenceHolds()) << kernel.name;
  return result;
}

// One sum as docs/spec/numerics.md states it.
float contractSum(const Problem &p, int row, int output) {
  float total = 0.0f;
  for (int g = 0; g < p.weights.groups; ++g) {
    int32_t integer = 0;
    for (int k = g * p.s.group; k < std::min(p.s.k, (g + 1) * p.s.group); ++k)
      integer += p.weights.value(output, k) * p.input[row].q[k];
    total = std::fmaf(static_cast<float>(integer), p.weights.scale(output, g), total);
  }
  return total * p.input[row].scale;
}

double activation(int act, double x) {
  switch (act) {
  case 1:
    return x / (1.0 + std::exp(-x));
  case 2:
    return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
  case 3:
    return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
  case 4:
    return x < 0.0 ? 0.0 : x;
  default:
    return x;
  }
}

TEST_P(LinearIntTest, ObeysTheNumericContractToTheBit) {
  int checked = 0;
  for (const TestKernel *kernel : Images::get().kernels("linear_int", GetParam())) {
    if (kernel->name.rfind("plain-", 0) != 0)
      continue;
    for (int rows : {1, 3, 16, 40, 130, 600}) {
      if (rows == 600 && (kernel->integer("k") < 1000 || !GetParam()->tileOrder))
        continue; // several blocks of rows and of K on tiles
      Problem p(*kernel, rows, 11);
      Result result = run(*kernel, *GetParam(), p, 1);
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
  for (const TestKernel *kernel : Images::get().kernels("linear_int", GetParam())) {
    for (int rows : {1, 7, 40, 130}) {
      Problem p(*kernel, rows, 7);
      const Shape &s = p.s;
      Result result = run(*kernel, *GetParam(), p, 3);
      for (int r = 0; r < rows; ++r) {
        std::vector<double> squares(s.tiles, 0.0);
        for (int i = 0; i < s.stride; ++i) {
          double got = get(result.out.get(), s.out, static_cast<size_t>(r) * s.stride + i);
          if (i >= s.n) {
            ASSERT_EQ(got, 0.0) << kernel->name << " padding of row " << r;
            continue;
          }
          double sum[2] = {0, 0}, error[2] = {0, 0};
          for (int half = 0; half < (s.gated ? 2 : 1); ++half) {
            int output = half * s.n + i;
            double size = 0;
            for (int g = 0; g < p.weights.groups; ++g) {
              double integer = 0;
              for (int k = g * s.group; k < std::min(s.k, (g + 1) * s.group); ++k)
                integer += double(p.weights.value(output, k)) * p.input[r].q[k];
              sum[half] += integer * p.weights.scale(output, g) * p.input[r].scale;
              size += std::fabs(integer * p.weights.scale(output, g) * p.input[r].scale);
            }
            // Half a unit for each addition of a group, the conversion, the row's scale, and the bias.
            error[half] = (p.weights.groups + 3) * 0x1p-24 * size;
            if (s.bias)
              sum[half] += p.bias[static_cast<size_t>(output)];
            error[half] += 0x1p-24 * std::fabs(sum[half]);
          }
          double y = activation(s.act, sum[0]);
          // Activations have a slope up to 1.13 and add a few units.
          double total = 1.13 * error[0] + 8 * 0x1p-24 * (std::fabs(y) + std::fabs(sum[0]) * 0.5);
          if (s.gated) {
            total = total * (std::fabs(sum[1]) + error[1]) + std::fabs(y) * error[1];
            y *= sum[1];
          }
          if (s.residual)
            y += p.residual[static_cast<size_t>(r) * s.n + i];
          total += std::fabs(y) * (unitOf(s.out) + 0x1p-23) + 1e-7;
          ASSERT_NEAR(got, y, total) << kernel->name << " on " << GetParam()->name << ", row " << r << " of " << rows
                                     << ", column " << i;
          squares[i / 16] += got * got;
        }
        if (s.stats)
          for (int t = 0; t < s.tiles; ++t) {
            double got = result.stats.as<float>()[static_cast<size_t>(r) * s.tiles + t];
            ASSERT_NEAR(got, squares[t], 1e-6 * squares[t]) << kernel->name << " stats";
          }
      }
    }
  }
}

// A row's bits do not depend on the rows beside it, nor on how tiles are split among workers.
TEST_P(LinearIntTest, RowsAndSplitsChangeNoBit) {
  for (const TestKernel *kernel : Images::get().kernels("linear_int", GetParam())) {
    Shape s(*kernel);
    Result all = run(*kernel, *GetParam(), Problem(*kernel, 130, 3), 1);
    for (uint32_t workers : {2u, 7u, 96u}) // rows are cut in parts too
      ASSERT_TRUE(run(*kernel, *GetParam(), Problem(*kernel, 130, 3), workers).out == all.out)
          << kernel->name << " on " << GetParam()->name << " with " << workers << " workers";
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 13, 15, 16, 17, 29, 40}) {
      Result some = run(*kernel, *GetParam(), Problem(*kernel, rows, 3), static_cast<uint32_t>(rows % 5 + 1));
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
    Shape s(*kernel);
    if (!s.residual || s.out != kF32 || s.stride != s.n)
      continue;
    for (int rows : {1, 5, 40}) {
      Problem p(*kernel, rows, 3);
      EXPECT_TRUE(run(*kernel, *GetParam(), p, 2).out == run(*kernel, *GetParam(), p, 1, true).out) << kernel->name;
    }
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

INSTANTIATE_TEST_SUITE_P(Sets, LinearIntTest, testing::ValuesIn(Images::get().setsOf("linear_int")),
                         [](const auto &info) { return info.param->name; });

} // namespace
