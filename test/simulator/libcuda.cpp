// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver API over the simulated device, so that the runtime runs whole engines on it: INGOT_LIBCUDA names this
// library. Its one GPU has compute capability 0.0, which fits the variant "simulated" of an engine: the program's
// source. That is compiled for the host when the module is loaded, and kept by its hash in INGOT_SIMULATOR_CACHE.
//
// What is put on the stream is done as late as allowed: when something waits for it. So a host that takes results too
// early, or overwrites what a copy has yet to read, is found by its results. A failure is told by the call that waits,
// and by all calls after it, as the driver does.
//
// INGOT_SIMULATOR_CAPABILITY=90 makes it a GPU of that compute capability, which takes cubins and PTX as far as that goes without
// one: their functions are found, but a launch of one fails. INGOT_SIMULATOR_MEMORY=N gives it N MiB of memory.
//
// A launch may begin early (programmatic serialization) only where its code waits for the one before: cubins are taken to.
// INGOT_SIMULATOR_WITHOUT_GRAPHS=1 makes it a driver that cannot record launches.
//
// INGOT_SIMULATOR_SEED chooses the order of threads. What a launch is found to do wrong is told on standard error, and
// the launch fails.
#include "runtime/device/cuda/driver.h"
#include "test/simulator/images.h"
#include "test/simulator/simulator.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unistd.h>
#include <vector>

namespace sim = ingot::simulator;
using ingot::runtime::cuda::Address;
using ingot::runtime::cuda::Handle;
using ingot::runtime::cuda::LaunchConfig;
using ingot::runtime::cuda::Status;

