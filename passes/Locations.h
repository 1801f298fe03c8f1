// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Locations through fusion: every op keeps the names of all the model's nodes that it stands for, so that a diagnostic
// or a profile still speaks the model's language.
#ifndef INGOT_PASSES_LOCATIONS_H
#define INGOT_PASSES_LOCATIONS_H

#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"

#include <string>

namespace ingot::passes {

// One location that names everything `ops` name, in order and without repetition.
mlir::Location fuseLocations(llvm::ArrayRef<mlir::Operation *> ops);

// The names in a location as one: "model.layers.0.self_attn.{q_proj,k_proj}"; "" when it has none.
std::string nodeName(mlir::Location location);

} // namespace ingot::passes

#endif
