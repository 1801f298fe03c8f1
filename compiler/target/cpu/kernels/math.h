// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions for the microkernels: polynomials on 16 lanes in f32, and scalars in f64 where angles or
// logarithms need them. Each states its source and the largest error seen against f64 by test/unit/target. Nothing here
// is imported from a math library, so that kernels have no imports and the same bits on every machine.
#ifndef INGOT_TARGET_CPU_KERNELS_MATH_H
#define INGOT_TARGET_CPU_KERNELS_MATH_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

// exp(r) for |r| <= ln2/2.
INGOT_INLINE f32x16 expPolynomial(f32x16 r) {
  f32x16 y = splat(1.37805939e-3f);
  y = fma(y, r, splat(8.37312452e-3f));
  y = fma(y, r, splat(4.16695364e-2f));
  y = fma(y, r, splat(1.66664720e-1f));
  y = fma(y, r, splat(4.99999851e-1f));
  y = fma(y, r, splat(1.0f));
  y = fma(y, r, splat(1.0f));
  return y;
}

// exp: x = n ln2 + r with |r| <= ln2/2 (Cody and Waite in two parts), degree-6 minimax polynomial in r after N. Juffa,
// scaled by 2^n in two steps so that subnormal results round once. At most 1.0 ulp. Below -104 exactly 0, which is not
// computed: products that underflow take processors a hundred cycles and more. Above 88.73 infinity.
INGOT_INLINE f32x16 exp(f32x16 x) {
  const i32x16 gone = x < -104.0f;
  x = select(gone, splat(0.0f), x);
  x = x > 89.0f ? splat(89.0f) : x;
  f32x16 n = __builtin_elementwise_roundeven(x * 1.44269504f);
  f32x16 r = fma(n, splat(-6.93145752e-1f), x);
  r = fma(n, splat(-1.42860677e-6f), r);
  f32x16 y = expPolynomial(r);
  i32x16 i = __builtin_convertvector(n, i32x16);
  i32x16 half = i >> 1;
  f32x16 first = __builtin_bit_cast(f32x16, (half + 127) << 23);
  f32x16 second = __builtin_bit_cast(f32x16, (i - half + 127) << 23);
  return select(gone, splat(0.0f), y * first * second);
}
INGOT_INLINE float exp(float x) { return exp(splat(x))[0]; }

// exp for lanes from -87 to 87, where the result is a normal number: the same bits as exp, whose two scalings are
// then one exact addition to the exponent.
INGOT_INLINE f32x16 expNormal(f32x16 x) {
  constexpr float kRounds = 0x1.8p23f; // added, it leaves an integer in the low bits, rounded to nearest even
  const f32x16 shifted = x * 1.44269504f + kRounds, n = shifted - kRounds;
  f32x16 r = fma(n, splat(-6.93145752e-1f), x);
  r = fma(n, splat(-1.42860677e-6f), r);
  f32x16 y = expPolynomial(r);
  return __builtin_bit_cast(f32x16, __builtin_bit_cast(i32x16, y) + (__builtin_bit_cast(i32x16, shifted) << 23));
}

// tanh: x + x^3 P(x^2) below 0.625 (Cephes), 1 - 2 / (exp(2x) + 1) above. At most 2 ulp.
INGOT_INLINE f32x16 tanh(f32x16 x) {
  f32x16 a = __builtin_elementwise_abs(x);
  f32x16 s = x * x;
  f32x16 p = splat(-5.70498872745e-3f);
  p = fma(p, s, splat(2.06390887954e-2f));
  p = fma(p, s, splat(-5.37397155531e-2f));
  p = fma(p, s, splat(1.33314422036e-1f));
  p = fma(p, s, splat(-3.33332819422e-1f));
  f32x16 small = fma(p * s, a, a);
  f32x16 most = a > 10.0f ? splat(10.0f) : a; // 1 from 9.02 on
  f32x16 big = 1.0f - 2.0f / (expNormal(most + most) + 1.0f);
  return __builtin_elementwise_copysign(a >= 0.625f ? big : small, x); // small is not a number where x is none
}

