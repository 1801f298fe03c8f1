// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of quantized numbers: ConvInteger, QLinearConv.
#include "compiler/import/onnx/convolution.h"
#include "compiler/import/onnx/ops/quantization.h"

namespace ingot::onnx {

namespace {

// [m] as [m, 1, ...] of so many dimensions.
Shape channelsFirst(Tensor parameter, size_t rank) {
  Shape shape = parameter->shape;
  while (shape.size() < rank)
    shape.push_back(Dimension(1));
  return shape;
}

Tensor integerConvolution(Op &op, Tensor x, Tensor xZero, Tensor w, Tensor wZero, Tensor bias) {
  ConvolutionSpec spec{shifted(op, x, xZero, xZero ? xZero->shape : Shape{}),
                       shifted(op, w, wZero, wZero ? channelsFirst(wZero, w->rank()) : Shape{})};
  spec.bias = bias;
  return convolution(op, spec);
}

std::vector<Tensor> convInteger(Op &op) {
  return {integerConvolution(op, op.input(0), op.optional(2), op.input(1), op.optional(3), nullptr)};
}

std::vector<Tensor> qLinearConv(Op &op) {
  Tensor w = op.input(3), wScale = op.input(4);
  Tensor sums = integerConvolution(op, op.input(0), op.input(2), w, op.input(5), op.optional(8));
  if (!(elementsOf(wScale->shape) == Dimension(1)))
    wScale = op.graph.reshape(wScale, channelsFirst(wScale, w->rank() - 1));
  return {requantized(op, sums, op.input(1), wScale, op.input(6), op.input(7))};
}

constexpr Definition kOps[] = {
    {"", "ConvInteger", 10, convInteger},
    {"", "QLinearConv", 10, qLinearConv},
};

} // namespace

std::span<const Definition> quantizedConvolutionOps() { return kOps; }

} // namespace ingot::onnx
