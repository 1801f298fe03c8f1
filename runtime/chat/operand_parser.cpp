// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What operators stand between, of expression_parser.h: names, constants and brackets, and what follows them: members,
// calls, filters and tests.
#include "runtime/chat/expression_parser.h"
#include "runtime/chat/library.h"

namespace ingot::chat {

using runtime::ErrorCode;
using runtime::quoted;

void ExpressionParser::reads(const std::string &name) {
  loopReads += name == "loop";
  for (MacroSyntax *macro : macros) {
    macro->usesCaller |= name == "caller";
    macro->usesRest |= name == "varargs";
    macro->usesNamedRest |= name == "kwargs";
  }
}

ExprPtr ExpressionParser::primary(bool target) {
  const Token &token = peek();
  int line = token.line;
  switch (token.kind) {
  case TokenKind::Name: {
    std::string name = token.text;
    next();
    if (name == "true" || name == "True")
      return constant(line, Value(true));
    if (name == "false" || name == "False")
      return constant(line, Value(false));
    if (name == "none" || name == "None")
      return constant(line, Value::none());
    if (target && isOperator(".")) {
      next();
      ExprPtr out = make(ExprKind::Member, line);
      out->name = std::move(name);
      out->value = makeString(expectName());
      return out;
    }
    if (!target)
      reads(name);
    ExprPtr out = make(ExprKind::Name, line);
    out->name = std::move(name);
    return out;
  }
  case TokenKind::String: {
    std::string text;
    for (; peek().kind == TokenKind::String; next())
      text += peek().text;
    return constant(line, makeString(std::move(text)));
  }
  case TokenKind::Int: {
    Value value(token.integer);
    next();
    return constant(line, value);
  }
  case TokenKind::Float: {
    Value value(token.real);
    next();
    return constant(line, value);
  }
  case TokenKind::Operator:
    if (skipOperator("(")) {
      ExprPtr out = tuple(Plain, {}, true);
      expectOperator(")");
      return out;
    }
    if (isOperator("["))
      return list();
    if (isOperator("{"))
      return dict();
    break;
  default:
    break;
  }
  unexpected("an expression");
  return constant(line, Value());
}

ExprPtr ExpressionParser::tuple(TupleMode mode, Names ends, bool parentheses) {
  Nested nested(*this);
  int line = peek().line;
  std::vector<ExprPtr> items;
  bool commas = false;
  while (!error) {
    if (!items.empty() && !expectOperator(","))
      break;
    TokenKind kind = peek().kind;
    if (kind == TokenKind::PrintEnd || kind == TokenKind::TagEnd || isOperator(")") || isAnyName(ends))
      break;
    items.push_back(mode >= Target ? primary(mode == MemberTarget) : expression(mode == Plain));
    if (!isOperator(","))
      break;
    commas = true;
  }
  if (!commas && !items.empty())
    return std::move(items.front());
  if (!commas && !parentheses)
    unexpected("an expression");
  ExprPtr out = make(ExprKind::Tuple, line);
  for (ExprPtr &item : items)
    give(*out, std::move(item));
  return out;
}

ExprPtr ExpressionParser::list() {
  ExprPtr out = make(ExprKind::List, peek().line);
  expectOperator("[");
  while (!error && !isOperator("]")) {
    if (!out->items.empty() && !expectOperator(","))
      break;
    if (isOperator("]"))
      break;
    give(*out, expression());
  }
  expectOperator("]");
  return out;
}

ExprPtr ExpressionParser::dict() {
  ExprPtr out = make(ExprKind::Dict, peek().line);
  expectOperator("{");
  while (!error && !isOperator("}")) {
    if (!out->items.empty() && !expectOperator(","))
      break;
    if (isOperator("}"))
      break;
    give(*out, expression());
    expectOperator(":");
    give(*out, expression());
  }
  expectOperator("}");
  return out;
}

ExprPtr ExpressionParser::postfix(ExprPtr node) {
  while (!error) {
    if (isOperator(".") || isOperator("["))
      node = subscript(std::move(node));
    else if (isOperator("("))
      node = call(std::move(node));
    else
      break;
  }
  return node;
}

ExprPtr ExpressionParser::subscript(ExprPtr node) {
  int line = peek().line;
  if (skipOperator(".")) {
    if (peek().kind == TokenKind::Int) {
      Value index(peek().integer);
      next();
      return pair(ExprKind::Item, line, std::move(node), constant(line, index));
    }
    if (peek().kind != TokenKind::Name) {
      unexpected("a name or a number");
      return node;
    }
    ExprPtr out = unary(ExprKind::Attribute, line, std::move(node));
    out->name = expectName();
    return out;
  }
  expectOperator("[");
  std::vector<ExprPtr> items;
  while (!error && !isOperator("]")) {
    if (!items.empty())
      expectOperator(",");
    items.push_back(subscribed());
  }
  expectOperator("]");
  ExprPtr index;
  if (items.size() == 1 && !error) {
    index = std::move(items.front());
  } else {
    index = make(ExprKind::Tuple, line);
    for (ExprPtr &item : items) {
      if (item->kind == ExprKind::Slice)
        fail(line, "a slice stands within a tuple of indices");
      give(*index, std::move(item));
    }
  }
  return pair(ExprKind::Item, line, std::move(node), std::move(index));
}

ExprPtr ExpressionParser::subscribed() {
  int line = peek().line;
  ExprPtr start;
  if (!isOperator(":")) {
    start = expression();
    if (!isOperator(":"))
      return start;
  }
  expectOperator(":");
  ExprPtr stop, step;
  auto absent = [&] { return isOperator("]") || isOperator(",") || isOperator(":"); };
  if (!absent())
    stop = expression();
  if (skipOperator(":"))
    if (!isOperator("]") && !isOperator(","))
      step = expression();
  ExprPtr out = make(ExprKind::Slice, line);
  give(*out, std::move(start));
  give(*out, std::move(stop));
  give(*out, std::move(step));
  return out;
}

void ExpressionParser::arguments(Expr &node) {
  CallArguments &out = node.arguments;
  int line = peek().line;
  auto ensure = [&](bool holds) {
    if (!holds)
      fail(line, "the arguments of a call are in an order that is not allowed");
  };
  auto take = [&] {
    ExprPtr value = expression();
    if (value)
      deepen(node, *value);
    return value;
  };
  expectOperator("(");
  bool comma = false;
  while (!error && !isOperator(")")) {
    if (comma) {
      expectOperator(",");
      if (isOperator(")"))
        break;
    }
    if (skipOperator("*")) {
      ensure(!out.rest && !out.namedRest);
      out.rest = take();
    } else if (skipOperator("**")) {
      ensure(!out.namedRest);
      out.namedRest = take();
    } else if (peek().kind == TokenKind::Name && isOperator("=", 1)) {
      ensure(!out.namedRest);
      std::string name = expectName();
      next();
      for (auto &[other, value] : out.named)
        if (other == name)
          fail(line, "the argument " + quoted(name) + " is given twice");
      ExprPtr value = take();
      out.named.emplace_back(std::move(name), std::move(value));
    } else {
      ensure(!out.rest && !out.namedRest && out.named.empty());
      out.positional.push_back(take());
    }
    comma = true;
  }
  expectOperator(")");
}

ExprPtr ExpressionParser::call(ExprPtr node) {
  ExprPtr out = unary(ExprKind::Call, peek().line, std::move(node));
  arguments(*out);
  return out;
}

std::string ExpressionParser::dottedName() {
  std::string name = expectName();
  while (!error && skipOperator("."))
    name += "." + expectName();
  return name;
}

ExprPtr ExpressionParser::filters(ExprPtr node, bool bare) {
  while (!error && (bare || isOperator("|"))) {
    if (!bare)
      next();
    bare = false;
    int line = peek().line;
    ExprPtr out = make(ExprKind::FilterCall, line);
    out->name = dottedName();
    give(*out, std::move(node));
    if (const char *reason = refusedFilter(out->name))
      fail(line, "the filter " + quoted(out->name) + " " + reason, ErrorCode::Unsupported);
    out->filter = findFilter(out->name);
    if (!out->filter)
      unknown("filter", out->name, line);
    if (isOperator("("))
      arguments(*out);
    node = std::move(out);
  }
  return node;
}

void ExpressionParser::unknown(const char *what, const std::string &name, int line) {
  if (soft || error)
    return;
  // "x|nonsense if y" is conditional as well: look for its "if" before complaining.
  size_t ahead = 0;
  int brackets = 0;
  for (; peek(ahead).kind != TokenKind::End && peek(ahead).kind != TokenKind::TagEnd &&
         peek(ahead).kind != TokenKind::PrintEnd;
       ++ahead) {
    if (isOperator("(", ahead) || isOperator("[", ahead) || isOperator("{", ahead))
      ++brackets;
    if (isOperator(")", ahead) || isOperator("]", ahead) || isOperator("}", ahead))
      if (--brackets < 0)
        break;
    if (brackets == 0 && isOperator(",", ahead))
      break;
    if (brackets == 0 && isName("if", ahead))
      return;
  }
  fail(line, std::string("there is no ") + what + " named " + quoted(name));
}

ExprPtr ExpressionParser::test(ExprPtr node) {
  int line = peek().line;
  next();
  bool negated = skipName("not");
  ExprPtr out = make(ExprKind::TestCall, line);
  out->name = dottedName();
  give(*out, std::move(node));
  out->test = findTest(out->name);
  if (!out->test)
    unknown("test", out->name, line);
  TokenKind kind = peek().kind;
  if (isOperator("(")) {
    arguments(*out);
  } else if ((kind == TokenKind::Name || kind == TokenKind::String || kind == TokenKind::Int ||
              kind == TokenKind::Float || isOperator("[") || isOperator("{")) &&
             !isAnyName({"else", "or", "and"})) {
    if (isName("is"))
      fail(line, "tests are chained with 'is'");
    ExprPtr argument = postfix(primary(false));
    deepen(*out, *argument);
    out->arguments.positional.push_back(std::move(argument));
  }
  return negated ? unary(ExprKind::Not, line, std::move(out)) : std::move(out);
}

} // namespace ingot::chat
