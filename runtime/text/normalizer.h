// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a tokenizer's normalizer program on the text between added tokens.
#ifndef INGOT_RUNTIME_TEXT_NORMALIZER_H
#define INGOT_RUNTIME_TEXT_NORMALIZER_H

#include "runtime/text/aligned.h"
#include "runtime/text/tables.h"

#include <string>
#include <string_view>

namespace ingot::text {

// The normalized text: `text` itself where nothing changes, else held by `storage`. `track`: with places.
Text normalize(const Tables &tables, const Text &text, bool track, TextStorage &storage);
std::string_view normalize(const Tables &tables, std::string_view text, std::string &storage);

// `text` with every occurrence of `what` (not empty), leftmost first, replaced.
std::string replaceAll(std::string_view text, std::string_view what, std::string_view with);
Text replaceAll(const Text &text, std::string_view what, std::string_view with, bool track, TextStorage &storage);
std::string replaceMatches(const Pattern &pattern, std::string_view text, std::string_view with);

// `text`, which is not empty, behind a few characters that stand where its first one does.
Text prepend(const Text &text, std::string_view what, bool track, TextStorage &storage);

// Each byte as its character of the byte alphabet.
Text spellBytes(const Text &text, bool track, TextStorage &storage);

} // namespace ingot::text

#endif
