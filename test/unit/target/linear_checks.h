// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of linear on any target (checks.h): its operands by params.h, and sums in f64.
#ifndef INGOT_TEST_UNIT_TARGET_LINEAR_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_LINEAR_CHECKS_H

#include "test/unit/target/checks.h"
#include "test/unit/target/reference_quantized.h"
#include <gtest/gtest.h>

namespace ingot::test {

inline double activation(int act, double x) {
  switch (act) {
  case 1:
    return x / (1.0 + std::exp(-x));
  case 2:
    return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
  case 3:
    return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
  case 4:
    return x < 0.0 ? 0.0 : x;
  case 5:
    return x / (1.0 + std::exp(-1.702 * x));
  default:
    return x;
  }
}

struct LinearShape {
  int n, k, kPadded, in, weight, out, bias, residual, act, gated, stats, stride, tiles;
  explicit LinearShape(const TestKernel &k)
      : n(k.integer("n")), k(k.integer("k")), kPadded(k.integer("k_padded")), in(k.integer("in_type")),
        weight(k.integer("weight_type")), out(k.integer("out_type")), bias(k.integer("bias")),
        residual(k.integer("residual")), act(k.integer("act")), gated(k.integer("gated")), stats(k.integer("stats")),
        stride(k.integer("out_stride")), tiles((n + 15) / 16) {}
};

struct LinearProblem {
  LinearShape s;
  int rows;
  std::vector<double> input, weights, bias, residual; // weights: [n][k], or gate rows then up rows [2n][k]
  std::unique_ptr<QuantizedWeights> quantized;        // then `weights` are what these stand for
  LinearProblem(const TestKernel &kernel, int rows, uint64_t seed) : s(kernel), rows(rows) {
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

struct LinearResult {
  Buffer out, stats;
};

inline Buffer packedWeights(const LinearProblem &p) {
  const LinearShape &s = p.s;
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

inline LinearResult runLinear(const TestKernel &kernel, const Run &run, const LinearProblem &p, uint32_t pieces,
                              bool inPlace = false) {
  const LinearShape &s = p.s;
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
  LinearResult result{Buffer(static_cast<size_t>(p.rows) * s.stride * bytesOf(s.out)),
                      Buffer(static_cast<size_t>(p.rows) * s.tiles * 4)};
  if (inPlace)
    std::memcpy(result.out.get(), residual.get(), residual.size);
  std::vector<Operand> buffers = {in};
  if (p.quantized) {
    p.quantized->addTo(buffers);
  } else {
    weights = std::make_unique<Buffer>(packedWeights(p));
    buffers.push_back(*weights);
  }
  if (s.bias)
    buffers.push_back(bias);
  if (s.residual)
    buffers.push_back(inPlace ? result.out : residual);
  buffers.push_back(result.out);
  if (s.stats)
    buffers.push_back(result.stats);
  std::vector<int64_t> symbols(static_cast<size_t>(kernel.integer("rows_symbol")) + 1, -7); // no other symbol counts
  symbols.back() = p.rows;
  EXPECT_EQ(run(kernel, buffers, symbols, static_cast<uint32_t>(s.tiles), pieces), 0);
  EXPECT_TRUE(result.out.fenceHolds() && result.stats.fenceHolds()) << kernel.name;
  return result;
}

// productError: what a product may be wrong by before it is added, of its size.
inline void checkLinear(const TestKernel &kernel, const Run &run, const std::vector<int> &rowCounts, uint64_t seed,
                        uint32_t pieces, double productError) {
  LinearShape s(kernel);
  for (int rows : rowCounts) {
    LinearProblem p(kernel, rows, seed);
    LinearResult result = runLinear(kernel, run, p, pieces);
    for (int r = 0; r < rows; ++r) {
      std::vector<double> squares(s.tiles, 0.0);
      for (int i = 0; i < s.stride; ++i) {
        double got = get(result.out.get(), s.out, static_cast<size_t>(r) * s.stride + i);
        if (i >= s.n) {
          ASSERT_EQ(got, 0.0) << kernel.name << " padding of row " << r;
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
        double error = (4 * std::sqrt(double(s.k) + 4) * 0x1p-24 + productError) * size[0];
        double y = activation(s.act, sum[0]);
        error = 1.13 * error + 8 * 0x1p-24 * (std::fabs(y) + std::fabs(sum[0]) * 0.5);
        if (s.gated) {
          double upError = (4 * std::sqrt(double(s.k) + 4) * 0x1p-24 + productError) * size[1];
          error = error * (std::fabs(sum[1]) + upError) + std::fabs(y) * upError;
          y *= sum[1];
        }
        if (s.residual)
          y += p.residual[static_cast<size_t>(r) * s.n + i];
        error += std::fabs(y) * (unitOf(s.out) + 0x1p-23) + 1e-7;
        ASSERT_NEAR(got, y, error) << kernel.name << " with seed " << seed << ", row " << r << " of " << rows
                                   << ", column " << i;
        squares[i / 16] += got * got;
      }
      if (s.stats)
        for (int t = 0; t < s.tiles; ++t) {
          double got = result.stats.as<float>()[static_cast<size_t>(r) * s.tiles + t];
          ASSERT_NEAR(got, squares[t], 1e-6 * squares[t]) << kernel.name << " stats";
        }
    }
  }
}

} // namespace ingot::test

#endif
