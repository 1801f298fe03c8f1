// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering of one entry to launches, and what the entries of a program share: kernels and stored weights.
#ifndef INGOT_PASSES_LOWERING_ENTRYLOWERING_H
#define INGOT_PASSES_LOWERING_ENTRYLOWERING_H

#include "dialects/ingot/IngotDialect.h"
#include "dialects/plan/PlanDialect.h"
#include "passes/lowering/KernelKeys.h"
#include "passes/lowering/Weights.h"

namespace ingot::passes {

class ProgramTables {
public:
  explicit ProgramTables(plan::ProgramOp program);

  // The plan.kernel of that template and those params, or of that body; made when it is new.
  mlir::StringAttr kernel(const KernelParams &params, mlir::Location loc);
  mlir::StringAttr kernel(mlir::FlatSymbolRefAttr body, mlir::Location loc);

  // Number of the symbol, or -1.
  int64_t symbolIndex(llvm::StringRef symbol) const;

  WeightTable weights;

private:
  plan::ProgramOp program;
  llvm::SmallVector<llvm::StringRef> symbols;
  llvm::DenseMap<std::pair<mlir::Attribute, mlir::Attribute>, mlir::StringAttr> kernels; // (template, params or body)
  llvm::StringMap<unsigned> taken;
};

// Adds a plan.entry to `program` that computes what `entry` does. Emits an error that names the node when an op has no
// kernel, or a shape none that its kernel takes.
mlir::LogicalResult lowerEntry(ir::EntryOp entry, plan::ProgramOp program, ProgramTables &tables);

} // namespace ingot::passes

#endif
