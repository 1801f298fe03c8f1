// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operands as docs/spec/numerics.md and docs/spec/engine.md define them, written out in scalar code (not
// shared with the kernels): weights of random integers, scales and zero points with their planes, and rows of
// activations.
#ifndef INGOT_TEST_UNIT_TARGET_REFERENCE_QUANTIZED_H
#define INGOT_TEST_UNIT_TARGET_REFERENCE_QUANTIZED_H

#include "test/unit/target/images.h"
#include "test/unit/target/reference.h"
#include <algorithm>
#include <type_traits>

namespace ingot::test {

inline bool isQuantized(const TestKernel &kernel) {
  return kernel.templateName == "linear_int" || kernel.integer("weight_type") == 5;
}

// A weight [n][k]; with `gated`, n gate rows and n up rows whose panels alternate.
class QuantizedWeights {
public:
  QuantizedWeights(const TestKernel &kernel, bool gated, uint64_t seed)
      : n(kernel.integer("n")), k(kernel.integer("k")), group(kernel.integer("group")), groups((k + group - 1) / group),
        gated(gated), eight(kernel.integer("layout") == 3), asymmetric(kernel.integer("zeros") != 0),
        summed(kernel.has("in_zeros")), stored((n + 15) / 16 * (gated ? 32 : 16)), kPadded(roundUp(k, 64)),
        values(static_cast<size_t>(stored) * kPadded / (eight ? 1 : 2)),
        scales(static_cast<size_t>(stored) * groups * bytesOf(kernel.integer("scale_type"))),
        zeros(static_cast<size_t>(stored) * groups), sums(static_cast<size_t>(stored) * groups * 4) {
    const int scaleType = kernel.integer("scale_type");
    const int middle = eight ? 128 : 8;
    Numbers numbers(seed);
    u.assign(static_cast<size_t>(stored) * kPadded, asymmetric ? 0 : middle);
    z.assign(static_cast<size_t>(stored) * groups, asymmetric ? 0 : middle);
    s.assign(static_cast<size_t>(stored) * groups, 0.0f);
    for (int output = 0; output < (gated ? 2 * n : n); ++output) {
      const size_t row = static_cast<size_t>(storedRow(output));
      for (int g = 0; g < groups; ++g) {
        if (asymmetric)
          z[row * groups + g] = numbers.below(eight ? 256 : 16);
        // Some groups are all zero.
        bool none = numbers.below(9) == 0;
        s[row * groups + g] =
            none ? 0.0f : static_cast<float>(rounded(scaleType, (1.5 + numbers.next()) / (eight ? 128 : 8)));
        for (int i = g * group; i < std::min(k, (g + 1) * group); ++i)
          u[row * kPadded + i] = none ? z[row * groups + g] : eight ? code(numbers, row / 16) : numbers.below(16);
      }
      // The extremes stand somewhere.
      u[row * kPadded] = s[row * groups] == 0.0f ? z[row * groups] : output % 2 ? (eight ? 255 : 15) : 0;
    }
    pack(scaleType);
  }

  int value(int output, int i) const {
    return u[static_cast<size_t>(storedRow(output)) * kPadded + i] - zeroOf(output, i);
  }
  float scale(int output, int g) const { return s[static_cast<size_t>(storedRow(output)) * groups + g]; }
  float at(int output, int i) const { return static_cast<float>(value(output, i)) * scale(output, i / group); }
  // Of operands as pointers, or with their sizes (checks.h).
  template <class Operand> void addTo(std::vector<Operand> &buffers) const {
    auto add = [&](const Buffer &plane) {
      if constexpr (std::is_pointer_v<Operand>)
        buffers.push_back(plane.get());
      else
        buffers.push_back(plane);
    };
    add(values);
    add(scales);
    if (asymmetric)
      add(zeros);
    if (summed)
      add(sums);
  }

