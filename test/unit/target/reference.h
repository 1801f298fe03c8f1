// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of kernels compare with: element types and layouts written out from their definitions (not shared with
// the kernels), and a deterministic source of numbers.
#ifndef INGOT_TEST_UNIT_TARGET_REFERENCE_H
#define INGOT_TEST_UNIT_TARGET_REFERENCE_H

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace ingot::test {

enum Type { kF32 = 0, kF16 = 1, kBF16 = 2 };

inline int bytesOf(int type) { return type == kF32 ? 4 : 2; }

// IEEE formats by arithmetic: round to `bits` significant bits, ties to even, subnormals below 2^least.
inline double roundTo(double x, int bits, int least) {
  if (x == 0.0 || !std::isfinite(x))
    return x;
  int exponent;
  std::frexp(x, &exponent); // x = m 2^exponent, m in [0.5, 1)
  int unit = exponent - bits;
  if (unit < least - bits + 1)
    unit = least - bits + 1;
  return std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
}
inline double rounded(int type, double x) {
  if (type == kF16)
    return roundTo(x, 11, -14);
  if (type == kBF16)
    return roundTo(x, 8, -126);
  return static_cast<double>(static_cast<float>(x));
}
// Half a unit in the last place of the type, relative.
inline double unitOf(int type) { return type == kF32 ? 0x1p-24 : type == kF16 ? 0x1p-11 : 0x1p-8; }

inline void put(void *at, int type, size_t i, double value) {
  if (type == kF32) {
    static_cast<float *>(at)[i] = static_cast<float>(value);
    return;
  }
  uint16_t bits;
  float f = static_cast<float>(rounded(type, value));
  if (type == kBF16) {
    uint32_t word;
    std::memcpy(&word, &f, 4);
    bits = static_cast<uint16_t>(word >> 16);
  } else {
    uint16_t sign = std::signbit(f) ? 0x8000 : 0;
    double a = std::fabs(static_cast<double>(f));
    if (a < 0x1p-14) {
      bits = static_cast<uint16_t>(a * 0x1p24);
    } else {
      int exponent;
      double m = std::frexp(a, &exponent); // a = m 2^exponent
      bits = static_cast<uint16_t>(((exponent + 14) << 10) + static_cast<int>((m * 2 - 1) * 1024));
    }
    bits |= sign;
  }
  static_cast<uint16_t *>(at)[i] = bits;
}
inline double get(const void *at, int type, size_t i) {
  if (type == kF32)
    return static_cast<const float *>(at)[i];
  uint16_t bits = static_cast<const uint16_t *>(at)[i];
  if (type == kBF16) {
    uint32_t word = static_cast<uint32_t>(bits) << 16;
    float f;
    std::memcpy(&f, &word, 4);
    return f;
  }
  int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
  double a = exponent == 0 ? mantissa * 0x1p-24 : std::ldexp(1.0 + mantissa / 1024.0, exponent - 15);
  return bits & 0x8000 ? -a : a;
}

// Numbers in [-1, 1), the same on every machine (splitmix64).
class Numbers {
public:
  explicit Numbers(uint64_t seed) : state(seed) {}
  uint64_t bits() {
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  double next() { return static_cast<double>(static_cast<int64_t>(bits())) * 0x1p-63; }
  int below(int n) { return static_cast<int>(bits() % static_cast<uint64_t>(n)); }

private:
  uint64_t state;
};

// A 64-byte aligned buffer that starts out as not-a-numbers, with a fence behind it.
class Buffer {
public:
  explicit Buffer(size_t size) : size(size), data(std::aligned_alloc(64, (size + 127) / 64 * 64), &std::free) {
    std::memset(data.get(), 0xff, (size + 127) / 64 * 64);
  }
  void *get() const { return data.get(); }
  template <class T> T *as() const { return static_cast<T *>(data.get()); }
  bool fenceHolds() const {
    for (size_t i = size; i < (size + 127) / 64 * 64; ++i)
      if (as<uint8_t>()[i] != 0xff)
        return false;
    return true;
  }
  bool operator==(const Buffer &other) const {
    return size == other.size && std::memcmp(get(), other.get(), size) == 0;
  }
  size_t size;

private:
  std::unique_ptr<void, void (*)(void *)> data;
};

inline int roundUp(int value, int unit) { return (value + unit - 1) / unit * unit; }

// weights [n][k] in the packed layout of their type, as params.h draws it. n rounds up to 16 with zero rows.
inline Buffer packWeights(const std::vector<double> &weights, int n, int k, int type) {
  int panels = (n + 15) / 16;
  int padded = type == kF32 ? k : roundUp(k, 32);
  Buffer packed(static_cast<size_t>(panels) * padded * 16 * bytesOf(type));
  for (int row = 0; row < panels * 16; ++row)
    for (int i = 0; i < padded; ++i) {
      double value = row < n && i < k ? weights[static_cast<size_t>(row) * k + i] : 0.0;
      size_t at = type == kF32 ? (static_cast<size_t>(row / 16) * k + i) * 16 + row % 16
                               : ((static_cast<size_t>(row / 16) * (padded / 2) + i / 2) * 16 + row % 16) * 2 + i % 2;
      put(packed.get(), type, at, value);
    }
  return packed;
}

} // namespace ingot::test

#endif
