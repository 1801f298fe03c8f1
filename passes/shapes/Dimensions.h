// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The condition under which memory can be planned: every dynamic dimension has a name. infer-shapes establishes it; the
// lowerings check it again, so that IR written by hand is refused and not misread.
#ifndef INGOT_PASSES_SHAPES_DIMENSIONS_H
#define INGOT_PASSES_SHAPES_DIMENSIONS_H

#include "dialects/ingot/IngotDialect.h"

namespace ingot::passes {

// Emits an error at the first argument of the entry with a dynamic dimension that no symbol names.
mlir::LogicalResult checkArgumentsNamed(ir::EntryOp entry);
// The same for the results of one op, and for a whole entry.
mlir::LogicalResult checkResultsNamed(mlir::Operation *op);
mlir::LogicalResult checkNamed(ir::EntryOp entry);

// The dimension that is the product of these: static, one of them, or a derived symbol, which is declared before the entry where it is
// new.
ir::Dim productOf(ir::EntryOp entry, llvm::ArrayRef<ir::Dim> dims);

} // namespace ingot::passes

#endif
