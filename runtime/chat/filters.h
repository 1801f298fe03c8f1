// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the files of filters share.
#ifndef INGOT_RUNTIME_CHAT_FILTERS_H
#define INGOT_RUNTIME_CHAT_FILTERS_H

#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"

#include <vector>

namespace ingot::chat {

// A filter of filters_order.cpp, filters_select.cpp, filters_numbers.cpp and filters_text.cpp, or null.
const Filter *findOrderFilter(std::string_view name);
const Filter *findSelectingFilter(std::string_view name);
const Filter *findNumberFilter(std::string_view name);
const Filter *findTextFilter(std::string_view name);

template <size_t N> const Filter *findIn(const Filter (&filters)[N], std::string_view name) {
  for (const Filter &filter : filters)
    if (filter.name == name)
      return &filter;
  return nullptr;
}

// An argument that is not given, or None.
inline bool absent(const Value *value) { return !value || value->is(Kind::None); }

// "a.b.0" as jinja2 cuts it into keys; an integer is itself; none is an empty path.
using Path = std::vector<Value>;
Path pathOf(Machine &machine, const Value *attribute);

// What stands at the path's end; `otherwise` (may be null or None) in place of each step's undefined value.
Value follow(Machine &machine, const Value &start, const Path &path, const Value *otherwise = nullptr);

// The filter wordwrap, of wrapping.cpp.
Value wordWrap(Machine &machine, const Value &value, Arguments &arguments);

} // namespace ingot::chat

#endif
