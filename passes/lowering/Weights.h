// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stored weights of a plan: each distinct recipe becomes one plan.weight, named by the model's own tensors.
#ifndef INGOT_PASSES_LOWERING_WEIGHTS_H
#define INGOT_PASSES_LOWERING_WEIGHTS_H

#include "dialects/plan/PlanDialect.h"
#include "mlir/IR/Builders.h"

#include "llvm/ADT/StringMap.h"

namespace ingot::passes {

class WeightTable {
public:
  explicit WeightTable(plan::ProgramOp program) : program(program) {}

  // The name of the plan.weight that stores `recipe` (ir::isRecipe holds). `hint` names recipes without a tensor.
  mlir::StringAttr add(mlir::Value recipe, llvm::StringRef hint);
  // The same for a constant, given as its elements.
  mlir::StringAttr addConstant(mlir::DenseElementsAttr elements, llvm::StringRef hint, mlir::Location loc);

private:
  unsigned describe(mlir::Value value);
  std::string nameOf(mlir::Value recipe, llvm::StringRef hint);

  plan::ProgramOp program;
  // Structural numbering of recipes: op, attributes, type and operands' numbers -> number.
  llvm::StringMap<unsigned> numbers;
  llvm::DenseMap<mlir::Value, unsigned> numberOf;
  llvm::DenseMap<unsigned, mlir::StringAttr> names;
  llvm::StringMap<unsigned> taken;
};

} // namespace ingot::passes

#endif
