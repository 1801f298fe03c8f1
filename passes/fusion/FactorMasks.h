// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masks that scores are multiplied with: s * m - 10000 * (1 - m), m being 0 where a key is hidden and 1 elsewhere, as GPT wrote them first.
#ifndef INGOT_PASSES_FUSION_FACTORMASKS_H
#define INGOT_PASSES_FUSION_FACTORMASKS_H

#include "passes/StoredTensors.h"

namespace ingot::passes {

class FactorMasks {
public:
  // Whether the mask holds 0 and 1 alone, and `bias` is at most match::kHiddenScore where it is 0: scores that the bias is added to have the
  // same probabilities without the mask, but where a query sees no key.
  bool hidden(mlir::Value bias, mlir::Value mask);

  // Whether the value may be such a mask, by what it is made of.
  static bool mayBe(mlir::Value value);

private:
  bool isZeroOrOne(mlir::Value value);
  bool isZeroOrOne(ir::TensorOp tensor);

  StoredTensors stored;
  llvm::StringMap<bool> known; // of tensors in files
};

} // namespace ingot::passes

#endif
