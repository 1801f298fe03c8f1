// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// quantize_rows: rows of f32 become rows of 8-bit integers with a scale and the sums that zero points are multiplied
// by, operands and formula as params.h states. One tile is a row: it is read twice, for the largest magnitude and to
// round, the norm computed each time. Rows of codes are copied, with their scale, their sum and their zero point
// behind.
#include "compiler/target/cpu/kernels/quantized.h"

namespace ingot::kernels {
namespace {

// y of one row: x, or x normalized as pack_rows does it.
struct Row {
  const float *x, *gamma; // gamma: null without a norm
  float factor;
  INGOT_INLINE f32x16 operator()(int32_t k, int32_t count) const {
    f32x16 y = load16(x + k, count);
    return gamma ? y * factor * load16(gamma + k, count) : y;
  }
};

// Magnitudes compare as integers, what is not a number above all others: so a row that holds one gets such a scale.
INGOT_INLINE i32x16 magnitude(f32x16 v) { return __builtin_bit_cast(i32x16, v) & 0x7fffffff; }

// Below this 127 / peak would be infinite: the row is taken as zeros.
constexpr float kLeastPeak = 0x1p-119f;

// One row of codes.
INGOT_INLINE void copyCodes(const quantize_rows_params *p, void *const *buffers, int64_t row, int64_t rowBytes,
                            char *out) {
  const int8_t flip = p->codes == INGOT_U8 ? -128 : 0; // the highest bit: 128 less
  const char *from = (const char *)buffers[0] + row * p->k;
  i32x16 total = (i32x16)(0);
  int32_t k = 0;
  for (; k + 16 <= p->k; k += 16) {
    i8x16 q = *(const i8x16_u *)(from + k) ^ (i8x16)(flip);
    *(i8x16_u *)(out + k) = q;
    total += __builtin_convertvector(q, i32x16);
  }
  int32_t sum = 0;
  for (int32_t i = 0; i < 16; ++i)
    sum += total[i];
  for (; k < p->k; ++k) {
    out[k] = (char)(from[k] ^ flip);
    sum += (int8_t)out[k];
  }
  for (; k < p->k_padded; ++k)
    out[k] = 0;
  int32_t *tail = (int32_t *)(out + p->k_padded);
  *(float *)tail = *(const float *)buffers[1];
  tail[1] = sum;
  tail[2] = !p->in_zeros ? 0 : p->codes == INGOT_U8 ? *(const uint8_t *)buffers[2] - 128 : *(const int8_t *)buffers[2];
  for (int32_t *rest = tail + 3; rest < (int32_t *)(out + rowBytes); ++rest)
    *rest = 0;
}

} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(quantize_rows) {
  using namespace ingot::kernels;
  if (p->codes) {
    const int64_t bytes = quantizedRowBytes(p->k_padded, 1);
    for (uint32_t tile = tile0; tile < tile1; ++tile)
      copyCodes(p, buffers, tile, bytes, (char *)buffers[p->in_zeros ? 3 : 2] + tile * bytes);
    return 0;
  }
  const float *stats = p->partials ? (const float *)buffers[1] : nullptr;
  char *out = (char *)buffers[p->partials ? 3 : 1];
  const int32_t groups = (int32_t)groupsOf(p->k, p->group);
  const int64_t rowBytes = quantizedRowBytes(p->k_padded, groups);
  for (uint32_t tile = tile0; tile < tile1; ++tile) {
    Row row = {(const float *)buffers[0] + (int64_t)tile * p->k, p->partials ? (const float *)buffers[2] : nullptr,
               1.0f};
    if (p->partials) {
      float squares = 0.0f;
      for (int32_t i = 0; i < p->partials; ++i)
        squares += stats[(int64_t)tile * p->partials + i];
      row.factor = 1.0f / __builtin_sqrtf(squares / (float)p->k + p->eps);
    }
    i32x16 most = (i32x16)(0);
    for (int32_t k = 0; k < p->k; k += 16)
      most = __builtin_elementwise_max(most, magnitude(row(k, minimum(16, p->k - k))));
    const float peak = __builtin_bit_cast(float, __builtin_reduce_max(most));
    const float inverse = peak >= kLeastPeak ? 127.0f / peak : 0.0f;

    int8_t *q = (int8_t *)(out + tile * rowBytes);
    float *scale = (float *)(q + p->k_padded);
    int32_t *sums = (int32_t *)(scale + 1);
    *scale = peak / 127.0f;
    for (int32_t g = 0; g < groups; ++g) {
      const int32_t end = minimum(p->k, (g + 1) * p->group);
      i32x16 total = (i32x16)(0);
      for (int32_t k = g * p->group; k < end; k += 16) {
        // A whole vector is stored: what lies past the end is zero, or written by the next group.
        f32x16 y = row(k, minimum(16, end - k)) * inverse;
        i32x16 value = __builtin_convertvector(__builtin_elementwise_roundeven(y), i32x16);
        total += value;
        *(i8x16_u *)(q + k) = __builtin_convertvector(value, i8x16);
      }
      int32_t sum = 0;
      for (int32_t i = 0; i < 16; ++i)
        sum += total[i];
      sums[g] = sum;
    }
    for (int32_t k = (int32_t)roundUp(p->k, 16); k < p->k_padded; k += 16)
      *(i8x16_u *)(q + k) = (i8x16)(0);
    for (int32_t *rest = sums + groups; rest < (int32_t *)(q + rowBytes); ++rest)
      *rest = 0;
  }
  return 0;
}
