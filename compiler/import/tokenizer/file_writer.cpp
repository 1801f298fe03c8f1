// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See file_writer.h.
#include "compiler/import/tokenizer/file_writer.h"

#include <algorithm>

namespace ingot::tokenizer {

Json addedToken(int64_t id, const std::string &content, TokenFlags flags) {
  return {{"id", id},
          {"content", content},
          {"single_word", flags.single_word},
          {"lstrip", flags.left_strip},
          {"rstrip", flags.right_strip},
          {"normalized", flags.normalized},
          {"special", flags.special}};
}

Json replaceStep(Json pattern, const std::string &content) {
  return {{"type", "Replace"}, {"pattern", std::move(pattern)}, {"content", content}};
}

Json metaspace(const char *scheme, bool split) {
  return {{"type", "Metaspace"}, {"replacement", kMark}, {"prepend_scheme", scheme}, {"split", split}};
}

Json splitStep(const std::string &regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}

Json byteLevelStep(bool prefix, bool trim, bool regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"trim_offsets", trim}, {"use_regex", regex}};
}

Json sequenceOf(const char *key, Json steps) { return {{"type", "Sequence"}, {key, std::move(steps)}}; }

static Json specialPiece(const std::string &name) { return {{"SpecialToken", {{"id", name}, {"type_id", 0}}}}; }

Json templateOf(const NamedIds &before, const NamedIds &behind) {
  Json single = Json::array(), tokens = Json::object();
  auto add = [&](const NamedIds &names) {
    for (const auto &[name, id] : names) {
      single.push_back(specialPiece(name));
      tokens[name] = {{"id", name}, {"ids", {id}}, {"tokens", {name}}};
    }
  };
  add(before);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  add(behind);
  Json pair = single;
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", tokens}};
}

bool FileWriter::readConfig(std::string_view given) {
  if (!given.empty() && !parseJson(given, "tokenizer_config.json", config_, error_))
    return false;
  if (!config_.is_object() && !config_.is_null())
    return fail("tokenizer_config.json", "expected an object");
  class_ = text("tokenizer_class", "");
  if (class_.ends_with("Fast"))
    class_.resize(class_.size() - 4);
  out = {{"version", "1.0"},          {"truncation", nullptr},
         {"padding", nullptr},        {"added_tokens", Json::array()},
         {"normalizer", nullptr},     {"pre_tokenizer", nullptr},
         {"post_processor", nullptr}, {"decoder", nullptr},
         {"model", Json::object()}};
  return true;
}

bool FileWriter::fail(const std::string &file, const std::string &what) {
  error_ = file + ": " + what;
  return false;
}

bool FileWriter::refuseClass(const std::string &file) {
  return fail(file, "is not read for the tokenizer_class " + inQuotes(class_) +
                        "; transformers writes tokenizer.json: "
                        "AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)");
}

bool FileWriter::isClass(std::initializer_list<std::string_view> names) const {
  return std::find(names.begin(), names.end(), class_) != names.end();
}

static std::string contentOf(const Json &token, const std::string &fallback) {
  if (token.is_string())
    return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string())
    return token["content"].get<std::string>();
  return fallback;
}

std::string FileWriter::text(const char *key, const std::string &fallback) const {
  return has(key) ? contentOf(config_[key], fallback) : fallback;
}

bool FileWriter::flag(const char *key, bool fallback) const {
  return has(key) && config_[key].is_boolean() ? config_[key].get<bool>() : fallback;
}

int64_t FileWriter::count(const char *key, int64_t fallback, int64_t most) const {
  if (!has(key) || !config_[key].is_number_integer())
    return fallback;
  const Json &value = config_[key];
  if (value.is_number_unsigned())
    return static_cast<int64_t>(std::min(value.get<uint64_t>(), static_cast<uint64_t>(most)));
  return std::clamp<int64_t>(value.get<int64_t>(), 0, most);
}

TokenFlags FileWriter::flags(const char *key, TokenFlags fallback) const {
  if (!has(key) || !config_[key].is_object())
    return fallback;
  const Json &token = config_[key];
  auto set = [&](const char *name, bool otherwise) {
    return token.contains(name) && token[name].is_boolean() ? token[name].get<bool>() : otherwise;
  };
  return {true, set("lstrip", false), set("rstrip", false), set("normalized", true), set("single_word", false)};
}

std::vector<std::string> FileWriter::list(const char *key) const {
  std::vector<std::string> names;
  if (has(key) && config_[key].is_array())
    for (const Json &token : config_[key])
      if (std::string name = contentOf(token, ""); !name.empty())
        names.push_back(std::move(name));
  return names;
}

void markSpecials(FileWriter &writer, const Json &vocab, std::vector<std::string> names) {
  Json list = Json::array();
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string &name : names)
    if (!name.empty() && vocab.contains(name) && vocab[name].is_number_integer())
      list.push_back(addedToken(vocab[name].get<int64_t>(), name));
  writer.out["added_tokens"] = list;
}

} // namespace ingot::tokenizer
