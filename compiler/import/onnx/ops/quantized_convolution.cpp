// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of quantized numbers: ConvInteger, QLinearConv, and what Conv is between DequantizeLinear and
// QuantizeLinear.
#include "compiler/import/onnx/convolution.h"
#include "compiler/import/onnx/ops/quantization.h"

namespace ingot::onnx {

// Each row holds the codes that one position of the output sees, [N * positions, C * kernel]; outside x lies its zero
// point.
static Tensor windowsOf(Graph &graph, Tensor x, Tensor zero, const Shape &kernel, const Window &window) {
  const size_t rank = window.rank();
  const Scalar outside = zero ? graph.at(zero, Indices(zero->rank(), Scalar(0))) : Scalar::integer(x->type, 0);
  Shape shape{x->shape[0]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  const size_t taps = shape.size();
  shape.push_back(x->shape[1]);
  shape.insert(shape.end(), kernel.begin(), kernel.end());
  Tensor windows = graph.compute(x->dataType, shape, [&](const Indices &i) {
    Indices from{i[0], i[taps]};
    for (size_t d = 0; d < rank; ++d)
      from.push_back(window.position(d, i[1 + d], i[taps + 1 + d]));
    size_t first = 2; // of the dimensions that padding moves outside
    while (first < from.size() && window.before[first - 2] == Dimension(0) && window.after[first - 2] == Dimension(0))
      ++first;
    return atOr(graph, x, from, first, outside);
  });
  Shape matrix{x->shape[0] * elementsOf(window.output), x->shape[1] * elementsOf(kernel)};
  return graph.reshape(windows, matrix);
}

Tensor quantizedConvolution(Op &op, const ConvolutionSpec &spec) {
  Graph &graph = op.graph;
  Tensor x = spec.x, w = spec.weight;
  if (!x->dequantized || x->dequantized->constant || !Graph::isQuantizedWeight(w) || w->rank() != x->rank() ||
      op.integer("group", 1) != 1 || !(x->shape[1] == w->shape[1]))
    return nullptr;
  const Shape kernel(w->shape.begin() + 2, w->shape.end());
  std::vector<int64_t> sizes;
  for (const Dimension &size : kernel)
    sizes.push_back(*size.constant());
  const Window window = windowOf(op, Shape(x->shape.begin() + 2, x->shape.end()), sizes, false);
  const Dequantized &from = *x->dequantized;
  Tensor flat =
      graph.codesTimes(windowsOf(graph, from.codes, from.zero, kernel, window), from.zero, from.scale,
                       graph.reshape(w, {w->shape[0], elementsOf(Shape(w->shape.begin() + 1, w->shape.end()))}));
  if (!flat)
    return nullptr;
  const Dimension positions = elementsOf(window.output);
  Shape shape{x->shape[0], w->shape[0]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  Tensor turned = graph.transpose(graph.reshape(flat, {x->shape[0], positions, w->shape[0]}), {0, 2, 1});
  return addChannels(graph, graph.reshape(turned, shape), spec.bias);
}

namespace {

// [m] as [m, 1, ...] of so many dimensions.
Shape channelsFirst(Tensor parameter, size_t rank) {
  Shape shape = parameter->shape;
  while (shape.size() < rank)
    shape.push_back(Dimension(1));
  return shape;
}

// Sums as i32, or, where a kernel gives them so, as f32.
Tensor plainly(Op &op, Tensor x, Tensor xZero, Tensor w, Tensor wZero, Tensor bias) {
  ConvolutionSpec spec{shifted(op, x, xZero, xZero ? xZero->shape : Shape{}),
                       shifted(op, w, wZero, wZero ? channelsFirst(wZero, w->rank()) : Shape{})};
  spec.bias = bias;
  return convolution(op, spec);
}

// The sums as floats, which are exact up to 2^24, of codes whose scale is 1; null where no kernel makes them.
Tensor sumsOf(Op &op, Tensor x, Tensor xZero, Tensor w, Tensor wZero, Tensor bias) {
  Graph &graph = op.graph;
  auto numbers = [&](Tensor codes, Tensor zero, Tensor scale) {
    Dequantized how;
    how.codes = codes;
    how.scale = scale;
    how.zero = zero;
    how.along = zero && !(elementsOf(zero->shape) == Dimension(1)) ? Dequantized::Along::axis : Dequantized::Along::all;
    return graph.dequantize(DataType::f32, how, [=, &graph] { return graph.cast(codes, DataType::f32); });
  };
  if (xZero && !(elementsOf(xZero->shape) == Dimension(1)))
    return nullptr;
  Tensor one = graph.scalar(DataType::f32, 1), floatBias = bias ? graph.cast(bias, DataType::f32) : nullptr;
  checkConvolution(op, numbers(x, xZero, one), numbers(w, nullptr, one), floatBias);
  // With zero points for rows scales are those of rows too.
  const auto rows = w->shape[0].constant();
  if (!rows || *rows > kLargestLiteral)
    return nullptr;
  Tensor scale = wZero && !(elementsOf(wZero->shape) == Dimension(1)) ? graph.scalar(DataType::f32, 1, {*rows}) : one;
  ConvolutionSpec spec{numbers(x, xZero, one), numbers(w, wZero, scale)};
  spec.bias = floatBias;
  return quantizedConvolution(op, spec);
}

std::vector<Tensor> convInteger(Op &op) {
  Tensor x = op.input(0), xZero = op.optional(2), w = op.input(1), wZero = op.optional(3);
  Tensor floats = sumsOf(op, x, xZero, w, wZero, nullptr);
  if (!floats)
    return {plainly(op, x, xZero, w, wZero, nullptr)};
  Tensor sums = op.graph.computed(DataType::i32, floats->shape, Value());
  sums->asFloats = [floats] { return floats; };
  sums->later = [op, x, xZero, w, wZero]() mutable { return op.graph.value(plainly(op, x, xZero, w, wZero, nullptr)); };
  return {sums};
}

std::vector<Tensor> qLinearConv(Op &op) {
  Tensor w = op.input(3), wScale = op.input(4);
  Tensor sums = sumsOf(op, op.input(0), op.input(2), w, op.input(5), op.optional(8));
  if (!sums)
    sums = plainly(op, op.input(0), op.input(2), w, op.input(5), op.optional(8));
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
