/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Kernels of the test engine (test_engine.h). The build turns the text section of this one object into a flat image;
 * every function starts at a multiple of 512 bytes, in this order, and uses no constant that would need a relocation.
 */
#include "runtime/format/kernel_abi.h"

#define KERNEL(name)                                                                                                   \
  __attribute__((aligned(512))) int32_t name(const ingot_env *env, void *const *buffers, const int64_t *symbols,      \
                                             uint32_t tile0, uint32_t tile1, void *scratch)

/* 0: out i32[tokens][4] = in i32[tokens][4] + weight i32[4]. Tiles: tokens. */
KERNEL(add_weight) {
  const int32_t *in = buffers[0], *weight = buffers[1];
  int32_t *out = buffers[2];
  for (uint32_t t = tile0; t < tile1; ++t)
    for (int i = 0; i < 4; ++i)
      out[t * 4 + i] = in[t * 4 + i] + weight[i];
  return 0;
}

/* 1: plane i32[slots][4] at slots[t] = in i32[tokens][4]; 1 for a slot that is negative. Tiles: tokens. */
KERNEL(append) {
  const int32_t *in = buffers[0], *slots = buffers[1];
  int32_t *plane = buffers[2];
  for (uint32_t t = tile0; t < tile1; ++t) {
    if (slots[t] < 0)
      return 1;
    for (int i = 0; i < 4; ++i)
      plane[(int64_t)slots[t] * 4 + i] = in[t * 4 + i];
  }
  return 0;
}

/* 2: out i32[tokens] = sum over all rows up to t of x i32[tokens][4], through scratch. Tiles: tokens. */
KERNEL(prefix_sums) {
  const int32_t *x = buffers[0];
  int32_t *out = buffers[1], *own = scratch;
  for (uint32_t t = tile0; t < tile1; ++t) {
    own[0] = 0;
    for (uint32_t row = 0; row <= t; ++row)
      for (int i = 0; i < 4; ++i)
        own[0] += x[row * 4 + i];
    out[t] = own[0];
  }
  return 0;
}

/* 3: returns what code i32[1] says. One tile. */
KERNEL(fail) { return *(const int32_t *)buffers[0]; }

/* 4: count i64[1] = how many of flat i32[cells] are not 0. One tile. */
KERNEL(count) {
  const int32_t *flat = buffers[0];
  int64_t found = 0;
  for (int64_t i = 0; i < symbols[2]; ++i)
    found += flat[i] != 0;
  *(int64_t *)buffers[1] = found;
  return 0;
}

/* 5: out i32[found] = the numbers of those that are not 0, in order. Tiles: found. */
KERNEL(positions) {
  const int32_t *flat = buffers[0];
  int32_t *out = buffers[1];
  int64_t at = 0;
  for (int64_t i = 0; i < symbols[2]; ++i)
    if (flat[i] != 0) {
      if (at >= tile0 && at < tile1)
        out[at] = (int32_t)i;
      ++at;
    }
  return 0;
}
