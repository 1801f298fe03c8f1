// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See section.h.
#include "runtime/chat/section.h"

#include <algorithm>

namespace ingot::chat {

using Json = nlohmann::ordered_json;
using runtime::Error;
using runtime::ErrorCode;
using runtime::makeError;

namespace {

constexpr size_t kMaxSection = size_t(64) << 20; // bytes

Error corrupt(const char *what) { return makeError(ErrorCode::Corrupt, "the section CHAT %s", what); }

// The texts of an object of texts.
bool readTexts(const Json &object, std::vector<std::pair<std::string, std::string>> &out) {
  if (!object.is_object())
    return false;
  for (const auto &[name, text] : object.items()) {
    if (!text.is_string())
      return false;
    out.emplace_back(name, text.get<std::string>());
  }
  return true;
}

// A message as transformers hands it to templates.
Json normalized(const Json &message) {
  Json kept = Json::object();
  for (const auto &[key, value] : message.items())
    if (!value.is_null())
      kept[key] = value;
  for (const char *name : {"reasoning_content", "thinking", "reasoning"}) {
    auto found = kept.find(name);
    if (found == kept.end())
      continue;
    Json reasoning = *found, out = Json::object();
    out["thinking"] = reasoning;
    for (const auto &[key, value] : kept.items())
      out[key] = value;
    out["reasoning_content"] = reasoning;
    return out;
  }
  return kept;
}

} // namespace

std::string writeChatSection(const ChatSource &source) {
  Json out = {{"templates", Json::object()}, {"special_tokens", Json::object()}};
  for (const auto &[name, text] : source.templates)
    out["templates"][name] = text;
  for (const auto &[name, text] : source.specialTokens)
    out["special_tokens"][name] = text;
  return out.dump();
}

ChatSection::ChatSection() = default;
ChatSection::~ChatSection() = default;

Result<std::unique_ptr<ChatSection>> ChatSection::load(std::string_view section) {
  if (section.size() > kMaxSection)
    return corrupt("is larger than 64 MiB");
  Json json = Json::parse(section, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return corrupt("is not a JSON object");
  std::unique_ptr<ChatSection> out(new ChatSection);
  if (!json.contains("templates") || !readTexts(json["templates"], out->contents.templates) ||
      out->contents.templates.empty())
    return corrupt("has no object of templates");
  if (!json.contains("special_tokens") || !readTexts(json["special_tokens"], out->contents.specialTokens))
    return corrupt("has no object of special tokens");
  for (const auto &[name, text] : out->contents.templates) {
    auto parsed = Template::parse(text);
    if (!parsed)
      return std::move(parsed).error().prefixed("the chat template " + runtime::quoted(name));
    out->parsed.push_back(*std::move(parsed));
  }
  return out;
}

std::vector<std::string> ChatSection::names() const {
  std::vector<std::string> out;
  for (const auto &[name, text] : contents.templates)
    out.push_back(name);
  return out;
}

Result<std::string> ChatSection::render(const Conversation &conversation, const RenderOptions &options) const {
  auto invalid = [](const char *what) { return makeError(ErrorCode::InvalidArgument, "a conversation's %s", what); };
  auto isListOfObjects = [](const Json &json) {
    return json.is_array() && std::all_of(json.begin(), json.end(), [](const Json &item) { return item.is_object(); });
  };
  if (!isListOfObjects(conversation.messages))
    return invalid("messages are not a list of objects");
  if (!conversation.tools.is_null() && !isListOfObjects(conversation.tools))
    return invalid("tools are not a list of objects");
  if (!conversation.documents.is_null() && !isListOfObjects(conversation.documents))
    return invalid("documents are not a list of objects");
  if (!conversation.variables.is_object())
    return invalid("variables are not an object");

  auto position = [&](std::string_view name) {
    return size_t(std::find_if(contents.templates.begin(), contents.templates.end(),
                               [&](const auto &item) { return item.first == name; }) -
                  contents.templates.begin());
  };
  std::string name = conversation.templateName;
  if (name.empty())
    name = !conversation.tools.is_null() && position("tool_use") < parsed.size() ? "tool_use" : "default";
  size_t chosen = position(name);
  if (chosen == parsed.size()) {
    std::string known;
    for (const auto &[other, text] : contents.templates)
      known += (known.empty() ? "" : ", ") + other;
    return makeError(ErrorCode::NotFound, "there is no chat template %s; there are: %s", runtime::quoted(name).c_str(),
                     known.c_str());
  }

  Json context = Json::object();
  for (const auto &[token, text] : contents.specialTokens)
    context[token] = text;
  for (const auto &[key, value] : conversation.variables.items())
    context[key] = value;
  Json messages = Json::array();
  for (const Json &message : conversation.messages)
    messages.push_back(normalized(message));
  context["messages"] = std::move(messages);
  context["tools"] = conversation.tools;
  context["documents"] = conversation.documents;
  context["add_generation_prompt"] = conversation.addGenerationPrompt;
  return parsed[chosen]->render(context, options);
}

} // namespace ingot::chat
