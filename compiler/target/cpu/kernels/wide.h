// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of 8 lanes of f64, and what the elementary functions on them share. Functions of f32 that are no hot path of
// a model go through them too: they are exact to f32's rounding that way. Nothing here converts a float to an integer
// with an instruction, because that is undefined for what is not a number.
#ifndef INGOT_TARGET_CPU_KERNELS_WIDE_H
#define INGOT_TARGET_CPU_KERNELS_WIDE_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

typedef double f64x8 __attribute__((ext_vector_type(8)));
typedef int64_t i64x8 __attribute__((ext_vector_type(8)));
typedef uint64_t u64x8 __attribute__((ext_vector_type(8)));
typedef f64x8 f64x8_u __attribute__((aligned(8)));
typedef f32x8 f32x8_u __attribute__((aligned(4)));

inline constexpr double kInfinity = __builtin_inf();
inline constexpr double kWhole = 0x1.8p52; // added to a whole number below 2^51, its low bits are that number

INGOT_INLINE f64x8 wide(double value) { return (f64x8)(value); }
INGOT_INLINE f64x8 fma(f64x8 a, f64x8 b, f64x8 c) { return __builtin_elementwise_fma(a, b, c); }
INGOT_INLINE f64x8 magnitude(f64x8 x) { return __builtin_elementwise_abs(x); }
INGOT_INLINE f64x8 withSign(f64x8 x, f64x8 sign) { return __builtin_elementwise_copysign(x, sign); }
INGOT_INLINE f64x8 nearest(f64x8 x) { return __builtin_elementwise_roundeven(x); }
INGOT_INLINE f64x8 root(f64x8 x) { return __builtin_elementwise_sqrt(x); }
INGOT_INLINE u64x8 bitsOf(f64x8 x) { return __builtin_bit_cast(u64x8, x); }
INGOT_INLINE f64x8 fromBits(u64x8 x) { return __builtin_bit_cast(f64x8, x); }

// The integer of a whole number below 2^51.
INGOT_INLINE u64x8 integerOf(f64x8 whole) { return bitsOf(whole + kWhole); }
// 2^n for whole n from -1022 to 1023.
INGOT_INLINE f64x8 powerOf2(f64x8 n) { return fromBits((integerOf(n) + 1023) << 52); }

// c[0] + c[1] x + ... by Horner's rule.
template <int N> INGOT_INLINE f64x8 polynomial(const double (&c)[N], f64x8 x) {
  f64x8 y = wide(c[N - 1]);
#pragma clang loop unroll(full)
  for (int i = N - 2; i >= 0; --i)
    y = fma(y, x, wide(c[i]));
  return y;
}

// A value in two parts, the second below the rounding of the first.
struct Pair {
  f64x8 high, low;
};
INGOT_INLINE Pair sumOf(f64x8 a, f64x8 b) { // D. Knuth
  f64x8 s = a + b, part = s - a;
  return {s, (a - (s - part)) + (b - part)};
}
INGOT_INLINE Pair sumOfOrdered(f64x8 large, f64x8 small) { // T. Dekker; |large| >= |small|, or it is 0
  f64x8 s = large + small;
  return {s, (large - s) + small};
}
INGOT_INLINE Pair productOf(f64x8 a, f64x8 b) {
  f64x8 p = a * b;
  return {p, fma(a, b, -p)};
}

// Whether any lane of a comparison holds.
INGOT_INLINE bool anyOf(i64x8 mask) { return __builtin_reduce_or(mask) != 0; }

} // namespace ingot::kernels

#endif
