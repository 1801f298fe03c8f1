// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any text as a tokenizer.json, and any text for it: the file is either refused with a sentence or compiled to a
// section that loads, encodes with and without offsets, decodes, and streams to the same text. Input: tokenizer.json, a
// NUL byte, the text; a second NUL begins tokenizer_config.json.
#include "test/fuzz/tokenizer_checks.h"

#include "compiler/import/tokenizer/tokenizer_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view input(reinterpret_cast<const char *>(data), size), parts[3];
  for (std::string_view &part : parts) {
    size_t end = input.find('\0');
    part = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  }
  std::vector<uint8_t> section;
  std::string error;
  bool good = ingot::tokenizer::compileTokenizer(parts[0], parts[2], section, error);
  if (good != error.empty() || good == section.empty() || !ingot::text::isValidUtf8(error))
    std::abort();
  if (!good)
    return 0;
  auto tokenizer = ingot::text::Tokenizer::load(section, error);
  if (!tokenizer)
    std::abort();
  checkText(*tokenizer, parts[1]);
  for (int32_t id = 0; id < tokenizer->size() && id < 1000; ++id) {
    std::string piece = tokenizer->piece(id);
    if (!piece.empty() && tokenizer->piece(tokenizer->idOf(piece)) != piece) // two ids of a Unigram model may share one
      std::abort();
  }
  return 0;
}
