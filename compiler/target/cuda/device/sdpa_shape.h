// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of sdpa that its kernel and its launch must agree on (sdpa.h explains them). Plain constants over the
// parameters; includes no primitives, so that the compiler reads it too.
#ifndef INGOT_CUDA_DEVICE_SDPA_SHAPE_H
#define INGOT_CUDA_DEVICE_SDPA_SHAPE_H

#include "compiler/target/cuda/device/attention_shape.h"

namespace ingot::device {

constexpr int32_t kSdpaRows = 16, kSdpaKeys = 32; // of a unit, of a block

// Parts of its shared memory, in floats.
struct SdpaShape {
  int32_t keyStride; // odd, so that 32 keys lie in different banks
  int32_t query, key, weights, scalars, total;
};
template <class Params> INGOT_SHAPE SdpaShape sdpaShape(const Params &p) {
  SdpaShape s{};
  s.keyStride = p.head_dim | 1;
  s.query = 0;                                   // [16][head_dim]
  s.key = s.query + kSdpaRows * p.head_dim;      // [32][keyStride]
  s.weights = s.key + kSdpaKeys * s.keyStride;   // [16][32]
  s.scalars = s.weights + kSdpaRows * kSdpaKeys; // correction, sum of each row
  s.total = s.scalars + 2 * kSdpaRows;
  return s;
}

} // namespace ingot::device

#endif
