// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See parser.h. A failure is kept and makes every later step end at once, so that no step needs to look for it.
#include "runtime/chat/parser.h"
#include "runtime/chat/library.h"

#include <algorithm>
#include <optional>

namespace ingot::chat {

namespace {

using runtime::Error;
using runtime::ErrorCode;
using runtime::makeError;
using runtime::quoted;

using Names = std::initializer_list<std::string_view>;

class Parser {
public:
  explicit Parser(std::vector<Token> given) : tokens(std::move(given)) {}

  runtime::Result<std::unique_ptr<TemplateSyntax>> run() {
    auto out = std::make_unique<TemplateSyntax>();
    out->body = body({});
    if (error)
      return *std::move(error);
    return out;
  }

private:
  std::vector<Token> tokens;
  size_t at = 0;
  std::optional<Error> error;
  int nesting = 0;
  int loops = 0;                     // around this place, within the innermost macro
  int loopReads = 0, loopWrites = 0; // of the name 'loop', so far
  bool soft = false; // directly within an if: jinja2 looks up filters and tests there only when it comes by
  std::vector<MacroSyntax *> macros;
  std::vector<std::pair<std::string, int>> open; // tags and their lines

  // --- Tokens ---

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
  bool skipOperator(std::string_view text) {
    if (!isOperator(text))
      return false;
    next();
    return true;
  }
  bool skipName(std::string_view text) {
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

  void fail(int line, const std::string &what, ErrorCode code = ErrorCode::InvalidArgument) {
    if (!error)
      error = makeError(code, "line %d: %s", line, what.c_str());
    at = tokens.size() - 1;
  }
  void unexpected(const std::string &expected) {
    fail(peek().line, described(peek()) + " stands where " + expected + " is expected");
  }

  bool expectOperator(std::string_view text) {
    if (skipOperator(text))
      return true;
    unexpected(quoted(std::string(text)));
    return false;
  }
  void expectEnd(TokenKind kind) {
    if (peek().kind == kind)
      next();
    else
      unexpected(kind == TokenKind::TagEnd ? "'%}'" : "'}}'");
  }
  std::string expectName() {
    if (peek().kind != TokenKind::Name) {
      unexpected("a name");
      return "";
    }
    std::string name = peek().text;
    next();
    return name;
  }

  struct Nested {
    explicit Nested(Parser &parser) : parser(parser) {
      if (++parser.nesting > kMaxNesting)
        parser.fail(parser.peek().line, "more than " + std::to_string(kMaxNesting) + " levels lie within each other");
    }
    ~Nested() { --parser.nesting; }
    Parser &parser;
  };

  // --- Expressions ---

  ExprPtr make(ExprKind kind, int line) {
    auto out = std::make_unique<Expr>();
    out->kind = kind;
    out->line = line;
    return out;
  }

  // Adds `child` (which may be null) to `parent`.
  void give(Expr &parent, ExprPtr child) {
    if (child)
      deepen(parent, *child);
    parent.items.push_back(std::move(child));
  }
  void deepen(Expr &parent, const Expr &child) {
    parent.depth = std::max(parent.depth, child.depth + 1);
    if (parent.depth > kMaxDepth)
      fail(parent.line, "an expression has more than " + std::to_string(kMaxDepth) + " steps within each other");
  }

  ExprPtr unary(ExprKind kind, int line, ExprPtr operand) {
    ExprPtr out = make(kind, line);
    give(*out, std::move(operand));
    return out;
  }
  ExprPtr pair(ExprKind kind, int line, ExprPtr left, ExprPtr right) {
    ExprPtr out = make(kind, line);
    give(*out, std::move(left));
    give(*out, std::move(right));
    return out;
  }
  ExprPtr constant(int line, Value value) {
    ExprPtr out = make(ExprKind::Constant, line);
    out->value = std::move(value);
    return out;
  }

  ExprPtr expression(bool conditional = true) {
    Nested nested(*this);
    if (error)
      return constant(0, Value());
    return conditional ? condition() : disjunction();
  }

  ExprPtr condition() {
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

  ExprPtr disjunction() {
    int line = peek().line;
    ExprPtr left = conjunction();
    while (!error && skipName("or")) {
      left = pair(ExprKind::Or, line, std::move(left), conjunction());
      line = peek().line;
    }
    return left;
  }
  ExprPtr conjunction() {
    int line = peek().line;
    ExprPtr left = negation();
    while (!error && skipName("and")) {
      left = pair(ExprKind::And, line, std::move(left), negation());
      line = peek().line;
    }
    return left;
  }
  ExprPtr negation() {
    Nested nested(*this);
    if (error || !isName("not"))
      return comparison();
    int line = peek().line;
    next();
    return unary(ExprKind::Not, line, negation());
  }

  ExprPtr comparison() {
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

  ExprPtr binary(Operator op, int line, ExprPtr left, ExprPtr right) {
    ExprPtr out = pair(ExprKind::Binary, line, std::move(left), std::move(right));
    out->op = op;
    return out;
  }
  ExprPtr sum() {
    ExprPtr left = concatenation();
    while (!error && (isOperator("+") || isOperator("-"))) {
      int line = peek().line;
      Operator op = isOperator("+") ? Operator::Add : Operator::Subtract;
      next();
      left = binary(op, line, std::move(left), concatenation());
    }
    return left;
  }
  ExprPtr concatenation() {
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
  ExprPtr product() {
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
  ExprPtr power() {
    ExprPtr left = signedPrimary(true);
    while (!error && isOperator("**")) {
      int line = peek().line;
      next();
      left = binary(Operator::Power, line, std::move(left), signedPrimary(true));
    }
    return left;
  }

  ExprPtr signedPrimary(bool withFilters) {
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

  // Tells the macros around that `name` is read, which decides whether they take any arguments.
  void reads(const std::string &name) {
    loopReads += name == "loop";
    for (MacroSyntax *macro : macros) {
      macro->usesCaller |= name == "caller";
      macro->usesRest |= name == "varargs";
      macro->usesNamedRest |= name == "kwargs";
    }
  }

  ExprPtr primary(bool target) {
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

  enum TupleMode { Plain, Unconditional, Target, MemberTarget };

  // jinja2's parse_tuple: one expression, or several with commas.
  ExprPtr tuple(TupleMode mode, Names ends, bool parentheses) {
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

  ExprPtr list() {
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

  ExprPtr dict() {
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

  ExprPtr postfix(ExprPtr node) {
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

  ExprPtr subscript(ExprPtr node) {
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

  ExprPtr subscribed() {
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

  void arguments(Expr &node) {
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

  ExprPtr call(ExprPtr node) {
    ExprPtr out = unary(ExprKind::Call, peek().line, std::move(node));
    arguments(*out);
    return out;
  }

  std::string dottedName() {
    std::string name = expectName();
    while (!error && skipOperator("."))
      name += "." + expectName();
    return name;
  }

  // jinja2's parse_filter; `bare`: the first stands without its bar.
  ExprPtr filters(ExprPtr node, bool bare) {
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

  void unknown(const char *what, const std::string &name, int line) {
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

  ExprPtr test(ExprPtr node) {
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

  // --- Statements ---

  // Up to one of the tags `ends`, whose name is the current token then.
  Body body(Names ends) {
    Body out;
    Nested nested(*this);
    while (!error) {
      const Token &token = peek();
      auto statement = std::make_unique<Statement>();
      statement->line = token.line;
      if (token.kind == TokenKind::Data) {
        statement->kind = StatementKind::Text;
        statement->text = token.text;
        next();
      } else if (token.kind == TokenKind::PrintBegin) {
        next();
        statement->kind = StatementKind::Print;
        statement->expr = tuple(Plain, {}, false);
        expectEnd(TokenKind::PrintEnd);
      } else if (token.kind == TokenKind::TagBegin) {
        next();
        if (isAnyName(ends))
          return out;
        if (!tag(*statement, out))
          continue;
        expectEnd(TokenKind::TagEnd);
      } else {
        if (!open.empty())
          fail(open.back().second,
               "{% " + open.back().first + " %} has no {% " + std::string(*(ends.end() - 1)) + " %}");
        return out;
      }
      out.push_back(std::move(statement));
    }
    return out;
  }

  // The body of a tag, past its end; leaves the end's name consumed and returns it.
  Body bodyOfTag(const char *tag, int line, Names ends, std::string *end = nullptr) {
    skipOperator(":");
    expectEnd(TokenKind::TagEnd);
    open.emplace_back(tag, line);
    bool around = std::exchange(soft, std::string_view(tag) == "if");
    Body out = body(ends);
    soft = around;
    open.pop_back();
    if (end)
      *end = peek().text;
    next();
    return out;
  }

  // False where the tag leaves no statement.
  bool tag(Statement &out, Body &before) {
    int line = peek().line;
    std::string name = peek().text;
    if (peek().kind != TokenKind::Name) {
      unexpected("a tag's name");
      return true;
    }
    next();
    if (name == "for")
      loop(out);
    else if (name == "if")
      branch(out, line);
    else if (name == "set")
      set(out, line);
    else if (name == "macro")
      macro(out, line);
    else if (name == "call")
      callBlock(out, line);
    else if (name == "filter") {
      out.kind = StatementKind::FilterBlock;
      out.expr = filters(nullptr, true);
      out.body = bodyOfTag("filter", line, {"endfilter"});
    } else if (name == "with")
      with(out, line);
    else if (name == "print")
      printed(out, before);
    else if (name == "generation") {
      out.kind = StatementKind::Scope;
      int around = std::exchange(loops, 0);
      out.body = bodyOfTag("generation", line, {"endgeneration"});
      loops = around;
    } else if (name == "break" || name == "continue") {
      out.kind = name == "break" ? StatementKind::Break : StatementKind::Continue;
      if (loops == 0)
        fail(line, "{% " + name + " %} stands outside of a loop");
    } else if (name == "import" || name == "include" || name == "extends" || name == "from")
      fail(line, "{% " + name + " %} wants another template, and a chat template has none", ErrorCode::Unsupported);
    else if (name == "block" || name == "autoescape")
      fail(line, "{% " + name + " %} is not supported in chat templates", ErrorCode::Unsupported);
    else
      fail(line, "there is no tag " + quoted(name) +
                     (open.empty() ? std::string()
                                   : ", and {% " + open.back().first + " %} of line " +
                                         std::to_string(open.back().second) + " is open"));
    return name != "print";
  }

  void printed(Statement &, Body &before) {
    bool first = true;
    while (!error && peek().kind != TokenKind::TagEnd) {
      if (!first)
        expectOperator(",");
      first = false;
      auto statement = std::make_unique<Statement>();
      statement->line = peek().line;
      statement->kind = StatementKind::Print;
      statement->expr = expression();
      before.push_back(std::move(statement));
    }
    expectEnd(TokenKind::TagEnd);
  }

  void assignable(const Expr &target) {
    if (target.kind == ExprKind::Tuple)
      for (const ExprPtr &item : target.items)
        assignable(*item);
    else if (target.kind != ExprKind::Name && target.kind != ExprKind::Member)
      fail(target.line, "what is assigned to is neither a name nor a tuple of names");
    loopWrites += target.kind == ExprKind::Name && target.name == "loop";
  }

  ExprPtr target(TupleMode mode, Names ends) {
    ExprPtr out = tuple(mode, ends, false);
    assignable(*out);
    return out;
  }

  std::string targetName() {
    std::string name = expectName();
    for (std::string_view word : {"true", "false", "none", "True", "False", "None"})
      if (name == word)
        fail(peek().line, "what is assigned to is " + quoted(name));
    return name;
  }

  void loop(Statement &out) {
    int line = out.line;
    int reads = loopReads, writes = loopWrites;
    out.kind = StatementKind::For;
    out.target = target(Target, {"in"});
    if (!skipName("in"))
      unexpected("'in'");
    out.expr = tuple(Unconditional, {"recursive"}, false);
    if (skipName("if"))
      out.test = expression();
    out.recursive = skipName("recursive");
    std::string end;
    ++loops;
    out.body = bodyOfTag("for", line, {"else", "endfor"}, &end);
    --loops;
    if (end == "else")
      out.otherwise = bodyOfTag("for", line, {"endfor"});
    if (loopWrites > writes && (out.recursive || loopReads > reads))
      fail(line, "a loop that uses 'loop' assigns to it as well");
  }

  void branch(Statement &first, int line) {
    Statement *out = &first;
    Nested nested(*this);
    int chain = 0;
    for (;;) {
      out->kind = StatementKind::If;
      bool around = std::exchange(soft, true);
      out->expr = tuple(Unconditional, {}, false);
      soft = around;
      std::string end;
      out->body = bodyOfTag("if", line, {"elif", "else", "endif"}, &end);
      if (error || end == "endif")
        return;
      if (end == "else") {
        out->otherwise = bodyOfTag("if", line, {"endif"});
        return;
      }
      if (++chain > kMaxDepth)
        return fail(out->line, "an if has more than " + std::to_string(kMaxDepth) + " branches");
      auto branch = std::make_unique<Statement>();
      branch->line = peek().line;
      out->otherwise.push_back(std::move(branch));
      out = out->otherwise.back().get();
    }
  }

  void set(Statement &out, int line) {
    out.target = target(MemberTarget, {});
    if (skipOperator("=")) {
      out.kind = StatementKind::Set;
      out.expr = tuple(Plain, {}, false);
      return;
    }
    out.kind = StatementKind::SetBlock;
    if (isOperator("|"))
      out.expr = filters(nullptr, false);
    out.body = bodyOfTag("set", line, {"endset"});
  }

  void signature(MacroSyntax &out) {
    expectOperator("(");
    while (!error && !isOperator(")")) {
      if (!out.parameters.empty())
        expectOperator(",");
      int line = peek().line;
      std::string name = targetName();
      if (std::find(out.parameters.begin(), out.parameters.end(), name) != out.parameters.end())
        fail(line, "the parameter " + quoted(name) + " is there twice");
      out.parameters.push_back(std::move(name));
      if (skipOperator("="))
        out.defaults.push_back(expression());
      else if (!out.defaults.empty())
        fail(line, "a parameter without a default follows one with a default");
    }
    expectOperator(")");
  }

  void macroBody(MacroSyntax &out, const char *tag, int line, const char *end) {
    macros.push_back(&out);
    int around = std::exchange(loops, 0);
    out.body = bodyOfTag(tag, line, {end});
    loops = around;
    macros.pop_back();
  }

  void macro(Statement &out, int line) {
    out.kind = StatementKind::Macro;
    out.macro = std::make_unique<MacroSyntax>();
    out.macro->name = targetName();
    signature(*out.macro);
    macroBody(*out.macro, "macro", line, "endmacro");
    const std::vector<std::string> &parameters = out.macro->parameters;
    size_t required = parameters.size() - std::min(parameters.size(), out.macro->defaults.size());
    for (size_t i = 0; i < required; ++i)
      if (parameters[i] == "caller" && out.macro->usesCaller)
        fail(line, "a macro's parameter 'caller' needs a default");
  }

  void callBlock(Statement &out, int line) {
    out.kind = StatementKind::CallBlock;
    out.macro = std::make_unique<MacroSyntax>();
    if (isOperator("("))
      signature(*out.macro);
    out.expr = expression();
    if (!error && out.expr->kind != ExprKind::Call)
      fail(line, "{% call %} is not followed by a call");
    macroBody(*out.macro, "call", line, "endcall");
  }

  void with(Statement &out, int line) {
    out.kind = StatementKind::With;
    while (!error && peek().kind != TokenKind::TagEnd) {
      if (!out.targets.empty())
        expectOperator(",");
      out.targets.push_back(target(Target, {}));
      expectOperator("=");
      out.values.push_back(expression());
    }
    out.body = bodyOfTag("with", line, {"endwith"});
  }
};

} // namespace

runtime::Result<std::unique_ptr<TemplateSyntax>> parseTokens(std::vector<Token> tokens) {
  return Parser(std::move(tokens)).run();
}

} // namespace ingot::chat
