// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The GPU architectures that an engine may hold images for.
#include "compiler/target/cuda/target.h"

namespace ingot::target::cuda {

const std::vector<Architecture> &defaultArchitectures() {
  static const std::vector<Architecture> all = {{"sm_80", 80},   {"sm_86", 86},   {"sm_89", 89},     {"sm_90", 90},
                                                {"sm_100", 100}, {"sm_120", 120}, {"compute_80", 80}};
  return all;
}

bool findArchitecture(const std::string &name, Architecture &architecture, std::string &error) {
  std::string known;
  for (const Architecture &candidate : defaultArchitectures()) {
    known += (known.empty() ? "" : ", ") + candidate.name;
    if (candidate.name == name) {
      architecture = candidate;
      return true;
    }
  }
  if (name == "simulated") { // by tests alone, so not listed
    architecture = {"simulated", 0};
    return true;
  }
  error = "no CUDA architecture '" + name + "'; there are " + known;
  return false;
}

} // namespace ingot::target::cuda
