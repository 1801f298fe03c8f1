// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The filters of jinja2 that follow attributes and apply other filters and tests: map, select, reject and theirs. They
// give generators, and look at their arguments when those are iterated.
#include "runtime/chat/filters.h"

#include <algorithm>

namespace ingot::chat {

namespace {

using M = Machine &;
using V = const Value &;
using A = Arguments &;

struct Step {
  const Filter *filter = nullptr;
  const Test *test = nullptr;
  Path path;
  Value otherwise = Value::none();
  Arguments arguments;
};

Value map(M m, V v, A a) {
  // jinja2 looks at the arguments once the generator is iterated, and never for an empty one.
  auto step = std::make_shared<Step>();
  auto arguments = std::make_shared<Arguments>(std::move(a));
  auto prepare = [arguments, step](M m) {
    std::vector<Value> &positional = arguments->positional;
    auto &named = arguments->named;
    auto take = [&](std::string_view name) -> std::optional<Value> {
      for (auto at = named.begin(); at != named.end(); ++at)
        if (at->first == name) {
          Value value = at->second;
          named.erase(at);
          return value;
        }
      return std::nullopt;
    };
    if (positional.empty()) {
      std::optional<Value> attribute = take("attribute");
      if (attribute) {
        step->path = pathOf(m, &*attribute);
        step->otherwise = take("default").value_or(Value::none());
        if (!named.empty())
          m.fail("map does not take the argument " + runtime::quoted(named[0].first));
        return;
      }
      m.fail("map wants a filter or an attribute");
      return;
    }
    const std::string &name = m.textOf(positional[0], "map's filter");
    step->filter = findFilter(name);
    if (!step->filter && !m.failed())
      m.fail("there is no filter named " + runtime::quoted(name));
    step->arguments.positional.assign(positional.begin() + 1, positional.end());
    step->arguments.named = named;
  };
  int depth = v.depth();
  for (const Value &argument : arguments->positional)
    depth = std::max(depth, argument.depth());
  for (const auto &[name, argument] : arguments->named)
    depth = std::max(depth, argument.depth());
  return m.generator(
      [v, next = Next(), step, prepare, started = false](M m, Value &out) mutable {
        if (!std::exchange(started, true) && m.truth(v)) {
          prepare(m);
          next = m.iterate(v);
        }
        Value item;
        if (m.failed() || !next || !next(m, item))
          return false;
        if (step->filter) {
          Arguments arguments = step->arguments;
          out = step->filter->apply(m, item, arguments);
        } else {
          out = follow(m, item, step->path, &step->otherwise);
        }
        return !m.failed();
      },
      depth);
}

template <bool wanted, bool byAttribute> Value choose(M m, V v, A a) {
  auto step = std::make_shared<Step>();
  auto arguments = std::make_shared<Arguments>(std::move(a));
  auto prepare = [arguments, step](M m) {
    std::vector<Value> &positional = arguments->positional;
    size_t from = 0;
    if (byAttribute) {
      if (positional.empty()) {
        m.fail("the filter wants an attribute's name");
        return;
      }
      step->path = pathOf(m, &positional[0]);
      from = 1;
    }
    if (positional.size() <= from)
      return;
    const std::string &name = m.textOf(positional[from], "a test's name");
    step->test = findTest(name);
    if (!step->test && !m.failed())
      m.fail("there is no test named " + runtime::quoted(name));
    step->arguments.positional.assign(positional.begin() + from + 1, positional.end());
    step->arguments.named = arguments->named;
  };
  int depth = v.depth();
  for (const Value &argument : arguments->positional)
    depth = std::max(depth, argument.depth());
  return m.generator(
      [v, next = Next(), step, prepare, started = false](M m, Value &out) mutable {
        if (!std::exchange(started, true) && m.truth(v)) {
          prepare(m);
          next = m.iterate(v);
        }
        while (!m.failed() && next && next(m, out)) {
          Value looked = follow(m, out, step->path);
          Arguments arguments = step->arguments;
          if (m.failed())
            return false;
          bool holds = step->test ? step->test->holds(m, looked, arguments) : m.truth(looked);
          if (!m.failed() && holds == wanted)
            return true;
        }
        return false;
      },
      depth);
}

Value attr(M m, V v, A a) {
  const Value &name = *m.bind("attr", a, {"name"}, 1)[0];
  const std::string &text = m.textOf(name, "attr's argument");
  Value out;
  if (m.failed() || v.isUndefined())
    return m.attribute(v, text);
  if (!text.starts_with('_') && m.findAttribute(v, text, out))
    return out;
  return m.undefined("a " + std::string(typeName(v)) + " has no attribute " + runtime::quoted(text));
}

constexpr Filter kFilters[] = {
    {"attr", attr},
    {"map", map},
    {"reject", choose<false, false>},
    {"rejectattr", choose<false, true>},
    {"select", choose<true, false>},
    {"selectattr", choose<true, true>},
};

} // namespace

const Filter *findSelectingFilter(std::string_view name) { return findIn(kFilters, name); }

} // namespace ingot::chat
