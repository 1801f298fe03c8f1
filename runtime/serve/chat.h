// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A conversation in JSON, and the text that a chat template makes of it: what apply_chat_template of transformers does
// before it tokenizes. What messages, tools and variables mean is the template's; here only their form is checked. Keys
// keep their order, as templates print them.
#ifndef INGOT_SERVE_CHAT_H
#define INGOT_SERVE_CHAT_H

#include "runtime/chat/section.h"

#include <nlohmann/json.hpp>

namespace ingot::serve {

using Json = nlohmann::ordered_json;
using runtime::Result;

struct ChatInput {
  Json messages = Json::array();   // objects, each with a role
  Json variables = Json::object(); // all else that the template sees: tools, documents, ...
};

// JSON whose lists and objects lie at most 100 deep in one another, as templates walk it recursively. Errors:
// InvalidArgument, which says `where` it stood.
Result<Json> parseJson(std::string_view text, const std::string &where);

// A list of messages, or an object with messages and further variables. There must be at least one, and each must have
// a role. Errors as above.
Result<ChatInput> parseConversation(std::string_view json, const std::string &where);
// A list of functions, as templates take them.
Result<Json> parseTools(std::string_view json, const std::string &where);

class Model;

// The engine's templates and special tokens, or the template `replacement` in place of its own if that is not empty.
// Where the engine has no special tokens, they are those that generation_config names. Errors: NotFound where there is
// no template; those of the template.
Result<std::unique_ptr<chat::ChatSection>> loadChat(const Model &model, std::string_view replacement);

// The text of a conversation up to where the assistant begins. Errors: those of ChatSection::render.
Result<std::string> render(const chat::ChatSection &chat, const ChatInput &input);

} // namespace ingot::serve

#endif
