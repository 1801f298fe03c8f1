// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions of a template: a method for each level of jinja2's grammar, from the loosest operator to the tightest.
// Filters and tests are looked up here, so that one that does not exist is refused before anything is rendered.
#ifndef INGOT_RUNTIME_CHAT_EXPRESSION_PARSER_H
#define INGOT_RUNTIME_CHAT_EXPRESSION_PARSER_H

#include "runtime/chat/token_cursor.h"

namespace ingot::chat {

class ExpressionParser : protected TokenCursor {
protected:
  using TokenCursor::TokenCursor;

  bool soft = false; // directly within an if: jinja2 looks up filters and tests there only when it comes by
  int loopReads = 0; // of the name 'loop', so far
  std::vector<MacroSyntax *> macros; // around this place

  ExprPtr make(ExprKind kind, int line);
  // Adds `child` (which may be null) to `parent`.
  void give(Expr &parent, ExprPtr child);
  void deepen(Expr &parent, const Expr &child);
  ExprPtr unary(ExprKind kind, int line, ExprPtr operand);
  ExprPtr pair(ExprKind kind, int line, ExprPtr left, ExprPtr right);
  ExprPtr constant(int line, Value value);
  ExprPtr expression(bool conditional = true);
  ExprPtr condition();
  ExprPtr disjunction();
  ExprPtr conjunction();
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr binary(Operator op, int line, ExprPtr left, ExprPtr right);
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr signedPrimary(bool withFilters);
  // Tells the macros around that `name` is read, which decides whether they take any arguments.
  void reads(const std::string &name);
  ExprPtr primary(bool target);
  enum TupleMode { Plain, Unconditional, Target, MemberTarget };
  // jinja2's parse_tuple: one expression, or several with commas.
  ExprPtr tuple(TupleMode mode, Names ends, bool parentheses);
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr node);
  ExprPtr subscript(ExprPtr node);
  ExprPtr subscribed();
  void arguments(Expr &node);
  ExprPtr call(ExprPtr node);
  std::string dottedName();
  // jinja2's parse_filter; `bare`: the first stands without its bar.
  ExprPtr filters(ExprPtr node, bool bare);
  void unknown(const char *what, const std::string &name, int line);
  ExprPtr test(ExprPtr node);
};

} // namespace ingot::chat

#endif
