// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A parsed template: expressions and statements as the parser makes them and the renderer walks them. The tree is as
// deep as the parser allows (kMaxNesting), so that walking it needs bounded stack.
#ifndef INGOT_RUNTIME_CHAT_SYNTAX_H
#define INGOT_RUNTIME_CHAT_SYNTAX_H

#include "runtime/chat/value.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ingot::chat {

struct Filter; // library.h
struct Test;

enum class ExprKind : uint8_t {
  Constant,    // value
  Name,        // name
  Tuple,       // items
  List,        // items
  Dict,        // items: key, value, key, value, ...
  Attribute,   // items[0].name
  Item,        // items[0][items[1]]
  Slice,       // items: start, stop, step; null where absent. Only inside Item.
  Call,        // items[0](arguments)
  FilterCall,  // items[0] | name(arguments); items[0] is null in a filter block
  TestCall,    // items[0] is name(arguments)
  Conditional, // items: condition, then, else (null where absent)
  And,
  Or,
  Not,
  Negate,
  Plus,
  Binary,  // op
  Concat,  // items[0] ~ items[1] ~ ...
  Compare, // items[0] ops[0] items[1] ops[1] items[2] ...
  Member,  // name.attribute as a target of set: namespace `name`, attribute `value`
};

enum class Operator : uint8_t {
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Modulo,
  Power, // Binary
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,
  NotIn // Compare
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr rest, namedRest; // *rest, **namedRest
};

struct Expr {
  ExprKind kind;
  Operator op = Operator::Add;
  bool parenthesized = false;
  int line = 0;
  int depth = 1;
  std::string name;
  Value value;
  std::vector<ExprPtr> items;
  std::vector<Operator> ops;
  CallArguments arguments;
  const Filter *filter = nullptr; // null where the name is unknown: an error when it is reached
  const Test *test = nullptr;
};

enum class StatementKind : uint8_t {
  Text,        // text
  Print,       // expr
  For,         // target, expr, test, body, otherwise, recursive
  If,          // expr, body, otherwise
  Set,         // target, expr
  SetBlock,    // target, expr (a filter chain with null at its bottom, or null), body
  Macro,       // macro
  CallBlock,   // expr (a Call), macro
  FilterBlock, // expr, body
  With,        // targets, values, body
  Scope,       // body: a generation block
  Break,
  Continue,
};

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

struct MacroSyntax {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExprPtr> defaults; // of the last parameters
  bool usesCaller = false, usesRest = false, usesNamedRest = false;
  Body body;
};

struct Statement {
  StatementKind kind;
  int line = 0;
  bool recursive = false;
  std::string text;
  ExprPtr target, expr, test;
  std::vector<ExprPtr> targets, values;
  Body body, otherwise;
  std::unique_ptr<MacroSyntax> macro;
};

constexpr int kMaxNesting = 200; // of statements, and of brackets and operators
constexpr int kMaxDepth = 2000;  // of an expression's tree: a + b + c ... counts each operator

struct TemplateSyntax {
  Body body;
};

} // namespace ingot::chat

#endif
