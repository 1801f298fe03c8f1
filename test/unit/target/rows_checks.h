// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks of the templates that work on rows alone (checks.h): embedding, pack_rows, quantize_rows, rope_angles.
#ifndef INGOT_TEST_UNIT_TARGET_ROWS_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_ROWS_CHECKS_H

#include "test/unit/target/checks.h"
#include "test/unit/target/reference_quantized.h"
#include <gtest/gtest.h>

namespace ingot::test {

inline void checkEmbedding(const TestKernel &kernel, const Run &run) {
  int n = kernel.integer("n"), k = kernel.integer("k"), type = kernel.integer("weight_type");
  Numbers numbers(4);
  std::vector<double> table(static_cast<size_t>(n) * k);
  for (double &x : table)
    x = rounded(type, numbers.next());
  Buffer rowMajor(table.size() * static_cast<size_t>(bytesOf(type)));
  for (size_t i = 0; i < table.size(); ++i)
    put(rowMajor.get(), type, i, table[i]);
  Buffer packed = packWeights(table, n, k, type);
  std::vector<Operand> planes = {kernel.integer("layout") == 0 ? Operand(rowMajor) : Operand(packed)};
  std::unique_ptr<QuantizedWeights> quantized;
  if (isQuantized(kernel)) {
    quantized = std::make_unique<QuantizedWeights>(kernel, false, 4);
    for (size_t i = 0; i < table.size(); ++i)
      table[i] = quantized->at(static_cast<int>(i) / k, static_cast<int>(i) % k);
    planes.clear();
    quantized->addTo(planes);
  }
  std::vector<int32_t> tokens = {0, n - 1, 16, -1, 3, -3, 15}, previous = {7, 5, n - 2};
  std::vector<int> ids = {0, n - 1, 16, 7, 3, n - 2, 15};
  Buffer out(tokens.size() * static_cast<size_t>(k) * 4), stats(tokens.size() * 4);
  std::vector<Operand> buffers = {tokens, previous};
  buffers.insert(buffers.end(), planes.begin(), planes.end());
  buffers.push_back(out);
  buffers.push_back(stats);
  ASSERT_EQ(run(kernel, buffers, {7}, 7, 2), 0);
  for (size_t t = 0; t < tokens.size(); ++t) {
    double squares = 0;
    for (int i = 0; i < k; ++i) {
      float got = out.as<float>()[t * k + i];
      ASSERT_EQ(got, static_cast<float>(table[static_cast<size_t>(ids[t]) * k + i] * kernel.real("scale")))
          << kernel.name << " token " << t << " column " << i;
      squares += double(got) * got;
    }
    if (kernel.integer("stats")) {
      ASSERT_NEAR(stats.as<float>()[t], squares, 1e-6 * squares);
    } else {
      ASSERT_TRUE(std::isnan(stats.as<float>()[t]));
    }
  }
  tokens[2] = n;
  EXPECT_EQ(run(kernel, buffers, {7}, 7, 3), 1) << "an id past the table";
  tokens[2] = -2;
  previous[1] = -4;
  EXPECT_EQ(run(kernel, buffers, {7}, 7, 1), 1) << "a previous id before the table";
}

inline void checkPackRows(const TestKernel &kernel, const Run &run) {
  int k = kernel.integer("k"), padded = kernel.integer("k_padded"), type = kernel.integer("type"),
      partials = kernel.integer("partials");
  constexpr int kRows = 9;
  Numbers numbers(4);
  std::vector<float> in(static_cast<size_t>(kRows) * k), stats(static_cast<size_t>(kRows) * std::max(partials, 1)),
      gamma(static_cast<size_t>(k));
  for (float &x : in)
    x = static_cast<float>(numbers.next() * 3);
  for (float &x : stats)
    x = static_cast<float>(std::floor(std::fabs(numbers.next()) * 20 * 256) / 256); // their sum is exact in any order
  for (float &x : gamma)
    x = static_cast<float>(1 + numbers.next());
  Buffer out(static_cast<size_t>(kRows) * padded * bytesOf(type));
  std::vector<Operand> buffers = {in};
  if (partials) {
    buffers.push_back(stats);
    buffers.push_back(gamma);
  }
  buffers.push_back(out);
  ASSERT_EQ(run(kernel, buffers, {kRows}, kRows, 2), 0);
  for (int r = 0; r < kRows; ++r) {
    double squares = 0;
    for (int i = 0; i < partials; ++i)
      squares += stats[static_cast<size_t>(r) * partials + i];
    for (int i = 0; i < padded; ++i) {
      double got = get(out.get(), type, static_cast<size_t>(r) * padded + i);
      double want = i < k ? in[static_cast<size_t>(r) * k + i] : 0.0;
      if (!partials || i >= k) {
        ASSERT_EQ(got, rounded(type, want)) << kernel.name;
        continue;
      }
      want *= gamma[i] / std::sqrt(squares / k + kernel.real("eps"));
      // Half a unit of the type, and a few of f32 before.
      ASSERT_NEAR(got, want, std::fabs(want) * (unitOf(type) + 6 * 0x1p-24)) << kernel.name;
    }
  }
  EXPECT_TRUE(out.fenceHolds());
}

// Rows that were quantized before, of every code.
inline void checkCodes(const TestKernel &kernel, const Run &run) {
  constexpr int kRows = 5;
  const int k = kernel.integer("k"), padded = kernel.integer("k_padded"), less = kernel.integer("codes") == 5 ? 128 : 0;
  Numbers numbers(6);
  std::vector<uint8_t> in(static_cast<size_t>(kRows) * k);
  for (size_t i = 0; i < in.size(); ++i)
    in[i] = static_cast<uint8_t>(i < 256 ? i : numbers.below(256));
  Buffer codes(in.size()), scale(4), zero(1);
  std::copy(in.begin(), in.end(), codes.as<uint8_t>());
  *scale.as<float>() = 0.37f;
  *zero.as<uint8_t>() = 201;
  auto number = [&](uint8_t code) { return static_cast<int>(less ? code : static_cast<int8_t>(code)) - less; };
  std::vector<QuantizedRow> rows;
  for (int r = 0; r < kRows; ++r) {
    std::vector<int8_t> q;
    for (int i = 0; i < k; ++i)
      q.push_back(static_cast<int8_t>(number(in[static_cast<size_t>(r) * k + i])));
    rows.emplace_back(q, padded, 0.37f, kernel.has("in_zeros") ? number(201) : 0);
  }
  const size_t bytes = rows[0].bytes();
  Buffer made(kRows * bytes);
  std::vector<Operand> buffers = {codes, scale};
  if (kernel.has("in_zeros"))
    buffers.push_back(zero);
  buffers.push_back(made);
  ASSERT_EQ(run(kernel, buffers, {kRows}, kRows, 2), 0);
  EXPECT_TRUE(made.fenceHolds());
  for (int r = 0; r < kRows; ++r) {
    std::vector<uint8_t> want(bytes);
    rows[r].store(want.data());
    ASSERT_EQ(std::memcmp(made.as<uint8_t>() + static_cast<size_t>(r) * bytes, want.data(), bytes), 0)
        << kernel.name << " row " << r;
  }
}

inline void checkQuantizeRows(const TestKernel &kernel, const Run &run) {
  if (kernel.has("codes"))
    return checkCodes(kernel, run);
  const int k = kernel.integer("k"), padded = kernel.integer("k_padded"), partials = kernel.integer("partials"),
            group = kernel.integer("group");
  constexpr int kRows = 9;
  Numbers numbers(5);
  std::vector<float> in(static_cast<size_t>(kRows) * k), gamma(static_cast<size_t>(k)),
      stats(static_cast<size_t>(kRows) * std::max(partials, 1));
  for (float &x : in)
    x = static_cast<float>(numbers.next() * 3);
  for (float &x : stats)
    x = static_cast<float>(std::floor(std::fabs(numbers.next()) * 20 * 256) / 256); // their sum is exact in any order
  for (float &x : gamma)
    x = static_cast<float>(1 + numbers.next());
  for (int i = 0; i < k; ++i) {
    in[3 * static_cast<size_t>(k) + i] = 0.0f;                             // a row of zeros
    in[4 * static_cast<size_t>(k) + i] = static_cast<float>(i % 3) * 0.5f; // ties and zeros
    in[5 * static_cast<size_t>(k) + i] = -0x1p-130f;                       // 127 / peak passes the range of f32
    in[6 * static_cast<size_t>(k) + i] *= 0x1p100f;
  }
  in[7 * static_cast<size_t>(k)] = NAN;
  std::vector<QuantizedRow> rows;
  for (int r = 0; r < kRows; ++r) {
    std::vector<float> y(in.begin() + static_cast<long>(r) * k, in.begin() + static_cast<long>(r + 1) * k);
    if (partials) {
      float squares = 0.0f;
      for (int i = 0; i < partials; ++i)
        squares += stats[static_cast<size_t>(r) * partials + i];
      const float factor = 1.0f / std::sqrt(squares / static_cast<float>(k) + static_cast<float>(kernel.real("eps")));
      for (int i = 0; i < k; ++i)
        y[i] = y[i] * factor * gamma[i];
    }
    if (r == 5 || r == 7)
      std::fill(y.begin(), y.end(), 0.0f); // taken as zeros; of a row that holds no number only the scale counts
    rows.emplace_back(y, padded, group);
  }
  const size_t bytes = rows[0].bytes();
  Buffer out(kRows * bytes);
  std::vector<Operand> buffers = {in};
  if (partials) {
    buffers.push_back(stats);
    buffers.push_back(gamma);
  }
  buffers.push_back(out);
  ASSERT_EQ(run(kernel, buffers, {kRows}, kRows, 2), 0);
  EXPECT_TRUE(out.fenceHolds());
  for (int r = 0; r < kRows; ++r) {
    const uint8_t *got = out.as<uint8_t>() + static_cast<size_t>(r) * bytes;
    float scale;
    std::memcpy(&scale, got + padded, 4);
    if (r == 7) { // a row that holds no number has no scale either
      EXPECT_TRUE(std::isnan(scale)) << kernel.name;
      continue;
    }
    if (r == 5) {
      EXPECT_LT(scale, 0x1p-119f) << kernel.name;
      rows[r].scale = scale;
    }
    std::vector<uint8_t> want(bytes);
    rows[r].store(want.data());
    for (int i = 0; i < padded; ++i)
      ASSERT_EQ(static_cast<int8_t>(got[i]), static_cast<int8_t>(want[i]))
          << kernel.name << ", row " << r << ", column " << i;
    ASSERT_EQ(std::memcmp(got, want.data(), bytes), 0) << kernel.name << " row " << r << ": scale and sums";
  }
}

inline void checkRopeAngles(const TestKernel &kernel, const Run &run) {
  int half = kernel.integer("half"), kind = kernel.integer("kind"), original = kernel.integer("original");
  // Sequences: one short, one past `original`, one that starts far out.
  std::vector<int32_t> positions = {0, 1, 2, 15, 16, 17, 1000, 4095, 131071, 999999}, starts = {0, 3, 6, 10},
                       lengths = {16, 18, 1000000};
  std::vector<float> shorter, longer;
  for (int i = 0; i < half; ++i) {
    shorter.push_back(static_cast<float>(std::pow(10000.0, -double(i) / half)));
    longer.push_back(static_cast<float>(std::pow(10000.0, -double(i) / half) / (1.0 + i)));
  }
  Buffer out(positions.size() * 2 * static_cast<size_t>(half) * 4);
  std::vector<Operand> buffers = {positions, starts, lengths, shorter};
  if (kind == 2)
    buffers.push_back(longer);
  buffers.push_back(out);
  ASSERT_EQ(run(kernel, buffers, {10, 3}, 10, 3), 0);
  for (size_t t = 0; t < positions.size(); ++t) {
    int length = lengths[t < 3 ? 0 : t < 6 ? 1 : 2];
    bool past = kind != 0 && length > original;
    for (int i = 0; i < half; ++i) {
      float frequency = shorter[i];
      double factor = kernel.real("attention_factor");
      if (past && kind == 1) {
        double dim = 2.0 * half, f = kernel.real("factor");
        double base = kernel.real("base") * std::pow(f * length / original - (f - 1), dim / (dim - 2));
        frequency = static_cast<float>(std::pow(base, -2.0 * i / dim));
      }
      if (past && kind == 2) {
        frequency = longer[i];
        factor = kernel.real("long_attention_factor");
      }
      // The f32 product is the angle, as the models' own code has it. Dynamic frequencies may differ in their last
      // bit.
      double angle = static_cast<float>(positions[t]) * frequency;
      double error = 1.5e-7 * factor + (past && kind == 1 ? angle * 0x1p-23 : 0.0);
      ASSERT_NEAR(out.as<float>()[t * 2 * half + i], std::cos(angle) * factor, error)
          << kernel.name << " position " << positions[t] << " frequency " << i;
      ASSERT_NEAR(out.as<float>()[t * 2 * half + half + i], std::sin(angle) * factor, error);
    }
  }
}

} // namespace ingot::test

#endif
