// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See chat.h.
#include "runtime/serve/chat.h"

#include "runtime/serve/model.h"

namespace ingot::serve {

using runtime::ErrorCode;
using runtime::makeError;

namespace {

constexpr int kDeepest = 100;

const char *kind(const Json &value) {
  return value.is_object() ? "an object" : value.is_array() ? "a list" : value.is_string() ? "text" : value.type_name();
}

Result<void> checkMessages(const Json &messages, const std::string &where) {
  if (!messages.is_array())
    return makeError(ErrorCode::InvalidArgument, "%s: the messages are %s, expected a list of objects with a role",
                     where.c_str(), kind(messages));
  if (messages.empty())
    return makeError(ErrorCode::InvalidArgument, "%s: there are no messages; write at least one", where.c_str());
  for (size_t i = 0; i < messages.size(); ++i) {
    if (!messages[i].is_object())
      return makeError(ErrorCode::InvalidArgument, "%s: message %zu is %s, expected an object with a role and content",
                       where.c_str(), i + 1, kind(messages[i]));
    auto role = messages[i].find("role");
    if (role == messages[i].end() || !role->is_string())
      return makeError(ErrorCode::InvalidArgument, "%s: message %zu has no role; write one such as \"role\": \"user\"",
                       where.c_str(), i + 1);
  }
  return {};
}

// The tokens that the checkpoint's generation_config names, by the names that templates know.
std::vector<std::pair<std::string, std::string>> specialTokensOf(const Model &model) {
  std::vector<std::pair<std::string, std::string>> tokens;
  const format::Generation *generation = model.engine().plan().generation();
  const text::Tokenizer *tokenizer = model.tokenizer();
  if (!generation || !tokenizer)
    return tokens;
  auto add = [&](const char *name, int32_t id) {
    if (id >= 0 && id < tokenizer->size())
      tokens.emplace_back(name, tokenizer->piece(id));
  };
  add("bos_token", generation->bos());
  add("pad_token", generation->pad());
  if (generation->eos() && generation->eos()->size() > 0)
    add("eos_token", generation->eos()->Get(0));
  return tokens;
}

} // namespace

Result<Json> parseJson(std::string_view text, const std::string &where) {
  bool deep = false;
  auto watch = [&](int depth, Json::parse_event_t, Json &) { return !(deep |= depth > kDeepest); };
  try {
    Json value = Json::parse(text, watch);
    if (deep)
      return makeError(ErrorCode::InvalidArgument, "%s: lists and objects lie more than %d deep in one another",
                       where.c_str(), kDeepest);
    return value;
  } catch (const Json::exception &wrong) {
    std::string why = wrong.what(); // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    if (size_t at = why.find("] "); at != why.npos)
      why.erase(0, at + 2);
    return makeError(ErrorCode::InvalidArgument, "%s: is no JSON: %s", where.c_str(), why.c_str());
  }
}

Result<ChatInput> parseConversation(std::string_view json, const std::string &where) {
  INGOT_ASSIGN_OR_RETURN(Json given, parseJson(json, where));
  ChatInput input;
  if (given.is_object()) {
    auto messages = given.find("messages");
    if (messages == given.end())
      return makeError(ErrorCode::InvalidArgument, "%s: the object has no \"messages\"", where.c_str());
    input.messages = std::move(*messages);
    for (auto &[key, value] : given.items())
      if (key != "messages")
        input.variables[key] = std::move(value);
  } else {
    input.messages = std::move(given);
  }
  INGOT_RETURN_IF_ERROR(checkMessages(input.messages, where));
  return input;
}

Result<Json> parseTools(std::string_view json, const std::string &where) {
  INGOT_ASSIGN_OR_RETURN(Json tools, parseJson(json, where));
  if (!tools.is_array())
    return makeError(ErrorCode::InvalidArgument, "%s: the tools are %s, expected a list of objects", where.c_str(),
                     kind(tools));
  for (size_t i = 0; i < tools.size(); ++i)
    if (!tools[i].is_object())
      return makeError(ErrorCode::InvalidArgument, "%s: tool %zu is %s, expected an object", where.c_str(), i + 1,
                       kind(tools[i]));
  return tools;
}

Result<std::unique_ptr<chat::ChatSection>> loadChat(const Model &model, std::string_view replacement) {
  std::string_view section = model.engine().chat();
  if (section.empty() && replacement.empty())
    return makeError(ErrorCode::NotFound, "%s has no chat template", model.engine().path().c_str());
  std::unique_ptr<chat::ChatSection> own;
  if (!section.empty()) {
    Result<std::unique_ptr<chat::ChatSection>> loaded = chat::ChatSection::load(section);
    if (!loaded)
      return Error(loaded.error()).prefixed(model.engine().path());
    own = std::move(*loaded);
  }
  if (replacement.empty())
    return own;
  chat::ChatSource source;
  source.specialTokens = own ? own->source().specialTokens : specialTokensOf(model);
  source.templates.emplace_back("default", replacement);
  try {
    return chat::ChatSection::load(chat::writeChatSection(source));
  } catch (const Json::exception &) { // JSON holds nothing else
    return makeError(ErrorCode::InvalidArgument, "the chat template is not UTF-8 text");
  }
}

Result<std::string> render(const chat::ChatSection &chat, const ChatInput &input) {
  chat::Conversation conversation;
  conversation.messages = input.messages;
  conversation.variables = input.variables;
  Json prompt = true; // as apply_chat_template's option of that name
  auto take = [&](const char *name, Json &into) {
    if (auto at = conversation.variables.find(name); at != conversation.variables.end()) {
      into = *at;
      conversation.variables.erase(at);
    }
  };
  take("tools", conversation.tools);
  take("documents", conversation.documents);
  take("add_generation_prompt", prompt);
  if (!prompt.is_boolean())
    return makeError(ErrorCode::InvalidArgument, "add_generation_prompt is %s, expected true or false", kind(prompt));
  conversation.addGenerationPrompt = prompt.get<bool>();
  return chat.render(conversation);
}

} // namespace ingot::serve
