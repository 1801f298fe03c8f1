// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The patterns of recognize-ops whose operand is a stored weight, under whatever transposes and casts.
#ifndef INGOT_PASSES_FUSION_WEIGHTPATTERNS_H
#define INGOT_PASSES_FUSION_WEIGHTPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace ingot::passes {

void addWeightPatterns(mlir::RewritePatternSet &patterns);

} // namespace ingot::passes

#endif
