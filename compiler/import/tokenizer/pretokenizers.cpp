// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pre-tokenizers of tokenizer.json; `type` chooses one.
#include "compiler/import/tokenizer/component_support.h"

#include <algorithm>

namespace ingot::tokenizer {
namespace {

using text::Behavior;
using text::PrependScheme;
using text::PreTokenizerOp;

constexpr const char *kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

bool behaviorOf(const Reader &json, Behavior &out) {
  std::string name;
  if (!json.string("behavior", name))
    return false;
  static constexpr std::pair<const char *, Behavior> kNames[] = {{"Removed", Behavior::Removed},
                                                                 {"Isolated", Behavior::Isolated},
                                                                 {"MergedWithPrevious", Behavior::MergedWithPrevious},
                                                                 {"MergedWithNext", Behavior::MergedWithNext},
                                                                 {"Contiguous", Behavior::Contiguous}};
  for (auto [known, behavior] : kNames)
    if (name == known) {
      out = behavior;
      return true;
    }
  return json.at("behavior").expected("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

bool preTokenizer(const Reader &json, SectionParts &parts, int depth) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  auto &program = parts.pre_tokenizer;
  if (type == "Sequence")
    return sequence(json, "pretokenizers", depth,
                    [&](const Reader &one) { return preTokenizer(one, parts, depth + 1); });
  if (type == "ByteLevel") {
    bool prefix, pattern, trim;
    if (!json.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"}) ||
        !json.boolean("add_prefix_space", prefix) || !json.boolean("use_regex", pattern, true) ||
        !json.boolean("trim_offsets", trim, true)) // trim_offsets touches offsets, not ids
      return false;
    append(program, PreTokenizerOp::ByteLevel, prefix);
    if (pattern) {
      uint32_t number;
      if (!addPattern(json, parts, kByteLevelPattern, number))
        return false;
      append(program, PreTokenizerOp::SplitPattern, number, Behavior::Isolated, 0);
    }
    if (!(parts.header.flags & text::kByteLevel))
      append(program, PreTokenizerOp::SpellBytes);
    return true;
  }
  if (type == "Split") {
    Matcher what;
    Behavior behavior;
    bool invert;
    if (!json.onlyKeys({"type", "pattern", "behavior", "invert"}) || !matcher(json, parts, what) ||
        !behaviorOf(json, behavior) || !json.boolean("invert", invert))
      return false;
    appendMatcher(program, parts, what, PreTokenizerOp::SplitPattern, PreTokenizerOp::SplitString);
    append(program, behavior, invert);
    return true;
  }
  if (type == "Digits") {
    bool individual;
    if (!json.onlyKeys({"type", "individual_digits"}) || !json.boolean("individual_digits", individual))
      return false;
    append(program, PreTokenizerOp::Digits, individual);
    return true;
  }
  if (type == "Metaspace") {
    std::string mark;
    PrependScheme scheme;
    bool split;
    if (!json.onlyKeys({"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"}) ||
        !oneCharacter(json, "replacement", mark) || !metaspaceScheme(json, scheme) ||
        !json.boolean("split", split, true))
      return false;
    append(program, PreTokenizerOp::Metaspace);
    appendString(program, parts, mark);
    append(program, scheme);
    if (split) {
      append(program, PreTokenizerOp::SplitString);
      appendString(program, parts, mark);
      append(program, Behavior::MergedWithNext, 0);
    }
    return true;
  }
  if (type == "Whitespace") {
    append(program, PreTokenizerOp::Words);
    return json.onlyKeys({"type"});
  }
  if (type == "WhitespaceSplit") {
    append(program, PreTokenizerOp::SplitSet, parts.sets.number(CharSet::space()), Behavior::Removed);
    return json.onlyKeys({"type"});
  }
  if (type == "BertPreTokenizer") {
    append(program, PreTokenizerOp::SplitSet, parts.sets.number(CharSet::space()), Behavior::Removed);
    append(program, PreTokenizerOp::SplitSet, parts.sets.number(CharSet::punctuation()), Behavior::Isolated);
    return json.onlyKeys({"type"});
  }
  if (type == "Punctuation") {
    Behavior behavior = Behavior::Isolated;
    if (!json.onlyKeys({"type", "behavior"}) || (json.has("behavior") && !behaviorOf(json, behavior)))
      return false;
    append(program, PreTokenizerOp::SplitSet, parts.sets.number(CharSet::punctuation()), behavior);
    return true;
  }
  if (type == "CharDelimiterSplit") {
    std::string delimiter;
    if (!json.onlyKeys({"type", "delimiter"}) || !oneCharacter(json, "delimiter", delimiter))
      return false;
    append(program, PreTokenizerOp::SplitString);
    appendString(program, parts, delimiter);
    append(program, Behavior::Removed, 0);
    return true;
  }
  if (type == "UnicodeScripts") {
    append(program, PreTokenizerOp::Scripts);
    return json.onlyKeys({"type"});
  }
  if (type == "FixedLength") {
    int64_t length = 5;
    if (!json.onlyKeys({"type", "length"}) || (json.has("length") && !json.integer("length", length, 1, UINT32_MAX)))
      return false;
    append(program, PreTokenizerOp::FixedLength, length);
    return true;
  }
  return refuse(json, "pre-tokenizer", type);
}

// The types of the pre-tokenizers that run, in their order.
void listTypes(const Json &json, int depth, std::vector<std::string> &out) {
  if (!json.is_object() || depth > 64)
    return;
  auto type = json.find("type");
  if (type == json.end() || !type->is_string())
    return;
  auto list = json.find("pretokenizers");
  if (*type != "Sequence") {
    out.push_back(type->get<std::string>());
  } else if (list != json.end() && list->is_array()) {
    for (const Json &one : *list)
      listTypes(one, depth + 1, out);
  }
}

} // namespace

bool compilePreTokenizer(const Reader &json, SectionParts &parts) {
  return json.isNull() || preTokenizer(json, parts, 0);
}

bool endsWithByteLevel(const Json &pre_tokenizer) {
  std::vector<std::string> types;
  listTypes(pre_tokenizer, 0, types);
  return !types.empty() && types.back() == "ByteLevel" && std::count(types.begin(), types.end(), "ByteLevel") == 1;
}

} // namespace ingot::tokenizer
