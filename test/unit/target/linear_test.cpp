// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear: every kernel of the list against sums in f64, against the numeric contract written out in scalar code (bit by
// bit), and against itself with other rows beside, other splits of the tiles.
#include "test/unit/target/images.h"
#include "test/unit/target/reference_quantized.h"
#include <gtest/gtest.h>

using namespace ingot::test;

namespace {

struct Shape {
  int n, k, kPadded, in, weight, out, bias, residual, act, gated, stats, stride, tiles;
  explicit Shape(const TestKernel &k)
      : n(k.integer("n")), k(k.integer("k")), kPadded(k.integer("k_padded")), in(k.integer("in_type")),
        weight(k.integer("weight_type")), out(k.integer("out_type")), bias(k.integer("bias")),
        residual(k.integer("residual")), act(k.integer("act")), gated(k.integer("gated")), stats(k.integer("stats")),
        stride(k.integer("out_stride")), tiles((n + 15) / 16) {}
};

struct Problem {
  Shape s;
  int rows;
  std::vector<double> input, weights, bias, residual; // weights: [n][k], or gate rows then up rows [2n][k]
  std::unique_ptr<QuantizedWeights> quantized;        // then `weights` are what these stand for
  Problem(const TestKernel &kernel, int rows, uint64_t seed) : s(kernel), rows(rows) {
    Numbers numbers(seed);
    auto fill = [&](std::vector<double> &v, size_t count, int type, double scale) {
      v.resize(count);
      for (double &x : v)
        x = rounded(type, numbers.next() * scale);
    };
    // Rows come first, so that more rows extend the same rows.
    int outputs = s.gated ? 2 * s.n : s.n;
    fill(weights, static_cast<size_t>(outputs) * s.k, s.weight, 1.0);
    if (isQuantized(kernel)) {
      quantized = std::make_unique<QuantizedWeights>(kernel, s.gated != 0, seed);
      for (size_t i = 0; i < weights.size(); ++i)
        weights[i] = quantized->at(static_cast<int>(i) / s.k, static_cast<int>(i) % s.k);
    }
    fill(bias, static_cast<size_t>(outputs), kF32, 1.0);
    Numbers rowsOnly(seed + 1);
    numbers = rowsOnly;
    for (int r = 0; r < rows; ++r) {
      for (int i = 0; i < s.k; ++i)
        input.push_back(rounded(s.in, numbers.next() * 0.5));
      for (int i = 0; i < s.n; ++i)
        residual.push_back(rounded(kF32, numbers.next()));
    }
  }
};

struct Result {
  Buffer out, stats;
};

Buffer packedWeights(const Problem &p) {
  const Shape &s = p.s;
  if (!s.gated)
    return packWeights(p.weights, s.n, s.k, s.weight);
  // Panels alternate: 16 gate rows, 16 up rows.
  std::vector<double> rows(static_cast<size_t>(s.tiles) * 32 * s.k, 0.0);
  for (int i = 0; i < s.n; ++i)
    for (int half = 0; half < 2; ++half)
      for (int k = 0; k < s.k; ++k)
        rows[(static_cast<size_t>(i / 16) * 32 + half * 16 + i % 16) * s.k + k] =
            p.weights[(static_cast<size_t>(half) * s.n + i) * s.k + k];
  return packWeights(rows, s.tiles * 32, s.k, s.weight);
}

Result run(const TestKernel &kernel, const TestSet &set, const Problem &p, uint32_t pieces, bool inPlace = false) {
  const Shape &s = p.s;
  Buffer in(static_cast<size_t>(p.rows) * s.kPadded * bytesOf(s.in));
  for (int r = 0; r < p.rows; ++r)
    for (int k = 0; k < s.kPadded; ++k)
      put(in.get(), s.in, static_cast<size_t>(r) * s.kPadded + k,
          k < s.k ? p.input[static_cast<size_t>(r) * s.k + k] : 0.0);
  std::unique_ptr<Buffer> weights;
  Buffer bias(static_cast<size_t>(s.gated ? s.tiles * 32 : s.n) * 4);
  if (s.gated)
    for (int i = 0; i < s.tiles * 32; ++i) {
      int row = i / 32 * 16 + i % 16, half = i % 32 / 16;
      bias.as<float>()[i] = row < s.n ? static_cast<float>(p.bias[static_cast<size_t>(half) * s.n + row]) : 0.0f;
    }
  else
    for (int i = 0; i < s.n; ++i)
      bias.as<float>()[i] = static_cast<float>(p.bias[i]);
  Buffer residual(static_cast<size_t>(p.rows) * s.n * 4);
  for (size_t i = 0; i < p.residual.size(); ++i)
    residual.as<float>()[i] = static_cast<float>(p.residual[i]);
  Result result{Buffer(static_cast<size_t>(p.rows) * s.stride * bytesOf(s.out)),
                Buffer(static_cast<size_t>(p.rows) * s.tiles * 4)};
  if (inPlace)
    std::memcpy(result.out.get(), residual.get(), residual.size);
  std::vector<void *> buffers = {in.get()};
  if (p.quantized) {
    p.quantized->addTo(buffers);
  } else {
    weights = std::make_unique<Buffer>(packedWeights(p));
    buffers.push_back(weights->get());
  }
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
float contractSum(const Problem &p, const TestSet &set, int row, int output) {
  const Shape &s = p.s;
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
  for (const TestKernel *kernel : Images::get().kernels("linear", GetParam())) {
    Shape s(*kernel);
    for (int rows : {1, 7, 40, 130}) {
      Problem p(*kernel, rows, 7);
      Result result = run(*kernel, *GetParam(), p, 1);
      for (int r = 0; r < rows; ++r) {
        std::vector<double> squares(s.tiles, 0.0);
        for (int i = 0; i < s.stride; ++i) {
          double got = get(result.out.get(), s.out, static_cast<size_t>(r) * s.stride + i);
          if (i >= s.n) {
            ASSERT_EQ(got, 0.0) << kernel->name << " padding of row " << r;
            continue;
          }
          double sum[2] = {0, 0}, size[2] = {0, 0};
          for (int half = 0; half < (s.gated ? 2 : 1); ++half) {
            size_t output = static_cast<size_t>(half) * s.n + i;
            for (int k = 0; k < s.k; ++k) {
              double product = p.input[static_cast<size_t>(r) * s.k + k] * p.weights[output * s.k + k];
              sum[half] += product;
              size[half] += std::fabs(product);
            }
            if (s.bias)
              sum[half] += p.bias[output];
            size[half] += std::fabs(sum[half]);
          }
          // Rounding errors of k steps mostly cancel: 4 sqrt(k) units of the sum of sizes is far above what was seen
          // (below 1), and far below one product left out. Activations have a slope up to 1.13 and add a few units.
          double error = 4 * std::sqrt(double(s.k) + 4) * 0x1p-24 * size[0];
          double y = activation(s.act, sum[0]);
          error = 1.13 * error + 8 * 0x1p-24 * (std::fabs(y) + std::fabs(sum[0]) * 0.5);
          if (s.gated) {
            double upError = 4 * std::sqrt(double(s.k) + 4) * 0x1p-24 * size[1];
            error = error * (std::fabs(sum[1]) + upError) + std::fabs(y) * upError;
            y *= sum[1];
          }
          if (s.residual)
            y += p.residual[static_cast<size_t>(r) * s.n + i];
          error += std::fabs(y) * (unitOf(s.out) + 0x1p-23) + 1e-7;
          ASSERT_NEAR(got, y, error) << kernel->name << " on " << GetParam()->name << ", row " << r << " of " << rows
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

// Kernels without epilogue give the very bits of the contract.
TEST_P(LinearTest, ObeysTheNumericContractToTheBit) {
  int checked = 0;
  for (const TestKernel *kernel : Images::get().kernels("linear", GetParam())) {
    if (kernel->name.rfind("plain-", 0) != 0)
      continue;
    Shape s(*kernel);
    for (int rows : {1, 3, 40, 600}) {
      if (rows == 600 && (s.k < 1000 || !GetParam()->tileOrder))
        continue; // several blocks of rows and of K on tiles
      Problem p(*kernel, rows, 11);
      Result result = run(*kernel, *GetParam(), p, 1);
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
    Shape s(*kernel);
    Result all = run(*kernel, *GetParam(), Problem(*kernel, 130, 3), 1);
    for (uint32_t workers : {2u, 7u, 96u}) // rows are cut in parts too
      ASSERT_TRUE(run(*kernel, *GetParam(), Problem(*kernel, 130, 3), workers).out == all.out)
          << kernel->name << " on " << GetParam()->name << " with " << workers << " workers";
    for (int rows : kRowCounts) {
      Result some = run(*kernel, *GetParam(), Problem(*kernel, rows, 3), static_cast<uint32_t>(rows % 5 + 1));
      ASSERT_EQ(std::memcmp(some.out.get(), all.out.get(), some.out.size), 0)
          << kernel->name << " on " << GetParam()->name << " with " << rows << " rows";
      if (s.stats) {
        ASSERT_EQ(std::memcmp(some.stats.get(), all.stats.get(), some.stats.size), 0) << kernel->name;
      }
    }
  }
}

TEST_P(LinearTest, OutMayBeTheBufferOfResidual) {
  for (const TestKernel *kernel : Images::get().kernels("linear", GetParam())) {
    Shape s(*kernel);
    if (!s.residual || s.out != kF32 || s.stride != s.n)
      continue;
    for (int rows : {1, 5, 40}) {
      Problem p(*kernel, rows, 3);
      EXPECT_TRUE(run(*kernel, *GetParam(), p, 2).out == run(*kernel, *GetParam(), p, 1, true).out) << kernel->name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, LinearTest, testing::ValuesIn(Images::get().setsOf("linear")),
                         [](const auto &info) { return info.param->name; });

} // namespace
