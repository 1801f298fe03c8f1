// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What tests of kernels run on: the simulated device (on_simulator.cpp), or a driver with a GPU, or with the simulated one
// behind it (on_driver.cpp). A test is linked with one of them. Kernels are found by name.
#ifndef INGOT_TEST_UNIT_CUDA_KERNEL_DEVICE_H
#define INGOT_TEST_UNIT_CUDA_KERNEL_DEVICE_H

#include "runtime/format/cuda_abi.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ingot::test {

struct CudaKernel {
  std::string name;
  void (*code)(ingot_cuda_args) = nullptr; // on the simulator, where it is not found by its name
  CudaKernel(const char *name) : name(name) {}
  CudaKernel(std::string name, void (*code)(ingot_cuda_args) = nullptr) : name(std::move(name)), code(code) {}
};

namespace device {

// Memory of the device, 256-byte aligned, not initialised; aborts the program where there is no more.
void *allocate(size_t bytes, const std::string &name);
void release(void *memory);
void copyTo(void *device, const void *host, size_t bytes);
void copyFrom(void *host, const void *device, size_t bytes);

struct Launch {
  std::string name; // for people
  uint32_t grid[3] = {1, 1, 1};
  uint32_t threads = 32;
  uint32_t sharedBytes = 0;
};
// Runs a kernel to its end. What it did wrong, as far as the device tells, each a sentence; empty: nothing.
std::vector<std::string> launch(const CudaKernel &kernel, const Launch &launch, const ingot_cuda_args &args, uint64_t seed);

// Whether copies land when they are waited for and not before, threads run by seed, memory is watched.
bool simulated();

} // namespace device
} // namespace ingot::test

#endif
