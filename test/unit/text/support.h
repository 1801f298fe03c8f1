// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of tokenizers share: files, a compiled and loaded tokenizer, and a small tokenizer.json to change.
#ifndef INGOT_TEST_UNIT_TEXT_SUPPORT_H
#define INGOT_TEST_UNIT_TEXT_SUPPORT_H

#include "compiler/import/tokenizer/tokenizer_json.h"
#include "runtime/text/tokenizer.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ingot::test {

using Json = nlohmann::json;

inline std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A section and a tokenizer over it.
struct Loaded {
  std::vector<uint8_t> section;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::vector<std::string> notices;

  explicit Loaded(const std::string &json, const std::string &config = "") {
    std::string error;
    EXPECT_TRUE(tokenizer::compileTokenizer(json, config, section, error, &notices)) << error;
    tokenizer = text::Tokenizer::load(section, error);
    EXPECT_TRUE(tokenizer) << error;
  }
  text::Tokenizer *operator->() const { return tokenizer.get(); }
};

// The error of a tokenizer.json that must be refused.
inline std::string refusal(const std::string &json, const std::string &config = "") {
  std::vector<uint8_t> section(1);
  std::string error;
  EXPECT_FALSE(tokenizer::compileTokenizer(json, config, section, error));
  EXPECT_TRUE(section.empty());
  EXPECT_FALSE(error.empty());
  return error;
}

// Characters a, b, c, x, the space and their merge "ab"; no other component.
inline Json smallTokenizer() {
  return Json::parse(R"({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
    "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Fuse"},
    "model": {"type": "BPE", "dropout": null, "unk_token": "?", "continuing_subword_prefix": null,
              "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
              "vocab": {"?": 0, "a": 1, "b": 2, "c": 3, "x": 4, " ": 5, "ab": 6}, "merges": [["a", "b"]]}})");
}

} // namespace ingot::test

#endif
