// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions in f64 for angles, sums of weights and log-probabilities: the same approximations as the CPU's
// (compiler/target/cpu/kernels/math.h, where source and error of each are stated). Few threads compute them.
#ifndef INGOT_CUDA_DEVICE_MATH64_H
#define INGOT_CUDA_DEVICE_MATH64_H

#include "compiler/target/cuda/device/primitives.h"

namespace ingot::device {

// To the nearest whole number, ties to even, for |x| < 2^51: adding 1.5 * 2^52 leaves no bit for a fraction.
INGOT_DEVICE double roundEven(double x) {
  constexpr double kWhole = 6755399441055744.0;
  return (x + kWhole) - kWhole;
}

// log for positive finite x: fdlibm's kernel. Below 1 unit in the last place.
INGOT_DEVICE double log64(double x) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, x);
  int32_t k = (int32_t)(bits >> 52) - 1023;
  double m = __builtin_bit_cast(double, (bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++k;
  }
  const double f = m - 1.0, s = f / (2.0 + f), z = s * s, h = 0.5 * f * f;
  double r = 1.479819860511658591e-01;
  r = fma(r, z, 1.531383769920937332e-01);
  r = fma(r, z, 1.818357216161805012e-01);
  r = fma(r, z, 2.222219843214978396e-01);
  r = fma(r, z, 2.857142874366239149e-01);
  r = fma(r, z, 3.999999999940941908e-01);
  r = fma(r, z, 6.666666666666735130e-01) * z;
  return k * 6.93147180369123816490e-01 - ((h - (s * (h + r) + k * 1.90821492927058770002e-10)) - f);
}

// exp for |x| < 700: Cody and Waite, then Taylor to degree 13. Below 2 units in the last place.
INGOT_DEVICE double exp64(double x) {
  const double n = roundEven(x * 1.4426950408889634);
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

// Cosine and sine of an f32 angle: reduced by pi/2 in f64 (two parts; exact to f64's rounding for |x| < 2^30), fdlibm's
// kernels, rounded once. At most 0.51 units in the last place.
INGOT_DEVICE void cosSin(float angle, float &cosine, float &sine) {
  const double x = angle;
  const double n = roundEven(x * 0.63661977236758134308);
  double r = fma(n, -1.5707963267948965580, x);
  r = fma(n, -6.1232339957367660359e-17, r);
  const double z = r * r;
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
  const int64_t quadrant = (int64_t)n;
  const double first = quadrant & 1 ? s : c, second = quadrant & 1 ? c : s;
  cosine = (float)((quadrant + 1) & 2 ? -first : first);
  sine = (float)(quadrant & 2 ? -second : second);
}

} // namespace ingot::device

#endif
