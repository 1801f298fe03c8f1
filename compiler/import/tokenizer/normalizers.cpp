// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalizers of tokenizer.json; `type` chooses one. Components that are a row of simple steps become those steps.
#include "compiler/import/tokenizer/base64.h"
#include "compiler/import/tokenizer/component_support.h"

#include "runtime/text/charsmap.h"

namespace ingot::tokenizer {
namespace {

using text::NormalizerOp;

bool bertNormalizer(const Reader &json, SectionParts &parts) {
  bool clean, chinese, lower, accents;
  if (!json.onlyKeys({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}) ||
      !json.boolean("clean_text", clean) || !json.boolean("handle_chinese_chars", chinese) ||
      !json.boolean("lowercase", lower) || !json.boolean("strip_accents", accents, lower))
    return false;
  auto &program = parts.normalizer;
  if (clean) {
    append(program, NormalizerOp::Remove, parts.sets.number(CharSet::bertRemoved()));
    append(program, NormalizerOp::ToSpace, parts.sets.number(CharSet::bertSpaces()));
  }
  if (chinese)
    append(program, NormalizerOp::Pad, parts.sets.number(CharSet::bertPadded()));
  if (accents) {
    append(program, NormalizerOp::Nfd);
    append(program, NormalizerOp::Remove, parts.sets.number(CharSet::bertAccents()));
  }
  if (lower)
    append(program, NormalizerOp::Lowercase);
  return true;
}

bool normalizer(const Reader &json, SectionParts &parts, int depth) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  auto &program = parts.normalizer;
  if (type == "Sequence")
    return sequence(json, "normalizers", depth, [&](const Reader &one) { return normalizer(one, parts, depth + 1); });
  static constexpr std::pair<const char *, NormalizerOp> kPlain[] = {{"NFC", NormalizerOp::Nfc},
                                                                     {"NFD", NormalizerOp::Nfd},
                                                                     {"NFKC", NormalizerOp::Nfkc},
                                                                     {"NFKD", NormalizerOp::Nfkd},
                                                                     {"Lowercase", NormalizerOp::Lowercase},
                                                                     {"ByteLevel", NormalizerOp::SpellBytes}};
  for (auto [name, op] : kPlain)
    if (type == name) {
      append(program, op);
      return json.onlyKeys({"type"});
    }
  if (type == "StripAccents") {
    append(program, NormalizerOp::Remove, parts.sets.number(CharSet::combiningMarks()));
    return json.onlyKeys({"type"});
  }
  if (type == "Nmt") {
    append(program, NormalizerOp::Remove, parts.sets.number(CharSet::nmtRemoved()));
    append(program, NormalizerOp::ToSpace, parts.sets.number(CharSet::nmtSpaces()));
    return json.onlyKeys({"type"});
  }
  if (type == "Strip") {
    bool left, right;
    if (!json.onlyKeys({"type", "strip_left", "strip_right"}) || !json.boolean("strip_left", left) ||
        !json.boolean("strip_right", right))
      return false;
    append(program, NormalizerOp::Strip, left, right);
    return true;
  }
  if (type == "BertNormalizer")
    return bertNormalizer(json, parts);
  if (type == "Precompiled") {
    std::string encoded, map;
    if (!json.onlyKeys({"type", "precompiled_charsmap"}) || !json.string("precompiled_charsmap", encoded))
      return false;
    if (!decodeBase64(encoded, map) || !text::Charsmap::valid(map))
      return json.fail("precompiled_charsmap is no character map of SentencePiece in base 64");
    append(program, NormalizerOp::Precompiled);
    appendString(program, parts, map);
    return true;
  }
  if (type == "Prepend") {
    std::string text;
    if (!json.onlyKeys({"type", "prepend"}) || !json.string("prepend", text))
      return false;
    append(program, NormalizerOp::Prepend);
    appendString(program, parts, text);
    return true;
  }
  if (type == "Replace") {
    Matcher what;
    std::string content;
    if (!json.onlyKeys({"type", "pattern", "content"}) || !matcher(json, parts, what) ||
        !json.string("content", content))
      return false;
    // What the library puts at the very start of a text so has no place, and is doubled by what follows.
    if (what.pattern && parts.patterns.matchesNothing(*what.pattern))
      return json.fail("the pattern " + inQuotes(what.text) +
                       " can match nothing, which is not supported in a normalizer");
    appendMatcher(program, parts, what, NormalizerOp::ReplacePattern, NormalizerOp::ReplaceString);
    appendString(program, parts, content);
    return true;
  }
  return refuse(json, "normalizer", type);
}

} // namespace

bool compileNormalizer(const Reader &json, SectionParts &parts) { return json.isNull() || normalizer(json, parts, 0); }

} // namespace ingot::tokenizer
