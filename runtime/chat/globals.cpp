// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The globals of a chat template: range, dict, cycler, joiner, namespace, raise_exception, strftime_now.
#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"

#include <chrono>

namespace ingot::chat {

namespace {

// The items of dict(...): a mapping or pairs, then named ones.
std::shared_ptr<Dict> makeDict(Machine &machine, Arguments &arguments, const char *what) {
  auto out = std::make_shared<Dict>();
  if (arguments.positional.size() > 1) {
    machine.fail("TypeError", std::string(what) + "() takes one argument without a name");
    return out;
  }
  if (!arguments.positional.empty()) {
    const Value &given = arguments.positional[0];
    if (given.is(Kind::Dict)) {
      for (const auto &[key, value] : given.as<Dict>().items)
        machine.put(*out, key, value);
    } else {
      Next next = machine.iterate(given);
      for (Value item; next(machine, item);) {
        std::vector<Value> pair = machine.toVector(item);
        if (machine.failed())
          return out;
        if (pair.size() != 2) {
          machine.fail("ValueError", std::string(what) + "() wants pairs");
          return out;
        }
        machine.put(*out, pair[0], pair[1]);
      }
    }
  }
  for (auto &[name, value] : arguments.named)
    machine.put(*out, makeString(name), value);
  return out;
}

Value makeRange(Machine &machine, const Value &, Arguments &arguments) {
  std::vector<const Value *> given = machine.bind("range", arguments, {"start", "stop", "step"}, 1, true);
  int64_t bounds[3] = {0, 0, 1};
  for (size_t i = 0; i < 3; ++i)
    if (given[i])
      bounds[i] = machine.index(*given[i], "a bound of range()");
  if (!given[1])
    std::swap(bounds[0], bounds[1]);
  if (machine.failed())
    return Value();
  auto [start, stop, step] = bounds;
  if (step == 0)
    return machine.fail("ValueError", "range() has a step of zero");
  Integer size = 0;
  if (step > 0 ? stop > start : stop < start)
    size = (step > 0 ? Integer(stop) - start - 1 : Integer(start) - stop - 1) /
               (step > 0 ? Integer(step) : -Integer(step)) +
           1;
  if (size > 100000) // jinja2's sandbox
    return machine.fail("OverflowError", "range() has more than 100000 items");
  auto out = std::make_shared<Range>();
  out->start = start;
  out->stop = stop;
  out->step = step;
  out->size = int64_t(size);
  machine.charge(128);
  return Value(Kind::Range, std::move(out));
}

Value dictOf(Machine &machine, const Value &, Arguments &arguments) {
  return machine.dict(makeDict(machine, arguments, "dict"));
}

Value namespaceOf(Machine &machine, const Value &, Arguments &arguments) {
  std::shared_ptr<Dict> dict = makeDict(machine, arguments, "namespace");
  for (const auto &[key, value] : dict->items)
    if (key.isString() && key.text().starts_with('_'))
      return machine.fail("SecurityError", "a namespace takes no attribute that begins with an underscore, such as " +
                                               runtime::quoted(key.text()));
  auto out = std::make_shared<Namespace>();
  out->dict = Value(Kind::Dict, std::move(dict));
  machine.keep(Kind::Namespace, out);
  return Value(Kind::Namespace, std::move(out));
}

Value cyclerOf(Machine &machine, const Value &, Arguments &arguments) {
  if (arguments.positional.empty() || !arguments.named.empty())
    return machine.fail("RuntimeError", "cycler() wants at least one item, and none with a name");
  auto out = std::make_shared<Cycler>();
  out->items = machine.list(std::move(arguments.positional), Kind::Tuple);
  out->depth = out->items.depth() + 1;
  return machine.failed() ? Value() : Value(Kind::Cycler, std::move(out));
}

Value joinerOf(Machine &machine, const Value &, Arguments &arguments) {
  std::vector<const Value *> given = machine.bind("joiner", arguments, {"sep"}, 0);
  auto out = std::make_shared<Joiner>();
  out->separator = given[0] ? machine.str(*given[0]) : ", ";
  machine.charge(128);
  return Value(Kind::Joiner, std::move(out));
}

Value raise(Machine &machine, const Value &, Arguments &arguments) {
  std::vector<const Value *> given = machine.bind("raise_exception", arguments, {"message"}, 1);
  return machine.failed() ? Value() : machine.fail("the template raises: " + machine.str(*given[0]));
}

Value strftimeNow(Machine &machine, const Value &, Arguments &arguments) {
  std::vector<const Value *> given = machine.bind("strftime_now", arguments, {"format"}, 1);
  const std::string &format = machine.textOf(*given[0], "strftime_now's format");
  if (machine.failed())
    return Value();
  std::tm now{};
  long microseconds = 0;
  if (machine.options.now) {
    now = *machine.options.now;
  } else {
    auto since = std::chrono::system_clock::now().time_since_epoch();
    std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
    microseconds = std::chrono::duration_cast<std::chrono::microseconds>(since).count() % 1000000;
    localtime_r(&seconds, &now);
  }
  std::string out;
  for (size_t i = 0; i < format.size() && !machine.failed(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    // A directive: flags of glibc, perhaps a width, a letter.
    size_t end = i + 1;
    while (end < format.size() && std::string_view("-_0^#").find(format[end]) != std::string_view::npos)
      ++end;
    std::string directive = format.substr(i, end - i + 1);
    char letter = end < format.size() ? format[end] : '%';
    if (letter == 'f' && directive.size() == 2) {
      char digits[8];
      std::snprintf(digits, sizeof(digits), "%06ld", microseconds);
      out += digits;
    } else if (letter == 'z' || letter == 'Z') {
      // The time has no zone.
    } else if (std::string_view("aAbBcdHIjmMpSUwWxXyYGuVCDeFghklnPrRstT%").find(letter) != std::string_view::npos) {
      char buffer[256];
      out.append(buffer, std::strftime(buffer, sizeof(buffer), directive.c_str(), &now));
    } else {
      out += directive;
    }
    i = end;
    machine.step();
  }
  return machine.string(std::move(out));
}

// lipsum is random; self is jinja2's handle on a template's blocks, and a chat template has none.
Value refuse(Machine &machine, const Value &self, Arguments &) {
  if (self.as<Function>().name == "self")
    return machine.fail("TypeError", "self cannot be called");
  return machine.fail(std::string(self.as<Function>().name) +
                      "() is random, which chat templates are not allowed to be");
}

} // namespace

Value findGlobal(std::string_view name) {
  static constexpr std::pair<std::string_view, FunctionBody> globals[] = {
      {"range", makeRange},          {"dict", dictOf},     {"namespace", namespaceOf},
      {"cycler", cyclerOf},          {"joiner", joinerOf}, {"raise_exception", raise},
      {"strftime_now", strftimeNow}, {"lipsum", refuse},   {"self", refuse}};
  for (const auto &[known, body] : globals)
    if (known == name) {
      auto out = std::make_shared<Function>();
      out->name = known;
      out->body = body;
      return Value(Kind::Function, std::move(out));
    }
  return Value();
}

} // namespace ingot::chat
