// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer dot products of one line of weights (64 bytes of a panel: 4 k of 16 columns, 8 bits each) with 4 k of
// activations, by the best instructions of each feature set. All are exact, so the integers are the same on every set.
//
// 8-bit weights, u in 0..255, activations q in -127..127:
//   VNNI      vpdpbusd takes u8 by i8, four k at once, and adds.
//   others    u is widened to pairs of 16 bits, (k0, k2) by a mask and (k1, k3) by a shift, for two vpmaddwd.
// 4-bit weights, u in 0..15: vpdpbusd again; else vpmaddubsw, whose pairs are at most 3,810, so that eight of them add
// up in 16 bits before one vpmaddwd makes 32 of them.
#ifndef INGOT_TARGET_CPU_KERNELS_DOT_INT_H
#define INGOT_TARGET_CPU_KERNELS_DOT_INT_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
constexpr bool kHasVnni = true;
#else
constexpr bool kHasVnni = false;
#endif

// Halves of a line, for instructions of 256 bits.
typedef uint32_t u32x8 __attribute__((ext_vector_type(8)));
typedef int32_t i32x8 __attribute__((ext_vector_type(8)));

namespace isa {
typedef int v8si __attribute__((vector_size(32)));
typedef short v16hi __attribute__((vector_size(32)));
typedef signed char v32qi __attribute__((vector_size(32)));
typedef unsigned char v32qu __attribute__((vector_size(32)));
typedef char v32c __attribute__((vector_size(32)));
typedef int v16si __attribute__((vector_size(64)));
typedef short v32hi __attribute__((vector_size(64)));
typedef unsigned char v64qu __attribute__((vector_size(64)));
typedef char v64c __attribute__((vector_size(64)));
} // namespace isa

// sum + the four products u8 x i8 of each lane. Only where kHasVnni.
INGOT_INLINE i32x16 dot4(i32x16 sum, u32x16 u, u32x16 q) {
#if defined(__AVX512VNNI__)
  return __builtin_bit_cast(i32x16, __builtin_ia32_vpdpbusd512(__builtin_bit_cast(isa::v16si, sum),
                                                               __builtin_bit_cast(isa::v64qu, u),
                                                               __builtin_bit_cast(isa::v64c, q)));
#elif defined(__AVXVNNI__)
  auto half = [](i32x8 s, u32x8 a, u32x8 b) {
    return __builtin_bit_cast(i32x8, __builtin_ia32_vpdpbusd256(__builtin_bit_cast(isa::v8si, s),
                                                                __builtin_bit_cast(isa::v32qu, a),
                                                                __builtin_bit_cast(isa::v32c, b)));
  };
  i32x16 out;
  out.lo = half(sum.lo, u.lo, q.lo);
  out.hi = half(sum.hi, u.hi, q.hi);
  return out;
#else
  return sum;
#endif
}

// The sum of the two products i16 x i16 of each lane.
INGOT_INLINE i32x16 pairs16(u32x16 a, u32x16 b) {
#if defined(__AVX512BW__)
  return __builtin_bit_cast(
      i32x16, __builtin_ia32_pmaddwd512(__builtin_bit_cast(isa::v32hi, a), __builtin_bit_cast(isa::v32hi, b)));
#else
  auto half = [](u32x8 x, u32x8 y) {
    return __builtin_bit_cast(
        i32x8, __builtin_ia32_pmaddwd256(__builtin_bit_cast(isa::v16hi, x), __builtin_bit_cast(isa::v16hi, y)));
  };
  i32x16 out;
  out.lo = half(a.lo, b.lo);
  out.hi = half(a.hi, b.hi);
  return out;
#endif
}

typedef int16_t i16x32 __attribute__((ext_vector_type(32)));

// The sums of the two neighbouring products u8 x i8, in 16 bits, saturated.
INGOT_INLINE i16x32 pairs8(u32x16 u, u32x16 q) {
#if defined(__AVX512BW__)
  typedef signed char v64qi __attribute__((vector_size(64)));
  return __builtin_bit_cast(i16x32,
                            __builtin_ia32_pmaddubsw512(__builtin_bit_cast(v64qi, u), __builtin_bit_cast(v64qi, q)));
#else
  auto half = [](u32x8 x, u32x8 y) {
    return __builtin_bit_cast(
        i32x8, __builtin_ia32_pmaddubsw256(__builtin_bit_cast(isa::v32qi, x), __builtin_bit_cast(isa::v32qi, y)));
  };
  i32x16 out;
  out.lo = half(u.lo, q.lo);
  out.hi = half(u.hi, q.hi);
  return __builtin_bit_cast(i16x32, out);
#endif
}

// The sum of two neighbouring 16-bit integers.
INGOT_INLINE i32x16 widenPairs(i16x32 v) { return pairs16(__builtin_bit_cast(u32x16, v), (u32x16)(0x00010001u)); }

// Words of 32 bits that hold 4 k of activations for 8-bit weights: as they are, or as 16-bit pairs (k0, k2), (k1, k3).
constexpr int kWordsPer4 = kHasVnni ? 1 : 2;

} // namespace ingot::kernels

#endif
