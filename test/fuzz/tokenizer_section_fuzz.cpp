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
      "vocab": {"a": 0, "b": 1, "\u0120": 2, "\u0120a": 3, "ab": 4, "f": 5}, "merges": [["\u0120", "a"], ["a", "b"]]}})j"};

std::vector<uint8_t> compiled(const char *json) {
  std::vector<uint8_t> section;
  std::string error;
  if (!ingot::tokenizer::compileTokenizer(json, "", section, error))
    std::abort();
  return section;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::vector<uint8_t> sections[] = {compiled(kTokenizers[0]), compiled(kTokenizers[1])};
  if (size == 0)
    return 0;
  std::vector<uint8_t> section = sections[data[0] % 2];
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
  std::vector<int32_t> ids = tokenizer->encode(
      "The fox <s> ran\n\n 123's abcx _a_ e\xCC\x81 \xE7\x8B\x90 <t> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab \xFF", true);
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
