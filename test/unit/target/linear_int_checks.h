// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of linear_int on any target (checks.h): its operands by params.h, and sums in f64.
#ifndef INGOT_TEST_UNIT_TARGET_LINEAR_INT_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_LINEAR_INT_CHECKS_H

#include "test/unit/target/linear_checks.h"

namespace ingot::test {

struct IntShape {
  int n, k, kPadded, group, out, bias, residual, act, gated, stats, stride, tiles;
  explicit IntShape(const TestKernel &k)
      : n(k.integer("n")), k(k.integer("k")), kPadded(k.integer("k_padded")), group(k.integer("group")),
        out(k.integer("out_type")), bias(k.integer("bias")), residual(k.integer("residual")), act(k.integer("act")),
        gated(k.integer("gated")), stats(k.integer("stats")), stride(k.integer("out_stride")), tiles((n + 15) / 16) {}
};

struct IntProblem {
  IntShape s;
  int rows;
  QuantizedWeights weights;
  std::vector<QuantizedRow> input;
  std::vector<float> bias, residual; // bias: [n], or gate then up [2n]
  IntProblem(const TestKernel &kernel, int rows, uint64_t seed)
      : s(kernel), rows(rows), weights(kernel, s.gated != 0, seed) {
    Numbers numbers(seed + 1);
    for (int i = 0; i < (s.gated ? 2 * s.n : s.n); ++i)
      bias.push_back(static_cast<float>(numbers.next()));
    // Rows come last, one by one, so that more rows extend the same rows. Where K is even they are distributed as a model's are,
    // about normally, but for one of nothing but its largest number; else evenly.
    for (int r = 0; r < rows; ++r) {
      std::vector<float> y;
      for (int i = 0; i < s.k; ++i) {
        double value = numbers.next() * 0.5;
        if (s.k % 2 == 0)
          value = r == 5 ? 0.5 : (2 * value + numbers.next() + numbers.next()) * 0.25;
        y.push_back(r == 2 ? 0.0f : static_cast<float>(value));
      }
      if (kernel.has("in_zeros")) { // the extremes, and zero points that every row could have
        std::vector<int8_t> codes;
        for (int i = 0; i < s.k; ++i)
          codes.push_back(static_cast<int8_t>(i < 2 ? (i ? 127 : -128) : numbers.below(256) - 128));
        input.emplace_back(codes, s.kPadded, static_cast<float>(0.01 + 0.001 * (r % 5)),
                           r == 3   ? 127
                           : r == 4 ? -128
                                    : numbers.below(256) - 128);
      } else {
        input.emplace_back(y, s.kPadded, s.group);
      }
      for (int i = 0; i < s.n; ++i)
        residual.push_back(static_cast<float>(numbers.next()));
    }
  }
};

inline LinearResult runLinearInt(const TestKernel &kernel, const Run &run, const IntProblem &p, uint32_t pieces,
                                 bool inPlace = false) {
  const IntShape &s = p.s;
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
  LinearResult result{Buffer(static_cast<size_t>(p.rows) * s.stride * bytesOf(s.out)),
                      Buffer(static_cast<size_t>(p.rows) * s.tiles * 4)};
  if (inPlace)
    std::memcpy(result.out.get(), residual.get(), residual.size);
  std::vector<Operand> buffers = {in};
  p.weights.addTo(buffers);
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

// splits: parts into which the target cuts K.
inline void checkLinearInt(const TestKernel &kernel, const Run &run, const std::vector<int> &rowCounts, uint64_t seed,
                           uint32_t pieces, int splits) {
  for (int rows : rowCounts) {
    IntProblem p(kernel, rows, seed);
    const IntShape &s = p.s;
    LinearResult result = runLinearInt(kernel, run, p, pieces);
    for (int r = 0; r < rows; ++r) {
      std::vector<double> squares(s.tiles, 0.0);
      for (int i = 0; i < s.stride; ++i) {
        double got = get(result.out.get(), s.out, static_cast<size_t>(r) * s.stride + i);
        if (i >= s.n) {
          ASSERT_EQ(got, 0.0) << kernel.name << " padding of row " << r;
          continue;
        }
        double sum[2] = {0, 0}, error[2] = {0, 0};
        for (int half = 0; half < (s.gated ? 2 : 1); ++half) {
          int output = half * s.n + i;
          double size = 0;
          for (int g = 0; g < p.weights.groups; ++g) {
            double integer = 0, part = 0, parts = 0; // parts of 32 k: a split is of some of them
            for (int k = g * s.group; k < std::min(s.k, (g + 1) * s.group); ++k) {
              const double product = double(p.weights.value(output, k)) * (p.input[r].q[k] - p.input[r].zero);
              integer += product;
              part = k % 32 == 0 ? product : part + product;
              if (k % 32 == 31 || k + 1 == std::min(s.k, (g + 1) * s.group))
                parts += std::fabs(part);
            }
            const double scale = double(p.weights.scale(output, g)) * p.input[r].scale;
            sum[half] += integer * scale;
            size += std::fabs((splits ? parts : integer) * scale);
          }
          // Half a unit for each addition of a group, the conversion, the row's scale, and the bias; a split of K adds
          // a group in two parts, whose sizes do not cancel, and one more sum.
          error[half] = (p.weights.groups + 3 + 2 * splits) * 0x1p-24 * size;
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
        ASSERT_NEAR(got, y, total) << kernel.name << " with seed " << seed << ", row " << r << " of " << rows
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
