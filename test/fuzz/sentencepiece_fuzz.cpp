// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a tokenizer.model (a SentencePiece model or tiktoken's ranks) or, where they begin with a brace, as a
// tekken.json: refused with a sentence, or written as a tokenizer.json that is refused with one or compiled to a
// section that loads and encodes. How many bytes there are chooses the class of transformers that they are read for.
#include "compiler/import/tokenizer/tokenizer_files.h"
#include "compiler/import/tokenizer/tokenizer_json.h"
#include "runtime/text/tokenizer.h"
#include "runtime/text/unicode.h"

#include <cstdlib>
#include <iterator>

namespace {

void read(const ingot::tokenizer::TokenizerFiles &files, const std::string &config, bool compile) {
  std::string json, error;
  bool good = ingot::tokenizer::writeTokenizerJson(files, config, json, error);
  if (good != error.empty() || good == json.empty() || !ingot::text::isValidUtf8(error))
    std::abort();
  if (!good || !compile)
    return;
  std::vector<uint8_t> section;
  good = ingot::tokenizer::compileTokenizer(json, config, section, error);
  if (good != error.empty() || !ingot::text::isValidUtf8(error))
    std::abort();
  if (!good)
    return;
  auto tokenizer = ingot::text::Tokenizer::load(section, error);
  if (!tokenizer)
    std::abort();
  std::vector<int32_t> ids = tokenizer->encode("The fox <tag>  ran\n the e\xCC\x81 \xE7\x8B\x90 12 \xFF", true);
  tokenizer->decode(ids, false);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string bytes(reinterpret_cast<const char *>(data), size);
  // Compiling takes a hundred times as long as reading and is what tokenizer_fuzz is about.
  const bool compile = size / 8 % 4 == 0;
  ingot::tokenizer::TokenizerFiles files;
  if (bytes.starts_with('{')) {
    files.tekkenJson = bytes;
    read(files, "", compile);
    return 0;
  }
  files.sentencePiece = bytes;
  static const char *const kConfigs[] = {
      "",
      R"({"tokenizer_class": "CamembertTokenizer"})",
      R"({"tokenizer_class": "MBart50Tokenizer"})",
      R"({"tokenizer_class": "NllbTokenizer", "added_tokens_decoder": {"9": {"content": "eng_Latn"}}})",
      R"({"tokenizer_class": "PegasusTokenizer", "offset": 5})",
      R"({"tokenizer_class": "DebertaV2Tokenizer"})",
      R"({"tokenizer_class": "XLNetTokenizer"})",
      R"({"extra_special_tokens": ["<tag>"]})"};
  read(files, kConfigs[size % std::size(kConfigs)], compile);
  return 0;
}
