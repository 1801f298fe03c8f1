// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The elementary functions for functions that came through linalg: ingot_vector_NAME and ingot_vector_NAME_f64, 16
// lanes in memory, replaced by their image; of two operands, the second is another 16 lanes. A kernel gets those that
// it calls. exp, tanh and erf of f32 are in the path of every model and inlined, so that the memory becomes registers;
// the others are computed in f64 by halves, those of f32 rounded once. And products of matrices (matmul.h).
#include "compiler/target/cpu/kernels/math.h"
#include "compiler/target/cpu/kernels/matmul.h"
#include "compiler/target/cpu/kernels/wide_angles.h"
#include "compiler/target/cpu/kernels/wide_exponential.h"

namespace ingot::kernels {
namespace {

INGOT_INLINE f64x8 loadHalf(const float *p) { return __builtin_convertvector(*(const f32x8_u *)p, f64x8); }
INGOT_INLINE f64x8 loadHalf(const double *p) { return *(const f64x8_u *)p; }
INGOT_INLINE void storeHalf(float *p, f64x8 v) { *(f32x8_u *)p = __builtin_convertvector(v, f32x8); }
INGOT_INLINE void storeHalf(double *p, f64x8 v) { *(f64x8_u *)p = v; }

// base^exponent by squaring, wrapping; of a negative exponent what truncates towards 0, and 0 for 0 too.
INGOT_INLINE int64_t power(int64_t base, int64_t exponent) {
  if (exponent < 0)
    return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  uint64_t square = (uint64_t)base, result = 1;
  for (uint64_t left = (uint64_t)exponent; left; left >>= 1) {
    result *= left & 1 ? square : 1;
    square *= square;
  }
  return (int64_t)result;
}

} // namespace
} // namespace ingot::kernels

using namespace ingot::kernels;

#define INGOT_IN_REGISTERS(name)                                                                                       \
  extern "C" __attribute__((always_inline)) void ingot_vector_##name(float *x) { store16(x, name(load16(x))); }
#define INGOT_BY_HALVES(symbol, name, element)                                                                         \
  extern "C" void symbol(element *x) {                                                                                 \
    _Pragma("clang loop unroll(disable)") for (int half = 0; half < 16; half += 8)                                     \
        storeHalf(x + half, name(loadHalf(x + half)));                                                                 \
  }
#define INGOT_OF_ONE(name)                                                                                             \
  INGOT_BY_HALVES(ingot_vector_##name, name, float)                                                                    \
  INGOT_BY_HALVES(ingot_vector_##name##_f64, name, double)
#define INGOT_BY_HALVES_OF_TWO(symbol, name, element)                                                                  \
  extern "C" void symbol(element *x, const element *y) {                                                               \
    _Pragma("clang loop unroll(disable)") for (int half = 0; half < 16; half += 8)                                     \
        storeHalf(x + half, name(loadHalf(x + half), loadHalf(y + half)));                                             \
  }
#define INGOT_OF_TWO(name)                                                                                             \
  INGOT_BY_HALVES_OF_TWO(ingot_vector_##name, name, float)                                                             \
  INGOT_BY_HALVES_OF_TWO(ingot_vector_##name##_f64, name, double)

INGOT_IN_REGISTERS(exp)
INGOT_IN_REGISTERS(tanh)
INGOT_IN_REGISTERS(erf)
INGOT_BY_HALVES(ingot_vector_exp_f64, exp, double)
INGOT_BY_HALVES(ingot_vector_tanh_f64, tanh, double)
INGOT_BY_HALVES(ingot_vector_erf_f64, erf, double)
INGOT_OF_ONE(expm1)
INGOT_OF_ONE(log)
INGOT_OF_ONE(log1p)
INGOT_OF_ONE(sin)
INGOT_OF_ONE(cos)
INGOT_OF_ONE(tan)
INGOT_OF_ONE(asin)
INGOT_OF_ONE(acos)
INGOT_OF_ONE(atan)
INGOT_OF_ONE(sinh)
INGOT_OF_ONE(cosh)
INGOT_OF_ONE(asinh)
INGOT_OF_ONE(acosh)
INGOT_OF_ONE(atanh)
INGOT_OF_TWO(pow)
INGOT_OF_TWO(fmod)

extern "C" void ingot_vector_matmul(const float *a, const float *b, float *c, int64_t rows, int64_t columns, int64_t depth) {
  matmul(a, b, c, rows, columns, depth);
}

extern "C" void ingot_vector_ipow_i64(int64_t *x, const int64_t *y) {
  _Pragma("clang loop unroll(disable)") for (int lane = 0; lane < 16; ++lane) x[lane] = power(x[lane], y[lane]);
}
