// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests of kernels on the simulated device. Their code is part of the program, which exports its symbols.
#include "test/simulator/simulator.h"
#include "test/unit/cuda/kernel_device.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

namespace ingot::test::device {

void *allocate(size_t bytes, const std::string &name) {
  void *memory = simulator::allocate(bytes, name);
  if (!memory)
    std::abort();
  return memory;
}
void release(void *memory) { simulator::release(memory); }
void copyTo(void *device, const void *host, size_t bytes) { std::memcpy(device, host, bytes); }
void copyFrom(void *host, const void *device, size_t bytes) { std::memcpy(host, device, bytes); }

std::vector<std::string> launch(const CudaKernel &kernel, const Launch &launch, const ingot_cuda_args &args,
                                uint64_t seed) {
  auto code = kernel.code ? kernel.code
                          : reinterpret_cast<void (*)(ingot_cuda_args)>(dlsym(RTLD_DEFAULT, kernel.name.c_str()));
  if (!code)
    return {"the program has no kernel " + kernel.name};
  simulator::Launch one;
  one.name = launch.name;
  std::memcpy(one.grid, launch.grid, sizeof(one.grid));
  one.threads = launch.threads;
  one.sharedBytes = launch.sharedBytes;
  return simulator::launch(code, one, args, seed);
}

bool simulated() { return true; }

} // namespace ingot::test::device
