// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A bias [B, H, S, S] as it is where a mask [B, S] shows everything: one for all batches, [1, H, S, S]. So a causal
// bias or a window is told apart from the mask that it was combined with, whatever combined them. Whether the mask is
// read at keys and queries alone says MaskReader.
#ifndef INGOT_PASSES_SHAPES_MASKREMOVER_H
#define INGOT_PASSES_SHAPES_MASKREMOVER_H

#include "dialects/ingot/IngotDialect.h"

#include "mlir/IR/Builders.h"

namespace ingot::passes {

class MaskRemover {
public:
  // `seen`: the mask's element where it shows a position.
  MaskRemover(mlir::Value mask, ir::Dim batch, int seen) : mask(mask), batch(batch), seen(seen) {}

  // Whether the value can be computed for one batch alone: nothing but the mask differs between batches.
  bool removable(mlir::Value value);
  // The value without the mask, B being 1. Written where the builder stands.
  mlir::Value without(mlir::Value value, mlir::OpBuilder &b);

private:
  bool mentionsBatch(llvm::StringRef name);
  mlir::RankedTensorType oneBatch(mlir::RankedTensorType type);
  bool removableOp(mlir::Operation *op);

  mlir::Value mask;
  ir::Dim batch;
  int seen;
  llvm::DenseMap<mlir::Value, bool> known;
  llvm::DenseMap<mlir::Value, mlir::Value> made;
};

} // namespace ingot::passes

#endif
