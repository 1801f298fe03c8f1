// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See chat.h.
#include "compiler/import/huggingface/chat.h"
#include "compiler/import/huggingface/files.h"
#include "runtime/chat/template.h"

#include <algorithm>
#include <filesystem>

namespace ingot::huggingface {

namespace {

namespace fs = std::filesystem;

struct Found {
  std::string name, source, where; // where: the file, and the template's name in it
};

// The templates that tokenizer_config.json or chat_template.json holds: text, or a list of named ones.
std::vector<Found> templatesOf(const Json &object, const std::string &where, Messages &messages) {
  std::vector<Found> out;
  auto found = object.find("chat_template");
  if (found == object.end() || found->is_null())
    return out;
  if (found->is_string())
    return {{"default", found->get<std::string>(), where + ": chat_template"}};
  bool fits = found->is_array();
  if (fits)
    for (const Json &item : *found) {
      fits = fits && item.is_object() && item.contains("name") && item.contains("template") &&
             item["name"].is_string() && item["template"].is_string();
      if (!fits)
        break;
      std::string name = item["name"].get<std::string>();
      out.push_back(
          {name, item["template"].get<std::string>(), where + ": the chat template " + described(item["name"])});
    }
  if (!fits)
    messages.problems.push_back(where + ": chat_template is " + described(*found) +
                                ", expected text or a list of objects with name and template");
  return fits ? out : std::vector<Found>();
}

std::optional<Found> templateFile(const std::string &name, const std::string &path, Messages &messages) {
  std::optional<std::string> text = readText(path, messages);
  if (text && !isUtf8(*text)) {
    messages.problems.push_back(path + ": is not UTF-8 text");
    text.reset();
  }
  return text ? std::optional<Found>({name, *text, path}) : std::nullopt;
}

// In transformers' order: files of their own win over what stands in a configuration.
std::vector<Found> findTemplates(const std::string &directory, const Json *config, Messages &messages) {
  auto path = [&](const char *name) { return (fs::path(directory) / name).string(); };
  std::vector<Found> out;
  if (fileExists(path("chat_template.jinja"))) {
    if (std::optional<Found> one = templateFile("default", path("chat_template.jinja"), messages))
      out.push_back(*one);
  } else if (fileExists(path("chat_template.json"))) {
    if (std::optional<Json> object = readJsonObject(path("chat_template.json"), messages))
      out = templatesOf(*object, path("chat_template.json"), messages);
  }
  std::vector<std::string> more;
  std::error_code failed;
  for (const auto &entry : fs::directory_iterator(path("additional_chat_templates"), failed))
    if (entry.path().extension() == ".jinja")
      more.push_back(entry.path().string());
  std::sort(more.begin(), more.end());
  for (const std::string &file : more)
    if (std::optional<Found> one = templateFile(fs::path(file).stem().string(), file, messages))
      out.push_back(*one);
  if (out.empty() && config)
    out = templatesOf(*config, path("tokenizer_config.json"), messages);
  return out;
}

// A token as text, or as an object that describes it.
std::optional<std::string> tokenText(const Json &token) {
  if (token.is_string())
    return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string())
    return token["content"].get<std::string>();
  return std::nullopt;
}

// transformers' special_tokens_map: what templates get as bos_token, eos_token, ...
void readSpecialTokens(const std::string &directory, const Json *config, chat::ChatSource &chat, Messages &messages) {
  static constexpr std::string_view standard[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                  "pad_token", "cls_token", "mask_token"};
  Json all = config ? *config : Json::object();
  std::string map = (fs::path(directory) / "special_tokens_map.json").string();
  // Newer checkpoints have everything in tokenizer_config.json, and transformers reads the map of older ones only.
  if (!all.contains("added_tokens_decoder") && fileExists(map))
    if (std::optional<Json> object = readJsonObject(map, messages))
      for (const auto &[key, value] : object->items())
        all[key] = value;
  auto add = [&](const std::string &key, const Json &value) {
    auto known = [&](const auto &token) { return token.first == key; };
    if (std::optional<std::string> text = tokenText(value))
      if (std::none_of(chat.specialTokens.begin(), chat.specialTokens.end(), known))
        chat.specialTokens.emplace_back(key, *text);
  };
  for (std::string_view key : standard)
    if (auto found = all.find(key); found != all.end())
      add(std::string(key), *found);
  for (const auto &[key, value] : all.items())
    if (key.ends_with("_token"))
      add(key, value);
  for (const char *named : {"extra_special_tokens", "model_specific_special_tokens"})
    if (auto found = all.find(named); found != all.end() && found->is_object())
      for (const auto &[key, value] : found->items())
        add(key, value);
}

} // namespace

void readChat(const std::string &directory, const Json *config, const std::string &replacement, ImportResult &result,
              Messages &messages) {
  std::vector<Found> found;
  // What is replaced need not be readable.
  if (!replacement.empty()) {
    if (std::optional<Found> one = templateFile("default", replacement, messages))
      found.push_back(*one);
  } else {
    found = findTemplates(directory, config, messages);
  }
  for (Found &one : found) {
    auto known = [&](const auto &other) { return other.first == one.name; };
    if (std::any_of(result.chat.templates.begin(), result.chat.templates.end(), known)) {
      messages.problems.push_back(one.where + ": a chat template of this name is there twice");
      continue;
    }
    if (auto parsed = chat::Template::parse(one.source); !parsed)
      messages.problems.push_back(one.where + ": " + parsed.error().message() +
                                  "; --chat-template FILE compiles with another template");
    result.chat.templates.emplace_back(std::move(one.name), std::move(one.source));
  }
  readSpecialTokens(directory, config, result.chat, messages);
}

} // namespace ingot::huggingface
