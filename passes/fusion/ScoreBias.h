// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is added to scores of attention, as fuse-attention writes it for the op. All of it is made before it is repeated, so that biases stay as
// small as they were.
#ifndef INGOT_PASSES_FUSION_SCOREBIAS_H
#define INGOT_PASSES_FUSION_SCOREBIAS_H

#include "dialects/ingot/IngotDialect.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace ingot::passes {

// A bias without terms that are one number for all scores, which changes no probability; null where nothing else is left.
mlir::Value withoutConstants(mlir::OpBuilder &b, mlir::Value bias);

// A bias times a factor.
mlir::Value scaled(mlir::OpBuilder &b, mlir::Value bias, double factor);

// A bias that is at least so much, where there is such a number.
mlir::Value floored(mlir::OpBuilder &b, mlir::Value bias, std::optional<double> floor);

// 0 where a key is seen and `fill` where it is not.
mlir::Value maskOf(mlir::OpBuilder &b, mlir::Value condition, bool seenWhereTrue, double fill);

// A bias in four dimensions, each 1 or that of the scores, which are `whole` [B, H, S, T]; null where it has others. heads: three dimensions of
// the bias are [B * H, S, T], and not [B, S, T].
mlir::Value inFourDimensions(mlir::OpBuilder &b, mlir::Value bias, llvm::ArrayRef<ir::Dim> whole, bool heads);

} // namespace ingot::passes

#endif
