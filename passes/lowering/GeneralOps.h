// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops are general (they have no kernel template and go through linalg), how they read their operands, and how
// each becomes linalg. The pass that forms chains of them is LowerGeneralOps.cpp.
#ifndef INGOT_PASSES_LOWERING_GENERALOPS_H
#define INGOT_PASSES_LOWERING_GENERALOPS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Value.h"

namespace ingot::passes {

// Whether the value is computed by a general op at run time. Recipes of weights, which the engine writer computes, and
// reshapes, which move nothing, are not.
bool isGeneral(mlir::Value value);

// Whether row i of what the reader computes needs only row i of this operand, and reads it in a form that tiling can
// fuse: an op that picks elements by index reads its operand from memory.
bool readsRowByRow(mlir::OpOperand &operand);

// Emits the op of `result` as linalg writing into `init`, with its operands already mapped to tensors without encoding.
mlir::Value emitGeneral(mlir::OpResult result, const mlir::IRMapping &operands, mlir::Value init,
                        mlir::OpBuilder &builder, mlir::Location loc);

} // namespace ingot::passes

#endif
