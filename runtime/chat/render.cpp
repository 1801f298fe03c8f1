// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a parsed template: statements write text, expressions give values. Scopes are jinja2's: a loop's iteration, a
// macro, a call, filter, set and with block have one each; an if has none.
#include "runtime/chat/characters.h"
#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"
#include "runtime/chat/parser.h"
#include "runtime/chat/template.h"

#include <nlohmann/json.hpp>

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

using runtime::Error;
using runtime::ErrorCode;
using runtime::makeError;

namespace {

using ScopePtr = std::shared_ptr<Scope>;

enum class Flow { Normal, Break, Continue };

class Renderer {
public:
  Renderer(Machine &machine, const Dict &context) : machine(machine), context(context) {
    machine.invoke = [this](const Value &callee, Arguments &arguments) {
      return callee.is(Kind::Macro) ? callMacro(callee, arguments) : callLoop(callee, arguments);
    };
    machine.loopAttribute = [this](const Value &loop, std::string_view name, bool &found) {
      return attributeOfLoop(loop.as<Loop>(), name, found);
    };
  }

  std::string run(const TemplateSyntax &syntax) {
    std::string out;
    output = &out;
    scope = std::make_shared<Scope>();
    execute(syntax.body);
    return out;
  }

private:
  Machine &machine;
  const Dict &context;
  ScopePtr scope;
  std::string *output = nullptr;
  int calls = 0;

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

  void emit(std::string_view text) {
    if (output->size() + text.size() > machine.options.maxOutput) {
      machine.exhausted("the text is longer than " + std::to_string(machine.options.maxOutput) + " bytes");
      return;
    }
    if (machine.charge(text.size()))
      output->append(text);
  }

  // --- Names ---

  Value lookup(const std::string &name) {
    for (Scope *at = scope.get(); at; at = at->parent.get())
      if (Value *found = at->find(name))
        return *found;
    if (const Value *found = context.find(name))
      return *found;
    Value global = findGlobal(name);
    return global.isUndefined() ? machine.undefined(runtime::quoted(name) + " is undefined") : global;
  }

  void assign(const Expr &target, const Value &value) {
    if (machine.failed())
      return;
    machine.line = target.line;
    switch (target.kind) {
    case ExprKind::Name:
      scope->set(target.name, value);
      return;
    case ExprKind::Member: {
      Value space = lookup(target.name);
      if (!space.is(Kind::Namespace)) {
        machine.fail("an attribute can be set on a namespace only, and " + runtime::quoted(target.name) + " is a " +
                     std::string(typeName(space)));
        return;
      }
      const std::string &name = target.value.text();
      if (name.starts_with('_')) {
        machine.fail("SecurityError",
                     "a namespace takes no attribute that begins with an underscore, such as " + runtime::quoted(name));
        return;
      }
      Dict &dict = space.as<Namespace>().dict.as<Dict>();
      machine.put(dict, target.value, value);
      return;
    }
    default: {
      std::vector<Value> values = machine.toVector(value);
      if (machine.failed())
        return;
      if (values.size() != target.items.size()) {
        machine.fail("ValueError", std::to_string(values.size()) + " values are assigned to " +
                                       std::to_string(target.items.size()) + " names");
        return;
      }
      for (size_t i = 0; i < values.size(); ++i)
        assign(*target.items[i], values[i]);
    }
    }
  }

  // --- Statements ---

  Flow execute(const Body &body) {
    if (!machine.deepEnough())
      return Flow::Normal;
    for (const auto &statement : body) {
      machine.line = statement->line;
      if (!machine.step())
        break;
      if (Flow flow = execute(*statement); flow != Flow::Normal)
        return flow;
    }
    return Flow::Normal;
  }