// erf: x + x P(x^2) below 0.927734375, else 1 - exp(-Q(x)); coefficients after N. Juffa. At most 1.1 ulp.
INGOT_INLINE f32x16 erf(f32x16 x) {
  f32x16 t = __builtin_elementwise_abs(x);
  t = t > 4.0f ? splat(4.0f) : t; // 1 from 3.92 on
  f32x16 s = t * t;
  f32x16 q = fma(splat(-1.72853470e-5f), t, splat(3.83197126e-4f));
  f32x16 u = fma(splat(-3.88396438e-3f), t, splat(2.42546219e-2f));
  q = fma(q, s, u);
  q = fma(q, t, splat(-1.06777877e-1f));
  q = fma(q, t, splat(-6.34846687e-1f));
  q = fma(q, t, splat(-1.28717512e-1f));
  q = fma(q, t, -t);
  f32x16 big = __builtin_elementwise_copysign(1.0f - expNormal(q), x);
  f32x16 p = splat(-5.96761703e-4f);
  p = fma(p, s, splat(4.99119423e-3f));
  p = fma(p, s, splat(-2.67681349e-2f));
  p = fma(p, s, splat(1.12819925e-1f));
  p = fma(p, s, splat(-3.76125336e-1f));
  p = fma(p, s, splat(1.28379166e-1f));
  f32x16 small = fma(p, x, x);
  return t > 0.927734375f ? big : small; // small is not a number where x is none
}

// x / (1 + exp(-z))
INGOT_INLINE f32x16 timesLogistic(f32x16 x, f32x16 z) {
  const bool normal = __builtin_reduce_and((i32x16)(__builtin_elementwise_abs(z) < 87.0f)) != 0;
  return x / (1.0f + (normal ? expNormal(-z) : exp(-z)));
}

// silu(x) = x / (1 + exp(-x)). At most 2 ulp.
INGOT_INLINE f32x16 silu(f32x16 x) { return timesLogistic(x, x); }

// gelu(x) = x F(x), F the distribution function of the normal distribution, as max(x, 0) - |x| F(-|x|). log2 F(-t) is a polynomial
// fitted to t in [0, 5.5], its error weighted by 1 / (0.25 + |log2 F(-t)|); behind that it falls without end, F(-5.5) = 2e-8. At most 2 ulp
// for x >= 0, 2^-18 of the result for -5.5 < x < 0 and 1e-9 below.
INGOT_INLINE f32x16 gelu(f32x16 x) {
  constexpr float kRounds = 0x1.8p23f; // as in expNormal
  f32x16 t = __builtin_elementwise_abs(x);
  t = t > 0x1p60f ? splat(0x1p60f) : t; // a number that is none stays it; of infinity nothing is taken away
  f32x16 q = splat(-2.4024045e-08f);
  q = fma(q, t, splat(7.274188e-07f));
  q = fma(q, t, splat(-9.476e-06f));
  q = fma(q, t, splat(6.732919e-05f));
  q = fma(q, t, splat(-0.00024691955f));
  q = fma(q, t, splat(-7.0083595e-05f));
  q = fma(q, t, splat(0.0070342957f));
  q = fma(q, t, splat(-0.05250078f));
  q = fma(q, t, splat(-0.4592014f));
  q = fma(q, t, splat(-1.1511065f));
  q = fma(q, t, splat(-1.0f));
  q = q > -126.0f ? q : splat(-126.0f);
  // 2^q: a minimax polynomial of degree 6 for the fraction, within 2e-9.
  const f32x16 shifted = q + kRounds, r = q - (shifted - kRounds);
  f32x16 y = splat(0.00015345811f);
  y = fma(y, r, splat(0.0013399931f));
  y = fma(y, r, splat(0.009618489f));
  y = fma(y, r, splat(0.055503286f));
  y = fma(y, r, splat(0.24022646f));
  y = fma(y, r, splat(0.6931472f));
  y = fma(y, r, splat(1.0f));
  y = __builtin_bit_cast(f32x16, __builtin_bit_cast(i32x16, y) + (__builtin_bit_cast(i32x16, shifted) << 23));
  return fma(-t, y, x > 0.0f ? x : splat(0.0f));
}

// gelu_tanh(x) = x/2 (1 + tanh(u)) = x / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3). At most 2 ulp for x >= 0, 2^-18 of the result below.
INGOT_INLINE f32x16 geluTanh(f32x16 x) {
  return timesLogistic(x, 1.595769121605730712f * fma(0.044715f * x * x, x, x));
}

// quick_gelu(x) = x / (1 + exp(-1.702 x)). At most 2 ulp for x >= 0, 2^-18 of the result below.
INGOT_INLINE f32x16 quickGelu(f32x16 x) { return timesLogistic(x, 1.702f * x); }

