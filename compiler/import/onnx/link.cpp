// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/onnx/link.h"

#include <set>
#include <utility>
#include <vector>

namespace ingot::onnx {

namespace {

bool fits(const proto::ValueInfoProto &output, const proto::ValueInfoProto &input) {
  if (!output.type().has_tensor_type() || !input.type().has_tensor_type())
    return false;
  const auto &a = output.type().tensor_type(), &b = input.type().tensor_type();
  if (a.elem_type() != b.elem_type() || !a.has_shape() || !b.has_shape() || a.shape().dim_size() != b.shape().dim_size())
    return false;
  for (int i = 0; i < a.shape().dim_size(); ++i)
    if (a.shape().dim(i).has_dim_value() && b.shape().dim(i).has_dim_value() && a.shape().dim(i).dim_value() != b.shape().dim(i).dim_value())
      return false;
  return true;
}

// "present_key_cross_0" is given to "past_key_cross_0", "present.0.encoder.key" to "past_key_values.0.encoder.key".
bool named(const std::string &output, const std::string &input) {
  if (output == input)
    return true;
  const std::string present = "present";
  const size_t at = output.find(present);
  for (const char *past : {"past", "past_key_values"})
    if (at != std::string::npos && output.substr(0, at) + past + output.substr(at + present.size()) == input)
      return true;
  return false;
}

} // namespace

std::string findLinks(const Model &encoder, const Model &decoder, Links &links) {
  const proto::GraphProto &from = encoder.proto().graph(), &to = decoder.proto().graph();
  std::set<std::string> constants;
  for (const auto &initializer : to.initializer())
    constants.insert(initializer.name());
  auto isFloat = [](const proto::ValueInfoProto &value) {
    const DataType type = DataType(value.type().tensor_type().elem_type());
    return value.type().tensor_type().shape().dim_size() >= 3 &&
           (type == DataType::f32 || type == DataType::f16 || type == DataType::bf16 || type == DataType::f64);
  };
  for (const auto &output : from.output())
    for (const auto &input : to.input())
      if (!constants.count(input.name()) && named(output.name(), input.name()) && fits(output, input))
        links[input.name()] = output.name();
  if (!links.empty())
    return "";
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto &output : from.output())
    for (const auto &input : to.input())
      if (!constants.count(input.name()) && isFloat(input) && fits(output, input))
        pairs.emplace_back(output.name(), input.name());
  // Keys and values that are alike in all dimensions would fit too; those have four.
  if (pairs.empty())
    return "none of its inputs takes a result of " + encoder.path() +
           ": expected one of the same type and dimensions, as the decoder without a past has (decoder_model.onnx of Optimum)";
  if (pairs.size() > 1)
    return "results of " + encoder.path() + " fit inputs of " + decoder.path() + " in " + std::to_string(pairs.size()) + " ways, as '" +
           pairs[0].first + "' for '" + pairs[0].second + "' and '" + pairs[1].first + "' for '" + pairs[1].second +
           "'; expected one way, or equal names";
  links[pairs[0].second] = pairs[0].first;
  return "";
}

} // namespace ingot::onnx
