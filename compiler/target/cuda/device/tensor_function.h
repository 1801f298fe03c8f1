// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What functions over tensors call (codegen/TensorFunction.cpp): reductions of a block, and scalar operations.
#ifndef INGOT_CUDA_DEVICE_TENSOR_FUNCTION_H
#define INGOT_CUDA_DEVICE_TENSOR_FUNCTION_H

#include "compiler/target/cuda/device/reduce.h"
#include "compiler/target/cuda/device/scalars.h"

#endif
