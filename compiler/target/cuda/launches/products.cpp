// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products have no CUDA kernels yet: a model that has any is refused.
#include "compiler/target/cuda/launch.h"

namespace ingot::target::cuda {

Functions functionsOf(const linear_params &, std::string &error) {
  error = "there is no CUDA kernel for products yet";
  return {};
}

Functions functionsOf(const linear_int_params &, std::string &error) {
  error = "there is no CUDA kernel for products of integers yet";
  return {};
}

} // namespace ingot::target::cuda
