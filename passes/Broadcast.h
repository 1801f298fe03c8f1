// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element-wise arithmetic of tensors whose dimensions of 1 are repeated.
#ifndef INGOT_PASSES_BROADCAST_H
#define INGOT_PASSES_BROADCAST_H

#include "mlir/IR/Builders.h"

namespace ingot::passes {

// a + b of one rank, of the shape that holds both.
mlir::Value addBroadcast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value a, mlir::Value b);

} // namespace ingot::passes

#endif
