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
struct Loaded {
  std::vector<uint8_t> section; // which the tokenizer reads from
  std::unique_ptr<ingot::text::Tokenizer> tokenizer;
};

std::vector<Loaded> loadAll() {
  std::vector<std::string> paths;
  for (const auto &entry : std::filesystem::directory_iterator(INGOT_TEXT_CASES))
    paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end()); // so that an input means the same everywhere
  std::vector<Loaded> out;
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
      Loaded loaded;
      std::string error;
      if (!ingot::tokenizer::compileTokenizer(tokenizer.dump(), "", loaded.section, error)) {
        std::fprintf(stderr, "%s: %s\n", path.c_str(), error.c_str());
        std::abort();
      }
      loaded.tokenizer = ingot::text::Tokenizer::load(loaded.section, error);
      out.push_back(std::move(loaded));
    }
  }
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const auto tokenizers = loadAll();
  if (size < 2)
    return 0;
  size_t which = static_cast<size_t>(data[0]) | static_cast<size_t>(data[1]) << 8;
  checkText(*tokenizers[which % tokenizers.size()].tokenizer,
            std::string_view(reinterpret_cast<const char *>(data) + 2, size - 2));
  return 0;
}
