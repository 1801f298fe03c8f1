// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which buffers a launch writes, and where it may write over what it reads: what planning and its check need to know of
// kernels. Follows the operand lists in compiler/target/templates/params.h.
#ifndef INGOT_PASSES_PLANNING_LAUNCHEFFECTS_H
#define INGOT_PASSES_PLANNING_LAUNCHEFFECTS_H

#include "dialects/plan/PlanDialect.h"

namespace ingot::passes {

struct LaunchEffects {
  llvm::SmallVector<unsigned> written;     // operands that the launch writes
  llvm::SmallVector<unsigned> readWritten; // those of them whose old content it reads too
  // A pair of operands (read, written) that may be one buffer: each element is read before it is written, by whoever
  // writes it. -1 where there is none.
  int readInPlace = -1, writtenInPlace = -1;

  bool writes(unsigned operand) const { return llvm::is_contained(written, operand); }
  bool reads(unsigned operand) const { return !writes(operand) || llvm::is_contained(readWritten, operand); }
};

LaunchEffects effectsOf(plan::LaunchOp launch);

// What memory a buffer is: the same for buffers that name the same input, output, weight or plane.
const void *memoryOf(mlir::Value buffer);

// The number of the group that each launch is in. A group ends where all workers wait for each other whatever the sizes
// of a step are; what runs in one group may overlap in time.
llvm::SmallVector<size_t> groupsOf(llvm::ArrayRef<plan::LaunchOp> launches);

} // namespace ingot::passes

#endif
