// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every message that a tokenizer.json or tokenizer_config.json can provoke, and hostile files that must end in one.
#include "test/unit/text/support.h"

namespace ingot::test {
namespace {

std::string refusedWith(const std::string &pointer, const std::string &value, const std::string &config = "") {
  Json json = smallTokenizer();
  json[Json::json_pointer(pointer)] = Json::parse(value);
  return refusal(json.dump(), config);
}

TEST(Refusal, NotJson) {
  EXPECT_NE(refusal("").find("tokenizer.json: parse error"), std::string::npos);
  EXPECT_NE(refusal("{\"a\": \xFF}").find("tokenizer.json: parse error"), std::string::npos);
  EXPECT_EQ(refusal("[]"), "tokenizer.json: expected an object, found array");
  EXPECT_EQ(refusal("{}"), "tokenizer.json: has no model");
  EXPECT_NE(refusal(smallTokenizer().dump(), "{").find("tokenizer_config.json: parse error"), std::string::npos);
  EXPECT_EQ(refusal(smallTokenizer().dump(), "7"), "tokenizer_config.json: expected an object, found number 7");
  EXPECT_EQ(refusedWith("/version", "\"2.0\""),
            "tokenizer.json.version: the version \"2.0\" is not supported, only \"1.0\" is");
}

TEST(Refusal, DeepNestingEnds) {
  EXPECT_FALSE(refusal(std::string(200000, '[')).empty());
  std::string deep;
  for (int i = 0; i < 5000; ++i)
    deep += "{\"type\": \"Sequence\", \"normalizers\": [";
  deep += "null";
  for (int i = 0; i < 5000; ++i)
    deep += "]}";
  EXPECT_NE(refusedWith("/normalizer", deep).find("sequences are nested too deeply"), std::string::npos);
}

TEST(Refusal, LongSequencesEnd) {
  std::string many = R"({"type": "Sequence", "pretokenizers": [)";
  for (int i = 0; i < 3000; ++i)
    many += R"({"type": "Digits", "individual_digits": true},)";
  many.back() = ']';
  EXPECT_EQ(refusedWith("/pre_tokenizer", many + "}"), "tokenizer.json: pre_tokenizer has too many steps");
}

TEST(Refusal, UnknownComponentsByName) {
  EXPECT_EQ(refusedWith("/model/type", "\"Magic\""), "tokenizer.json.model: the model \"Magic\" is not supported");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Magic"})"),
            "tokenizer.json.normalizer: the normalizer \"Magic\" is not supported");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Upper"}]})"),
            "tokenizer.json.normalizer.normalizers[1]: the normalizer \"Upper\" is not supported");
  EXPECT_EQ(refusedWith("/pre_tokenizer", R"({"type": "Magic"})"),
            "tokenizer.json.pre_tokenizer: the pre-tokenizer \"Magic\" is not supported");
  EXPECT_EQ(refusedWith("/post_processor", R"({"type": "Magic"})"),
            "tokenizer.json.post_processor: the post-processor \"Magic\" is not supported");
  EXPECT_EQ(refusedWith("/decoder", R"({"type": "Magic"})"),
            "tokenizer.json.decoder: the decoder \"Magic\" is not supported");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "NFC", "strength": 11})"),
            "tokenizer.json.normalizer: the key \"strength\" is not known here");
  EXPECT_EQ(refusedWith("/normalizer", "3"), "tokenizer.json.normalizer: expected an object, found number 3");
  EXPECT_EQ(refusedWith("/normalizer", "{}"), "tokenizer.json.normalizer: has no type");
}

TEST(Refusal, Normalizers) {
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Prepend"})"), "tokenizer.json.normalizer: has no prepend");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Prepend", "prepend": 1})"),
            "tokenizer.json.normalizer.prepend: expected a string, found number 1");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Replace", "content": ""})"),
            "tokenizer.json.normalizer: has no pattern");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Replace", "pattern": {}, "content": ""})"),
            "tokenizer.json.normalizer.pattern: has neither String nor Regex");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": ""})"),
            "tokenizer.json.normalizer.pattern: the pattern is empty");
  EXPECT_EQ(refusedWith("/normalizer", R"j({"type": "Replace", "pattern": {"Regex": "a(?<=b*)"}, "content": ""})j"),
            "tokenizer.json.normalizer: the pattern \"a(?<=b*)\" cannot be compiled: a look-behind whose alternatives "
            "have no fixed length is not supported, at position 4");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "AAA?"})"),
            "tokenizer.json.normalizer: precompiled_charsmap is no character map of SentencePiece in base 64");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Strip", "strip_left": true})"),
            "tokenizer.json.normalizer: has no strip_right");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "BertNormalizer", "clean_text": true})"),
            "tokenizer.json.normalizer: has no handle_chinese_chars");
  EXPECT_EQ(refusedWith("/normalizer", R"j({"type": "Replace", "pattern": {"Regex": "x*"}, "content": ""})j"),
            "tokenizer.json.normalizer: the pattern \"x*\" can match nothing, which is not supported in a normalizer");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Sequence"})"), "tokenizer.json.normalizer: has no normalizers");
  EXPECT_EQ(refusedWith("/normalizer", R"({"type": "Sequence", "normalizers": {}})"),
            "tokenizer.json.normalizer.normalizers: expected an array, found object");
}

