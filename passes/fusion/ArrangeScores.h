// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrangements of scores other than [B, H, S, T], which become that here, through all that computes them, for fuse-attention to read.
#ifndef INGOT_PASSES_FUSION_ARRANGESCORES_H
#define INGOT_PASSES_FUSION_ARRANGESCORES_H

#include "dialects/ingot/IngotDialect.h"

namespace ingot::passes {

// Where element-wise ops lead from a product of matrices to the softmax:
// - (k q^T)^T becomes q k^T, and v^T p^T of its probabilities (p v)^T: so einsum is lowered by some exporters.
// - The leading dimensions of windows or units are joined, where a reshape joins them before the softmax (they were parted to add a mask) and where
//   the softmax has five and more dimensions. Of these the last before the rows becomes the heads if it is static.
// - Places of an image that were parted to add a bias for lines and one for columns, [N, H, W, H, W] of [N, H * W, H * W], stay together.
// - Of heads in groups, [B, G, R, S, T], rows of a group that were joined in the products, [B, G, R * S, T], are parted, and groups joined to heads.
// The softmax may be replaced by another.
void arrangeScores(ir::SoftmaxOp softmax);

} // namespace ingot::passes

#endif
