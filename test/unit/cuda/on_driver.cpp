// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests of kernels through the CUDA driver (INGOT_LIBCUDA or the machine's). Their images lie in the folder
// $INGOT_KERNEL_IMAGES: NAME.cubin, or NAME.simulated where the device is the simulated one (compute capability 0.0).
#include "runtime/device/cuda/driver.h"
#include "test/unit/cuda/kernel_device.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace ingot::test::device {

namespace {

namespace cuda = runtime::cuda;

[[noreturn]] void giveUp(const std::string &why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(3);
}

class Gpu {
public:
  static Gpu &get() {
    static Gpu only;
    return only;
  }
  const cuda::Driver *driver = nullptr;
  cuda::Handle stream = nullptr;

  void need(cuda::Status status, const std::string &what) const {
    if (status)
      giveUp(what + ": " + driver->reason(status));
  }

  cuda::Handle function(const std::string &name, uint32_t sharedBytes) {
    auto [at, fresh] = functions.try_emplace(name, nullptr);
    for (size_t i = 0; fresh && !at->second && i < modules.size(); ++i)
      if (driver->ModuleGetFunction(&at->second, modules[i], name.c_str()))
        at->second = nullptr;
    if (at->second && sharedBytes > 48 * 1024)
      need(driver->FuncSetAttribute(at->second, 8, int(sharedBytes)), "shared memory of " + name);
    return at->second;
  }

private:
  Gpu() {
    auto found = cuda::Driver::find();
    if (!found)
      giveUp(found.error().message());
    driver = *found;
    cuda::Handle context = nullptr;
    int number = 0, major = 0, minor = 0;
    need(driver->DeviceGet(&number, 0), "there is no GPU");
    need(driver->DeviceGetAttribute(&major, 75, number), "the GPU's compute capability");
    need(driver->DeviceGetAttribute(&minor, 76, number), "the GPU's compute capability");
    need(driver->DevicePrimaryCtxRetain(&context, number), "the GPU cannot be used");
    need(driver->CtxSetCurrent(context), "the GPU cannot be used");
    need(driver->StreamCreate(&stream, 1), "the GPU has no stream");
    const char *folder = std::getenv("INGOT_KERNEL_IMAGES");
    if (!folder)
      giveUp("INGOT_KERNEL_IMAGES names no folder of images");
    const std::string ending = major == 0 ? ".simulated" : ".cubin";
    std::vector<std::filesystem::path> paths;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ending)
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const std::filesystem::path &path : paths) {
      std::ifstream file(path, std::ios::binary);
      std::string image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      cuda::Handle module = nullptr;
      need(driver->ModuleLoadDataEx(&module, image.c_str(), 0, nullptr, nullptr), path.string() + " cannot be loaded");
      modules.push_back(module);
    }
    if (modules.empty())
      giveUp(std::string(folder) + " has no images *" + ending + " for this device");
  }
  std::vector<cuda::Handle> modules;
  std::map<std::string, cuda::Handle> functions;
};

} // namespace

void *allocate(size_t bytes, const std::string &name) {
  Gpu &gpu = Gpu::get();
  cuda::Address at = 0;
  gpu.need(gpu.driver->MemAlloc(&at, std::max<size_t>(bytes, 1)), "no memory for " + name);
  gpu.need(gpu.driver->MemsetD8Async(at, 0xcb, bytes, gpu.stream), "filling " + name); // as the simulator does
  return reinterpret_cast<void *>(at);
}
void release(void *memory) { Gpu::get().driver->MemFree(reinterpret_cast<cuda::Address>(memory)); }

void copyTo(void *device, const void *host, size_t bytes) {
  Gpu &gpu = Gpu::get();
  if (bytes == 0)
    return;
  gpu.need(gpu.driver->MemcpyHtoDAsync(reinterpret_cast<cuda::Address>(device), host, bytes, gpu.stream), "a copy");
  gpu.need(gpu.driver->StreamSynchronize(gpu.stream), "a copy to the GPU");
}
void copyFrom(void *host, const void *device, size_t bytes) {
  Gpu &gpu = Gpu::get();
  if (bytes == 0)
    return;
  gpu.need(gpu.driver->MemcpyDtoHAsync(host, reinterpret_cast<cuda::Address>(device), bytes, gpu.stream), "a copy");
  gpu.need(gpu.driver->StreamSynchronize(gpu.stream), "a copy from the GPU");
}

std::vector<std::string> launch(const CudaKernel &kernel, const Launch &launch, const ingot_cuda_args &args, uint64_t) {
  Gpu &gpu = Gpu::get();
  cuda::Handle function = gpu.function(kernel.name, launch.sharedBytes);
  if (!function)
    return {"no image has a kernel " + kernel.name};
  cuda::LaunchConfig config{};
  for (int i = 0; i < 3; ++i)
    config.grid[i] = launch.grid[i];
  config.block[0] = launch.threads;
  config.block[1] = config.block[2] = 1;
  config.sharedBytes = launch.sharedBytes;
  config.stream = gpu.stream;
  void *parameters[] = {const_cast<ingot_cuda_args *>(&args)};
  if (cuda::Status status = gpu.driver->LaunchKernelEx(&config, function, parameters, nullptr))
    return {launch.name + " could not be launched: " + gpu.driver->reason(status)};
  // After such an error the driver refuses everything else: the tests that are left tell nothing.
  if (cuda::Status status = gpu.driver->StreamSynchronize(gpu.stream))
    giveUp(launch.name + " failed: " + gpu.driver->reason(status));
  return {};
}

bool simulated() { return false; }

} // namespace ingot::test::device
