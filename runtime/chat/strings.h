// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The methods of Python's str, and those of its operations that filters share.
#ifndef INGOT_RUNTIME_CHAT_STRINGS_H
#define INGOT_RUNTIME_CHAT_STRINGS_H

#include "runtime/chat/machine.h"

namespace ingot::chat {

// Null where str has no such method.
FunctionBody findStringMethod(std::string_view name);

// str.replace(old, with, count); count below 0: all.
std::string replaced(Machine &machine, std::string_view text, std::string_view old, std::string_view with,
                     int64_t count);
// str.strip(characters), or of white space.
std::string_view strippedOf(std::string_view text, const std::string *characters, bool left, bool right);
// str.splitlines(keepEnds)
std::vector<std::string_view> linesOf(std::string_view text, bool keepEnds);
// str.rsplit(" ", 1)[0]
std::string_view beforeLastSpace(std::string_view text);
// str.center(width)
std::string centered(Machine &machine, std::string_view text, int64_t width, std::string_view fill);

} // namespace ingot::chat

#endif
