// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Norms and softmax. Where a norm is one of IR's ops it becomes that; else it is made of sums and products. 16-bit floats are
// computed with in f32 and rounded at the end.
#include "compiler/import/onnx/op.h"

#include <algorithm>

namespace ingot::onnx {

namespace {

Tensor widened(Op &op, Tensor x) {
  if (!isFloat(x->type))
    op.fail("its input is of " + nameOf(x->dataType) + "; expected floats");
  return x->type == ElementType::f16 || x->type == ElementType::bf16 ? op.graph.cast(x, DataType::f32) : x;
}

Tensor add(Op &op, Tensor a, Tensor b) { return op.graph.elementwise(ScalarOp::add, {a, b}); }
Tensor sub(Op &op, Tensor a, Tensor b) { return op.graph.elementwise(ScalarOp::sub, {a, b}); }
Tensor mul(Op &op, Tensor a, Tensor b) { return op.graph.elementwise(ScalarOp::mul, {a, b}); }
Tensor div(Op &op, Tensor a, Tensor b) { return op.graph.elementwise(ScalarOp::div, {a, b}); }
Tensor number(Op &op, Tensor like, double value) { return op.graph.scalar(like->dataType, value); }

// x as a matrix: dimensions before `axis`, and those from it on.
Tensor flattened(Op &op, Tensor x, size_t axis) {
  const auto at = std::ptrdiff_t(axis);
  return op.graph.reshape(x, {elementsOf(Shape(x->shape.begin(), x->shape.begin() + at)),
                              elementsOf(Shape(x->shape.begin() + at, x->shape.end()))});
}

Tensor logSoftmaxAlong(Op &op, Tensor x, size_t axis) {
  Graph &graph = op.graph;
  Tensor wide = widened(op, x);
  Tensor shifted = sub(op, wide, graph.reduceAxes(Reduction::max, wide, {axis}, true));
  Tensor sum = graph.reduceAxes(Reduction::sum, graph.elementwise(ScalarOp::exp, {shifted}), {axis}, true);
  return graph.cast(sub(op, shifted, graph.elementwise(ScalarOp::log, {sum})), x->dataType);
}

Tensor softmaxAlong(Op &op, Tensor x, size_t axis) {
  widened(op, x); // only floats
  return op.graph.softmax(x, axis);
}

using Along = Tensor (*)(Op &, Tensor, size_t);

template <Along along> std::vector<Tensor> alongAxis(Op &op) {
  Tensor x = op.input(0);
  return {along(op, x, axisOf(op.integer("axis", -1), x->rank()))};
}

// Before version 13: along all dimensions from `axis` on, as one.
template <Along along> std::vector<Tensor> alongRest(Op &op) {
  Tensor x = op.input(0);
  const size_t axis = axisOf(op.integer("axis", 1), x->rank());
  if (axis + 1 == x->rank())
    return {along(op, x, axis)};
  return {op.graph.reshape(along(op, flattened(op, x, axis), 1), x->shape)};
}

// (x - mean) / sqrt(variance + eps) over axes.
struct Standardized {
  Tensor values, mean, inverse;
};
Standardized standardize(Op &op, Tensor x, const std::vector<size_t> &axes, double eps) {
  Graph &graph = op.graph;
  Tensor mean = graph.reduceAxes(Reduction::mean, x, axes, true);
  Tensor centred = sub(op, x, mean);
  Tensor variance = graph.reduceAxes(Reduction::mean, mul(op, centred, centred), axes, true);
  Tensor deviation = graph.elementwise(ScalarOp::sqrt, {add(op, variance, number(op, x, eps))});
  return {div(op, centred, deviation), mean, div(op, number(op, x, 1), deviation)};
}

// The same over the dimensions from `first` on, as rows of one dimension, which is what the norms of the IR are of.
Tensor standardizeRest(Op &op, Tensor x, size_t first, double eps) {
  if (first >= x->rank())
    return standardize(op, x, {}, eps).values;
  Shape rows(x->shape.begin(), x->shape.begin() + std::ptrdiff_t(first));
  rows.push_back(elementsOf(Shape(x->shape.begin() + std::ptrdiff_t(first), x->shape.end())));
  return op.graph.reshape(standardize(op, op.graph.reshape(x, rows), {first}, eps).values, x->shape);
}

std::vector<size_t> axesFrom(size_t first, size_t rank) {
  std::vector<size_t> axes;
  for (size_t d = first; d < rank; ++d)
    axes.push_back(d);
  return axes;
}

// Whether a norm over the dimensions from `axis` on is one of IR's ops: these are static, and scale (and bias) have their shape.
bool isRowNorm(Tensor x, size_t axis, std::initializer_list<Tensor> parameters) {
  const Shape rest(x->shape.begin() + std::ptrdiff_t(axis), x->shape.end());
  for (const Dimension &size : rest)
    if (!size.isConstant())
      return false;
  for (Tensor parameter : parameters)
    if (parameter && (!(parameter->shape == rest) || parameter->dataType != x->dataType))
      return false;
  return x->type != ElementType::f64 && axis > 0;
}

std::vector<Tensor> layerNorm(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), scale = op.input(1), bias = op.optional(2);
  const size_t axis = axisOf(op.integer("axis", -1), x->rank());
  const double eps = op.real("epsilon", 1e-5);
  widened(op, x);
  if (!op.wants(1) && !op.wants(2) && isRowNorm(x, axis, {scale, bias})) {
    const bool one = axis + 1 == x->rank();
    Tensor rows = one ? x : flattened(op, x, axis);
    Shape width = {rows->shape.back()};
    Value made = graph.ir().layerNorm(graph.value(rows), graph.value(graph.reshape(scale, width)),
                                      bias ? graph.value(graph.reshape(bias, width)) : Value(), eps);
    Tensor result = graph.computed(x->dataType, rows->shape, made);
    return {one ? result : graph.reshape(result, x->shape)};
  }
  op.repeats(scale, x->shape, "the scale");
  op.repeats(bias, x->shape, "the bias");
  const DataType type = DataType(op.integer("stash_type", 1)) == DataType::f32 && x->type != ElementType::f64 ? DataType::f32 : x->dataType;
  Standardized made = standardize(op, graph.cast(x, type), axesFrom(axis, x->rank()), eps);
  Tensor y = mul(op, graph.cast(made.values, x->dataType), scale);
  return {bias ? add(op, y, bias) : y, made.mean, made.inverse};
}

std::vector<Tensor> rmsNorm(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), scale = op.input(1);
  const size_t axis = axisOf(op.integer("axis", -1), x->rank());
  const double eps = op.real("epsilon", 1e-5);
  widened(op, x);
  if (isRowNorm(x, axis, {scale})) {
    const bool one = axis + 1 == x->rank();
    Tensor rows = one ? x : flattened(op, x, axis);
    Tensor result = graph.computed(
        x->dataType, rows->shape,
        graph.ir().rmsNorm(graph.value(rows), graph.value(graph.reshape(scale, {rows->shape.back()})), eps));
    return {one ? result : graph.reshape(result, x->shape)};
  }
  op.repeats(scale, x->shape, "the scale");
  Tensor wide = widened(op, x);
  Tensor square = graph.reduceAxes(Reduction::mean, mul(op, wide, wide), axesFrom(axis, x->rank()), true);
  Tensor y = div(op, wide, graph.elementwise(ScalarOp::sqrt, {add(op, square, number(op, wide, eps))}));
  return {mul(op, graph.cast(y, scale->dataType), scale)};
}

