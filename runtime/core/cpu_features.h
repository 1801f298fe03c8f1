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
#include <vector>

namespace ingot::runtime {

class CpuFeatures {
public:
  // The machine that runs us; detected once.
  static const CpuFeatures &host();

  // A made-up machine, for tests.
  explicit CpuFeatures(std::set<std::string, std::less<>> names, std::string vendor = "", unsigned family = 0)
      : names(std::move(names)), maker(std::move(vendor)), generation(family) {}

  // Whether a kernel that needs `feature` runs here: "avx2", "fma", "f16c", "bmi2", "avx512f", "avx512bw", "avx512dq",
  // "avx512vl", "avx512vnni", "avx512bf16", "avxvnni", "amx_tile", "amx_bf16", "amx_int8", ... `_` and `-` do not
  // count, so that Linux's and LLVM's spellings both hit. False for a name that this runtime does not know.
  bool has(std::string_view feature) const;

  // Whether this runtime can tell if a CPU has `feature`.
  static bool known(std::string_view feature);

  const std::set<std::string, std::less<>> &all() const { return names; }

  // Who made the processor, as cpuid says it: "GenuineIntel", "AuthenticAMD". Empty where there is no cpuid.
  const std::string &vendor() const { return maker; }

  // The vendor's number for a line of processors, as cpuid says it (AMD's Zen 5 is 26); 0 where there is no cpuid.
  unsigned family() const { return generation; }

  // How many parts of memory a core reads fastest side by side, as measured (docs/design/0005-cpu-target.md); 0 where
  // it was not, or where several are as fast as any other number.
  unsigned readStreams() const;

private:
  std::set<std::string, std::less<>> names;
  std::string maker;
  unsigned generation = 0;
};

// The variants that INGOT_ISA may name.
std::span<const std::string_view> isaNames();

// The variant that `name` names, then the one it stands on, and so on: "avx512vnni", "avx512", "avx2". An engine's
// variant holds only kernels that gain from it, so the others come from further down. Where the CPU lacks something
// that `name` needs, or does not know the name: `name` alone.
std::vector<std::string_view> isaChain(std::string_view name, const CpuFeatures &cpu);

// Of `cpu`, what kernels of the variant `name` and of those it stands on may use.
CpuFeatures featuresOf(std::string_view name, const CpuFeatures &cpu);

// INGOT_ISA: nothing where it is unset or empty; else the variant whose chain kernels may come from. An unknown value
// is an error that lists the known ones.
Result<std::optional<std::string>> isaRestriction();

} // namespace ingot::runtime

#endif
