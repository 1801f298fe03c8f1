// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/quantize.h"

#include "compiler/engine/element.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace ingot::engine {

namespace {

// Vectors of 8 floats and 4 doubles. Written for any CPU; the two functions at the end are compiled for AVX2 as well,
// without FMA, and give the same bits there, as every lane rounds alone.
typedef float F8 __attribute__((vector_size(32)));
typedef float F4 __attribute__((vector_size(16)));
typedef int32_t I8 __attribute__((vector_size(32)));
typedef double D4 __attribute__((vector_size(32)));
#define INGOT_ANY_CPU static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define INGOT_AVX2 __attribute__((target("avx2")))
static bool hasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
}
#else
#define INGOT_AVX2
static bool hasAvx2() { return false; }
#endif

// Rounds to nearest even where |x| is below 2^22: adding 1.5 * 2^23 leaves no bits for a fraction. Unlike rintf it is
// vectorized on every CPU.
INGOT_ANY_CPU float roundEven(float x) { return (x + 12582912.0f) - 12582912.0f; }

// To the nearest, but up where few bits are left (below 2^-14, f16's smallest normal number): a scale of 0 would lose the group, one that is much too
// small would cut its largest weights off.
float roundScale(const Quantization &how, float scale) {
  if (how.scale != ElementType::f16)
    return scale;
  const uint16_t bits = floatToF16(scale);
  const float nearest = f16ToFloat(bits);
  return nearest < scale * 0.999f ? f16ToFloat(uint16_t(bits + 1)) : nearest;
}

// Returns false where a value or the scale is not finite.
INGOT_ANY_CPU bool quantizeGroup(const Quantization &how, const float *w, int64_t count, uint8_t *u, float &scale,
                                 uint8_t &zero) {
  float lo = 0, hi = 0;
  bool finite = true;
  F8 lows = {}, highs = {};
  I8 sound = ~I8{};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    F8 x;
    std::memcpy(&x, w + i, sizeof(x));
    lows = x < lows ? x : lows;
    highs = highs < x ? x : highs;
    sound &= (x <= std::numeric_limits<float>::max()) & (x >= -std::numeric_limits<float>::max()); // not so for NaN
  }
  for (int lane = 0; lane < 8; ++lane) {
    lo = std::min(lo, lows[lane]);
    hi = std::max(hi, highs[lane]);
    finite &= sound[lane] != 0;
  }
  for (; i < count; ++i) {
    lo = std::min(lo, w[i]);
    hi = std::max(hi, w[i]);
    finite &= std::fabs(w[i]) <= std::numeric_limits<float>::max(); // not so for NaN
  }
  const float most = how.bits == 4 ? 7.0f : 127.0f;
  scale = roundScale(how, how.asym ? (hi - lo) / 15.0f : std::max(hi, -lo) / most);
  if (!finite || !std::isfinite(scale))
    return false;
  const float z = !how.asym ? most + 1 : scale > 0 ? std::clamp(roundEven(-lo / scale), 0.0f, 15.0f) : 0.0f;
  zero = uint8_t(z);
  if (!u)
    return true;
  if (scale == 0) {
    std::fill_n(u, count, zero);
    return true;
  }
  const float least = how.asym ? 0.0f : 1.0f, largest = how.asym ? 15.0f : 2 * most + 1;
  for (i = 0; i < count; ++i) {
    // Clamped before it is rounded as well, to stay where roundEven is right; that changes no result.
    float ratio = std::clamp(w[i] / scale, -256.0f, 256.0f);
    u[i] = uint8_t(int32_t(std::clamp(roundEven(ratio) + z, least, largest)));
  }
  return true;
}

} // namespace

std::string Quantization::scheme() const {
  return std::string(bits == 4 ? "int4:" : "int8:") + (group ? "g" + std::to_string(group) : "channel") +
         (asym ? ",asym" : "");
}