// [c] as [c, 1, ...], which stands at dimension 1 of an input of this rank, where `channels` are.
Tensor perChannel(Op &op, Tensor x, size_t rank, const Dimension &channels, const char *name) {
  if (x->rank() != 1 || op.graph.differ(x->shape[0], channels, "a number for each channel in " + std::string(name)))
    op.fail(std::string(name) + " has shape " + textOf(x->shape) + "; expected [" + channels.text() + "], a number for each channel");
  Shape shape = x->shape;
  for (size_t d = 2; d < rank; ++d)
    shape.push_back(Dimension(1));
  return op.graph.reshape(x, shape);
}

void needsChannels(Op &op, Tensor x) {
  if (x->rank() < 2)
    op.fail("its input has shape " + textOf(x->shape) + "; expected [n, c, ...]");
}

std::vector<Tensor> batchNorm(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), wide = widened(op, x);
  if (x->rank() == 1)
    op.fail("its input has shape " + textOf(x->shape) + "; expected [n, c, ...]");
  if (op.integer("spatial", 1) == 0)
    op.fail("statistics for each place (spatial = 0) are not supported");
  auto parameter = [&](size_t index, const char *name) {
    return perChannel(op, graph.cast(op.input(index), wide->dataType), x->rank(), x->shape[1], name);
  };
  Tensor scale = parameter(1, "the scale"), bias = parameter(2, "the bias");
  Tensor mean = parameter(3, "the mean"), variance = parameter(4, "the variance");
  const double eps = op.real("epsilon", 1e-5);
  std::vector<Tensor> outputs;
  if (op.version >= 14 && op.integer("training_mode", 0)) {
    // Statistics of this batch, and running ones that follow them.
    std::vector<size_t> axes = axesFrom(2, x->rank());
    axes.insert(axes.begin(), 0);
    const double momentum = op.real("momentum", 0.9);
    Tensor now = graph.reduceAxes(Reduction::mean, wide, axes, true), centred = sub(op, wide, now);
    Tensor spread = graph.reduceAxes(Reduction::mean, mul(op, centred, centred), axes, true);
    auto follow = [&](Tensor running, Tensor current, size_t like) {
      Tensor flat = graph.reshape(current, running->shape);
      Tensor next = add(op, mul(op, running, number(op, running, momentum)), mul(op, flat, number(op, flat, 1 - momentum)));
      return graph.cast(graph.reshape(next, op.input(like)->shape), op.input(like)->dataType);
    };
    outputs = {follow(mean, now, 3), follow(variance, spread, 4)};
    mean = now;
    variance = spread;
  }
  Tensor deviation = graph.elementwise(ScalarOp::sqrt, {add(op, variance, number(op, wide, eps))});
  // A factor and an offset for each channel, computed once.
  Tensor factor = div(op, scale, deviation);
  // Where both are known, they are what fusion moves into a convolution.
  const bool known = factor->known && mean->known && bias->known;
  Tensor y = known ? add(op, mul(op, wide, factor), sub(op, bias, mul(op, mean, factor)))
                   : add(op, mul(op, sub(op, wide, mean), factor), bias);
  outputs.insert(outputs.begin(), graph.cast(y, x->dataType));
  return outputs;
}

