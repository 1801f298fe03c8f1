// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See schema.h.
#include "compiler/import/onnx/schema.h"

#include <map>

namespace ingot::onnx {

namespace {

struct Schema {
  std::string_view domain, name;
  int fewest, most;            // inputs; -1: any number
  std::string_view attributes; // with blanks between them
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

} // namespace

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
