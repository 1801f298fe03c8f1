// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function per component of tokenizer.json; `type` chooses it. What is not taken here is refused by name.
#include "compiler/import/tokenizer/components.h"

#include "runtime/text/unicode.h"

#include <functional>

namespace ingot::tokenizer {
namespace {

using text::Behavior;
using text::DecoderOp;
using text::NormalizerOp;
using text::PrependScheme;
using text::PreTokenizerOp;

constexpr int kMaxNesting = 16;
constexpr const char *kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

template <typename... Words> void append(std::vector<uint32_t> &program, Words... words) {
  (program.push_back(static_cast<uint32_t>(words)), ...);
}
void appendString(std::vector<uint32_t> &program, SectionParts &parts, std::string_view text) {
  auto [offset, length] = parts.strings.add(text);
  append(program, offset, length);
}

// "type", of an object.
bool typeOf(const Reader &json, std::string &type) { return json.string("type", type); }

bool refuse(const Reader &json, const char *what, const std::string &type) {
  return json.fail(std::string("the ") + what + " " + inQuotes(type) + " is not supported");
}

// Calls `one` for each member of a Sequence, whose list stands under `key`.
bool sequence(const Reader &json, const char *key, int depth,
              const std::function<bool(const Reader &, bool last)> &one) {
  if (depth >= kMaxNesting)
    return json.fail("sequences are nested too deeply");
  if (!json.onlyKeys({"type", key}))
    return false;
  if (!json.has(key))
    return json.fail(std::string("has no ") + key);
  Reader list = json.at(key);
  if (!list.isArray())
    return false;
  for (size_t i = 0; i < list.value().size(); ++i)
    if (!one(list.at(i), i + 1 == list.value().size()))
      return false;
  return true;
}

struct PatternText {
  bool is_pattern = false;
  std::string text;
};

// {"String": ...} or {"Regex": ...}
bool patternText(const Reader &json, PatternText &out) {
  if (!json.has("pattern"))
    return json.fail("has no pattern");
  Reader pattern = json.at("pattern");
  if (!pattern.isObject())
    return false;
  out.is_pattern = pattern.has("Regex");
  if (!out.is_pattern && !pattern.has("String"))
    return pattern.fail("has neither String nor Regex");
  if (!pattern.onlyKeys({out.is_pattern ? "Regex" : "String"}))
    return false;
  if (!pattern.string(out.is_pattern ? "Regex" : "String", out.text))
    return false;
  return !out.text.empty() || pattern.fail("the pattern is empty");
}

bool addPattern(const Reader &json, SectionParts &parts, const std::string &text, uint32_t &number) {
  std::string why;
  if (parts.patterns.add(text, parts.sets, number, why))
    return true;
  return json.fail("the pattern " + inQuotes(text) + " cannot be compiled: " + why);
}

bool oneCharacter(const Reader &json, const char *key, std::string &out) {
  if (!json.string(key, out))
    return false;
  unsigned skip;
  if (out.empty() || text::sequenceLength(out, skip) != out.size())
    return json.at(key).expected("one character");
  return true;
}

// ---- normalizers ----

bool normalizer(const Reader &json, SectionParts &parts, int depth) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  auto &program = parts.normalizer;
  if (type == "Sequence")
    return sequence(json, "normalizers", depth,
                    [&](const Reader &one, bool) { return normalizer(one, parts, depth + 1); });
  if (type == "NFC") {
    append(program, NormalizerOp::Nfc);
    return json.onlyKeys({"type"});
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
    PatternText pattern;
    std::string content;
    if (!json.onlyKeys({"type", "pattern", "content"}) || !patternText(json, pattern) ||
        !json.string("content", content))
      return false;
    if (pattern.is_pattern) {
      uint32_t number;
      if (!addPattern(json, parts, pattern.text, number))
        return false;
      append(program, NormalizerOp::ReplacePattern, number);
    } else {
      append(program, NormalizerOp::ReplaceString);
      appendString(program, parts, pattern.text);
    }
    appendString(program, parts, content);
    return true;
  }
  return refuse(json, "normalizer", type);
}

// ---- pre-tokenizers ----

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

bool metaspaceScheme(const Reader &json, PrependScheme &out) {
  std::string name;
  bool add = true;
  if (!json.string("prepend_scheme", name, "always") || !json.boolean("add_prefix_space", add, true))
    return false;
  if (name == "first")
    out = PrependScheme::First;
  else if (name == "never")
    out = PrependScheme::Never;
  else if (name == "always")
    out = PrependScheme::Always;
  else
    return json.at("prepend_scheme").expected("first, never or always");
  if (add)
    return true;
  if (out != PrependScheme::Never && json.has("prepend_scheme"))
    return json.fail("add_prefix_space is false but prepend_scheme is " + inQuotes(name));
  out = PrependScheme::Never;
  return true;
}

bool preTokenizer(const Reader &json, SectionParts &parts, int depth, bool last) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  auto &program = parts.pre_tokenizer;
  if (type == "Sequence")
    return sequence(json, "pretokenizers", depth, [&](const Reader &one, bool last_here) {
      return preTokenizer(one, parts, depth + 1, last && last_here);
    });
  if (type == "ByteLevel") {
    bool prefix, pattern, trim;
    if (!json.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"}) ||
        !json.boolean("add_prefix_space", prefix) || !json.boolean("use_regex", pattern, true) ||
        !json.boolean("trim_offsets", trim, true)) // trim_offsets touches offsets, not ids
      return false;
    if (!last)
      return json.fail("ByteLevel is supported as the last pre-tokenizer only");
    append(program, PreTokenizerOp::ByteLevel, prefix);
    if (pattern) {
      uint32_t number;
      if (!addPattern(json, parts, kByteLevelPattern, number))
        return false;
      append(program, PreTokenizerOp::SplitPattern, number, Behavior::Isolated, 0);
    }
    parts.header.flags |= text::kByteLevel;
    return true;
  }
  if (type == "Split") {
    PatternText pattern;
    Behavior behavior;
    bool invert;
    if (!json.onlyKeys({"type", "pattern", "behavior", "invert"}) || !patternText(json, pattern) ||
        !behaviorOf(json, behavior) || !json.boolean("invert", invert))
      return false;
    if (pattern.is_pattern) {
      uint32_t number;
      if (!addPattern(json, parts, pattern.text, number))
        return false;
      append(program, PreTokenizerOp::SplitPattern, number);
    } else {
      append(program, PreTokenizerOp::SplitString);
      appendString(program, parts, pattern.text);
    }
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
  return refuse(json, "pre-tokenizer", type);
}

// ---- decoders ----

bool decoder(const Reader &json, SectionParts &parts, int depth, bool &fused) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  auto &program = parts.decoder;
  if (type == "Sequence")
    return sequence(json, "decoders", depth,
                    [&](const Reader &one, bool) { return decoder(one, parts, depth + 1, fused); });
  if (type == "ByteLevel") {
    if (!json.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"}))
      return false;
    if (!(parts.header.flags & text::kByteLevel))
      return json.fail("the decoder ByteLevel is supported together with the pre-tokenizer ByteLevel only");
    if (!program.empty() || fused)
      return json.fail("ByteLevel is supported as the first decoder only");
    append(program, DecoderOp::ByteLevel);
    fused = true;
    return true;
  }
  if (type == "Replace") {
    PatternText pattern;
    std::string content;
    if (!json.onlyKeys({"type", "pattern", "content"}) || !patternText(json, pattern) ||
        !json.string("content", content))
      return false;
    if (pattern.is_pattern)
      return json.fail("a decoder that replaces a Regex is not supported");
    append(program, DecoderOp::ReplaceString);
    appendString(program, parts, pattern.text);
    appendString(program, parts, content);
    return true;
  }
  if (type == "ByteFallback") {
    if (!json.onlyKeys({"type"}))
      return false;
    if (fused)
      return json.fail("ByteFallback behind Fuse is not supported");
    append(program, DecoderOp::ByteFallback);
    return true;
  }
  if (type == "Fuse") {
    append(program, DecoderOp::Fuse);
    fused = true;
    return json.onlyKeys({"type"});
  }
  if (type == "Strip") {
    std::string what;
    int64_t start, stop;
    if (!json.onlyKeys({"type", "content", "start", "stop"}) || !oneCharacter(json, "content", what) ||
        !json.integer("start", start, 0, INT32_MAX) || !json.integer("stop", stop, 0, INT32_MAX))
      return false;
    append(program, DecoderOp::Strip);
    appendString(program, parts, what);
    append(program, start, stop);
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
    append(program, DecoderOp::Metaspace);
    appendString(program, parts, mark);
    append(program, scheme != PrependScheme::Never);
    return true;
  }
  return refuse(json, "decoder", type);
}

// ---- post-processors ----

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

bool postProcessor(const Reader &json, SpecialIds &out, int depth, bool &done) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  if (type == "Sequence")
    return sequence(json, "processors", depth,
                    [&](const Reader &one, bool) { return postProcessor(one, out, depth + 1, done); });
  if (type == "ByteLevel") // changes offsets only
    return json.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  bool is_template = type == "TemplateProcessing";
  if (!is_template && type != "RobertaProcessing" && type != "BertProcessing")
    return refuse(json, "post-processor", type);
  if (done)
    return json.fail("a second post-processor that adds special tokens is not supported");
  done = true;
  if (is_template)
    return templateProcessing(json, out);
  return json.onlyKeys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}) &&
         tokenPair(json, "cls", out.prefix) && tokenPair(json, "sep", out.suffix);
}

} // namespace

bool compileNormalizer(const Reader &json, SectionParts &parts) { return json.isNull() || normalizer(json, parts, 0); }

bool compilePreTokenizer(const Reader &json, SectionParts &parts) {
  return json.isNull() || preTokenizer(json, parts, 0, true);
}

bool compileDecoder(const Reader &json, SectionParts &parts) {
  bool fused = false;
  if (json.isNull()) {
    parts.header.flags |= text::kNoDecoder;
    return true;
  }
  return decoder(json, parts, 0, fused);
}

bool compilePostProcessor(const Reader &json, SpecialIds &out) {
  bool done = false;
  return json.isNull() || postProcessor(json, out, 0, done);
}

} // namespace ingot::tokenizer
