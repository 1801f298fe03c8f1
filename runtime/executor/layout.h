// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every device works out of a plan before it places memory: the bounds of the symbols in order, and where each
// symbol's arena starts.
#ifndef INGOT_RUNTIME_EXECUTOR_LAYOUT_H
#define INGOT_RUNTIME_EXECUTOR_LAYOUT_H

#include "runtime/executor/executor.h"

#include <cstdint>
#include <vector>

namespace ingot::runtime {

constexpr uint64_t roundUpToPage(uint64_t bytes) { return (bytes + 4095) / 4096 * 4096; }

// The bounds in the order of the plan's symbols; every symbol that is given must have one, from 0 to 2^31 - 1, and those
// of derived symbols follow.
Result<std::vector<int64_t>> orderBounds(const format::Plan &plan, const ExecutorOptions &options);

// Where each symbol's arena starts in one allocation; the last one is the arena of constants.
struct ArenaLayout {
  std::vector<uint64_t> starts;
  uint64_t bytes = 0;

  // Where a buffer of kind arena lies at these bounds.
  uint64_t offsetOf(const format::Buffer &buffer, const std::vector<int64_t> &bounds) const {
    const bool constant = buffer.symbol() < 0;
    const size_t arena = constant ? bounds.size() : size_t(buffer.symbol());
    return starts[arena] + buffer.offset() * (constant ? 1 : uint64_t(bounds[arena]));
  }
};
Result<ArenaLayout> layOutArenas(const format::Plan &plan, const std::vector<int64_t> &bounds);

// The error of a launch whose kernel gave `code`, by the model's own name.
Error refusedBy(const format::Plan &plan, const format::Launch &launch, int code);

} // namespace ingot::runtime

#endif
