// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators, of expression_parser.h. What they stand between is in operand_parser.cpp.
#include "runtime/chat/expression_parser.h"

namespace ingot::chat {

ExprPtr ExpressionParser::make(ExprKind kind, int line) {
  auto out = std::make_unique<Expr>();
  out->kind = kind;
  out->line = line;
  return out;
}

void ExpressionParser::give(Expr &parent, ExprPtr child) {
  if (child)
    deepen(parent, *child);
  parent.items.push_back(std::move(child));
}

void ExpressionParser::deepen(Expr &parent, const Expr &child) {
  parent.depth = std::max(parent.depth, child.depth + 1);
  if (parent.depth > kMaxDepth)
    fail(parent.line, "an expression has more than " + std::to_string(kMaxDepth) + " steps within each other");
}

ExprPtr ExpressionParser::unary(ExprKind kind, int line, ExprPtr operand) {
  ExprPtr out = make(kind, line);
  give(*out, std::move(operand));
  return out;
}

ExprPtr ExpressionParser::pair(ExprKind kind, int line, ExprPtr left, ExprPtr right) {
  ExprPtr out = make(kind, line);
  give(*out, std::move(left));
  give(*out, std::move(right));
  return out;
}

ExprPtr ExpressionParser::constant(int line, Value value) {
  ExprPtr out = make(ExprKind::Constant, line);
  out->value = std::move(value);
  return out;
}

ExprPtr ExpressionParser::expression(bool conditional) {
  Nested nested(*this);
  if (error)
    return constant(0, Value());
  return conditional ? condition() : disjunction();
}

ExprPtr ExpressionParser::condition() {
  Nested nested(*this);
  int line = peek().line;
  bool before = soft;
  ExprPtr left = disjunction();
  while (!error && isName("if")) {
    next();
    soft = true;
    ExprPtr test = disjunction();
    ExprPtr otherwise = skipName("else") ? condition() : nullptr;
    soft = before;
    ExprPtr out = make(ExprKind::Conditional, line);
    give(*out, std::move(test));
    give(*out, std::move(left));
    give(*out, std::move(otherwise));
    left = std::move(out);
    line = peek().line;
  }
  return left;
}

ExprPtr ExpressionParser::disjunction() {
  int line = peek().line;
  ExprPtr left = conjunction();
  while (!error && skipName("or")) {
    left = pair(ExprKind::Or, line, std::move(left), conjunction());
    line = peek().line;
  }
  return left;
}

ExprPtr ExpressionParser::conjunction() {
  int line = peek().line;
  ExprPtr left = negation();
  while (!error && skipName("and")) {
    left = pair(ExprKind::And, line, std::move(left), negation());
    line = peek().line;
  }
  return left;
}

ExprPtr ExpressionParser::negation() {
  Nested nested(*this);
  if (error || !isName("not"))
    return comparison();
  int line = peek().line;
  next();
  return unary(ExprKind::Not, line, negation());
}

ExprPtr ExpressionParser::comparison() {
  int line = peek().line;
  ExprPtr left = sum();
  ExprPtr out;
  while (!error) {
    std::optional<Operator> op;
    if (skipOperator("=="))
      op = Operator::Equal;
    else if (skipOperator("!="))
      op = Operator::NotEqual;
    else if (skipOperator("<="))
      op = Operator::LessEqual;
    else if (skipOperator(">="))
      op = Operator::GreaterEqual;
    else if (skipOperator("<"))
      op = Operator::Less;
    else if (skipOperator(">"))
      op = Operator::Greater;
    else if (skipName("in"))
      op = Operator::In;
    else if (isName("not") && isName("in", 1)) {
      next();
      next();
      op = Operator::NotIn;
    }
    if (!op)
      break;
    if (!out) {
      out = make(ExprKind::Compare, line);
      give(*out, std::move(left));
    }
    out->ops.push_back(*op);
    give(*out, sum());
  }
  return out ? std::move(out) : std::move(left);
}

ExprPtr ExpressionParser::binary(Operator op, int line, ExprPtr left, ExprPtr right) {
  ExprPtr out = pair(ExprKind::Binary, line, std::move(left), std::move(right));
  out->op = op;
  return out;
}

ExprPtr ExpressionParser::sum() {
  ExprPtr left = concatenation();
  while (!error && (isOperator("+") || isOperator("-"))) {
    int line = peek().line;
    Operator op = isOperator("+") ? Operator::Add : Operator::Subtract;
    next();
    left = binary(op, line, std::move(left), concatenation());
  }
  return left;
}

ExprPtr ExpressionParser::concatenation() {
  int line = peek().line;
  ExprPtr first = product();
  if (!isOperator("~"))
    return first;
  ExprPtr out = make(ExprKind::Concat, line);
  give(*out, std::move(first));
  while (!error && skipOperator("~"))
    give(*out, product());
  return out;
}

ExprPtr ExpressionParser::product() {
  ExprPtr left = power();
  while (!error) {
    int line = peek().line;
    if (skipOperator("*"))
      left = binary(Operator::Multiply, line, std::move(left), power());
    else if (skipOperator("/"))
      left = binary(Operator::Divide, line, std::move(left), power());
    else if (skipOperator("//"))
      left = binary(Operator::FloorDivide, line, std::move(left), power());
    else if (skipOperator("%"))
      left = binary(Operator::Modulo, line, std::move(left), power());
    else
      break;
  }
  return left;
}

ExprPtr ExpressionParser::power() {
  ExprPtr left = signedPrimary(true);
  while (!error && isOperator("**")) {
    int line = peek().line;
    next();
    left = binary(Operator::Power, line, std::move(left), signedPrimary(true));
  }
  return left;
}

ExprPtr ExpressionParser::signedPrimary(bool withFilters) {
  Nested nested(*this);
  if (error)
    return constant(0, Value());
  int line = peek().line;
  ExprPtr out;
  if (skipOperator("-"))
    out = unary(ExprKind::Negate, line, signedPrimary(false));
  else if (skipOperator("+"))
    out = unary(ExprKind::Plus, line, signedPrimary(false));
  else
    out = primary(false);
  out = postfix(std::move(out));
  while (withFilters && !error) {
    if (isOperator("|"))
      out = filters(std::move(out), false);
    else if (isName("is"))
      out = test(std::move(out));
    else if (isOperator("("))
      out = call(std::move(out));
    else
      break;
  }
  return out;
}

} // namespace ingot::chat
