// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a template can call by name: filters, tests, globals and the methods of values.
#ifndef INGOT_RUNTIME_CHAT_LIBRARY_H
#define INGOT_RUNTIME_CHAT_LIBRARY_H

#include "runtime/chat/value.h"

#include <string_view>

namespace ingot::chat {

struct Filter {
  std::string_view name;
  Value (*apply)(Machine &, const Value &, Arguments &);
};

struct Test {
  std::string_view name;
  bool (*holds)(Machine &, const Value &, Arguments &);
};

// Null where there is none.
const Filter *findFilter(std::string_view name);
const Test *findTest(std::string_view name);

// Why Ingot refuses a filter that jinja2 has; null for others.
const char *refusedFilter(std::string_view name);

// A global by its name; undefined where there is none.
Value findGlobal(std::string_view name);

// A method of `self`, Kind::Method; a value that fails when it is used, where the sandbox forbids it; an undefined
// value without a message where there is none.
Value findMethod(Machine &machine, const Value &self, std::string_view name);

} // namespace ingot::chat

#endif
