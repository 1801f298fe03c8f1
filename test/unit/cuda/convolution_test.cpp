// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution on the simulated device, to the bit, by the checks that the CPU's has
// (test/unit/target/convolution_checks.h).
#include "test/unit/cuda/cuda_run.h"
#include "test/unit/cuda/kernel_cases.h"
#include "test/unit/target/convolution_checks.h"

using namespace ingot::test;

#define MAKE(t, name, ...) cudaCase(#t, #name, t##_params{__VA_ARGS__}, {#name}),

namespace {

const std::vector<CudaCase> &cases() {
  static const std::vector<CudaCase> all = {INGOT_CONVOLUTION_CASES(MAKE)};
  return all;
}

TEST(CudaConvolutionTest, IsTheContractToTheBit) {
  for (const CudaCase &c : cases())
    for (ImageShape shape : {ImageShape{1, 1, 1, 1}, {2, 1, 9, 13}, {1, 3, 4, 7}})
      checkConvolution(c.kernel, onCuda(cases()), shape, 1);
}

} // namespace
