// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A TOKENIZER section with any bytes changed: it is refused with a sentence, or everything that a tokenizer does ends
// without leaving the section. (An engine's checksums find such damage before; this is about what lies behind them.)
// Input: which tokenizer, then changes of five bytes each: an offset and what is XORed there.
#include "compiler/import/tokenizer/tokenizer_json.h"
#include "runtime/text/tokenizer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace ingot::text;

namespace {

// Between them, a step of every kind. Small, so that changes meet something.
const char *const kTokenizers[] = {
    R"j({"version": "1.0",
  "added_tokens": [{"id": 7, "content": "<s>", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false, "special": true},
                   {"id": 8, "content": "<t>", "single_word": true, "lstrip": false, "rstrip": false, "normalized": true, "special": false}],
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Prepend", "prepend": "a"},
      {"type": "Replace", "pattern": {"String": "x"}, "content": "b"},
      {"type": "Replace", "pattern": {"Regex": "c+|\\p{Lu}"}, "content": "c"}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
      {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": true},
      {"type": "Split", "pattern": {"Regex": "a+(?!b)|(?>b)c?|[^ab]{1,3}?x*"}, "behavior": "Contiguous", "invert": false}]},
  "post_processor": {"type": "BertProcessing", "sep": ["<t>", 8], "cls": ["<s>", 7]},
  "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "_"}, "content": " "},
      {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]},
  "model": {"type": "BPE", "unk_token": "?", "fuse_unk": true, "byte_fallback": true, "ignore_merges": true,
      "vocab": {"?": 0, "a": 1, "b": 2, "c": 3, " ": 4, "ab": 5, "<0xE7>": 6}, "merges": [["a", "b"]]}})j",
    R"j({"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "use_regex": true},
  "decoder": {"type": "Sequence", "decoders": [{"type": "ByteLevel"}, {"type": "Replace", "pattern": {"String": "ab"}, "content": ""},
      {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always"}]},
  "model": {"type": "BPE", "unk_token": null, "fuse_unk": false, "byte_fallback": false,
      "vocab": {"a": 0, "b": 1, "\u0120": 2, "\u0120a": 3, "ab": 4, "f": 5}, "merges": [["\u0120", "a"], ["a", "b"]]}})j",
    R"j({"version": "1.0", "added_tokens": [{"id": 0, "content": "<u>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": true, "special": true}],
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true},
      {"type": "Nmt"}, {"type": "NFKC"}, {"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAB4AA=="}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}, {"type": "BertPreTokenizer"}, {"type": "FixedLength", "length": 9},
      {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first"}, {"type": "Split", "pattern": {"Regex": "(?<=a)b|\\bx|(?=\\p{Han})"}, "behavior": "Isolated", "invert": false}]},
  "post_processor": {"type": "RobertaProcessing", "sep": ["a", 1], "cls": ["b", 2], "trim_offsets": true, "add_prefix_space": true},
  "decoder": {"type": "Sequence", "decoders": [{"type": "CTC", "pad_token": "<u>", "word_delimiter_token": "b", "cleanup": true}, {"type": "BPEDecoder", "suffix": "c"},
      {"type": "WordPiece", "prefix": "_", "cleanup": true}, {"type": "Replace", "pattern": {"Regex": "a+"}, "content": "A"}, {"type": "ByteLevel"}]},
  "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["<u>", 0], ["a", -1], ["b", -2], ["ab", -2.5], ["_", -1], ["fox", -4], ["<0xE7>", 0], ["_a", -3], ["c", -2]]}})j",
    R"j({"version": "1.0", "added_tokens": [], "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "ByteLevel"}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, {"type": "Punctuation"}, {"type": "ByteLevel", "add_prefix_space": true}, {"type": "CharDelimiterSplit", "delimiter": "f"}]},
  "post_processor": {"type": "ByteLevel", "trim_offsets": true, "add_prefix_space": false}, "decoder": {"type": "WordPiece", "prefix": "#", "cleanup": true},
  "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "#", "max_input_chars_per_word": 20, "vocab": {"?": 0, "a": 1, "b": 2, "#b": 3, "#a": 4, "t": 5, "#he": 6, "#": 7}}})j",
    R"j({"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": {"type": "BPEDecoder", "suffix": "</w>"},
  "model": {"type": "BPE", "unk_token": "?", "continuing_subword_prefix": "#", "end_of_word_suffix": "$", "vocab": {"?": 0, "a": 1, "#b": 2, "#c$": 3, "ab": 4, "abc$": 5}, "merges": [["a", "#b"], ["ab", "#c$"]]}})j"};

std::vector<uint8_t> compiled(const char *json) {
  std::vector<uint8_t> section;
  std::string error;
  if (!ingot::tokenizer::compileTokenizer(json, "", section, error))
    std::abort();
  return section;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::vector<std::vector<uint8_t>> sections = [] {
    std::vector<std::vector<uint8_t>> out;
    for (const char *json : kTokenizers)
      out.push_back(compiled(json));
    return out;
  }();
  if (size == 0)
    return 0;
  std::vector<uint8_t> section = sections[data[0] % sections.size()];
  for (size_t i = 1; i + 5 <= size; i += 5) {
    uint32_t offset;
    std::memcpy(&offset, data + i, 4);
    section[offset % section.size()] ^= data[i + 4];
  }
  std::string error;
  auto tokenizer = Tokenizer::load(section, error);
  if (!tokenizer) {
    if (error.empty())
      std::abort();
    return 0;
  }
  const std::string_view text =
      "The fox <s> ran\n\n 123's abcx _a_ e\xCC\x81 \xE7\x8B\x90 <t> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab \xFF";
  std::vector<int32_t> ids = tokenizer->encode(text, true);
  tokenizer->encodeWithOffsets(text, true);
  for (int32_t id = -1; id <= std::min(tokenizer->size(), 300); ++id)
    ids.push_back(id);
  for (bool skip : {false, true}) {
    tokenizer->decode(ids, skip);
    StreamDecoder stream(*tokenizer, skip);
    for (int32_t id : ids)
      stream.push(id);
    stream.finish();
  }
  for (int32_t id = 0; id < std::min(tokenizer->size(), 300); ++id)
    tokenizer->idOf(tokenizer->piece(id));
  return 0;
}
