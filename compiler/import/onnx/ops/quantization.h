// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What quantized operators of all domains share: the integers of a type, and how a number becomes one.
#ifndef INGOT_COMPILER_IMPORT_ONNX_OPS_QUANTIZATION_H
#define INGOT_COMPILER_IMPORT_ONNX_OPS_QUANTIZATION_H

#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

struct IntegerRange {
  int64_t least = 0, most = 0;
};
// Of a type that numbers are quantized to: 16 bits and fewer. Throws for others.
IntegerRange rangeOf(Op &op, DataType type);
// round(x) + zeroPoint, ties to even, cut to the range, as `held`. x and zeroPoint are f32; NaN gives the smallest.
Scalar quantized(Scalar x, Scalar zeroPoint, IntegerRange range, ElementType held);

// x without its zero point, as i32. The zero point is left out, one number, or has as many elements as `shape`, which is
// broadcast to x.
Tensor shifted(Op &op, Tensor x, Tensor zero, const Shape &shape);
// sums (i32) * scales a and b of the operands / scale y of the result, quantized with the zero point, whose type is the
// result's. Scales are broadcast to the sums.
Tensor requantized(Op &op, Tensor sums, Tensor a, Tensor b, Tensor y, Tensor zero);

} // namespace ingot::onnx

#endif