TEST(Refusal, PreTokenizers) {
  const std::string split = R"({"type": "Split", "pattern": {"String": "a"}, )";
  EXPECT_EQ(refusedWith("/pre_tokenizer", split + R"("invert": false})"),
            "tokenizer.json.pre_tokenizer: has no behavior");
  EXPECT_EQ(refusedWith("/pre_tokenizer", split + R"("behavior": "Gone", "invert": false})"),
            "tokenizer.json.pre_tokenizer.behavior: expected Removed, Isolated, MergedWithPrevious, MergedWithNext or "
            "Contiguous, found string \"Gone\"");
  EXPECT_EQ(refusedWith("/pre_tokenizer", split + R"("behavior": "Removed"})"),
            "tokenizer.json.pre_tokenizer: has no invert");
  EXPECT_EQ(refusedWith("/pre_tokenizer", split + R"("behavior": "Removed", "invert": "no"})"),
            "tokenizer.json.pre_tokenizer.invert: expected true or false, found string \"no\"");
  EXPECT_EQ(refusedWith("/pre_tokenizer", R"({"type": "FixedLength", "length": 0})"),
            "tokenizer.json.pre_tokenizer.length: expected an integer from 1 to 4294967295, found number 0");
  EXPECT_EQ(refusedWith("/pre_tokenizer", R"({"type": "CharDelimiterSplit", "delimiter": "ab"})"),
            "tokenizer.json.pre_tokenizer.delimiter: expected one character, found string \"ab\"");
  EXPECT_EQ(refusedWith("/pre_tokenizer", R"({"type": "Punctuation", "behavior": "Gone"})"),
            "tokenizer.json.pre_tokenizer.behavior: expected Removed, Isolated, MergedWithPrevious, MergedWithNext or "
            "Contiguous, found string \"Gone\"");
  EXPECT_EQ(refusedWith("/pre_tokenizer", R"({"type": "Metaspace", "replacement": "ab"})"),
            "tokenizer.json.pre_tokenizer.replacement: expected one character, found string \"ab\"");
  EXPECT_EQ(refusedWith("/pre_tokenizer", R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "often"})"),
            "tokenizer.json.pre_tokenizer.prepend_scheme: expected first, never or always, found string \"often\"");
  EXPECT_EQ(
      refusedWith("/pre_tokenizer",
                  R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "add_prefix_space": false})"),
      "tokenizer.json.pre_tokenizer: add_prefix_space is false but prepend_scheme is \"first\"");
}

