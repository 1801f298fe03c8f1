// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rows of a batch that a mask [B, S] shows, one behind another: [tokens, ...], where `tokens` is a symbol that
// depends on data. Makes their indices, computes values for these rows alone, and puts results back among rows of one
// number. What may be treated so is decided by drop-padding.
#ifndef INGOT_PASSES_SHAPES_PACKEDROWS_H
#define INGOT_PASSES_SHAPES_PACKEDROWS_H

#include "passes/shapes/RowSpace.h"

#include "mlir/IR/Builders.h"

namespace ingot::passes {

class PackedRows {
public:
  // Declares the symbol, and writes at the start of the entry what counts the rows: those where the mask's element is
  // not `hidden`, or, of lengths [B], those before them.
  PackedRows(ir::EntryOp entry, const RowSpace &space, mlir::Value mask, int hidden);

  // i32 [B + 1]: where each batch's rows begin, and after the last how many there are.
  mlir::Value starts() const { return startsValue; }
  // i32 [tokens]: the position of each row in its sequence, s of [b, s].
  mlir::Value places() const { return placesValue; }
  ir::Dim tokens() const { return tokensDim; }

  // The rows [tokens, ...] of a value that has rows. Ops that work row by row are computed for these rows; of others
  // the rows are picked.
  mlir::Value pack(mlir::Value value);
  // From now on `packed` are the rows of `value`.
  void know(mlir::Value value, mlir::Value packed) { known[value] = packed; }
  // A reduction over all rows becomes one over the rows that are there.
  void narrow(ir::ReduceOp op);
  // A value's rows where they were, and `fill` everywhere else; of the value's type.
  mlir::Value restore(mlir::Value value, double fill);

private:
  mlir::Value compute(mlir::RankedTensorType type, llvm::ArrayRef<mlir::Value> inputs, std::optional<ir::Dim> extent,
                      llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::ValueRange, mlir::ValueRange)> body);
  void count();
  mlir::Value isSeen(mlir::OpBuilder &b, mlir::Value maskArgument, mlir::Value batch, mlir::Value row);
  mlir::RankedTensorType packedType(mlir::Value value);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<ir::Dim> dims);
  llvm::SmallVector<int64_t> rowsFirst(mlir::Value value);
  void standBehind(mlir::Operation *op, mlir::ValueRange operands);
  mlir::Value picked(mlir::Value value);
  mlir::Value computed(ir::ComputeOp op);
  mlir::Value cloned(mlir::Operation *op, mlir::Value value, llvm::ArrayRef<unsigned> operands);

  ir::EntryOp entry;
  const RowSpace &space;
  mlir::Value mask; // [B, S]
  int hidden;
  mlir::OpBuilder b;
  ir::Dim tokensDim;
  mlir::Value countsValue, startsValue, batchesValue, placesValue, rowsValue;
  llvm::DenseMap<mlir::Value, mlir::Value> known;
};

} // namespace ingot::passes

#endif
