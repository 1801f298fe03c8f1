// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the recipe of a plan.weight into the form that the engine writer runs.
#ifndef INGOT_COMPILER_ENGINE_RECIPE_FROM_IR_H
#define INGOT_COMPILER_ENGINE_RECIPE_FROM_IR_H

#include "compiler/engine/recipe.h"
#include "dialects/plan/PlanDialect.h"

#include "mlir/IR/BuiltinTypes.h"

namespace ingot::engine {

// The element type as files name it; nothing for a type that no file holds.
std::optional<ElementType> elementTypeOf(mlir::Type type);

// The recipe of `weight`, or failure with a diagnostic at the op that no engine writer can run.
mlir::FailureOr<std::shared_ptr<const Recipe>> recipeOf(plan::WeightOp weight);

} // namespace ingot::engine

#endif
