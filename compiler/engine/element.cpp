// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/engine/element.h"

#include <cassert>

namespace ingot::engine {

void toFloat(ElementType from, const void *in, float *out, int64_t count) {
  assert(isFloatStorage(from));
  if (from == ElementType::f32) {
    std::memcpy(out, in, size_t(count) * sizeof(float));
    return;
  }
  const auto *bits = static_cast<const uint16_t *>(in);
  if (from == ElementType::bf16)
    for (int64_t i = 0; i < count; ++i)
      out[i] = bf16ToFloat(bits[i]);
  else
    for (int64_t i = 0; i < count; ++i)
      out[i] = f16ToFloat(bits[i]);
}

void fromFloat(ElementType to, const float *in, void *out, int64_t count) {
  assert(isFloatStorage(to));
  if (to == ElementType::f32) {
    std::memcpy(out, in, size_t(count) * sizeof(float));
    return;
  }
  auto *bits = static_cast<uint16_t *>(out);
  if (to == ElementType::bf16)
    for (int64_t i = 0; i < count; ++i)
      bits[i] = floatToBf16(in[i]);
  else
    for (int64_t i = 0; i < count; ++i)
      bits[i] = floatToF16(in[i]);
}

} // namespace ingot::engine
