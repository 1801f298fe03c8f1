// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pattern of recognize-ops by which an op reads a tensor before it was cut or shifted.
#ifndef INGOT_PASSES_FUSION_MOVEPATTERNS_H
#define INGOT_PASSES_FUSION_MOVEPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace ingot::passes {

void addMovePatterns(mlir::RewritePatternSet &patterns);

} // namespace ingot::passes

#endif
