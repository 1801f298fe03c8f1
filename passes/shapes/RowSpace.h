// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors whose rows are the positions of a batch, [B, S, ...], [B*S, ...] or, between transposes, [B, H, S, ...] or
// [3, B, H, S, ...], and what computes each of their rows from the same row of its operands. Says which ops these are;
// moves nothing (PackedRows does).
#ifndef INGOT_PASSES_SHAPES_ROWSPACE_H
#define INGOT_PASSES_SHAPES_ROWSPACE_H

#include "dialects/ingot/IngotDialect.h"

namespace ingot::passes {

// Which dimensions of a tensor stand for rows: that of B and that of S, as 0 and 1 of [B, S, ...] or 0 and 2 of [B, H,
// S, ...], or 0 of [B*S, ...]; none where it has no rows. The others are a row's own.
using RowAxes = llvm::SmallVector<unsigned, 2>;

class RowSpace {
public:
  RowSpace(ir::EntryOp entry, ir::Dim batch, ir::Dim rows) : entry(entry), b(batch), s(rows) {}

  ir::Dim batch() const { return b; }
  ir::Dim rows() const { return s; }

  RowAxes axesOf(mlir::Value value) const;
  bool hasRows(mlir::Value value) const { return !axesOf(value).empty(); }
  // Where dimension `axis` of a tensor, one of a row's own, stands behind a first dimension of rows.
  static int64_t packedAxis(llvm::ArrayRef<unsigned> rows, int64_t axis);

  // Whether each row of the op's results follows from the same row of these operands (numbers), which have rows, and
  // from others that all rows share, or whose rows are picked from. Nothing where some row depends on other rows of its
  // operands, or the results have no rows.
  std::optional<llvm::SmallVector<unsigned>> rowOperands(mlir::Operation *op) const;

  // Of an ingot.compute whose result has rows: whether it reads this input at the row that it computes, and nowhere
  // else.
  bool readsOwnRow(ir::ComputeOp op, unsigned input) const;
  // Whether it reads one element of the input for each of its own, at a position that depends on the batch alone: such
  // as a sequence's first, or the last that a table names for each.
  bool picksPosition(ir::ComputeOp op, unsigned input) const;

private:
  bool isFlat(const ir::Dim &dim) const;

  ir::EntryOp entry;
  ir::Dim b, s;
};

} // namespace ingot::passes

#endif
