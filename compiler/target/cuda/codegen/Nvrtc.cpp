// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVRTC by dlopen, from the first place that has it: INGOT_NVRTC, the loader's own path, CUDA's folder, and the packages of
// Python environments. Its few functions are declared here as its documentation gives them, so that no toolkit header is
// needed to build Ingot.
#include "compiler/target/cuda/codegen/Internal.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <glob.h>

namespace ingot::target::cuda {

class Nvrtc {
public:
  using Program = void *;
  void *library = nullptr;
  int major = 0, minor = 0;
  const char *(*errorString)(int) = nullptr;
  int (*version)(int *, int *) = nullptr;
  int (*createProgram)(Program *, const char *source, const char *name, int headers, const char *const *headerTexts,
                       const char *const *headerNames) = nullptr;
  int (*destroyProgram)(Program *) = nullptr;
  int (*compileProgram)(Program, int count, const char *const *options) = nullptr;
  int (*getPtxSize)(Program, size_t *) = nullptr;
  int (*getPtx)(Program, char *) = nullptr;
  int (*getCubinSize)(Program, size_t *) = nullptr;
  int (*getCubin)(Program, char *) = nullptr;
  int (*getLogSize)(Program, size_t *) = nullptr;
  int (*getLog)(Program, char *) = nullptr;
};

namespace {

constexpr int kOldest = 12080; // what the kernels and architectures need

// Newest first within each place.
std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  const char *named = std::getenv("INGOT_NVRTC");
  if (named && *named)
    return {named};
  const std::vector<std::string> names = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};
  paths = names; // wherever the loader looks
  std::vector<std::string> folders;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char *folder = std::getenv(variable); folder && *folder)
      folders.push_back(std::string(folder) + "/lib64");
  folders.push_back("/usr/local/cuda/lib64");
  std::vector<std::string> python;
  if (const char *environment = std::getenv("VIRTUAL_ENV"); environment && *environment)
    python.push_back(std::string(environment) + "/lib/python3*/site-packages");
  if (const char *home = std::getenv("HOME"); home && *home)
    python.push_back(std::string(home) + "/.local/lib/python3*/site-packages");
  for (const char *system : {"/usr/local/lib/python3*/dist-packages", "/usr/local/lib/python3*/site-packages",
                             "/usr/lib/python3/dist-packages"})
    python.push_back(system);
  for (const std::string &packages : python)
    for (const char *inside : {"/nvidia/cu13/lib", "/nvidia/cuda_nvrtc/lib"}) {
      glob_t found;
      if (glob((packages + inside).c_str(), 0, nullptr, &found) == 0)
        for (size_t i = found.gl_pathc; i-- > 0;)
          folders.push_back(found.gl_pathv[i]);
      globfree(&found);
    }
  for (const std::string &folder : folders)
    for (const std::string &name : names)
      paths.push_back(folder + "/" + name);
  return paths;
}

bool bind(Nvrtc &nvrtc, std::string &why) {
  auto get = [&](auto &function, const char *name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(nvrtc.library, name));
    if (!function)
      why = std::string("it has no ") + name;
    return function != nullptr;
  };
  if (!get(nvrtc.errorString, "nvrtcGetErrorString") || !get(nvrtc.version, "nvrtcVersion") ||
      !get(nvrtc.createProgram, "nvrtcCreateProgram") || !get(nvrtc.destroyProgram, "nvrtcDestroyProgram") ||
      !get(nvrtc.compileProgram, "nvrtcCompileProgram") || !get(nvrtc.getPtxSize, "nvrtcGetPTXSize") ||
      !get(nvrtc.getPtx, "nvrtcGetPTX") || !get(nvrtc.getCubinSize, "nvrtcGetCUBINSize") ||
      !get(nvrtc.getCubin, "nvrtcGetCUBIN") || !get(nvrtc.getLogSize, "nvrtcGetProgramLogSize") ||
      !get(nvrtc.getLog, "nvrtcGetProgramLog"))
    return false;
  if (nvrtc.version(&nvrtc.major, &nvrtc.minor) != 0) {
    why = "it does not tell its version";
    return false;
  }
  if (int(versionOf(nvrtc)) < kOldest) {
    why = "it is of CUDA " + std::to_string(nvrtc.major) + "." + std::to_string(nvrtc.minor) +
          ", 12.8 or newer is needed";
    return false;
  }
  return true;
}

