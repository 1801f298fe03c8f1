// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of a tensor's element where a mask [B, S] of an entry's caller has one of its two values there, or
// where lengths [B] show or hide it: constants are followed through whatever is computed element by element, however it
// is spelled. By it drop-padding finds masks of keys, and what stands in rows that nobody sees. Changes no IR.
#ifndef INGOT_PASSES_SHAPES_MASKREADER_H
#define INGOT_PASSES_SHAPES_MASKREADER_H

#include "dialects/ingot/IngotDialect.h"

#include <optional>

namespace ingot::passes {

// An index or a number while an element is followed.
struct MaskSymbol {
  enum Kind { unknown, constant, batch, row, other, length } kind = unknown;
  mlir::Attribute value; // of a constant: an IntegerAttr or FloatAttr of its type

  static MaskSymbol of(mlir::Attribute value) { return {value ? constant : unknown, value}; }
  bool isIndex() const { return kind == batch || kind == row || kind == other; }
  bool operator==(const MaskSymbol &) const = default;
};

class MaskReader {
public:
  // `mask`: a value whose dimensions other than 1 are B and S, or lengths, whose dimension is B. `element`: 0 or 1,
  // what the mask holds where it is read, or whether the position is before the length; of a bias, also at the position
  // of the query where `queriesToo`.
  MaskReader(mlir::Value mask, ir::Dim batch, ir::Dim rows, int element, bool queriesToo = false)
      : mask(mask), batchDim(batch), rowDim(rows), element(element), queriesToo(queriesToo),
        lengths(!isMask(mask, batch, rows)) {}

  // The number that stands in the row [b, s] of a tensor whose dimensions `batchAxis` and `rowAxis` are B and S, whatever
  // the other indices are, where mask[b, s] is `element`.
  std::optional<double> inRow(mlir::Value value, unsigned batchAxis, unsigned rowAxis);
  // The number that stands at [b, h, q, s] of a bias [1 or B, .., .., 1 or S] for any h and q, where mask[b, s] is
  // `element`.
  std::optional<double> inBias(mlir::Value value);

  // Whether what was asked for last depends on elements of the mask that are not those, such as a sum of it.
  bool readElsewhere() const { return elsewhere; }

  // Whether the value's dimensions other than 1 are these two; whether it has whole numbers, one for each batch.
  static bool isMask(mlir::Value value, ir::Dim batch, ir::Dim rows);
  static bool isLengths(mlir::Value value, ir::Dim batch);

private:
  MaskSymbol at(mlir::Value value, llvm::ArrayRef<MaskSymbol> indices);
  bool depends(mlir::Value value);
  MaskSymbol through(mlir::Operation *op, mlir::Value value, llvm::ArrayRef<MaskSymbol> indices);
  MaskSymbol reshaped(ir::ReshapeOp op, llvm::ArrayRef<MaskSymbol> indices);
  MaskSymbol computed(ir::ComputeOp op, llvm::ArrayRef<MaskSymbol> indices);
  // What a block yields for its arguments, or `result` where it is no terminator's operand.
  using Known = llvm::DenseMap<mlir::Value, MaskSymbol>;
  MaskSymbol run(mlir::Block &block, mlir::Value result, Known &known, llvm::ArrayRef<mlir::Value> tensors);
  MaskSymbol step(mlir::Operation &op, Known &known, llvm::ArrayRef<mlir::Value> tensors);
  static std::optional<double> numberOf(const MaskSymbol &symbol);

  mlir::Value mask;
  ir::Dim batchDim, rowDim;
  int element;
  bool queriesToo, lengths;
  unsigned steps = 0; // taken for the element that is asked for
  bool elsewhere = false;
  llvm::DenseMap<mlir::Value, bool> dependsOnMask; // as far as it was asked
};

} // namespace ingot::passes

#endif
