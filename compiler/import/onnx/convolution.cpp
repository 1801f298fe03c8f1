// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See convolution.h.
#include "compiler/import/onnx/convolution.h"

namespace ingot::onnx {

void checkConvolution(Op &op, Tensor x, Tensor weight, Tensor bias) {
  if (x->rank() < 3)
    op.fail("the input has shape " + textOf(x->shape) + "; expected a batch, channels and at least one spatial dimension");
  if (weight->dataType != x->dataType || (bias && bias->dataType != x->dataType))
    op.fail("the input is of " + nameOf(x->dataType) + ", the kernel of " + nameOf(weight->dataType) +
            (bias ? ", the bias of " + nameOf(bias->dataType) : "") + "; they must be alike");
  if (weight->rank() != x->rank())
    op.fail("the kernel has shape " + textOf(weight->shape) + "; the input has " + std::to_string(x->rank()) + " dimensions");
  for (size_t i = 2; i < weight->rank(); ++i)
    if (!weight->shape[i].isConstant())
      op.fail("the kernel has shape " + textOf(weight->shape) + "; its extents must be constants");
  if (op.has("kernel_shape")) {
    const std::vector<int64_t> kernel = op.integerList("kernel_shape");
    if (!(Shape(kernel.begin(), kernel.end()) == Shape(weight->shape.begin() + 2, weight->shape.end())))
      op.fail("attribute kernel_shape differs from the kernel, which has shape " + textOf(weight->shape));
  }
  if (bias && bias->rank() != 1)
    op.fail("the bias has shape " + textOf(bias->shape) + "; expected one dimension");
}

Tensor addChannels(Graph &graph, Tensor x, Tensor bias) {
  if (!bias)
    return x;
  Shape shape(x->rank() - 1, Dimension(1));
  shape[0] = bias->shape[0];
  return graph.elementwise(ScalarOp::add, {x, graph.reshape(graph.cast(bias, x->dataType), shape)});
}

// Whether the kernel takes it: it keeps lines of the image for a block of 64 places in scratch, and counts in 32 bits.
static bool fits(const Window &window) {
  int64_t lines = 1;
  for (size_t i = 0; i < window.rank(); ++i) {
    if (!window.before[i].isConstant() || !window.after[i].isConstant() || window.strides[i] > 4096 || window.dilations[i] > 4096 ||
        window.kernel[i] > 4096 || *window.before[i].constant() < 0 || *window.after[i].constant() < 0 ||
        *window.before[i].constant() > (1 << 20))
      return false;
    lines *= i + 1 < window.rank() ? window.kernel[i]
                                   : window.strides[i] + ((window.kernel[i] - 1) * window.dilations[i] / window.strides[i]) * window.strides[i];
    if (lines > 1 << 14)
      return false;
  }
  return window.rank() <= 3;
}

Tensor convolve(Graph &graph, Tensor x, Value weight, Tensor bias, const Shape &shape, const Window &window, int64_t groups) {
  WindowSpec spec;
  spec.strides = window.strides;
  spec.dilations = window.dilations;
  spec.groups = groups;
  for (const Shape *side : {&window.before, &window.after})
    for (const Dimension &pad : *side)
      spec.pads.push_back(*pad.constant());
  Value added = bias ? graph.value(graph.cast(bias, DataType::f32)) : Value();
  return graph.computed(DataType::f32, shape, graph.ir().convolution(graph.value(graph.cast(x, DataType::f32)), weight, added, shape, spec));
}

Tensor convolution(Op &op, const ConvolutionSpec &spec) {
  Graph &graph = op.graph;
  Tensor x = spec.x, w = spec.weight;
  checkConvolution(op, x, w, spec.bias);
  const int64_t groups = op.integer("group", 1);
  const auto channels = x->shape[1].constant(), rows = w->shape[0].constant(), columns = w->shape[1].constant();
  if (groups < 1 || !rows || !columns || (channels && *channels != *columns * groups) || *rows % groups)
    op.fail("the input has shape " + textOf(x->shape) + " and the kernel " + textOf(w->shape) + "; with " +
            std::to_string(groups) + " groups expected kernels for the channels of each");
  std::vector<int64_t> kernel;
  for (size_t i = 2; i < w->rank(); ++i)
    kernel.push_back(*w->shape[i].constant());
  if (Tensor made = quantizedConvolution(op, spec))
    return made;
  Window window = windowOf(op, Shape(x->shape.begin() + 2, x->shape.end()), kernel, false);
  Shape shape{x->shape[0], w->shape[0]}, extents{w->shape[1]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  if (isFloat(x->type) && x->type != ElementType::f64 && !x->known && channels && fits(window) && (!spec.bias || spec.bias->shape[0] == w->shape[0]))
    return convolve(graph, x, graph.value(graph.cast(w, DataType::f32)), spec.bias, shape, window, groups);
  extents.insert(extents.end(), w->shape.begin() + 2, w->shape.end());
  Tensor sum = graph.reduce(wideType(x->dataType), shape, extents, Reduction::sum, [&](const Indices &o, const Indices &k) {
    const Scalar channel = groups == 1 ? k[0] : o[1] / Scalar(*rows / groups) * Scalar(*columns) + k[0];
    Indices from{o[0], channel}, weight{o[1], k[0]};
    for (size_t i = 0; i < window.rank(); ++i) {
      from.push_back(window.position(i, o[2 + i], k[1 + i]));
      weight.push_back(k[1 + i]);
    }
    // Elements that no padding moves outside are read as they are.
    size_t first = 2;
    while (first < from.size() && window.before[first - 2] == Dimension(0) && window.after[first - 2] == Dimension(0))
      ++first;
    return widened(atOr(graph, x, from, first, Scalar::real(x->type, 0))) * widened(graph.at(w, weight));
  });
  return addChannels(graph, sum, spec.bias);
}

} // namespace ingot::onnx
