// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions over tensors that only change the order of dimensions: their elements are read one by one, but no row of 16
// lanes is a row of memory. They call kernels/permute.cpp instead. Private to codegen/.
#ifndef INGOT_COMPILER_TARGET_CPU_CODEGEN_PERMUTE_H
#define INGOT_COMPILER_TARGET_CPU_CODEGEN_PERMUTE_H

#include "compiler/target/cpu/codegen/RowEmitter.h"

namespace ingot::target::cpu {

// Whether `op`, whose loop `rowDim` goes along the rows of its result, yields nothing but an element of a tensor at its
// own indices in another order, the last of which is not its last: then rows [from, to) are copied by a call.
bool emitPermutation(mlir::OpBuilder &b, mlir::linalg::LinalgOp op, int64_t rowDim,
                     const llvm::DenseMap<mlir::Value, Storage> &storages, const mlir::IRMapping &scalars,
                     mlir::Value from, mlir::Value to);

} // namespace ingot::target::cpu

#endif
