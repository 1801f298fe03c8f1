// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between the element types that weights are stored in, all through f32. Rounding is to nearest,
// ties to even (IEEE 754); NaN stays NaN. Used where the engine writer runs recipes; kernels have their own.
#ifndef INGOT_COMPILER_ENGINE_ELEMENT_H
#define INGOT_COMPILER_ENGINE_ELEMENT_H

#include "compiler/import/builder.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace ingot::engine {

inline float bf16ToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

inline uint16_t floatToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return uint16_t((bits >> 16) | 0x40); // quiet NaN
  return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

inline float f16ToFloat(uint16_t bits) { return float(std::bit_cast<_Float16>(bits)); }
inline uint16_t floatToF16(float value) { return std::bit_cast<uint16_t>(_Float16(value)); }

// Converts `count` elements of `from` to f32. `from` must be f32, f16 or bf16.
void toFloat(ElementType from, const void *in, float *out, int64_t count);

// Converts `count` f32 values to `to`: f32, f16 or bf16.
void fromFloat(ElementType to, const float *in, void *out, int64_t count);

inline bool isFloatStorage(ElementType type) {
  return type == ElementType::f32 || type == ElementType::f16 || type == ElementType::bf16;
}

} // namespace ingot::engine

#endif
