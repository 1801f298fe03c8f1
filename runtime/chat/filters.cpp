// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The filters of jinja2 that work on lists and dicts as they are, default, and tojson as transformers has it; and where
// the others are. Those that give generators there give them here: they are run when they are iterated.
#include "runtime/chat/filters.h"

#include <algorithm>

namespace ingot::chat {

namespace {

using M = Machine &;
using V = const Value &;
using A = Arguments &;

Value length(M m, V v, A a) {
  m.bind("length", a, {}, 0);
  int64_t size = m.failed() ? 0 : m.length(v);
  return Value(size);
}

Value first(M m, V v, A a) {
  m.bind("first", a, {}, 0);
  Next next = m.iterate(v);
  Value item;
  return next(m, item) ? item : m.undefined("there is no first item, the sequence is empty");
}

Value last(M m, V v, A a) {
  m.bind("last", a, {}, 0);
  if (v.is(Kind::Generator))
    return m.fail("TypeError", "a " + std::string(typeName(v)) + " cannot be reversed");
  if (v.isString() || v.isSequence() || v.is(Kind::Range)) {
    Value item;
    return m.findItem(v, Value(int64_t(-1)), item) ? item : m.undefined("there is no last item, the sequence is empty");
  }
  std::vector<Value> items = m.toVector(v);
  return items.empty() ? m.undefined("there is no last item, the sequence is empty") : items.back();
}

Value toList(M m, V v, A a) {
  m.bind("list", a, {}, 0);
  return m.failed() ? Value() : m.list(m.toVector(v));
}

Value items(M m, V v, A a) {
  m.bind("items", a, {}, 0);
  if (m.failed())
    return Value();
  // jinja2 looks at the value once the generator is iterated.
  return m.generator(
      [v, next = Next()](M m, Value &out) mutable {
        if (!next) {
          if (!v.isUndefined() && !v.is(Kind::Dict)) {
            m.fail("TypeError", "items wants a dict, not a " + std::string(typeName(v)));
            return false;
          }
          auto view = std::make_shared<View>();
          view->part = View::Items;
          view->dict = v;
          next = m.iterate(v.isUndefined() ? v : Value(Kind::View, view));
        }
        return next(m, out);
      },
      v.depth() + 1);
}

Value reverse(M m, V v, A a) {
  m.bind("reverse", a, {}, 0);
  if (v.isString())
    return m.slice(v, Value::none(), Value::none(), Value(int64_t(-1)));
  if (v.is(Kind::Generator)) {
    std::vector<Value> all = m.toVector(v);
    std::reverse(all.begin(), all.end());
    return m.list(std::move(all));
  }
  std::vector<Value> all = m.toVector(v);
  std::reverse(all.begin(), all.end());
  Value reversed = m.list(std::move(all));
  if (m.failed())
    return Value();
  return m.generator(m.iterate(reversed), reversed.depth(), "reverse_iterator");
}

Value join(M m, V v, A a) {
  auto given = m.bind("join", a, {"d", "attribute"}, 0);
  std::string between = given[0] ? m.str(*given[0]) : "";
  Path path = pathOf(m, given[1]);
  if (m.failed())
    return Value();
  std::string out;
  bool any = false;
  Next next = m.iterate(v);
  for (Value item; next(m, item);) {
    if (any)
      out += between;
    any = true;
    out += m.str(follow(m, item, path));
    if (m.failed() || !m.charge(between.size()))
      return Value();
  }
  return m.string(std::move(out));
}

Value batch(M m, V v, A a) {
  auto given = m.bind("batch", a, {"linecount", "fill_with"}, 1);
  if (m.failed())
    return Value();
  Value fill = given[1] ? *given[1] : Value::none(), count = *given[0];
  Next next = m.iterate(v);
  return m.generator(
      [next, fill, count, started = false, done = false, held = Value()](M m, Value &out) mutable {
        std::vector<Value> row;
        if (done)
          return false;
        Value item;
        if (std::exchange(started, true))
          row.push_back(held);
        while (!done) {
          if (!next(m, item)) {
            done = true;
            break;
          }
          if (m.equal(Value(int64_t(row.size())), count)) {
            held = item;
            break;
          }
          row.push_back(item);
          if (m.failed() || !m.charge(sizeof(Value)))
            return false;
        }
        if (m.failed() || (done && row.empty()))
          return false;
        if (done && !fill.is(Kind::None)) {
          int64_t wanted = m.index(count, "batch's linecount");
          while (int64_t(row.size()) < wanted && m.charge(sizeof(Value)) && m.step())
            row.push_back(fill);
        }
        out = m.list(std::move(row));
        return !m.failed();
      },
      std::max(v.depth(), fill.depth()) + 1);
}

Value slice(M m, V v, A a) {
  auto given = m.bind("slice", a, {"slices", "fill_with"}, 1);
  int64_t count = m.index(*given[0], "slice's count");
  if (m.failed())
    return Value();
  Value fill = given[1] ? *given[1] : Value::none(), source = v;
  return m.generator(
      [source, fill, count, number = int64_t(0), all = std::vector<Value>()](M m, Value &out) mutable {
        if (number == 0) {
          all = m.toVector(source);
          if (count == 0)
            m.fail("ZeroDivisionError", "slice is given no slices");
        }
        if (m.failed() || number >= count)
          return false;
        int64_t size = int64_t(all.size()), each = size / count, extra = size % count;
        int64_t begin = number * each + std::min(number, extra), end = begin + each + (number < extra);
        std::vector<Value> row(all.begin() + begin, all.begin() + end);
        if (!fill.is(Kind::None) && number >= extra)
          row.push_back(fill);
        ++number;
        out = m.list(std::move(row));
        return !m.failed();
      },
      std::max(v.depth(), fill.depth()) + 1);
}

Value orDefault(M m, V v, A a) {
  auto given = m.bind("default", a, {"default_value", "boolean"}, 0);
  bool boolean = given[1] && m.truth(*given[1]);
  if (m.failed() || !(v.isUndefined() || (boolean && !m.truth(v))))
    return v;
  return given[0] ? *given[0] : m.string("");
}

Value toJson(M m, V v, A a) {
  auto given = m.bind("tojson", a, {"ensure_ascii", "indent", "separators", "sort_keys"}, 0);
  if (m.failed())
    return Value();
  Machine::JsonStyle style;
  style.ascii = given[0] && m.truth(*given[0]);
  style.sorted = given[3] && m.truth(*given[3]);
  if (!absent(given[1])) {
    style.indented = true;
    if (given[1]->isString()) {
      style.indent = given[1]->text();
    } else {
      int64_t width = m.index(*given[1], "tojson's indent");
      if (width > 100000)
        return m.exhausted("tojson's indent is larger than 100000");
      style.indent = std::string(size_t(std::max<int64_t>(width, 0)), ' ');
    }
  }
  style.itemSeparator = style.indented ? "," : ", ";
  style.keySeparator = ": ";
  if (!absent(given[2])) {
    std::vector<Value> pair = m.toVector(*given[2]);
    if (pair.size() != 2)
      return m.fail("ValueError", "tojson's separators are not a pair");
    style.itemSeparator = m.textOf(pair[0], "tojson's separator");
    style.keySeparator = m.textOf(pair[1], "tojson's separator");
  }
  return m.failed() ? Value() : m.string(m.json(v, style));
}

constexpr Filter kFilters[] = {
    {"batch", batch},     {"count", length}, {"d", orDefault},   {"default", orDefault}, {"first", first},
    {"items", items},     {"join", join},    {"last", last},     {"length", length},     {"list", toList},
    {"reverse", reverse}, {"slice", slice},  {"tojson", toJson},
};

} // namespace

const Filter *findFilter(std::string_view name) {
  if (const Filter *filter = findIn(kFilters, name))
    return filter;
  for (auto find : {findOrderFilter, findSelectingFilter, findNumberFilter, findTextFilter})
    if (const Filter *filter = find(name))
      return filter;
  return nullptr;
}

const char *refusedFilter(std::string_view name) {
  if (name == "random")
    return "gives another text each time, which chat templates are not allowed to do";
  if (name == "urlize")
    return "makes HTML, and is not supported in chat templates";
  return nullptr;
}

} // namespace ingot::chat