TEST(Refusal, Decoders) {
  EXPECT_EQ(refusedWith("/decoder", R"({"type": "Replace", "pattern": {"Regex": "(a)\\1"}, "content": ""})"),
            "tokenizer.json.decoder: the pattern \"(a)\\1\" cannot be compiled: \\1 is not supported, at position 4");
  EXPECT_EQ(refusedWith("/decoder", R"({"type": "BPEDecoder", "suffix": ""})"),
            "tokenizer.json.decoder.suffix: an empty suffix is not supported");
  EXPECT_EQ(
      refusedWith("/decoder", R"({"type": "CTC", "pad_token": "", "word_delimiter_token": "|", "cleanup": true})"),
      "tokenizer.json.decoder: an empty pad_token or word_delimiter_token is not supported");
  EXPECT_EQ(refusedWith("/decoder", R"({"type": "WordPiece", "prefix": "##"})"),
            "tokenizer.json.decoder: has no cleanup");
  EXPECT_EQ(refusedWith("/decoder", R"({"type": "Strip", "content": "a", "start": -1, "stop": 0})"),
            "tokenizer.json.decoder.start: expected an integer from 0 to 2147483647, found number -1");
  EXPECT_EQ(refusedWith("/decoder", R"({"type": "Strip", "content": "a", "start": 1e300, "stop": 0})"),
            "tokenizer.json.decoder.start: expected an integer from 0 to 2147483647, found number 1e+300");
}

TEST(Refusal, PostProcessors) {
  EXPECT_EQ(refusedWith("/post_processor", R"({"type": "TemplateProcessing", "special_tokens": {}})"),
            "tokenizer.json.post_processor: has no single");
  EXPECT_EQ(refusedWith("/post_processor", R"({"type": "TemplateProcessing", "single": [], "special_tokens": {}})"),
            "tokenizer.json.post_processor.single: the template has no sequence A");
  EXPECT_EQ(
      refusedWith("/post_processor", R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B"}}]})"),
      "tokenizer.json.post_processor.single[0]: a template for one text has the sequence A once; this one has more");
  EXPECT_EQ(
      refusedWith("/post_processor", R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]})"),
      "tokenizer.json.post_processor: special_tokens has no \"<s>\"");
  EXPECT_EQ(refusedWith("/post_processor", R"({"type": "TemplateProcessing", "single": [{}]})"),
            "tokenizer.json.post_processor.single[0]: is neither Sequence nor SpecialToken");
  EXPECT_EQ(refusedWith("/post_processor", R"({"type": "BertProcessing", "sep": ["a", 1], "cls": ["b", 99]})"),
            "tokenizer.json: post_processor puts the id 99 around a text, but ids end below 7");
  EXPECT_EQ(refusedWith("/post_processor", R"({"type": "BertProcessing", "sep": ["a", 1], "cls": "b"})"),
            "tokenizer.json.post_processor.cls: expected a piece and its id, found string \"b\"");
  EXPECT_EQ(
      refusedWith("/post_processor", R"({"type": "Sequence", "processors": [
                {"type": "BertProcessing", "sep": ["a", 1], "cls": ["b", 2]}, {"type": "BertProcessing", "sep": ["a", 1], "cls": ["b", 2]}]})"),
      "tokenizer.json.post_processor.processors[1]: a second post-processor that adds special tokens is not supported");
}

TEST(Refusal, Vocabulary) {
  EXPECT_EQ(refusedWith("/model/vocab", "null"), "tokenizer.json.model: has no vocab");
  EXPECT_EQ(refusedWith("/model/vocab", "[1]"), "tokenizer.json.model.vocab: expected an object, found array");
  EXPECT_EQ(refusedWith("/model/vocab/z", "1"), "tokenizer.json.model.vocab: \"a\" and \"z\" have the same id 1");
  for (const char *id : {"-1", "4194304", "1.5", "\"1\"", "null", "18446744073709551615", "1e30"})
    EXPECT_EQ(refusedWith("/model/vocab/z", id)
                  .rfind("tokenizer.json.model.vocab[\"z\"]: expected an integer from 0 to 4194303, found", 0),
              0u)
        << id;
  EXPECT_EQ(refusedWith("/model/vocab/z", "4194303"),
            "tokenizer.json.model.vocab: \"z\" has the id 4194303, far beyond the number of pieces, 8");
  EXPECT_EQ(refusedWith("/model/merges", "null"), "tokenizer.json.model: has no merges");
  EXPECT_EQ(refusedWith("/model/merges", R"([["a", "b"], ["a", "zz"]])"),
            "tokenizer.json.model.merges[1]: the piece \"zz\" is not in the vocabulary");
  EXPECT_EQ(refusedWith("/model/merges", R"([["a", "c"]])"),
            "tokenizer.json.model.merges[0]: the piece \"ac\" is not in the vocabulary");
  EXPECT_EQ(refusedWith("/model/merges", R"(["ab"])"),
            "tokenizer.json.model.merges[0]: expected two pieces with one space between, found string \"ab\"");
  EXPECT_EQ(refusedWith("/model/merges", R"([["a", "b", "c"]])"),
            "tokenizer.json.model.merges[0]: expected two pieces, found array");
  EXPECT_EQ(refusedWith("/model/merges", R"([7])"),
            "tokenizer.json.model.merges[0]: expected two pieces, found number 7");
  EXPECT_EQ(refusedWith("/model/unk_token", "\"zz\""),
            "tokenizer.json.model: unk_token \"zz\" is not in the vocabulary");
  EXPECT_EQ(refusedWith("/model/fuse_unk", "1"),
            "tokenizer.json.model.fuse_unk: expected true or false, found number 1");
  EXPECT_EQ(refusedWith("/model/dropout", "\"much\""),
            "tokenizer.json.model.dropout: expected a number, found string \"much\"");
  Json json = smallTokenizer();
  json["model"]["byte_fallback"] = true;
  json["model"]["end_of_word_suffix"] = "</w>";
  EXPECT_EQ(refusal(json.dump()), "tokenizer.json.model: byte_fallback together with continuing_subword_prefix or "
                                  "end_of_word_suffix is not supported");
  json = smallTokenizer();
  json["model"]["continuing_subword_prefix"] = "##";
  EXPECT_EQ(refusal(json.dump()),
            "tokenizer.json.model.merges[0]: the piece \"b\" is shorter than continuing_subword_prefix");
}

