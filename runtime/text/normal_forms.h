// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Unicode defines over whole texts and not over one class of characters: the normal forms, lower case, graphemes,
// and the scripts that the pre-tokenizer UnicodeScripts tells apart. All over tables that
// tools/oracle/make-unicode-tables asks of the `tokenizers` library.
#ifndef INGOT_RUNTIME_TEXT_NORMAL_FORMS_H
#define INGOT_RUNTIME_TEXT_NORMAL_FORMS_H

#include "runtime/text/aligned.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::text {

enum class Form { Nfc, Nfd, Nfkc, Nfkd };

// `text` in a normal form: itself where nothing changes, else held by `storage`. `text` is valid UTF-8.
Text toForm(Form form, const Text &text, bool track, TextStorage &storage);
std::string toForm(Form form, std::string_view text);

// Each character in lower case, whatever stands around it.
Text toLowerCase(const Text &text, bool track, TextStorage &storage);

// The end of the grapheme (extended grapheme cluster, UAX 29) that begins at `from`, where one begins.
size_t graphemeEnd(std::string_view text, size_t from);

// UnicodeScripts cuts between characters of different classes; 0 joins what stands before it.
uint8_t scriptClass(uint32_t code);

} // namespace ingot::text

#endif
