// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See images.h.
#include "test/unit/target/images.h"
#include "runtime/core/cpu_features.h"
#include "test/unit/target/native_kernels.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::test {
namespace {

[[noreturn]] void fatal(const std::string &what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

bool machineHas(const std::string &feature) {
  if (!runtime::CpuFeatures::known(feature))
    fatal("this test does not know the feature '" + feature + "'");
  return runtime::CpuFeatures::host().has(feature);
}

const uint8_t *map(const std::string &path) {
  int file = open(path.c_str(), O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0)
    fatal("cannot open '" + path + "'");
  void *at = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  if (at == MAP_FAILED)
    fatal("cannot map '" + path + "'");
  close(file);
  return static_cast<const uint8_t *>(at);
}

} // namespace

bool TestKernel::in(const TestSet &set) const {
  return set.native ? isNativeTemplate(templateName) : at.at(set.name) != 0xffffffff;
}

// NAME TEMPLATE KEY=VALUE ...
static TestKernel readKernel(std::istringstream &words) {
  TestKernel kernel;
  words >> kernel.name >> kernel.templateName;
  for (std::string word; words >> word;) {
    std::string key = word.substr(0, word.find('=')), value = word.substr(word.find('=') + 1);
    if (key == "scratch")
      kernel.scratch = std::strtoull(value.c_str(), nullptr, 10);
    else if (key.rfind("at_", 0) == 0)
      kernel.at[key.substr(3)] = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    else
      kernel.parameters[key] = std::strtod(value.c_str(), nullptr);
  }
  return kernel;
}

void Images::readImages(const std::string &folder) {
  std::ifstream manifest(folder + "/manifest.txt");
  if (!manifest)
    fatal("no manifest.txt in '" + folder + "'; set INGOT_TEST_IMAGES to the folder that dump_kernels wrote");
  for (std::string line; std::getline(manifest, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "set") {
      TestSet set;
      words >> set.name;
      set.runs = true;
      for (std::string feature; words >> feature;)
        set.runs &= machineHas(feature);
      set.code = map(folder + "/" + set.name + ".bin");
      set.tileOrder = set.name == "amx";
      allSets.push_back(set);
    } else if (kind == "kernel") {
      allKernels.push_back(readKernel(words));
    }
  }
}

void Images::readList(const std::string &path) {
  std::ifstream list(path);
  if (!list)
    fatal("cannot open '" + path + "'");
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    if (line.empty() || line[0] == '#')
      continue;
    TestKernel kernel = readKernel(words);
    completeParameters(kernel.templateName, kernel.parameters);
    kernel.scratch = nativeScratch(kernel.templateName, kernel.parameters);
    allKernels.push_back(kernel);
  }
}

const Images &Images::get() {
  static const Images images = [] {
    Images loaded;
    const char *given = std::getenv("INGOT_TEST_IMAGES");
    std::string folder = given ? given : INGOT_TEST_IMAGES_DEFAULT;
    if (folder.empty())
      loaded.readList(INGOT_TEST_KERNELS);
    else
      loaded.readImages(folder);
    TestSet native;
    native.name = "software_tiles";
    native.native = native.tileOrder = true;
    native.runs = machineHas("avx2") && machineHas("fma") && machineHas("f16c");
    loaded.allSets.push_back(native);
    return loaded;
  }();
  return images;
}

std::vector<const TestKernel *> Images::kernels(const std::string &templateName, const TestSet *set) const {
  std::vector<const TestKernel *> found;
  for (const TestKernel &kernel : allKernels)
    if (kernel.templateName == templateName && (!set || kernel.in(*set)))
      found.push_back(&kernel);
  return found;
}

std::vector<const TestSet *> Images::setsOf(const std::string &templateName) const {
  std::vector<const TestSet *> found;
  for (const TestSet &set : allSets)
    if (!kernels(templateName, &set).empty())
      found.push_back(&set);
  return found;
}

const TestKernel &Images::kernel(const std::string &name) const {
  for (const TestKernel &kernel : allKernels)
    if (kernel.name == name)
      return kernel;
  fatal("no kernel '" + name + "' in the manifest");
}

int32_t runKernel(const TestKernel &kernel, const TestSet &set, const std::vector<void *> &buffers,
                  const std::vector<int64_t> &symbols, uint32_t tiles, uint32_t pieces) {
  constexpr size_t kFence = 256;
  size_t bytes = (kernel.scratch + 63) / 64 * 64 + kFence;
  auto *scratch = static_cast<uint8_t *>(std::aligned_alloc(64, bytes));
  // Cut into two pieces, as on a processor that reads one stream fastest, and into seven, as on one with large caches, whose blocks are other ones:
  // bits do not depend on that either.
  ingot_env env = {INGOT_KERNEL_ABI, 0, pieces, pieces == 2 ? 1u : 0u, 32 << 10, 512 << 10, 16 << 20};
  if (pieces == 7) {
    env.l1_bytes = 48 << 10;
    env.l2_bytes = 2 << 20;
    env.l3_bytes = 96 << 20;
  }
  if (kernel.templateName == "linear" || kernel.templateName == "linear_int")
    tiles *= ingot_row_parts(symbols[static_cast<size_t>(kernel.integer("rows_symbol"))], tiles, pieces);
  // A set holds what gains from it; the rest comes from one before it, as at load.
  const TestSet *from = &set;
  while (!from->native && !kernel.in(*from))
    if (from-- == Images::get().sets().data())
      fatal("no set up to " + set.name + " has kernel " + kernel.name);
  auto function =
      set.native ? nullptr
                 : reinterpret_cast<ingot_kernel>(reinterpret_cast<uintptr_t>(from->code) + kernel.at.at(from->name));
  int32_t status = 0;
  for (uint32_t piece = pieces; piece-- > 0;) {
    uint32_t begin = static_cast<uint32_t>(uint64_t(tiles) * piece / pieces);
    uint32_t to = static_cast<uint32_t>(uint64_t(tiles) * (piece + 1) / pieces);
    if (begin == to)
      continue;
    std::memset(scratch, 0xff, bytes); // not-a-numbers: nothing may be read before it is written
    int32_t now = set.native ? callNative(kernel.templateName, kernel.parameters, &env, buffers.data(), symbols.data(),
                                          begin, to, scratch)
                             : function(&env, buffers.data(), symbols.data(), begin, to, scratch);
    status = status ? status : now;
    for (size_t i = bytes - kFence; i < bytes; ++i)
      if (scratch[i] != 0xff)
        fatal("kernel " + kernel.name + " writes past its scratch");
  }
  std::free(scratch);
  return status;
}

} // namespace ingot::test
