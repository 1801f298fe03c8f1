// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What rope_append and attention share: norms and rotation of a head, and the append of a key and a value to the paged
// cache. Both do the same arithmetic, so that a token's key does not depend on which of them stores it.
#ifndef INGOT_TARGET_CPU_KERNELS_CACHE_H
#define INGOT_TARGET_CPU_KERNELS_CACHE_H

#include "compiler/target/cpu/kernels/common.h"

namespace ingot::kernels {

typedef i8x16 i8x16_u __attribute__((aligned(1)));

// Element types of the cache.
template <int TYPE> struct CacheElement { using type = typename ElementOf<TYPE>::type; };
template <> struct CacheElement<INGOT_I8> { using type = int8_t; };
template <class C> INGOT_INLINE f32x16 widen16(const C *p) { return load16(p); }
INGOT_INLINE f32x16 widen16(const int8_t *p) { return __builtin_convertvector(*(const i8x16_u *)p, f32x16); }

// The planes of one layer; the scales only where the cache is int8.
struct CachePlanes {
  void *keys, *values;
  float *keyScales, *valueScales; // [page][kv_heads][page_tokens]
};

// Takes the planes from a launch's operands; returns how many they are.
template <class Params> INGOT_INLINE int32_t takePlanes(const Params *p, void *const *buffers, CachePlanes &planes) {
  bool scaled = p->cache_type == INGOT_I8;
  planes = {buffers[0], buffers[1], scaled ? (float *)buffers[2] : nullptr, scaled ? (float *)buffers[3] : nullptr};
  return scaled ? 4 : 2;
}

// to = rope(norm(from)); `to` may be `from`.
template <class Params>
INGOT_INLINE void turn(const Params *p, float *to, const float *from, const float *gamma, const float *cosSin) {
  int32_t hd = p->head_dim, half = p->rotary_dim / 2;
  if (p->qk_norm) {
    float factor = 1.0f / __builtin_sqrtf(sumOfSquares(from, hd) / (float)hd + p->eps);
    for (int32_t d = 0; d < hd; d += 16) {
      int32_t count = minimum(16, hd - d);
      store16(to + d, load16(from + d, count) * factor * load16(gamma + d, count), count);
    }
  } else if (to != from) {
    for (int32_t d = 0; d < hd; d += 16)
      store16(to + d, load16(from + d, minimum(16, hd - d)), minimum(16, hd - d));
  }
  for (int32_t i = 0; i < half; i += 16) {
    int32_t count = minimum(16, half - i);
    f32x16 a = load16(to + i, count), b = load16(to + half + i, count);
    f32x16 c = load16(cosSin + i, count), s = load16(cosSin + half + i, count);
    store16(to + i, a * c - b * s, count);
    store16(to + half + i, b * c + a * s, count);
  }
}

// The scale of n values in int8, and what they are multiplied with before they are rounded; both 0 for values too small
// to have a scale, which become zeros.
struct Int8Scale {
  float scale, inverse;
};
INGOT_INLINE Int8Scale int8Scale(const float *x, int32_t n) {
  f32x16 top = splat(0.0f);
  for (int32_t i = 0; i < n; i += 16)
    top = larger(top, __builtin_elementwise_abs(load16(x + i, minimum(16, n - i))));
  float most = largest(top);
  if (!(most > 0x1p-100f))
    return {0.0f, 0.0f};
  return {most / 127.0f, 127.0f / most};
}
INGOT_INLINE i8x16 toInt8(f32x16 x, float inverse) {
  return __builtin_convertvector(__builtin_convertvector(__builtin_elementwise_roundeven(x * inverse), i32x16), i8x16);
}

// Stores a key in a column of [head_dim][16].
template <class C> INGOT_INLINE void storeKey(C *column, const float *key, int32_t hd) {
  for (int32_t d = 0; d < hd; d += 16) {
    const int32_t count = minimum(16, hd - d);
    C lane[16];
    store16(lane, load16(key + d, count));
    for (int32_t i = 0; i < count; ++i)
      column[(int64_t)(d + i) * 16] = lane[i];
  }
}

// Stores one head's key and value of a token at `slot`.
template <class Params>
INGOT_INLINE void append(const Params *p, const CachePlanes &planes, int32_t h, int32_t slot, const float *key,
                         const float *value) {
  const int32_t hd = p->head_dim;
  int64_t page = slot / p->page_tokens;
  int32_t offset = slot % p->page_tokens;
  int64_t head = (page * p->kv_heads + h) * p->page_tokens; // in tokens
  int64_t keyAt = (head + offset / 16 * 16) * hd + offset % 16, valueAt = (head + offset) * hd;
  if (p->cache_type == INGOT_I8) {
    Int8Scale k = int8Scale(key, hd), v = int8Scale(value, hd);
    planes.keyScales[head + offset] = k.scale;
    planes.valueScales[head + offset] = v.scale;
    int8_t *keys = (int8_t *)planes.keys + keyAt, *values = (int8_t *)planes.values + valueAt;
    for (int32_t d = 0; d < hd; d += 16) {
      int32_t count = minimum(16, hd - d);
      i8x16 kd = toInt8(load16(key + d, count), k.inverse), vd = toInt8(load16(value + d, count), v.inverse);
      for (int32_t i = 0; i < count; ++i) {
        keys[(d + i) * 16] = kd[i];
        values[d + i] = vd[i];
      }
    }
    return;
  }
  if (p->cache_type == INGOT_F16)
    storeKey((f16 *)planes.keys + keyAt, key, hd);
  else if (p->cache_type == INGOT_BF16)
    storeKey((bf16 *)planes.keys + keyAt, key, hd);
  else
    storeKey((float *)planes.keys + keyAt, key, hd);
  for (int32_t d = 0; d < hd; d += 16) {
    int32_t count = minimum(16, hd - d);
    store16As(p->cache_type, planes.values, valueAt + d, load16(value + d, count), count);
  }
}

} // namespace ingot::kernels

#endif
