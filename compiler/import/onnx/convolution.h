// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The convolution that operators of several domains share, in one place so that what becomes of it is decided once.
#ifndef INGOT_COMPILER_IMPORT_ONNX_CONVOLUTION_H
#define INGOT_COMPILER_IMPORT_ONNX_CONVOLUTION_H

#include "compiler/import/onnx/window.h"

namespace ingot::onnx {

struct ConvolutionSpec {
  Tensor x = nullptr;      // [N, C, spatial...], floats
  Tensor weight = nullptr; // [M, C / group, kernel...], of the same type
  Tensor bias = nullptr;   // [M]
};

// y[n, m, o] = bias[m] + sum over c and k of x[n, c of m's group, o * stride + k * dilation - padding] * weight[m, c, k], as the
// node's attributes say. Of the type in which sums are made (window.h: wideType): the caller rounds once.
Tensor convolution(Op &op, const ConvolutionSpec &spec);

// The same as the op of IR that has a kernel of its own: x and bias of floats of at most 32 bits, weight f32, as a matrix where a
// window is one element; paddings are known and not negative. f32.
Tensor convolve(Graph &graph, Tensor x, Value weight, Tensor bias, const Shape &shape, const Window &window, int64_t groups);
// The same of x and weight that were both dequantized from codes of 8 bits, as a product of these integers; f32. Null
// where it is not to be had so: with groups, zero points that are not one for x or one for a row of the weight, sums
// that pass 32 bits.
Tensor quantizedConvolution(Op &op, const ConvolutionSpec &spec);

// Throws where ranks and types of a convolution's operands do not go together, or a kernel's extent is not known.
void checkConvolution(Op &op, Tensor x, Tensor weight, Tensor bias);
// x [N, M, spatial...] with bias [M] added; x where there is none.
Tensor addChannels(Graph &graph, Tensor x, Tensor bias);

} // namespace ingot::onnx

#endif
