// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The engine's REPORT section: where every stored weight came from and what was done to it, how the engine was made,
// and what the importer had to say. JSON, so that programs read it too; `ingot inspect` prints it.
#ifndef INGOT_COMPILER_ENGINE_REPORT_H
#define INGOT_COMPILER_ENGINE_REPORT_H

#include "compiler/engine/engine_writer.h"

#include <optional>
#include <string>
#include <vector>

namespace ingot::engine {

struct ReportFacts {
  std::string producer, model, family, compute, computeReason, target;
  std::string weights, activations; // as asked for; "": by default
  uint64_t parameters = 0;
  std::optional<uint64_t> dummySeed;
  std::vector<std::string> notes;
};

// Holds no path and no time: the same model and options give the same report. `lost`: what quantizing each weight cost;
// null while that is not known: the text is then as long as it may become.
std::string makeReport(const ReportFacts &facts, const std::vector<StoredWeight> &weights,
                       const std::vector<QuantizationError> *lost);

} // namespace ingot::engine

#endif
