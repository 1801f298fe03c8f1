// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See value.h.
#include "runtime/chat/value.h"
#include "runtime/chat/characters.h"
#include "runtime/chat/machine.h"

#include <cmath>

namespace ingot::chat {

Value Value::undefined(std::string message) {
  auto info = std::make_shared<UndefinedInfo>();
  info->message = std::move(message);
  return Value(Kind::Undefined, std::move(info));
}

Value makeString(std::string text) {
  auto string = std::make_shared<String>();
  string->ascii = isAscii(text);
  string->text = std::move(text);
  return Value(Kind::String, std::move(string));
}

namespace {

bool appendIdentity(std::string &out, const Value &key) {
  switch (key.kind()) {
  case Kind::Undefined:
    out += 'u';
    return true;
  case Kind::None:
    out += 'n';
    return true;
  case Kind::Bool:
  case Kind::Int:
    out += 'i' + integerText(key.integer());
    return true;
  case Kind::Float:
    if (double real = key.real(); real == std::floor(real) && std::fabs(real) < 1e38)
      out += 'i' + integerText(Integer(real));
    else
      out += 'f' + floatText(real);
    return true;
  case Kind::String:
    out += 's' + std::to_string(key.text().size()) + ':' + key.text();
    return true;
  case Kind::Tuple:
    out += 't' + std::to_string(key.items().size()) + '(';
    for (const Value &item : key.items())
      if (!appendIdentity(out, item))
        return false;
    return true;
  case Kind::Macro:
  case Kind::Function:
  case Kind::Namespace:
  case Kind::Generator:
    out += 'o' + std::to_string(reinterpret_cast<uintptr_t>(key.object().get()));
    return true;
  default:
    return false;
  }
}

} // namespace

std::string keyIdentity(const Value &key) {
  std::string out;
  return appendIdentity(out, key) ? out : std::string();
}

const Value *Dict::find(const std::string &identity, const Value &key) const {
  if (items.size() < kIndexed) {
    for (const auto &[other, value] : items)
      if (key.isString() ? other.isString() && other.text() == key.text() : keyIdentity(other) == identity)
        return &value;
    return nullptr;
  }
  auto found = index.find(identity);
  return found == index.end() ? nullptr : &items[found->second].second;
}

const Value *Dict::find(std::string_view key) const {
  if (items.size() >= kIndexed) {
    auto found = index.find('s' + std::to_string(key.size()) + ':' + std::string(key));
    return found == index.end() ? nullptr : &items[found->second].second;
  }
  for (const auto &[other, value] : items)
    if (other.isString() && other.text() == key)
      return &value;
  return nullptr;
}

void Dict::set(const std::string &identity, Value key, Value value) {
  if (const Value *found = find(identity, key)) {
    *const_cast<Value *>(found) = std::move(value);
    return;
  }
  items.emplace_back(std::move(key), std::move(value));
  if (items.size() == kIndexed)
    for (size_t i = 0; i < items.size(); ++i)
      index.emplace(keyIdentity(items[i].first), i);
  else if (items.size() > kIndexed)
    index.emplace(identity, items.size() - 1);
}

void Dict::set(std::string_view key, Value value) {
  Value string = makeString(std::string(key));
  set(keyIdentity(string), string, std::move(value));
}

std::string_view typeName(const Value &value) {
  switch (value.kind()) {
  case Kind::Undefined:
    return "Undefined";
  case Kind::None:
    return "NoneType";
  case Kind::Bool:
    return "bool";
  case Kind::Int:
    return "int";
  case Kind::Float:
    return "float";
  case Kind::String:
    return value.isMarkup() ? "Markup" : "str";
  case Kind::List:
    return "list";
  case Kind::Tuple:
    return "tuple";
  case Kind::Dict:
    return "dict";
  case Kind::Range:
    return "range";
  case Kind::View: {
    static constexpr std::string_view names[] = {"dict_keys", "dict_values", "dict_items"};
    return names[value.as<View>().part];
  }
  case Kind::Generator:
    return value.as<Generator>().name;
  case Kind::Namespace:
    return "Namespace";
  case Kind::Macro:
    return "Macro";
  case Kind::Function:
    return "function";
  case Kind::Method:
    return "method";
  case Kind::Loop:
    return "LoopContext";
  case Kind::Cycler:
    return "Cycler";
  case Kind::Joiner:
    return "Joiner";
  }
  return "object";
}

} // namespace ingot::chat
