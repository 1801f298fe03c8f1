// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and statements, of renderer.h.
#include "runtime/chat/renderer.h"

namespace ingot::chat {

Renderer::Renderer(Machine &machine, const Dict &context) : machine(machine), context(context) {
  machine.invoke = [this](const Value &callee, Arguments &arguments) {
    return callee.is(Kind::Macro) ? callMacro(callee, arguments) : callLoop(callee, arguments);
  };
  machine.loopAttribute = [this](const Value &loop, std::string_view name, bool &found) {
    return attributeOfLoop(loop.as<Loop>(), name, found);
  };
}

std::string Renderer::run(const TemplateSyntax &syntax) {
  std::string out;
  output = &out;
  scope = std::make_shared<Scope>();
  execute(syntax.body);
  return out;
}

Value Renderer::lookup(const std::string &name) {
  for (Scope *at = scope.get(); at; at = at->parent.get())
    if (Value *found = at->find(name))
      return *found;
  if (const Value *found = context.find(name))
    return *found;
  Value global = findGlobal(name);
  return global.isUndefined() ? machine.undefined(runtime::quoted(name) + " is undefined") : global;
}

void Renderer::assign(const Expr &target, const Value &value) {
  if (machine.failed())
    return;
  machine.line = target.line;
  switch (target.kind) {
  case ExprKind::Name:
    scope->set(target.name, value);
    return;
  case ExprKind::Member: {
    Value space = lookup(target.name);
    if (!space.is(Kind::Namespace)) {
      machine.fail("an attribute can be set on a namespace only, and " + runtime::quoted(target.name) + " is a " +
                   std::string(typeName(space)));
      return;
    }
    const std::string &name = target.value.text();
    if (name.starts_with('_')) {
      machine.fail("SecurityError",
                   "a namespace takes no attribute that begins with an underscore, such as " + runtime::quoted(name));
      return;
    }
    Dict &dict = space.as<Namespace>().dict.as<Dict>();
    machine.put(dict, target.value, value);
    return;
  }
  default: {
    std::vector<Value> values = machine.toVector(value);
    if (machine.failed())
      return;
    if (values.size() != target.items.size()) {
      machine.fail("ValueError", std::to_string(values.size()) + " values are assigned to " +
                                     std::to_string(target.items.size()) + " names");
      return;
    }
    for (size_t i = 0; i < values.size(); ++i)
      assign(*target.items[i], values[i]);
  }
  }
}

void Renderer::emit(std::string_view text) {
  if (output->size() + text.size() > machine.options.maxOutput) {
    machine.exhausted("the text is longer than " + std::to_string(machine.options.maxOutput) + " bytes");
    return;
  }
  if (machine.charge(text.size()))
    output->append(text);
}

Renderer::Flow Renderer::execute(const Body &body) {
  if (!machine.deepEnough())
    return Flow::Normal;
  for (const auto &statement : body) {
    machine.line = statement->line;
    if (!machine.step())
      break;
    if (Flow flow = execute(*statement); flow != Flow::Normal)
      return flow;
  }
  return Flow::Normal;
}

Renderer::Flow Renderer::execute(const Statement &statement) {
  switch (statement.kind) {
  case StatementKind::Text:
    emit(statement.text);
    return Flow::Normal;
  case StatementKind::Print:
    print(evaluate(*statement.expr));
    return Flow::Normal;
  case StatementKind::If:
    return branch(statement);
  case StatementKind::For:
    return loop(statement);
  case StatementKind::Set:
    assign(*statement.target, evaluate(*statement.expr));
    return Flow::Normal;
  case StatementKind::SetBlock: {
    Flow flow;
    Value text = captured(statement.body, flow);
    if (flow != Flow::Normal)
      return flow;
    assign(*statement.target, statement.expr ? filtered(*statement.expr, text) : text);
    return Flow::Normal;
  }
  case StatementKind::FilterBlock: {
    Flow flow;
    Value text = captured(statement.body, flow);
    if (flow == Flow::Normal)
      print(filtered(*statement.expr, text));
    return flow;
  }
  case StatementKind::Macro:
    scope->set(statement.macro->name, macro(*statement.macro, false));
    return Flow::Normal;
  case StatementKind::CallBlock:
    print(callWith(*statement.expr, statement.macro.get()));
    return Flow::Normal;
  case StatementKind::With: {
    std::vector<Value> values;
    for (const ExprPtr &value : statement.values)
      values.push_back(evaluate(*value));
    Inner inner(*this);
    for (size_t i = 0; i < values.size(); ++i)
      assign(*statement.targets[i], values[i]);
    return execute(statement.body);
  }
  case StatementKind::Scope: {
    Inner inner(*this);
    return execute(statement.body);
  }
  case StatementKind::Break:
    return Flow::Break;
  case StatementKind::Continue:
    return Flow::Continue;
  }
  return Flow::Normal;
}

void Renderer::print(const Value &value) {
  if (machine.failed())
    return;
  if (value.isString())
    emit(value.text());
  else
    emit(machine.str(value));
}

Renderer::Flow Renderer::branch(const Statement &first) {
  for (const Statement *at = &first;;) {
    machine.line = at->line;
    bool holds = machine.truth(evaluate(*at->expr));
    if (machine.failed() || !machine.step())
      return Flow::Normal;
    if (holds)
      return execute(at->body);
    if (at->otherwise.size() != 1 || at->otherwise[0]->kind != StatementKind::If)
      return execute(at->otherwise);
    at = at->otherwise[0].get();
  }
}

Value Renderer::captured(const Body &body, Flow &flow) {
  std::string text;
  std::string *before = std::exchange(output, &text);
  {
    Inner inner(*this);
    flow = execute(body);
  }
  output = before;
  return machine.string(std::move(text));
}

Value Renderer::filtered(const Expr &filter, const Value &text) {
  Value below = filter.items[0] ? filtered(*filter.items[0], text) : text;
  return applyFilter(filter, below);
}

} // namespace ingot::chat
