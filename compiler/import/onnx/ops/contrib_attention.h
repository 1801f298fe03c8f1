// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What com.microsoft's attention operators have in common.
#ifndef INGOT_COMPILER_IMPORT_ONNX_OPS_CONTRIB_ATTENTION_H
#define INGOT_COMPILER_IMPORT_ONNX_OPS_CONTRIB_ATTENTION_H

#include "compiler/import/onnx/attention.h"

namespace ingot::onnx {

// The attribute scale; 1 / sqrt(size of a head) where it is absent or 0.
double scaleOf(Op &op, Tensor q);
// Columns of the last dimension from `first` on.
Tensor columnsOf(Graph &graph, Tensor x, const Dimension &first, const Dimension &count);
// The sum of those that there are.
Tensor sumOf(Graph &graph, Tensor a, Tensor b);
// What mask_index or key_padding_mask adds to scores, f32 and broadcast to [batch, heads, queries, keys]; null where there is no mask.
Tensor maskBias(Op &op, Tensor mask, const Dimension &batch, const Dimension &queries, const Dimension &past, const Dimension &keys);
// past [2, batch, heads, sequence, size] before the keys and values; the offset becomes its length.
void appendPast(Op &op, Tensor past, AttentionSpec &spec);
// [2, ...] of both.
Tensor stacked(Graph &graph, Tensor k, Tensor v);

// (a - zeroA) (b - zeroB) scaleA scaleB in f32: a product of integers, [.., m, k] by [.., k, n]. Scales and zero points are one
// for all; those of a may be one for each row, those of b one for each column. Zero points may be null.
Tensor scaledProduct(Op &op, Tensor a, Tensor b, Tensor scaleA, Tensor scaleB, Tensor zeroA, Tensor zeroB);
// The product of integers alone, i32.
Tensor integerProduct(Op &op, Tensor a, Tensor b, Tensor zeroA, Tensor zeroB);

} // namespace ingot::onnx

#endif
