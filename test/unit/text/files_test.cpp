// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokenizers that come as other files than tokenizer.json: SentencePiece models against SentencePiece itself, those of
// classes with ids of their own, vocabularies with and without merges and ranked byte strings against transformers and
// tiktoken (cases recorded by tools/oracle/make-tokenizer-cases), and what is refused.
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

// Cases of make-tokenizer-cases: the files of a checkpoint, its configuration, and what the oracle makes of texts.
void expectRecorded(const char *cases) {
  for (const Json &one : casesOf(cases)) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    tokenizer::TokenizerFiles files;
    for (const auto &[name, content] : one.at("files").items()) {
      auto text = content.get<std::string>();
      if (name == "vocab.txt")
        files.vocabTxt = text;
      else if (name == "vocab.json")
        files.vocabJson = text;
      else if (name == "merges.txt")
        files.mergesTxt = text;
      else if (name == "tekken.json")
        files.tekkenJson = text;
      else if (name == "tiktoken.model" || name == "qwen.tiktoken")
        files.ranks = text;
      else
        files.sentencePiece = name == "tokenizer.model" ? text : decodeBase64(text);
    }
    std::string config = one.at("config").dump();
    Loaded loaded(converted(files, config), config);
    ASSERT_TRUE(loaded.tokenizer);
    for (const Json &expected : one.at("cases")) {
      SCOPED_TRACE(expected.dump());
      auto text = expected.at("text").get<std::string>();
      auto ids = expected.at("ids").get<std::vector<int32_t>>();
      EXPECT_EQ(loaded->encode(text, false), ids);
      EXPECT_EQ(loaded->encode(text, true), expected.at("special").get<std::vector<int32_t>>());
      if (expected.contains("decoded"))
        EXPECT_EQ(loaded->decode(ids, false), expected.at("decoded").get<std::string>());
    }
  }
}

TEST(Files, VocabulariesAsTransformersReadsThem) { expectRecorded("other_files.json"); }
TEST(Files, ClassesThatNumberPiecesAnew) { expectRecorded("class_files.json"); }
TEST(Files, RankedByteStrings) { expectRecorded("rank_files.json"); }

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
  EXPECT_EQ(refused(unk, R"({"tokenizer_class": "BigBirdTokenizerFast"})"),
            "tokenizer.model: is not read for the tokenizer_class \"BigBirdTokenizer\"; transformers writes "
            "tokenizer.json: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)");
}

TEST(Files, ClassesAreRefusedByName) {
  auto refused = [](const std::string &bytes, const std::string &config) {
    tokenizer::TokenizerFiles files;
    files.sentencePiece = bytes;
    return refusedFiles(files, config);
  };
  const std::string unk = piece("<unk>", 2), bpe = unk + field(2, field(3, 2));
  EXPECT_EQ(refused(bpe, R"({"tokenizer_class": "XLMRobertaTokenizer"})"),
            "tokenizer.model: the tokenizer_class \"XLMRobertaTokenizer\" has a Unigram model, and this is none");
  EXPECT_EQ(
      refused(unk, R"({"tokenizer_class": "NllbTokenizer", "added_tokens_decoder": {"5": {"content": "eng_Latn"}}})"),
      "tokenizer.model: the tokenizer_class \"NllbTokenizer\" has a BPE model, and this is none");
  EXPECT_EQ(refused(bpe, R"({"tokenizer_class": "NllbTokenizer"})"),
            "tokenizer.model: the language \"eng_Latn\" is no piece, and no token of added_tokens_decoder in "
            "tokenizer_config.json");
  EXPECT_EQ(refused(unk, R"({"tokenizer_class": "MBartTokenizer", "src_lang": "xx"})"),
            "tokenizer.model: the special token \"xx\" has no piece");
}

