// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What several fusions ask of and do with ingot.linear: whether it is plain, and the same linear with something added.
#ifndef INGOT_PASSES_LINEARS_H
#define INGOT_PASSES_LINEARS_H

#include "dialects/ingot/IngotDialect.h"
#include "mlir/IR/Builders.h"

namespace ingot::passes {

// Everything that makes a linear, to be changed and built again.
struct LinearParts {
  mlir::Value input, weight, bias, residual, normStats, gamma, scales, zeros, inScale, inZero, sums;
  mlir::FloatAttr eps;
  ir::ActivationAttr activation;
  bool gated = false, emitStats = false;
  mlir::TypeAttr compute, weightElement, resultElement;
  mlir::StringAttr layout;
  mlir::IntegerAttr n, k;

  LinearParts() = default;
  explicit LinearParts(ir::LinearOp linear);
  ir::LinearOp build(mlir::OpBuilder &builder, mlir::Location loc) const;
};

// Whether the linear is as an importer writes it: no residual, activation, gate, norm, statistics or packing.
bool isPlain(ir::LinearOp linear);

// The activation that an element-wise op is, as a linear's epilogue names it; nothing where it has none.
std::optional<ir::Activation> epilogueActivation(mlir::Operation *op);

// Moves the ops that compute `value`, a recipe, in front of `before` where they stand behind it in the same block.
void hoistRecipe(mlir::Value value, mlir::Operation *before);

} // namespace ingot::passes

#endif
