// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar operations of functions over tensors that C++ leaves without meaning for some operands, that a compiler could
// fuse, or that CUDA's own functions compute less exactly than here: f32 functions that are more than 2 units in the
// last place off go through f64. Compiled for the CPU (kernels/vector_math.cpp, RowFunctions.cpp) the same operations
// give the same.
#ifndef INGOT_CUDA_DEVICE_SCALARS_H
#define INGOT_CUDA_DEVICE_SCALARS_H

#include "compiler/target/cuda/device/primitives.h"

namespace ingot::device {

template <class T> struct UnsignedOf;
template <> struct UnsignedOf<int8_t> { using type = uint8_t; };
template <> struct UnsignedOf<int16_t> { using type = uint16_t; };
template <> struct UnsignedOf<int32_t> { using type = uint32_t; };
template <> struct UnsignedOf<int64_t> { using type = uint64_t; };
template <class T> using Unsigned = typename UnsignedOf<T>::type;

template <class T> INGOT_DEVICE bool isLeast(T a) { return a == (T)((Unsigned<T>)1 << (8 * sizeof(T) - 1)); }

// Division by zero, and of the least number by -1, gives 0.
template <class T> INGOT_DEVICE T quotient(T a, T b) { return b == 0 || (b == -1 && isLeast(a)) ? (T)0 : (T)(a / b); }
template <class T> INGOT_DEVICE T integerRemainder(T a, T b) { return b == 0 || b == -1 ? (T)0 : (T)(a % b); }
template <class T> INGOT_DEVICE T floorQuotient(T a, T b) {
  return (T)(quotient(a, b) - (integerRemainder(a, b) != 0 && (a < 0) != (b < 0) ? 1 : 0));
}
template <class T> INGOT_DEVICE T ceilQuotient(T a, T b) {
  return (T)(quotient(a, b) + (integerRemainder(a, b) != 0 && (a < 0) == (b < 0) ? 1 : 0));
}
template <class T> INGOT_DEVICE T unsignedQuotient(T a, T b) {
  return b == 0 ? (T)0 : (T)((Unsigned<T>)a / (Unsigned<T>)b);
}
template <class T> INGOT_DEVICE T unsignedRemainder(T a, T b) {
  return b == 0 ? (T)0 : (T)((Unsigned<T>)a % (Unsigned<T>)b);
}
template <class T> INGOT_DEVICE T unsignedCeilQuotient(T a, T b) {
  return (T)(unsignedQuotient(a, b) + (unsignedRemainder(a, b) != 0 ? 1 : 0));
}

// A shift by the width or more gives 0; the distance has no sign.
template <class T> INGOT_DEVICE bool shiftsOut(T by) { return (Unsigned<T>)by >= 8 * sizeof(T); }
template <class T> INGOT_DEVICE T shiftLeft(T a, T by) { return shiftsOut(by) ? (T)0 : (T)((uint64_t)a << by); }
template <class T> INGOT_DEVICE T shiftRight(T a, T by) { return shiftsOut(by) ? (T)0 : (T)(a >> by); }
template <class T> INGOT_DEVICE T unsignedShiftRight(T a, T by) {
  return shiftsOut(by) ? (T)0 : (T)((Unsigned<T>)a >> by);
}

// Wraps; of a negative exponent what truncates towards 0, and 0 for 0 too.
template <class T> INGOT_DEVICE T powerOfInteger(T base, T exponent) {
  if (exponent < 0)
    return base == 1 ? (T)1 : base == -1 ? (T)(exponent & 1 ? -1 : 1) : (T)0;
  uint64_t square = (uint64_t)base, result = 1;
  for (uint64_t left = (uint64_t)exponent; left; left >>= 1) {
    result *= left & 1 ? square : 1;
    square *= square;
  }
  return (T)result;
}

template <class T> INGOT_DEVICE T bitsSet(T a) {
  const uint64_t bits = (Unsigned<T>)a;
  return (T)(countBits((uint32_t)bits) + countBits((uint32_t)(bits >> 32)));
}

template <class T> INGOT_DEVICE bool isNan(T a) { return a != a; }
template <class T> INGOT_DEVICE bool isFinite(T a) { return a - a == 0; }
template <class T> INGOT_DEVICE bool isInfinite(T a) { return !isNan(a) && !isFinite(a); }

// Nothing is fused into these.
#if defined(__CUDACC__)
INGOT_DEVICE double add(double a, double b) { return __dadd_rn(a, b); }
INGOT_DEVICE double multiply(double a, double b) { return __dmul_rn(a, b); }
INGOT_DEVICE double divide(double a, double b) { return __ddiv_rn(a, b); }
#else
INGOT_DEVICE double add(double a, double b) { return a + b; }
INGOT_DEVICE double multiply(double a, double b) { return a * b; }
INGOT_DEVICE double divide(double a, double b) { return a / b; }
#endif

} // namespace ingot::device

#endif
