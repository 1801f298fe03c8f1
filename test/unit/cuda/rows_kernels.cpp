// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels over rows and sample for the simulated device, as the compiler emits them: one function for each case.
#include "compiler/target/cuda/device/embedding.h"
#include "compiler/target/cuda/device/rope_angles.h"
#include "compiler/target/cuda/device/rope_append.h"
#include "compiler/target/cuda/device/rows.h"
#include "compiler/target/cuda/device/sample.h"
#include "compiler/target/cuda/device/sample_passes.h"
#include "test/unit/cuda/kernel_cases.h"

using namespace ingot::device;

#define CASE(device, params, name, ...)                                                                                \
  struct P_##name {                                                                                                    \
    static constexpr params##_params p = {__VA_ARGS__};                                                                \
  };                                                                                                                   \
  INGOT_KERNEL(name, 1024) { device<P_##name>(args); }
#define EMBEDDING(t, name, ...) CASE(embeddingRows, t, name, __VA_ARGS__)
#define ROPE_ANGLES(t, name, ...) CASE(ropeAngles, t, name, __VA_ARGS__)
#define PACK_ROWS(t, name, ...) CASE(packRows, t, name, __VA_ARGS__)
#define QUANTIZE_ROWS(t, name, ...) CASE(quantizeRows, t, name, __VA_ARGS__)
#define ROPE_APPEND(t, name, ...) CASE(ropeAppend, t, name, __VA_ARGS__)
#define SAMPLE(t, name, ...)                                                                                           \
  CASE(sampleLargest, t, name##_largest, __VA_ARGS__)                                                                  \
  CASE(sampleSums, t, name##_sums, __VA_ARGS__)                                                                        \
  CASE(sampleChoose, t, name##_choose, __VA_ARGS__)

INGOT_EMBEDDING_CASES(EMBEDDING)
INGOT_ROPE_ANGLES_CASES(ROPE_ANGLES)
INGOT_PACK_ROWS_CASES(PACK_ROWS)
INGOT_QUANTIZE_ROWS_CASES(QUANTIZE_ROWS)
INGOT_ROPE_APPEND_CASES(ROPE_APPEND)
INGOT_SAMPLE_CASES(SAMPLE)
