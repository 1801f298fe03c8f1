// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One rendering: its limits, its error and the operations of Python that it is made of. An error is kept by the first
// fail() and makes every later operation end at once with an undefined value, so callers look at failed() only before
// they rely on a result or go round a loop.
#ifndef INGOT_RUNTIME_CHAT_MACHINE_H
#define INGOT_RUNTIME_CHAT_MACHINE_H

#include "runtime/chat/syntax.h"
#include "runtime/chat/template.h"
#include "runtime/chat/value.h"
#include "runtime/core/error.h"

#include <initializer_list>
#include <optional>

namespace ingot::chat {

class Machine {
public:
  explicit Machine(const RenderOptions &options);
  ~Machine();

  const RenderOptions &options;
  int line = 0; // of what is being evaluated, for errors

  // --- Errors and limits ---

  bool failed() const { return failure.has_value(); }
  runtime::Error takeError() { return *std::move(failure); }
  // Both return an undefined value, for `return machine.fail(...)`. `kind` is Python's name of the error.
  Value fail(std::string what);
  Value fail(const char *kind, std::string what);
  Value exhausted(std::string what);
  // Counts steps and bytes; false once too many, or after an error.
  bool step(uint64_t count = 1);
  bool charge(uint64_t bytes);
  // False where the stack is used up.
  bool deepEnough();

  // --- Making values; each is counted ---

  Value string(std::string text); // valid UTF-8
  Value list(std::vector<Value> items, Kind kind = Kind::List);
  Value tuple(std::vector<Value> items) { return list(std::move(items), Kind::Tuple); }
  Value dict(std::shared_ptr<Dict> dict); // checks how deep it nests
  bool put(Dict &dict, Value key, Value value);
  Value generator(Next next, int depth, std::string name = "generator");
  Value integer(Integer value) { return Value(value); }
  Value undefined(std::string message) { return Value::undefined(std::move(message)); }
  // Breaks what refers to itself when the rendering ends.
  void keep(Kind kind, const std::shared_ptr<Object> &object);

  // --- Python's operations ---

  bool truth(const Value &value);
  bool equal(const Value &a, const Value &b);
  // -1, 0, 1; 2 where nothing compares (NaN). Fails where Python does, naming `op`.
  int order(const Value &a, const Value &b, const char *op);
  bool compare(Operator op, const Value &a, const Value &b);
  bool contains(const Value &container, const Value &item);
  Value binary(Operator op, const Value &a, const Value &b);
  Value negate(const Value &value);
  Value plus(const Value &value);
  // len(); -1 and an error where there is none.
  int64_t length(const Value &value);
  bool hasLength(const Value &value) const;
  bool isIterable(const Value &value) const;
  Next iterate(const Value &value);
  std::vector<Value> toVector(const Value &value);
  // obj.name and obj[index] as jinja2's sandbox resolves them.
  Value attribute(const Value &object, const std::string &name);
  Value item(const Value &object, const Value &index);
  Value slice(const Value &object, const Value &start, const Value &stop, const Value &step);
  // False where the object has no such attribute (and `out` is left).
  bool findAttribute(const Value &object, std::string_view name, Value &out);
  // False where object[index] raises a LookupError or TypeError.
  bool findItem(const Value &object, const Value &index, Value &out);
  Value call(const Value &callee, Arguments &arguments);
  bool isCallable(const Value &value) const;

  // --- As text ---

  std::string str(const Value &value);
  std::string repr(const Value &value);
  Value escape(const Value &value); // markup
  struct JsonStyle {
    bool ascii = false, sorted = false, indented = false;
    std::string indent;
    std::string itemSeparator, keySeparator;
  };
  std::string json(const Value &value, const JsonStyle &style);
  // "..." % value
  Value percent(const Value &format, const Value &value);
  // format.format(...)
  Value format(const Value &format, Arguments &arguments);
  // format(value, spec)
  std::string formatted(const Value &value, std::string_view spec);

  // --- Arguments ---

  // The arguments of `function` in the order of `names` (those from `optional` on may be absent: null). Empty and an
  // error where they do not fit.
  std::vector<const Value *> bind(const char *function, Arguments &arguments,
                                  std::initializer_list<std::string_view> names, size_t required,
                                  bool positionalOnly = false);
  // Python's __index__: fails where the value is no integer. Clamped to 64 bits.
  int64_t index(const Value &value, const char *what);
  // The text of a string argument.
  const std::string &textOf(const Value &value, const char *what);

  // Runs a macro or a recursive loop: set by the renderer.
  std::function<Value(const Value &, Arguments &)> invoke;
  std::function<Value(const Value &, std::string_view, bool &)> loopAttribute;

private:
  std::optional<runtime::Error> failure;
  uint64_t steps = 0, bytes = 0;
  const char *stackBase;
  std::vector<std::pair<Kind, std::shared_ptr<Object>>> kept;

  void write(std::string &out, const Value &value);
  void writeJson(std::string &out, const Value &value, const JsonStyle &style, int level);
};

// Sorts by the first of each pair, keeping equal ones in their order. After an error the order is any.
void sortBy(Machine &machine, std::vector<std::pair<Value, Value>> &keyed, bool reverse);

// repr() of a str and of a float.
std::string quotedString(std::string_view text);
std::string floatText(double value);
std::string integerText(Integer value);

// int(text) as Python reads it; nothing where it is none. `tooBig` tells of one beyond 127 bits.
std::optional<Integer> parseInteger(std::string_view text, unsigned base, bool &tooBig);
std::optional<double> parseFloat(std::string_view text);

std::string escapedText(std::string_view text); // &, <, >, ', "

struct Macro : Object {
  const MacroSyntax *syntax = nullptr;
  std::shared_ptr<struct Scope> scope;
  bool anonymous = false;
};

struct Loop : Object {
  Value iterable;
  Next next;
  const Statement *statement = nullptr;
  std::shared_ptr<struct Scope> scope;
  int64_t index0 = -1, total = -1;
  int depth0 = 0;
  bool peeked = false, exhausted = false, compared = false;
  Value before, current, after, last;
};

} // namespace ingot::chat

#endif
