// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program to images, an architecture at a time on each thread. What a former compilation made of the same source with the
// same NVRTC is taken from the cache.
#include "compiler/target/code_cache.h"
#include "compiler/target/cuda/codegen/Internal.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace ingot::target::cuda {

namespace {

// The driver that loads what this NVRTC makes. Cubins run with every driver of the same major version that knows the
// architecture; PTX needs a driver as new as the compiler ("CUDA Compatibility", minor version compatibility).
uint32_t driverFor(const Architecture &architecture, uint32_t nvrtc) {
  if (architecture.name.starts_with("compute_"))
    return nvrtc;
  const uint32_t knows = architecture.capability >= 100 ? 12080 : 12000;
  return std::max(nvrtc / 1000 * 1000, knows);
}

std::string described(const std::string &log, const Program &program) {
  std::string text = "the CUDA kernels do not compile\n" + log;
  // The log names lines of the program; --emit=cuda shows it.
  return text + "\nThe program has " + std::to_string(std::count(program.source.begin(), program.source.end(), '\n')) +
         " lines; --emit=cuda prints it.";
}

} // namespace

bool compileProgram(const Program &program, const std::vector<Architecture> &architectures,
                    const CompileOptions &options, std::vector<Image> &images, std::string &error) {
  images.assign(architectures.size(), {});
  const bool real = std::any_of(architectures.begin(), architectures.end(),
                                [](const Architecture &architecture) { return architecture.capability != 0; });
  const Nvrtc *nvrtc = real ? findNvrtc(error) : nullptr;
  if (real && !nvrtc)
    return false;
  CodeCache cache("cuda");
  std::atomic<size_t> next{0};
  std::vector<std::string> errors(architectures.size());
  auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < architectures.size();) {
      Image &image = images[i];
      image.architecture = architectures[i];
      if (architectures[i].capability == 0) {
        image.bytes.assign(program.source.begin(), program.source.end());
        image.bytes.push_back(0); // text for the driver ends with a zero
        continue;
      }
      image.driver = driverFor(architectures[i], versionOf(*nvrtc));
      const std::string version = std::to_string(versionOf(*nvrtc));
      const std::string key = hashOf({"1", version, architectures[i].name, program.source});
      if (options.cache && cache.find(key, image.bytes, image.log))
        continue;
      if (!compileWith(*nvrtc, program.source, architectures[i].name, image.bytes, image.log))
        errors[i] = described(image.log, program);
      else if (options.cache)
        cache.keep(key, image.bytes, image.log);
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min<size_t>(options.threads, architectures.size()); ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  for (const std::string &failed : errors)
    if (!failed.empty()) {
      error = failed;
      return false;
    }
  return true;
}

bool printPtx(const Program &program, const Architecture &architecture, std::string &text, std::string &error) {
  const Nvrtc *nvrtc = findNvrtc(error);
  if (!nvrtc)
    return false;
  std::vector<uint8_t> image;
  std::string log;
  const std::string virtualName = "compute_" + std::to_string(architecture.capability);
  if (!compileWith(*nvrtc, program.source, virtualName, image, log)) {
    error = described(log, program);
    return false;
  }
  text.assign(image.begin(), image.end());
  while (!text.empty() && text.back() == '\0')
    text.pop_back();
  return true;
}

} // namespace ingot::target::cuda