  Flow execute(const Statement &statement) {
    switch (statement.kind) {
    case StatementKind::Text:
      emit(statement.text);
      return Flow::Normal;
    case StatementKind::Print:
      print(evaluate(*statement.expr));
      return Flow::Normal;
    case StatementKind::If:
      return branch(statement);
    case StatementKind::For:
      return loop(statement);
    case StatementKind::Set:
      assign(*statement.target, evaluate(*statement.expr));
      return Flow::Normal;
    case StatementKind::SetBlock: {
      Flow flow;
      Value text = captured(statement.body, flow);
      if (flow != Flow::Normal)
        return flow;
      assign(*statement.target, statement.expr ? filtered(*statement.expr, text) : text);
      return Flow::Normal;
    }
    case StatementKind::FilterBlock: {
      Flow flow;
      Value text = captured(statement.body, flow);
      if (flow == Flow::Normal)
        print(filtered(*statement.expr, text));
      return flow;
    }
    case StatementKind::Macro:
      scope->set(statement.macro->name, macro(*statement.macro, false));
      return Flow::Normal;
    case StatementKind::CallBlock:
      print(callWith(*statement.expr, statement.macro.get()));
      return Flow::Normal;
    case StatementKind::With: {
      std::vector<Value> values;
      for (const ExprPtr &value : statement.values)
        values.push_back(evaluate(*value));
      Inner inner(*this);
      for (size_t i = 0; i < values.size(); ++i)
        assign(*statement.targets[i], values[i]);
      return execute(statement.body);
    }
    case StatementKind::Scope: {
      Inner inner(*this);
      return execute(statement.body);
    }
    case StatementKind::Break:
      return Flow::Break;
    case StatementKind::Continue:
      return Flow::Continue;
    }
    return Flow::Normal;
  }

  void print(const Value &value) {
    if (machine.failed())
      return;
    if (value.isString())
      emit(value.text());
    else
      emit(machine.str(value));
  }

  // Iterates, so that a long chain of elif needs no stack.
  Flow branch(const Statement &first) {
    for (const Statement *at = &first;;) {
      machine.line = at->line;
      bool holds = machine.truth(evaluate(*at->expr));
      if (machine.failed() || !machine.step())
        return Flow::Normal;
      if (holds)
        return execute(at->body);
      if (at->otherwise.size() != 1 || at->otherwise[0]->kind != StatementKind::If)
        return execute(at->otherwise);
      at = at->otherwise[0].get();
    }
  }

  Value captured(const Body &body, Flow &flow) {
    std::string text;
    std::string *before = std::exchange(output, &text);
    {
      Inner inner(*this);
      flow = execute(body);
    }
    output = before;
    return machine.string(std::move(text));
  }

  // A chain of filters on `text`, whose lowest has null below.
  Value filtered(const Expr &filter, const Value &text) {
    Value below = filter.items[0] ? filtered(*filter.items[0], text) : text;
    return applyFilter(filter, below);
  }

  Flow loop(const Statement &statement) {
    Value iterable = evaluate(*statement.expr);
    if (!machine.failed())
      runLoop(statement, iterable, scope, 0);
    return Flow::Normal;
  }

