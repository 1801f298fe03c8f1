// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exponentials and logarithms of f64 lanes, and what is made of them: powers, hyperbolic functions and their inverses,
// erf. What is special is as Annex F of C has it, denormal numbers included. Coefficients without a source are those of
// tools/elementary-functions. Largest errors seen (test/unit/target/elementwise_checks.h), in units in the last place:
//
//   exp 1.0   expm1 1.7   log 0.8   log1p 1.4   pow 1.1   sinh 2.3   cosh 1.4   tanh 2.5   asinh 1.9   acosh 2.5
//   atanh 1.7   erf 1.1
#ifndef INGOT_TARGET_CPU_KERNELS_WIDE_EXPONENTIAL_H
#define INGOT_TARGET_CPU_KERNELS_WIDE_EXPONENTIAL_H

#include "compiler/target/cpu/kernels/wide.h"

namespace ingot::kernels {

// ln 2 in two parts, the first of 33 bits, so that multiples of it up to 2^20 are exact (fdlibm).
inline constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;

// x = n ln2 + r with |r| <= ln2 / 2 (Cody and Waite): n, and exp(r) - 1 by Taylor's series to degree 13.
INGOT_INLINE void exponentialParts(f64x8 x, f64x8 low, f64x8 &n, f64x8 &less1) {
  n = nearest(x * 1.4426950408889634);
  f64x8 r = fma(n, wide(-kLn2High), x);
  r = fma(n, wide(-kLn2Low), r) + low;
  static constexpr double c[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                 1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  less1 = fma(r * r, polynomial(c, r), r);
}
// y 2^n in two steps, so that denormal results round once.
INGOT_INLINE f64x8 scaled(f64x8 y, f64x8 n) {
  f64x8 half = nearest(n * 0.5);
  return y * powerOf2(half) * powerOf2(n - half);
}

// exp(x + low) 2^more for |low| below x's rounding and |more| <= 1.
INGOT_INLINE f64x8 exponential(f64x8 x, f64x8 low, double more = 0.0) {
  x = x < -746.0 ? wide(-746.0) : x;
  x = x > 712.0 ? wide(712.0) : x;
  f64x8 n, less1;
  exponentialParts(x, low, n, less1);
  return scaled(less1 + 1.0, n + more);
}
INGOT_INLINE f64x8 exp(f64x8 x) { return exponential(x, wide(0.0)); }

// exp(x) - 1 = 2^n (exp(r) - 1 + (1 - 2^-n)).
INGOT_INLINE f64x8 expm1(f64x8 value) {
  f64x8 x = value < -40.0 ? wide(-40.0) : value;
  x = x > 712.0 ? wide(712.0) : x;
  f64x8 n, less1;
  exponentialParts(x, wide(0.0), n, less1);
  f64x8 few = n > 64.0 ? wide(64.0) : n;
  f64x8 y = scaled(less1 + (1.0 - powerOf2(-few)), n);
  return value == 0.0 ? value : y;
}

// x = 2^k m with sqrt(1/2) <= m < sqrt(2), for positive finite x: k and m - 1.
INGOT_INLINE void logarithmParts(f64x8 x, f64x8 &k, f64x8 &f) {
  i64x8 denormal = x < 0x1p-1022;
  x = denormal ? x * 0x1p54 : x;
  const uint64_t rootHalf = 0x3fe6a09e667f3bcdull;
  u64x8 bits = bitsOf(x) + (0x3ff0000000000000ull - rootHalf);
  k = fromBits((bits >> 52) | 0x4330000000000000ull) - (0x1p52 + 1023.0); // the exponent's bits as a number
  k = denormal ? k - 54.0 : k;
  f = fromBits((bits & 0xfffffffffffffull) + rootHalf) - 1.0;
}

// log where it is 0 or a number that has one: of 0 -infinity, below 0 not a number.
INGOT_INLINE f64x8 ofSpecial(f64x8 x, f64x8 logarithm) {
  f64x8 y = x == kInfinity ? x : logarithm;
  y = x == 0.0 ? wide(-kInfinity) : y;
  return x >= 0.0 ? y : wide(__builtin_nan(""));
}

// log: fdlibm's kernel.
INGOT_INLINE f64x8 log(f64x8 x) {
  f64x8 k, f;
  logarithmParts(x, k, f);
  f64x8 s = f / (f + 2.0), z = s * s, h = 0.5 * f * f;
  static constexpr double c[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                                 2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                                 1.479819860511658591e-01};
  f64x8 r = polynomial(c, z) * z;
  return ofSpecial(x, k * kLn2High - ((h - (s * (h + r) + k * kLn2Low)) - f));
}

// log(1 + x): that of the rounded sum, and what the rounding lost over the sum.
INGOT_INLINE f64x8 log1p(f64x8 x) {
  f64x8 u = x + 1.0;
  f64x8 lost = magnitude(x) < 1.0 ? x - (u - 1.0) : 1.0 - (u - x);
  f64x8 y = log(u) + lost / u;
  y = u == 0.0 ? wide(-kInfinity) : y;
  y = x == kInfinity ? x : y;
  return magnitude(x) < 0x1p-54 ? x : y;
}

// log in two parts, to 2^-64 of itself, for positive finite x: 2 atanh(s) with s = f / (2 + f) in two parts, of whose
// series s + s^3/3 + ... the first two terms are in two parts.
INGOT_INLINE Pair logarithm(f64x8 x) {
  f64x8 k, f;
  logarithmParts(x, k, f);
  Pair d = sumOfOrdered(wide(2.0), f);
  f64x8 s = f / d.high;
  f64x8 sLow = (fma(-s, d.high, f) - s * d.low) / d.high;
  Pair z = productOf(s, s);
  z.low = fma(s + s, sLow, z.low);
  static constexpr double c[] = {0.19999999999999999909,  0.14285714285714683099, 0.11111111110827954324,
                                 0.090909091676938003487, 0.0769229748153706721,  0.066674023318121686349,
                                 0.058531185744081861378, 0.058615850803995371583};
  Pair t = sumOfOrdered(wide(0x1.5555555555555p-2), z.high * polynomial(c, z.high)); // 1/3 + ...
  t.low += 0x1.5555555555555p-56;
  Pair w = productOf(z.high, t.high);
  w.low += fma(z.high, t.low, z.low * t.high);
  Pair v = productOf(s, w.high);
  v.low += fma(s, w.low, sLow * w.high);
  Pair m = sumOfOrdered(s, v.high);
  m.low += sLow + v.low;
  Pair y = sumOfOrdered(k * kLn2High, m.high + m.high);
  y.low += fma(k, wide(kLn2Low), m.low + m.low);
  return y;
}

// x^y = exp(y log|x|), negative where x is and y is odd.
INGOT_INLINE f64x8 pow(f64x8 x, f64x8 y) {
  f64x8 a = magnitude(x);
  Pair l = logarithm(a);
  f64x8 high = a == 0.0 ? wide(-kInfinity) : l.high;
  high = a < kInfinity ? high : a; // infinite, or not a number
  f64x8 p = y * high;
  f64x8 low = fma(y, high, -p) + y * l.low;
  low = magnitude(p) < 800.0 ? low : wide(0.0);
  f64x8 power = exponential(p, low);
  power = ((a == 1.0) & (y == y)) ? wide(1.0) : power; // y may be infinite
  i64x8 whole = __builtin_elementwise_trunc(y) == y;
  i64x8 odd = whole & (__builtin_elementwise_trunc(y * 0.5) * 2.0 != y);
  power = ((x < 0.0) & (a < kInfinity) & ~whole) ? wide(__builtin_nan("")) : power;
  power = odd ? withSign(power, x) : power;
  return ((x == 1.0) | (y == 0.0)) ? wide(1.0) : power;
}

// (exp(x) - exp(-x)) / 2, by exp(x) - 1 where the two are of one size.
INGOT_INLINE f64x8 sinh(f64x8 x) {
  f64x8 a = magnitude(x), t = expm1(a < 22.0 ? a : wide(22.0));
  f64x8 y = a < 22.0 ? 0.5 * (t + t / (t + 1.0)) : exponential(a, wide(0.0), -1.0);
  return a < 0x1p-28 ? x : withSign(y, x);
}
INGOT_INLINE f64x8 cosh(f64x8 x) {
  f64x8 a = magnitude(x), half = exponential(a, wide(0.0), -1.0);
  return a < 22.0 ? half + 0.25 / half : half;
}
INGOT_INLINE f64x8 tanh(f64x8 x) {
  f64x8 a = magnitude(x), t = expm1(a < 22.0 ? a + a : wide(44.0));
  f64x8 y = a < 1.0 ? t / (t + 2.0) : 1.0 - 2.0 / (t + 2.0);
  y = x == x ? withSign(y, x) : x;
  return a < 0x1p-28 ? x : y;
}

inline constexpr double kLn2 = 0.69314718055994530942;

INGOT_INLINE f64x8 asinh(f64x8 x) {
  f64x8 a = magnitude(x), square = a * a;
  i64x8 large = a > 0x1p28;
  f64x8 y = log1p(large ? a - 1.0 : a + square / (1.0 + root(square + 1.0)));
  y = large ? y + kLn2 : y;
  return a < 0x1p-28 ? x : withSign(y, x);
}
INGOT_INLINE f64x8 acosh(f64x8 x) {
  f64x8 t = x - 1.0;
  i64x8 large = x > 0x1p28;
  f64x8 y = log1p(large ? t : t + root(t * (t + 2.0)));
  y = large ? y + kLn2 : y;
  return x >= 1.0 ? y : wide(__builtin_nan(""));
}
INGOT_INLINE f64x8 atanh(f64x8 x) {
  f64x8 a = magnitude(x), twice = a + a, rest = 1.0 - a;
  f64x8 y = 0.5 * log1p(a < 0.5 ? twice + twice * a / rest : twice / rest);
  return a < 0x1p-28 ? x : withSign(y, x);
}

// erf: x + x P(x^2) below 1; above, 1 - exp(-x^2) P((x - 3) / (x + 3)) (J. L. Schonfelder 1978), and 1 from 6 on.
INGOT_INLINE f64x8 erf(f64x8 x) {
  f64x8 a = magnitude(x);
  static constexpr double small[] = {0.12837916709551257377,    -0.37612638903183748056,     0.11283791670954878666,
                                     -0.026866170645076793248,  0.0052239776248180144673,    -0.00085483269808337899052,
                                     0.00012055331111642710923, -0.000014925595266831181565, 1.6461000484121368033e-6,
                                     -1.6350312701054695011e-7, 1.4659775274047435814e-8,    -1.137284885679167367e-9,
                                     5.9571761477489114044e-11};
  f64x8 below = fma(polynomial(small, x * x), x, x);
  static constexpr double large[] = {
      0.17900115118138995039,     -0.32623356004303722758,    0.24560380171233090823,     -0.15011593650077742993,
      0.07166583719797346897,     -0.024392499318655416643,   0.0042691363331483024793,   0.00070774643851773535398,
      -0.00059706195861583047292, 0.000045255298034073952723, 0.000064056733422068436745, -0.000012860318447907675019,
      -7.9798177043487268461e-6,  2.1169509641489687018e-6,   1.2598817267482605116e-6,   -2.7269500546476833978e-7,
      -2.3893874634747922914e-7,  -2.5925894581233314591e-8};
  f64x8 t = a < 6.0 ? a : wide(6.0);
  Pair square = productOf(t, t);
  f64x8 rest = exponential(-square.high, -square.low) * polynomial(large, (t - 3.0) / (t + 3.0));
  f64x8 above = withSign(a < 6.0 ? 1.0 - rest : wide(1.0), x);
  above = x == x ? above : x;
  return a < 1.0 ? below : above;
}

} // namespace ingot::kernels

#endif
