// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every microkernel stands on: vectors of 16 lanes (two ymm or one zmm), conversions between element types, and
// reductions of fixed order. Device source: freestanding, includes only its siblings and <stdint.h>.
//
// One source serves every feature set, because a 16-lane vector is split by the back end where registers are narrower
// and every operation here is exact or rounds each lane alone: the split cannot change a bit.
#ifndef INGOT_TARGET_CPU_KERNELS_COMMON_H
#define INGOT_TARGET_CPU_KERNELS_COMMON_H

#include "compiler/target/cpu/kernels/scratch.h"
#include "runtime/format/kernel_abi.h"

#define INGOT_INLINE inline __attribute__((always_inline))
#define INGOT_KERNEL(name)                                                                                             \
  extern "C" __attribute__((always_inline))                                                                            \
  int32_t ingot_##name(const name##_params *p, const ingot_env *env, void *const *buffers, const int64_t *symbols,     \
                       uint32_t tile0, uint32_t tile1, void *scratch)

namespace ingot::kernels {

typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef int32_t i32x16 __attribute__((ext_vector_type(16)));
typedef uint32_t u32x16 __attribute__((ext_vector_type(16)));
typedef uint16_t u16x16 __attribute__((ext_vector_type(16)));
typedef uint16_t u16x32 __attribute__((ext_vector_type(32)));
typedef int16_t i16x16 __attribute__((ext_vector_type(16)));
typedef uint8_t u8x16 __attribute__((ext_vector_type(16)));
typedef int8_t i8x16 __attribute__((ext_vector_type(16)));
typedef _Float16 f16x16 __attribute__((ext_vector_type(16)));
typedef _Float16 f16x32 __attribute__((ext_vector_type(32)));

// Unaligned views of memory.
typedef f32x4 f32x4_u __attribute__((aligned(4)));
typedef f32x16 f32x16_u __attribute__((aligned(4)));
typedef u32x16 u32x16_u __attribute__((aligned(4)));
typedef i32x16 i32x16_u __attribute__((aligned(4)));
typedef u16x16 u16x16_u __attribute__((aligned(2)));
typedef u16x32 u16x32_u __attribute__((aligned(2)));
typedef uint8_t u8x64 __attribute__((ext_vector_type(64)));
typedef u8x16 u8x16_u __attribute__((aligned(1)));
typedef i8x16 i8x16_u __attribute__((aligned(1)));
typedef f16x16 f16x16_u __attribute__((aligned(2)));
typedef f16x32 f16x32_u __attribute__((aligned(2)));

// Element types of memory.
using f16 = _Float16;
struct bf16 {
  uint16_t bits;
};
template <int TYPE> struct ElementOf;
template <> struct ElementOf<INGOT_F32> { using type = float; };
template <> struct ElementOf<INGOT_F16> { using type = f16; };
template <> struct ElementOf<INGOT_BF16> { using type = bf16; };
template <> struct ElementOf<INGOT_U8> { using type = uint8_t; };

INGOT_INLINE int32_t minimum(int32_t a, int32_t b) { return a < b ? a : b; }
INGOT_INLINE int32_t maximum(int32_t a, int32_t b) { return a > b ? a : b; }

// Loads stay on their side of it: a scheduler that gathers all loads of a large block at its top runs out of registers.
INGOT_INLINE void keepOrder() { __asm__ volatile("" ::: "memory"); }

// Rows of a block: the fewest blocks of at most `most` rows, all as large, but for what makes them multiples of `unit`.
INGOT_INLINE int32_t evenBlocks(int32_t rows, int64_t most, int32_t unit) {
  most = most / unit * unit;
  const int64_t blocks = (rows + most - 1) / most;
  const int64_t each = roundUp((rows + blocks - 1) / blocks, unit);
  return (int32_t)(each < most ? each : most);
}

INGOT_INLINE float asFloat(uint32_t bits) { return __builtin_bit_cast(float, bits); }
INGOT_INLINE uint32_t asBits(float value) { return __builtin_bit_cast(uint32_t, value); }

INGOT_INLINE f32x16 splat(float value) { return (f32x16)(value); }
INGOT_INLINE f32x16 fma(f32x16 a, f32x16 b, f32x16 c) { return __builtin_elementwise_fma(a, b, c); }
INGOT_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INGOT_INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
INGOT_INLINE f32x16 select(i32x16 mask, f32x16 yes, f32x16 no) {
  return __builtin_bit_cast(f32x16,
                            (__builtin_bit_cast(i32x16, yes) & mask) | (__builtin_bit_cast(i32x16, no) & ~mask));
}
// The larger lane; the second operand where either is not a number.
INGOT_INLINE f32x16 larger(f32x16 a, f32x16 b) { return a > b ? a : b; }
INGOT_INLINE f32x16 smaller(f32x16 a, f32x16 b) { return a < b ? a : b; }

INGOT_INLINE i32x16 lanes() { return (i32x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }

// Scalars to and from memory.
INGOT_INLINE float load(const float *p) { return *p; }
INGOT_INLINE float load(const f16 *p) { return (float)*p; }
INGOT_INLINE float load(const bf16 *p) { return asFloat((uint32_t)p->bits << 16); }
INGOT_INLINE uint16_t roundBf16(float value) { // to nearest, ties to even; not-a-numbers stay so
  uint32_t bits = asBits(value);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded);
}
INGOT_INLINE void store(float *p, float value) { *p = value; }
INGOT_INLINE void store(f16 *p, float value) { *p = (f16)value; }
INGOT_INLINE void store(bf16 *p, float value) { p->bits = roundBf16(value); }

// Vectors of 16 to and from memory.
INGOT_INLINE f32x16 load16(const float *p) { return *(const f32x16_u *)p; }
INGOT_INLINE f32x16 load16(const f16 *p) {
  f16x16 h = *(const f16x16_u *)p;
  return __builtin_convertvector(h, f32x16);
}
INGOT_INLINE f32x16 load16(const bf16 *p) {
  u16x16 h = *(const u16x16_u *)p;
  return __builtin_bit_cast(f32x16, __builtin_convertvector(h, u32x16) << 16);
}
INGOT_INLINE void store16(float *p, f32x16 v) { *(f32x16_u *)p = v; }
INGOT_INLINE void store16(f16 *p, f32x16 v) { *(f16x16_u *)p = __builtin_convertvector(v, f16x16); }
INGOT_INLINE void store16(bf16 *p, f32x16 v) {
  u32x16 bits = __builtin_bit_cast(u32x16, v);
  u32x16 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  u32x16 quiet = (bits >> 16) | 0x40u;
  u32x16 nan = (u32x16)((bits & 0x7fffffffu) > 0x7f800000u);
  *(u16x16_u *)p = __builtin_convertvector((rounded & ~nan) | (quiet & nan), u16x16);
}

// 32 values, none of them subnormal: to those vcvtne2ps2bf16 is the same rounding.
INGOT_INLINE void store32Normal(bf16 *p, f32x16 low, f32x16 high) {
#if defined(__AVX512BF16__)
  typedef __bf16 bf16x32 __attribute__((vector_size(64)));
  typedef bf16x32 bf16x32_u __attribute__((aligned(2)));
  *(bf16x32_u *)p = __builtin_ia32_cvtne2ps2bf16_512(high, low);
#else
  store16(p, low);
  store16(p + 16, high);
#endif
}

// The first `count` of N lanes as they lie in memory, the others zero: halves, quarters and what is left, so that no
// vector is read back from scalars just written, which waits for them.
template <class E, int N> INGOT_INLINE auto loadFirst(const E *p, int32_t count) {
  typedef E vector __attribute__((ext_vector_type(N)));
  typedef E half __attribute__((ext_vector_type(N / 2), aligned(alignof(E))));
  vector v = (vector)(0);
  if constexpr (N == 2) {
    if (count > 0)
      v.x = *p;
  } else if (count >= N / 2) {
    v.lo = *(const half *)p;
    v.hi = loadFirst<E, N / 2>(p + N / 2, count - N / 2);
  } else {
    v.lo = loadFirst<E, N / 2>(p, count);
  }
  return v;
}
template <class E, int N, class V> INGOT_INLINE void storeFirst(E *p, V v, int32_t count) {
  typedef E half __attribute__((ext_vector_type(N / 2), aligned(alignof(E))));
  if constexpr (N == 2) {
    if (count > 0)
      *p = v.x;
  } else if (count >= N / 2) {
    *(half *)p = v.lo;
    storeFirst<E, N / 2>(p + N / 2, v.hi, count - N / 2);
  } else {
    storeFirst<E, N / 2>(p, v.lo, count);
  }
}

// The first `count` (0..16) lanes; the others read as zero and are not written.
INGOT_INLINE f32x16 load16(const float *p, int32_t count) {
  return count >= 16 ? load16(p) : loadFirst<float, 16>(p, count);
}
template <class T> INGOT_INLINE f32x16 load16(const T *p, int32_t count) {
  if (count >= 16)
    return load16(p);
  const u16x16 lanes = loadFirst<uint16_t, 16>((const uint16_t *)p, count);
  return load16((const T *)&lanes);
}
INGOT_INLINE void store16(float *p, f32x16 v, int32_t count) {
  if (count >= 16)
    return store16(p, v);
  storeFirst<float, 16>(p, v, count);
}
template <class T> INGOT_INLINE void store16(T *p, f32x16 v, int32_t count) {
  if (count >= 16)
    return store16(p, v);
  u16x16 lanes;
  store16((T *)&lanes, v);
  storeFirst<uint16_t, 16>((uint16_t *)p, lanes, count);
}

// Zeros over so many vectors of 64 bytes.
INGOT_INLINE void clearVectors(void *to, int64_t vectors) {
  for (int64_t i = 0; i < vectors; ++i)
    store16((float *)to + i * 16, splat(0.0f));
}

// The same through a type that is a constant of the kernel; `at` counts elements.
INGOT_INLINE float loadAs(int32_t type, const void *p, int64_t at) {
  if (type == INGOT_F16)
    return load((const f16 *)p + at);
  if (type == INGOT_BF16)
    return load((const bf16 *)p + at);
  return load((const float *)p + at);
}
INGOT_INLINE f32x16 load16As(int32_t type, const void *p, int64_t at, int32_t count = 16) {
  if (type == INGOT_F16)
    return load16((const f16 *)p + at, count);
  if (type == INGOT_BF16)
    return load16((const bf16 *)p + at, count);
  return load16((const float *)p + at, count);
}
INGOT_INLINE void storeAs(int32_t type, void *p, int64_t at, float v) {
  if (type == INGOT_F16)
    store((f16 *)p + at, v);
  else if (type == INGOT_BF16)
    store((bf16 *)p + at, v);
  else
    store((float *)p + at, v);
}
INGOT_INLINE void store16As(int32_t type, void *p, int64_t at, f32x16 v, int32_t count = 16) {
  if (type == INGOT_F16)
    store16((f16 *)p + at, v, count);
  else if (type == INGOT_BF16)
    store16((bf16 *)p + at, v, count);
  else
    store16((float *)p + at, v, count);
}

// Reductions: halves are folded onto each other, so the order is fixed: lane i with i+8, then i+4, i+2, i+1.
INGOT_INLINE float sum(f32x16 v) {
  f32x8 a = v.lo + v.hi;
  f32x4 b = a.lo + a.hi;
  return (b.x + b.z) + (b.y + b.w);
}
INGOT_INLINE float largest(f32x16 v) {
  f32x8 a = v.lo > v.hi ? v.lo : v.hi;
  f32x4 b = a.lo > a.hi ? a.lo : a.hi;
  float c = b.x > b.z ? b.x : b.z, d = b.y > b.w ? b.y : b.w;
  return c > d ? c : d;
}

// The reductions of four vectors at once, each in the order of `sum` and `largest`: combine(a, b) of lanes.
template <class Combine> INGOT_INLINE f32x4 reduceFour(const f32x16 (&v)[4], const Combine &combine) {
  auto fold16 = [&](f32x16 a, f32x16 b) __attribute__((always_inline)) {
    return combine(__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
                   __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31));
  };
  const f32x16 a = fold16(v[0], v[1]), b = fold16(v[2], v[3]); // eight lanes of each
  const f32x16 c = combine(__builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
                           __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31));
  const f32x16 d = combine(c, __builtin_shufflevector(c, c, 2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11, 14, 15, 14, 15));
  const f32x16 e = combine(d, __builtin_shufflevector(d, d, 1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13));
  return __builtin_shufflevector(e, e, 0, 4, 8, 12);
}
INGOT_INLINE f32x4 sumFour(const f32x16 (&v)[4]) {
  return reduceFour(v, [](f32x16 a, f32x16 b) __attribute__((always_inline)) { return a + b; });
}
INGOT_INLINE f32x4 largestFour(const f32x16 (&v)[4]) {
  return reduceFour(v, [](f32x16 a, f32x16 b) __attribute__((always_inline)) { return larger(a, b); });
}

// Sum of squares of n values: lane l takes values l, l+16, ... in ascending order, then the lanes are summed.
template <class T> INGOT_INLINE float sumOfSquares(const T *x, int32_t n) {
  f32x16 total = splat(0.0f);
  int32_t i = 0;
  for (; i + 16 <= n; i += 16) {
    f32x16 v = load16(x + i);
    total = fma(v, v, total);
  }
  if (i < n) {
    f32x16 v = load16(x + i, n - i);
    total = fma(v, v, total);
  }
  return sum(total);
}

// The sequence that token t belongs to: the last s with starts[s] <= t.
INGOT_INLINE int32_t sequenceOf(const int32_t *starts, int32_t sequences, int32_t t) {
  int32_t low = 0, high = sequences;
  while (high - low > 1) {
    int32_t middle = (low + high) / 2;
    if (starts[middle] <= t)
      low = middle;
    else
      high = middle;
  }
  return low;
}

} // namespace ingot::kernels

#endif
