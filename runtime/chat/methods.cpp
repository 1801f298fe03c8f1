// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The methods of values that templates can call: Python's of str, dict, list, tuple, int, float and range, and those of
// loops, cyclers and generators. Methods that change a value are found and fail, as the sandbox has it.
#include "runtime/chat/characters.h"
#include "runtime/chat/library.h"
#include "runtime/chat/machine.h"
#include "runtime/chat/strings.h"

#include <algorithm>
#include <cmath>

namespace ingot::chat {

namespace {

struct NamedMethod {
  std::string_view name;
  FunctionBody body; // null where the sandbox forbids it
};

using M = Machine &;
using V = const Value &;
using A = Arguments &;

Value view(Value dict, View::Part part) {
  auto out = std::make_shared<View>();
  out->part = part;
  out->depth = dict.depth() + 1;
  out->dict = std::move(dict);
  return Value(Kind::View, std::move(out));
}

constexpr NamedMethod kDict[] = {
    {"keys",
     [](M m, V self, A a) {
       m.bind("keys", a, {}, 0);
       return m.failed() ? Value() : view(self, View::Keys);
     }},
    {"values",
     [](M m, V self, A a) {
       m.bind("values", a, {}, 0);
       return m.failed() ? Value() : view(self, View::Values);
     }},
    {"items",
     [](M m, V self, A a) {
       m.bind("items", a, {}, 0);
       return m.failed() ? Value() : view(self, View::Items);
     }},
    {"get",
     [](M m, V self, A a) {
       auto given = m.bind("get", a, {"key", "default"}, 1, true);
       std::string identity = keyIdentity(*given[0]);
       if (identity.empty())
         return m.fail("TypeError", "a " + std::string(typeName(*given[0])) + " cannot be a key");
       if (const Value *found = self.as<Dict>().find(identity, *given[0]))
         return *found;
       return given[1] ? *given[1] : Value::none();
     }},
    {"copy",
     [](M m, V self, A a) {
       m.bind("copy", a, {}, 0);
       m.charge(self.as<Dict>().items.size() * 128);
       return m.failed() ? Value() : m.dict(std::make_shared<Dict>(self.as<Dict>()));
     }},
    {"fromkeys",
     [](M m, V, A a) {
       auto given = m.bind("fromkeys", a, {"iterable", "value"}, 1, true);
       auto out = std::make_shared<Dict>();
       Next next = m.iterate(*given[0]);
       for (Value key; next(m, key) && m.put(*out, key, given[1] ? *given[1] : Value::none());) {
       }
       return m.dict(std::move(out));
     }},
    {"clear", nullptr},
    {"pop", nullptr},
    {"popitem", nullptr},
    {"setdefault", nullptr},
    {"update", nullptr},
};

Value countOf(M m, V self, A a) {
  const Value &wanted = *m.bind("count", a, {"value"}, 1, true)[0];
  int64_t count = 0;
  for (const Value &item : self.items())
    count += !m.failed() && m.equal(item, wanted);
  return Value(count);
}

Value indexOf(M m, V self, A a) {
  auto given = m.bind("index", a, {"value", "start", "stop"}, 1, true);
  int64_t size = int64_t(self.items().size());
  auto bound = [&](const Value *value, int64_t absent) {
    int64_t at = value ? m.index(*value, "a bound of index()") : absent;
    return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  };
  int64_t from = bound(given[1], 0), to = bound(given[2], size);
  for (int64_t i = from; i < to && !m.failed(); ++i)
    if (m.equal(self.items()[i], *given[0]))
      return Value(i);
  return m.fail("ValueError", "index() does not find its value");
}

constexpr NamedMethod kList[] = {
    {"count", countOf},
    {"index", indexOf},
    {"copy",
     [](M m, V self, A a) {
       m.bind("copy", a, {}, 0);
       return m.list(self.items());
     }},
    {"append", nullptr},
    {"clear", nullptr},
    {"pop", nullptr},
    {"reverse", nullptr},
    {"insert", nullptr},
    {"sort", nullptr},
    {"extend", nullptr},
    {"remove", nullptr},
};
constexpr NamedMethod kTuple[] = {{"count", countOf}, {"index", indexOf}};

Value rangeCount(M m, V self, A a) {
  const Value &wanted = *m.bind("count", a, {"value"}, 1, true)[0];
  return Value(int64_t(!m.failed() && m.contains(self, wanted)));
}
Value rangeIndex(M m, V self, A a) {
  const Value &wanted = *m.bind("index", a, {"value"}, 1, true)[0];
  Next next = m.iterate(self);
  int64_t at = 0;
  for (Value item; next(m, item); ++at)
    if (m.equal(item, wanted))
      return Value(at);
  return m.fail("ValueError", "index() does not find its value");
}
constexpr NamedMethod kRange[] = {{"count", rangeCount}, {"index", rangeIndex}};

Value bitLength(M m, V self, A a) {
  m.bind("bit_length", a, {}, 0);
  Integer rest = self.integer() < 0 ? -self.integer() : self.integer();
  int64_t bits = 0;
  for (; rest > 0; rest /= 2)
    ++bits;
  return Value(bits);
}
constexpr NamedMethod kInt[] = {
    {"bit_length", bitLength},
    {"conjugate",
     [](M m, V self, A a) {
       m.bind("conjugate", a, {}, 0);
       return Value(self.integer());
     }},
    {"is_integer",
     [](M m, V, A a) {
       m.bind("is_integer", a, {}, 0);
       return m.failed() ? Value() : Value(true);
     }},
};
constexpr NamedMethod kFloat[] = {
    {"is_integer",
     [](M m, V self, A a) {
       m.bind("is_integer", a, {}, 0);
       return Value(std::isfinite(self.real()) && self.real() == std::floor(self.real()));
     }},
    {"conjugate",
     [](M m, V self, A a) {
       m.bind("conjugate", a, {}, 0);
       return self;
     }},
};

constexpr NamedMethod kLoop[] = {
    {"cycle",
     [](M m, V self, A a) {
       if (a.positional.empty() || !a.named.empty())
         return m.fail("TypeError", "loop.cycle() wants items, and none with a name");
       return a.positional[size_t(self.as<Loop>().index0) % a.positional.size()];
     }},
    {"changed",
     [](M m, V self, A a) {
       Loop &loop = self.as<Loop>();
       if (!a.named.empty())
         return m.fail("TypeError", "loop.changed() takes no named arguments");
       Value now = m.list(std::move(a.positional), Kind::Tuple);
       if (m.failed())
         return Value();
       bool changed = !loop.compared || !m.equal(loop.last, now);
       loop.compared = true;
       loop.last = now;
       return Value(changed);
     }},
};

constexpr NamedMethod kCycler[] = {
    {"next",
     [](M m, V self, A a) {
       m.bind("next", a, {}, 0);
       Cycler &cycler = self.as<Cycler>();
       Value out = cycler.items.items()[cycler.position];
       cycler.position = (cycler.position + 1) % cycler.items.items().size();
       return out;
     }},
    {"reset",
     [](M m, V self, A a) {
       m.bind("reset", a, {}, 0);
       self.as<Cycler>().position = 0;
       return Value::none();
     }},
};

template <size_t N> const NamedMethod *among(const NamedMethod (&methods)[N], std::string_view name) {
  const NamedMethod *found =
      std::find_if(methods, methods + N, [&](const NamedMethod &method) { return method.name == name; });
  return found == methods + N ? nullptr : found;
}

} // namespace

Value findMethod(Machine &machine, const Value &self, std::string_view name) {
  const NamedMethod *found = nullptr;
  FunctionBody body = nullptr;
  switch (self.kind()) {
  case Kind::String:
    body = findStringMethod(name);
    break;
  case Kind::Dict:
    found = among(kDict, name);
    break;
  case Kind::List:
    found = among(kList, name);
    break;
  case Kind::Tuple:
    found = among(kTuple, name);
    break;
  case Kind::Range:
    found = among(kRange, name);
    break;
  case Kind::Bool:
  case Kind::Int:
    found = among(kInt, name);
    break;
  case Kind::Float:
    found = among(kFloat, name);
    break;
  case Kind::Loop:
    found = among(kLoop, name);
    break;
  case Kind::Cycler:
    found = among(kCycler, name);
    break;
  case Kind::Function: // dict.fromkeys, of the global
    if (name == "fromkeys" && self.as<Function>().name == "dict")
      found = among(kDict, name);
    break;
  default:
    break;
  }
  if (found && !found->body)
    return machine.undefined("SecurityError: a template is not allowed to change a " + std::string(typeName(self)) +
                             " with " + std::string(name) + "()");
  if (found)
    body = found->body;
  if (!body)
    return Value();
  auto out = std::make_shared<Method>();
  out->self = self;
  out->depth = self.depth() + 1;
  out->name = name;
  out->body = body;
  machine.charge(96);
  return Value(Kind::Method, std::move(out));
}

} // namespace ingot::chat
