// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions along axes. Axes are an attribute first and an input later (version 13 for ReduceSum, 18 for the rest); all take the
// neutral element where nothing is reduced.
#include "compiler/import/onnx/op.h"

#include <numeric>

namespace ingot::onnx {

namespace {

std::vector<size_t> axesOf(Op &op) {
  auto axes = op.axes(1, op.input(0)->rank());
  if (axes && !axes->empty())
    return *axes;
  if (op.integer("noop_with_empty_axes", 0))
    return {};
  std::vector<size_t> all(op.input(0)->rank());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

bool keeps(Op &op) { return op.integer("keepdims", 1) != 0; }

// 16-bit floats are computed with in f32 and rounded at the end.
Tensor widened(Op &op, Tensor x) {
  return x->type == ElementType::f16 || x->type == ElementType::bf16 ? op.graph.cast(x, DataType::f32) : x;
}

template <Reduction kind> std::vector<Tensor> plain(Op &op) {
  Tensor x = op.input(0);
  if (x->dataType == DataType::boolean && (kind == Reduction::max || kind == Reduction::min)) // as 0 and 1
    return {op.graph.cast(op.graph.reduceAxes(kind, op.graph.cast(x, DataType::u8), axesOf(op), keeps(op)), DataType::boolean)};
  return {op.graph.reduceAxes(kind, x, axesOf(op), keeps(op))};
}

std::vector<Tensor> l1(Op &op) {
  Tensor x = widened(op, op.input(0));
  Tensor sum = op.graph.reduceAxes(Reduction::sum, op.graph.elementwise(ScalarOp::abs, {x}), axesOf(op), keeps(op));
  return {op.graph.cast(sum, op.input(0)->dataType)};
}

Tensor sumOfSquares(Op &op, Tensor x) {
  return op.graph.reduceAxes(Reduction::sum, op.graph.elementwise(ScalarOp::mul, {x, x}), axesOf(op), keeps(op));
}

std::vector<Tensor> sumSquare(Op &op) {
  return {op.graph.cast(sumOfSquares(op, widened(op, op.input(0))), op.input(0)->dataType)};
}

// Roots and logarithms of integers are those of doubles, rounded towards zero.
Tensor realOf(Op &op, Tensor x) { return isFloat(x->type) ? widened(op, x) : op.graph.cast(x, DataType::f64); }

std::vector<Tensor> l2(Op &op) {
  Tensor x = op.input(0);
  return {op.graph.cast(op.graph.elementwise(ScalarOp::sqrt, {sumOfSquares(op, realOf(op, x))}), x->dataType)};
}

std::vector<Tensor> logSum(Op &op) {
  Tensor x = op.input(0);
  Tensor sum = op.graph.reduceAxes(Reduction::sum, realOf(op, x), axesOf(op), keeps(op));
  return {op.graph.cast(op.graph.elementwise(ScalarOp::log, {sum}), x->dataType)};
}

// m + log(sum(exp(x - m))) with m the largest element, which keeps the exponentials finite; 0 where that is infinite.
std::vector<Tensor> logSumExp(Op &op) {
  Graph &graph = op.graph;
  Tensor x = realOf(op, op.input(0));
  const std::vector<size_t> axes = axesOf(op);
  Tensor most = graph.reduceAxes(Reduction::max, x, axes, true);
  most = graph.map(x->dataType, {most}, [](const std::vector<Scalar> &m) {
    return select(apply(ScalarOp::is_inf, m[0]), like(m[0], 0), m[0]);
  });
  Tensor terms = graph.elementwise(ScalarOp::exp, {graph.elementwise(ScalarOp::sub, {x, most})});
  Tensor sum = graph.reduceAxes(Reduction::sum, terms, axes, true);
  Tensor result = graph.elementwise(ScalarOp::add, {most, graph.elementwise(ScalarOp::log, {sum})});
  if (!keeps(op)) {
    Shape shape;
    for (size_t d = 0, n = 0; d < x->rank(); ++d) {
      if (n < axes.size() && axes[n] == d)
        ++n;
      else
        shape.push_back(x->shape[d]);
    }
    result = graph.reshape(result, shape);
  }
  return {graph.cast(result, op.input(0)->dataType)};
}

constexpr Definition kOps[] = {
    {"", "ReduceSum", 1, plain<Reduction::sum>},
    {"", "ReduceMean", 1, plain<Reduction::mean>},
    {"", "ReduceMax", 1, plain<Reduction::max>},
    {"", "ReduceMin", 1, plain<Reduction::min>},
    {"", "ReduceProd", 1, plain<Reduction::product>},
    {"", "ReduceL1", 1, l1},
    {"", "ReduceL2", 1, l2},
    {"", "ReduceLogSum", 1, logSum},
    {"", "ReduceLogSumExp", 1, logSumExp},
    {"", "ReduceSumSquare", 1, sumSquare},
};

} // namespace

std::span<const Definition> reductionOps() { return kOps; }

} // namespace ingot::onnx
