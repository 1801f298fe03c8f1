// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See driver.h.
#include "runtime/device/cuda/driver.h"

#include <cstdlib>
#include <dlfcn.h>
#include <optional>

namespace ingot::runtime::cuda {

namespace {

struct Found {
  Driver driver{};
  std::optional<Error> error;

  Found() {
    const char *named = std::getenv("INGOT_LIBCUDA");
    const bool own = named && *named;
    Handle library = nullptr;
    std::string reasons;
    for (const char *name : {own ? named : "libcuda.so.1", own ? nullptr : "libcuda.so"}) {
      if (!name || library)
        continue;
      library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      driver.library = name;
      if (!library)
        reasons += (reasons.empty() ? "" : "; ") + std::string(dlerror());
    }
    if (!library) {
      error = makeError(ErrorCode::NotFound,
                        "no CUDA driver on this machine (%s); install NVIDIA's driver, or run on the CPU (--device=cpu)",
                        reasons.c_str());
      return;
    }
    auto get = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      if (!function && !error)
        error = makeError(ErrorCode::Unsupported,
                          "the CUDA driver %s has no function %s: it is too old; install a driver of CUDA 12 or newer",
                          driver.library.c_str(), name);
    };
#define INGOT_GET(name, exported) get(driver.name, exported)
    INGOT_GET(Init, "cuInit");
    INGOT_GET(DriverGetVersion, "cuDriverGetVersion");
    INGOT_GET(GetErrorName, "cuGetErrorName");
    INGOT_GET(GetErrorString, "cuGetErrorString");
    INGOT_GET(DeviceGetCount, "cuDeviceGetCount");
    INGOT_GET(DeviceGet, "cuDeviceGet");
    INGOT_GET(DeviceGetName, "cuDeviceGetName");
    INGOT_GET(DeviceGetAttribute, "cuDeviceGetAttribute");
    INGOT_GET(DevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
    INGOT_GET(DevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
    INGOT_GET(CtxGetCurrent, "cuCtxGetCurrent");
    INGOT_GET(CtxSetCurrent, "cuCtxSetCurrent");
    INGOT_GET(ModuleLoadDataEx, "cuModuleLoadDataEx");
    INGOT_GET(ModuleUnload, "cuModuleUnload");
    INGOT_GET(ModuleGetFunction, "cuModuleGetFunction");
    INGOT_GET(FuncSetAttribute, "cuFuncSetAttribute");
    INGOT_GET(MemGetInfo, "cuMemGetInfo_v2");
    INGOT_GET(MemAlloc, "cuMemAlloc_v2");
    INGOT_GET(MemFree, "cuMemFree_v2");
    INGOT_GET(MemHostAlloc, "cuMemHostAlloc");
    INGOT_GET(MemFreeHost, "cuMemFreeHost");
    INGOT_GET(MemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2");
    INGOT_GET(MemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2");
    INGOT_GET(MemsetD8Async, "cuMemsetD8Async");
    INGOT_GET(StreamCreate, "cuStreamCreate");
    INGOT_GET(StreamDestroy, "cuStreamDestroy_v2");
    INGOT_GET(StreamSynchronize, "cuStreamSynchronize");
    INGOT_GET(StreamBeginCapture, "cuStreamBeginCapture_v2");
    INGOT_GET(StreamEndCapture, "cuStreamEndCapture");
    INGOT_GET(GraphInstantiateWithFlags, "cuGraphInstantiateWithFlags");
    INGOT_GET(GraphLaunch, "cuGraphLaunch");
    INGOT_GET(GraphExecDestroy, "cuGraphExecDestroy");
    INGOT_GET(GraphDestroy, "cuGraphDestroy");
    INGOT_GET(EventCreate, "cuEventCreate");
    INGOT_GET(EventDestroy, "cuEventDestroy_v2");
    INGOT_GET(EventRecord, "cuEventRecord");
    INGOT_GET(EventSynchronize, "cuEventSynchronize");
    INGOT_GET(EventElapsedTime, "cuEventElapsedTime");
    INGOT_GET(LaunchKernelEx, "cuLaunchKernelEx");
#undef INGOT_GET
    driver.FuncLoad = reinterpret_cast<Status (*)(Handle)>(dlsym(library, "cuFuncLoad"));
    if (error)
      return;
    if (Status status = driver.Init(0))
      error = status == kNoDevice ? makeError(ErrorCode::NotFound, "the CUDA driver sees no GPU on this machine; run "
                                                                   "on the CPU (--device=cpu)")
                                  : driver.failed(status, "the CUDA driver could not start");
  }
};

} // namespace

Result<const Driver *> Driver::find() {
  static const Found found;
  if (found.error)
    return *found.error;
  return &found.driver;
}

std::string Driver::reason(Status status) const {
  const char *name = nullptr, *text = nullptr;
  if (GetErrorName(status, &name) != 0 || !name)
    return "CUDA error " + std::to_string(status);
  GetErrorString(status, &text);
  return std::string(name) + (text ? std::string(": ") + text : std::string());
}

Error Driver::failed(Status status, const std::string &what) const {
  // A kernel that went wrong (an illegal address or instruction, a timeout): the driver fails all later calls alike.
  constexpr Status kIllegalAddress = 700, kLaunchTimeout = 702, kStackError = 714, kLaunchFailed = 719;
  if (status == kIllegalAddress || status == kLaunchTimeout || (status >= kStackError && status <= kLaunchFailed))
    return makeError(ErrorCode::Internal, "%s (%s); this process can use the GPU no more, start it again", what.c_str(),
                     reason(status).c_str());
  return makeError(status == kOutOfMemory ? ErrorCode::ResourceExhausted : ErrorCode::Unsupported, "%s (%s)",
                   what.c_str(), reason(status).c_str());
}

} // namespace ingot::runtime::cuda
