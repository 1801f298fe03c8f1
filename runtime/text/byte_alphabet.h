// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The alphabet of byte-level tokenizers: each of the 256 bytes has a visible character that stands for it in
// tokenizer.json. Engines store the bytes; this converts spellings at the borders.
#ifndef INGOT_RUNTIME_TEXT_BYTE_ALPHABET_H
#define INGOT_RUNTIME_TEXT_BYTE_ALPHABET_H

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::text {

// The character that stands for a byte.
uint32_t characterOfByte(unsigned char byte);

// The spelling of bytes.
std::string spellBytes(std::string_view bytes);

// The bytes that valid UTF-8 spells; false where some character is not of the alphabet.
bool unspellBytes(std::string_view spelling, std::string &bytes);

} // namespace ingot::text

#endif
