// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which of an engine's variants (one image of kernels per CPU feature set or GPU architecture) this machine runs, and why not another. Each
// kernel comes from the best runnable variant that has it: the one with the highest score on processors of this vendor,
// of equals the one listed first. INGOT_ISA leaves but the one it names and those it stands on, in that order.
#ifndef INGOT_RUNTIME_EXECUTOR_VARIANTS_H
#define INGOT_RUNTIME_EXECUTOR_VARIANTS_H

#include "runtime/core/cpu_features.h"
#include "runtime/core/error.h"
#include "runtime/format/head_generated.h"

#include <optional>
#include <string>
#include <vector>

namespace ingot::runtime {

struct VariantVerdict {
  unsigned index = 0; // in Head.variants
  std::string name;
  unsigned score = 0; // on this machine and under INGOT_ISA
  bool runnable = false;
  bool partial = false; // has only some kernels
  bool taken = false;   // kernels may come from it
  // "taken", "taken for what amx lacks", "not taken: the CPU lacks avx512f", "not taken: restricted by INGOT_ISA=avx2",
  // ...
  std::string reason;
};

struct VariantChoice {
  std::vector<VariantVerdict> verdicts; // one per variant, in the engine's order
  std::optional<unsigned> taken;        // the best; nothing: no variant runs here

  // Highest score first; of equals, the one listed first.
  std::vector<const VariantVerdict *> byScore() const;

  // "avx512bf16: not taken: the CPU lacks avx512f, ..." one line per variant, highest score first.
  std::string explain() const;
};

// isa: as isaRestriction() gives it. An INGOT_ISA that leaves nothing runnable leaves `taken` empty.
VariantChoice chooseVariant(const format::Head &head, const CpuFeatures &cpu, const std::optional<std::string> &isa);

// The one image that a GPU runs: the cubin of its own architecture, else of the nearest before it of the same major version,
// else PTX, which the driver compiles then. capability: 10 * major + minor; driver: as cuDriverGetVersion tells it.
VariantChoice chooseCudaVariant(const format::Head &head, unsigned capability, unsigned driver);

} // namespace ingot::runtime

#endif