namespace {

constexpr Status kInvalidValue = 1, kOutOfMemory = 2, kInvalidImage = 200, kNotFound = 500, kNotReady = 600,
                 kNoBinary = 209, kIllegalAddress = 700, kNotSupported = 801;

size_t memoryBytes() {
  static const size_t bytes = [] {
    const char *text = std::getenv("INGOT_SIMULATOR_MEMORY");
    return text ? size_t(std::strtoull(text, nullptr, 10)) << 20 : size_t(64) << 30;
  }();
  return bytes;
}

struct Function {
  sim::Kernel kernel;
  std::string name;
  bool waits; // for the launch before it, by itself
};
struct Module {
  void *library;              // null: of a cubin or PTX, with these names
  bool waits;
  std::set<std::string> names;
  std::map<std::string, std::unique_ptr<Function>> functions;
};
struct Recorded {
  LaunchConfig config;
  Function *function;
  ingot_cuda_args args;
};
using Graph = std::vector<Recorded>;
struct Event {
  uint64_t place = 0; // operations of the stream that come before it
  std::shared_ptr<std::chrono::steady_clock::time_point> when;
};

Graph *capturing = nullptr;
Handle current = nullptr; // context
std::deque<std::function<Status()>> stream; // what is still to be done
uint64_t given = 0, done = 0;               // operations
Status failure = 0;
size_t allocated = 0;
std::map<Address, size_t> sizes;

uint64_t seed() {
  const char *text = std::getenv("INGOT_SIMULATOR_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 0;
}

// 10 * major + minor.
int capability() {
  const char *text = std::getenv("INGOT_SIMULATOR_CAPABILITY");
  return text ? std::atoi(text) : 0;
}

Status run(const Recorded &one) {
  if (!one.function->kernel) {
    std::fprintf(stderr, "simulated device: %s is code for a GPU, and there is none\n", one.function->name.c_str());
    return kNoBinary;
  }
  sim::Launch launch;
  launch.name = one.function->name;
  std::memcpy(launch.grid, one.config.grid, sizeof(launch.grid));
  launch.threads = one.config.block[0];
  launch.sharedBytes = one.config.sharedBytes;
  for (uint64_t blocks : {uint64_t(one.config.grid[0]) * one.config.grid[1] * one.config.grid[2]})
    if (blocks == 0 || one.config.block[1] != 1 || one.config.block[2] != 1)
      return kInvalidValue;
  std::vector<std::string> findings = sim::launch(one.function->kernel, launch, one.args, seed());
  for (const std::string &finding : findings)
    std::fprintf(stderr, "simulated device: %s\n", finding.c_str());
  return findings.empty() ? 0 : kIllegalAddress;
}

Status put(std::function<Status()> operation) {
  if (failure)
    return failure;
  stream.push_back(std::move(operation));
  ++given;
  return 0;
}

// Does what comes before `place`.
Status catchUp(uint64_t place) {
  for (; done < place && !failure; ++done) {
    failure = stream.front()();
    stream.pop_front();
  }
  return failure;
}

// Compiles the source to a library of the host, or finds it.
std::string compile(const std::string &source) {
  namespace fs = std::filesystem;
  const char *cache = std::getenv("INGOT_SIMULATOR_CACHE");
  const fs::path folder = cache && *cache ? fs::path(cache) : fs::temp_directory_path() / "ingot-simulator";
  std::error_code error;
  fs::create_directories(folder, error);
  char name[40];
  std::snprintf(name, sizeof(name), "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(source.data(), source.size())));
  const fs::path library = folder / (std::string(name) + ".so");
  if (fs::exists(library, error))
    return library;
  Dl_info self{};
  dladdr(reinterpret_cast<void *>(&run), &self);
  const std::string own = std::string(name) + "." + std::to_string(getpid());
  const fs::path text = folder / (own + ".cpp"), made = folder / (own + ".so");
  std::ofstream(text) << source;
  const std::string command = std::string(INGOT_SIMULATOR_COMPILER) + " " + INGOT_SIMULATOR_FLAGS + " -shared -o '" +
                              made.string() + "' '" + text.string() + "' '" + self.dli_fname + "' >&2";
  if (std::system(command.c_str()) != 0) {
    std::fprintf(stderr, "simulated device: the program does not compile for the host: %s\n", text.c_str());
    return "";
  }
  fs::rename(made, library, error);
  fs::remove(text, error);
  return library;
}

} // namespace

#define INGOT_CUDA extern "C" __attribute__((visibility("default"))) Status

INGOT_CUDA cuInit(unsigned) { return 0; }
INGOT_CUDA cuDriverGetVersion(int *version) {
  *version = 13000;
  return 0;
}
INGOT_CUDA cuGetErrorName(Status status, const char **name) {
  *name = status == 0                 ? "CUDA_SUCCESS"
          : status == kOutOfMemory    ? "CUDA_ERROR_OUT_OF_MEMORY"
          : status == kInvalidImage   ? "CUDA_ERROR_INVALID_IMAGE"
          : status == kNotFound       ? "CUDA_ERROR_NOT_FOUND"
          : status == kNotReady       ? "CUDA_ERROR_NOT_READY"
          : status == kNoBinary       ? "CUDA_ERROR_NO_BINARY_FOR_GPU"
          : status == kIllegalAddress ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                                      : "CUDA_ERROR_INVALID_VALUE";
  return 0;
}
INGOT_CUDA cuGetErrorString(Status, const char **text) {
  *text = "found by the simulated device";
  return 0;
}
INGOT_CUDA cuDeviceGetCount(int *count) {
  *count = 1;
  return 0;
}
INGOT_CUDA cuDeviceGet(int *device, int index) {
  *device = index;
  return index == 0 ? 0 : kInvalidValue;
}
INGOT_CUDA cuDeviceGetName(char *name, int bytes, int) {
  std::snprintf(name, size_t(bytes), "simulated CUDA device");
  return 0;
}
INGOT_CUDA cuDeviceGetAttribute(int *value, int attribute, int) {
  *value = attribute == 16   ? 4
           : attribute == 97 ? 99 << 10
           : attribute == 75 ? capability() / 10
           : attribute == 76 ? capability() % 10
                             : 0;
  return 0;
}
INGOT_CUDA cuDevicePrimaryCtxRetain(Handle *context, int) {
  static int only;
  *context = &only;
  return 0;
}
INGOT_CUDA cuDevicePrimaryCtxRelease_v2(int) { return 0; }
INGOT_CUDA cuCtxGetCurrent(Handle *context) {
  *context = current;
  return 0;
}
INGOT_CUDA cuCtxSetCurrent(Handle context) {
  current = context;
  return 0;
}
INGOT_CUDA cuModuleLoadDataEx(Handle *module, const void *image, unsigned, int *, void **) {
  const sim::ImageKind kind = sim::kindOf(image);
  if (kind != sim::ImageKind::source) {
    const bool waits = kind == sim::ImageKind::cubin || std::strstr(static_cast<const char *>(image), "griddepcontrol.wait");
    *module = new Module{nullptr, waits, sim::functionsOf(image, kind), {}};
    return 0;
  }
  const std::string path = compile(static_cast<const char *>(image));
  void *library = path.empty() ? nullptr : dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    if (!path.empty())
      std::fprintf(stderr, "simulated device: %s\n", dlerror());
    return kInvalidImage;
  }
  *module = new Module{library, false, {}, {}};
  return 0;
}
INGOT_CUDA cuModuleUnload(Handle module) {
  delete static_cast<Module *>(module);
  return 0;
}
INGOT_CUDA cuModuleGetFunction(Handle *function, Handle handle, const char *name) {
  Module &module = *static_cast<Module *>(handle);
  std::unique_ptr<Function> &found = module.functions[name];
  if (!found) {
    void *symbol = module.library ? dlsym(module.library, name) : nullptr;
    if (!symbol && !module.names.contains(name))
      return kNotFound;
    found = std::make_unique<Function>(Function{reinterpret_cast<sim::Kernel>(symbol), name, module.waits});
  }
  *function = found.get();
  return 0;
}
INGOT_CUDA cuFuncSetAttribute(Handle, int, int) { return 0; }
INGOT_CUDA cuMemGetInfo_v2(size_t *free, size_t *total) {
  *total = memoryBytes();
  *free = memoryBytes() - allocated;
  return 0;
}
INGOT_CUDA cuMemAlloc_v2(Address *address, size_t bytes) {
  if (bytes > memoryBytes() - allocated)
    return kOutOfMemory;
  void *at = sim::allocate(bytes, "an allocation of " + std::to_string(bytes) + " bytes");
  if (!at)
    return kOutOfMemory;
  allocated += bytes;
  *address = reinterpret_cast<Address>(at);
  sizes[*address] = bytes;
  return 0;
}
INGOT_CUDA cuMemFree_v2(Address address) {
  catchUp(given);
  allocated -= sizes[address];
  sizes.erase(address);
  sim::release(reinterpret_cast<void *>(address));
  return 0;
}
INGOT_CUDA cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  *memory = std::malloc(bytes);
  return *memory ? 0 : kOutOfMemory;
}
INGOT_CUDA cuMemFreeHost(void *memory) {
  catchUp(given);
  std::free(memory);
  return 0;
}
INGOT_CUDA cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, Handle) {
  return put([=] {
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
    return 0;
  });
}
INGOT_CUDA cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, Handle) {
  return put([=] {
    std::memcpy(to, reinterpret_cast<void *>(from), bytes);
    return 0;
  });
}
INGOT_CUDA cuMemsetD8Async(Address to, unsigned char value, size_t bytes, Handle) {
  return put([=] {
    std::memset(reinterpret_cast<void *>(to), value, bytes);
    return 0;
  });
}
INGOT_CUDA cuStreamCreate(Handle *stream, unsigned) {
  static int only;
  *stream = &only;
  return 0;
}
INGOT_CUDA cuStreamDestroy_v2(Handle) { return 0; }
INGOT_CUDA cuStreamSynchronize(Handle) { return catchUp(given); }
INGOT_CUDA cuStreamBeginCapture_v2(Handle, int) {
  if (std::getenv("INGOT_SIMULATOR_WITHOUT_GRAPHS"))
    return kNotSupported;
  capturing = new Graph;
  return 0;
}
INGOT_CUDA cuStreamEndCapture(Handle, Handle *graph) {
  *graph = capturing;
  capturing = nullptr;
  return 0;
}
INGOT_CUDA cuGraphInstantiateWithFlags(Handle *executable, Handle graph, unsigned long long) {
  *executable = new Graph(*static_cast<Graph *>(graph));
  return 0;
}
INGOT_CUDA cuGraphLaunch(Handle graph, Handle) {
  return put([launches = *static_cast<Graph *>(graph)]() -> Status {
    for (const Recorded &one : launches)
      if (Status status = run(one))
        return status;
    return 0;
  });
}
INGOT_CUDA cuGraphExecDestroy(Handle graph) {
  delete static_cast<Graph *>(graph);
  return 0;
}
INGOT_CUDA cuGraphDestroy(Handle graph) {
  delete static_cast<Graph *>(graph);
  return 0;
}
INGOT_CUDA cuEventCreate(Handle *event, unsigned) {
  *event = new Event;
  return 0;
}
INGOT_CUDA cuEventDestroy_v2(Handle event) {
  delete static_cast<Event *>(event);
  return 0;
}
INGOT_CUDA cuEventRecord(Handle handle, Handle) {
  Event &event = *static_cast<Event *>(handle);
  event.when = std::make_shared<std::chrono::steady_clock::time_point>();
  const Status status = put([when = event.when] {
    *when = std::chrono::steady_clock::now();
    return 0;
  });
  event.place = given;
  return status;
}
INGOT_CUDA cuEventSynchronize(Handle event) { return catchUp(static_cast<Event *>(event)->place); }
INGOT_CUDA cuEventElapsedTime(float *milliseconds, Handle from, Handle to) {
  const Event &first = *static_cast<Event *>(from), &last = *static_cast<Event *>(to);
  if (!first.when || !last.when || std::max(first.place, last.place) > done)
    return kNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(*last.when - *first.when).count();
  return 0;
}
INGOT_CUDA cuLaunchKernelEx(const LaunchConfig *config, Handle function, void **parameters, void **) {
  Recorded one{*config, static_cast<Function *>(function), {}};
  std::memcpy(&one.args, parameters[0], sizeof(one.args));
  for (unsigned i = 0; i < config->attributeCount; ++i)
    if (config->attributes[i].id == ingot::runtime::cuda::kProgrammaticSerialization && config->attributes[i].value[0] &&
        !one.function->waits) {
      std::fprintf(stderr, "simulated device: %s does not wait for the launch before it, and may not begin early\n",
                   one.function->name.c_str());
      return kInvalidValue;
    }
  if (capturing) {
    capturing->push_back(one);
    return 0;
  }
  return put([one] { return run(one); });
}
