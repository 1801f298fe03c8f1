// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef INGOT_PASSES_LAYOUT_GROUPNORMS_H
#define INGOT_PASSES_LAYOUT_GROUPNORMS_H

#include "mlir/IR/Builders.h"

namespace ingot::passes {

// (x - mean) / sqrt(variance + eps) over all positions and the channels of a group (Wu and He, Group Normalization, 2018), with channels last:
// input [B, X..., C] of f32, X and C static, `groups` a divisor of C -> like input. B may be any.
mlir::Value groupNormLast(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value input, int64_t groups, double eps);

} // namespace ingot::passes

#endif
