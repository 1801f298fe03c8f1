// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoders of tokenizer.json; `type` chooses one.
#include "compiler/import/tokenizer/component_support.h"

namespace ingot::tokenizer {
namespace {

using text::DecoderOp;
using text::PrependScheme;

bool decoder(const Reader &json, SectionParts &parts, int depth) {
  std::string type;
  if (!typeOf(json, type))
    return false;
  auto &program = parts.decoder;
  if (type == "Sequence")
    return sequence(json, "decoders", depth, [&](const Reader &one) { return decoder(one, parts, depth + 1); });
  if (type == "ByteLevel") {
    if (!json.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"}))
      return false;
    append(program, DecoderOp::ByteLevel);
    return true;
  }
  if (type == "Replace") {
    Matcher what;
    std::string content;
    if (!json.onlyKeys({"type", "pattern", "content"}) || !matcher(json, parts, what) ||
        !json.string("content", content))
      return false;
    appendMatcher(program, parts, what, DecoderOp::ReplacePattern, DecoderOp::ReplaceString);
    appendString(program, parts, content);
    return true;
  }
  if (type == "ByteFallback") {
    if (!json.onlyKeys({"type"}))
      return false;
    append(program, DecoderOp::ByteFallback);
    return true;
  }
  if (type == "Fuse") {
    append(program, DecoderOp::Fuse);
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
  if (type == "WordPiece") {
    std::string prefix;
    bool clean;
    if (!json.onlyKeys({"type", "prefix", "cleanup"}) || !json.string("prefix", prefix) ||
        !json.boolean("cleanup", clean))
      return false;
    append(program, DecoderOp::WordPiece);
    appendString(program, parts, prefix);
    append(program, clean);
    return true;
  }
  if (type == "BPEDecoder") {
    std::string suffix;
    if (!json.onlyKeys({"type", "suffix"}) || !json.string("suffix", suffix))
      return false;
    if (suffix.empty())
      return json.at("suffix").fail("an empty suffix is not supported");
    append(program, DecoderOp::Suffix);
    appendString(program, parts, suffix);
    return true;
  }
  if (type == "CTC") {
    std::string pad, delimiter;
    bool clean;
    if (!json.onlyKeys({"type", "pad_token", "word_delimiter_token", "cleanup"}) || !json.string("pad_token", pad) ||
        !json.string("word_delimiter_token", delimiter) || !json.boolean("cleanup", clean))
      return false;
    if (pad.empty() || delimiter.empty())
      return json.fail("an empty pad_token or word_delimiter_token is not supported");
    append(program, DecoderOp::Ctc);
    appendString(program, parts, pad);
    appendString(program, parts, delimiter);
    append(program, clean);
    return true;
  }
  return refuse(json, "decoder", type);
}

} // namespace

bool compileDecoder(const Reader &json, SectionParts &parts) {
  if (json.isNull()) {
    parts.header.flags |= text::kNoDecoder;
    return true;
  }
  return decoder(json, parts, 0);
}

} // namespace ingot::tokenizer
