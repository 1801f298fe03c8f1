// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statements: tags and what lies between them. Expressions are those of expression_parser.h.
#include "runtime/chat/parser.h"
#include "runtime/chat/expression_parser.h"

namespace ingot::chat {

namespace {

using runtime::ErrorCode;
using runtime::quoted;

class Parser : ExpressionParser {
public:
  explicit Parser(std::vector<Token> tokens) : ExpressionParser(std::move(tokens)) {}

  runtime::Result<std::unique_ptr<TemplateSyntax>> run() {
    auto out = std::make_unique<TemplateSyntax>();
    out->body = body({});
    if (error)
      return *std::move(error);
    return out;
  }

private:
  int loops = 0;                                 // around this place, within the innermost macro
  int loopWrites = 0;                            // of the name 'loop', so far
  std::vector<std::pair<std::string, int>> open; // tags and their lines

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
