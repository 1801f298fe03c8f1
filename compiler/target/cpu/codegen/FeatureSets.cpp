// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of feature sets: what a machine must have, in the runtime's words and in LLVM's, and which kernels gain
// from it. A new set is a row here, a row in INGOT_CPU_SETS of compiler/target/cpu/CMakeLists.txt, which compiles the
// microkernels for it, and a row in runtime/core/cpu_features.cpp, by which INGOT_ISA knows it.
#include "compiler/target/cpu/codegen/Internal.h"
#include "compiler/target/templates/params.h"

namespace ingot::target::cpu {

#define INGOT_AVX2 "+avx2,+fma,+f16c,+bmi2"
#define INGOT_AVX512 INGOT_AVX2 ",+avx512f,+avx512bw,+avx512dq,+avx512vl"
static const SetCode kSets[] = {
    {"avx2", "haswell", INGOT_AVX2, 256},
    {"avxvnni", "alderlake", INGOT_AVX2 ",+avxvnni", 256},
    {"avx512", "skylake-avx512", INGOT_AVX512, 512},
    {"avx512vnni", "icelake-server", INGOT_AVX512 ",+avx512vnni", 512},
    {"avx512bf16", "cooperlake", INGOT_AVX512 ",+avx512vnni,+avx512bf16", 512},
    {"amx", "sapphirerapids", INGOT_AVX512 ",+avx512vnni,+avx512bf16,+amx-tile,+amx-bf16,+amx-int8", 512},
};

llvm::ArrayRef<SetCode> setCodes() { return kSets; }

const std::vector<FeatureSet> &featureSets() {
  static const std::vector<FeatureSet> sets = [] {
    using Names = std::vector<std::string>;
    auto with = [](Names names, const Names &more) {
      names.insert(names.end(), more.begin(), more.end());
      return names;
    };
    const Names avx2 = {"avx2", "fma", "f16c", "bmi2"};
    const Names avx512 = with(avx2, {"avx512f", "avx512bw", "avx512dq", "avx512vl"});
    const Names vnni = with(avx512, {"avx512vnni"});
    const Names bf16 = with(vnni, {"avx512bf16"});
    // Intel's processors start a vdpbf16ps every other cycle but two multiply-adds in each: there widening is faster.
    const uint32_t belowAvx512 = 190;
    return std::vector<FeatureSet>{
        {"avx2", avx2, 100, {}, ""},
        {"avxvnni", with(avx2, {"avxvnni"}), 150, {}, "avx2"},
        {"avx512", avx512, 200, {}, ""},
        {"avx512vnni", vnni, 300, {}, "avx512"},
        {"avx512bf16", bf16, 400, {{"GenuineIntel", belowAvx512}}, "avx512vnni"},
        {"amx", with(bf16, {"amx_tile", "amx_bf16", "amx_int8"}), 500, {}, "avx512bf16"},
    };
  }();
  return sets;
}

static int32_t parameter(const Kernel &kernel, llvm::StringRef name) {
  for (const Parameter &p : kernel.parameters)
    if (name == p.name)
      return p.integer;
  return -1;
}

bool setHolds(unsigned set, const Kernel &kernel) {
  if (featureSets()[set].base.empty())
    return true;
  const llvm::StringRef name = kSets[set].name, of = kernel.templateName;
  const bool integers = of == "linear_int";
  const bool pairs =
      of == "linear" && parameter(kernel, "weight_type") == INGOT_BF16 && parameter(kernel, "in_type") == INGOT_BF16;
  if (name == "avxvnni" || name == "avx512vnni")
    return integers;
  const bool attends = (of == "attention" && parameter(kernel, "cache_type") == INGOT_BF16) ||
                       (of == "sdpa" && parameter(kernel, "product_type") == INGOT_BF16);
  return pairs || ((integers || attends) && name == "amx");
}

} // namespace ingot::target::cpu
