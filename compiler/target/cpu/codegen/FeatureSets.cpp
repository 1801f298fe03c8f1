// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of feature sets: what a machine must have, in the runtime's words and in LLVM's. A new set is a row here
// and a row in INGOT_CPU_SETS of compiler/target/cpu/CMakeLists.txt, which compiles the microkernels for it.
#include "compiler/target/cpu/codegen/Internal.h"

namespace ingot::target::cpu {

static const SetCode kSets[] = {
    {"avx2", "haswell", "+avx2,+fma,+f16c,+bmi2", 256},
    {"avx512", "skylake-avx512", "+avx2,+fma,+f16c,+bmi2,+avx512f,+avx512bw,+avx512dq,+avx512vl", 512},
    {"avx512bf16", "cooperlake", "+avx2,+fma,+f16c,+bmi2,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512bf16", 512},
};

llvm::ArrayRef<SetCode> setCodes() { return kSets; }

const std::vector<FeatureSet> &featureSets() {
  static const std::vector<FeatureSet> sets = {
      {"avx2", {"avx2", "fma", "f16c", "bmi2"}, 100},
      {"avx512", {"avx2", "fma", "f16c", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl"}, 200},
      {"avx512bf16", {"avx2", "fma", "f16c", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512bf16"}, 300},
  };
  return sets;
}

} // namespace ingot::target::cpu