TEST(Files, RanksAreRefusedByName) {
  auto refused = [](const std::string &text, const std::string &config = R"({"extra_special_tokens": ["<e>"]})") {
    tokenizer::TokenizerFiles files;
    files.ranks = text;
    return refusedFiles(files, config);
  };
  const std::string line = ": expected bytes in base 64, a space and a rank";
  EXPECT_EQ(refused("YQ==\n"), "tiktoken.model: line 1" + line);
  EXPECT_EQ(refused("YQ== 0\nYg== x\n"), "tiktoken.model: line 2" + line);
  EXPECT_EQ(refused("YQ= 0\n"), "tiktoken.model: line 1" + line);
  EXPECT_EQ(refused(" 0\n"), "tiktoken.model: line 1" + line);
  EXPECT_EQ(refused("YQ== 0\nYg== 2\n"),
            "tiktoken.model: line 2: the rank is 2, expected 1: ranks count on without a gap");
  EXPECT_EQ(refused("YQ== 0\nYQ== 1\n"),
            "tiktoken.model: the string of rank 1 is empty, there twice or longer than 1024 bytes");
  EXPECT_EQ(refused("YQ== 0\n", ""), "tiktoken.model: holds ranks of byte strings and no special tokens, and "
                                     "tokenizer_config.json names none in added_tokens_decoder");
  EXPECT_EQ(refused("YQ== 0\n", R"({"added_tokens_decoder": {"x": {}}})"),
            "tokenizer_config.json: added_tokens_decoder: the key \"x\" is no id");
  EXPECT_EQ(refused("YQ== 0\n", R"({"added_tokens_decoder": {"3000000": {}}})"),
            "tokenizer_config.json: added_tokens_decoder: the id 3000000 lies more than 20000 behind the last rank, 0");
  EXPECT_EQ(refused("YQ== 0\n", R"({"added_tokens_decoder": []})"),
            "tokenizer_config.json: added_tokens_decoder: expected an object");
  EXPECT_NE(refused("YQ== 0\n", R"({"tokenizer_class": "TikTokenTokenizer"})").find("\"TikTokenTokenizer\""),
            std::string::npos);
}

TEST(Files, TekkenIsRefusedByName) {
  auto refused = [](const std::string &text) {
    tokenizer::TokenizerFiles files;
    files.tekkenJson = text;
    return refusedFiles(files);
  };
  EXPECT_EQ(refused("[]").substr(0, 30), "tekken.json: expected an objec");
  EXPECT_EQ(refused("{}"), "tekken.json: has no config");
  EXPECT_EQ(refused(R"({"config": {}})"), "tekken.json: has no vocab");
  EXPECT_EQ(refused(R"({"config": {}, "vocab": []})"),
            "tekken.json: has no special_tokens: files of the first version of the format are not supported");
  EXPECT_EQ(
      refused(
          R"({"config": {"pattern": "a"}, "vocab": [], "special_tokens": [{"rank": 0, "token_str": "a"}, {"rank": 0, "token_str": "b"}]})"),
      "tekken.json.special_tokens[1]: the rank 0 is there twice");
  const std::string head =
      R"({"config": {"pattern": "a"}, "special_tokens": [{"rank": 0, "token_str": "a"}], "vocab": )";
  EXPECT_EQ(refused(head + R"([{"token_bytes": "YQ="}]})").substr(0, 54),
            "tekken.json.vocab[0].token_bytes: expected bytes in ba");
  EXPECT_EQ(refused(head + R"([{"token_bytes": "YQ=="}]})"),
            "tekken.json: the special token \"a\" is also a string with a rank");
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
  EXPECT_NE(refusedFiles(files, R"({"tokenizer_class": "WhisperTokenizer"})").find("\"WhisperTokenizer\""),
            std::string::npos);
  EXPECT_EQ(refusedFiles(files, R"({"tokenizer_class": "CLIPTokenizer"})"), "vocab.json: has no \"<|startoftext|>\"");
  files.mergesTxt = "\xFF";
  EXPECT_EQ(refusedFiles(files), "merges.txt: is not UTF-8");
  EXPECT_EQ(refusedFiles(files, "3"), "tokenizer_config.json: expected an object");
}

} // namespace
} // namespace ingot::test
