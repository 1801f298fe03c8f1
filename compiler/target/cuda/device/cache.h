// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What rope_append and attention share: norm and rotation of a head, where a token lies in the paged cache, and the
// append of a key and a value. A warp works on one head, lane l on its elements l, l + 32, ...; so a token's key is the
// same whichever of the two stores it. `p` is the template's parameters, a type of their own so that they are
// constants.
#ifndef INGOT_CUDA_DEVICE_CACHE_H
#define INGOT_CUDA_DEVICE_CACHE_H

#include "compiler/target/cuda/device/elements.h"

namespace ingot::device {

// The planes of one layer; scales only where the cache is int8.
struct CachePlanes {
  void *keys, *values;
  float *keyScales, *valueScales;
};
template <class P> INGOT_DEVICE CachePlanes planesAt(const ingot_cuda_args &args, int32_t first) {
  constexpr bool scaled = P::p.cache_type == INGOT_I8;
  return {args.buffers[first], args.buffers[first + 1], scaled ? (float *)args.buffers[first + 2] : nullptr,
          scaled ? (float *)args.buffers[first + 3] : nullptr};
}
template <class P> INGOT_CONSTEXPR int32_t planeCount() { return P::p.cache_type == INGOT_I8 ? 4 : 2; }

// A head after norm and rotation, computed where it is asked for: two elements of the input for each of the output.
template <class P> struct TurnedHead {
  const float *x, *gamma, *angles; // [head_dim], [head_dim] (qk_norm), [rotary_dim]: cosines, then sines
  float factor;

  // All lanes of a warp together, with the same head.
  INGOT_DEVICE TurnedHead(const float *x, const float *gamma, const float *angles)
      : x(x), gamma(gamma), angles(angles), factor(1.0f) {
    constexpr int32_t hd = P::p.head_dim;
    if constexpr (P::p.qk_norm != 0) {
      float squares = 0.0f;
      for (int32_t d = (int32_t)lane(); d < hd; d += 32)
        squares = fma(x[d], x[d], squares);
      factor = divide(1.0f, squareRoot(add(divide(sumOverWarp(squares), (float)hd), P::p.eps)));
    }
  }
  INGOT_DEVICE float normed(int32_t d) const {
    return P::p.qk_norm ? multiply(multiply(x[d], factor), gamma[d]) : x[d];
  }
  INGOT_DEVICE float operator()(int32_t d) const {
    constexpr int32_t half = P::p.rotary_dim / 2;
    if constexpr (half > 0) {
      if (d < half)
        return add(multiply(normed(d), angles[d]), -multiply(normed(d + half), angles[half + d]));
      if (d < 2 * half)
        return add(multiply(normed(d), angles[d - half]), multiply(normed(d - half), angles[d]));
    }
    return normed(d);
  }
};

// A value as it is.
struct PlainHead {
  const float *x;
  INGOT_DEVICE float operator()(int32_t d) const { return x[d]; }
};

// What the cache keeps of element x of a head: a float of the cache's type, or with int8 an integer.
struct CacheScale {
  float scale, inverse; // int8: both 0 for values too small to have a scale, which become zeros
};
// All lanes of a warp together.
template <int type, int hd, class Head> INGOT_DEVICE CacheScale cacheScale(const Head &head) {
  if constexpr (type != INGOT_I8) {
    return {1.0f, 1.0f};
  } else {
    float most = 0.0f;
    for (int32_t d = (int32_t)lane(); d < hd; d += 32) {
      const float here = floatOf(magnitudeOf(head(d)));
      most = here > most ? here : most;
    }
    most = largestOverWarp(most);
    if (!(most > 0x1p-100f))
      return {0.0f, 0.0f};
    return {divide(most, 127.0f), divide(127.0f, most)};
  }
}
INGOT_DEVICE int8_t toInt8(float x, float inverse) { return (int8_t)roundToInt(multiply(x, inverse)); }

// Where the 16 tokens around `offset` of a page lie for head h, in tokens from the plane's start.
template <class P> INGOT_DEVICE int64_t headOfPage(int64_t page, int32_t h) {
  return (page * P::p.kv_heads + h) * P::p.page_tokens;
}

// Stores one head's key or value of a token at `slot`. All lanes of a warp together.
template <class P, bool isKey, class Head>
INGOT_DEVICE void appendHead(const CachePlanes &planes, int32_t h, int32_t slot, const Head &head) {
  constexpr int32_t hd = P::p.head_dim, type = P::p.cache_type;
  const int32_t offset = slot % P::p.page_tokens;
  const int64_t page = headOfPage<P>(slot / P::p.page_tokens, h);
  const int64_t at = isKey ? (page + offset / 16 * 16) * hd + offset % 16 : (page + offset) * hd;
  void *plane = isKey ? planes.keys : planes.values;
  const CacheScale scale = cacheScale<type, hd>(head);
  for (int32_t d = (int32_t)lane(); d < hd; d += 32) {
    const int64_t to = at + (isKey ? (int64_t)d * 16 : d);
    if constexpr (type == INGOT_I8)
      ((int8_t *)plane)[to] = toInt8(head(d), scale.inverse);
    else
      storeAs<type>(plane, to, head(d));
  }
  if constexpr (type == INGOT_I8)
    if (lane() == 0)
      (isKey ? planes.keyScales : planes.valueScales)[page + offset] = scale.scale;
}

} // namespace ingot::device

#endif
