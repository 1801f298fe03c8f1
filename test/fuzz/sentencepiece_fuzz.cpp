// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes as a tokenizer.model: refused with a sentence, or written as a tokenizer.json that is refused with one or
// compiled to a section that loads and encodes.
#include "compiler/import/tokenizer/tokenizer_files.h"
#include "compiler/import/tokenizer/tokenizer_json.h"
#include "runtime/text/tokenizer.h"
#include "runtime/text/unicode.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ingot::tokenizer::TokenizerFiles files;
  files.sentencePiece.emplace(reinterpret_cast<const char *>(data), size);
  std::string json, error;
  bool good = ingot::tokenizer::writeTokenizerJson(files, "", json, error);
  if (good != error.empty() || good == json.empty() || !ingot::text::isValidUtf8(error))
    std::abort();
  if (!good)
    return 0;
  std::vector<uint8_t> section;
  good = ingot::tokenizer::compileTokenizer(json, "", section, error);
  if (good != error.empty() || !ingot::text::isValidUtf8(error))
    std::abort();
  if (!good)
    return 0;
  auto tokenizer = ingot::text::Tokenizer::load(section, error);
  if (!tokenizer)
    std::abort();
  std::vector<int32_t> ids = tokenizer->encode("The fox <tag>  ran\n the e\xCC\x81 \xE7\x8B\x90 12 \xFF", true);
  tokenizer->decode(ids, false);
  return 0;
}
