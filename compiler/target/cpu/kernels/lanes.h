// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of several widths, for code that is a template of its lanes: reading and writing them. Of one lane too, for
// what is left over.
#ifndef INGOT_TARGET_CPU_KERNELS_LANES_H
#define INGOT_TARGET_CPU_KERNELS_LANES_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

typedef f32x8 f32x8_u __attribute__((aligned(4)));
typedef float f32x1 __attribute__((ext_vector_type(1)));

template <class V> INGOT_INLINE V loadLanes(const float *from);
template <> INGOT_INLINE f32x16 loadLanes<f32x16>(const float *from) { return load16(from); }
template <> INGOT_INLINE f32x8 loadLanes<f32x8>(const float *from) { return *(const f32x8_u *)from; }
template <> INGOT_INLINE f32x1 loadLanes<f32x1>(const float *from) { return (f32x1)(*from); }
INGOT_INLINE void storeLanes(float *to, f32x16 v) { store16(to, v); }
INGOT_INLINE void storeLanes(float *to, f32x8 v) { *(f32x8_u *)to = v; }
INGOT_INLINE void storeLanes(float *to, f32x1 v) { *to = v[0]; }

} // namespace ingot::kernels

#endif