  void runLoop(const Statement &statement, const Value &iterable, const ScopePtr &around, int depth0) {
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

  bool advance(Loop &loop, Value &out) {
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

  bool peek(Loop &loop) {
    if (!loop.peeked && !loop.exhausted) {
      loop.peeked = loop.next(machine, loop.after);
      loop.exhausted = !loop.peeked;
    }
    return loop.peeked;
  }

  int64_t lengthOf(Loop &loop) {
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

  Value attributeOfLoop(Loop &loop, std::string_view name, bool &found) {
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

  Value callLoop(const Value &callee, Arguments &arguments) {
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

  // --- Macros ---

  Value macro(const MacroSyntax &syntax, bool anonymous) {
    auto made = std::make_shared<Macro>();
    made->syntax = &syntax;
    made->scope = scope;
    made->anonymous = anonymous;
    machine.keep(Kind::Macro, made);
    return Value(Kind::Macro, std::move(made));
  }

  Value callMacro(const Value &callee, Arguments &arguments) {
    const Macro &macro = callee.as<Macro>();
    const MacroSyntax &syntax = *macro.syntax;
    std::string name = runtime::quoted(syntax.name.empty() ? "caller" : syntax.name);
    size_t count = syntax.parameters.size();
    std::vector<std::optional<Value>> given(count);
    std::vector<std::pair<std::string, Value>> named = std::move(arguments.named);
    auto take = [&](std::string_view wanted) -> std::optional<Value> {
      for (auto at = named.begin(); at != named.end(); ++at)
        if (at->first == wanted) {
          Value value = std::move(at->second);
          named.erase(at);
          return value;
        }
      return std::nullopt;
    };
    bool takesCaller = false;
    for (size_t i = 0; i < count; ++i) {
      takesCaller |= syntax.parameters[i] == "caller";
      if (i < arguments.positional.size())
        given[i] = arguments.positional[i];
      else
        given[i] = take(syntax.parameters[i]);
    }
    std::optional<Value> caller;
    if (syntax.usesCaller && !takesCaller) {
      caller = take("caller");
      if (!caller || caller->is(Kind::None))
        caller = machine.undefined("No caller defined");
    }
    if (!named.empty() && !syntax.usesNamedRest)
      return machine.fail("TypeError",
                          "the macro " + name + " has no parameter " + runtime::quoted(named.front().first));
    if (arguments.positional.size() > count && !syntax.usesRest)
      return machine.fail("TypeError", "the macro " + name + " takes " + std::to_string(count) + " arguments, and " +
                                           std::to_string(arguments.positional.size()) + " are given");
    if (++calls > kMaxCalls)
      return machine.exhausted("macros call themselves more than " + std::to_string(kMaxCalls) +
                               " times within each other");
    std::string text;
    std::string *before = std::exchange(output, &text);
    {
      Inner inner(*this, macro.scope);
      if (caller)
        scope->set("caller", *caller);
      if (syntax.usesNamedRest) {
        auto rest = std::make_shared<Dict>();
        for (auto &[key, value] : named)
          machine.put(*rest, makeString(key), value);
        scope->set("kwargs", machine.dict(std::move(rest)));
      }
      if (syntax.usesRest) {
        size_t from = std::min(count, arguments.positional.size());
        scope->set("varargs", machine.tuple({arguments.positional.begin() + from, arguments.positional.end()}));
      }
      size_t required = count - syntax.defaults.size();
      for (size_t i = 0; i < count && !machine.failed(); ++i) {
        const std::string &parameter = syntax.parameters[i];
        if (given[i])
          scope->set(parameter, *given[i]);
        else if (i >= required)
          scope->set(parameter, evaluate(*syntax.defaults[i - required]));
        else
          scope->set(parameter, machine.undefined("the parameter " + runtime::quoted(parameter) + " was not provided"));
      }
      if (!machine.failed())
        execute(syntax.body);
    }
    output = before;
    --calls;
    return machine.string(std::move(text));
  }

  // --- Expressions ---

  Value evaluate(const Expr &expr) {
    if (!machine.step() || !machine.deepEnough())
      return Value();
    machine.line = expr.line;
    switch (expr.kind) {
    case ExprKind::Constant:
      return expr.value;
    case ExprKind::Name:
      return lookup(expr.name);
    case ExprKind::Tuple:
    case ExprKind::List:
      return sequence(expr);
    case ExprKind::Dict:
      return mapping(expr);
    case ExprKind::Attribute:
      return at(expr, machine.attribute(evaluate(*expr.items[0]), expr.name));
    case ExprKind::Item:
      return item(expr);
    case ExprKind::Call:
      return callWith(expr, nullptr);
    case ExprKind::FilterCall:
      return applyFilter(expr, evaluate(*expr.items[0]));
    case ExprKind::TestCall:
      return applyTest(expr);
    case ExprKind::Conditional:
      if (machine.truth(evaluate(*expr.items[0])))
        return evaluate(*expr.items[1]);
      if (expr.items[2])
        return evaluate(*expr.items[2]);
      return machine.undefined("an inline if has no else, and its condition is false");
    case ExprKind::And:
    case ExprKind::Or: {
      Value left = evaluate(*expr.items[0]);
      return machine.truth(left) == (expr.kind == ExprKind::And) ? evaluate(*expr.items[1]) : left;
    }
    case ExprKind::Not:
      return Value(!machine.truth(evaluate(*expr.items[0])));
    case ExprKind::Negate:
      return machine.negate(evaluate(*expr.items[0]));
    case ExprKind::Plus:
      return machine.plus(evaluate(*expr.items[0]));
    case ExprKind::Binary:
      return binary(expr);
    case ExprKind::Concat:
      return concat(expr);
    case ExprKind::Compare:
      return compare(expr);
    case ExprKind::Slice:
    case ExprKind::Member:
      break;
    }
    return Value();
  }

  // `value`, with the line put back that its making may have moved.
  Value at(const Expr &expr, Value value) {
    machine.line = expr.line;
    return value;
  }

  Value sequence(const Expr &expr) {
    std::vector<Value> items;
    items.reserve(expr.items.size());
    for (const ExprPtr &item : expr.items)
      items.push_back(evaluate(*item));
    return machine.list(std::move(items), expr.kind == ExprKind::Tuple ? Kind::Tuple : Kind::List);
  }

  Value mapping(const Expr &expr) {
    auto dict = std::make_shared<Dict>();
    for (size_t i = 0; i + 1 < expr.items.size() && !machine.failed(); i += 2) {
      Value key = evaluate(*expr.items[i]);
      machine.put(*dict, std::move(key), evaluate(*expr.items[i + 1]));
    }
    return machine.dict(std::move(dict));
  }

  Value item(const Expr &expr) {
    Value object = evaluate(*expr.items[0]);
    const Expr &index = *expr.items[1];
    if (index.kind != ExprKind::Slice) {
      Value key = evaluate(index);
      machine.line = expr.line;
      return machine.item(object, key);
    }
    auto part = [&](const ExprPtr &bound) { return bound ? evaluate(*bound) : Value::none(); };
    Value start = part(index.items[0]), stop = part(index.items[1]), step = part(index.items[2]);
    machine.line = expr.line;
    return machine.slice(object, start, stop, step);
  }

  Value binary(const Expr &expr) {
    Value left = evaluate(*expr.items[0]);
    Value right = evaluate(*expr.items[1]);
    machine.line = expr.line;
    return machine.binary(expr.op, left, right);
  }

  Value concat(const Expr &expr) {
    std::string out;
    for (const ExprPtr &item : expr.items)
      out += machine.str(evaluate(*item));
    return machine.string(std::move(out));
  }

  Value compare(const Expr &expr) {
    Value left = evaluate(*expr.items[0]);
    for (size_t i = 0; i < expr.ops.size(); ++i) {
      Value right = evaluate(*expr.items[i + 1]);
      machine.line = expr.line;
      if (machine.failed() || !machine.compare(expr.ops[i], left, right))
        return Value(false);
      left = std::move(right);
    }
    return Value(true);
  }

  Arguments arguments(const CallArguments &syntax) {
    Arguments out;
    for (const ExprPtr &argument : syntax.positional)
      out.positional.push_back(evaluate(*argument));
    if (syntax.rest)
      for (Value &value : machine.toVector(evaluate(*syntax.rest)))
        out.positional.push_back(std::move(value));
    for (const auto &[name, argument] : syntax.named)
      out.named.emplace_back(name, evaluate(*argument));
    if (syntax.namedRest) {
      Value rest = evaluate(*syntax.namedRest);
      if (!rest.is(Kind::Dict)) {
        machine.fail("TypeError", "what follows ** is a " + std::string(typeName(rest)) + ", not a dict");
        return out;
      }
      for (const auto &[key, value] : rest.as<Dict>().items) {
        const std::string &name = machine.textOf(key, "a keyword");
        for (const auto &[other, already] : out.named)
          if (other == name)
            machine.fail("TypeError", "the argument " + runtime::quoted(name) + " is given twice");
        out.named.emplace_back(name, value);
      }
    }
    return out;
  }

  // A call; `block`: the call block's body, which becomes the caller.
  Value callWith(const Expr &expr, const MacroSyntax *block) {
    Value callee = evaluate(*expr.items[0]);
    if (machine.failed())
      return Value();
    Arguments given = arguments(expr.arguments);
    if (block)
      given.named.emplace_back("caller", macro(*block, true));
    machine.line = expr.line;
    return at(expr, machine.call(callee, given));
  }

  Value applyFilter(const Expr &expr, const Value &input) {
    if (machine.failed())
      return Value();
    if (!expr.filter) {
      machine.line = expr.line;
      return machine.fail("there is no filter named " + runtime::quoted(expr.name));
    }
    Arguments given = arguments(expr.arguments);
    machine.line = expr.line;
    if (machine.failed())
      return Value();
    return expr.filter->apply(machine, input, given);
  }

  Value applyTest(const Expr &expr) {
    Value input = evaluate(*expr.items[0]);
    if (machine.failed())
      return Value();
    if (!expr.test) {
      machine.line = expr.line;
      return machine.fail("there is no test named " + runtime::quoted(expr.name));
    }
    Arguments given = arguments(expr.arguments);
    machine.line = expr.line;
    return machine.failed() ? Value() : Value(expr.test->holds(machine, input, given));
  }
};

using Json = nlohmann::ordered_json;

Value fromJson(Machine &machine, const Json &json, int depth) {
  if (depth > kMaxValueDepth)
    return machine.exhausted("the context has more than " + std::to_string(kMaxValueDepth) + " levels");
  if (machine.failed())
    return Value();
  switch (json.type()) {
  case Json::value_t::boolean:
    return Value(json.get<bool>());
  case Json::value_t::number_integer:
    return Value(Integer(json.get<int64_t>()));
  case Json::value_t::number_unsigned:
    return Value(Integer(json.get<uint64_t>()));
  case Json::value_t::number_float:
    return Value(json.get<double>());
  case Json::value_t::string: {
    const std::string &text = json.get_ref<const std::string &>();
    if (!text::isValidUtf8(text))
      return machine.fail("the context holds text that is not UTF-8: " + runtime::quoted(text));
    return machine.string(text);
  }
  case Json::value_t::array: {
    std::vector<Value> items;
    for (const Json &item : json)
      items.push_back(fromJson(machine, item, depth + 1));
    return machine.list(std::move(items));
  }
  case Json::value_t::object: {
    auto dict = std::make_shared<Dict>();
    for (const auto &[key, value] : json.items()) {
      if (!text::isValidUtf8(key))
        return machine.fail("the context holds a key that is not UTF-8: " + runtime::quoted(key));
      machine.put(*dict, makeString(key), fromJson(machine, value, depth + 1));
    }
    return machine.dict(std::move(dict));
  }
  default:
    return Value::none();
  }
}

} // namespace

Template::Template(std::unique_ptr<TemplateSyntax> parsed) : syntax(std::move(parsed)) {}
Template::~Template() = default;

Result<std::unique_ptr<Template>> Template::parse(std::string_view source) {
  if (!text::isValidUtf8(source))
    return Error(ErrorCode::InvalidArgument, "it is not UTF-8 text");
  INGOT_ASSIGN_OR_RETURN(std::vector<Token> tokens, tokenize(source));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<TemplateSyntax> parsed, parseTokens(std::move(tokens)));
  return std::unique_ptr<Template>(new Template(std::move(parsed)));
}

Result<std::string> Template::render(const Json &context, const RenderOptions &options) const {
  if (!context.is_object())
    return Error(ErrorCode::InvalidArgument, "a chat template's context is not a JSON object");
  Machine machine(options);
  Value variables = fromJson(machine, context, 0);
  if (machine.failed())
    return machine.takeError();
  std::string out = Renderer(machine, variables.as<Dict>()).run(*syntax);
  if (machine.failed())
    return machine.takeError();
  return out;
}

} // namespace ingot::chat