  int n, k, group, groups;

private:
  // One of 8 bits. By panels in turn: any, 7 bits around the middle, and small ones among which large ones are rare.
  static int code(Numbers &numbers, size_t panel) {
    if (panel % 3 == 0 || (panel % 3 == 2 && numbers.below(300) == 0))
      return numbers.below(256);
    return panel % 3 == 1 ? 64 + numbers.below(129) : 108 + numbers.below(41);
  }
  int zeroOf(int output, int i) const { return z[static_cast<size_t>(storedRow(output)) * groups + i / group]; }
  int storedRow(int output) const {
    int half = output / n, i = output % n;
    return gated ? i / 16 * 32 + half * 16 + i % 16 : output;
  }
  void pack(int scaleType) {
    for (int row = 0; row < stored; ++row) {
      for (int i = 0; i < kPadded; ++i) {
        int value = u[static_cast<size_t>(row) * kPadded + i];
        size_t panel = static_cast<size_t>(row / 16), column = static_cast<size_t>(row % 16);
        if (eight) {
          values.as<uint8_t>()[((panel * (kPadded / 4) + i / 4) * 16 + column) * 4 + i % 4] =
              static_cast<uint8_t>(value);
        } else {
          uint8_t &byte = values.as<uint8_t>()[((panel * (kPadded / 8) + i / 8) * 16 + column) * 4 + i % 4];
          byte = static_cast<uint8_t>(i % 8 < 4 ? value : (byte & 15) | value << 4);
        }
      }
      for (int g = 0; g < groups; ++g) {
        size_t to = (static_cast<size_t>(row / 16) * groups + g) * 16 + row % 16;
        put(scales.get(), scaleType, to, s[static_cast<size_t>(row) * groups + g]);
        zeros.as<uint8_t>()[to] = static_cast<uint8_t>(z[static_cast<size_t>(row) * groups + g]);
        int32_t sum = 0;
        for (int i = g * group; i < std::min(k, (g + 1) * group); ++i)
          sum += u[static_cast<size_t>(row) * kPadded + i] - z[static_cast<size_t>(row) * groups + g];
        sums.as<int32_t>()[to] = sum;
      }
    }
  }

  bool gated, eight, asymmetric, summed;
  int stored, kPadded;
  std::vector<int> u, z;
  std::vector<float> s;
  Buffer values, scales, zeros, sums;
};

// A row of activations, quantized: what quantize_rows stores.
struct QuantizedRow {
  std::vector<int8_t> q; // [k_padded]
  float scale = 0.0f;
  std::vector<int32_t> sums; // [groups]
  int32_t zero = 0;          // of rows that were quantized before; with one group

  // Codes that were given, as signed bytes.
  QuantizedRow(const std::vector<int8_t> &codes, int kPadded, float scale, int32_t zero)
      : q(codes), scale(scale), sums(1), zero(zero) {
    for (int8_t code : codes)
      sums[0] += code;
    q.resize(static_cast<size_t>(kPadded));
  }
  QuantizedRow(const std::vector<float> &y, int kPadded, int group) : q(static_cast<size_t>(kPadded)) {
    float peak = 0.0f;
    for (float v : y)
      peak = std::max(peak, std::fabs(v));
    scale = peak / 127.0f;
    float inverse = peak > 0.0f ? 127.0f / peak : 0.0f;
    sums.resize((y.size() + static_cast<size_t>(group) - 1) / static_cast<size_t>(group));
    for (size_t i = 0; i < y.size(); ++i) {
      float product = y[i] * inverse;
      q[i] = static_cast<int8_t>(std::nearbyint(product)); // ties to even, the default of the machine
      sums[i / static_cast<size_t>(group)] += q[i];
    }
  }
  size_t bytes() const { return q.size() + (4 + 4 * sums.size() + 63) / 64 * 64; }
  void store(uint8_t *to) const {
    std::memset(to, 0, bytes());
    std::memcpy(to, q.data(), q.size());
    std::memcpy(to + q.size(), &scale, 4);
    std::memcpy(to + q.size() + 4, sums.data(), sums.size() * 4);
    if (sums.size() == 1)
      std::memcpy(to + q.size() + 8, &zero, 4);
  }
};

} // namespace ingot::test

#endif
