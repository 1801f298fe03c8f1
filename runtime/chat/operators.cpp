// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic, attributes, items, slices and calls: Python's, by the rules of jinja2's sandbox.
#include "runtime/chat/characters.h"
#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"

#include <algorithm>
#include <cmath>

namespace ingot::chat {

namespace {

constexpr const char *kTooBig = "an integer grows beyond 127 bits, which Ingot's templates do not have";

const char *symbol(Operator op) {
  static constexpr const char *symbols[] = {"+", "-", "*", "/", "//", "%", "**"};
  return symbols[int(op)];
}

Value integers(Machine &machine, Operator op, Integer a, Integer b) {
  Integer out = 0;
  bool over = false;
  switch (op) {
  case Operator::Add:
    over = __builtin_add_overflow(a, b, &out);
    break;
  case Operator::Subtract:
    over = __builtin_sub_overflow(a, b, &out);
    break;
  case Operator::Multiply:
    over = __builtin_mul_overflow(a, b, &out);
    break;
  case Operator::Divide:
    if (b == 0)
      return machine.fail("ZeroDivisionError", "division by zero");
    return Value(double((long double)(a) / (long double)(b)));
  case Operator::FloorDivide:
  case Operator::Modulo: {
    if (b == 0)
      return machine.fail("ZeroDivisionError", "division by zero");
    if (b == -1) {
      over = op == Operator::FloorDivide && __builtin_sub_overflow(Integer(0), a, &out);
      break;
    }
    Integer quotient = a / b, rest = a % b;
    if (rest != 0 && (rest < 0) != (b < 0)) {
      --quotient;
      rest += b;
    }
    out = op == Operator::FloorDivide ? quotient : rest;
    break;
  }
  default: // Power
    if (b < 0) {
      if (a == 0)
        return machine.fail("ZeroDivisionError", "zero to a negative power");
      return Value(std::pow(double(a), double(b)));
    }
    out = 1;
    if (a == 0 || a == 1 || a == -1) {
      out = b == 0 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : a;
      break;
    }
    for (Integer i = 0; i < b && !over; ++i)
      over = __builtin_mul_overflow(out, a, &out);
    break;
  }
  return over ? machine.exhausted(kTooBig) : Value(out);
}

Value reals(Machine &machine, Operator op, double a, double b) {
  switch (op) {
  case Operator::Add:
    return Value(a + b);
  case Operator::Subtract:
    return Value(a - b);
  case Operator::Multiply:
    return Value(a * b);
  case Operator::Divide:
    return b == 0 ? machine.fail("ZeroDivisionError", "division by zero") : Value(a / b);
  case Operator::FloorDivide:
  case Operator::Modulo: {
    if (b == 0)
      return machine.fail("ZeroDivisionError", "division by zero");
    double rest = std::fmod(a, b), quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0)) {
      rest += b;
      quotient -= 1;
    } else if (rest == 0) {
      rest = std::copysign(0.0, b);
    }
    if (op == Operator::Modulo)
      return Value(rest);
    if (quotient == 0)
      return Value(std::copysign(0.0, a / b));
    double floor = std::floor(quotient);
    return Value(quotient - floor > 0.5 ? floor + 1 : floor);
  }
  default: {
    if (a == 0 && b < 0)
      return machine.fail("ZeroDivisionError", "zero to a negative power");
    if (a < 0 && b != std::floor(b))
      return machine.fail(
          "a negative number to a broken power is a complex number, which Ingot's templates do not have");
    double out = std::pow(a, b);
    if (std::isinf(out) && !std::isinf(a) && !std::isinf(b))
      return machine.fail("OverflowError", "a power is too large for a float");
    return Value(out);
  }
  }
}

