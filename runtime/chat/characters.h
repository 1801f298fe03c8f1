// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Python's str knows of characters: classes, case, code points within UTF-8. The tables come from the oracle
// (tools/oracle/make-character-tables), so they follow its Unicode, not the tokenizer's. Text is valid UTF-8.
#ifndef INGOT_RUNTIME_CHAT_CHARACTERS_H
#define INGOT_RUNTIME_CHAT_CHARACTERS_H

#include "runtime/text/unicode.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::chat {

inline uint32_t codeAt(std::string_view text, size_t position, unsigned &length) {
  return text::decodeUtf8(text.data() + position, length);
}

// str.isspace() and the like, of one character.
bool isSpace(uint32_t code);
bool isAlpha(uint32_t code);
bool isDecimal(uint32_t code);
bool isDigit(uint32_t code);
bool isNumeric(uint32_t code);
bool isPrintable(uint32_t code); // repr() leaves it as it is
bool isUpper(uint32_t code);
bool isLower(uint32_t code);
bool isTitle(uint32_t code);
bool isCased(uint32_t code);
inline bool isAlnum(uint32_t code) { return isAlpha(code) || isDecimal(code) || isDigit(code) || isNumeric(code); }
// re's \w
inline bool isWord(uint32_t code) { return code == '_' || isAlnum(code); }

// 0 to 9, of a decimal.
unsigned decimalValue(uint32_t code);

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string casefold(std::string_view text);
std::string swapcase(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text); // str.title()

// `text` without white space (str.strip's) at its ends.
std::string_view stripped(std::string_view text, bool left, bool right);

bool isAscii(std::string_view text);
size_t countCodes(std::string_view text);
// The byte at which code point `index` begins; the size where there is none.
size_t byteOf(std::string_view text, size_t index);
// The code point before `end` > 0, and where it begins.
uint32_t codeBefore(std::string_view text, size_t end, size_t &begin);

} // namespace ingot::chat

#endif
