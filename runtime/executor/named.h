// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finding a table of a plan by its name, with an error that lists what there is.
#ifndef INGOT_RUNTIME_EXECUTOR_NAMED_H
#define INGOT_RUNTIME_EXECUTOR_NAMED_H

#include "runtime/core/error.h"

#include <string>
#include <string_view>

namespace ingot::runtime {

// "a, b, c" of a list of named tables.
template <class Tables> std::string listNames(const Tables &tables) {
  std::string text;
  for (const auto *table : tables)
    text += (text.empty() ? "" : ", ") + quoted(table->name()->string_view());
  return text.empty() ? "none" : text;
}

template <class Tables> Result<unsigned> findNamed(const Tables &tables, std::string_view name, const char *what) {
  for (unsigned i = 0; i < tables.size(); ++i)
    if (tables.Get(i)->name()->string_view() == name)
      return i;
  return makeError(ErrorCode::NotFound, "the engine has no %s %s, it has %s", what, quoted(name).c_str(),
                   listNames(tables).c_str());
}

} // namespace ingot::runtime

#endif