TEST(Refusal, OtherModels) {
  auto model = [](const char *text) {
    Json json = smallTokenizer();
    json["model"] = Json::parse(text);
    return refusal(json.dump());
  };
  EXPECT_EQ(model(R"({"type": "Unigram", "vocab": []})"),
            "tokenizer.json.model.vocab: has 0 pieces, expected 1 to 4194304");
  EXPECT_EQ(model(R"({"type": "Unigram", "vocab": [["a", 0]]})"),
            "tokenizer.json.model: has no unk_id: a character that is no piece would have no id");
  EXPECT_EQ(model(R"({"type": "Unigram", "vocab": [["a", 0]], "unk_id": 1})"),
            "tokenizer.json.model.unk_id: expected an integer from 0 to 0, found number 1");
  EXPECT_EQ(model(R"({"type": "Unigram", "vocab": [["a"]], "unk_id": 0})"),
            "tokenizer.json.model.vocab[0]: expected a piece and its score, found array");
  EXPECT_EQ(model(R"({"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "a", "max_input_chars_per_word": 9})"),
            "tokenizer.json.model: has no continuing_subword_prefix");
  EXPECT_EQ(model(R"({"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "?", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 9})"),
            "tokenizer.json.model: unk_token \"?\" is not in the vocabulary");
  EXPECT_EQ(model(R"({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "?"})"),
            "tokenizer.json.model: unk_token \"?\" is not in the vocabulary");
  EXPECT_EQ(model(R"({"type": "WordLevel", "vocab": {"a": 0}})"), "tokenizer.json.model: has no unk_token");
}

Json addedToken(int64_t id, const std::string &content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", false}};
}

TEST(Refusal, AddedTokens) {
  EXPECT_EQ(refusedWith("/added_tokens", "{}"), "tokenizer.json.added_tokens: expected an array, found object");
  EXPECT_EQ(refusedWith("/added_tokens", R"([{"id": 9, "content": "z"}])"),
            "tokenizer.json.added_tokens[0]: has no single_word");
  EXPECT_EQ(refusedWith("/added_tokens", R"([{"id": -9, "content": "z"}])"),
            "tokenizer.json.added_tokens[0].id: expected an integer from 0 to 4194303, found number -9");
  // The library counts pieces to find the next free id, so a hole in the ids makes two pieces collide.
  Json json = smallTokenizer();
  json["model"]["vocab"]["ab"] = 8;
  json["added_tokens"] = {addedToken(9, "<1>"), addedToken(10, "<2>")};
  EXPECT_EQ(refusal(json.dump()),
            "tokenizer.json.model: the added token \"<2>\" gets the id 8, which another piece has");
  json = smallTokenizer();
  json["normalizer"] = Json::parse(R"({"type": "Replace", "pattern": {"Regex": "[0-9]"}, "content": ""})");
  json["added_tokens"] = {addedToken(7, "<1>"), addedToken(8, "<2>")};
  json["added_tokens"][0]["normalized"] = json["added_tokens"][1]["normalized"] = true;
  EXPECT_EQ(refusal(json.dump()), "tokenizer.json.added_tokens: \"<2>\" and \"<1>\" are both normalized to \"<>\"");
  json["added_tokens"][1]["content"] = "12";
  EXPECT_EQ(refusal(json.dump()), "tokenizer.json.added_tokens: \"12\" is normalized to nothing");
}

TEST(Refusal, ControlCharactersAreNotPrinted) {
  Json json = smallTokenizer();
  json["normalizer"] = {{"type", "\x1b[31m\n" + std::string(500, 'x')}};
  std::string error = refusal(json.dump());
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
  EXPECT_NE(error.find("\\x1B[31m\\x0A"), std::string::npos);
  EXPECT_LT(error.size(), 200u);
}

