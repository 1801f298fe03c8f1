// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a parsed template: statements write text, expressions give values. Scopes are jinja2's: a loop's iteration, a
// macro, a call, filter, set and with block have one each; an if has none. Statements are in renderer.cpp, loops and
// macros in loops.cpp and macros.cpp, expressions in evaluate.cpp.
#ifndef INGOT_RUNTIME_CHAT_RENDERER_H
#define INGOT_RUNTIME_CHAT_RENDERER_H

#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"
#include "runtime/chat/syntax.h"

namespace ingot::chat {

struct Scope {
  std::shared_ptr<Scope> parent;
  std::vector<std::pair<std::string_view, Value>> names; // of the syntax, which outlives the rendering

  Value *find(std::string_view name) {
    for (auto &[other, value] : names)
      if (other == name)
        return &value;
    return nullptr;
  }
  void set(std::string_view name, Value value) {
    if (Value *found = find(name))
      *found = std::move(value);
    else
      names.emplace_back(name, std::move(value));
  }
};

using ScopePtr = std::shared_ptr<Scope>;

class Renderer {
public:
  // Both outlive the renderer; `context`: what the template's variables are.
  Renderer(Machine &machine, const Dict &context);

  // Once. What went wrong is machine's.
  std::string run(const TemplateSyntax &syntax);

private:
  enum class Flow { Normal, Break, Continue };

  Machine &machine;
  const Dict &context;
  ScopePtr scope;
  std::string *output = nullptr;
  int calls = 0; // of macros and loops, within each other

  static constexpr int kMaxCalls = 300;

  // A scope of its own, for as long as it lives.
  struct Inner {
    explicit Inner(Renderer &renderer) : Inner(renderer, renderer.scope) {}
    Inner(Renderer &renderer, ScopePtr parent) : renderer(renderer), before(renderer.scope) {
      renderer.machine.charge(128);
      renderer.scope = std::make_shared<Scope>();
      renderer.scope->parent = std::move(parent);
    }
    ~Inner() { renderer.scope = std::move(before); }
    Renderer &renderer;
    ScopePtr before;
  };

  // --- Names ---

  Value lookup(const std::string &name);
  void assign(const Expr &target, const Value &value);

  // --- Statements ---

  void emit(std::string_view text);
  Flow execute(const Body &body);
  Flow execute(const Statement &statement);
  void print(const Value &value);
  // Iterates, so that a long chain of elif needs no stack.
  Flow branch(const Statement &first);
  Value captured(const Body &body, Flow &flow);
  // A chain of filters on `text`, whose lowest has null below.
  Value filtered(const Expr &filter, const Value &text);

  // --- Loops ---

  Flow loop(const Statement &statement);
  void runLoop(const Statement &statement, const Value &iterable, const ScopePtr &around, int depth0);
  bool advance(Loop &loop, Value &out);
  bool peek(Loop &loop);
  int64_t lengthOf(Loop &loop);
  Value attributeOfLoop(Loop &loop, std::string_view name, bool &found);
  Value callLoop(const Value &callee, Arguments &arguments);

  // --- Macros ---

  Value macro(const MacroSyntax &syntax, bool anonymous);
  Value callMacro(const Value &callee, Arguments &arguments);

  // --- Expressions ---

  Value evaluate(const Expr &expr);
  // `value`, with the line put back that its making may have moved.
  Value at(const Expr &expr, Value value);
  Value sequence(const Expr &expr);
  Value mapping(const Expr &expr);
  Value item(const Expr &expr);
  Value binary(const Expr &expr);
  Value concat(const Expr &expr);
  Value compare(const Expr &expr);
  Arguments arguments(const CallArguments &syntax);
  // A call; `block`: the call block's body, which becomes the caller.
  Value callWith(const Expr &expr, const MacroSyntax *block);
  Value applyFilter(const Expr &expr, const Value &input);
  Value applyTest(const Expr &expr);
};

} // namespace ingot::chat

#endif
