// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokenizers that come as other files than tokenizer.json: SentencePiece models against SentencePiece itself,
// vocabularies with and without merges against transformers (cases recorded by tools/oracle/make-tokenizer-cases), and
// what is refused.
#include "test/unit/text/support.h"

#include "compiler/import/tokenizer/tokenizer_files.h"

namespace ingot::test {
namespace {

std::string decodeBase64(const std::string &text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    size_t value = std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    if (value == std::string::npos)
      break;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

Json casesOf(const char *name) { return Json::parse(readFile(std::string(INGOT_TEXT_CASES) + "/" + name)); }

std::string converted(const tokenizer::TokenizerFiles &files, const std::string &config = "") {
  std::string json, error;
  EXPECT_TRUE(tokenizer::writeTokenizerJson(files, config, json, error)) << error;
  return json;
}

std::string refusedFiles(const tokenizer::TokenizerFiles &files, const std::string &config = "") {
  std::string json, error;
  EXPECT_FALSE(tokenizer::writeTokenizerJson(files, config, json, error));
  EXPECT_TRUE(json.empty());
  return error;
}

TEST(Files, SentencePieceModels) {
  for (const Json &one : casesOf("sentencepiece.json")) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    tokenizer::TokenizerFiles files;
    files.sentencePiece = decodeBase64(one.at("model").get<std::string>());
    Loaded loaded(converted(files));
    ASSERT_TRUE(loaded.tokenizer);
    for (const Json &expected : one.at("cases")) {
      SCOPED_TRACE(expected.dump());
      auto ids = expected.at("ids").get<std::vector<int32_t>>();
      EXPECT_EQ(loaded->encode(expected.at("text").get<std::string>(), false), ids);
      if (expected.contains("decoded"))
        EXPECT_EQ(loaded->decode(ids, false), expected.at("decoded").get<std::string>());
    }
  }
}

TEST(Files, VocabulariesAsTransformersReadsThem) {
  for (const Json &one : casesOf("other_files.json")) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const Json &texts = one.at("files");
    tokenizer::TokenizerFiles files;
    if (texts.contains("vocab.txt")) {
      files.vocabTxt = texts.at("vocab.txt").get<std::string>();
    } else {
      files.vocabJson = texts.at("vocab.json").get<std::string>();
      files.mergesTxt = texts.at("merges.txt").get<std::string>();
    }
    std::string config = one.at("config").dump();
    Loaded loaded(converted(files, config), config);
    ASSERT_TRUE(loaded.tokenizer);
    for (const Json &expected : one.at("cases")) {
      SCOPED_TRACE(expected.dump());
      auto text = expected.at("text").get<std::string>();
      EXPECT_EQ(loaded->encode(text, false), expected.at("ids").get<std::vector<int32_t>>());
      EXPECT_EQ(loaded->encode(text, true), expected.at("special").get<std::vector<int32_t>>());
    }
  }
}

// A message of protobuf, by hand: fields of bytes and of numbers.
std::string field(int number, const std::string &bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}
std::string field(int number, int value) {
  std::string out;
  for (int tag = number << 3; tag >= 128; tag >>= 7)
    out += static_cast<char>(tag | 128);
  out += static_cast<char>(number << 3 >> (number >= 16 ? 7 : 0));
  return out + static_cast<char>(value);
}
std::string piece(const std::string &text, int type) {
  return field(1, field(1, text) + std::string("\x15\0\0\x80\xBF", 5) + field(3, type));
}

TEST(Files, SentencePieceIsRefusedByName) {
  auto refused = [](const std::string &bytes, const std::string &config = "") {
    tokenizer::TokenizerFiles files;
    files.sentencePiece = bytes;
    return refusedFiles(files, config);
  };
  const std::string unk = piece("<unk>", 2), damaged = "tokenizer.model: is no SentencePiece model: a field of its "
                                                       "message is damaged or cut off";
  EXPECT_EQ(refused(""), "tokenizer.model: has 0 pieces, expected 1 to 4194304");
  EXPECT_EQ(refused("\x0A\x7F"), damaged);
  EXPECT_EQ(refused("\x0B"), damaged);
  EXPECT_EQ(refused(std::string(20, '\xFF')), damaged);
  EXPECT_EQ(refused(unk + field(2, field(3, 3))), "tokenizer.model: a model of whole words is not supported");
  EXPECT_EQ(refused(unk + field(2, field(3, 4))), "tokenizer.model: a model of single characters is not supported");
  EXPECT_EQ(refused(unk + field(2, field(3, 9))), "tokenizer.model: its model is of an unknown kind, 9");
  EXPECT_EQ(refused(unk + field(2, field(24, 1))), "tokenizer.model: treat_whitespace_as_suffix is not supported");
  EXPECT_EQ(refused(unk + field(2, field(40, 7))),
            "tokenizer.model: its unknown piece has the id 7, beyond its 1 pieces");
  EXPECT_EQ(refused(unk + field(3, field(5, 0))),
            "tokenizer.model: a model that does not escape white space is not supported");
  EXPECT_EQ(refused(unk + field(5, field(2, "x"))), "tokenizer.model: a denormalizer is not supported");
  EXPECT_EQ(refused(piece("\xFF", 1)), "tokenizer.model: piece 0 is no UTF-8, or its score no number");
  EXPECT_EQ(refused(unk + piece("\n", 4) + field(3, field(2, "x"))),
            "tokenizer.model: the user-defined piece \"\\x0A\", which its normalizer changes, is not supported");
  EXPECT_EQ(refused(unk, R"({"tokenizer_class": "XLMRobertaTokenizerFast"})"),
            "tokenizer.model: is not read for the tokenizer_class \"XLMRobertaTokenizer\"; transformers writes "
            "tokenizer.json: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)");
}

TEST(Files, DamagedSentencePieceNeverCrashes) {
  std::string whole = decodeBase64(casesOf("sentencepiece.json").at(2).at("model").get<std::string>());
  for (size_t i = 0; i < whole.size(); i += 13) {
    tokenizer::TokenizerFiles files;
    files.sentencePiece = whole.substr(0, i);
    std::string json, error;
    tokenizer::writeTokenizerJson(files, "", json, error);
    files.sentencePiece = whole;
    (*files.sentencePiece)[i] ^= 0x55;
    if (tokenizer::writeTokenizerJson(files, "", json, error)) {
      std::vector<uint8_t> section;
      tokenizer::compileTokenizer(json, "", section, error);
    }
  }
}

TEST(Files, OtherFilesAreRefusedByName) {
  tokenizer::TokenizerFiles files;
  EXPECT_EQ(refusedFiles(files), "tokenizer.json: is absent");
  files.vocabTxt = "a\nb\n";
  EXPECT_EQ(refusedFiles(files), "vocab.txt: has no \"[UNK]\"");
  files.vocabTxt = "\xFF";
  EXPECT_EQ(refusedFiles(files), "vocab.txt: is not UTF-8");
  EXPECT_NE(refusedFiles(files, R"({"tokenizer_class": "MPNetTokenizer"})").find("\"MPNetTokenizer\""),
            std::string::npos);
  files.vocabJson = "[]";
  files.mergesTxt = "a b\n";
  EXPECT_EQ(refusedFiles(files), "vocab.json: expected an object");
  files.vocabJson = "{}";
  EXPECT_NE(refusedFiles(files, R"({"tokenizer_class": "CLIPTokenizer"})").find("\"CLIPTokenizer\""),
            std::string::npos);
  files.mergesTxt = "\xFF";
  EXPECT_EQ(refusedFiles(files), "merges.txt: is not UTF-8");
  EXPECT_EQ(refusedFiles(files, "3"), "tokenizer_config.json: expected an object");
}

} // namespace
} // namespace ingot::test
