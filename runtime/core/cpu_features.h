// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the CPU and the operating system together allow a kernel to use (cpuid, xgetbv), by the names that engine files
// use, and what INGOT_ISA leaves of it. The choice among an engine's variants is made in runtime/executor/variants.h.
#ifndef INGOT_RUNTIME_CORE_CPU_FEATURES_H
#define INGOT_RUNTIME_CORE_CPU_FEATURES_H

#include "runtime/core/error.h"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace ingot::runtime {

class CpuFeatures {
public:
  // The machine that runs us; detected once.
  static const CpuFeatures &host();

  // A made-up machine, for tests.
  explicit CpuFeatures(std::set<std::string, std::less<>> names) : names(std::move(names)) {}

  // Whether a kernel that needs `feature` runs here: "avx2", "fma", "f16c", "bmi2", "avx512f", "avx512bw", "avx512dq",
  // "avx512vl", "avx512vnni", "avx512bf16", "avxvnni", "amx_tile", "amx_bf16", "amx_int8", ... `_` and `-` do not
  // count, so that Linux's and LLVM's spellings both hit. False for a name that this runtime does not know.
  bool has(std::string_view feature) const;

  // Whether this runtime can tell if a CPU has `feature`.
  static bool known(std::string_view feature);

  const std::set<std::string, std::less<>> &all() const { return names; }

private:
  std::set<std::string, std::less<>> names;
};

// The variants that INGOT_ISA may name.
std::span<const std::string_view> isaNames();

// INGOT_ISA: nothing where it is unset or empty; else the one variant that may be chosen. An unknown value is an error
// that lists the known ones.
Result<std::optional<std::string>> isaRestriction();

} // namespace ingot::runtime

#endif
