// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8. Knows nothing of tokenizers. Classes of characters are not here: patterns carry the sets they test (format.h,
// Sets), so that an engine never changes its mind about Unicode; normal forms stand in normal_forms.h.
#ifndef INGOT_RUNTIME_TEXT_UNICODE_H
#define INGOT_RUNTIME_TEXT_UNICODE_H

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::text {

// The character at p < end of valid UTF-8, and how many bytes it takes.
inline uint32_t decodeUtf8(const char *p, unsigned &length) {
  auto b = [&](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(p[i])); };
  uint32_t lead = b(0);
  if (lead < 0x80) {
    length = 1;
    return lead;
  }
  if (lead < 0xE0) {
    length = 2;
    return (lead & 0x1F) << 6 | (b(1) & 0x3F);
  }
  if (lead < 0xF0) {
    length = 3;
    return (lead & 0x0F) << 12 | (b(1) & 0x3F) << 6 | (b(2) & 0x3F);
  }
  length = 4;
  return (lead & 0x07) << 18 | (b(1) & 0x3F) << 12 | (b(2) & 0x3F) << 6 | (b(3) & 0x3F);
}

inline unsigned lengthOfLead(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

inline bool isContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

void appendUtf8(std::string &out, uint32_t code);

// Length of the valid UTF-8 sequence that `text` begins with. Where there is none: 0, and `skip` is the length of the
// maximal part that one U+FFFD stands for (at least 1), or 0 when the text ends inside a sequence that could go on.
unsigned sequenceLength(std::string_view text, unsigned &skip);

bool isValidUtf8(std::string_view text);

// Appends `text` with each maximal ill-formed part as U+FFFD.
void appendLossy(std::string &out, std::string_view text);

// The end of the run of ASCII that begins at `from`.
size_t asciiPrefix(std::string_view text, size_t from);

} // namespace ingot::text

#endif