struct Found {
  Nvrtc nvrtc;
  bool good = false;
  std::string error;

  Found() {
    std::string refused;
    for (const std::string &path : candidates()) {
      nvrtc.library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (!nvrtc.library) {
        if (std::getenv("INGOT_NVRTC"))
          refused += "\n  INGOT_NVRTC: " + std::string(dlerror());
        continue;
      }
      std::string why;
      if (bind(nvrtc, why)) {
        good = true;
        return;
      }
      refused += "\n  " + path + ": " + why;
      dlclose(nvrtc.library);
    }
    error = "CUDA kernels are compiled by NVRTC 12.8 or newer, which was not found. It is in the Python package "
            "nvidia-cuda-nvrtc (pip install nvidia-cuda-nvrtc) and in NVIDIA's Debian package cuda-nvrtc-13-0; no GPU or "
            "driver is needed. Elsewhere: set INGOT_NVRTC to the path of libnvrtc.so" +
            refused;
  }
};

} // namespace

const Nvrtc *findNvrtc(std::string &error) {
  static const Found found;
  if (!found.good)
    error = found.error;
  return found.good ? &found.nvrtc : nullptr;
}

uint32_t versionOf(const Nvrtc &nvrtc) { return uint32_t(nvrtc.major * 1000 + nvrtc.minor * 10); }

bool compileWith(const Nvrtc &nvrtc, const std::string &source, const std::string &architecture,
                 std::vector<uint8_t> &image, std::string &log) {
  // All that the program includes from outside.
  static const char *const headerTexts[] = {
      "typedef signed char int8_t;\ntypedef short int16_t;\ntypedef int int32_t;\ntypedef long long int64_t;\n"
      "typedef unsigned char uint8_t;\ntypedef unsigned short uint16_t;\ntypedef unsigned int uint32_t;\n"
      "typedef unsigned long long uint64_t;\ntypedef unsigned long uintptr_t;\n"};
  static const char *const headerNames[] = {"stdint.h"};
  Nvrtc::Program program = nullptr;
  int status = nvrtc.createProgram(&program, source.c_str(), "ingot.cu", 1, headerTexts, headerNames);
  if (status != 0) {
    log = std::string("NVRTC: ") + nvrtc.errorString(status);
    return false;
  }
  const bool ptx = architecture.starts_with("compute_");
  const std::string target = "--gpu-architecture=" + architecture;
  std::vector<const char *> options = {target.c_str(), "--std=c++20", "--fmad=false", "--extra-device-vectorization",
                                       "--diag-suppress=177"}; // constants of headers that no kernel here uses
  if (!ptx)
    options.push_back("--ptxas-options=-v");
  status = nvrtc.compileProgram(program, int(options.size()), options.data());
  size_t size = 0;
  if (nvrtc.getLogSize(program, &size) == 0 && size > 1) {
    log.resize(size);
    nvrtc.getLog(program, log.data());
    log.resize(std::strlen(log.c_str()));
  }
  if (status == 0) {
    status = ptx ? nvrtc.getPtxSize(program, &size) : nvrtc.getCubinSize(program, &size);
    if (status == 0) {
      image.resize(size);
      status = ptx ? nvrtc.getPtx(program, reinterpret_cast<char *>(image.data()))
                   : nvrtc.getCubin(program, reinterpret_cast<char *>(image.data()));
    }
  }
  nvrtc.destroyProgram(&program);
  if (status == 0)
    return true;
  log = std::string("NVRTC: ") + nvrtc.errorString(status) + " for " + architecture + "\n" + log;
  return false;
}

} // namespace ingot::target::cuda
