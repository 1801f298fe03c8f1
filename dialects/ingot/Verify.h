// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the verifiers of the dialect's op families share. Internal to dialects/ingot.
#ifndef INGOT_DIALECTS_INGOT_VERIFY_H
#define INGOT_DIALECTS_INGOT_VERIFY_H

#include "dialects/ingot/IngotDialect.h"

namespace ingot::ir {

// Fails with "'op' op `operand`'s dimension I is X; expected Y (of)" where the two do not agree.
mlir::LogicalResult checkDim(mlir::Operation *op, llvm::StringRef operand, mlir::Value value, unsigned index,
                             const Dim &expected, llvm::StringRef of);

// Fails where layer is none of the group's, or (when given) its kv_heads or head_dim are others. Labels the messages'
// causes for the op; a group that is not declared fails too.
mlir::LogicalResult checkCacheUse(mlir::Operation *op, CacheType cache, std::optional<int64_t> layer,
                                  std::optional<int64_t> kvHeads, std::optional<int64_t> headDim);

} // namespace ingot::ir

#endif