// The activation that an epilogue names; `act` is a constant of the kernel.
INGOT_INLINE f32x16 activate(f32x16 x, int32_t act) {
  switch (act) {
  case INGOT_ACT_SILU:
    return silu(x);
  case INGOT_ACT_GELU:
    return gelu(x);
  case INGOT_ACT_GELU_TANH:
    return geluTanh(x);
  case INGOT_ACT_QUICK_GELU:
    return quickGelu(x);
  case INGOT_ACT_RELU:
    return x < 0.0f ? splat(0.0f) : x;
  default:
    return x;
  }
}

// log in f64 for positive finite x: fdlibm's kernel. Below 1 ulp of f64.
INGOT_INLINE double log(double x) {
  uint64_t bits = __builtin_bit_cast(uint64_t, x);
  int32_t k = (int32_t)(bits >> 52) - 1023;
  double m = __builtin_bit_cast(double, (bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++k;
  }
  double f = m - 1.0, s = f / (2.0 + f), z = s * s, h = 0.5 * f * f;
  double r = 1.479819860511658591e-01;
  r = fma(r, z, 1.531383769920937332e-01);
  r = fma(r, z, 1.818357216161805012e-01);
  r = fma(r, z, 2.222219843214978396e-01);
  r = fma(r, z, 2.857142874366239149e-01);
  r = fma(r, z, 3.999999999940941908e-01);
  r = fma(r, z, 6.666666666666735130e-01) * z;
  return k * 6.93147180369123816490e-01 - ((h - (s * (h + r) + k * 1.90821492927058770002e-10)) - f);
}

// exp in f64 for |x| < 700: Cody and Waite, then Taylor to degree 13. Below 2 ulp of f64.
INGOT_INLINE double exp(double x) {
  double n = __builtin_roundeven(x * 1.4426950408889634);
  double r = fma(n, -6.93147180369123816490e-01, x);
  r = fma(n, -1.90821492927058770002e-10, r);
  double y = 1.0 / 6227020800.0;
  y = fma(y, r, 1.0 / 479001600.0);
  y = fma(y, r, 1.0 / 39916800.0);
  y = fma(y, r, 1.0 / 3628800.0);
  y = fma(y, r, 1.0 / 362880.0);
  y = fma(y, r, 1.0 / 40320.0);
  y = fma(y, r, 1.0 / 5040.0);
  y = fma(y, r, 1.0 / 720.0);
  y = fma(y, r, 1.0 / 120.0);
  y = fma(y, r, 1.0 / 24.0);
  y = fma(y, r, 1.0 / 6.0);
  y = fma(y, r, 0.5);
  y = fma(y, r, 1.0);
  y = fma(y, r, 1.0);
  return y * __builtin_bit_cast(double, (uint64_t)((int64_t)n + 1023) << 52);
}

// cos and sin of an f32 angle: reduced by pi/2 in f64 (two parts; exact to f64 rounding for |x| < 2^30), fdlibm's
// kernels in f64, rounded once. At most 0.51 ulp.
INGOT_INLINE void cosSin(float angle, float *cosine, float *sine) {
  double x = angle;
  double n = __builtin_roundeven(x * 0.63661977236758134308);
  double r = fma(n, -1.5707963267948965580, x);
  r = fma(n, -6.1232339957367660359e-17, r);
  double z = r * r;
  double s = 1.58969099521155010221e-10;
  s = fma(s, z, -2.50507602534068634195e-08);
  s = fma(s, z, 2.75573137070700676789e-06);
  s = fma(s, z, -1.98412698298579493134e-04);
  s = fma(s, z, 8.33333333332248946124e-03);
  s = fma(s, z, -1.66666666666666324348e-01);
  s = fma(s * z, r, r);
  double c = -1.13596475577881948265e-11;
  c = fma(c, z, 2.08757232129817482790e-09);
  c = fma(c, z, -2.75573143513906633035e-07);
  c = fma(c, z, 2.48015872894767294178e-05);
  c = fma(c, z, -1.38888888888741095749e-03);
  c = fma(c, z, 4.16666666666666019037e-02);
  c = fma(c * z, z, fma(-0.5, z, 1.0));
  int64_t quadrant = (int64_t)n;
  double first = quadrant & 1 ? s : c, second = quadrant & 1 ? c : s;
  *cosine = (float)((quadrant + 1) & 2 ? -first : first);
  *sine = (float)(quadrant & 2 ? -second : second);
}

} // namespace ingot::kernels

#endif
