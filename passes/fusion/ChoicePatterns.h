// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The patterns of recognize-ops for choices that are written as arithmetic, as by exporters to versions of ONNX without
// Where.
#ifndef INGOT_PASSES_FUSION_CHOICEPATTERNS_H
#define INGOT_PASSES_FUSION_CHOICEPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace ingot::passes {

void addChoicePatterns(mlir::RewritePatternSet &patterns);

} // namespace ingot::passes

#endif
