// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversations in files and options: reading them, and writing messages back.
#ifndef INGOT_TOOLS_INGOT_RUN_MESSAGES_H
#define INGOT_TOOLS_INGOT_RUN_MESSAGES_H

#include "runtime/serve/chat.h"
#include "tools/ingot-run/common.h"

namespace ingot::tool {

using serve::Json;

// serve::parseConversation and serve::parseTools of a file.
Result<serve::ChatInput> readMessages(const std::string &path);
Result<Json> readTools(const std::string &path);
// "false", "3", "[1, 2]" as JSON; what is no JSON is text.
Json variableOf(const std::string &text);
// Writes a list of messages, so that the file appears whole or not at all.
Result<void> saveMessages(const std::string &path, const Json &messages);

Json message(const char *role, std::string content);

} // namespace ingot::tool

#endif
