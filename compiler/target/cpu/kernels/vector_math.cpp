// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The elementary functions of math.h for functions that came through linalg: 16 lanes in memory, replaced by their
// image. They are inlined, so that the memory becomes registers.
#include "compiler/target/cpu/kernels/math.h"

#define INGOT_VECTOR_FUNCTION(name)                                                                                    \
  extern "C" __attribute__((always_inline)) void ingot_vector_##name(float *lanes) {                                   \
    using namespace ingot::kernels;                                                                                    \
    store16(lanes, name(load16(lanes)));                                                                               \
  }
INGOT_VECTOR_FUNCTION(exp)
INGOT_VECTOR_FUNCTION(tanh)
INGOT_VECTOR_FUNCTION(erf)
