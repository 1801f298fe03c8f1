// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Losses of classes: NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.
#include "compiler/import/onnx/ops/indices.h"

#include <numeric>

namespace ingot::onnx {

namespace {

// -logs[n, target, d...] * weight[target], 0 where the target is to be ignored; then summed, or its mean by weights.
Tensor likelihoodLoss(Op &op, Tensor logs, Tensor target, Tensor weight) {
  Graph &graph = op.graph;
  if (logs->rank() < 2 || !isFloat(logs->type))
    op.fail("scores are " + nameOf(logs->dataType) + " " + textOf(logs->shape) + "; expected floats [n, classes, ...]");
  if (target->rank() + 1 != logs->rank() || isFloat(target->type))
    op.fail("targets are " + nameOf(target->dataType) + " " + textOf(target->shape) + "; expected integers with the dimensions of " +
            textOf(logs->shape) + " but the classes");
  if (weight && (weight->rank() != 1 || weight->dataType != logs->dataType))
    op.fail("weights are " + nameOf(weight->dataType) + " " + textOf(weight->shape) + "; expected a number for each class");
  const std::string reduction = op.string("reduction", "mean");
  if (reduction != "none" && reduction != "sum" && reduction != "mean")
    op.fail("reduction is '" + reduction + "'; expected none, sum or mean");
  const bool ignores = op.has("ignore_index");
  const int64_t ignored = op.integer("ignore_index", 0);
  const Dimension classes = logs->shape[1];
  auto weightAt = [&](const Indices &i) {
    Scalar at = graph.at(target, i);
    Scalar factor = weight ? graph.at(weight, {positionOf(at, classes)}) : Scalar::real(logs->type, 1);
    return ignores ? select(equal(cast(at, ElementType::i64), Scalar::integer(ElementType::i64, ignored)), like(factor, 0), factor) : factor;
  };
  Tensor weights = graph.compute(logs->dataType, target->shape, weightAt);
  Tensor loss = graph.compute(logs->dataType, target->shape, [&](const Indices &i) {
    Indices own = i;
    own.insert(own.begin() + 1, positionOf(graph.at(target, i), classes));
    Scalar factor = graph.at(weights, i);
    return select(equal(factor, like(factor, 0)), like(factor, 0), -(graph.at(logs, own) * factor));
  });
  if (reduction == "none")
    return loss;
  std::vector<size_t> axes(target->rank());
  std::iota(axes.begin(), axes.end(), 0);
  Tensor sum = graph.reduceAxes(Reduction::sum, loss, axes, false);
  if (reduction == "sum")
    return sum;
  return graph.elementwise(ScalarOp::div, {sum, graph.reduceAxes(Reduction::sum, weights, axes, false)});
}

Tensor wide(Op &op, Tensor x) {
  return x && (x->type == ElementType::f16 || x->type == ElementType::bf16) ? op.graph.cast(x, DataType::f32) : x;
}

std::vector<Tensor> negativeLogLikelihood(Op &op) {
  Tensor x = op.input(0);
  return {op.graph.cast(likelihoodLoss(op, wide(op, x), op.input(1), wide(op, op.optional(2))), x->dataType)};
}

std::vector<Tensor> softmaxCrossEntropy(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), scores = wide(op, x);
  if (scores->rank() < 2 || !isFloat(scores->type))
    op.fail("scores are " + nameOf(x->dataType) + " " + textOf(x->shape) + "; expected floats [n, classes, ...]");
  Tensor shifted = graph.elementwise(ScalarOp::sub, {scores, graph.reduceAxes(Reduction::max, scores, {1}, true)});
  Tensor sum = graph.reduceAxes(Reduction::sum, graph.elementwise(ScalarOp::exp, {shifted}), {1}, true);
  Tensor logs = graph.elementwise(ScalarOp::sub, {shifted, graph.elementwise(ScalarOp::log, {sum})});
  Tensor loss = likelihoodLoss(op, logs, op.input(1), wide(op, op.optional(2)));
  return {graph.cast(loss, x->dataType), graph.cast(logs, x->dataType)};
}

constexpr Definition kOps[] = {
    {"", "NegativeLogLikelihoodLoss", 12, negativeLogLikelihood},
    {"", "SoftmaxCrossEntropyLoss", 12, softmaxCrossEntropy},
};

} // namespace

std::span<const Definition> lossOps() { return kOps; }

} // namespace ingot::onnx
