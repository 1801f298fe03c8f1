// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Macros and the blocks of calls, of renderer.h: which argument goes to which parameter.
#include "runtime/chat/renderer.h"

namespace ingot::chat {

Value Renderer::macro(const MacroSyntax &syntax, bool anonymous) {
  auto made = std::make_shared<Macro>();
  made->syntax = &syntax;
  made->scope = scope;
  made->anonymous = anonymous;
  machine.keep(Kind::Macro, made);
  return Value(Kind::Macro, std::move(made));
}

Value Renderer::callMacro(const Value &callee, Arguments &arguments) {
  const Macro &macro = callee.as<Macro>();
  const MacroSyntax &syntax = *macro.syntax;
  std::string name = runtime::quoted(syntax.name.empty() ? "caller" : syntax.name);
  size_t count = syntax.parameters.size();
  std::vector<std::optional<Value>> given(count);
  std::vector<std::pair<std::string, Value>> named = std::move(arguments.named);
  auto take = [&](std::string_view wanted) -> std::optional<Value> {
    for (auto at = named.begin(); at != named.end(); ++at)
      if (at->first == wanted) {
        Value value = std::move(at->second);
        named.erase(at);
        return value;
      }
    return std::nullopt;
  };
  bool takesCaller = false;
  for (size_t i = 0; i < count; ++i) {
    takesCaller |= syntax.parameters[i] == "caller";
    if (i < arguments.positional.size())
      given[i] = arguments.positional[i];
    else
      given[i] = take(syntax.parameters[i]);
  }
  std::optional<Value> caller;
  if (syntax.usesCaller && !takesCaller) {
    caller = take("caller");
    if (!caller || caller->is(Kind::None))
      caller = machine.undefined("No caller defined");
  }
  if (!named.empty() && !syntax.usesNamedRest)
    return machine.fail("TypeError", "the macro " + name + " has no parameter " + runtime::quoted(named.front().first));
  if (arguments.positional.size() > count && !syntax.usesRest)
    return machine.fail("TypeError", "the macro " + name + " takes " + std::to_string(count) + " arguments, and " +
                                         std::to_string(arguments.positional.size()) + " are given");
  if (++calls > kMaxCalls)
    return machine.exhausted("macros call themselves more than " + std::to_string(kMaxCalls) +
                             " times within each other");
  std::string text;
  std::string *before = std::exchange(output, &text);
  {
    Inner inner(*this, macro.scope);
    if (caller)
      scope->set("caller", *caller);
    if (syntax.usesNamedRest) {
      auto rest = std::make_shared<Dict>();
      for (auto &[key, value] : named)
        machine.put(*rest, makeString(key), value);
      scope->set("kwargs", machine.dict(std::move(rest)));
    }
    if (syntax.usesRest) {
      size_t from = std::min(count, arguments.positional.size());
      scope->set("varargs", machine.tuple({arguments.positional.begin() + from, arguments.positional.end()}));
    }
    size_t required = count - syntax.defaults.size();
    for (size_t i = 0; i < count && !machine.failed(); ++i) {
      const std::string &parameter = syntax.parameters[i];
      if (given[i])
        scope->set(parameter, *given[i]);
      else if (i >= required)
        scope->set(parameter, evaluate(*syntax.defaults[i - required]));
      else
        scope->set(parameter, machine.undefined("the parameter " + runtime::quoted(parameter) + " was not provided"));
    }
    if (!machine.failed())
      execute(syntax.body);
  }
  output = before;
  --calls;
  return machine.string(std::move(text));
}

} // namespace ingot::chat
