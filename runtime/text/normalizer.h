// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a tokenizer's normalizer program on the text between added tokens.
#ifndef INGOT_RUNTIME_TEXT_NORMALIZER_H
#define INGOT_RUNTIME_TEXT_NORMALIZER_H

#include "runtime/text/tables.h"

#include <string>
#include <string_view>

namespace ingot::text {

// The normalized text: `text` itself where nothing changes, else held by `storage`.
std::string_view normalize(const Tables &tables, std::string_view text, std::string &storage);

// `text` with every occurrence of `what` (not empty), leftmost first, replaced.
std::string replaceAll(std::string_view text, std::string_view what, std::string_view with);

} // namespace ingot::text

#endif
