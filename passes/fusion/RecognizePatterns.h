// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The patterns of recognize-ops that stand in files of their own.
#ifndef INGOT_PASSES_FUSION_RECOGNIZEPATTERNS_H
#define INGOT_PASSES_FUSION_RECOGNIZEPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace ingot::passes {

void addChoicePatterns(mlir::RewritePatternSet &patterns);
void addMovePatterns(mlir::RewritePatternSet &patterns);
void addNormPatterns(mlir::RewritePatternSet &patterns);
void addPositionPatterns(mlir::RewritePatternSet &patterns);
void addWeightPatterns(mlir::RewritePatternSet &patterns);

} // namespace ingot::passes

#endif
