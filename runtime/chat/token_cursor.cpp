// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See token_cursor.h.
#include "runtime/chat/token_cursor.h"

namespace ingot::chat {

using runtime::ErrorCode;
using runtime::makeError;
using runtime::quoted;

bool TokenCursor::skipOperator(std::string_view text) {
  if (!isOperator(text))
    return false;
  next();
  return true;
}

bool TokenCursor::skipName(std::string_view text) {
  if (!isName(text))
    return false;
  next();
  return true;
}

static std::string described(const Token &token) {
  switch (token.kind) {
  case TokenKind::Data:
    return "text";
  case TokenKind::PrintBegin:
    return "'{{'";
  case TokenKind::PrintEnd:
    return "'}}'";
  case TokenKind::TagBegin:
    return "'{%'";
  case TokenKind::TagEnd:
    return "'%}'";
  case TokenKind::Name:
  case TokenKind::Operator:
    return quoted(token.text);
  case TokenKind::String:
    return "a string";
  case TokenKind::Int:
  case TokenKind::Float:
    return "a number";
  case TokenKind::End:
    return "the template's end";
  }
  return "";
}

void TokenCursor::fail(int line, const std::string &what, ErrorCode code) {
  if (!error)
    error = makeError(code, "line %d: %s", line, what.c_str());
  at = tokens.size() - 1;
}

void TokenCursor::unexpected(const std::string &expected) {
  fail(peek().line, described(peek()) + " stands where " + expected + " is expected");
}

bool TokenCursor::expectOperator(std::string_view text) {
  if (skipOperator(text))
    return true;
  unexpected(quoted(std::string(text)));
  return false;
}

void TokenCursor::expectEnd(TokenKind kind) {
  if (peek().kind == kind)
    next();
  else
    unexpected(kind == TokenKind::TagEnd ? "'%}'" : "'}}'");
}

std::string TokenCursor::expectName() {
  if (peek().kind != TokenKind::Name) {
    unexpected("a name");
    return "";
  }
  std::string name = peek().text;
  next();
  return name;
}

} // namespace ingot::chat
