// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The filters of jinja2 that give text.
#include "runtime/chat/characters.h"
#include "runtime/chat/filters.h"
#include "runtime/chat/strings.h"

#include <algorithm>
#include <cmath>

namespace ingot::chat {

namespace {

using M = Machine &;
using V = const Value &;
using A = Arguments &;

// markupsafe's soft_str: text stays what it is.
Value soft(M m, V v) { return v.isString() ? v : m.string(m.str(v)); }

template <std::string (*change)(std::string_view)> Value changes(M m, V v, A a) {
  m.bind("the filter", a, {}, 0);
  Value text = soft(m, v);
  if (m.failed())
    return Value();
  m.step(text.text().size() / 16);
  return m.string(change(text.text())).asMarkup(text.isMarkup());
}

// Each word's first letter up, the others down; words begin after white space, '-' and opening brackets.
std::string titled(std::string_view text) {
  std::string out;
  unsigned length;
  for (size_t begin = 0; begin < text.size();) {
    auto separates = [&](size_t at) {
      uint32_t code = codeAt(text, at, length);
      return code == '-' || code == '(' || code == '{' || code == '[' || code == '<' || isSpace(code);
    };
    bool separator = separates(begin);
    size_t end = begin;
    while (end < text.size() && separates(end) == separator)
      end += length;
    std::string_view word = text.substr(begin, end - begin);
    size_t first = text::lengthOfLead(word[0]);
    out += upper(word.substr(0, first)) + lower(word.substr(first));
    begin = end;
  }
  return out;
}

Value center(M m, V v, A a) {
  auto given = m.bind("center", a, {"width"}, 0);
  int64_t width = given[0] ? m.index(*given[0], "center's width") : 80;
  Value text = soft(m, v);
  return m.failed() ? Value() : m.string(centered(m, text.text(), width, " ")).asMarkup(text.isMarkup());
}

Value escape(M m, V v, A a) {
  m.bind("escape", a, {}, 0);
  return m.failed() ? Value() : m.escape(v);
}

Value forceEscape(M m, V v, A a) {
  m.bind("forceescape", a, {}, 0);
  return m.failed() ? Value() : m.escape(m.string(m.str(v)));
}

Value safe(M m, V v, A a) {
  m.bind("safe", a, {}, 0);
  return m.failed() ? Value() : m.string(m.str(v)).asMarkup(true);
}

Value asString(M m, V v, A a) {
  m.bind("string", a, {}, 0);
  return m.failed() ? Value() : soft(m, v);
}

Value formatFilter(M m, V v, A a) {
  Value text = soft(m, v);
  if (!a.positional.empty() && !a.named.empty())
    return m.fail("format takes arguments with names or without, not both");
  if (a.named.empty())
    return m.percent(text, m.tuple(std::move(a.positional)));
  auto dict = std::make_shared<Dict>();
  for (auto &[name, value] : a.named)
    m.put(*dict, makeString(name), value);
  return m.percent(text, m.dict(std::move(dict)));
}

Value indent(M m, V v, A a) {
  auto given = m.bind("indent", a, {"width", "first", "blank"}, 0);
  std::string space = "    ";
  if (given[0]) {
    if (given[0]->isString()) {
      space = given[0]->text();
    } else {
      int64_t width = m.index(*given[0], "indent's width");
      if (width > 1000000)
        return m.exhausted("indent's width is larger than 1000000");
      space = std::string(size_t(std::max<int64_t>(width, 0)), ' ');
    }
  }
  bool first = given[1] && m.truth(*given[1]), blank = given[2] && m.truth(*given[2]);
  if (v.isUndefined())
    return m.attribute(v, "indent");
  std::string text = m.textOf(v, "what is indented") + "\n";
  if (m.failed())
    return Value();
  std::vector<std::string_view> lines = linesOf(text, false);
  std::string out = first ? space : "";
  m.charge(lines.size() * space.size() + text.size());
  for (size_t i = 0; i < lines.size() && !m.failed(); ++i) {
    if (i)
      out += '\n';
    if (i && (blank || !lines[i].empty()))
      out += space;
    out += lines[i];
  }
  return m.string(std::move(out)).asMarkup(v.isMarkup());
}

Value replace(M m, V v, A a) {
  auto given = m.bind("replace", a, {"old", "new", "count"}, 2);
  int64_t most = absent(given[2]) ? -1 : m.index(*given[2], "replace's count");
  std::string text = m.str(v), old = m.str(*given[0]), with = m.str(*given[1]);
  return m.failed() ? Value() : m.string(replaced(m, text, old, with, most));
}

Value trim(M m, V v, A a) {
  auto given = m.bind("trim", a, {"chars"}, 0);
  Value text = soft(m, v);
  std::string characters = absent(given[0]) ? "" : m.textOf(*given[0], "trim's argument");
  if (m.failed())
    return Value();
  m.step(text.text().size() / 64);
  return m.string(std::string(strippedOf(text.text(), absent(given[0]) ? nullptr : &characters, true, true)))
      .asMarkup(text.isMarkup());
}

Value truncate(M m, V v, A a) {
  auto given = m.bind("truncate", a, {"length", "killwords", "end", "leeway"}, 0);
  int64_t length = given[0] ? m.index(*given[0], "truncate's length") : 255;
  bool kill = given[1] && m.truth(*given[1]);
  Value end = given[2] ? *given[2] : m.string("...");
  int64_t leeway = absent(given[3]) ? 5 : m.index(*given[3], "truncate's leeway");
  m.textOf(end, "truncate's end");
  if (m.failed())
    return Value();
  int64_t tail = m.length(end);
  if (length < tail || leeway < 0)
    return m.fail("AssertionError", "truncate's length is shorter than its end, or its leeway is negative");
  if (!m.hasLength(v) || !(v.isString() || v.isUndefined()))
    return m.fail("TypeError", "truncate wants a string, not a " + std::string(typeName(v)));
  if (m.length(v) <= length || m.length(v) - leeway <= length)
    return v;
  Value head = m.slice(v, Value::none(), Value(length - tail), Value::none());
  if (m.failed())
    return Value();
  std::string text = kill ? head.text() : std::string(beforeLastSpace(head.text()));
  return m.string(text + end.text()).asMarkup(v.isMarkup());
}

Value wordCount(M m, V v, A a) {
  m.bind("wordcount", a, {}, 0);
  Value text = soft(m, v);
  if (m.failed())
    return Value();
  int64_t words = 0;
  bool inside = false;
  unsigned length;
  for (size_t i = 0; i < text.text().size(); i += length) {
    bool word = isWord(codeAt(text.text(), i, length));
    words += word && !inside;
    inside = word;
  }
  return Value(words);
}

// --- For markup and addresses ---

void unescapeInto(std::string &out, std::string_view text);

Value stripTags(M m, V v, A a) {
  m.bind("striptags", a, {}, 0);
  std::string given = m.str(v), text;
  size_t position = 0;
  for (size_t begin; (begin = given.find('<', position)) != std::string::npos && m.step();) {
    bool comment = std::string_view(given).substr(begin).starts_with("<!--");
    size_t end = given.find(comment ? "-->" : ">", begin + (comment ? 4 : 0));
    if (end == std::string::npos)
      break;
    text.append(given, position, begin - position);
    position = end + (comment ? 3 : 1);
  }
  text.append(given, position);
  std::string words;
  bool space = false;
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    if (isSpace(code)) {
      space = true;
      continue;
    }
    if (space && !words.empty())
      words += ' ';
    space = false;
    words.append(text, i, length);
  }
  std::string out;
  unescapeInto(out, words);
  return m.failed() ? Value() : m.string(std::move(out));
}

// The entities that escape() writes, and numbered ones. (HTML has some two thousand more by name.)
void unescapeInto(std::string &out, std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", "\u00a0"}};
  for (size_t i = 0; i < text.size();) {
    size_t taken = 0;
    if (text[i] == '&') {
      for (auto [name, meaning] : names)
        if (text.substr(i).starts_with(name)) {
          out += meaning;
          taken = name.size();
        }
      if (!taken && text.substr(i).starts_with("&#")) {
        bool hex = i + 2 < text.size() && (text[i + 2] | 32) == 'x';
        size_t end = text.find(';', i), begin = i + 2 + hex;
        bool tooBig;
        std::string_view digits =
            end == std::string_view::npos || end > begin + 7 ? "" : text.substr(begin, end - begin);
        bool plain = !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) {
          return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
        });
        std::optional<Integer> code = plain ? parseInteger(digits, hex ? 16 : 10, tooBig) : std::nullopt;
        if (code && *code > 0 && *code <= 0x10FFFF && !(*code >= 0xD800 && *code < 0xE000)) {
          text::appendUtf8(out, uint32_t(*code));
          taken = end + 1 - i;
        }
      }
    }
    if (!taken) {
      out += text[i];
      taken = 1;
    }
    i += taken;
  }
}

