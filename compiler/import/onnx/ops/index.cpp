// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that read elements at indices that tensors hold: Gather and its kin, OneHot, ReverseSequence, Compress, NonZero.
#include "compiler/import/onnx/kept.h"
#include "compiler/import/onnx/ops/indices.h"

#include <algorithm>

namespace ingot::onnx {

Scalar positionOf(Scalar index, const Dimension &size) {
  Scalar at = cast(index, ElementType::index);
  at = select(at < Scalar(0), at + Scalar(size), at);
  return larger(smaller(at, Scalar(size - 1)), Scalar(0));
}

Scalar clampedTo(Scalar index, const Dimension &size) { return larger(smaller(index, Scalar(size - 1)), Scalar(0)); }

void checkIndices(Op &op, size_t input, const Dimension &size) {
  Tensor indices = op.input(input);
  if (isFloat(indices->type) || indices->dataType == DataType::boolean)
    op.fail("input " + std::to_string(input) + " is of " + nameOf(indices->dataType) + "; expected integers");
  auto known = op.graph.knownIntegers(indices);
  auto most = size.constant();
  if (!known || !most)
    return;
  for (const Dimension &index : *known)
    if (auto value = index.constant(); value && (*value < -*most || *value >= *most))
      op.fail("index " + std::to_string(*value) + " is outside a dimension of " + std::to_string(*most));
}

namespace {

std::vector<Tensor> gather(Op &op) {
  Tensor x = op.input(0), ids = op.input(1);
  const size_t axis = axisOf(op.integer("axis", 0), x->rank());
  checkIndices(op, 1, x->shape[axis]);
  const auto lead = std::ptrdiff_t(axis);
  Shape shape(x->shape.begin(), x->shape.begin() + lead);
  shape.insert(shape.end(), ids->shape.begin(), ids->shape.end());
  shape.insert(shape.end(), x->shape.begin() + lead + 1, x->shape.end());
  // One index that is known: a slice.
  std::optional<Scalar> fixed;
  if (auto known = op.graph.knownIntegers(ids); known && known->size() == 1) {
    const Dimension &index = (*known)[0];
    if (auto constant = index.constant())
      fixed = Scalar(*constant < 0 ? Dimension(*constant) + x->shape[axis] : Dimension(*constant));
  }
  auto gathered = [&](Tensor from) {
    return op.graph.compute(from->dataType, shape, [&](const Indices &i) {
      Indices own(i.begin(), i.begin() + lead);
      const auto rest = i.begin() + lead + std::ptrdiff_t(ids->rank());
      own.push_back(fixed ? *fixed : positionOf(op.graph.at(ids, Indices(i.begin() + lead, rest)), x->shape[axis]));
      own.insert(own.end(), rest, i.end());
      return op.graph.at(from, own);
    });
  };
  // Of a table that is held in codes with one scale these are gathered, and only what was gathered is dequantized.
  if (Graph::isQuantizedWeight(x) && !x->known && x->dequantized->along == Dequantized::Along::all) {
    const Dequantized &how = *x->dequantized;
    std::vector<Tensor> parts{gathered(how.codes), op.graph.reshape(how.scale, {})};
    if (how.zero)
      parts.push_back(op.graph.reshape(how.zero, {}));
    return {op.graph.map(x->dataType, parts, [](const std::vector<Scalar> &v) {
      Scalar number = cast(v[0], ElementType::i32);
      if (v.size() > 2)
        number = number - cast(v[2], ElementType::i32);
      return cast(number, ElementType::f32) * cast(v[1], ElementType::f32);
    })};
  }
  return {gathered(x)};
}

std::vector<Tensor> gatherElements(Op &op) {
  Tensor x = op.input(0), ids = op.input(1);
  if (ids->rank() != x->rank())
    op.fail("indices have shape " + textOf(ids->shape) + "; expected as many dimensions as " + textOf(x->shape));
  const size_t axis = axisOf(op.integer("axis", 0), x->rank());
  checkIndices(op, 1, x->shape[axis]);
  for (size_t d = 0; d < x->rank(); ++d)
    if (d != axis && op.graph.exceeds(ids->shape[d], x->shape[d], "indices of shape " + textOf(ids->shape) + " in " + textOf(x->shape)))
      op.fail("indices have shape " + textOf(ids->shape) + ", which is larger than " + textOf(x->shape) + " beside axis " +
              std::to_string(axis));
  return {op.graph.compute(x->dataType, ids->shape, [&](const Indices &i) {
    Indices own;
    for (size_t d = 0; d < i.size(); ++d)
      own.push_back(d == axis                       ? positionOf(op.graph.at(ids, i), x->shape[d])
                    : x->shape[d] == ids->shape[d] ? i[d]
                                                   : clampedTo(i[d], x->shape[d]));
    return op.graph.at(x, own);
  })};
}

std::vector<Tensor> gatherNd(Op &op) {
  Tensor x = op.input(0), ids = op.input(1);
  const int64_t batch = op.integer("batch_dims", 0);
  if (ids->rank() == 0)
    op.fail("indices have no dimensions");
  auto length = ids->shape.back().constant();
  if (!length)
    op.fail("the last dimension of the indices is " + ids->shape.back().text() + "; it must be known when the model is compiled");
  if (batch < 0 || batch >= int64_t(ids->rank()) || batch + *length > int64_t(x->rank()))
    op.fail("indices of shape " + textOf(ids->shape) + " with " + std::to_string(batch) + " dimensions of batch cannot be those of " +
            textOf(x->shape));
  for (int64_t d = 0; d < batch; ++d)
    if (auto a = x->shape[size_t(d)].constant(), b = ids->shape[size_t(d)].constant(); a && b && *a != *b)
      op.fail("indices of shape " + textOf(ids->shape) + " and an input of " + textOf(x->shape) + " differ in dimension " +
              std::to_string(d) + " of the batch");
  Shape shape(ids->shape.begin(), ids->shape.end() - 1);
  shape.insert(shape.end(), x->shape.begin() + batch + *length, x->shape.end());
  return {op.graph.compute(x->dataType, shape, [&](const Indices &i) {
    Indices own(i.begin(), i.begin() + batch);
    const auto lead = std::ptrdiff_t(ids->rank()) - 1;
    for (int64_t n = 0; n < *length; ++n) {
      Indices at(i.begin(), i.begin() + lead);
      at.push_back(Scalar(n));
      own.push_back(positionOf(op.graph.at(ids, at), x->shape[size_t(batch + n)]));
    }
    own.insert(own.end(), i.begin() + lead, i.end());
    return op.graph.at(x, own);
  })};
}

std::vector<Tensor> oneHot(Op &op) {
  Tensor ids = op.input(0), values = op.input(2);
  Dimension depth;
  if (isFloat(op.input(1)->type)) {
    auto given = op.reals(1);
    if (given.size() != 1)
      op.fail("depth has " + std::to_string(given.size()) + " elements; expected one");
    depth = Dimension(op.whole(given[0], "depth"));
  } else {
    auto given = op.integers(1);
    if (given.size() != 1)
      op.fail("depth has " + std::to_string(given.size()) + " elements; expected one");
    depth = given[0];
  }
  if (values->shape != Shape{Dimension(2)})
    op.fail("values have shape " + textOf(values->shape) + "; expected [2]: off and on");
  const size_t axis = axisOf(op.integer("axis", -1), ids->rank() + 1);
  Shape shape = ids->shape;
  shape.insert(shape.begin() + std::ptrdiff_t(axis), depth);
  return {op.graph.compute(values->dataType, shape, [&](const Indices &i) {
    Indices own = i;
    own.erase(own.begin() + std::ptrdiff_t(axis));
    Scalar at = cast(op.graph.at(ids, own), ElementType::i64), size = cast(Scalar(depth), ElementType::i64);
    at = select(at < like(at, 0), at + size, at);
    return select(equal(at, cast(i[axis], ElementType::i64)), op.graph.at(values, {Scalar(1)}), op.graph.at(values, {Scalar(0)}));
  })};
}

std::vector<Tensor> reverseSequence(Op &op) {
  Tensor x = op.input(0), lengths = op.input(1);
  const size_t time = axisOf(op.integer("time_axis", 0), x->rank()), batch = axisOf(op.integer("batch_axis", 1), x->rank());
  if (time == batch || lengths->rank() != 1)
    op.fail("it reverses along axis " + std::to_string(time) + " for each of axis " + std::to_string(batch) + " with lengths of shape " +
            textOf(lengths->shape) + "; expected two axes, and a length for each of the batch");
  if (op.graph.differ(lengths->shape[0], x->shape[batch], "a length for each of the batch"))
    op.fail("lengths have shape " + textOf(lengths->shape) + "; expected [" + x->shape[batch].text() + "]");
  return {op.graph.compute(x->dataType, x->shape, [&](const Indices &i) {
    Scalar length = cast(op.graph.at(lengths, {i[batch]}), ElementType::index);
    Indices own = i;
    own[time] = clampedTo(select(i[time] < length, length - Scalar(1) - i[time], i[time]), x->shape[time]);
    return op.graph.at(x, own);
  })};
}

// An element as i1: whether it is other than 0.
Scalar isTrue(const Scalar &element) {
  return element.type() == ElementType::i1 ? element : apply(ScalarOp::ne, element, like(element, 0));
}

bool allTrue(Graph &graph, Tensor x) {
  auto known = graph.knownReals(x);
  return known && std::find(known->begin(), known->end(), 0) == known->end();
}

std::vector<Tensor> compress(Op &op) {
  Tensor x = op.input(0), condition = op.input(1);
  if (condition->rank() != 1 || condition->dataType != DataType::boolean)
    op.fail("the condition is " + nameOf(condition->dataType) + " " + textOf(condition->shape) + "; expected bool of one dimension");
  size_t axis = 0;
  if (op.has("axis"))
    axis = axisOf(op.integer("axis"), x->rank());
  else
    x = op.graph.reshape(x, {elementsOf(x->shape)});
  const auto given = condition->shape[0].constant(), size = x->shape[axis].constant();
  if (given && size && *given > *size)
    op.fail("the condition has " + std::to_string(*given) + " elements; the dimension has " + std::to_string(*size));
  Tensor table = nullptr;
  Dimension count;
  if (auto known = op.graph.knownIntegers(condition)) {
    std::vector<Dimension> places;
    for (size_t i = 0; i < known->size(); ++i)
      if (!((*known)[i] == Dimension(0)))
        places.push_back(Dimension(int64_t(i)));
    count = Dimension(int64_t(places.size()));
    table = op.graph.integers(places);
  } else {
    Kept kept = keptWhere(op.graph, condition->shape[0], [&](Scalar place) { return op.graph.at(condition, {place}); });
    count = kept.count;
    table = kept.places;
  }
  Shape shape = x->shape;
  shape[axis] = count;
  return {op.graph.compute(x->dataType, shape, [&](const Indices &i) {
    Indices own = i;
    // A condition that is longer than the dimension, as a run may show, reads its last element.
    own[axis] = count == Dimension(0) ? Scalar(0) : clampedTo(cast(op.graph.at(table, {i[axis]}), ElementType::index), x->shape[axis]);
    return op.graph.at(x, own);
  })};
}

std::vector<Tensor> nonZero(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  if (x->rank() == 0)
    x = graph.reshape(x, {Dimension(1)}); // as numpy does
  Tensor places = nullptr;
  Dimension count;
  const Dimension all = elementsOf(x->shape);
  if (auto known = graph.knownReals(x)) {
    std::vector<Dimension> found;
    for (size_t n = 0; n < known->size(); ++n)
      if ((*known)[n] != 0)
        found.push_back(Dimension(int64_t(n)));
    count = Dimension(int64_t(found.size()));
    places = graph.integers(found);
  } else if (x->repeats && allTrue(graph, x->repeats)) {
    // Of a tensor full of ones: exporters count so.
    count = all;
    places = graph.compute(DataType::i64, {all}, [&](const Indices &i) { return cast(i[0], ElementType::i64); });
  } else {
    Tensor flat = graph.reshape(x, {all});
    Kept kept = keptWhere(graph, all, [&](Scalar place) { return isTrue(isSmallFloat(x->dataType) ? graph.real(flat, {place}) : graph.at(flat, {place})); });
    count = kept.count;
    places = kept.places;
  }
  return {graph.compute(DataType::i64, {Dimension(int64_t(x->rank())), count}, [&](const Indices &i) {
    if (count == Dimension(0))
      return Scalar::integer(ElementType::i64, 0);
    Scalar place = cast(graph.at(places, {i[1]}), ElementType::index), result;
    for (size_t d = x->rank(); d-- > 0;) {
      Scalar own = d ? place % Scalar(x->shape[d]) : place;
      place = place / Scalar(x->shape[d]);
      result = result ? select(equal(i[0], Scalar(int64_t(d))), own, result) : own;
    }
    return cast(result, ElementType::i64);
  })};
}

constexpr Definition kOps[] = {
    {"", "Gather", 1, gather},
    {"", "GatherElements", 11, gatherElements},
    {"", "GatherND", 11, gatherNd},
    {"", "OneHot", 9, oneHot},
    {"", "ReverseSequence", 10, reverseSequence},
    {"", "Compress", 9, compress},
    {"", "NonZero", 9, nonZero},
};

} // namespace

std::span<const Definition> indexOps() { return kOps; }

} // namespace ingot::onnx
