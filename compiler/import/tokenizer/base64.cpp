// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See base64.h.
#include "compiler/import/tokenizer/base64.h"

#include <algorithm>
#include <cstdint>

namespace ingot::tokenizer {

std::string encodeBase64(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j)
      out += j <= count ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

bool decodeBase64(std::string_view text, std::string &out) {
  out.clear();
  uint32_t bits = 0;
  int count = 0;
  size_t end = text.size();
  if (end % 4 != 0)
    return false;
  for (int padding = 0; padding < 2 && end > 0 && text[end - 1] == '='; ++padding)
    --end;
  for (char c : text.substr(0, end)) {
    int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c >= '0' && c <= '9' ? c - '0' + 52
                : c == '+'             ? 62
                : c == '/'             ? 63
                                       : -1;
    if (value < 0)
      return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return true;
}

} // namespace ingot::tokenizer
