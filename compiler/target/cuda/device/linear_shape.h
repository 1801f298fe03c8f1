// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of products that kernels and launches must agree on. Includes no primitives, so that the compiler reads it too.
#ifndef INGOT_CUDA_DEVICE_LINEAR_SHAPE_H
#define INGOT_CUDA_DEVICE_LINEAR_SHAPE_H

#include "compiler/target/cuda/device/attention_shape.h" // kCounterBytes

namespace ingot::device {

// Sums of one part of K of a tile, in the workspace.
INGOT_SHAPE int64_t linearPartBytes(int32_t panels, int32_t rows) { return (int64_t)panels * rows * 64; }

} // namespace ingot::device

#endif
