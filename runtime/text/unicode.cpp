// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8: writing, checking, repairing.
#include "runtime/text/unicode.h"

namespace ingot::text {
void appendUtf8(std::string &out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

unsigned sequenceLength(std::string_view text, unsigned &skip) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = at(0);
  skip = 1;
  if (lead < 0x80)
    return 1;
  unsigned length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
  if (length == 0)
    return 0;
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (unsigned i = 1; i < length; ++i) {
    if (i >= text.size()) {
      skip = 0;
      return 0;
    }
    if (at(i) < low || at(i) > high) {
      skip = i;
      return 0;
    }
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

size_t asciiPrefix(std::string_view text, size_t from) {
  size_t i = from;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    __builtin_memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080ull)
      break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80)
    ++i;
  return i;
}

bool isValidUtf8(std::string_view text) {
  for (size_t i = 0;;) {
    i = asciiPrefix(text, i);
    if (i == text.size())
      return true;
    unsigned skip;
    unsigned length = sequenceLength(text.substr(i), skip);
    if (length == 0)
      return false;
    i += length;
  }
}

void appendLossy(std::string &out, std::string_view text) {
  while (!text.empty()) {
    unsigned skip;
    unsigned length = sequenceLength(text, skip);
    if (length != 0) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(skip ? skip : text.size());
    }
  }
}

} // namespace ingot::text
