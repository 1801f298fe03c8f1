// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVIDIA's driver API, found by dlopen, so that one binary serves machines with and without a GPU. Declared here as its
// documentation gives it ("CUDA Driver API Reference Manual"), no more of it than the runtime calls; no toolkit header is
// needed. INGOT_LIBCUDA names another library of this interface, such as the simulated device of the tests.
#ifndef INGOT_RUNTIME_DEVICE_CUDA_DRIVER_H
#define INGOT_RUNTIME_DEVICE_CUDA_DRIVER_H

#include "runtime/core/error.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace ingot::runtime::cuda {

using Address = uint64_t; // CUdeviceptr
using Handle = void *;    // of contexts, modules, functions, streams, events, graphs
using Status = int;       // CUresult: 0 is success

enum : Status { kOutOfMemory = 2, kNoDevice = 100 };

// CUlaunchAttribute; id 6 with value[0] = 1: the launch may begin before the one before it in the stream has ended.
struct LaunchAttribute {
  int id;
  int padding;
  union {
    int value[16];
    uint64_t words[8];
  };
};
inline constexpr int kProgrammaticSerialization = 6;

// CUlaunchConfig.
struct LaunchConfig {
  unsigned grid[3];
  unsigned block[3];
  unsigned sharedBytes;
  Handle stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

// The functions of the driver, by their names without `cu`.
struct Driver {
  // The library, found once per process. NotFound where there is none: the message says what was looked for.
  static Result<const Driver *> find();

  Status (*Init)(unsigned);
  Status (*DriverGetVersion)(int *);
  Status (*GetErrorName)(Status, const char **);
  Status (*GetErrorString)(Status, const char **);
  Status (*DeviceGetCount)(int *);
  Status (*DeviceGet)(int *, int);
  Status (*DeviceGetName)(char *, int, int);
  Status (*DeviceGetAttribute)(int *, int attribute, int device);
  Status (*DevicePrimaryCtxRetain)(Handle *, int);
  Status (*DevicePrimaryCtxRelease)(int);
  Status (*CtxGetCurrent)(Handle *);
  Status (*CtxSetCurrent)(Handle);
  Status (*ModuleLoadDataEx)(Handle *, const void *image, unsigned count, int *options, void **values);
  Status (*ModuleUnload)(Handle);
  Status (*ModuleGetFunction)(Handle *, Handle, const char *);
  Status (*FuncSetAttribute)(Handle, int attribute, int value);
  Status (*FuncLoad)(Handle); // of CUDA 12.4 and newer; else null
  Status (*MemGetInfo)(size_t *, size_t *);
  Status (*MemAlloc)(Address *, size_t);
  Status (*MemFree)(Address);
  Status (*MemHostAlloc)(void **, size_t, unsigned);
  Status (*MemFreeHost)(void *);
  Status (*MemcpyHtoDAsync)(Address, const void *, size_t, Handle);
  Status (*MemcpyDtoHAsync)(void *, Address, size_t, Handle);
  Status (*MemsetD8Async)(Address, unsigned char, size_t, Handle);
  Status (*StreamCreate)(Handle *, unsigned);
  Status (*StreamDestroy)(Handle);
  Status (*StreamSynchronize)(Handle);
  Status (*StreamBeginCapture)(Handle, int mode);
  Status (*StreamEndCapture)(Handle, Handle *);
  Status (*GraphInstantiateWithFlags)(Handle *, Handle, uint64_t);
  Status (*GraphLaunch)(Handle, Handle);
  Status (*GraphExecDestroy)(Handle);
  Status (*GraphDestroy)(Handle);
  Status (*EventCreate)(Handle *, unsigned);
  Status (*EventDestroy)(Handle);
  Status (*EventRecord)(Handle, Handle);
  Status (*EventSynchronize)(Handle);
  Status (*EventElapsedTime)(float *, Handle, Handle);
  Status (*LaunchKernelEx)(const LaunchConfig *, Handle, void **, void **);

  std::string library; // what was opened

  // "CUDA_ERROR_OUT_OF_MEMORY: out of memory".
  std::string reason(Status status) const;
  // The error of a call that failed: `what` says what was being done. ResourceExhausted where memory ran out, Internal where a
  // kernel went wrong, else Unsupported.
  Error failed(Status status, const std::string &what) const;
};

} // namespace ingot::runtime::cuda

#endif
