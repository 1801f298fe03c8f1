// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ids and texts equal those of the `tokenizers` library, for each component and option that is compiled: small
// tokenizers with recorded cases (cases/*.json, by tools/oracle/make-tokenizer-cases).
#include "test/unit/text/support.h"

#include "runtime/text/unicode.h"

#include <algorithm>
#include <random>
#include <thread>

namespace ingot::test {
namespace {

// Decodes as a stream, checking that every part is whole characters.
std::string streamed(const text::Tokenizer &tokenizer, const std::vector<int32_t> &ids, bool skip_special) {
  text::StreamDecoder stream(tokenizer, skip_special);
  std::string out;
  for (int32_t id : ids) {
    std::string part = stream.push(id);
    EXPECT_TRUE(text::isValidUtf8(part)) << "half a character";
    out += part;
  }
  return out + stream.finish();
}

void checkCases(const Json &variants, const std::function<Json(const Json &patch)> &make) {
  for (const Json &variant : variants) {
    SCOPED_TRACE(variant.at("name").get<std::string>());
    Loaded loaded(make(variant.at("patch")).dump());
    ASSERT_TRUE(loaded.tokenizer);
    for (const Json &expected : variant.at("cases")) {
      SCOPED_TRACE(expected.dump());
      std::vector<int32_t> ids;
      if (expected.contains("text")) {
        auto text = expected.at("text").get<std::string>();
        ids = expected.at("ids").get<std::vector<int32_t>>();
        EXPECT_EQ(loaded->encode(text, false), ids);
        auto special = expected.value("special", Json(ids)).get<std::vector<int32_t>>();
        EXPECT_EQ(loaded->encode(text, true), special);
        text::Encoding encoding = loaded->encodeWithOffsets(text, true);
        EXPECT_EQ(encoding.ids, special);
        std::vector<uint32_t> offsets;
        for (text::Offsets one : encoding.offsets)
          offsets.insert(offsets.end(), {one.begin, one.end});
        EXPECT_EQ(offsets, expected.at("offsets").get<std::vector<uint32_t>>());
      } else {
        ids = expected.at("decode").get<std::vector<int32_t>>();
      }
      if (expected.contains("decoded")) {
        auto decoded = expected.at("decoded").get<std::string>();
        EXPECT_EQ(loaded->decode(ids, false), decoded);
        EXPECT_EQ(streamed(*loaded.tokenizer, ids, false), decoded);
        if (expected.contains("text") && (expected.contains("skipped") || !expected.contains("decode"))) {
          EXPECT_EQ(loaded->decode(ids, true), expected.value("skipped", decoded));
          EXPECT_EQ(streamed(*loaded.tokenizer, ids, true), expected.value("skipped", decoded));
        }
      }
    }
  }
}

void checkFile(const std::string &name) {
  Json file = Json::parse(readFile(std::string(INGOT_TEXT_CASES) + "/" + name + ".json"));
  checkCases(file.at("variants"), [&](const Json &patch) {
    Json tokenizer = file.at("base");
    for (const auto &[key, value] : patch.items())
      if (key == "model")
        tokenizer[key].update(value);
      else
        tokenizer[key] = value;
    return tokenizer;
  });
}

TEST(Oracle, ByteLevel) { checkFile("byte_level"); }
TEST(Oracle, ByteFallback) { checkFile("byte_fallback"); }
TEST(Oracle, PartialByteFallback) { checkFile("partial_fallback"); }
TEST(Oracle, UnknownCharacters) { checkFile("unknown"); }
TEST(Oracle, Split) { checkFile("split"); }
TEST(Oracle, Normalizers) { checkFile("normalizers"); }
TEST(Oracle, PreTokenizers) { checkFile("pretokenizers"); }
TEST(Oracle, Decoders) { checkFile("decoders"); }
TEST(Oracle, WordPiece) { checkFile("wordpiece"); }
TEST(Oracle, Unigram) { checkFile("unigram"); }
TEST(Oracle, WordLevel) { checkFile("wordlevel"); }
TEST(Oracle, BpeAffixes) { checkFile("bpe_affixes"); }
TEST(Oracle, ByteLevelElsewhere) { checkFile("byte_level_more"); }

std::string talesJson() { return readFile(std::string(INGOT_TEST_MODELS) + "/tales/tokenizer.json"); }

TEST(Oracle, SampleModel) {
  Json file = Json::parse(readFile(std::string(INGOT_TEXT_CASES) + "/tales.json"));
  Json tokenizer = Json::parse(talesJson());
  checkCases(file.at("variants"), [&](const Json &) { return tokenizer; });
}

TEST(Tokenizer, PiecesAndIds) {
  Loaded loaded(talesJson(), readFile(std::string(INGOT_TEST_MODELS) + "/tales/tokenizer_config.json"));
  Json vocabulary = Json::parse(talesJson()).at("model").at("vocab");
  EXPECT_EQ(loaded->size(), 4096);
  for (const auto &[piece, id] : vocabulary.items()) {
    EXPECT_EQ(loaded->piece(id.get<int32_t>()), piece);
    EXPECT_EQ(loaded->idOf(piece), id.get<int32_t>());
  }
  EXPECT_EQ(loaded->idOf("no such piece"), -1);
  EXPECT_EQ(loaded->idOf("\xFF"), -1);
  EXPECT_EQ(loaded->piece(-1), "");
  EXPECT_EQ(loaded->piece(4096), "");
  EXPECT_TRUE(loaded->isSpecial(0));
  EXPECT_FALSE(loaded->isSpecial(4));
  EXPECT_FALSE(loaded->isSpecial(-1));
  EXPECT_FALSE(loaded->isSpecial(4096));
}

TEST(Tokenizer, IdsWithoutPieceDecodeToNothing) {
  Loaded loaded(talesJson());
  std::vector<int32_t> ids = {43, -1, 4096, INT32_MAX, INT32_MIN, 43};
  EXPECT_EQ(loaded->decode(ids, false), loaded->decode(std::vector<int32_t>{43, 43}, false));
  EXPECT_EQ(streamed(*loaded.tokenizer, ids, false), loaded->decode(ids, false));
}

// Python's decoding with errors="replace": one U+FFFD for each maximal part of an ill-formed sequence.
TEST(Tokenizer, BadUtf8IsReadAsReplacementCharacters) {
  Loaded loaded(talesJson());
  EXPECT_EQ(loaded->encode("a\xF0\x9F\x99 b\xC0\xAF\xED\xA0\x80z\xE2\x82", false),
            loaded->encode("a\uFFFD b\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDz\uFFFD", false));
}

TEST(Tokenizer, StreamBeginsAnewAfterFinish) {
  Loaded loaded(talesJson());
  std::vector<int32_t> ids = loaded->encode("é狐🙂", false);
  text::StreamDecoder stream(*loaded.tokenizer, false);
  for (int round = 0; round < 2; ++round) {
    std::string out;
    for (int32_t id : ids)
      out += stream.push(id);
    EXPECT_EQ(out + stream.finish(), "é狐🙂");
  }
  stream.push(ids[0]); // half of é
  EXPECT_EQ(stream.finish(), "\uFFFD");
}

TEST(Tokenizer, ThreadsShareOne) {
  Loaded loaded(talesJson());
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += "the fox number " + std::to_string(i) + " ran; ";
  std::vector<int32_t> ids = loaded->encode(text, true);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      EXPECT_EQ(loaded->encode(text, true), ids);
      EXPECT_EQ(loaded->decode(ids, true), text);
    });
  for (std::thread &thread : threads)
    thread.join();
}