std::string quotedForUrl(M m, V v, bool forQuery) {
  std::string text = m.str(v), out;
  for (char c : text) {
    if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || c == '.' || c == '-' ||
        c == '~' || (c == '/' && !forQuery)) {
      out += c;
    } else if (c == ' ' && forQuery) {
      out += '+';
    } else {
      char spelled[8];
      std::snprintf(spelled, sizeof(spelled), "%%%02X", static_cast<unsigned char>(c));
      out += spelled;
    }
  }
  return out;
}

Value urlEncode(M m, V v, A a) {
  m.bind("urlencode", a, {}, 0);
  if (m.failed())
    return Value();
  if (v.isString() || !m.isIterable(v))
    return m.string(quotedForUrl(m, v, false));
  std::vector<Value> pairs;
  if (v.is(Kind::Dict))
    for (const auto &[key, value] : v.as<Dict>().items)
      pairs.push_back(m.tuple({key, value}));
  else
    pairs = m.toVector(v);
  std::string out;
  for (const Value &pair : pairs) {
    std::vector<Value> two = m.toVector(pair);
    if (m.failed())
      return Value();
    if (two.size() != 2)
      return m.fail("ValueError", "urlencode wants pairs");
    out += (out.empty() ? "" : "&") + quotedForUrl(m, two[0], true) + "=" + quotedForUrl(m, two[1], true);
  }
  return m.string(std::move(out));
}

