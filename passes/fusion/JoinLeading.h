// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over windows, units or groups: its scores have more batch dimensions than one, or are parted into more
// where a mask is added. These are joined here, through all that computes the scores, so that fuse-attention reads [B,
// H, S, T].
#ifndef INGOT_PASSES_FUSION_JOINLEADING_H
#define INGOT_PASSES_FUSION_JOINLEADING_H

#include "dialects/ingot/IngotDialect.h"

namespace ingot::passes {

// Joins the leading dimensions of what the softmax reads, where element-wise ops lead from it to a product of matrices:
// where a reshape joins them before the softmax, and where the softmax has five and more. Of these the last before the
// rows becomes the heads if it is static. The softmax may be replaced by another.
void joinLeading(ir::SoftmaxOp softmax);

// Turns (k q^T)^T, where element-wise ops lead from it to the softmax, into q k^T, and v^T p^T of its probabilities into (p v)^T.
void turnProducts(ir::SoftmaxOp softmax);

} // namespace ingot::passes

#endif
