// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Post-processors of tokenizer.json: the special ids around one text, and what is trimmed off offsets.
#include "compiler/import/tokenizer/component_support.h"

namespace ingot::tokenizer {
namespace {

bool idList(const Reader &json, std::vector<int32_t> &out) {
  if (!json.isArray())
    return false;
  for (size_t i = 0; i < json.value().size(); ++i) {
    int64_t id;
    if (!json.at(i).readInteger(id, 0, text::kMaxIds - 1))
      return false;
    out.push_back(static_cast<int32_t>(id));
  }
  return true;
}

bool templateProcessing(const Reader &json, SpecialIds &out) {
  if (!json.onlyKeys({"type", "single", "pair", "special_tokens"}))
    return false;
  if (!json.has("single"))
    return json.fail("has no single");
  Reader single = json.at("single");
  if (!single.isArray())
    return false;
  bool seen = false;
  for (size_t i = 0; i < single.value().size(); ++i) {
    Reader piece = single.at(i);
    if (!piece.isObject())
      return false;
    if (piece.has("Sequence")) {
      std::string which;
      if (!piece.at("Sequence").string("id", which))
        return false;
      if (which != "A" || seen)
        return piece.fail("a template for one text has the sequence A once; this one has more");
      seen = true;
      continue;
    }
    if (!piece.has("SpecialToken"))
      return piece.fail("is neither Sequence nor SpecialToken");
    std::string name;
    if (!piece.at("SpecialToken").string("id", name))
      return false;
    if (!json.has("special_tokens") || !json.at("special_tokens").isObject() ||
        !json.at("special_tokens").has(name.c_str()))
      return json.fail("special_tokens has no " + inQuotes(name));
    Reader token = json.at("special_tokens").at(name.c_str());
    if (!token.isObject())
      return false;
    if (!token.has("ids"))
      return token.fail("has no ids");
    if (!idList(token.at("ids"), seen ? out.suffix : out.prefix))
      return false;
  }
  return seen || single.fail("the template has no sequence A");
}

// ["text", id]
bool tokenPair(const Reader &json, const char *key, std::vector<int32_t> &out) {
  if (!json.has(key))
    return json.fail(std::string("has no ") + key);
  Reader pair = json.at(key);
  if (!pair.value().is_array() || pair.value().size() != 2)
    return pair.expected("a piece and its id");
  int64_t id;
  if (!pair.at(size_t(1)).readInteger(id, 0, text::kMaxIds - 1))
    return false;
  out.push_back(static_cast<int32_t>(id));
  return true;
}

// Trims offsets, where the processor says so. `wrapped`: the ids already stand behind a special one in the same list.
bool trimOffsets(const Reader &json, bool wrapped, SpecialIds &out) {
  bool trims, prefix;
  if (!json.boolean("trim_offsets", trims, true) || !json.boolean("add_prefix_space", prefix, true))
    return false;
  if (trims)
    out.trims.push_back((prefix ? text::kTrimPrefixSpace : 0) | (wrapped ? text::kTrimBehind : 0));
  return true;
}

struct Progress {
  bool done = false;    // one has put special tokens around the text
  bool wrapped = false; // and has made one list of them
};

bool postProcessor(const Reader &json, SpecialIds &out, int depth, Progress &progress) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  if (type == "Sequence")
    return sequence(json, "processors", depth,
                    [&](const Reader &one) { return postProcessor(one, out, depth + 1, progress); });
  if (type == "ByteLevel") // changes offsets only
    return json.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"}) &&
           trimOffsets(json, progress.wrapped, out);
  bool is_template = type == "TemplateProcessing";
  if (!is_template && type != "RobertaProcessing" && type != "BertProcessing")
    return refuse(json, "post-processor", type);
  if (progress.done)
    return json.fail("a second post-processor that adds special tokens is not supported");
  progress.done = true;
  if (is_template)
    return templateProcessing(json, out);
  if (type == "RobertaProcessing" && !trimOffsets(json, false, out))
    return false;
  progress.wrapped = true;
  return json.onlyKeys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}) &&
         tokenPair(json, "cls", out.prefix) && tokenPair(json, "sep", out.suffix);
}

} // namespace

bool compilePostProcessor(const Reader &json, SpecialIds &out) {
  Progress progress;
  return json.isNull() || postProcessor(json, out, 0, progress);
}

} // namespace ingot::tokenizer
