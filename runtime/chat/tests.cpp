// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tests of jinja2: what may stand after "is".
#include "runtime/chat/characters.h"
#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"

namespace ingot::chat {

namespace {

// The only argument of a test.
const Value &argument(Machine &machine, const char *test, Arguments &arguments) {
  return *machine.bind(test, arguments, {"value"}, 1)[0];
}

bool none(Machine &machine, const char *test, Arguments &arguments) {
  machine.bind(test, arguments, {}, 0);
  return !machine.failed();
}

// value % by == rest
bool leaves(Machine &machine, const Value &value, const Value &by, int64_t rest) {
  if (value.isString()) { // "..." % by is text, and no number
    machine.binary(Operator::Modulo, value, by);
    return false;
  }
  Value left = machine.binary(Operator::Modulo, value, by);
  return !machine.failed() && machine.equal(left, Value(rest));
}

// islower() and isupper(): some letter has the case, and none another.
bool hasCase(Machine &machine, const Value &value, bool upperCase) {
  std::string text = machine.str(value);
  bool any = false;
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    if (upperCase ? isLower(code) || isTitle(code) : isUpper(code) || isTitle(code))
      return false;
    any |= upperCase ? isUpper(code) : isLower(code);
  }
  return any;
}

bool same(Machine &machine, const Value &a, const Value &b) {
  if (a.kind() != b.kind())
    return false;
  if (a.is(Kind::Float))
    return false; // two floats are two objects, but for one that is compared with itself
  if (a.isIntegral() || a.is(Kind::None) || a.isString())
    return machine.equal(a, b) && a.isMarkup() == b.isMarkup();
  return a.object() == b.object();
}

template <Operator op> bool compares(Machine &machine, const Value &value, Arguments &arguments) {
  const Value &other = argument(machine, "test", arguments);
  return !machine.failed() && machine.compare(op, value, other);
}

using M = Machine &;
using V = const Value &;
using A = Arguments &;

constexpr Test kTests[] = {
    {"odd", [](M m, V v, A a) { return none(m, "odd", a) && leaves(m, v, Value(int64_t(2)), 1); }},
    {"even", [](M m, V v, A a) { return none(m, "even", a) && leaves(m, v, Value(int64_t(2)), 0); }},
    {"divisibleby",
     [](M m, V v, A a) {
       const Value &by = *m.bind("divisibleby", a, {"num"}, 1)[0];
       return !m.failed() && leaves(m, v, by, 0);
     }},
    {"defined", [](M m, V v, A a) { return none(m, "defined", a) && !v.isUndefined(); }},
    {"undefined", [](M m, V v, A a) { return none(m, "undefined", a) && v.isUndefined(); }},
    {"filter",
     [](M m, V v, A a) {
       return none(m, "filter", a) && v.isString() && (findFilter(v.text()) || refusedFilter(v.text()));
     }},
    {"test", [](M m, V v, A a) { return none(m, "test", a) && v.isString() && findTest(v.text()); }},
    {"none", [](M m, V v, A a) { return none(m, "none", a) && v.is(Kind::None); }},
    {"boolean", [](M m, V v, A a) { return none(m, "boolean", a) && v.is(Kind::Bool); }},
    {"false", [](M m, V v, A a) { return none(m, "false", a) && v.is(Kind::Bool) && !v.boolean(); }},
    {"true", [](M m, V v, A a) { return none(m, "true", a) && v.is(Kind::Bool) && v.boolean(); }},
    {"integer", [](M m, V v, A a) { return none(m, "integer", a) && v.is(Kind::Int); }},
    {"float", [](M m, V v, A a) { return none(m, "float", a) && v.is(Kind::Float); }},
    {"lower", [](M m, V v, A a) { return none(m, "lower", a) && hasCase(m, v, false); }},
    {"upper", [](M m, V v, A a) { return none(m, "upper", a) && hasCase(m, v, true); }},
    {"string", [](M m, V v, A a) { return none(m, "string", a) && v.isString(); }},
    {"mapping", [](M m, V v, A a) { return none(m, "mapping", a) && v.is(Kind::Dict); }},
    {"number", [](M m, V v, A a) { return none(m, "number", a) && v.isNumber(); }},
    {"sequence",
     [](M m, V v, A a) {
       if (!none(m, "sequence", a))
         return false;
       return v.isString() || v.isSequence() || v.is(Kind::Dict) || v.is(Kind::Range) || v.isUndefined();
     }},
    {"iterable", [](M m, V v, A a) { return none(m, "iterable", a) && (m.isIterable(v) || v.is(Kind::Loop)); }},
    {"callable", [](M m, V v, A a) { return none(m, "callable", a) && m.isCallable(v); }},
    {"sameas",
     [](M m, V v, A a) {
       const Value &other = *m.bind("sameas", a, {"other"}, 1)[0];
       return !m.failed() && same(m, v, other);
     }},
    {"escaped", [](M m, V v, A a) { return none(m, "escaped", a) && v.isString() && v.isMarkup(); }},
    {"in",
     [](M m, V v, A a) {
       const Value &container = *m.bind("in", a, {"seq"}, 1)[0];
       return !m.failed() && m.contains(container, v);
     }},
    {"==", compares<Operator::Equal>},
    {"eq", compares<Operator::Equal>},
    {"equalto", compares<Operator::Equal>},
    {"!=", compares<Operator::NotEqual>},
    {"ne", compares<Operator::NotEqual>},
    {">", compares<Operator::Greater>},
    {"gt", compares<Operator::Greater>},
    {"greaterthan", compares<Operator::Greater>},
    {">=", compares<Operator::GreaterEqual>},
    {"ge", compares<Operator::GreaterEqual>},
    {"<", compares<Operator::Less>},
    {"lt", compares<Operator::Less>},
    {"lessthan", compares<Operator::Less>},
    {"<=", compares<Operator::LessEqual>},
    {"le", compares<Operator::LessEqual>},
};

} // namespace

const Test *findTest(std::string_view name) {
  for (const Test &test : kTests)
    if (test.name == name)
      return &test;
  return nullptr;
}

} // namespace ingot::chat
