// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Base 64 (RFC 4648, section 4), as tokenizers' files spell bytes.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_BASE64_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_BASE64_H

#include <string>
#include <string_view>

namespace ingot::tokenizer {

std::string encodeBase64(std::string_view bytes);

// False where `text` is none; padding must be there.
bool decodeBase64(std::string_view text, std::string &out);

} // namespace ingot::tokenizer

#endif
