// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that give tensors of their own: Constant, ConstantOfShape, Range, EyeLike; and optional tensors, of which importing
// knows whether they are there.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

namespace {

std::vector<Tensor> constant(Op &op) {
  Graph &graph = op.graph;
  if (op.has("value"))
    return {op.tensor("value")};
  auto floats = [&](const std::vector<double> &values, std::vector<int64_t> shape) {
    Literal literal{ElementType::f32, std::move(shape), {}};
    for (double value : values)
      literal.cells.push_back(value);
    return std::vector<Tensor>{graph.literal(DataType::f32, std::move(literal))};
  };
  if (op.has("value_float"))
    return floats({op.real("value_float")}, {});
  if (op.has("value_floats")) {
    auto values = op.realList("value_floats");
    return floats(values, {int64_t(values.size())});
  }
  if (op.has("value_int"))
    return {graph.scalar(DataType::i64, double(op.integer("value_int")))};
  if (op.has("value_ints")) {
    std::vector<Dimension> values;
    for (int64_t value : op.integerList("value_ints"))
      values.push_back(value);
    return {graph.integers(values)};
  }
  if (op.has("value_string") || op.has("value_strings"))
    op.fail("constants of strings are not supported");
  if (op.has("sparse_value"))
    op.fail("sparse constants are not supported");
  op.fail("it has no attribute value");
}

std::vector<Tensor> constantOfShape(Op &op) {
  Tensor value = op.has("value") ? op.tensor("value") : op.graph.scalar(DataType::f32, 0, {1});
  if (!(elementsOf(value->shape) == Dimension(1)))
    op.fail("attribute value has shape " + textOf(value->shape) + "; expected one element");
  Shape shape = op.integers(0);
  for (const Dimension &size : shape)
    if (auto known = size.constant(); known && *known < 0)
      op.fail("a dimension of the shape is " + std::to_string(*known));
  return {op.graph.broadcast(op.graph.reshape(value, {}), shape)};
}

std::vector<Tensor> range(Op &op) {
  Tensor start = op.input(0), delta = op.input(2);
  Dimension count;
  for (Tensor number : {start, op.input(1), delta}) {
    if (number->dataType != start->dataType)
      op.fail("start, limit and delta are of " + nameOf(start->dataType) + " and of " + nameOf(number->dataType) + "; they must be alike");
    if (!(elementsOf(number->shape) == Dimension(1)))
      op.fail("start, limit and delta must be scalars");
  }
  Graph &graph = op.graph;
  if (isFloat(start->type)) {
    auto first = graph.knownReals(start), last = graph.knownReals(op.input(1)), step = graph.knownReals(delta);
    if (step && (*step)[0] == 0)
      op.fail("delta is 0");
    if (first && last && step) {
      const double steps = __builtin_ceil(((*last)[0] - (*first)[0]) / (*step)[0]);
      count = op.whole(steps < 0 ? 0 : steps, "the number of its elements");
    } else { // a dimension as a float
      auto scalar = [&](Tensor number) { return graph.at(graph.reshape(number, {}), {}); };
      Tensor steps = graph.compute(DataType::i64, {}, [&](const Indices &) {
        return cast(apply(ScalarOp::ceil, (scalar(op.input(1)) - scalar(start)) / scalar(delta)), ElementType::i64);
      });
      count = op.integersOf(steps, "the number of its elements")[0];
    }
  } else {
    auto first = op.integers(0), last = op.integers(1);
    auto step = op.constants(2);
    if (step[0] == 0)
      op.fail("delta is 0");
    if (step[0] == INT64_MIN)
      op.fail("delta is " + std::to_string(step[0]) + "; expected a number whose negative is one too");
    count = step[0] > 0 ? Dimension::ceilDiv(last[0] - first[0], step[0]) : Dimension::ceilDiv(first[0] - last[0], -step[0]);
  }
  count = Dimension::max(count, 0);
  Tensor first = op.graph.reshape(start, {}), step = op.graph.reshape(delta, {});
  return {op.graph.compute(start->dataType, {count}, [&](const Indices &i) {
    return op.graph.at(first, {}) + cast(i[0], start->type) * op.graph.at(step, {});
  })};
}

std::vector<Tensor> eyeLike(Op &op) {
  Tensor x = op.input(0);
  if (x->rank() != 2)
    op.fail("the input has shape " + textOf(x->shape) + "; expected a matrix");
  const auto type = DataType(op.integer("dtype", int64_t(x->dataType)));
  const int64_t diagonal = op.integer("k", 0);
  auto held = storage(type);
  if (!held)
    op.fail("element type " + nameOf(type) + " is not supported");
  return {op.graph.compute(type, x->shape, [&](const Indices &i) {
    auto number = [&](int value) { return isFloat(*held) ? Scalar::real(*held, value) : Scalar::integer(*held, value); };
    return select(equal(i[0] + Scalar(diagonal), i[1]), number(1), number(0));
  })};
}

// Every tensor is there; what is not there is an input that is left out.
std::vector<Tensor> optionalHasElement(Op &op) { return {op.graph.scalar(DataType::boolean, op.optional(0) != nullptr)}; }

std::vector<Tensor> optionalGetElement(Op &op) { return {op.input(0)}; }

constexpr Definition kOps[] = {
    {"", "Constant", 1, constant},
    {"", "ConstantOfShape", 9, constantOfShape},
    {"", "Range", 11, range},
    {"", "EyeLike", 9, eyeLike},
    {"", "OptionalHasElement", 15, optionalHasElement},
    {"", "OptionalGetElement", 15, optionalGetElement},
};

} // namespace

std::span<const Definition> constantOps() { return kOps; }

} // namespace ingot::onnx
