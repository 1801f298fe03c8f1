// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A place in the tokens of a template, and what went wrong there: what the parsers of expressions and of statements
// stand on. A failure is kept and makes every later step end at once, so that no step needs to look for it.
#ifndef INGOT_RUNTIME_CHAT_TOKEN_CURSOR_H
#define INGOT_RUNTIME_CHAT_TOKEN_CURSOR_H

#include "runtime/chat/lexer.h"
#include "runtime/chat/syntax.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace ingot::chat {

class TokenCursor {
protected:
  using Names = std::initializer_list<std::string_view>;

  explicit TokenCursor(std::vector<Token> given) : tokens(std::move(given)) {}

  std::optional<runtime::Error> error;

  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  bool isOperator(std::string_view text, size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::Operator && peek(ahead).text == text;
  }
  bool isName(std::string_view text, size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::Name && peek(ahead).text == text;
  }
  bool isAnyName(Names names) const {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return isName(name); });
  }
  void next() { at = std::min(at + 1, tokens.size() - 1); }
  // False, and nothing skipped, where something else stands.
  bool skipOperator(std::string_view text);
  bool skipName(std::string_view text);

  // The first failure counts; the place goes to the end.
  void fail(int line, const std::string &what, runtime::ErrorCode code = runtime::ErrorCode::InvalidArgument);
  void unexpected(const std::string &expected);
  bool expectOperator(std::string_view text);
  void expectEnd(TokenKind kind);
  std::string expectName();
  // One level deeper for as long as it lives.
  struct Nested {
    explicit Nested(TokenCursor &cursor) : cursor(cursor) {
      if (++cursor.nesting > kMaxNesting)
        cursor.fail(cursor.peek().line, "more than " + std::to_string(kMaxNesting) + " levels lie within each other");
    }
    ~Nested() { --cursor.nesting; }
    TokenCursor &cursor;
  };

private:
  std::vector<Token> tokens;
  size_t at = 0;
  int nesting = 0;
};

} // namespace ingot::chat

#endif