// text * count
Value repeated(Machine &machine, const Value &value, Integer count) {
  count = std::max(count, Integer(0));
  if (value.isString()) {
    const std::string &text = value.text();
    if (count > Integer(machine.options.maxBytes) || !machine.charge(uint64_t(text.size()) * uint64_t(count)))
      return text.empty() ? value : machine.exhausted("a string is repeated too often");
    std::string out;
    out.reserve(text.size() * size_t(count));
    for (Integer i = 0; i < count && !text.empty(); ++i)
      out += text;
    return makeString(std::move(out)).asMarkup(value.isMarkup());
  }
  const std::vector<Value> &items = value.items();
  if (items.empty())
    return value;
  if (count > Integer(machine.options.maxBytes / sizeof(Value)) ||
      !machine.charge(items.size() * sizeof(Value) * uint64_t(count)))
    return machine.exhausted("a list is repeated too often");
  std::vector<Value> out;
  out.reserve(items.size() * size_t(count));
  for (Integer i = 0; i < count; ++i)
    out.insert(out.end(), items.begin(), items.end());
  return machine.list(std::move(out), value.kind());
}

// Which item `index` means in `size` of them; -1 where there is none.
int64_t position(const Value &index, int64_t size) {
  Integer at = index.integer();
  if (at < 0)
    at += size;
  return at < 0 || at >= size ? -1 : int64_t(at);
}

} // namespace

Value Machine::binary(Operator op, const Value &a, const Value &b) {
  if (failed())
    return Value();
  if (a.isNumber() && b.isNumber()) {
    if (a.isIntegral() && b.isIntegral())
      return integers(*this, op, a.integer(), b.integer());
    return reals(*this, op, a.real(), b.real());
  }
  if (op == Operator::Modulo && a.isString())
    return percent(a, b);
  for (const Value *value : {&a, &b})
    if (value->isUndefined())
      return attribute(*value, "operand");
  if (op == Operator::Add) {
    if (a.isString() && b.isString()) {
      if (!charge(a.text().size() + b.text().size()))
        return Value();
      if (!a.isMarkup() && !b.isMarkup())
        return makeString(a.text() + b.text());
      return makeString(escape(a).text() + escape(b).text()).asMarkup(true);
    }
    if (a.isSequence() && a.kind() == b.kind()) {
      std::vector<Value> items = a.items();
      items.insert(items.end(), b.items().begin(), b.items().end());
      return list(std::move(items), a.kind());
    }
  }
  if (op == Operator::Multiply) {
    if ((a.isString() || a.isSequence()) && b.isIntegral())
      return repeated(*this, a, b.integer());
    if ((b.isString() || b.isSequence()) && a.isIntegral())
      return repeated(*this, b, a.integer());
  }
  return fail("TypeError", std::string("'") + symbol(op) + "' does not take a " + std::string(typeName(a)) + " and a " +
                               std::string(typeName(b)));
}

Value Machine::negate(const Value &value) {
  if (value.is(Kind::Float))
    return Value(-value.real());
  if (value.isIntegral())
    return integers(*this, Operator::Subtract, 0, value.integer());
  if (value.isUndefined())
    return attribute(value, "operand");
  return fail("TypeError", "'-' does not take a " + std::string(typeName(value)));
}

Value Machine::plus(const Value &value) {
  if (value.is(Kind::Float))
    return value;
  if (value.isIntegral())
    return Value(value.integer());
  if (value.isUndefined())
    return attribute(value, "operand");
  return fail("TypeError", "'+' does not take a " + std::string(typeName(value)));
}

bool Machine::findItem(const Value &object, const Value &index, Value &out) {
  switch (object.kind()) {
  case Kind::Dict: {
    std::string identity = keyIdentity(index);
    const Value *found = identity.empty() ? nullptr : object.as<Dict>().find(identity, index);
    step(object.as<Dict>().items.size() < Dict::kIndexed ? object.as<Dict>().items.size() / 4 : 1);
    if (found)
      out = *found;
    return found;
  }
  case Kind::List:
  case Kind::Tuple: {
    int64_t at = index.isIntegral() ? position(index, int64_t(object.items().size())) : -1;
    if (at >= 0)
      out = object.items()[at];
    return at >= 0;
  }
  case Kind::String: {
    if (!index.isIntegral())
      return false;
    int64_t at = position(index, length(object));
    if (at < 0)
      return false;
    const String &string = object.string();
    size_t begin = string.ascii ? size_t(at) : byteOf(string.text, size_t(at));
    step(string.ascii ? 1 : begin / 64);
    out = this->string(string.text.substr(begin, text::lengthOfLead(string.text[begin]))).asMarkup(object.isMarkup());
    return true;
  }
  case Kind::Range: {
    const Range &range = object.as<Range>();
    int64_t at = index.isIntegral() ? position(index, range.size) : -1;
    if (at >= 0)
      out = Value(Integer(range.start + range.step * at));
    return at >= 0;
  }
  default:
    return false;
  }
}

