// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pooling over windows and over whole planes: MaxPool, AveragePool, LpPool, MaxUnpool and the global ones. Pooling of regions is
// in region_pooling.cpp.
#include "compiler/import/onnx/window.h"

#include <cmath>
#include <limits>

namespace ingot::onnx {

namespace {

Tensor planes(Op &op) {
  Tensor x = op.input(0);
  if (x->rank() < 3)
    op.fail("the input has shape " + textOf(x->shape) + "; expected a batch, channels and at least one spatial dimension");
  return x;
}

Window poolWindow(Op &op, Tensor x) {
  return windowOf(op, Shape(x->shape.begin() + 2, x->shape.end()), op.integerList("kernel_shape"), op.integer("ceil_mode", 0) != 0);
}

Shape pooledShape(Tensor x, const Window &window) {
  Shape shape{x->shape[0], x->shape[1]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  return shape;
}

Indices tap(const Window &window, const Indices &o, const Indices &k) {
  Indices indices{o[0], o[1]};
  for (size_t i = 0; i < window.rank(); ++i)
    indices.push_back(window.position(i, o[2 + i], k[i]));
  return indices;
}

// The smallest number of a type.
Scalar lowest(ElementType type) {
  if (isFloat(type))
    return Scalar::real(type, -std::numeric_limits<double>::infinity());
  const unsigned bits = unsigned(elementBytes(type) * 8);
  return Scalar::integer(type, isUnsigned(type) ? 0 : int64_t(~uint64_t(0) << (bits - 1)));
}

// The position of each window's largest element in the whole input, the first of equal ones; of the last dimension
// fastest, or (column-major) of the first spatial dimension fastest.
Tensor positions(Op &op, Tensor x, Tensor largest, const Window &window) {
  Graph &graph = op.graph;
  Tensor first = graph.reduce(DataType::i64, largest->shape, window.extents(), Reduction::min, [&](const Indices &o, const Indices &k) {
    const Indices at = tap(window, o, k);
    Scalar linear = 0, inside;
    for (size_t i = 0; i < window.rank(); ++i) {
      const Scalar size(window.input[i]);
      linear = linear * size + at[2 + i];
      Scalar here = both(at[2 + i] >= Scalar(0), at[2 + i] < size);
      inside = inside ? both(inside, here) : here;
    }
    Scalar value = atOr(graph, x, at, 2, lowest(x->type));
    Scalar hit = equal(value, graph.at(largest, o));
    if (isFloat(x->type))
      hit = either(hit, apply(ScalarOp::is_nan, value));
    return select(both(inside, hit), cast(linear, ElementType::i64), Scalar::integer(ElementType::i64, INT64_MAX));
  });
  const bool columnMajor = op.integer("storage_order", 0) != 0;
  return graph.compute(DataType::i64, largest->shape, [&](const Indices &o) {
    Scalar linear = cast(graph.at(first, o), ElementType::index), plane(elementsOf(window.input));
    if (columnMajor) {
      Scalar rest = linear, turned = 0;
      for (size_t i = window.rank(); i-- > 0;) {
        turned = turned + rest % Scalar(window.input[i]) * Scalar(elementsOf(Shape(window.input.begin(), window.input.begin() + int64_t(i))));
        rest = rest / Scalar(window.input[i]);
      }
      linear = turned;
    }
    return cast((o[0] * Scalar(x->shape[1]) + o[1]) * plane + linear, ElementType::i64);
  });
}

std::vector<Tensor> maxPool(Op &op) {
  Graph &graph = op.graph;
  Tensor x = planes(op);
  Window window = poolWindow(op, x);
  Tensor largest = graph.reduce(x->dataType, pooledShape(x, window), window.extents(), Reduction::max,
                                [&](const Indices &o, const Indices &k) {
                                  return atOr(graph, x, tap(window, o, k), 2, lowest(x->type));
                                });
  std::vector<Tensor> outputs{largest};
  if (op.wants(1))
    outputs.push_back(positions(op, x, largest, window));
  return outputs;
}

// How many elements of each window along an axis lie in the input, or in what its padding makes of it.
Tensor counts(Graph &graph, DataType type, const Window &window, size_t axis, bool padded) {
  const ElementType held = *storage(type);
  return graph.reduce(type, {window.output[axis]}, {Dimension(window.kernel[axis])}, Reduction::sum,
                      [&](const Indices &o, const Indices &k) {
                        Scalar at = window.position(axis, o[0], k[0]);
                        const Scalar end(padded ? window.input[axis] + window.after[axis] : window.input[axis]);
                        Scalar inside = at < end;
                        if (!padded)
                          inside = both(at >= Scalar(0), inside);
                        return select(inside, Scalar::real(held, 1), Scalar::real(held, 0));
                      });
}

std::vector<Tensor> averagePool(Op &op) {
  Graph &graph = op.graph;
  planes(op);
  Tensor x = floatInput(op, 0);
  Window window = poolWindow(op, x);
  const bool padded = op.integer("count_include_pad", 0) != 0;
  const DataType wide = wideType(x->dataType);
  Tensor sum = graph.reduce(wide, pooledShape(x, window), window.extents(), Reduction::sum, [&](const Indices &o, const Indices &k) {
    return widened(atOr(graph, x, tap(window, o, k), 2, Scalar::real(x->type, 0)));
  });
  std::vector<Tensor> sizes;
  for (size_t i = 0; i < window.rank(); ++i)
    sizes.push_back(counts(graph, wide, window, i, padded));
  Tensor mean = graph.compute(wide, sum->shape, [&](const Indices &o) {
    Scalar count;
    for (size_t i = 0; i < window.rank(); ++i) {
      Scalar size = graph.at(sizes[i], {o[2 + i]});
      count = count ? count * size : size;
    }
    return graph.at(sum, o) / count;
  });
  return {graph.cast(mean, x->dataType)};
}

// |x|^p and the p-th root of a sum of such; 1 and 2 without powers.
Scalar powered(Scalar x, double p) {
  x = apply(ScalarOp::abs, x);
  return p == 1 ? x : p == 2 ? x * x : apply(ScalarOp::pow, x, like(x, p));
}

Tensor rooted(Graph &graph, Tensor sum, double p, DataType type) {
  Tensor root = graph.map(sum->dataType, {sum}, [&](const std::vector<Scalar> &x) {
    return p == 1 ? x[0] : p == 2 ? apply(ScalarOp::sqrt, x[0]) : apply(ScalarOp::pow, x[0], like(x[0], 1 / p));
  });
  return graph.cast(root, type);
}

double exponentOf(Op &op) {
  const double p = op.version < 2 ? op.real("p", 2.0) : double(op.integer("p", 2));
  if (!(p > 0))
    op.fail("p is " + std::to_string(p) + "; expected a positive number");
  return p;
}

std::vector<Tensor> lpPool(Op &op) {
  Graph &graph = op.graph;
  planes(op);
  Tensor x = floatInput(op, 0);
  Window window = poolWindow(op, x);
  const double p = exponentOf(op);
  Tensor sum = graph.reduce(wideType(x->dataType), pooledShape(x, window), window.extents(), Reduction::sum,
                            [&](const Indices &o, const Indices &k) {
                              return powered(widened(atOr(graph, x, tap(window, o, k), 2, Scalar::real(x->type, 0))), p);
                            });
  return {rooted(graph, sum, p, x->dataType)};
}

std::vector<size_t> spatialAxes(Tensor x) {
  std::vector<size_t> axes;
  for (size_t i = 2; i < x->rank(); ++i)
    axes.push_back(i);
  return axes;
}

template <Reduction kind> std::vector<Tensor> globalPool(Op &op) {
  planes(op);
  Tensor x = floatInput(op, 0);
  return {op.graph.reduceAxes(kind, x, spatialAxes(x), true)};
}

std::vector<Tensor> globalLpPool(Op &op) {
  Graph &graph = op.graph;
  planes(op);
  Tensor x = floatInput(op, 0);
  const double p = exponentOf(op);
  Tensor powers = graph.map(wideType(x->dataType), {x}, [&](const std::vector<Scalar> &v) { return powered(v[0], p); });
  return {rooted(graph, graph.reduceAxes(Reduction::sum, powers, spatialAxes(x), true), p, x->dataType)};
}

// Puts elements where MaxPool took them from; zeros elsewhere. Each element of the result looks for the last position that
// names it, in all of the input: positions may name any place.
std::vector<Tensor> maxUnpool(Op &op) {
  Graph &graph = op.graph;
  Tensor x = planes(op), places = op.input(1);
  if (places->dataType != DataType::i64 || !(places->shape == x->shape))
    op.fail("positions are of " + nameOf(places->dataType) + " and have shape " + textOf(places->shape) + "; expected int64 and " +
            textOf(x->shape));
  const size_t rank = x->rank() - 2;
  const std::vector<int64_t> kernel = op.integerList("kernel_shape"), strides = positiveList(op, "strides", rank), pads = padsOf(op, rank);
  if (kernel.size() != rank)
    op.fail("kernel_shape holds " + std::to_string(kernel.size()) + " numbers; expected " + std::to_string(rank));
  Shape inner{x->shape[0], x->shape[1]};
  for (size_t i = 0; i < rank; ++i)
    inner.push_back((x->shape[2 + i] - 1) * strides[i] - pads[i] - pads[rank + i] + kernel[i]);
  Shape shape = inner;
  if (op.optional(2)) {
    shape = op.integers(2);
    if (shape.size() != inner.size())
      op.fail("the output's shape has " + std::to_string(shape.size()) + " dimensions; expected " + std::to_string(inner.size()));
  }
  for (const Dimension &size : shape)
    if (auto known = size.constant(); known && *known < 0)
      op.fail("the result would have shape " + textOf(shape));
  const Dimension count = elementsOf(x->shape), total = elementsOf(inner);
  Tensor flat = graph.reshape(x, {count}), at = graph.reshape(places, {count});
  Tensor source = graph.reduce(DataType::i64, {total}, {count}, Reduction::max, [&](const Indices &o, const Indices &k) {
    return select(equal(graph.at(at, {k[0]}), cast(o[0], ElementType::i64)), cast(k[0], ElementType::i64),
                  Scalar::integer(ElementType::i64, -1));
  });
  Tensor result = graph.compute(x->dataType, {total}, [&](const Indices &o) {
    Scalar from = cast(graph.at(source, o), ElementType::index);
    Scalar zero = like(graph.at(flat, {Scalar(0)}), 0);
    return select(from < Scalar(0), zero, graph.at(flat, {larger(from, Scalar(0))}));
  });
  result = graph.reshape(result, inner);
  if (shape == inner)
    return {result};
  return {graph.compute(x->dataType, shape, [&](const Indices &o) {
    return atOr(graph, result, o, 0, like(graph.at(flat, {Scalar(0)}), 0));
  })};
}

constexpr Definition kOps[] = {
    {"", "MaxPool", 1, maxPool},
    {"", "AveragePool", 1, averagePool},
    {"", "LpPool", 1, lpPool},
    {"", "GlobalAveragePool", 1, globalPool<Reduction::mean>},
    {"", "GlobalMaxPool", 1, globalPool<Reduction::max>},
    {"", "GlobalLpPool", 1, globalLpPool},
    {"", "MaxUnpool", 9, maxUnpool},
};

} // namespace

std::span<const Definition> poolingOps() { return kOps; }

} // namespace ingot::onnx
