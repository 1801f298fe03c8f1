// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the two files of filters share.
#ifndef INGOT_RUNTIME_CHAT_FILTERS_H
#define INGOT_RUNTIME_CHAT_FILTERS_H

#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"

namespace ingot::chat {

// A filter of filters_text.cpp, or null.
const Filter *findTextFilter(std::string_view name);

// The filter wordwrap, of wrapping.cpp.
Value wordWrap(Machine &machine, const Value &value, Arguments &arguments);

} // namespace ingot::chat

#endif
