// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef INGOT_PASSES_COMPUTE_H
#define INGOT_PASSES_COMPUTE_H

#include "dialects/ingot/Dims.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace ingot::passes {

// An ingot.compute, a sum where there is an extent. The body gets the inputs as arguments, then the loops' indices, and gives the element.
mlir::Value makeCompute(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type, llvm::ArrayRef<mlir::Value> inputs,
                        std::optional<ir::Dim> extent, llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::ValueRange, mlir::ValueRange)> body);

} // namespace ingot::passes

#endif