bool Machine::findAttribute(const Value &object, std::string_view name, Value &out) {
  switch (object.kind()) {
  case Kind::Namespace:
    if (const Value *found = object.as<Namespace>().dict.as<Dict>().find(name)) {
      out = *found;
      return true;
    }
    return false;
  case Kind::Loop: {
    bool found = false;
    Value value = loopAttribute(object, name, found);
    if (found)
      out = std::move(value);
    if (found)
      return true;
    break;
  }
  case Kind::Macro: {
    const Macro &macro = object.as<Macro>();
    if (name == "name")
      out = macro.anonymous ? Value::none() : makeString(macro.syntax->name);
    else if (name == "caller" || name == "catch_varargs" || name == "catch_kwargs")
      out = Value(name == "caller"          ? macro.syntax->usesCaller
                  : name == "catch_varargs" ? macro.syntax->usesRest
                                            : macro.syntax->usesNamedRest);
    else if (name == "arguments") {
      std::vector<Value> names;
      for (const std::string &parameter : macro.syntax->parameters)
        names.push_back(makeString(parameter));
      out = tuple(std::move(names));
    } else
      return false;
    return true;
  }
  case Kind::Cycler: {
    const Cycler &cycler = object.as<Cycler>();
    if (name == "current" || name == "items" || name == "pos") {
      out = name == "current" ? cycler.items.items()[cycler.position]
            : name == "items" ? cycler.items
                              : Value(int64_t(cycler.position));
      return true;
    }
    break;
  }
  case Kind::Tuple:
    if (object.as<List>().group && (name == "grouper" || name == "list")) {
      out = object.items()[name == "list"];
      return true;
    }
    break;
  case Kind::Joiner:
    if (name == "sep" || name == "used") {
      out = name == "sep" ? makeString(object.as<Joiner>().separator) : Value(object.as<Joiner>().used);
      return true;
    }
    break;
  case Kind::Range: {
    const Range &range = object.as<Range>();
    if (name == "start" || name == "stop" || name == "step") {
      out = Value(name == "start" ? range.start : name == "stop" ? range.stop : range.step);
      return true;
    }
    break;
  }
  case Kind::Bool:
  case Kind::Int:
    if (name == "real" || name == "numerator") {
      out = Value(object.integer());
      return true;
    }
    if (name == "imag" || name == "denominator") {
      out = Value(int64_t(name == "denominator"));
      return true;
    }
    break;
  case Kind::Float:
    if (name == "real" || name == "imag") {
      out = Value(name == "real" ? object.real() : 0.0);
      return true;
    }
    break;
  default:
    break;
  }
  Value method = findMethod(*this, object, name);
  if (method.isUndefined() && !method.object())
    return false;
  out = std::move(method);
  return true;
}

Value Machine::attribute(const Value &object, const std::string &name) {
  if (failed())
    return Value();
  if (object.isUndefined())
    return fail("UndefinedError", object.object() ? object.message() : "a value is undefined");
  Value out;
  // What begins with an underscore is Python's own: the sandbox hides it.
  if (!name.empty() && name[0] == '_' && !object.is(Kind::Namespace)) {
    if (findItem(object, makeString(name), out))
      return out;
    return undefined("a " + std::string(typeName(object)) + " has no attribute " + runtime::quoted(name));
  }
  if (findAttribute(object, name, out) || failed())
    return out;
  if (findItem(object, makeString(name), out))
    return out;
  return undefined("a " + std::string(typeName(object)) + " has no attribute " + runtime::quoted(name));
}

Value Machine::item(const Value &object, const Value &index) {
  if (failed())
    return Value();
  if (object.isUndefined())
    return attribute(object, "item");
  Value out;
  if (findItem(object, index, out) || failed())
    return out;
  if (index.isString() && (index.text().empty() || index.text()[0] != '_') && findAttribute(object, index.text(), out))
    return out;
  std::string what = index.isString() ? runtime::quoted(index.text()) : std::string(typeName(index));
  return undefined("a " + std::string(typeName(object)) + " has no item " +
                   (index.isIntegral() ? integerText(index.integer()) : what));
}

