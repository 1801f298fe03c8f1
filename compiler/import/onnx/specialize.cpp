// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See specialize.h.
#include "compiler/import/onnx/specialize.h"

#include <algorithm>
#include <set>

namespace ingot::onnx {

namespace {

using Names = std::set<std::string>;

// Names that nodes read, those of graphs inside them included. A name that is made inside hides none of the main
// graph's: names of values are one space in a graph and those inside it.
void readBy(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes, Names &names, int depth);

void readBy(const proto::GraphProto &graph, Names &names, int depth) {
  if (depth > 32)
    return; // refused when it is imported
  for (const auto &output : graph.output())
    names.insert(output.name());
  readBy(graph.node(), names, depth);
}

void readBy(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes, Names &names, int depth) {
  for (const auto &node : nodes) {
    names.insert(node.input().begin(), node.input().end());
    for (const auto &attribute : node.attribute())
      if (attribute.has_g())
        readBy(attribute.g(), names, depth + 1);
  }
}

bool isOneBool(const proto::ValueInfoProto &value) {
  const auto &type = value.type().tensor_type();
  if (!value.type().has_tensor_type() || DataType(type.elem_type()) != DataType::boolean || !type.has_shape())
    return false;
  return std::all_of(type.shape().dim().begin(), type.shape().dim().end(),
                     [](const auto &dim) { return dim.has_dim_value() && dim.dim_value() == 1; });
}

Names without(const Names &all, const Names &taken) {
  Names left;
  std::set_difference(all.begin(), all.end(), taken.begin(), taken.end(), std::inserter(left, left.end()));
  return left;
}

} // namespace

std::vector<Choice> choicesOf(const Model &model) {
  const proto::GraphProto &graph = model.proto().graph();
  Names constants, inputs;
  for (const auto &initializer : graph.initializer())
    constants.insert(initializer.name());
  for (const auto &input : graph.input())
    if (!constants.count(input.name()))
      inputs.insert(input.name());
  std::vector<Choice> choices;
  for (const auto &input : graph.input()) {
    if (!isOneBool(input) || !inputs.count(input.name()))
      continue;
    Names then, otherwise, elsewhere;
    bool chooses = false;
    for (const auto &output : graph.output())
      elsewhere.insert(output.name());
    for (const auto &node : graph.node()) {
      const bool condition = node.op_type() == "If" && node.input_size() == 1 && node.input(0) == input.name();
      chooses |= condition;
      if (!condition)
        elsewhere.insert(node.input().begin(), node.input().end());
      for (const auto &attribute : node.attribute())
        if (attribute.has_g())
          readBy(attribute.g(), !condition ? elsewhere : attribute.name() == "then_branch" ? then : otherwise, 0);
    }
    if (!chooses || elsewhere.count(input.name()) || then.count(input.name()) || otherwise.count(input.name()))
      continue;
    Choice choice;
    choice.input = input.name();
    for (const std::string &name : without(then, otherwise))
      if (inputs.count(name))
        choice.onlyThen.push_back(name);
    for (const std::string &name : without(otherwise, then))
      if (inputs.count(name))
        choice.onlyElse.push_back(name);
    choices.push_back(std::move(choice));
  }
  return choices;
}

std::string assume(Model &model, const std::string &input, bool value) {
  for (const auto &given : model.proto().graph().input()) {
    if (given.name() != input)
      continue;
    if (!isOneBool(given))
      return "input '" + input + "' is not one bool, and cannot be taken to be " + (value ? "true" : "false");
    proto::TensorProto constant;
    constant.set_name(input);
    constant.set_data_type(int32_t(DataType::boolean));
    for (int i = 0; i < given.type().tensor_type().shape().dim_size(); ++i)
      constant.add_dims(1);
    constant.add_int32_data(value);
    model.addInitializer(std::move(constant));
    return "";
  }
  return "the model has no input '" + input + "', which should be taken to be " + (value ? "true" : "false");
}

bool importChoosing(Model &model, GraphBuilder &builder, ImportResult &result) {
  const ImportResult empty = result;
  if (importModel(model, builder, result))
    return true;
  for (const Choice &choice : choicesOf(model)) {
    if (choice.onlyThen.empty() == choice.onlyElse.empty())
      continue;
    const bool value = choice.onlyElse.empty();
    if (!assume(model, choice.input, value).empty())
      continue;
    result = empty;
    builder.restart();
    if (!importModel(model, builder, result))
      return false; // what this branch lacks is what there is to mend
    const std::vector<std::string> &more = value ? choice.onlyThen : choice.onlyElse;
    result.notes.push_back("input '" + choice.input + "' is taken to be " + (value ? "true" : "false") +
                           " and dropped: this branch alone reads '" + more.front() + "'" +
                           (more.size() > 1 ? " and " + std::to_string(more.size() - 1) + " more inputs" : ""));
    return true;
  }
  return false;
}

bool importPair(Model &encoder, Model &decoder, GraphBuilder &builder, ImportResult &result) {
  // Features of every position; keys and values have a dimension more.
  auto isHidden = [&](const std::string &name) {
    for (const auto &input : decoder.proto().graph().input())
      if (input.name() == name)
        return input.type().tensor_type().shape().dim_size() == 3;
    return false;
  };
  for (const Choice &choice : choicesOf(decoder)) {
    const bool then = std::any_of(choice.onlyThen.begin(), choice.onlyThen.end(), isHidden);
    const bool otherwise = std::any_of(choice.onlyElse.begin(), choice.onlyElse.end(), isHidden);
    if (then == otherwise)
      continue;
    if (std::string error = assume(decoder, choice.input, then); !error.empty()) {
      result.problems.push_back(error);
      return false;
    }
    result.notes.push_back("input '" + choice.input + "' is taken to be " + (then ? "true" : "false") +
                           " and dropped: this branch alone reads what the encoder gives");
  }
  return importModels({&encoder, &decoder}, builder, result);
}

} // namespace ingot::onnx
