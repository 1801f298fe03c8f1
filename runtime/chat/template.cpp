// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Template: parsing, and rendering with a context of JSON.
#include "runtime/chat/template.h"
#include "runtime/chat/characters.h"
#include "runtime/chat/parser.h"
#include "runtime/chat/renderer.h"

#include <nlohmann/json.hpp>

namespace ingot::chat {

using runtime::Error;
using runtime::ErrorCode;

namespace {

using Json = nlohmann::ordered_json;

Value fromJson(Machine &machine, const Json &json, int depth) {
  if (depth > kMaxValueDepth)
    return machine.exhausted("the context has more than " + std::to_string(kMaxValueDepth) + " levels");
  if (machine.failed())
    return Value();
  switch (json.type()) {
  case Json::value_t::boolean:
    return Value(json.get<bool>());
  case Json::value_t::number_integer:
    return Value(Integer(json.get<int64_t>()));
  case Json::value_t::number_unsigned:
    return Value(Integer(json.get<uint64_t>()));
  case Json::value_t::number_float:
    return Value(json.get<double>());
  case Json::value_t::string: {
    const std::string &text = json.get_ref<const std::string &>();
    if (!text::isValidUtf8(text))
      return machine.fail("the context holds text that is not UTF-8: " + runtime::quoted(text));
    return machine.string(text);
  }
  case Json::value_t::array: {
    std::vector<Value> items;
    for (const Json &item : json)
      items.push_back(fromJson(machine, item, depth + 1));
    return machine.list(std::move(items));
  }
  case Json::value_t::object: {
    auto dict = std::make_shared<Dict>();
    for (const auto &[key, value] : json.items()) {
      if (!text::isValidUtf8(key))
        return machine.fail("the context holds a key that is not UTF-8: " + runtime::quoted(key));
      machine.put(*dict, makeString(key), fromJson(machine, value, depth + 1));
    }
    return machine.dict(std::move(dict));
  }
  default:
    return Value::none();
  }
}

} // namespace

Template::Template(std::unique_ptr<TemplateSyntax> parsed) : syntax(std::move(parsed)) {}
Template::~Template() = default;

Result<std::unique_ptr<Template>> Template::parse(std::string_view source) {
  if (!text::isValidUtf8(source))
    return Error(ErrorCode::InvalidArgument, "it is not UTF-8 text");
  INGOT_ASSIGN_OR_RETURN(std::vector<Token> tokens, tokenize(source));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<TemplateSyntax> parsed, parseTokens(std::move(tokens)));
  return std::unique_ptr<Template>(new Template(std::move(parsed)));
}

Result<std::string> Template::render(const Json &context, const RenderOptions &options) const {
  if (!context.is_object())
    return Error(ErrorCode::InvalidArgument, "a chat template's context is not a JSON object");
  Machine machine(options);
  Value variables = fromJson(machine, context, 0);
  if (machine.failed())
    return machine.takeError();
  std::string out = Renderer(machine, variables.as<Dict>()).run(*syntax);
  if (machine.failed())
    return machine.takeError();
  return out;
}

} // namespace ingot::chat
