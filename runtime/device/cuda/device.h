// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GPU as the executor uses it: its facts, memory, one stream, and modules of kernels. Knows nothing of plans or engines.
#ifndef INGOT_RUNTIME_DEVICE_CUDA_DEVICE_H
#define INGOT_RUNTIME_DEVICE_CUDA_DEVICE_H

#include "runtime/device/cuda/driver.h"

#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace ingot::runtime::cuda {

struct DeviceFacts {
  unsigned index = 0;
  std::string name;              // "NVIDIA H200"
  unsigned capability = 0;       // 10 * major + minor
  unsigned driver = 0;           // as cuDriverGetVersion tells it: 13000 is 13.0
  unsigned multiprocessors = 0;
  unsigned sharedBytes = 0;      // dynamic shared memory that a block may ask for
  uint64_t freeBytes = 0, totalBytes = 0; // of device memory, when the device was opened
};

// "13.0" of 13000.
std::string versionName(unsigned version);
// "9.0" of 90.
std::string capabilityName(unsigned capability);

class Device;

// Device memory; frees itself. 256-byte aligned.
class Memory {
public:
  Memory() = default;
  Memory(Memory &&other) noexcept : device(other.device), at(other.at), length(other.length) { other.at = 0; }
  Memory &operator=(Memory &&other) noexcept;
  ~Memory();
  Address address() const { return at; }
  uint64_t size() const { return length; }

private:
  friend class Device;
  Memory(const Device *device, Address at, uint64_t length) : device(device), at(at), length(length) {}
  const Device *device = nullptr;
  Address at = 0;
  uint64_t length = 0;
};

// Page-locked memory of the host.
class HostMemory {
public:
  HostMemory() = default;
  HostMemory(HostMemory &&other) noexcept : device(other.device), bytes(other.bytes) { other.bytes = {}; }
  HostMemory &operator=(HostMemory &&other) noexcept;
  ~HostMemory();
  uint8_t *data() const { return bytes.data(); }
  uint64_t size() const { return bytes.size(); }

private:
  friend class Device;
  HostMemory(const Device *device, std::span<uint8_t> bytes) : device(device), bytes(bytes) {}
  const Device *device = nullptr;
  std::span<uint8_t> bytes;
};

// While it lives, a device's context is that of the thread.
class Current {
public:
  Current(Current &&other) noexcept : driver(std::exchange(other.driver, nullptr)), before(other.before) {}
  Current &operator=(Current &&) = delete;
  ~Current() {
    if (driver)
      driver->CtxSetCurrent(before);
  }

private:
  friend class Device;
  Current(const Driver *driver, Handle before) : driver(driver), before(before) {}
  const Driver *driver;
  Handle before;
};

// Not thread-safe: one thread at a time.
class Device {
public:
  // NotFound where the machine has no driver or no GPU of this number.
  static Result<std::unique_ptr<Device>> open(unsigned index);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const DeviceFacts &facts() const { return known; }
  const Driver &driver() const { return *api; }
  Handle stream() const { return queue; }
  // Makes the device's context that of the calling thread, until the result is destroyed: then it is again what it was
  // before, which may be another library's. Every entry point of the executor begins with it.
  Result<Current> use() const;

  // `what` names the memory in the error: "the KV cache".
  Result<Memory> allocate(uint64_t bytes, const std::string &what, bool zero = false) const;
  Result<HostMemory> allocateHost(uint64_t bytes, const std::string &what) const;
  Result<void> upload(Address to, const void *from, uint64_t bytes) const;   // `from` must stay until synchronize
  Result<void> download(void *to, Address from, uint64_t bytes) const;       // there after synchronize
  Result<void> synchronize(const std::string &what) const;

  // Loads an image of kernels. `what` names it in errors.
  Result<void> loadModule(const void *image, const std::string &what);
  // A function of the module, ready for so much dynamic shared memory.
  Result<Handle> function(const std::string &name, unsigned sharedBytes) const;

private:
  Device() = default;
  const Driver *api = nullptr;
  DeviceFacts known;
  int number = 0;
  Handle context = nullptr, queue = nullptr, module = nullptr;
};

} // namespace ingot::runtime::cuda

#endif
