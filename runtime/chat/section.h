// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The engine's CHAT section: the model's chat templates and the texts of its special tokens, as JSON
// (docs/spec/engine.md). The compiler writes it, the runtime loads it and renders conversations with it, in the way of
// transformers' apply_chat_template. Knows nothing of tokens: what it gives is text for the tokenizer.
#ifndef INGOT_RUNTIME_CHAT_SECTION_H
#define INGOT_RUNTIME_CHAT_SECTION_H

#include "runtime/chat/template.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::chat {

// What the section holds.
struct ChatSource {
  std::vector<std::pair<std::string, std::string>> templates; // name, source; a lone template is "default"
  std::vector<std::pair<std::string, std::string>>
      specialTokens; // "bos_token", its text; transformers' special_tokens_map
};

std::string writeChatSection(const ChatSource &source);

// What apply_chat_template takes.
struct Conversation {
  nlohmann::ordered_json messages = nlohmann::ordered_json::array(); // objects with role and content
  nlohmann::ordered_json tools;                                      // null: none; else a list of JSON schemas
  nlohmann::ordered_json documents;                                  // null: none; else a list of objects
  bool addGenerationPrompt = false;
  // More variables by name, such as enable_thinking; they win over special tokens of the same name.
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
  std::string templateName; // "": "tool_use" where tools are given and it exists, else "default"
};

class ChatSection {
public:
  // Reads the section and parses its templates. Errors: Corrupt where it is not such a section; those of
  // Template::parse, with the template's name.
  static Result<std::unique_ptr<ChatSection>> load(std::string_view section);
  ~ChatSection();

  const ChatSource &source() const { return contents; }
  // The names of the templates, in the order of the file.
  std::vector<std::string> names() const;

  // The conversation as the model expects it. As transformers does, keys of messages whose value is null are left out,
  // and a message's reasoning is there under reasoning_content and thinking, however it is given. Errors: NotFound for
  // a template that is not there; InvalidArgument for what is no conversation; those of Template::render. Thread-safe.
  Result<std::string> render(const Conversation &conversation, const RenderOptions &options = {}) const;

private:
  ChatSection();

  ChatSource contents;
  std::vector<std::unique_ptr<Template>> parsed; // of contents.templates
};

} // namespace ingot::chat

#endif
