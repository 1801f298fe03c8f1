// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any text as a tokenizer.json, and any text for it: the file is either refused with a sentence or compiled to a
// section that loads, encodes with and without offsets, decodes, and streams to the same text. Input: tokenizer.json, a
// NUL byte, the text; a second NUL begins tokenizer_config.json.
#include "compiler/import/tokenizer/tokenizer_json.h"
#include "runtime/text/tokenizer.h"
#include "runtime/text/unicode.h"

#include <cstdlib>

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
  for (bool special : {false, true}) {
    std::vector<int32_t> ids = tokenizer->encode(parts[1], special);
    ingot::text::Encoding encoding = tokenizer->encodeWithOffsets(parts[1], special);
    if (encoding.ids != ids || encoding.offsets.size() != ids.size())
      std::abort();
    for (ingot::text::Offsets place : encoding.offsets)
      if (place.begin > place.end || place.end > parts[1].size())
        std::abort();
    std::string whole = tokenizer->decode(ids, special), streamed;
    ingot::text::StreamDecoder stream(*tokenizer, special);
    for (int32_t id : ids) {
      if (id < 0 || id >= tokenizer->size())
        std::abort();
      streamed += stream.push(id);
      if (!ingot::text::isValidUtf8(streamed))
        std::abort();
    }
    if (streamed + stream.finish() != whole)
      std::abort();
  }
  for (int32_t id = 0; id < tokenizer->size() && id < 1000; ++id) {
    std::string piece = tokenizer->piece(id);
    if (!piece.empty() && tokenizer->piece(tokenizer->idOf(piece)) != piece) // two ids of a Unigram model may share one
      std::abort();
  }
  return 0;
}
