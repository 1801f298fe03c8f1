// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The filters of jinja2 that compare items: sorting, grouping, extremes.
#include "runtime/chat/characters.h"
#include "runtime/chat/filters.h"
#include "runtime/chat/strings.h"

#include <unordered_set>

namespace ingot::chat {

namespace {

using M = Machine &;
using V = const Value &;
using A = Arguments &;

Value withoutCase(M m, V value, bool caseSensitive) {
  return !caseSensitive && value.isString() ? m.string(lower(value.text())) : value;
}

std::vector<Value> secondsOf(std::vector<std::pair<Value, Value>> &keyed) {
  std::vector<Value> out;
  for (auto &[key, value] : keyed)
    out.push_back(std::move(value));
  return out;
}

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

constexpr Filter kFilters[] = {
    {"dictsort", dictSort},  {"groupby", groupBy}, {"max", extreme<true>},
    {"min", extreme<false>}, {"sort", sort},       {"unique", unique},
};

} // namespace

const Filter *findOrderFilter(std::string_view name) { return findIn(kFilters, name); }

} // namespace ingot::chat
