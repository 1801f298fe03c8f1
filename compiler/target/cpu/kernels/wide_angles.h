// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Circular functions of f64 lanes, for every finite angle, their inverses, and remainders. What is special is as Annex
// F of C has it, denormal numbers included. Coefficients without a source are those of tools/elementary-functions.
// Largest errors seen (test/unit/target/elementwise_checks.h), in units in the last place:
//
//   sin 0.8   cos 0.8   tan 2.1   asin 2.0   acos 1.1   atan 1.6   fmod 0
#ifndef INGOT_TARGET_CPU_KERNELS_WIDE_ANGLES_H
#define INGOT_TARGET_CPU_KERNELS_WIDE_ANGLES_H

#include "compiler/target/cpu/kernels/wide.h"

namespace ingot::kernels {

// pi / 2 in three parts.
inline constexpr double kHalfPi1 = 0x1.921fb54442d18p+0, kHalfPi2 = 0x1.1a62633145c07p-54,
                        kHalfPi3 = -0x1.f1976b7ed8fbcp-110;

// 2 / pi after its point, 64 bits a word, behind a word of zeros.
inline constexpr uint64_t kTwoOverPi[] = {0,
                                          0xa2f9836e4e441529,
                                          0xfc2757d1f534ddc0,
                                          0xdb6295993c439041,
                                          0xfe5163abdebbc561,
                                          0xb7246e3a424dd2e0,
                                          0x06492eea09d1921c,
                                          0xfe1deb1cb129a73e,
                                          0xe88235f52ebb4484,
                                          0xe99c7026b45f7e41,
                                          0x3991d639835339f4,
                                          0x9c845f8bbdf9283b,
                                          0x1ff897ffde05980f,
                                          0xef2f118b5a0a6d1f,
                                          0x6d367ecf27cb09b7,
                                          0x4f463f669e5fea2d,
                                          0x7527bac7ebe5f17b,
                                          0x3d0739f78a5292ea,
                                          0x6bfb5fb11f8d5d08,
                                          0x56033046fc7b6bab,
                                          0xf0cfbc209af4361d,
                                          0xa9e391615ee61b08};

// Angles of 2^45 and more (M. Payne and R. Hanek): the bits of x 2/pi from weight 2 down to 2^-137 are the product of
// x's 53 bits with 192 bits of 2/pi, for bits of a higher weight add multiples of 4. x = q pi/2 + high + low.
INGOT_INLINE void reduceLarge(double x, double &high, double &low, uint64_t &quadrant) {
  uint64_t bits = __builtin_bit_cast(uint64_t, x) & 0x7fffffffffffffffull;
  int32_t exponent = (int32_t)(bits >> 52) - 1075; // x = m 2^exponent
  if (exponent > 971) {
    high = low = x - x;
    quadrant = 0;
    return;
  }
  uint64_t m = (bits & 0xfffffffffffffull) | 0x10000000000000ull;
  int32_t from = 64 + exponent - 2, word = from >> 6, shift = from & 63;
  uint64_t part[3];
  for (int i = 0; i < 3; ++i)
    part[i] = kTwoOverPi[word + i] << shift | (shift ? kTwoOverPi[word + i + 1] >> (64 - shift) : 0);
  using u128 = unsigned __int128;
  u128 last = (u128)part[2] * m, middle = (u128)part[1] * m + (uint64_t)(last >> 64);
  uint64_t first = part[0] * m + (uint64_t)(middle >> 64);
  quadrant = first >> 62;
  u128 fraction = (u128)(first << 2 | (uint64_t)middle >> 62) << 64 | ((uint64_t)middle << 2 | (uint64_t)last >> 62);
  bool negative = fraction >> 127; // the nearest multiple lies above
  if (negative) {
    fraction = -fraction;
    ++quadrant;
  }
  uint64_t top = (uint64_t)(fraction >> 64);
  int32_t zeros = top ? __builtin_clzll(top) : 64 + __builtin_clzll((uint64_t)fraction | 1);
  fraction <<= zeros;
  // 53 bits, and the next 53.
  double scale = __builtin_bit_cast(double, (uint64_t)(1023 - 53 - zeros) << 52);
  double f = (double)(int64_t)(uint64_t)(fraction >> 75) * scale;
  double g = (double)(int64_t)((uint64_t)(fraction >> 22) & 0x1fffffffffffffull) * (scale * 0x1p-53);
  high = f * kHalfPi1;
  low = fma(f, kHalfPi1, -high) + fma(f, kHalfPi2, g * kHalfPi1);
  if (negative != (x < 0)) {
    high = -high;
    low = -low;
  }
  if (x < 0)
    quadrant = -quadrant;
}

// x = q pi/2 + high + low with |high| <= pi/4 (a rounding more): Cody and Waite in three parts. The first product is
// taken off without rounding, because what is left has no more bits than x.
INGOT_INLINE Pair reduce(f64x8 x, u64x8 &quadrant) {
  f64x8 n = nearest(x * 0.63661977236758134308);
  f64x8 r = fma(n, wide(-kHalfPi1), x);
  Pair p = productOf(n, wide(kHalfPi2));
  Pair y = sumOf(r, -p.high);
  y.low -= fma(n, wide(kHalfPi3), p.low);
  y = sumOfOrdered(y.high, y.low);
  quadrant = integerOf(n);
  i64x8 large = ~(magnitude(x) < 0x1p45);
  if (anyOf(large)) {
    for (int i = 0; i < 8; ++i) {
      if (!large[i])
        continue;
      double high, low;
      uint64_t q;
      reduceLarge(x[i], high, low, q);
      y.high[i] = high;
      y.low[i] = low;
      quadrant[i] = q;
    }
  }
  return y;
}

// fdlibm's kernels of sine and cosine on [-pi/4, pi/4], of an angle in two parts.
INGOT_INLINE f64x8 sineOf(Pair a) {
  static constexpr double c[] = {8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                                 -2.50507602534068634195e-08, 1.58969099521155010221e-10};
  f64x8 z = a.high * a.high, v = z * a.high, r = polynomial(c, z);
  return a.high - ((z * (0.5 * a.low - v * r) - a.low) + v * 1.66666666666666324348e-01);
}
INGOT_INLINE f64x8 cosineOf(Pair a) {
  static constexpr double c[] = {4.16666666666666019037e-02,  -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                                 -2.75573143513906633035e-07, 2.08757232129817482790e-09,  -1.13596475577881948265e-11};
  f64x8 z = a.high * a.high, half = 0.5 * z, w = 1.0 - half;
  return w + (((1.0 - w) - half) + (z * z * polynomial(c, z) - a.high * a.low));
}

// The value with its sign turned where bit 1 of the quadrant is set.
INGOT_INLINE f64x8 turned(f64x8 x, u64x8 quadrant) { return fromBits(bitsOf(x) ^ (quadrant >> 1 << 63)); }
INGOT_INLINE i64x8 isOdd(u64x8 quadrant) { return (quadrant & 1) != 0; }

INGOT_INLINE f64x8 sin(f64x8 x) {
  u64x8 quadrant;
  Pair a = reduce(x, quadrant);
  f64x8 y = turned(isOdd(quadrant) ? cosineOf(a) : sineOf(a), quadrant);
  return magnitude(x) < 0x1p-27 ? x : y;
}
INGOT_INLINE f64x8 cos(f64x8 x) {
  u64x8 quadrant;
  Pair a = reduce(x, quadrant);
  return turned(isOdd(quadrant) ? sineOf(a) : cosineOf(a), quadrant + 1);
}
INGOT_INLINE f64x8 tan(f64x8 x) {
  u64x8 quadrant;
  Pair a = reduce(x, quadrant);
  f64x8 s = sineOf(a), c = cosineOf(a);
  i64x8 odd = isOdd(quadrant);
  f64x8 y = (odd ? -c : s) / (odd ? s : c);
  return magnitude(x) < 0x1p-27 ? x : y;
}

// atan: reduced to |t| <= tan(pi/8) by the tangents of pi/4 and pi/2 (Cephes), t + t^3 P(t^2).
INGOT_INLINE f64x8 atan(f64x8 x) {
  f64x8 a = magnitude(x);
  i64x8 far = a > 2.41421356237309504880, middle = ~far & (a > 0.41421356237309504880);
  f64x8 over = far ? wide(-1.0) : middle ? a - 1.0 : a;
  f64x8 under = far ? a : middle ? a + 1.0 : wide(1.0);
  f64x8 t = over / under, z = t * t;
  static constexpr double c[] = {-0.33333333333333333329,  0.19999999999999991542,   -0.14285714285711518602,
                                 0.11111111110754729458,   -0.090909090670099900838, 0.076923067360001734713,
                                 -0.066666420200551661522, 0.058819252531928635581,  -0.052580415542977796376,
                                 0.047193950300274329928,  -0.041044362657550819859, 0.030635704112969497094,
                                 -0.013918229291024428415};
  f64x8 base = far ? wide(kHalfPi1) : middle ? wide(0.5 * kHalfPi1) : wide(0.0);
  f64x8 rest = far ? wide(kHalfPi2) : middle ? wide(0.5 * kHalfPi2) : wide(0.0);
  f64x8 y = base + (t + fma(t * z, polynomial(c, z), rest));
  return a < 0x1p-27 ? x : withSign(y, x);
}

// (asin(x) - x) / x^3 of x^2 up to 1/4.
INGOT_INLINE f64x8 arcPolynomial(f64x8 z) {
  static constexpr double c[] = {0.16666666666666666592,   0.07500000000000117751,   0.044642857142551892902,
                                 0.030381944475532339993,  0.022372157443507222419,  0.017352816540325494994,
                                 0.013963780012203569641,  0.011566459612121668568,  0.0096218429701002810177,
                                 0.0093195607947674462957, 0.0030448799094556773959, 0.019554513336123378949,
                                 -0.019241671746743040654, 0.02961201126495512036};
  return polynomial(c, z);
}
// asin: x + x^3 P(x^2) up to 1/2; above, pi/2 - 2 asin(sqrt((1 - x) / 2)).
INGOT_INLINE f64x8 asin(f64x8 x) {
  f64x8 a = magnitude(x);
  i64x8 large = a > 0.5;
  f64x8 z = large ? 0.5 - 0.5 * a : a * a;
  f64x8 s = large ? root(z) : a;
  f64x8 y = fma(s * z, arcPolynomial(z), s);
  y = large ? kHalfPi1 - (y + y - kHalfPi2) : y;
  return a < 0x1p-27 ? x : withSign(y, x);
}
INGOT_INLINE f64x8 acos(f64x8 x) {
  f64x8 a = magnitude(x);
  i64x8 large = a > 0.5;
  f64x8 z = large ? 0.5 - 0.5 * a : a * a;
  f64x8 s = large ? root(z) : x;
  f64x8 part = s * z * arcPolynomial(z);
  f64x8 near = 2.0 * (s + part);
  f64x8 beyond = 2.0 * kHalfPi1 - (near - 2.0 * kHalfPi2);
  return large ? (x < 0.0 ? beyond : near) : kHalfPi1 - (s - (kHalfPi2 - part));
}

// C's fmod: x less the multiple of y towards zero. x - q y has no rounding for the rounded q = x / y, for every q at or
// past 2^53 and for the whole number below it before that, so each step takes 53 bits off x.
INGOT_INLINE f64x8 fmod(f64x8 x, f64x8 y) {
  f64x8 b = magnitude(y), r = magnitude(x);
  i64x8 whole = r < b; // y may be infinite
  i64x8 divides = (r < kInfinity) & (b > 0.0) & (b < kInfinity);
  r = divides ? r : wide(0.0);
  b = divides ? b : wide(1.0);
  while (anyOf(magnitude(r) >= b)) {
    f64x8 small = magnitude(r) * 0x1p-1000; // the quotient must be finite
    f64x8 d = small > b ? b * 0x1p900 : b;
    d = small > d ? d * 0x1p900 : d;
    r = fma(-__builtin_elementwise_trunc(r / d), d, r);
  }
  r = r < 0.0 ? r + b : r; // the last quotient was rounded up to a whole number
  f64x8 rest = divides ? withSign(r, x) : wide(__builtin_nan(""));
  return whole ? x : rest;
}

} // namespace ingot::kernels

#endif
