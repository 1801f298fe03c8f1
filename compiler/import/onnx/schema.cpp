// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See schema.h.
#include "compiler/import/onnx/schema.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace ingot::onnx {

namespace {

struct Schema {
  std::string_view domain, name;
  int fewest, most;            // inputs; -1: any number
  std::string_view attributes; // with blanks between them
  std::string_view types;      // of inputs, as schemas.inc says; empty: nothing is said
};

constexpr Schema kSchemas[] = {
#include "compiler/import/onnx/schemas.inc"
};

const Schema *find(std::string_view domain, std::string_view name) {
  static const auto all = [] {
    std::map<std::pair<std::string_view, std::string_view>, const Schema *> made;
    for (const Schema &schema : kSchemas)
      made[{schema.domain, schema.name}] = &schema;
    return made;
  }();
  auto found = all.find({domain, name});
  return found == all.end() ? nullptr : found->second;
}

bool lists(std::string_view names, std::string_view name) {
  for (size_t at = names.find(name); at != std::string_view::npos; at = names.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || names[at - 1] == ' ') && (end == names.size() || names[end] == ' '))
      return true;
  }
  return false;
}

// What the types of one input may be: bits of data types, and the first input that has the same.
struct InputType {
  uint64_t mask = 0;
  int first = -1;
};

std::vector<InputType> typesOf(std::string_view text) {
  std::vector<InputType> types;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size()), colon = text.find(':');
    InputType type;
    std::from_chars(text.data(), text.data() + colon, type.mask, 16);
    std::from_chars(text.data() + colon + 1, text.data() + end, type.first);
    types.push_back(type);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return types;
}

std::string listOf(uint64_t mask) {
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number)
    if (const auto type = DataType(number); mask >> number & 1 && storage(type))
      names.push_back(nameOf(type));
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  return text;
}

} // namespace

std::string typeProblem(std::string_view domain, const proto::NodeProto &node, const std::vector<std::optional<DataType>> &inputs) {
  const Schema *schema = find(domain, node.op_type());
  if (!schema || schema->types.empty())
    return "";
  const std::vector<InputType> types = typesOf(schema->types);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i])
      continue;
    const InputType &type = types[std::min(i, types.size() - 1)];
    if (!(type.mask >> int(*inputs[i]) & 1))
      return "input " + std::to_string(i) + " is of " + nameOf(*inputs[i]) + "; expected " + listOf(type.mask);
    if (const size_t first = size_t(type.first); type.first >= 0 && first < i && inputs[first] && *inputs[first] != *inputs[i])
      return "input " + std::to_string(first) + " is of " + nameOf(*inputs[first]) + " and input " + std::to_string(i) + " of " + nameOf(*inputs[i]) +
             "; expected one type";
  }
  return "";
}

std::vector<std::string> schemaProblems(std::string_view domain, const proto::NodeProto &node, int64_t version) {
  const Schema *schema = find(domain, node.op_type());
  if (!schema)
    return {};
  std::vector<std::string> problems;
  const int inputs = node.input_size();
  auto expected = [&] {
    if (schema->most < 0)
      return std::to_string(schema->fewest) + " or more";
    return std::to_string(schema->fewest) + (schema->most == schema->fewest ? "" : " to " + std::to_string(schema->most));
  };
  if (inputs < schema->fewest || (schema->most >= 0 && inputs > schema->most))
    problems.push_back("it has " + std::to_string(inputs) + (inputs == 1 ? " input" : " inputs") + "; expected " + expected());
  const bool anyAttribute = domain.empty() && version < 17 && node.op_type() == "LayerNormalization";
  for (const auto &attribute : node.attribute())
    if (!anyAttribute && (attribute.name().empty() || !lists(schema->attributes, attribute.name())))
      problems.push_back("attribute '" + attribute.name() + "' is none of its own; expected " +
                         (schema->attributes.empty() ? "no attributes" : "some of: " + std::string(schema->attributes)));
  return problems;
}

} // namespace ingot::onnx
