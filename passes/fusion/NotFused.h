// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What passes over written-out mathematics nearly fused: the module's attribute `ingot.not_fused`, which reports read.
#ifndef INGOT_PASSES_FUSION_NOTFUSED_H
#define INGOT_PASSES_FUSION_NOTFUSED_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace ingot::passes {

// Adds texts, each with the node that stopped a pattern, to those that are there.
void addNotFused(mlir::ModuleOp module, llvm::ArrayRef<std::string> texts);

} // namespace ingot::passes

#endif