Value Machine::slice(const Value &object, const Value &start, const Value &stop, const Value &step) {
  if (failed())
    return Value();
  if (object.isUndefined())
    return attribute(object, "item");
  if (!object.isString() && !object.isSequence() && !object.is(Kind::Range))
    return fail("TypeError", "a " + std::string(typeName(object)) + " has no slices");
  for (const Value *bound : {&start, &stop, &step})
    if (!bound->is(Kind::None) && !bound->isIntegral())
      return fail("TypeError", "a slice's bound is a " + std::string(typeName(*bound)));
  int64_t size = length(object), by = step.is(Kind::None) ? 1 : index(step, "a slice's step");
  if (by == 0)
    return fail("ValueError", "a slice's step is zero");
  by = std::clamp<int64_t>(by, -INT64_MAX / 2, INT64_MAX / 2);
  auto bound = [&](const Value &value, int64_t absent) {
    if (value.is(Kind::None))
      return absent;
    int64_t at = index(value, "a slice's bound");
    if (at < 0)
      at = std::max<int64_t>(at + size, by > 0 ? 0 : -1);
    return std::min(at, by > 0 ? size : size - 1);
  };
  int64_t from = bound(start, by > 0 ? 0 : size - 1), to = bound(stop, by > 0 ? size : -1);
  int64_t count = by > 0 ? (to > from ? (to - from - 1) / by + 1 : 0) : (from > to ? (from - to - 1) / -by + 1 : 0);
  if (object.is(Kind::Range)) {
    const Range &range = object.as<Range>();
    auto out = std::make_shared<Range>();
    out->start = range.start + range.step * from;
    out->stop = range.start + range.step * to;
    out->step = range.step * by;
    out->size = count;
    return Value(Kind::Range, std::move(out));
  }
  if (!this->step(uint64_t(count) / 16))
    return Value();
  if (object.isString()) {
    const String &string = object.string();
    std::string out;
    if (by == 1) {
      size_t begin = string.ascii ? size_t(from) : byteOf(string.text, size_t(from));
      std::string_view rest = std::string_view(string.text).substr(begin);
      out = rest.substr(0, string.ascii ? size_t(count) : byteOf(rest, size_t(count)));
    } else if (count > 0) {
      std::vector<uint32_t> codes;
      unsigned width;
      if (!charge(uint64_t(size) * 4))
        return Value();
      for (size_t i = 0; i < string.text.size(); i += width)
        codes.push_back(codeAt(string.text, i, width));
      for (int64_t i = 0; i < count; ++i)
        text::appendUtf8(out, codes[from + i * by]);
    }
    return this->string(std::move(out)).asMarkup(object.isMarkup());
  }
  std::vector<Value> items;
  for (int64_t i = 0; i < count; ++i)
    items.push_back(object.items()[from + i * by]);
  return list(std::move(items), object.kind());
}

bool Machine::isCallable(const Value &value) const {
  switch (value.kind()) {
  case Kind::Undefined:
  case Kind::Macro:
  case Kind::Method:
  case Kind::Loop:
  case Kind::Joiner:
    return true;
  case Kind::Function:
    return value.as<Function>().name != "self";
  default:
    return false;
  }
}

Value Machine::call(const Value &callee, Arguments &arguments) {
  if (failed() || !step() || !deepEnough())
    return Value();
  switch (callee.kind()) {
  case Kind::Undefined:
    return attribute(callee, "call");
  case Kind::Function:
    return callee.as<Function>().body(*this, callee, arguments);
  case Kind::Method:
    return callee.as<Method>().body(*this, callee.as<Method>().self, arguments);
  case Kind::Macro:
  case Kind::Loop:
    return invoke(callee, arguments);
  case Kind::Joiner: {
    Joiner &joiner = callee.as<Joiner>();
    bind("joiner", arguments, {}, 0);
    return string(std::exchange(joiner.used, true) ? joiner.separator : "");
  }
  default:
    return fail("TypeError", "a " + std::string(typeName(callee)) + " cannot be called");
  }
}

} // namespace ingot::chat
