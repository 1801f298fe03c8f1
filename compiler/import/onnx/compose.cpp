// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See compose.h.
#include "compiler/import/onnx/compose.h"

namespace ingot::onnx {

// Types of attributes (AttributeProto.AttributeType).
enum : int { kFloat = 1, kInteger = 2, kString = 3, kIntegers = 7 };

static proto::AttributeProto made(const std::string &name, const AttributeValue &value) {
  proto::AttributeProto attribute;
  attribute.set_name(name);
  if (auto *integer = std::get_if<int64_t>(&value)) {
    attribute.set_type(kInteger);
    attribute.set_i(*integer);
  } else if (auto *real = std::get_if<double>(&value)) {
    attribute.set_type(kFloat);
    attribute.set_f(float(*real));
  } else if (auto *text = std::get_if<std::string>(&value)) {
    attribute.set_type(kString);
    attribute.set_s(*text);
  } else {
    attribute.set_type(kIntegers);
    for (int64_t each : std::get<std::vector<int64_t>>(value))
      attribute.add_ints(each);
  }
  return attribute;
}

static std::vector<Tensor> compose(Op &op, std::string_view name, int64_t version, std::vector<Tensor> inputs, Attributes attributes,
                                   const AttributeValues &values) {
  const Definition *definition = findDefinition("", name, version);
  if (!definition)
    op.fail("it is made of " + std::string(name) + ", which is not supported");
  std::vector<proto::AttributeProto> own;
  own.reserve(values.size());
  for (const auto &[key, value] : values) {
    own.push_back(made(key, value));
    attributes[key] = &own.back();
  }
  Op inner(op.graph, op.model, op.node, std::move(attributes), version, std::move(inputs));
  return definition->import(inner);
}

std::vector<Tensor> composed(Op &op, std::string_view name, int64_t version, std::vector<Tensor> inputs, const AttributeValues &attributes) {
  return compose(op, name, version, std::move(inputs), {}, attributes);
}

std::vector<Tensor> composedAlike(Op &op, std::string_view name, int64_t version, std::vector<Tensor> inputs,
                                  const AttributeValues &attributes) {
  return compose(op, name, version, std::move(inputs), op.attributes, attributes);
}

Tensor activated(Op &op, Tensor x, const std::string &activation, const std::vector<double> &parameters) {
  auto parameter = [&](size_t index, double otherwise) { return index < parameters.size() ? parameters[index] : otherwise; };
  if (activation.empty())
    return x;
  if (activation == "Relu" || activation == "Sigmoid" || activation == "Tanh" || activation == "Softplus" || activation == "Softsign")
    return composed(op, activation, 22, {x})[0];
  if (activation == "LeakyRelu" || activation == "Elu" || activation == "ThresholdedRelu")
    return composed(op, activation, 22, {x}, {{"alpha", parameter(0, activation == "LeakyRelu" ? 0.01 : 1.0)}})[0];
  if (activation == "HardSigmoid")
    return composed(op, activation, 22, {x}, {{"alpha", parameter(0, 0.2)}, {"beta", parameter(1, 0.5)}})[0];
  if (activation == "Clip") {
    if (parameters.size() != 2)
      op.fail("activation Clip has " + std::to_string(parameters.size()) + " parameters; expected two");
    Graph &graph = op.graph;
    return composed(op, "Clip", 13, {x, graph.scalar(x->dataType, parameters[0]), graph.scalar(x->dataType, parameters[1])})[0];
  }
  op.fail("activation '" + activation + "' is not supported");
}

} // namespace ingot::onnx
