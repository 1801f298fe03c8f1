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

// Dimensions that are not 1.
llvm::SmallVector<ir::Dim> withoutOnes(llvm::ArrayRef<ir::Dim> dims);
// Of a reshape in which dimensions of 1 come and go alone: what stands for each dimension of its input, where `indices` do for those of its
// result; T() for a dimension of 1. Nothing of another reshape.
template <typename T>
std::optional<llvm::SmallVector<T>> beforeReshape(ir::ReshapeOp op, llvm::ArrayRef<T> indices) {
  llvm::SmallVector<ir::Dim> to = ir::dimsOf(ir::tensorOf(op.getResult())), from = ir::dimsOf(ir::tensorOf(op.getInput()));
  if (withoutOnes(to) != withoutOnes(from))
    return std::nullopt;
  llvm::SmallVector<T> kept, before;
  for (auto [index, dim] : llvm::zip(indices, to))
    if (dim.size != 1)
      kept.push_back(index);
  size_t next = 0;
  for (const ir::Dim &dim : from)
    before.push_back(dim.size == 1 ? T() : kept[next++]);
  return before;
}

// Whether a size is the last index of a dynamic dimension: "S-1", or a symbol that is it.
bool isLastIndex(ir::SizeOp size, const ir::Dim &dim);

} // namespace ingot::passes

#endif
