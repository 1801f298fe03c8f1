// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering of one entry to launches, and what the entries of a program share: kernels and stored weights.
#ifndef INGOT_PASSES_LOWERING_ENTRYLOWERING_H
#define INGOT_PASSES_LOWERING_ENTRYLOWERING_H

#include "dialects/ingot/IngotDialect.h"
#include "dialects/ingot/SymbolExpr.h"
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

  // What a size is a multiple of: factor * symbol, or factor alone where there is none.
  struct Extent {
    int64_t factor;
    mlir::StringAttr symbol;
  };
  // The product of all dimensions, each static or named: a product of several symbols is a derived symbol of its own, one
  // for all orders and groupings, which is declared when it is new. Nothing where the factor passes 64 bits.
  std::optional<Extent> product(llvm::ArrayRef<ir::Dim> dims);
  // The symbol whose value is this number, declared when it is new.
  mlir::StringAttr number(int64_t value);
  // The symbol whose value is symbol + constant, declared when it is new.
  mlir::StringAttr sum(const ir::DimExpr &expr);

  WeightTable weights;

private:
  mlir::StringAttr declare(llvm::StringRef name, const ir::SymbolExpr &value);
  void know(plan::SymbolOp symbol);
  // The factors of a symbol that is a product; itself for any other.
  ir::SymbolExpr::Product factorsOf(llvm::StringRef symbol) const;

  plan::ProgramOp program;
  llvm::SmallVector<llvm::StringRef> symbols;
  llvm::StringMap<ir::SymbolExpr> values;     // of derived symbols
  llvm::StringMap<mlir::StringAttr> products; // by their sorted factors, "a*b"
  llvm::StringMap<mlir::StringAttr> sums;     // by their canonical text
  llvm::DenseMap<std::pair<mlir::Attribute, mlir::Attribute>, mlir::StringAttr> kernels; // (template, params or body)
  llvm::StringMap<unsigned> taken;
};

// Adds a plan.entry to `program` that computes what `entry` does. Emits an error that names the node when an op has no
// kernel, or a shape none that its kernel takes.
mlir::LogicalResult lowerEntry(ir::EntryOp entry, plan::ProgramOp program, ProgramTables &tables);

} // namespace ingot::passes

#endif
