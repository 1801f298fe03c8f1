// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The filters of jinja2 that work on lists, dicts and numbers, and tojson as transformers has it. Those that give
// generators there give them here: they are run when they are iterated. Filters of text are in filters_text.cpp.
#include "runtime/chat/filters.h"
#include "runtime/chat/characters.h"
#include "runtime/chat/strings.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace ingot::chat {

namespace {

using M = Machine &;
using V = const Value &;
using A = Arguments &;

bool absent(const Value *value) { return !value || value->is(Kind::None); }

// --- Attributes by path ---

using Path = std::vector<Value>;

// "a.b.0" as jinja2 cuts it; an integer is itself.
Path pathOf(M m, const Value *attribute) {
  Path out;
  if (absent(attribute))
    return out;
  if (!attribute->isString())
    return {*attribute};
  std::string_view text = attribute->text();
  for (size_t dot;; text.remove_prefix(dot + 1)) {
    dot = text.find('.');
    std::string_view piece = text.substr(0, dot);
    bool digits =
        !piece.empty() && std::all_of(piece.begin(), piece.end(), [](char c) { return c >= '0' && c <= '9'; });
    bool tooBig;
    if (digits)
      out.push_back(Value(parseInteger(piece, 10, tooBig).value_or(-1)));
    else
      out.push_back(m.string(std::string(piece)));
    if (dot == std::string_view::npos || m.failed())
      return out;
  }
}

Value follow(M m, V start, const Path &path, const Value *otherwise = nullptr) {
  Value at = start;
  for (const Value &part : path) {
    at = m.item(at, part);
    if (!absent(otherwise) && at.isUndefined())
      at = *otherwise;
  }
  return at;
}

Value withoutCase(M m, V value, bool caseSensitive) {
  return !caseSensitive && value.isString() ? m.string(lower(value.text())) : value;
}

std::vector<Value> secondsOf(std::vector<std::pair<Value, Value>> &keyed) {
  std::vector<Value> out;
  for (auto &[key, value] : keyed)
    out.push_back(std::move(value));
  return out;
}

// --- Items ---

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

Value unique(M m, V v, A a) {
  auto given = m.bind("unique", a, {"case_sensitive", "attribute"}, 0);
  bool sensitive = given[0] && m.truth(*given[0]);
  Path path = pathOf(m, given[1]);
  Next next = m.iterate(v);
  if (m.failed())
    return Value();
  return m.generator(
      [next, path, sensitive, seen = std::unordered_set<std::string>()](M m, Value &out) mutable {
        while (next(m, out)) {
          Value key = withoutCase(m, follow(m, out, path), sensitive);
          std::string identity = keyIdentity(key);
          if (identity.empty())
            m.fail("TypeError", "a " + std::string(typeName(key)) + " cannot be a key");
          if (m.failed() || !m.charge(identity.size() + 64))
            return false;
          if (seen.insert(std::move(identity)).second)
            return true;
        }
        return false;
      },
      v.depth());
}

// --- Order ---

Value sort(M m, V v, A a) {
  auto given = m.bind("sort", a, {"reverse", "case_sensitive", "attribute"}, 0);
  bool reverse = given[0] && m.truth(*given[0]), sensitive = given[1] && m.truth(*given[1]);
  std::vector<Path> paths;
  if (!absent(given[2]) && given[2]->isString()) {
    std::string_view rest = given[2]->text();
    for (size_t comma;; rest.remove_prefix(comma + 1)) {
      comma = rest.find(',');
      Value piece = m.string(std::string(rest.substr(0, comma)));
      paths.push_back(pathOf(m, &piece));
      if (comma == std::string_view::npos || m.failed())
        break;
    }
  } else {
    paths.push_back(pathOf(m, given[2]));
  }
  std::vector<std::pair<Value, Value>> keyed;
  for (Value &item : m.toVector(v)) {
    std::vector<Value> key;
    for (const Path &path : paths)
      key.push_back(withoutCase(m, follow(m, item, path), sensitive));
    keyed.emplace_back(m.list(std::move(key)), std::move(item));
    if (m.failed())
      return Value();
  }
  sortBy(m, keyed, reverse);
  return m.failed() ? Value() : m.list(secondsOf(keyed));
}

Value dictSort(M m, V v, A a) {
  auto given = m.bind("dictsort", a, {"case_sensitive", "by", "reverse"}, 0);
  bool sensitive = given[0] && m.truth(*given[0]), reverse = given[2] && m.truth(*given[2]);
  std::string by = given[1] ? m.textOf(*given[1], "dictsort's 'by'") : "key";
  if (by != "key" && by != "value")
    return m.fail("dictsort sorts by 'key' or by 'value', not by " + runtime::quoted(by));
  if (v.isUndefined())
    return m.attribute(v, "items");
  if (!v.is(Kind::Dict))
    return m.fail("TypeError", "dictsort wants a dict, not a " + std::string(typeName(v)));
  std::vector<std::pair<Value, Value>> keyed;
  for (const auto &[key, value] : v.as<Dict>().items)
    keyed.emplace_back(withoutCase(m, by == "key" ? key : value, sensitive), m.tuple({key, value}));
  sortBy(m, keyed, reverse);
  return m.failed() ? Value() : m.list(secondsOf(keyed));
}

Value groupBy(M m, V v, A a) {
  auto given = m.bind("groupby", a, {"attribute", "default", "case_sensitive"}, 1);
  bool sensitive = given[2] && m.truth(*given[2]);
  Path path = pathOf(m, given[0]);
  std::vector<std::pair<Value, Value>> keyed;
  for (Value &item : m.toVector(v)) {
    keyed.emplace_back(withoutCase(m, follow(m, item, path, given[1]), sensitive), item);
    if (m.failed())
      return Value();
  }
  sortBy(m, keyed, false);
  std::vector<Value> out;
  for (size_t begin = 0; begin < keyed.size() && !m.failed();) {
    size_t end = begin + 1;
    while (end < keyed.size() && m.equal(keyed[end].first, keyed[begin].first) && !m.failed())
      ++end;
    std::vector<Value> group;
    for (size_t i = begin; i < end; ++i)
      group.push_back(keyed[i].second);
    Value key = sensitive ? keyed[begin].first : follow(m, group[0], path, given[1]);
    Value pair = m.tuple({key, m.list(std::move(group))});
    if (m.failed())
      return Value();
    pair.as<List>().group = true;
    out.push_back(pair);
    begin = end;
  }
  return m.failed() ? Value() : m.list(std::move(out), Kind::List);
}

template <bool largest> Value extreme(M m, V v, A a) {
  auto given = m.bind(largest ? "max" : "min", a, {"case_sensitive", "attribute"}, 0);
  bool sensitive = given[0] && m.truth(*given[0]);
  Path path = pathOf(m, given[1]);
  std::vector<Value> all = m.toVector(v);
  if (m.failed() || all.empty())
    return m.undefined("there is nothing to choose from, the sequence is empty");
  size_t best = 0;
  Value bestKey = withoutCase(m, follow(m, all[0], path), sensitive);
  for (size_t i = 1; i < all.size() && !m.failed(); ++i) {
    Value key = withoutCase(m, follow(m, all[i], path), sensitive);
    if (m.order(key, bestKey, largest ? ">" : "<") == (largest ? 1 : -1)) {
      best = i;
      bestKey = key;
    }
  }
  return all[best];
}

Value sum(M m, V v, A a) {
  auto given = m.bind("sum", a, {"attribute", "start"}, 0);
  Path path = pathOf(m, given[0]);
  Value total = given[1] ? *given[1] : Value(int64_t(0));
  if (total.isString())
    return m.fail("TypeError", "sum does not add strings");
  if (m.failed())
    return Value();
  Next next = m.iterate(v);
  for (Value item; next(m, item);)
    total = m.binary(Operator::Add, total, follow(m, item, path));
  return total;
}

// --- Mapping and selecting ---

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

// --- Values ---

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

// --- Numbers ---

Value absolute(M m, V v, A a) {
  m.bind("abs", a, {}, 0);
  if (m.failed())
    return Value();
  if (v.is(Kind::Float))
    return Value(std::fabs(v.real()));
  if (v.isIntegral())
    return v.integer() < 0 ? m.negate(v) : m.plus(v);
  if (v.isUndefined())
    return m.attribute(v, "abs");
  return m.fail("TypeError", "abs does not take a " + std::string(typeName(v)));
}

Value fromReal(M m, double real, V otherwise) {
  if (!std::isfinite(real))
    return otherwise;
  if (std::fabs(real) >= 1.7e38)
    return m.exhausted("an integer has more than 127 bits, which Ingot's templates do not have");
  return Value(Integer(real));
}

Value toInt(M m, V v, A a) {
  auto given = m.bind("int", a, {"default", "base"}, 0);
  Value otherwise = given[0] ? *given[0] : Value(int64_t(0));
  int64_t base = given[1] ? m.index(*given[1], "int's base") : 10;
  if (m.failed())
    return Value();
  if (v.isUndefined())
    return m.attribute(v, "int");
  if (v.isIntegral())
    return Value(v.integer());
  if (v.is(Kind::Float)) {
    if (std::isinf(v.real())) // int() raises what the filter does not catch
      return m.fail("OverflowError", "an infinite float is no integer");
    return fromReal(m, v.real(), otherwise);
  }
  if (!v.isString())
    return otherwise;
  m.step(v.text().size());
  bool tooBig = false;
  std::optional<Integer> whole;
  if (base == 0 || (base >= 2 && base <= 36))
    whole = parseInteger(v.text(), unsigned(base), tooBig);
  if (whole && tooBig)
    return m.exhausted("an integer has more than 127 bits, which Ingot's templates do not have");
  if (whole)
    return Value(*whole);
  std::optional<double> real = parseFloat(v.text());
  return real ? fromReal(m, *real, otherwise) : otherwise;
}

Value toFloat(M m, V v, A a) {
  auto given = m.bind("float", a, {"default"}, 0);
  if (m.failed())
    return Value();
  if (v.isNumber())
    return Value(v.real());
  if (v.isUndefined())
    return m.attribute(v, "float");
  std::optional<double> real = v.isString() ? parseFloat(v.text()) : std::nullopt;
  return real ? Value(*real) : given[0] ? *given[0] : Value(0.0);
}

Value round(M m, V v, A a) {
  auto given = m.bind("round", a, {"precision", "method"}, 0);
  Value digits = given[0] ? *given[0] : Value(int64_t(0));
  std::string method = given[1] ? m.str(*given[1]) : "common";
  if (method != "common" && method != "ceil" && method != "floor")
    return m.fail("round's method is 'common', 'ceil' or 'floor', not " + runtime::quoted(method));
  if (v.isUndefined())
    return m.attribute(v, "round");
  if (!v.isNumber())
    return m.fail("TypeError", "round does not take a " + std::string(typeName(v)));
  int64_t precision = digits.is(Kind::None) ? 0 : m.index(digits, "round's precision");
  if (m.failed())
    return Value();
  if (method == "common") {
    if (v.isIntegral()) {
      if (precision >= 0)
        return Value(v.integer());
      Integer unit = 1;
      for (int64_t i = precision; i < 0 && unit < (Integer(1) << 120); ++i)
        unit *= 10;
      if (precision < -37)
        return Value(int64_t(0));
      // To the nearest multiple, a half to the even one.
      Integer size = v.integer() < 0 ? -v.integer() : v.integer(), rest = size % unit, below = size - rest;
      bool up = rest * 2 > unit || (rest * 2 == unit && (below / unit) % 2);
      Integer out = below + (up ? unit : 0);
      return Value(v.integer() < 0 ? -out : out);
    }
    double real = v.real();
    if (digits.is(Kind::None))
      return std::isfinite(real) ? fromReal(m, std::nearbyint(real), v)
                                 : m.fail("ValueError", "a float that is not finite has no integer");
    if (!std::isfinite(real) || precision > 330)
      return v;
    if (precision < -320)
      return Value(std::copysign(0.0, real));
    if (precision < 0) {
      double unit = std::pow(10.0, double(-precision));
      return Value(std::nearbyint(real / unit) * unit);
    }
    // Correctly rounded, by way of the decimal digits.
    char text[800];
    std::snprintf(text, sizeof(text), "%.*f", int(precision), real);
    return Value(parseFloat(text).value_or(real));
  }
  Value unit = m.binary(Operator::Power, Value(int64_t(10)), Value(precision));
  Value scaled = m.binary(Operator::Multiply, v, unit);
  if (m.failed())
    return Value();
  Value whole = scaled;
  if (scaled.is(Kind::Float)) {
    double real = method == "ceil" ? std::ceil(scaled.real()) : std::floor(scaled.real());
    if (!std::isfinite(real))
      return m.fail("OverflowError", "a float that is not finite has no integer");
    whole = fromReal(m, real, v);
  }
  return m.binary(Operator::Divide, whole, unit);
}

constexpr Filter kFilters[] = {
    {"abs", absolute},
    {"attr", attr},
    {"batch", batch},
    {"count", length},
    {"d", orDefault},
    {"default", orDefault},
    {"dictsort", dictSort},
    {"first", first},
    {"float", toFloat},
    {"groupby", groupBy},
    {"int", toInt},
    {"items", items},
    {"join", join},
    {"last", last},
    {"length", length},
    {"list", toList},
    {"map", map},
    {"max", extreme<true>},
    {"min", extreme<false>},
    {"reject", choose<false, false>},
    {"rejectattr", choose<false, true>},
    {"reverse", reverse},
    {"round", round},
    {"select", choose<true, false>},
    {"selectattr", choose<true, true>},
    {"slice", slice},
    {"sort", sort},
    {"sum", sum},
    {"tojson", toJson},
    {"unique", unique},
};

} // namespace

const Filter *findFilter(std::string_view name) {
  for (const Filter &filter : kFilters)
    if (filter.name == name)
      return &filter;
  return findTextFilter(name);
}

const char *refusedFilter(std::string_view name) {
  if (name == "random")
    return "gives another text each time, which chat templates are not allowed to do";
  if (name == "urlize")
    return "makes HTML, and is not supported in chat templates";
  return nullptr;
}

} // namespace ingot::chat
