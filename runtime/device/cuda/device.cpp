// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See device.h.
#include "runtime/device/cuda/device.h"

#include "runtime/core/memory.h"

namespace ingot::runtime::cuda {

namespace {

// CUdevice_attribute, CUfunction_attribute and CUjit_option, by number.
enum { kMultiprocessors = 16, kCapabilityMajor = 75, kCapabilityMinor = 76, kMostShared = 97 };
enum { kFunctionShared = 8 };
enum { kJitErrorLog = 5, kJitErrorLogBytes = 6 };
enum { kNonBlocking = 1 };

} // namespace

std::string versionName(unsigned version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string capabilityName(unsigned capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

Memory &Memory::operator=(Memory &&other) noexcept {
  if (this != &other) {
    this->~Memory();
    device = other.device, at = other.at, length = other.length;
    other.at = 0;
  }
  return *this;
}

Memory::~Memory() {
  if (at)
    device->driver().MemFree(at);
  at = 0;
}

HostMemory &HostMemory::operator=(HostMemory &&other) noexcept {
  if (this != &other) {
    this->~HostMemory();
    device = other.device, bytes = other.bytes;
    other.bytes = {};
  }
  return *this;
}

HostMemory::~HostMemory() {
  if (bytes.data())
    device->driver().MemFreeHost(bytes.data());
  bytes = {};
}

Result<std::unique_ptr<Device>> Device::open(unsigned index) {
  std::unique_ptr<Device> device(new Device);
  INGOT_ASSIGN_OR_RETURN(device->api, Driver::find());
  const Driver &api = *device->api;
  auto check = [&](Status status, const char *what) -> Result<void> {
    if (status)
      return api.failed(status, "GPU " + std::to_string(index) + ": " + what);
    return {};
  };
  int count = 0, version = 0;
  INGOT_RETURN_IF_ERROR(check(api.DeviceGetCount(&count), "the driver does not count its GPUs"));
  if (int(index) >= count)
    return makeError(ErrorCode::NotFound, "there is no GPU %u (cuda:%u): this machine has %d, numbered from 0", index,
                     index, count);
  INGOT_RETURN_IF_ERROR(check(api.DeviceGet(&device->number, int(index)), "the driver does not give it"));
  INGOT_RETURN_IF_ERROR(check(api.DriverGetVersion(&version), "the driver does not tell its version"));
  DeviceFacts &facts = device->known;
  facts.index = index;
  facts.driver = unsigned(version);
  char name[256] = {};
  INGOT_RETURN_IF_ERROR(check(api.DeviceGetName(name, sizeof(name) - 1, device->number), "it has no name"));
  facts.name = name;
  auto attribute = [&](int which, int &value) {
    return check(api.DeviceGetAttribute(&value, which, device->number), "the driver does not tell its properties");
  };
  int major = 0, minor = 0, multiprocessors = 0, shared = 0;
  INGOT_RETURN_IF_ERROR(attribute(kCapabilityMajor, major));
  INGOT_RETURN_IF_ERROR(attribute(kCapabilityMinor, minor));
  INGOT_RETURN_IF_ERROR(attribute(kMultiprocessors, multiprocessors));
  INGOT_RETURN_IF_ERROR(attribute(kMostShared, shared));
  facts.capability = unsigned(major * 10 + minor);
  facts.multiprocessors = unsigned(multiprocessors);
  facts.sharedBytes = unsigned(shared);
  INGOT_RETURN_IF_ERROR(check(api.DevicePrimaryCtxRetain(&device->context, device->number), "it cannot be used"));
  INGOT_ASSIGN_OR_RETURN(const Current current, device->use());
  size_t free = 0, total = 0;
  INGOT_RETURN_IF_ERROR(check(api.MemGetInfo(&free, &total), "the driver does not tell its memory"));
  facts.freeBytes = free;
  facts.totalBytes = total;
  INGOT_RETURN_IF_ERROR(check(api.StreamCreate(&device->queue, kNonBlocking), "no stream can be made"));
  return std::move(device);
}

Device::~Device() {
  if (!context)
    return;
  {
    Result<Current> current = use();
    if (queue)
      api->StreamDestroy(queue);
    if (module)
      api->ModuleUnload(module);
  }
  api->DevicePrimaryCtxRelease(number);
}

Result<Current> Device::use() const {
  Handle before = nullptr;
  Status status = api->CtxGetCurrent(&before);
  if (status == 0 && before != context)
    status = api->CtxSetCurrent(context);
  if (status)
    return api->failed(status, "GPU " + std::to_string(known.index) + ": its context cannot be used");
  return Current(before != context ? api : nullptr, before);
}

Result<Memory> Device::allocate(uint64_t bytes, const std::string &what, bool zero) const {
  if (bytes == 0)
    return Memory();
  Address at = 0;
  if (Status status = api->MemAlloc(&at, bytes)) {
    size_t free = 0, total = 0;
    api->MemGetInfo(&free, &total);
    return api->failed(status, "GPU " + std::to_string(known.index) + " has no room for " + humanBytes(bytes) + " of " +
                                   what + ": " + humanBytes(free) + " of " + humanBytes(total) + " are free");
  }
  Memory memory(this, at, bytes);
  if (zero)
    if (Status status = api->MemsetD8Async(at, 0, bytes, queue))
      return api->failed(status, what + " cannot be cleared");
  return std::move(memory);
}

Result<HostMemory> Device::allocateHost(uint64_t bytes, const std::string &what) const {
  if (bytes == 0)
    return HostMemory();
  void *at = nullptr;
  if (Status status = api->MemHostAlloc(&at, bytes, 0))
    return api->failed(status, "no " + humanBytes(bytes) + " of page-locked memory for " + what);
  return HostMemory(this, {static_cast<uint8_t *>(at), bytes});
}

Result<void> Device::upload(Address to, const void *from, uint64_t bytes) const {
  if (bytes)
    if (Status status = api->MemcpyHtoDAsync(to, from, bytes, queue))
      return api->failed(status, "a copy to GPU " + std::to_string(known.index) + " failed");
  return {};
}

Result<void> Device::download(void *to, Address from, uint64_t bytes) const {
  if (bytes)
    if (Status status = api->MemcpyDtoHAsync(to, from, bytes, queue))
      return api->failed(status, "a copy from GPU " + std::to_string(known.index) + " failed");
  return {};
}

Result<void> Device::synchronize(const std::string &what) const {
  if (Status status = api->StreamSynchronize(queue))
    return api->failed(status, what + " failed on GPU " + std::to_string(known.index));
  return {};
}

Result<void> Device::loadModule(const void *image, const std::string &what) {
  char log[4096] = {};
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  void *values[] = {log, reinterpret_cast<void *>(uintptr_t(sizeof(log) - 1))};
  if (Status status = api->ModuleLoadDataEx(&module, image, 2, options, values)) {
    Error error = api->failed(status, what + " cannot be loaded by the driver (CUDA " + versionName(known.driver) +
                                          ") of GPU " + std::to_string(known.index) + ", " + known.name);
    return Error(error.code(), error.message() + (log[0] ? "\n" + std::string(log) : std::string()));
  }
  return {};
}

Result<Handle> Device::function(const std::string &name, unsigned sharedBytes) const {
  Handle found = nullptr;
  if (Status status = api->ModuleGetFunction(&found, module, name.c_str()))
    return api->failed(status, "the image of kernels has no function " + name);
  // A driver that loads functions when they are first launched may not do so while a graph is recorded.
  if (api->FuncLoad)
    if (Status status = api->FuncLoad(found))
      return api->failed(status, "kernel " + name + " cannot be loaded");
  if (sharedBytes > known.sharedBytes)
    return makeError(ErrorCode::Unsupported, "kernel %s needs %u bytes of shared memory, GPU %u (%s) has %u a block",
                     name.c_str(), sharedBytes, known.index, known.name.c_str(), known.sharedBytes);
  if (sharedBytes > 48 * 1024)
    if (Status status = api->FuncSetAttribute(found, kFunctionShared, int(sharedBytes)))
      return api->failed(status, "kernel " + name + " cannot have its shared memory");
  return found;
}

} // namespace ingot::runtime::cuda
