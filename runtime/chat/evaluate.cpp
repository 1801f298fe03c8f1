// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions, of renderer.h. What operators do is Machine's.
#include "runtime/chat/renderer.h"

namespace ingot::chat {

Value Renderer::evaluate(const Expr &expr) {
  if (!machine.step() || !machine.deepEnough())
    return Value();
  machine.line = expr.line;
  switch (expr.kind) {
  case ExprKind::Constant:
    return expr.value;
  case ExprKind::Name:
    return lookup(expr.name);
  case ExprKind::Tuple:
  case ExprKind::List:
    return sequence(expr);
  case ExprKind::Dict:
    return mapping(expr);
  case ExprKind::Attribute:
    return at(expr, machine.attribute(evaluate(*expr.items[0]), expr.name));
  case ExprKind::Item:
    return item(expr);
  case ExprKind::Call:
    return callWith(expr, nullptr);
  case ExprKind::FilterCall:
    return applyFilter(expr, evaluate(*expr.items[0]));
  case ExprKind::TestCall:
    return applyTest(expr);
  case ExprKind::Conditional:
    if (machine.truth(evaluate(*expr.items[0])))
      return evaluate(*expr.items[1]);
    if (expr.items[2])
      return evaluate(*expr.items[2]);
    return machine.undefined("an inline if has no else, and its condition is false");
  case ExprKind::And:
  case ExprKind::Or: {
    Value left = evaluate(*expr.items[0]);
    return machine.truth(left) == (expr.kind == ExprKind::And) ? evaluate(*expr.items[1]) : left;
  }
  case ExprKind::Not:
    return Value(!machine.truth(evaluate(*expr.items[0])));
  case ExprKind::Negate:
    return machine.negate(evaluate(*expr.items[0]));
  case ExprKind::Plus:
    return machine.plus(evaluate(*expr.items[0]));
  case ExprKind::Binary:
    return binary(expr);
  case ExprKind::Concat:
    return concat(expr);
  case ExprKind::Compare:
    return compare(expr);
  case ExprKind::Slice:
  case ExprKind::Member:
    break;
  }
  return Value();
}

Value Renderer::at(const Expr &expr, Value value) {
  machine.line = expr.line;
  return value;
}

Value Renderer::sequence(const Expr &expr) {
  std::vector<Value> items;
  items.reserve(expr.items.size());
  for (const ExprPtr &item : expr.items)
    items.push_back(evaluate(*item));
  return machine.list(std::move(items), expr.kind == ExprKind::Tuple ? Kind::Tuple : Kind::List);
}

Value Renderer::mapping(const Expr &expr) {
  auto dict = std::make_shared<Dict>();
  for (size_t i = 0; i + 1 < expr.items.size() && !machine.failed(); i += 2) {
    Value key = evaluate(*expr.items[i]);
    machine.put(*dict, std::move(key), evaluate(*expr.items[i + 1]));
  }
  return machine.dict(std::move(dict));
}

Value Renderer::item(const Expr &expr) {
  Value object = evaluate(*expr.items[0]);
  const Expr &index = *expr.items[1];
  if (index.kind != ExprKind::Slice) {
    Value key = evaluate(index);
    machine.line = expr.line;
    return machine.item(object, key);
  }
  auto part = [&](const ExprPtr &bound) { return bound ? evaluate(*bound) : Value::none(); };
  Value start = part(index.items[0]), stop = part(index.items[1]), step = part(index.items[2]);
  machine.line = expr.line;
  return machine.slice(object, start, stop, step);
}

Value Renderer::binary(const Expr &expr) {
  Value left = evaluate(*expr.items[0]);
  Value right = evaluate(*expr.items[1]);
  machine.line = expr.line;
  return machine.binary(expr.op, left, right);
}

Value Renderer::concat(const Expr &expr) {
  std::string out;
  for (const ExprPtr &item : expr.items)
    out += machine.str(evaluate(*item));
  return machine.string(std::move(out));
}

Value Renderer::compare(const Expr &expr) {
  Value left = evaluate(*expr.items[0]);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    Value right = evaluate(*expr.items[i + 1]);
    machine.line = expr.line;
    if (machine.failed() || !machine.compare(expr.ops[i], left, right))
      return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Arguments Renderer::arguments(const CallArguments &syntax) {
  Arguments out;
  for (const ExprPtr &argument : syntax.positional)
    out.positional.push_back(evaluate(*argument));
  if (syntax.rest)
    for (Value &value : machine.toVector(evaluate(*syntax.rest)))
      out.positional.push_back(std::move(value));
  for (const auto &[name, argument] : syntax.named)
    out.named.emplace_back(name, evaluate(*argument));
  if (syntax.namedRest) {
    Value rest = evaluate(*syntax.namedRest);
    if (!rest.is(Kind::Dict)) {
      machine.fail("TypeError", "what follows ** is a " + std::string(typeName(rest)) + ", not a dict");
      return out;
    }
    for (const auto &[key, value] : rest.as<Dict>().items) {
      const std::string &name = machine.textOf(key, "a keyword");
      for (const auto &[other, already] : out.named)
        if (other == name)
          machine.fail("TypeError", "the argument " + runtime::quoted(name) + " is given twice");
      out.named.emplace_back(name, value);
    }
  }
  return out;
}

Value Renderer::callWith(const Expr &expr, const MacroSyntax *block) {
  Value callee = evaluate(*expr.items[0]);
  if (machine.failed())
    return Value();
  Arguments given = arguments(expr.arguments);
  if (block)
    given.named.emplace_back("caller", macro(*block, true));
  machine.line = expr.line;
  return at(expr, machine.call(callee, given));
}

Value Renderer::applyFilter(const Expr &expr, const Value &input) {
  if (machine.failed())
    return Value();
  if (!expr.filter) {
    machine.line = expr.line;
    return machine.fail("there is no filter named " + runtime::quoted(expr.name));
  }
  Arguments given = arguments(expr.arguments);
  machine.line = expr.line;
  if (machine.failed())
    return Value();
  return expr.filter->apply(machine, input, given);
}

Value Renderer::applyTest(const Expr &expr) {
  Value input = evaluate(*expr.items[0]);
  if (machine.failed())
    return Value();
  if (!expr.test) {
    machine.line = expr.line;
    return machine.fail("there is no test named " + runtime::quoted(expr.name));
  }
  Arguments given = arguments(expr.arguments);
  machine.line = expr.line;
  return machine.failed() ? Value() : Value(expr.test->holds(machine, input, given));
}

} // namespace ingot::chat
