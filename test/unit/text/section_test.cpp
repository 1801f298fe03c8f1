// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The section itself: the same bytes for the same input, and no crash whatever happens to them.
#include "test/unit/text/support.h"

#include <cstring>
#include <random>

namespace ingot::test {
namespace {

// A tokenizer with a step of every kind.
std::string fullTokenizer() {
  Json json = smallTokenizer();
  json["normalizer"] =
      Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Prepend", "prepend": "a"},
      {"type": "Replace", "pattern": {"String": "x"}, "content": "b"},
      {"type": "Replace", "pattern": {"Regex": "c+|\\p{Lu}"}, "content": "c"}]})");
  json["pre_tokenizer"] =
      Json::parse(R"({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
      {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": true},
      {"type": "Split", "pattern": {"Regex": "a+(?!b)|(?>b)c?|[^ab]"}, "behavior": "Isolated", "invert": false}]})");
  json["decoder"] =
      Json::parse(R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "_"}, "content": " "},
      {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]})");
  json["added_tokens"] =
      Json::parse(R"([{"id": 7, "content": "<s>", "single_word": false, "lstrip": true, "rstrip": true,
      "normalized": false, "special": true}, {"id": 8, "content": "<t>", "single_word": true, "lstrip": false, "rstrip": false,
      "normalized": true, "special": false}])");
  json["post_processor"] = Json::parse(R"({"type": "BertProcessing", "sep": ["<t>", 8], "cls": ["<s>", 7]})");
  return json.dump();
}

// The other models, with the components that the first has not.
std::vector<std::string> fullTokenizers() {
  std::vector<std::string> out = {fullTokenizer()};
  Json json = Json::parse(fullTokenizer());
  json["normalizer"] = Json::parse(R"({"type": "Sequence", "normalizers": [
      {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true}, {"type": "NFKC"},
      {"type": "Strip", "strip_left": true, "strip_right": true},
      {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAB4AA=="}]})");
  json["pre_tokenizer"] = Json::parse(R"({"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"},
      {"type": "BertPreTokenizer"}, {"type": "FixedLength", "length": 9},
      {"type": "Split", "pattern": {"Regex": "(?<=a)b|\\bx"}, "behavior": "Isolated", "invert": false}]})");
  json["post_processor"] = Json::parse(R"({"type": "RobertaProcessing", "sep": ["a", 1], "cls": ["b", 2],
      "trim_offsets": true, "add_prefix_space": true})");
  json["decoder"] = Json::parse(R"({"type": "Sequence", "decoders": [
      {"type": "CTC", "pad_token": "?", "word_delimiter_token": "b", "cleanup": true}, {"type": "BPEDecoder", "suffix": "c"},
      {"type": "WordPiece", "prefix": "_", "cleanup": true}, {"type": "Replace", "pattern": {"Regex": "a+"}, "content": "A"},
      {"type": "ByteLevel"}]})");
  json["model"] = Json::parse(R"({"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["?", 0], ["a", -1],
      ["b", -2], ["ab", -2.5], ["_", -1], ["c", -4], ["<0xE7>", 0]]})");
  out.push_back(json.dump());
  json["pre_tokenizer"] = Json::parse(R"({"type": "Sequence", "pretokenizers": [{"type": "Whitespace"},
      {"type": "ByteLevel", "add_prefix_space": true}, {"type": "Digits", "individual_digits": false}]})");
  json["model"] = Json::parse(R"({"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "#",
      "max_input_chars_per_word": 20, "vocab": {"?": 0, "a": 1, "b": 2, "#b": 3, "#a": 4, "t": 5, "#": 6}})");
  out.push_back(json.dump());
  json["model"] = Json::parse(R"({"type": "BPE", "unk_token": "?", "continuing_subword_prefix": "#",
      "end_of_word_suffix": "$", "vocab": {"?": 0, "a": 1, "#b": 2, "#c$": 3, "ab": 4, "abc$": 5},
      "merges": [["a", "#b"], ["ab", "#c$"]]})");
  out.push_back(json.dump());
  return out;
}

// Everything a loaded tokenizer can do, for its crashes only.
void exercise(const text::Tokenizer &tokenizer) {
  const std::string_view text = " abcx  <s> <t> ABC 123 e\u0301 _ \xFF \u72D0 aaab bbbc";
  std::vector<int32_t> ids = tokenizer.encode(text, true);
  tokenizer.encodeWithOffsets(text, true);
  for (int32_t id = -1; id <= std::min(tokenizer.size(), 64); ++id)
    ids.push_back(id);
  tokenizer.decode(ids, false);
  text::StreamDecoder stream(tokenizer, true);
  for (int32_t id : ids)
    stream.push(id);
  stream.finish();
  for (int32_t id : {0, 1, 7})
    tokenizer.idOf(tokenizer.piece(id));
}

TEST(Section, SameInputGivesSameBytes) {
  Loaded one(fullTokenizer()), two(fullTokenizer());
  EXPECT_EQ(one.section, two.section);
}

TEST(Section, EveryTruncationIsRefused) {
  for (const std::string &json : fullTokenizers()) {
    Loaded loaded(json);
    std::string error;
    for (size_t size = 0; size < loaded.section.size(); size += size < 1024 ? 1 : 97) {
      std::vector<uint8_t> part(loaded.section.begin(), loaded.section.begin() + static_cast<ptrdiff_t>(size));
      EXPECT_FALSE(text::Tokenizer::load(part, error));
      EXPECT_EQ(error.rfind("the engine's tokenizer is damaged: ", 0), 0u) << error;
    }
  }
}

// The engine's checksum finds damage; still no changed byte may lead a reader out of the section.
TEST(Section, ChangedBytesNeverCrash) {
  for (const std::string &json : fullTokenizers()) {
    Loaded loaded(json);
    std::mt19937 random(1);
    std::string error;
    size_t refused = 0;
    std::vector<size_t> places;
    const auto *header = reinterpret_cast<const text::Header *>(loaded.section.data());
    for (size_t i = 0; i < sizeof(text::Header); ++i)
      places.push_back(i);
    for (const text::PartEntry &part : header->parts)
      for (int i = 0; i < 120 && part.size; ++i)
        places.push_back(part.offset + (i < 40 ? static_cast<size_t>(i) : random()) % part.size);
    for (size_t place : places) {
      std::vector<uint8_t> bad = loaded.section;
      bad[place] ^= static_cast<uint8_t>(1u << random() % 8);
      if (auto tokenizer = text::Tokenizer::load(bad, error))
        exercise(*tokenizer);
      else
        ++refused;
    }
    EXPECT_GT(refused, 100u);
  }
}

TEST(Section, SaysWhatIsWrong) {
  Loaded loaded(fullTokenizer());
  auto changed = [&](size_t offset, uint32_t value) {
    std::vector<uint8_t> bad = loaded.section;
    std::memcpy(bad.data() + offset, &value, 4);
    std::string error;
    EXPECT_FALSE(text::Tokenizer::load(bad, error));
    return error;
  };
  EXPECT_EQ(changed(0, 0), "the engine's tokenizer is damaged: it does not begin with the mark of a tokenizer");
  EXPECT_EQ(
      changed(offsetof(text::Header, version), 9),
      "the engine's tokenizer is damaged: its version is 9, this program reads version 2: compile the model again");
  EXPECT_EQ(changed(offsetof(text::Header, model), 5),
            "the engine's tokenizer is damaged: its model is of an unknown kind");
  EXPECT_EQ(changed(offsetof(text::Header, parts), 0x7FFFFFF8),
            "the engine's tokenizer is damaged: a part lies outside of it");
}

} // namespace
} // namespace ingot::test
