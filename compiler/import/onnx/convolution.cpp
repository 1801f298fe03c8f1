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

// A product over packed weights: each row holds what one position of the output sees, [N * positions, C * kernel]. The input is
// padded first, so that windows are read without a look at their bounds, and moved with positions innermost, as they lie.
static Tensor productOf(Graph &graph, const ConvolutionSpec &spec, const Window &window) {
  Tensor x = spec.x, w = spec.weight;
  const size_t rank = window.rank();
  const DataType type = x->dataType;
  bool padded = false, pointwise = true;
  for (size_t i = 0; i < rank; ++i) {
    padded |= !(window.before[i] == Dimension(0)) || !(window.after[i] == Dimension(0));
    pointwise &= w->shape[2 + i] == Dimension(1) && window.output[i] == x->shape[2 + i];
  }
  pointwise &= !padded;
  const Dimension batch = x->shape[0], channels = x->shape[1], outputs = w->shape[0], positions = elementsOf(window.output);
  const Dimension depth = elementsOf(Shape(w->shape.begin() + 1, w->shape.end()));
  Tensor windows = x;
  if (!pointwise) {
    std::vector<Dimension> shift(rank, Dimension(0));
    if (padded) {
      Shape shape = x->shape;
      for (size_t i = 0; i < rank; ++i) {
        shape[2 + i] = shape[2 + i] + window.before[i] + window.after[i];
        shift[i] = window.before[i];
      }
      windows = graph.compute(type, shape, [&](const Indices &i) {
        Indices from = i;
        for (size_t d = 0; d < rank; ++d)
          from[2 + d] = i[2 + d] - Scalar(window.before[d]);
        return atOr(graph, x, from, 2, Scalar::real(x->type, 0));
      });
    }
    Shape shape{batch, channels};
    shape.insert(shape.end(), w->shape.begin() + 2, w->shape.end());
    shape.insert(shape.end(), window.output.begin(), window.output.end());
    Tensor source = windows;
    windows = graph.compute(type, shape, [&](const Indices &i) {
      Indices from{i[0], i[1]};
      for (size_t d = 0; d < rank; ++d)
        from.push_back(window.position(d, i[2 + rank + d], i[2 + d]) + Scalar(shift[d]));
      return graph.at(source, from);
    });
  }
  Tensor rows = graph.transpose(graph.reshape(windows, {batch, depth, positions}), {0, 2, 1});
  Value product = graph.ir().linear(graph.value(graph.cast(graph.reshape(rows, {batch * positions, depth}), DataType::f32)),
                                    graph.value(graph.reshape(w, {outputs, depth})));
  Tensor flat = graph.computed(DataType::f32, {batch * positions, outputs}, product);
  Shape shape{batch, outputs};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  return graph.reshape(graph.transpose(graph.reshape(flat, {batch, positions, outputs}), {0, 2, 1}), shape);
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
  if (groups == 1 && (w->stored || w->known) && !x->known && isFloat(x->type) && x->type != ElementType::f64 &&
      x->shape[1].isConstant())
    return addChannels(graph, productOf(graph, spec, window), spec.bias);
  Shape shape{x->shape[0], w->shape[0]}, extents{w->shape[1]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
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
