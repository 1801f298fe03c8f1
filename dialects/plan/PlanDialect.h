// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `plan` dialect in C++: what the machine does, one to one with runtime/format/plan.fbs. Generated from the .td
// files beside it, which are where to read.
#ifndef INGOT_DIALECTS_PLAN_DIALECT_H
#define INGOT_DIALECTS_PLAN_DIALECT_H

#include "dialects/ingot/IngotDialect.h"

#include "dialects/plan/PlanDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/plan/PlanTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.h.inc"

namespace ingot::plan {

// The size of a dimension: a constant, or the symbol expression that names it. Null where it is dynamic and unnamed.
SizeAttr sizeOf(mlir::MLIRContext *context, const ir::Dim &dim);

// The layout of what a recipe stores: that of its ingot.pack, "n16g" of an ingot.pack_groups, else "row_major".
llvm::StringRef layoutOf(mlir::Value recipe);

} // namespace ingot::plan

#endif