// ---- tokenizer_config.json ----

TEST(Config, DecidesAboutBosAndEos) {
  Json json = smallTokenizer();
  json["added_tokens"] = {addedToken(7, "<s>"), addedToken(8, "</s>")};
  const std::string names = R"("bos_token": "<s>", "eos_token": {"content": "</s>"}, )";
  using Ids = std::vector<int32_t>;
  EXPECT_EQ(Loaded(json.dump(), "{" + names + R"("add_bos_token": true, "add_eos_token": true})")->encode("ab", true),
            (Ids{7, 6, 8}));
  EXPECT_EQ(Loaded(json.dump(), "{" + names + R"("add_bos_token": true})")->encode("ab", true), (Ids{7, 6}));
  EXPECT_EQ(Loaded(json.dump(), "{" + names + R"("add_bos_token": null})")->encode("ab", true), (Ids{6}));
  json["post_processor"] = Json::parse(R"({"type": "BertProcessing", "sep": ["</s>", 8], "cls": ["<s>", 7]})");
  EXPECT_EQ(Loaded(json.dump())->encode("ab", true), (Ids{7, 6, 8}));
  Loaded without(json.dump(), "{" + names + R"("add_bos_token": true, "add_eos_token": false})");
  EXPECT_EQ(without->encode("ab", true), (Ids{7, 6}));
  EXPECT_EQ(without->encode("ab", false), (Ids{6}));
  EXPECT_EQ(
      without.notices,
      (std::vector<std::string>{"tokenizer_config.json.add_eos_token overrules the post_processor of tokenizer.json"}));
}

TEST(Config, AddsTokensAndChangesTheirFlags) {
  Json json = smallTokenizer();
  json["added_tokens"] = {addedToken(7, "<s>")};
  json["decoder"] = nullptr;
  Loaded loaded(json.dump(), R"({"added_tokens_decoder": {
      "8": {"content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
      "7": {"content": "<s>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}}})");
  EXPECT_EQ(loaded->encode("a <s><x>", false), (std::vector<int32_t>{1, 7, 8}));
  EXPECT_TRUE(loaded->isSpecial(7));
  EXPECT_TRUE(loaded->isSpecial(8));
  EXPECT_EQ(loaded->idOf("<x>"), 8);
}

TEST(Config, IsRefusedByKey) {
  std::string json = smallTokenizer().dump();
  EXPECT_EQ(refusal(json, R"({"add_bos_token": true})"),
            "tokenizer_config.json: add_bos_token is true, but no piece is the bos_token");
  EXPECT_EQ(refusal(json, R"({"add_bos_token": "yes"})"),
            "tokenizer_config.json.add_bos_token: expected true or false, found string \"yes\"");
  EXPECT_EQ(refusal(json, R"({"add_eos_token": true, "eos_token": 3})"),
            "tokenizer_config.json.eos_token: expected a string, found number 3");
  EXPECT_EQ(refusal(json, R"({"added_tokens_decoder": []})"),
            "tokenizer_config.json.added_tokens_decoder: expected an object, found array");
  EXPECT_EQ(refusal(json, R"({"added_tokens_decoder": {"x": {}}})"),
            "tokenizer_config.json.added_tokens_decoder[\"x\"]: the key is no id");
  EXPECT_EQ(refusal(json, R"({"added_tokens_decoder": {"9999999": {}}})"),
            "tokenizer_config.json.added_tokens_decoder[\"9999999\"]: the key is no id");
  EXPECT_EQ(refusal(json, R"({"added_tokens_decoder": {"7": {}}})"),
            "tokenizer_config.json.added_tokens_decoder[\"7\"]: has no content");
}

TEST(Notices, TellWhatIsIgnored) {
  Json json = smallTokenizer();
  json["model"]["dropout"] = 0.1;
  json["truncation"] = {{"max_length", 5}};
  json["surprise"] = 1;
  json["added_tokens"] = {addedToken(20, "<s>")};
  Loaded loaded(json.dump());
  EXPECT_EQ(loaded.notices, (std::vector<std::string>{
                                "tokenizer.json.truncation is ignored: it is for batches in training",
                                "tokenizer.json: the key \"surprise\" is not known and has no effect",
                                "tokenizer.json.model.dropout is ignored: it is meant for training",
                                "tokenizer.json.added_tokens[0]: \"<s>\" is stated with id 20 and gets 7, as in the "
                                "tokenizers library"}));
}

} // namespace
} // namespace ingot::test