Value xmlAttr(M m, V v, A a) {
  auto given = m.bind("xmlattr", a, {"autospace"}, 0);
  if (v.isUndefined())
    return m.attribute(v, "items");
  if (!v.is(Kind::Dict))
    return m.fail("TypeError", "xmlattr wants a dict, not a " + std::string(typeName(v)));
  std::string out;
  for (const auto &[key, value] : v.as<Dict>().items) {
    if (value.is(Kind::None) || value.isUndefined())
      continue;
    const std::string &name = m.textOf(key, "an attribute's name");
    if (name.find_first_of(" \t\n\r\f\v/>=") != std::string::npos)
      return m.fail("ValueError", "an attribute's name is " + runtime::quoted(name));
    std::string content = m.escape(value).text();
    if (m.failed())
      return Value();
    out += (out.empty() ? "" : " ") + m.escape(key).text() + "=\"" + content + "\"";
  }
  if (!out.empty() && (!given[0] || m.truth(*given[0])))
    out = " " + out;
  return m.failed() ? Value() : m.string(std::move(out));
}

Value fileSize(M m, V v, A a) {
  auto given = m.bind("filesizeformat", a, {"binary"}, 0);
  bool binary = given[0] && m.truth(*given[0]);
  if (v.isUndefined())
    return m.attribute(v, "float");
  std::optional<double> size = v.isNumber() ? v.real() : v.isString() ? parseFloat(v.text()) : std::nullopt;
  if (m.failed() || !size || std::isnan(*size))
    return m.fail("ValueError", "filesizeformat wants a number");
  double base = binary ? 1024 : 1000;
  static constexpr const char *units[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  static constexpr const char *binaryUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  char text[400];
  if (*size == 1)
    return m.string("1 Byte");
  if (*size < base) {
    if (!std::isfinite(*size) || *size < -1.7e38)
      return m.fail("OverflowError", "filesizeformat is given an infinite number");
    return m.string(integerText(Integer(*size)) + " Bytes");
  }
  double unit = base;
  for (int i = 0; i < 8; ++i) {
    unit *= base;
    if (*size < unit || i == 7) {
      std::snprintf(text, sizeof(text), "%.1f %s", base * *size / unit, (binary ? binaryUnits : units)[i]);
      return m.string(std::isinf(*size) ? std::string("inf ") + (binary ? binaryUnits : units)[i] : text);
    }
  }
  return Value();
}

// What pprint shows on one line: repr() with the keys in order.
Value inOrder(M m, V v) {
  if (!m.deepEnough() || !m.step())
    return Value();
  if (v.isSequence()) {
    std::vector<Value> out;
    for (const Value &item : v.items())
      out.push_back(inOrder(m, item));
    return m.list(std::move(out), v.kind());
  }
  if (!v.is(Kind::Dict))
    return v;
  auto items = v.as<Dict>().items;
  for (const auto &[key, value] : items)
    if (!key.isString() && items.size() > 1)
      return m.fail("pprint of a dict with keys that are not strings is not supported");
  sortBy(m, items, false);
  auto out = std::make_shared<Dict>();
  for (const auto &[key, value] : items)
    m.put(*out, key, inOrder(m, value));
  return m.dict(std::move(out));
}

Value prettyPrint(M m, V v, A a) {
  m.bind("pprint", a, {}, 0);
  std::string text = m.repr(inOrder(m, v));
  if (!m.failed() && countCodes(text) > 79)
    return m.fail("pprint of what does not fit a line of 80 columns is not supported: tojson(indent=2) shows it");
  return m.failed() ? Value() : m.string(std::move(text));
}

constexpr Filter kFilters[] = {
    {"capitalize", changes<capitalize>},
    {"center", center},
    {"e", escape},
    {"escape", escape},
    {"filesizeformat", fileSize},
    {"forceescape", forceEscape},
    {"format", formatFilter},
    {"indent", indent},
    {"lower", changes<lower>},
    {"pprint", prettyPrint},
    {"replace", replace},
    {"safe", safe},
    {"string", asString},
    {"striptags", stripTags},
    {"title", changes<titled>},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", changes<upper>},
    {"urlencode", urlEncode},
    {"wordcount", wordCount},
    {"wordwrap", wordWrap},
    {"xmlattr", xmlAttr},
};

} // namespace

const Filter *findTextFilter(std::string_view name) { return findIn(kFilters, name); }

} // namespace ingot::chat
