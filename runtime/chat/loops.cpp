// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The for loop of renderer.h, its recursion, and the attributes of 'loop'.
#include "runtime/chat/renderer.h"

namespace ingot::chat {

Renderer::Flow Renderer::loop(const Statement &statement) {
  Value iterable = evaluate(*statement.expr);
  if (!machine.failed())
    runLoop(statement, iterable, scope, 0);
  return Flow::Normal;
}

void Renderer::runLoop(const Statement &statement, const Value &iterable, const ScopePtr &around, int depth0) {
  if (!machine.deepEnough())
    return;
  auto state = std::make_shared<Loop>();
  state->statement = &statement;
  state->scope = around;
  state->depth0 = depth0;
  state->depth = iterable.depth() + 1;
  state->next = machine.iterate(iterable);
  if (statement.test) {
    state->next = [this, &statement, around, next = std::move(state->next)](Machine &, Value &out) {
      while (next(machine, out)) {
        Inner inner(*this, around);
        assign(*statement.target, out);
        bool holds = machine.truth(evaluate(*statement.test));
        if (machine.failed())
          return false;
        if (holds)
          return true;
      }
      return false;
    };
  } else {
    state->iterable = iterable;
  }
  Value self(Kind::Loop, state);
  machine.keep(Kind::Loop, state);
  bool any = false; // an iteration that came to its end: as jinja2 has it, a break in the first leads to the else
  for (Value item; advance(*state, item);) {
    Inner inner(*this, around);
    scope->set("loop", self);
    assign(*statement.target, item);
    Flow flow = execute(statement.body);
    any |= flow == Flow::Normal;
    if (machine.failed() || flow == Flow::Break)
      break;
  }
  state->next = nullptr;
  state->exhausted = true;
  if (!any && !machine.failed()) {
    Inner inner(*this, around);
    execute(statement.otherwise);
  }
}

bool Renderer::advance(Loop &loop, Value &out) {
  if (loop.peeked) {
    loop.peeked = false;
    out = std::move(loop.after);
  } else if (loop.exhausted || !loop.next(machine, out) || machine.failed()) {
    loop.exhausted = true;
    return false;
  }
  ++loop.index0;
  loop.before = std::move(loop.current);
  loop.current = out;
  return true;
}

bool Renderer::peek(Loop &loop) {
  if (!loop.peeked && !loop.exhausted) {
    loop.peeked = loop.next(machine, loop.after);
    loop.exhausted = !loop.peeked;
  }
  return loop.peeked;
}

int64_t Renderer::lengthOf(Loop &loop) {
  if (loop.total >= 0)
    return loop.total;
  if (!loop.iterable.isUndefined() && machine.hasLength(loop.iterable) && !loop.iterable.is(Kind::Loop))
    return loop.total = machine.length(loop.iterable);
  std::vector<Value> rest;
  for (Value item; !loop.exhausted && loop.next(machine, item);)
    rest.push_back(std::move(item));
  Value list = machine.list(std::move(rest));
  if (machine.failed())
    return 0;
  loop.total = int64_t(list.items().size()) + loop.index0 + 1 + loop.peeked;
  loop.next = machine.iterate(list);
  return loop.total;
}

Value Renderer::attributeOfLoop(Loop &loop, std::string_view name, bool &found) {
  found = true;
  if (name == "index")
    return Value(loop.index0 + 1);
  if (name == "index0")
    return Value(loop.index0);
  if (name == "first")
    return Value(loop.index0 == 0);
  if (name == "last")
    return Value(!peek(loop));
  if (name == "length")
    return Value(lengthOf(loop));
  if (name == "revindex")
    return Value(lengthOf(loop) - loop.index0);
  if (name == "revindex0")
    return Value(lengthOf(loop) - loop.index0 - 1);
  if (name == "depth")
    return Value(int64_t(loop.depth0) + 1);
  if (name == "depth0")
    return Value(int64_t(loop.depth0));
  if (name == "previtem")
    return loop.index0 == 0 ? machine.undefined("there is no previous item") : loop.before;
  if (name == "nextitem")
    return peek(loop) ? loop.after : machine.undefined("there is no next item");
  found = false;
  return Value();
}

Value Renderer::callLoop(const Value &callee, Arguments &arguments) {
  Loop &loop = callee.as<Loop>();
  std::vector<const Value *> given = machine.bind("loop", arguments, {"iterable"}, 1);
  if (machine.failed())
    return Value();
  if (!loop.statement->recursive)
    return machine.fail("TypeError", "a loop is called that is not marked recursive");
  if (++calls > kMaxCalls)
    return machine.exhausted("loops call themselves more than " + std::to_string(kMaxCalls) +
                             " times within each other");
  std::string text;
  std::string *before = std::exchange(output, &text);
  runLoop(*loop.statement, *given[0], loop.scope, loop.depth0 + 1);
  output = before;
  --calls;
  return machine.string(std::move(text));
}

} // namespace ingot::chat
