// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions that make_elementwise_kernels writes: one for each operation and type of elementwise.txt.
#ifndef INGOT_TEST_UNIT_CUDA_ELEMENTWISE_KERNELS_H
#define INGOT_TEST_UNIT_CUDA_ELEMENTWISE_KERNELS_H

#include "runtime/format/cuda_abi.h"

namespace ingot::test {

struct ElementwiseKernel {
  const char *name; // null after the last
  void (*code)(ingot_cuda_args);
  uint32_t threads, sharedBytes;
};
extern const ElementwiseKernel kElementwiseKernels[];

} // namespace ingot::test

#endif