// A long text is encoded with a cache of words, its lines one by one without; and long words are cut.
TEST(Tokenizer, LongTextsEqualTheirLines) {
  Json file = Json::parse(readFile(std::string(INGOT_TEXT_CASES) + "/byte_level.json"));
  for (bool ignore_merges : {false, true}) {
    Json json = file.at("base");
    json["model"]["ignore_merges"] = ignore_merges;
    Loaded loaded(json.dump());
    const char *const kWords[] = {"the",  "fox",  "hill", "were", "and", "over", "green",
                                  "said", "Лиса", "狐狸", "été",  "in",  "re"};
    std::mt19937 random(4);
    std::string text;
    std::vector<int32_t> ids;
    for (int i = 0; i < 400; ++i) {
      std::string line;
      for (int word = 0; word < 12; ++word) {
        for (uint32_t part = random() % 3 ? 1 : random() % 30; part > 0; --part)
          line += kWords[random() % std::size(kWords)];
        line += word == 11 ? "\n" : " ";
      }
      std::vector<int32_t> more = loaded->encode(line, false);
      ids.insert(ids.end(), more.begin(), more.end());
      text += line;
    }
    EXPECT_EQ(loaded->encode(text, false), ids);
  }
}

// Under ignore_merges a word that is a piece is that piece, a part of a longer word is not; the cache keeps them apart.
TEST(Tokenizer, PartsOfWordsAreNotWords) {
  Json json = Json::parse(readFile(std::string(INGOT_TEXT_CASES) + "/byte_level.json")).at("base");
  auto id = static_cast<int32_t>(json["model"]["vocab"].size());
  json["model"]["vocab"]["rere"] = id; // no merge leads to it
  json["model"]["ignore_merges"] = true;
  json["pre_tokenizer"] = Json::parse(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"String": "\n"}, "behavior": "Removed", "invert": false},
      {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]})");
  Loaded loaded(json.dump());
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += i % 2 ? "rere\n" : "1rere1rere1rere1rere1rere1rere1rere1\n";
  std::vector<int32_t> ids = loaded->encode(text, false);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), id), 100);
}

// However long a word is, and whatever it is cut into, encoding is that of the merges alone: a text of 1 MB without a
// space takes time in proportion. (A quadratic merge would take hours.)
TEST(Tokenizer, LongWordsTakeLinearTime) {
  Loaded tales(talesJson());
  for (const char *unit : {"a", "the", "狐", " ", "\n", "x1", "'s", "\xCC\x81"}) {
    std::string text;
    while (text.size() < 1000000)
      text += unit;
    EXPECT_EQ(tales->decode(tales->encode(text, false), false), text);
  }
}

} // namespace
} // namespace ingot::test
