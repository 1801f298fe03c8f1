// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights from the mapped file to a GPU, through page-locked memory, at the speed of the slower of disk and bus.
#ifndef INGOT_RUNTIME_EXECUTOR_CUDA_UPLOAD_H
#define INGOT_RUNTIME_EXECUTOR_CUDA_UPLOAD_H

#include "runtime/device/cuda/device.h"
#include "runtime/executor/weights.h"

namespace ingot::runtime {

// Copies all weights to device memory; they are there when later work of the stream begins.
Result<void> uploadWeights(const cuda::Device &device, cuda::Address to, const WeightSource &weights);

} // namespace ingot::runtime

#endif
