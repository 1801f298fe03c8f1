// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Limits, making values, truth, order, length and iteration. See machine.h.
#include "runtime/chat/machine.h"
#include "runtime/chat/characters.h"
#include "runtime/chat/library.h"

#include <algorithm>
#include <cmath>

namespace ingot::chat {

using runtime::Error;
using runtime::ErrorCode;

Machine::Machine(const RenderOptions &options)
    : options(options), stackBase(static_cast<const char *>(__builtin_frame_address(0))) {}

Machine::~Machine() {
  // Everything kept is alive here, so that emptying one frees no chain of others.
  std::vector<Value> garbage;
  for (auto &[kind, object] : kept)
    if (kind == Kind::Namespace)
      garbage.push_back(std::exchange(static_cast<Namespace *>(object.get())->dict, Value()));
    else if (kind == Kind::Macro)
      static_cast<Macro *>(object.get())->scope.reset();
    else if (kind == Kind::Loop) {
      Loop &loop = *static_cast<Loop *>(object.get());
      loop.scope.reset();
      loop.next = nullptr;
      for (Value *value : {&loop.iterable, &loop.before, &loop.current, &loop.after, &loop.last})
        garbage.push_back(std::exchange(*value, Value()));
    }
  garbage.clear();
}

Value Machine::fail(std::string what) {
  if (!failure)
    failure = Error(ErrorCode::InvalidArgument, "line " + std::to_string(line) + ": " + std::move(what));
  return Value();
}

Value Machine::fail(const char *kind, std::string what) { return fail(std::string(kind) + ": " + what); }

Value Machine::exhausted(std::string what) {
  if (!failure)
    failure = Error(ErrorCode::ResourceExhausted, "line " + std::to_string(line) + ": " + std::move(what));
  return Value();
}

bool Machine::step(uint64_t count) {
  steps += count;
  if (steps > options.maxSteps)
    exhausted("the template takes more than " + std::to_string(options.maxSteps) + " steps");
  return !failed();
}

bool Machine::charge(uint64_t count) {
  bytes += std::min(count, options.maxBytes + 1);
  if (bytes > options.maxBytes)
    exhausted("the template makes values of more than " + std::to_string(options.maxBytes) + " bytes");
  return !failed();
}

bool Machine::deepEnough() {
  const char *here = static_cast<const char *>(__builtin_frame_address(0));
  if (size_t(stackBase > here ? stackBase - here : here - stackBase) > options.maxStack)
    exhausted("calls and expressions lie too deep within each other");
  return !failed();
}

// --- Making values ---

Value Machine::string(std::string text) { return charge(text.size() + 64) ? makeString(std::move(text)) : Value(); }

Value Machine::list(std::vector<Value> items, Kind kind) {
  if (!charge(items.size() * sizeof(Value) + 64))
    return Value();
  auto made = std::make_shared<List>();
  for (const Value &item : items)
    made->depth = std::max(made->depth, item.depth() + 1);
  if (made->depth > kMaxValueDepth)
    return exhausted("a value has more than " + std::to_string(kMaxValueDepth) + " levels");
  made->items = std::move(items);
  return Value(kind, std::move(made));
}

Value Machine::dict(std::shared_ptr<Dict> made) {
  for (const auto &[key, value] : made->items)
    made->depth = std::max({made->depth, key.depth() + 1, value.depth() + 1});
  if (made->depth > kMaxValueDepth)
    return exhausted("a value has more than " + std::to_string(kMaxValueDepth) + " levels");
  return failed() ? Value() : Value(Kind::Dict, std::move(made));
}

bool Machine::put(Dict &dict, Value key, Value value) {
  std::string identity = keyIdentity(key);
  if (identity.empty())
    fail("TypeError", "a " + std::string(typeName(key)) + " cannot be a key");
  if (!charge(2 * sizeof(Value) + identity.size() + 64))
    return false;
  dict.set(identity, std::move(key), std::move(value));
  return true;
}

Value Machine::generator(Next next, int depth, std::string name) {
  if (depth + 1 > kMaxValueDepth)
    return exhausted("a value has more than " + std::to_string(kMaxValueDepth) + " levels");
  if (!charge(256))
    return Value();
  auto made = std::make_shared<Generator>();
  made->next = std::move(next);
  made->name = std::move(name);
  made->depth = depth + 1;
  return Value(Kind::Generator, std::move(made));
}

void Machine::keep(Kind kind, const std::shared_ptr<Object> &object) {
  charge(512);
  kept.emplace_back(kind, object);
}

// --- Truth and order ---

bool Machine::truth(const Value &value) {
  switch (value.kind()) {
  case Kind::Undefined:
  case Kind::None:
    return false;
  case Kind::Bool:
  case Kind::Int:
    return value.integer() != 0;
  case Kind::Float:
    return value.real() != 0;
  default:
    return !hasLength(value) || length(value) != 0;
  }
}

bool Machine::equal(const Value &a, const Value &b) {
  if (!step())
    return false;
  if (a.isNumber() && b.isNumber()) {
    if (a.isIntegral() && b.isIntegral())
      return a.integer() == b.integer();
    // Exact, as Python compares an int with a float.
    if (a.isIntegral() != b.isIntegral()) {
      const Value &whole = a.isIntegral() ? a : b;
      double real = (a.isIntegral() ? b : a).real();
      return std::fabs(real) < 1e38 && real == std::floor(real) && Integer(real) == whole.integer();
    }
    return a.real() == b.real();
  }
  if (a.kind() != b.kind())
    return false;
  switch (a.kind()) {
  case Kind::Undefined:
  case Kind::None:
    return true;
  case Kind::String:
    if (!step(std::min(a.text().size(), b.text().size()) / 64))
      return false;
    return a.text() == b.text();
  case Kind::List:
  case Kind::Tuple: {
    if (a.object() == b.object())
      return true;
    const std::vector<Value> &left = a.items(), &right = b.items();
    if (left.size() != right.size())
      return false;
    for (size_t i = 0; i < left.size(); ++i)
      if (!equal(left[i], right[i]) || failed())
        return false;
    return true;
  }
  case Kind::Dict: {
    if (a.object() == b.object())
      return true;
    const Dict &left = a.as<Dict>(), &right = b.as<Dict>();
    if (left.items.size() != right.items.size())
      return false;
    for (const auto &[key, value] : left.items) {
      const Value *other = right.find(keyIdentity(key), key);
      if (!other || !equal(value, *other) || failed())
        return false;
    }
    return true;
  }
  case Kind::Range: {
    const Range &left = a.as<Range>(), &right = b.as<Range>();
    return left.size == right.size &&
           (left.size == 0 || (left.start == right.start && (left.size == 1 || left.step == right.step)));
  }
  case Kind::View: {
    const View &left = a.as<View>(), &right = b.as<View>();
    if (left.part == View::Values || right.part == View::Values)
      return a.object() == b.object();
    if (left.part != right.part || left.dict.as<Dict>().items.size() != right.dict.as<Dict>().items.size())
      return false;
    for (const auto &[key, value] : left.dict.as<Dict>().items) {
      const Value *other = right.dict.as<Dict>().find(keyIdentity(key), key);
      if (!other || (left.part == View::Items && !equal(value, *other)) || failed())
        return false;
    }
    return true;
  }
  case Kind::Method:
    return a.as<Method>().name == b.as<Method>().name && a.as<Method>().self.object() == b.as<Method>().self.object();
  case Kind::Function:
    return a.as<Function>().body == b.as<Function>().body;
  default:
    return a.object() == b.object();
  }
}

int Machine::order(const Value &a, const Value &b, const char *op) {
  if (!step())
    return 2;
  if (a.isNumber() && b.isNumber()) {
    if (a.isIntegral() && b.isIntegral())
      return a.integer() < b.integer() ? -1 : a.integer() > b.integer();
    long double left = a.isIntegral() ? (long double)(a.integer()) : a.real();
    long double right = b.isIntegral() ? (long double)(b.integer()) : b.real();
    return left < right ? -1 : left > right ? 1 : left == right ? 0 : 2;
  }
  if (a.isString() && b.isString()) {
    step(std::min(a.text().size(), b.text().size()) / 64);
    int order = a.text().compare(b.text()); // UTF-8 sorts as its code points do
    return order < 0 ? -1 : order > 0;
  }
  if (a.isSequence() && a.kind() == b.kind()) {
    const std::vector<Value> &left = a.items(), &right = b.items();
    for (size_t i = 0; i < left.size() && i < right.size(); ++i) {
      if (failed())
        return 2;
      if (!equal(left[i], right[i]))
        return order(left[i], right[i], op);
    }
    return left.size() < right.size() ? -1 : left.size() > right.size();
  }
  for (const Value *value : {&a, &b})
    if (value->isUndefined()) {
      attribute(*value, "compared");
      return 2;
    }
  fail("TypeError", std::string("'") + op + "' does not compare a " + std::string(typeName(a)) + " with a " +
                        std::string(typeName(b)));
  return 2;
}

bool Machine::compare(Operator op, const Value &a, const Value &b) {
  switch (op) {
  case Operator::Equal:
    return equal(a, b);
  case Operator::NotEqual:
    return !equal(a, b);
  case Operator::In:
    return contains(b, a);
  case Operator::NotIn:
    return !contains(b, a);
  case Operator::Less:
    return order(a, b, "<") == -1;
  case Operator::Greater:
    return order(a, b, ">") == 1;
  case Operator::LessEqual: {
    int result = order(a, b, "<=");
    return result == -1 || result == 0;
  }
  default: {
    int result = order(a, b, ">=");
    return result == 1 || result == 0;
  }
  }
}

bool Machine::contains(const Value &container, const Value &item) {
  switch (container.kind()) {
  case Kind::String:
    if (!item.isString()) {
      fail("TypeError", "'in <string>' wants a string, not a " + std::string(typeName(item)));
      return false;
    }
    step((container.text().size() + item.text().size()) / 64);
    return container.text().find(item.text()) != std::string::npos;
  case Kind::Dict:
  case Kind::View: {
    bool keys = container.is(Kind::Dict) || container.as<View>().part == View::Keys;
    if (!keys)
      break;
    const Value &dict = container.is(Kind::Dict) ? container : container.as<View>().dict;
    std::string identity = keyIdentity(item);
    if (identity.empty()) {
      fail("TypeError", "a " + std::string(typeName(item)) + " cannot be a key");
      return false;
    }
    step(1 + dict.as<Dict>().items.size() % Dict::kIndexed);
    return dict.as<Dict>().find(identity, item);
  }
  case Kind::List:
  case Kind::Tuple:
    for (const Value &other : container.items())
      if (failed() || equal(other, item))
        return !failed();
    return false;
  default:
    break;
  }
  if (!isIterable(container)) {
    fail("TypeError", "a " + std::string(typeName(container)) + " is not a container");
    return false;
  }
  Next next = iterate(container);
  for (Value other; next(*this, other);)
    if (equal(other, item))
      return !failed();
  return false;
}

// --- Length and iteration ---

bool Machine::hasLength(const Value &value) const {
  switch (value.kind()) {
  case Kind::Undefined:
  case Kind::String:
  case Kind::List:
  case Kind::Tuple:
  case Kind::Dict:
  case Kind::Range:
  case Kind::View:
  case Kind::Loop:
    return true;
  default:
    return false;
  }
}

int64_t Machine::length(const Value &value) {
  switch (value.kind()) {
  case Kind::Undefined:
    return 0;
  case Kind::String:
    if (value.string().ascii)
      return int64_t(value.text().size());
    step(value.text().size() / 64);
    return int64_t(countCodes(value.text()));
  case Kind::List:
  case Kind::Tuple:
    return int64_t(value.items().size());
  case Kind::Dict:
    return int64_t(value.as<Dict>().items.size());
  case Kind::Range:
    return value.as<Range>().size;
  case Kind::View:
    return int64_t(value.as<View>().dict.as<Dict>().items.size());
  case Kind::Loop: {
    bool found = false;
    return int64_t(loopAttribute(value, "length", found).integer());
  }
  default:
    fail("TypeError", "a " + std::string(typeName(value)) + " has no length");
    return -1;
  }
}

bool Machine::isIterable(const Value &value) const {
  return (hasLength(value) && !value.is(Kind::Loop)) || value.is(Kind::Generator);
}

Next Machine::iterate(const Value &value) {
  switch (value.kind()) {
  case Kind::Undefined:
    return [](Machine &, Value &) { return false; };
  case Kind::String:
    return [value, at = size_t(0)](Machine &machine, Value &out) mutable {
      const std::string &text = value.text();
      if (at >= text.size() || !machine.step())
        return false;
      size_t length = text::lengthOfLead(text[at]);
      out = machine.string(text.substr(at, length)).asMarkup(value.isMarkup());
      at += length;
      return !machine.failed();
    };
  case Kind::List:
  case Kind::Tuple:
    return [value, at = size_t(0)](Machine &machine, Value &out) mutable {
      if (at >= value.items().size() || !machine.step())
        return false;
      out = value.items()[at++];
      return true;
    };
  case Kind::Range:
    return [value, at = int64_t(0)](Machine &machine, Value &out) mutable {
      const Range &range = value.as<Range>();
      if (at >= range.size || !machine.step())
        return false;
      out = Value(Integer(range.start + range.step * at++));
      return true;
    };
  case Kind::Dict:
  case Kind::View: {
    View::Part part = value.is(Kind::Dict) ? View::Keys : value.as<View>().part;
    Value dict = value.is(Kind::Dict) ? value : value.as<View>().dict;
    return [dict, part, at = size_t(0)](Machine &machine, Value &out) mutable {
      const auto &items = dict.as<Dict>().items;
      if (at >= items.size() || !machine.step())
        return false;
      const auto &[key, content] = items[at++];
      out = part == View::Keys ? key : part == View::Values ? content : machine.tuple({key, content});
      return !machine.failed();
    };
  }
  case Kind::Generator:
    return [value](Machine &machine, Value &out) {
      return machine.step() && machine.deepEnough() && value.as<Generator>().next(machine, out);
    };
  default:
    fail("TypeError", "a " + std::string(typeName(value)) + " cannot be iterated");
    return [](Machine &, Value &) { return false; };
  }
}

std::vector<Value> Machine::toVector(const Value &value) {
  std::vector<Value> out;
  if (value.isSequence() && step(value.items().size()) && charge(value.items().size() * sizeof(Value)))
    return value.items();
  Next next = iterate(value);
  for (Value item; next(*this, item);) {
    if (!charge(sizeof(Value)))
      break;
    out.push_back(std::move(item));
  }
  return out;
}

// --- Arguments ---

std::vector<const Value *> Machine::bind(const char *function, Arguments &arguments,
                                         std::initializer_list<std::string_view> names, size_t required,
                                         bool positionalOnly) {
  std::vector<const Value *> out(names.size());
  if (arguments.positional.size() > names.size()) {
    fail("TypeError", std::string(function) + "() takes " + std::to_string(names.size()) + " arguments, and " +
                          std::to_string(arguments.positional.size()) + " are given");
    return out;
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i)
    out[i] = &arguments.positional[i];
  for (const auto &[name, value] : arguments.named) {
    size_t i = std::find(names.begin(), names.end(), name) - names.begin();
    if (i == names.size() || positionalOnly)
      fail("TypeError", std::string(function) + "() has no argument " + runtime::quoted(name));
    else if (out[i])
      fail("TypeError", std::string(function) + "() has two values for its argument " + runtime::quoted(name));
    else
      out[i] = &value;
  }
  for (size_t i = 0; i < required; ++i)
    if (!out[i])
      fail("TypeError", std::string(function) + "() wants an argument '" + std::string(names.begin()[i]) + "'");
  // So that what follows an error has something to look at.
  static const Value nothing;
  for (size_t i = 0; i < required; ++i)
    if (!out[i])
      out[i] = &nothing;
  return out;
}

int64_t Machine::index(const Value &value, const char *what) {
  if (!value.isIntegral()) {
    fail("TypeError", std::string(what) + " is a " + std::string(typeName(value)) + ", not an integer");
    return 0;
  }
  return int64_t(std::clamp(value.integer(), Integer(INT64_MIN), Integer(INT64_MAX)));
}

const std::string &Machine::textOf(const Value &value, const char *what) {
  static const std::string none;
  if (value.isString())
    return value.text();
  fail("TypeError", std::string(what) + " is a " + std::string(typeName(value)) + ", not a string");
  return none;
}

void sortBy(Machine &m, std::vector<std::pair<Value, Value>> &keyed, bool reverse) {
  m.step(keyed.size());
  auto less = [&](const auto &a, const auto &b) {
    return !m.failed() && m.order(reverse ? b.first : a.first, reverse ? a.first : b.first, "<") == -1;
  };
  // A merge sort of our own: what the template compares need not be an order at all (NaN), which std::sort may not
  // meet.
  std::vector<std::pair<Value, Value>> other(keyed.size());
  for (size_t width = 1; width < keyed.size() && !m.failed(); width *= 2) {
    for (size_t begin = 0; begin < keyed.size(); begin += 2 * width) {
      size_t middle = std::min(begin + width, keyed.size()), end = std::min(begin + 2 * width, keyed.size());
      size_t left = begin, right = middle;
      for (size_t i = begin; i < end; ++i)
        other[i] = std::move(left < middle && (right >= end || !less(keyed[right], keyed[left])) ? keyed[left++]
                                                                                                 : keyed[right++]);
    }
    keyed.swap(other);
  }
}

} // namespace ingot::chat
