// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs kernels as the runtime does: operands in device memory of exactly their size, geometry from functionsOf, a workspace
// that is zero at first and then keeps what launches leave. What the device finds wrong (kernel_device.h) fails the test.
#ifndef INGOT_TEST_UNIT_CUDA_CUDA_RUN_H
#define INGOT_TEST_UNIT_CUDA_CUDA_RUN_H

#include "compiler/target/cuda/launch.h"
#include "test/unit/cuda/kernel_device.h"
#include "test/unit/target/checks.h"
#include <utility>

namespace ingot::test {

// A kernel: its launches in order.
struct CudaCase {
  TestKernel kernel; // name and parameters, for the checks
  target::cuda::Functions functions;
  std::vector<CudaKernel> code; // of each function
};

#define INGOT_ADD_PARAMETER(name) all[#name] = p.name;
#define INGOT_PARAMETERS_OF(name, list)                                                                                \
  inline std::map<std::string, double> parametersOf(const name##_params &p) {                                          \
    std::map<std::string, double> all;                                                                                 \
    list(INGOT_ADD_PARAMETER, INGOT_ADD_PARAMETER) return all;                                                         \
  }
INGOT_TEMPLATES(INGOT_PARAMETERS_OF)
#undef INGOT_PARAMETERS_OF
#undef INGOT_ADD_PARAMETER

template <class Params>
CudaCase cudaCase(const std::string &templateName, const std::string &name, const Params &p,
                  std::vector<CudaKernel> code) {
  CudaCase c;
  c.kernel.name = name;
  c.kernel.templateName = templateName;
  c.kernel.parameters = parametersOf(p);
  std::string error;
  c.functions = target::cuda::functionsOf(p, error);
  c.code = std::move(code);
  if (c.functions.size() != c.code.size() || c.functions.empty())
    std::abort();
  return c;
}

// What a launch runs on.
struct CudaOptions {
  uint64_t seed = 1;
  uint32_t multiprocessors = 3; // a persistent grid is cut by them
};
int32_t runCuda(const CudaCase &c, const std::vector<Operand> &operands, std::vector<int64_t> symbols, uint32_t tiles,
                const CudaOptions &options);

// For the checks: finds the case by the kernel's name.
Run onCuda(const std::vector<CudaCase> &cases, CudaOptions options = {});

} // namespace ingot::test

#endif
