// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Visible bytes of Latin-1 stand for themselves, the others are counted on from U+0100.
#include "runtime/text/byte_alphabet.h"

#include "runtime/text/unicode.h"

#include <array>

namespace ingot::text {
namespace {

constexpr bool isVisible(unsigned b) { return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xFF && b != 0xAD); }

struct Alphabet {
  std::array<uint16_t, 256> character{};
  std::array<int16_t, 0x200> byte{};
  constexpr Alphabet() {
    byte.fill(-1);
    uint16_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      character[b] = isVisible(b) ? static_cast<uint16_t>(b) : next++;
      byte[character[b]] = static_cast<int16_t>(b);
    }
  }
};
constexpr Alphabet kAlphabet;

} // namespace

uint32_t characterOfByte(unsigned char byte) { return kAlphabet.character[byte]; }

std::string spellBytes(std::string_view bytes) {
  std::string out;
  for (char c : bytes)
    appendUtf8(out, characterOfByte(static_cast<unsigned char>(c)));
  return out;
}

bool unspellBytes(std::string_view spelling, std::string &bytes) {
  bytes.clear();
  if (!isValidUtf8(spelling))
    return false;
  for (size_t i = 0; i < spelling.size();) {
    unsigned length;
    uint32_t code = decodeUtf8(spelling.data() + i, length);
    if (code >= kAlphabet.byte.size() || kAlphabet.byte[code] < 0)
      return false;
    bytes += static_cast<char>(kAlphabet.byte[code]);
    i += length;
  }
  return true;
}

} // namespace ingot::text
