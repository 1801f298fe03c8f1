// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a text, for every tokenizer of test/unit/text/cases: one of each component and option. Input: two bytes
// that choose the tokenizer, and the text.
#include "test/fuzz/tokenizer_checks.h"

#include "compiler/import/tokenizer/tokenizer_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

using Json = nlohmann::json;

namespace {

// A file of cases holds a tokenizer.json and variants of it, whose keys replace its own, those of the model one by one.
std::vector<Json> readAll() {
  std::vector<std::string> paths;
  for (const auto &entry : std::filesystem::directory_iterator(INGOT_TEXT_CASES))
    paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end()); // so that an input means the same everywhere
  std::vector<Json> out;
  for (const std::string &path : paths) {
    std::ifstream file(path);
    Json cases = Json::parse(file);
    if (!cases.is_object() || !cases.contains("base"))
      continue;
    for (const Json &variant : cases["variants"]) {
      Json tokenizer = cases["base"];
      for (const auto &[key, value] : variant["patch"].items()) {
        if (key == "model")
          tokenizer[key].update(value);
        else
          tokenizer[key] = value;
      }
      out.push_back(std::move(tokenizer));
    }
  }
  return out;
}

struct Loaded {
  std::vector<uint8_t> section; // which the tokenizer reads from
  std::unique_ptr<ingot::text::Tokenizer> tokenizer;
};

// Compiled when it is first asked for: all of them take a while.
const ingot::text::Tokenizer &tokenizerOf(size_t which) {
  static const std::vector<Json> files = readAll();
  static std::vector<Loaded> loaded(files.size());
  which %= files.size();
  if (!loaded[which].tokenizer) {
    std::string error;
    if (!ingot::tokenizer::compileTokenizer(files[which].dump(), "", loaded[which].section, error)) {
      std::fprintf(stderr, "tokenizer %zu: %s\n", which, error.c_str());
      std::abort();
    }
    loaded[which].tokenizer = ingot::text::Tokenizer::load(loaded[which].section, error);
  }
  return *loaded[which].tokenizer;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  size_t which = static_cast<size_t>(data[0]) | static_cast<size_t>(data[1]) << 8;
  checkText(tokenizerOf(which), std::string_view(reinterpret_cast<const char *>(data) + 2, size - 2));
  return 0;
}