std::vector<Tensor> instanceNorm(Op &op) {
  Tensor x = op.input(0), wide = widened(op, x);
  needsChannels(op, x);
  Tensor values = standardizeRest(op, wide, 2, op.real("epsilon", 1e-5));
  Tensor scale = perChannel(op, op.graph.cast(op.input(1), wide->dataType), x->rank(), x->shape[1], "the scale");
  Tensor bias = perChannel(op, op.graph.cast(op.input(2), wide->dataType), x->rank(), x->shape[1], "the bias");
  return {op.graph.cast(add(op, mul(op, values, scale), bias), x->dataType)};
}

// Channels in groups. Scale and bias are of groups in version 18, of channels since 21.
template <bool ofGroups> std::vector<Tensor> groupNorm(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), wide = widened(op, x);
  needsChannels(op, x);
  const Dimension groups = op.integer("num_groups");
  auto channels = groups == Dimension(0) ? std::nullopt : Dimension::exactQuotient(x->shape[1], groups);
  if (!channels)
    op.fail(x->shape[1].text() + " channels are no multiple of " + groups.text() + " groups");
  Shape split = {x->shape[0], groups, *channels};
  split.insert(split.end(), x->shape.begin() + 2, x->shape.end());
  Tensor values = standardizeRest(op, graph.reshape(wide, split), 2, op.real("epsilon", 1e-5));
  auto parameter = [&](size_t index, const char *name) {
    Tensor given = graph.cast(op.input(index), wide->dataType);
    return perChannel(op, given, ofGroups ? split.size() : x->rank(), ofGroups ? groups : x->shape[1], name);
  };
  Tensor scale = parameter(1, "the scale"), bias = parameter(2, "the bias");
  if (!ofGroups)
    values = graph.reshape(values, x->shape);
  Tensor y = add(op, mul(op, values, scale), bias);
  return {graph.cast(ofGroups ? graph.reshape(y, x->shape) : y, x->dataType)};
}

