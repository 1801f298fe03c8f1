// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// attention and rope_append for the simulated device, as the compiler emits them: two functions for each layer; and
// sdpa and convolution.
#include "compiler/target/cuda/device/attention_rows.h"
#include "compiler/target/cuda/device/attention_tiles.h"
#include "compiler/target/cuda/device/convolution.h"
#include "compiler/target/cuda/device/rope_append.h"
#include "compiler/target/cuda/device/sdpa.h"
#include "test/unit/cuda/kernel_cases.h"

using namespace ingot::device;

#define LAYER(device, name, kv, q, hd, rotary, page, cache, norm, eps, window, out, stride, scale, cap, distances) \
  struct Append_##name {                                                                                               \
    static constexpr rope_append_params p = {kv, q, hd, rotary, page, cache, norm, eps, 0, 0, 1, 0};                   \
  };                                                                                                                   \
  struct Attention_##name {                                                                                            \
    static constexpr attention_params p = {kv, q,   hd,     rotary, page, cache, norm, eps, window,                    \
                                           0,  out, stride, scale,  cap,  0,     1,    2,    0,    distances};                      \
  };                                                                                                                   \
  INGOT_KERNEL(append_##name, 128) { ropeAppend<Append_##name>(args); }                                                \
  INGOT_KERNEL(attention_##name, 128) { device<Attention_##name>(args); }

INGOT_ATTENTION_CASES(LAYER)

#define SDPA(t, name, ...)                                                                                             \
  struct Sdpa_##name {                                                                                                 \
    static constexpr sdpa_params p = {__VA_ARGS__};                                                                    \
  };                                                                                                                   \
  INGOT_KERNEL(name, 128) { scaledDotProduct<Sdpa_##name>(args); }

INGOT_SDPA_CASES(SDPA)
INGOT_SDPA_SEQUENCES_CASES(SDPA)

#define CONVOLUTION(t, name, ...)                                                                                      \
  struct Convolution_##name {                                                                                          \
    static constexpr convolution_params p = {__VA_ARGS__};                                                             \
  };                                                                                                                   \
  INGOT_KERNEL(name, 256) { convolve<Convolution_##name>(args); }

INGOT_CONVOLUTION_CASES(CONVOLUTION)