void QuantizationError::add(const QuantizationError &other) {
  squares += other.squares;
  errorSquares += other.errorSquares;
  most = std::max(most, other.most);
  measured |= other.measured;
}

double QuantizationError::relative() const { return squares > 0 ? std::sqrt(errorSquares / squares) : 0; }

INGOT_ANY_CPU bool quantizeRowBody(const Quantization &how, const float *w, int64_t columns, uint8_t *u, float *scales,
                                   uint8_t *zeros) {
  const int64_t size = how.groupSize(columns), groups = how.groups(columns);
  for (int64_t g = 0; g < groups; ++g) {
    uint8_t zero = 0;
    if (!quantizeGroup(how, w + g * size, std::min(size, columns - g * size), u ? u + g * size : nullptr, scales[g],
                       zero))
      return false;
    if (how.asym)
      zeros[g] = zero;
  }
  return true;
}

// Four sums, so that additions need not wait for each other.
INGOT_ANY_CPU void measureRowBody(const Quantization &how, const float *w, int64_t columns, const uint8_t *u,
                                  const float *scales, const uint8_t *zeros, QuantizationError &error) {
  const int64_t size = how.groupSize(columns);
  float most = 0;
  F4 largest = {};
  for (int64_t first = 0, g = 0; first < columns; first += size, ++g) {
    const int32_t zero = how.asym ? zeros[g] : how.symmetricZero();
    const int64_t count = std::min(size, columns - first);
    D4 squares = {}, errors = {};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
      F4 x, u4;
      std::memcpy(&x, w + first + i, sizeof(x));
      for (int lane = 0; lane < 4; ++lane)
        u4[lane] = float(int32_t(u[first + i + lane]) - zero);
      F4 lost = u4 * scales[g] - x;
      D4 wide = __builtin_convertvector(x, D4), wideLost = __builtin_convertvector(lost, D4);
      squares += wide * wide;
      errors += wideLost * wideLost;
      F4 size4 = lost < 0 ? -lost : lost;
      largest = largest < size4 ? size4 : largest;
    }
    for (; i < count; ++i) {
      float value = w[first + i], lost = float(int32_t(u[first + i]) - zero) * scales[g] - value;
      squares[i % 4] += double(value) * value;
      errors[i % 4] += double(lost) * lost;
      most = std::max(most, std::fabs(lost));
    }
    error.squares += squares[0] + squares[1] + squares[2] + squares[3];
    error.errorSquares += errors[0] + errors[1] + errors[2] + errors[3];
  }
  for (int lane = 0; lane < 4; ++lane)
    most = std::max(most, largest[lane]);
  error.most = std::max(error.most, double(most));
  error.measured = true;
}

INGOT_AVX2 static bool quantizeRowAvx2(const Quantization &how, const float *w, int64_t columns, uint8_t *u,
                                       float *scales, uint8_t *zeros) {
  return quantizeRowBody(how, w, columns, u, scales, zeros);
}

INGOT_AVX2 static void measureRowAvx2(const Quantization &how, const float *w, int64_t columns, const uint8_t *u,
                                      const float *scales, const uint8_t *zeros, QuantizationError &error) {
  measureRowBody(how, w, columns, u, scales, zeros, error);
}

bool quantizeRow(const Quantization &how, const float *w, int64_t columns, uint8_t *u, float *scales, uint8_t *zeros) {
  return hasAvx2() ? quantizeRowAvx2(how, w, columns, u, scales, zeros)
                   : quantizeRowBody(how, w, columns, u, scales, zeros);
}

void measureRow(const Quantization &how, const float *w, int64_t columns, const uint8_t *u, const float *scales,
                const uint8_t *zeros, QuantizationError &error) {
  return hasAvx2() ? measureRowAvx2(how, w, columns, u, scales, zeros, error)
                   : measureRowBody(how, w, columns, u, scales, zeros, error);
}

} // namespace ingot::engine
