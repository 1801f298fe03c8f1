// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of a template: Python's as far as a template can tell. Strings are UTF-8 and count in code points; integers
// have 127 bits and overflow is an error. Lists, tuples and dicts never change once made, as the sandbox has it.
// A value knows how deep it nests, so that every walk over one is bounded (kMaxValueDepth).
#ifndef INGOT_RUNTIME_CHAT_VALUE_H
#define INGOT_RUNTIME_CHAT_VALUE_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ingot::chat {

class Machine;
class Value;

__extension__ typedef __int128 Integer;

constexpr int kMaxValueDepth = 200;

enum class Kind : uint8_t {
  Undefined, // object: UndefinedInfo
  None,
  Bool,
  Int,
  Float,
  String,
  List,
  Tuple,
  Dict,
  Range,
  View,      // dict.keys(), values(), items()
  Generator, // what can be iterated once
  Namespace,
  Macro,
  Function, // a global
  Method,   // of a value
  Loop,
  Cycler,
  Joiner,
};

struct Object {
  int depth = 1;
};

struct UndefinedInfo : Object {
  std::string message;
};

struct String : Object {
  std::string text;
  bool ascii = true; // code points are bytes
};

struct List : Object {
  std::vector<Value> items;
  bool group = false; // of groupby: a pair whose items are also its attributes grouper and list
};

struct Range : Object {
  Integer start = 0, stop = 0, step = 1;
  int64_t size = 0;
};

// Hands over the next item; false at the end or after an error.
using Next = std::function<bool(Machine &, Value &)>;

struct Generator : Object {
  Next next;
  std::string name; // of its Python type, for messages
};

struct Arguments;
using FunctionBody = Value (*)(Machine &, const Value &self, Arguments &);

struct Function : Object {
  std::string_view name;
  FunctionBody body = nullptr;
};

class Value {
public:
  Value() : number{} {}
  explicit Value(bool value) : tag(Kind::Bool) { number.integer = value; }
  explicit Value(Integer value) : tag(Kind::Int) { number.integer = value; }
  explicit Value(int64_t value) : Value(Integer(value)) {}
  explicit Value(double value) : tag(Kind::Float) { number.real = value; }
  Value(Kind kind, std::shared_ptr<Object> object) : tag(kind), number{}, ref(std::move(object)) {}

  static Value none() {
    Value value;
    value.tag = Kind::None;
    return value;
  }
  static Value undefined(std::string message);

  Kind kind() const { return tag; }
  bool is(Kind kind) const { return tag == kind; }
  bool isUndefined() const { return tag == Kind::Undefined; }
  bool isString() const { return tag == Kind::String; }
  // Numbers as Python sees them: True is 1.
  bool isIntegral() const { return tag == Kind::Int || tag == Kind::Bool; }
  bool isNumber() const { return isIntegral() || tag == Kind::Float; }
  bool isSequence() const { return tag == Kind::List || tag == Kind::Tuple; }

  bool boolean() const { return number.integer != 0; }
  Integer integer() const { return number.integer; }
  double real() const { return tag == Kind::Float ? number.real : double(number.integer); }
  const std::string &text() const { return static_cast<const String *>(ref.get())->text; }
  const String &string() const { return *static_cast<const String *>(ref.get()); }
  const std::vector<Value> &items() const { return static_cast<const List *>(ref.get())->items; }
  // Of an undefined value that has one (see object()).
  const std::string &message() const { return static_cast<const UndefinedInfo *>(ref.get())->message; }
  template <class T> T &as() const { return *static_cast<T *>(ref.get()); }

  const std::shared_ptr<Object> &object() const { return ref; }
  int depth() const { return ref ? ref->depth : 0; }

  bool isMarkup() const { return markup; }
  Value asMarkup(bool on) const {
    Value value = *this;
    value.markup = on;
    return value;
  }

private:
  Kind tag = Kind::Undefined;
  bool markup = false; // a string that escape() leaves alone
  union {
    Integer integer;
    double real;
  } number;
  std::shared_ptr<Object> ref;
};

// Keys in the order of their first insertion, as Python's dict.
struct Dict : Object {
  std::vector<std::pair<Value, Value>> items;
  std::unordered_map<std::string, size_t> index; // by key's identity, filled from kIndexed items on

  static constexpr size_t kIndexed = 12;
  const Value *find(const std::string &identity, const Value &key) const;
  const Value *find(std::string_view key) const;
  void set(const std::string &identity, Value key, Value value);
  void set(std::string_view key, Value value);
};

struct View : Object {
  enum Part { Keys, Values, Items } part = Keys;
  Value dict;
};

struct Namespace : Object {
  Value dict; // the Dict is this namespace's own and changes
};

struct Method : Object {
  Value self;
  std::string_view name;
  FunctionBody body = nullptr;
};

struct Cycler : Object {
  Value items;
  size_t position = 0;
};

struct Joiner : Object {
  std::string separator;
  bool used = false;
};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// A text of a key that is equal for keys that Python takes as equal (1, True and 1.0), or empty where it cannot be a
// key.
std::string keyIdentity(const Value &key);

Value makeString(std::string text); // valid UTF-8

// The type's name as Python says it: "str", "dict", ...
std::string_view typeName(const Value &value);

} // namespace ingot::chat

#endif
