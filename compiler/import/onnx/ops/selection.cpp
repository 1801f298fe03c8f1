// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that order and select: TopK, ArgMax and their kin. Places are counted, not sorted: an element's place is the number
// of those before it.
#include "compiler/import/onnx/ops/indices.h"

namespace ingot::onnx {

namespace {

// The place of the largest or smallest element along an axis, which becomes 1. A NaN counts as either.
Tensor place(Op &op, Tensor x, size_t axis, Reduction kind, bool last) {
  Graph &graph = op.graph;
  Tensor best = graph.reduceAxes(kind, x, {axis}, true);
  Shape shape = x->shape;
  shape[axis] = Dimension(1);
  return graph.reduce(DataType::i64, shape, {x->shape[axis]}, last ? Reduction::max : Reduction::min,
                      [&](const Indices &i, const Indices &k) {
                        Indices own = i;
                        own[axis] = k[0];
                        Scalar element = graph.at(x, own), at = cast(k[0], ElementType::i64);
                        Indices only = i;
                        only[axis] = Scalar(0);
                        Scalar found = equal(element, graph.at(best, only));
                        if (isFloat(x->type))
                          found = either(found, apply(ScalarOp::is_nan, element));
                        return select(found, at, Scalar::integer(ElementType::i64, last ? -1 : INT64_MAX));
                      });
}

template <Reduction kind> std::vector<Tensor> argOf(Op &op) {
  Tensor x = op.input(0);
  const size_t axis = axisOf(op.integer("axis", 0), x->rank());
  Tensor found = place(op, x, axis, kind, op.integer("select_last_index", 0) != 0);
  if (op.integer("keepdims", 1))
    return {found};
  Shape shape = x->shape;
  shape.erase(shape.begin() + std::ptrdiff_t(axis));
  return {op.graph.reshape(found, shape)};
}

Tensor hardmaxAlong(Op &op, Tensor x, size_t axis) {
  Tensor found = place(op, x, axis, Reduction::max, false);
  return op.graph.compute(x->dataType, x->shape, [&](const Indices &i) {
    Indices only = i;
    only[axis] = Scalar(0);
    Scalar one = isFloat(x->type) ? Scalar::real(x->type, 1) : Scalar::integer(x->type, 1);
    return select(equal(op.graph.at(found, only), cast(i[axis], ElementType::i64)), one, like(one, 0));
  });
}

std::vector<Tensor> hardmax(Op &op) {
  Tensor x = op.input(0);
  return {hardmaxAlong(op, x, axisOf(op.integer("axis", -1), x->rank()))};
}

// Before version 13: along all dimensions from `axis` on, as one.
std::vector<Tensor> hardmaxFlat(Op &op) {
  Tensor x = op.input(0);
  const auto axis = std::ptrdiff_t(axisOf(op.integer("axis", 1), x->rank()));
  Tensor flat = op.graph.reshape(x, {elementsOf(Shape(x->shape.begin(), x->shape.begin() + axis)),
                                     elementsOf(Shape(x->shape.begin() + axis, x->shape.end()))});
  return {op.graph.reshape(hardmaxAlong(op, flat, 1), x->shape)};
}

// Of equal elements the first comes first. NaN counts as larger than all.
std::vector<Tensor> topK(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  const size_t axis = axisOf(op.integer("axis", -1), x->rank());
  const bool largest = op.integer("largest", 1) != 0;
  Dimension count;
  if (op.version < 10) {
    count = Dimension(op.integer("k"));
  } else {
    Tensor k = op.input(1);
    if (!(elementsOf(k->shape) == Dimension(1)) || isFloat(k->type))
      op.fail("k is " + nameOf(k->dataType) + " " + textOf(k->shape) + "; expected one integer");
    if (auto given = graph.knownIntegers(k)) {
      count = (*given)[0];
    } else {
      // Computed, as what a run measures stands in memory of its own: below 0 all is refused alike.
      Tensor number = graph.reshape(k, {});
      count = graph.measured(graph.compute(DataType::i64, {}, [&](const Indices &) {
        Scalar given = cast(graph.at(number, {}), ElementType::i64);
        return larger(given, like(given, -1));
      }), x->shape[axis]);
    }
  }
  if (auto k = count.constant(); k && (*k < 0 || *k > x->shape[axis].constant().value_or(*k)))
    op.fail("k is " + std::to_string(*k) + "; the dimension has " + x->shape[axis].text() + " elements");
  auto along = [&](const Indices &i, Scalar at) {
    Indices own = i;
    own[axis] = at;
    return own;
  };
  Tensor places = graph.reduce(DataType::i64, x->shape, {x->shape[axis]}, Reduction::sum, [&](const Indices &i, const Indices &k) {
    Scalar other = graph.at(x, along(i, k[0])), own = graph.at(x, i);
    Scalar before = largest ? other > own : other < own, same = equal(other, own);
    if (isFloat(x->type)) {
      Scalar otherNan = apply(ScalarOp::is_nan, other), ownNan = apply(ScalarOp::is_nan, own);
      before = either(before, largest ? both(otherNan, apply(ScalarOp::logical_not, ownNan))
                                      : both(ownNan, apply(ScalarOp::logical_not, otherNan)));
      same = either(same, both(otherNan, ownNan));
    }
    before = either(before, both(same, k[0] < i[axis]));
    return select(before, Scalar::integer(ElementType::i64, 1), Scalar::integer(ElementType::i64, 0));
  });
  Shape shape = x->shape;
  shape[axis] = count;
  Tensor indices = graph.reduce(DataType::i64, shape, {x->shape[axis]}, Reduction::max, [&](const Indices &i, const Indices &k) {
    return select(equal(graph.at(places, along(i, k[0])), cast(i[axis], ElementType::i64)), cast(k[0], ElementType::i64),
                  Scalar::integer(ElementType::i64, -1));
  });
  Tensor values = graph.compute(x->dataType, shape, [&](const Indices &i) {
    return graph.at(x, along(i, clampedTo(cast(graph.at(indices, i), ElementType::index), x->shape[axis])));
  });
  return {values, indices};
}

constexpr Definition kOps[] = {
    {"", "ArgMax", 1, argOf<Reduction::max>},
    {"", "ArgMin", 1, argOf<Reduction::min>},
    {"", "Hardmax", 1, hardmaxFlat},
    {"", "Hardmax", 13, hardmax},
    {"", "TopK", 1, topK},
};

} // namespace

std::span<const Definition> selectionOps() { return kOps; }

} // namespace ingot::onnx