// (x - mean) / (deviation + 1e-9), as the operator's function body has it.
std::vector<Tensor> meanVarianceNorm(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), wide = widened(op, x);
  std::vector<size_t> axes;
  for (int64_t axis : op.integerList("axes", std::vector<int64_t>{0, 2, 3}))
    axes.push_back(axisOf(axis, x->rank()));
  Tensor centred = sub(op, wide, graph.reduceAxes(Reduction::mean, wide, axes, true));
  Tensor variance = graph.reduceAxes(Reduction::mean, mul(op, centred, centred), axes, true);
  Tensor deviation = add(op, graph.elementwise(ScalarOp::sqrt, {variance}), number(op, wide, 1e-9));
  return {graph.cast(div(op, centred, deviation), x->dataType)};
}

// x divided by its norm along an axis; 0 where that is 0.
std::vector<Tensor> lpNorm(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), wide = widened(op, x);
  const size_t axis = axisOf(op.integer("axis", -1), x->rank());
  const int64_t p = op.integer("p", 2);
  if (p != 1 && p != 2)
    op.fail("p is " + std::to_string(p) + "; expected 1 or 2");
  Tensor terms = p == 1 ? graph.elementwise(ScalarOp::abs, {wide}) : mul(op, wide, wide);
  Tensor norm = graph.reduceAxes(Reduction::sum, terms, {axis}, true);
  if (p == 2)
    norm = graph.elementwise(ScalarOp::sqrt, {norm});
  Tensor y = graph.map(wide->dataType, {wide, norm}, [](const std::vector<Scalar> &s) {
    return select(equal(s[1], like(s[1], 0)), like(s[0], 0), s[0] / s[1]);
  });
  return {graph.cast(y, x->dataType)};
}

// Local response: x / (bias + alpha / size * sum of squares of `size` channels around)^beta.
std::vector<Tensor> localResponse(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), wide = widened(op, x);
  needsChannels(op, x);
  const int64_t size = op.integer("size");
  if (size <= 0)
    op.fail("size is " + std::to_string(size) + "; expected a positive number");
  const double alpha = op.real("alpha", 1e-4), beta = op.real("beta", 0.75), bias = op.real("bias", 1.0);
  Tensor sum = graph.reduce(wide->dataType, x->shape, {Dimension(size)}, Reduction::sum, [&](const Indices &i, const Indices &k) {
    Scalar channel = i[1] + k[0] - Scalar((size - 1) / 2), count = Scalar(x->shape[1]);
    Indices own = i;
    own[1] = larger(smaller(channel, count - Scalar(1)), Scalar(0));
    Scalar element = graph.at(wide, own);
    return select(both(channel >= Scalar(0), channel < count), element * element, like(element, 0));
  });
  Tensor y = graph.map(wide->dataType, {wide, sum}, [&](const std::vector<Scalar> &s) {
    return s[0] / apply(ScalarOp::pow, like(s[0], bias) + like(s[0], alpha / double(size)) * s[1], like(s[0], beta));
  });
  return {graph.cast(y, x->dataType)};
}

constexpr Definition kOps[] = {
    {"", "Softmax", 1, alongRest<softmaxAlong>},
    {"", "Softmax", 13, alongAxis<softmaxAlong>},
    {"", "LogSoftmax", 1, alongRest<logSoftmaxAlong>},
    {"", "LogSoftmax", 13, alongAxis<logSoftmaxAlong>},
    {"", "LayerNormalization", 17, layerNorm},
    {"", "RMSNormalization", 23, rmsNorm},
    {"", "BatchNormalization", 1, batchNorm},
    {"", "InstanceNormalization", 1, instanceNorm},
    {"", "GroupNormalization", 18, groupNorm<true>},
    {"", "GroupNormalization", 21, groupNorm<false>},
    {"", "MeanVarianceNormalization", 9, meanVarianceNorm},
    {"", "LpNormalization", 1, lpNorm},
    {"", "LRN", 1, localResponse},
};

} // namespace

std::span<const Definition> normalizationOps() { return kOps; }

} // namespace ingot::onnx
