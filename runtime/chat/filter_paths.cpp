// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attributes by path, of filters.h.
#include "runtime/chat/filters.h"
#include "runtime/chat/strings.h"

#include <algorithm>

namespace ingot::chat {

// "a.b.0" as jinja2 cuts it; an integer is itself.
Path pathOf(Machine &m, const Value *attribute) {
  Path out;
  if (absent(attribute))
    return out;
  if (!attribute->isString())
    return {*attribute};
  std::string_view text = attribute->text();
  for (size_t dot;; text.remove_prefix(dot + 1)) {
    dot = text.find('.');
    std::string_view piece = text.substr(0, dot);
    bool digits =
        !piece.empty() && std::all_of(piece.begin(), piece.end(), [](char c) { return c >= '0' && c <= '9'; });
    bool tooBig;
    if (digits)
      out.push_back(Value(parseInteger(piece, 10, tooBig).value_or(-1)));
    else
      out.push_back(m.string(std::string(piece)));
    if (dot == std::string_view::npos || m.failed())
      return out;
  }
}

Value follow(Machine &m, const Value &start, const Path &path, const Value *otherwise) {
  Value at = start;
  for (const Value &part : path) {
    at = m.item(at, part);
    if (!absent(otherwise) && at.isUndefined())
      at = *otherwise;
  }
  return at;
}

} // namespace ingot::chat
