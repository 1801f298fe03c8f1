// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a template's source to tokens, whitespace control included: jinja2's lexer with trim_blocks and lstrip_blocks,
// without line statements. The parser sees data, begins and ends of tags, and what stands inside them.
#ifndef INGOT_RUNTIME_CHAT_LEXER_H
#define INGOT_RUNTIME_CHAT_LEXER_H

#include "runtime/chat/value.h"
#include "runtime/core/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace ingot::chat {

enum class TokenKind : uint8_t {
  Data,
  PrintBegin,
  PrintEnd,
  TagBegin,
  TagEnd,
  Name,
  String,
  Int,
  Float,
  Operator,
  End
};

struct Token {
  TokenKind kind;
  int line;
  std::string text; // of data, names, strings (unescaped) and operators
  Integer integer = 0;
  double real = 0;
};

// Valid UTF-8 to tokens, the last being End. Errors name the line.
runtime::Result<std::vector<Token>> tokenize(std::string_view source);

} // namespace ingot::chat

#endif
