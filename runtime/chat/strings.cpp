// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See strings.h. A method of markup gives markup, as markupsafe has it.
#include "runtime/chat/strings.h"
#include "runtime/chat/characters.h"

#include <algorithm>

namespace ingot::chat {

namespace {

using M = Machine &;
using V = const Value &;
using A = Arguments &;

// The text of an argument that comes into the result: escaped where `self` is markup.
std::string escapedFor(M m, V self, V value, const char *what) {
  const std::string &text = m.textOf(value, what);
  return self.isMarkup() && !value.isMarkup() ? escapedText(text) : text;
}

Value like(M m, V self, std::string text) { return m.string(std::move(text)).asMarkup(self.isMarkup()); }

bool absent(const Value *value) { return !value || value->is(Kind::None); }

// --- Case and classes ---

template <std::string (*change)(std::string_view)> Value changes(M m, V self, A a) {
  m.bind("the method", a, {}, 0);
  m.step(self.text().size() / 16);
  return m.failed() ? Value() : like(m, self, change(self.text()));
}

template <bool (*holds)(uint32_t), bool emptyHolds> Value all(M m, V self, A a) {
  m.bind("the method", a, {}, 0);
  m.step(self.text().size() / 16);
  const std::string &text = self.text();
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length)
    if (!holds(codeAt(text, i, length)))
      return Value(false);
  return Value(emptyHolds || !text.empty());
}

bool ascii(uint32_t code) { return code < 0x80; }

template <bool wantsUpper> Value hasCase(M m, V self, A a) {
  m.bind("the method", a, {}, 0);
  bool any = false;
  unsigned length;
  for (size_t i = 0; i < self.text().size(); i += length) {
    uint32_t code = codeAt(self.text(), i, length);
    if ((wantsUpper ? isLower(code) : isUpper(code)) || isTitle(code))
      return Value(false);
    any |= wantsUpper ? isUpper(code) : isLower(code);
  }
  return Value(any);
}

Value isTitled(M m, V self, A a) {
  m.bind("istitle", a, {}, 0);
  bool any = false, inWord = false;
  unsigned length;
  for (size_t i = 0; i < self.text().size(); i += length) {
    uint32_t code = codeAt(self.text(), i, length);
    if (isUpper(code) || isTitle(code)) {
      if (inWord)
        return Value(false);
      any = inWord = true;
    } else if (isLower(code)) {
      if (!inWord)
        return Value(false);
      any = true;
    } else {
      inWord = false;
    }
  }
  return Value(any);
}

Value isIdentifier(M m, V self, A a) {
  m.bind("isidentifier", a, {}, 0);
  const std::string &text = self.text();
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    if (!(code == '_' || isAlpha(code) || (i > 0 && isDecimal(code))))
      return Value(false);
  }
  return Value(!text.empty());
}

// --- Finding ---

struct Part {
  std::string_view text;
  size_t offset = 0; // in bytes
  bool beyond = false;
};

// text[start:stop] of the methods that take both.
Part part(M m, V self, const Value *start, const Value *stop) {
  const std::string &text = self.text();
  int64_t size = m.length(self);
  auto bound = [&](const Value *value, int64_t otherwise) {
    int64_t at = absent(value) ? otherwise : m.index(*value, "a bound");
    return at < 0 ? std::max<int64_t>(at + size, 0) : at;
  };
  int64_t from = bound(start, 0), to = std::min(bound(stop, size), size);
  if (from > to)
    return {"", text.size(), true};
  size_t begin = self.string().ascii ? size_t(from) : byteOf(text, size_t(from));
  size_t end =
      self.string().ascii ? size_t(to) : begin + byteOf(std::string_view(text).substr(begin), size_t(to - from));
  return {std::string_view(text).substr(begin, end - begin), begin, false};
}

template <bool last, bool raises> Value find(M m, V self, A a) {
  auto given = m.bind("find", a, {"sub", "start", "end"}, 1, true);
  std::string wanted = m.textOf(*given[0], "what is looked for");
  Part where = part(m, self, given[1], given[2]);
  m.step(self.text().size() / 64);
  if (m.failed())
    return Value();
  size_t at = where.beyond ? std::string::npos : last ? where.text.rfind(wanted) : where.text.find(wanted);
  if (at != std::string::npos)
    return Value(int64_t(countCodes(std::string_view(self.text()).substr(0, where.offset + at))));
  return raises ? m.fail("ValueError", "a substring is not found") : Value(int64_t(-1));
}

Value count(M m, V self, A a) {
  auto given = m.bind("count", a, {"sub", "start", "end"}, 1, true);
  std::string wanted = m.textOf(*given[0], "what is counted");
  Part where = part(m, self, given[1], given[2]);
  m.step(self.text().size() / 64);
  if (m.failed() || where.beyond)
    return Value(int64_t(0));
  if (wanted.empty())
    return Value(int64_t(countCodes(where.text)) + 1);
  int64_t found = 0;
  for (size_t at = where.text.find(wanted); at != std::string::npos; at = where.text.find(wanted, at + wanted.size()))
    ++found;
  return Value(found);
}

template <bool end> Value startsOrEnds(M m, V self, A a) {
  auto given = m.bind(end ? "endswith" : "startswith", a, {"prefix", "start", "end"}, 1, true);
  Part where = part(m, self, given[1], given[2]);
  auto matches = [&](V wanted) {
    const std::string &text = m.textOf(wanted, end ? "endswith's argument" : "startswith's argument");
    return !m.failed() && !where.beyond && (end ? where.text.ends_with(text) : where.text.starts_with(text));
  };
  if (!given[0]->is(Kind::Tuple))
    return Value(matches(*given[0]));
  for (const Value &wanted : given[0]->items())
    if (matches(wanted))
      return Value(true);
  return Value(false);
}

// --- Parts ---

template <bool left, bool right> Value strip(M m, V self, A a) {
  auto given = m.bind("strip", a, {"chars"}, 0, true);
  std::string characters = absent(given[0]) ? std::string() : m.textOf(*given[0], "strip's argument");
  m.step(self.text().size() / 64);
  if (m.failed())
    return Value();
  return like(m, self, std::string(strippedOf(self.text(), absent(given[0]) ? nullptr : &characters, left, right)));
}

template <bool prefix> Value removed(M m, V self, A a) {
  const Value &what = *m.bind(prefix ? "removeprefix" : "removesuffix", a, {"prefix"}, 1, true)[0];
  std::string wanted = m.textOf(what, "what is removed");
  std::string_view text = self.text();
  if (!wanted.empty() && (prefix ? text.starts_with(wanted) : text.ends_with(wanted)))
    text = prefix ? text.substr(wanted.size()) : text.substr(0, text.size() - wanted.size());
  return m.failed() ? Value() : like(m, self, std::string(text));
}

Value pieces(M m, V self, const std::vector<std::string_view> &texts) {
  std::vector<Value> out;
  for (std::string_view text : texts) {
    if (m.failed())
      return Value();
    out.push_back(like(m, self, std::string(text)));
  }
  return m.list(std::move(out));
}

std::vector<std::string_view> splitSpace(std::string_view text, int64_t most, bool fromRight) {
  std::vector<std::string_view> out;
  unsigned length;
  for (text = stripped(text, !fromRight, fromRight); !text.empty(); text = stripped(text, !fromRight, fromRight)) {
    size_t cut = 0;
    if (most == 0) {
      cut = text.size();
    } else if (fromRight) {
      size_t begin = cut = text.size();
      while (cut > 0 && !isSpace(codeBefore(text, cut, begin)))
        cut = begin;
      cut = text.size() - cut;
    } else {
      while (cut < text.size() && !isSpace(codeAt(text, cut, length)))
        cut += length;
    }
    out.push_back(fromRight ? text.substr(text.size() - cut) : text.substr(0, cut));
    text = fromRight ? text.substr(0, text.size() - cut) : text.substr(cut);
    --most;
  }
  return out;
}

template <bool fromRight> Value split(M m, V self, A a) {
  auto given = m.bind(fromRight ? "rsplit" : "split", a, {"sep", "maxsplit"}, 0);
  int64_t most = given[1] ? m.index(*given[1], "maxsplit") : -1;
  std::string_view text = self.text();
  m.step(text.size() / 16);
  std::vector<std::string_view> out;
  if (absent(given[0])) {
    out = splitSpace(text, most, fromRight);
  } else {
    std::string separator = m.textOf(*given[0], "the separator");
    if (separator.empty() && !m.failed())
      return m.fail("ValueError", "the separator is empty");
    while (most != 0 && !m.failed()) {
      size_t at = fromRight ? text.rfind(separator) : text.find(separator);
      if (at == std::string_view::npos)
        break;
      out.push_back(fromRight ? text.substr(at + separator.size()) : text.substr(0, at));
      text = fromRight ? text.substr(0, at) : text.substr(at + separator.size());
      --most;
    }
    out.push_back(text);
  }
  if (fromRight)
    std::reverse(out.begin(), out.end());
  return pieces(m, self, out);
}

Value splitLines(M m, V self, A a) {
  auto given = m.bind("splitlines", a, {"keepends"}, 0);
  return m.failed() ? Value() : pieces(m, self, linesOf(self.text(), given[0] && m.truth(*given[0])));
}

template <bool last> Value partition(M m, V self, A a) {
  const Value &by = *m.bind("partition", a, {"sep"}, 1, true)[0];
  std::string separator = m.textOf(by, "the separator");
  if (separator.empty() && !m.failed())
    return m.fail("ValueError", "the separator is empty");
  std::string_view text = self.text();
  size_t at = last ? text.rfind(separator) : text.find(separator);
  std::vector<std::string_view> out;
  if (at != std::string_view::npos)
    out = {text.substr(0, at), separator, text.substr(at + separator.size())};
  else if (last)
    out = {"", "", text};
  else
    out = {text, "", ""};
  Value list = pieces(m, self, out);
  return m.failed() ? Value() : m.list(list.items(), Kind::Tuple);
}

// --- Made of others ---

Value replace(M m, V self, A a) {
  auto given = m.bind("replace", a, {"old", "new", "count"}, 2, true);
  std::string old = m.textOf(*given[0], "what is replaced"), with = escapedFor(m, self, *given[1], "the replacement");
  int64_t most = given[2] ? m.index(*given[2], "replace's count") : -1;
  return m.failed() ? Value() : like(m, self, replaced(m, self.text(), old, with, most));
}

Value join(M m, V self, A a) {
  const Value &items = *m.bind("join", a, {"iterable"}, 1, true)[0];
  std::string out;
  bool first = true;
  if (m.failed())
    return Value();
  Next next = m.iterate(items);
  for (Value item; next(m, item);) {
    std::string text = self.isMarkup() ? m.escape(item).text() : m.textOf(item, "an item of join()");
    if (m.failed() || !m.charge(text.size() + self.text().size()))
      return Value();
    if (!first)
      out += self.text();
    first = false;
    out += text;
  }
  return like(m, self, std::move(out));
}

std::string fillOf(M m, V self, const Value *fill) {
  std::string text = fill ? escapedFor(m, self, *fill, "the fill") : " ";
  if (!m.failed() && countCodes(text) != 1)
    m.fail("TypeError", "the fill is not one character");
  return text;
}

// Spaces to the left and right of a text, charged.
std::string padded(M m, std::string_view text, int64_t left, int64_t right, std::string_view fill) {
  left = std::max<int64_t>(left, 0);
  right = std::max<int64_t>(right, 0);
  if (left > int64_t(m.options.maxBytes) || right > int64_t(m.options.maxBytes) ||
      !m.charge(uint64_t(left + right) * fill.size())) {
    m.exhausted("a text is padded too far");
    return "";
  }
  std::string out;
  for (int64_t i = 0; i < left; ++i)
    out += fill;
  out += text;
  for (int64_t i = 0; i < right; ++i)
    out += fill;
  return out;
}

enum class Side { Left, Center, Right };

template <Side side> Value justify(M m, V self, A a) {
  auto given = m.bind("the method", a, {"width", "fillchar"}, 1, true);
  int64_t width = m.index(*given[0], "the width");
  std::string fill = fillOf(m, self, given[1]);
  if (m.failed())
    return Value();
  int64_t gap = width <= 0 ? 0 : width - m.length(self);
  if (side == Side::Center)
    return like(m, self, centered(m, self.text(), width, fill));
  return like(m, self, padded(m, self.text(), side == Side::Right ? gap : 0, side == Side::Left ? gap : 0, fill));
}

Value zfill(M m, V self, A a) {
  int64_t width = m.index(*m.bind("zfill", a, {"width"}, 1, true)[0], "the width");
  if (m.failed())
    return Value();
  std::string_view text = self.text();
  bool sign = text.starts_with('-') || text.starts_with('+');
  int64_t gap = width <= 0 ? 0 : width - m.length(self);
  return like(m, self, std::string(text.substr(0, sign)) + padded(m, text.substr(sign), gap, 0, "0"));
}

Value expandTabs(M m, V self, A a) {
  auto given = m.bind("expandtabs", a, {"tabsize"}, 0);
  int64_t size = given[0] ? m.index(*given[0], "tabsize") : 8;
  std::string out;
  int64_t column = 0;
  for (char c : self.text()) {
    if (c == '\t') {
      int64_t gap = size > 0 ? size - column % size : 0;
      column += gap;
      if (gap > int64_t(m.options.maxBytes) || !m.charge(uint64_t(gap)))
        return m.exhausted("tabs are expanded too far");
      out.append(size_t(gap), ' ');
    } else {
      out += c;
      column = c == '\n' || c == '\r' ? 0 : column + !text::isContinuation(c);
    }
  }
  return like(m, self, std::move(out));
}

Value formatMethod(M m, V self, A a) { return m.format(self, a); }

Value formatMap(M m, V self, A a) {
  const Value &mapping = *m.bind("format_map", a, {"mapping"}, 1, true)[0];
  if (m.failed())
    return Value();
  if (!mapping.is(Kind::Dict))
    return m.fail("TypeError", "format_map() wants a dict");
  Arguments arguments;
  for (const auto &[key, value] : mapping.as<Dict>().items)
    if (key.isString())
      arguments.named.emplace_back(key.text(), value);
  return m.format(self, arguments);
}

constexpr std::pair<std::string_view, FunctionBody> kMethods[] = {
    {"capitalize", changes<capitalize>},
    {"casefold", changes<casefold>},
    {"center", justify<Side::Center>},
    {"count", count},
    {"endswith", startsOrEnds<true>},
    {"expandtabs", expandTabs},
    {"find", find<false, false>},
    {"format", formatMethod},
    {"format_map", formatMap},
    {"index", find<false, true>},
    {"isalnum", all<isAlnum, false>},
    {"isalpha", all<isAlpha, false>},
    {"isascii", all<ascii, true>},
    {"isdecimal", all<isDecimal, false>},
    {"isdigit", all<isDigit, false>},
    {"isidentifier", isIdentifier},
    {"islower", hasCase<false>},
    {"isnumeric", all<isNumeric, false>},
    {"isprintable", all<isPrintable, true>},
    {"isspace", all<isSpace, false>},
    {"istitle", isTitled},
    {"isupper", hasCase<true>},
    {"join", join},
    {"ljust", justify<Side::Left>},
    {"lower", changes<lower>},
    {"lstrip", strip<true, false>},
    {"partition", partition<false>},
    {"removeprefix", removed<true>},
    {"removesuffix", removed<false>},
    {"replace", replace},
    {"rfind", find<true, false>},
    {"rindex", find<true, true>},
    {"rjust", justify<Side::Right>},
    {"rpartition", partition<true>},
    {"rsplit", split<true>},
    {"rstrip", strip<false, true>},
    {"split", split<false>},
    {"splitlines", splitLines},
    {"startswith", startsOrEnds<false>},
    {"strip", strip<true, true>},
    {"swapcase", changes<swapcase>},
    {"title", changes<title>},
    {"upper", changes<upper>},
    {"zfill", zfill},
};

} // namespace

FunctionBody findStringMethod(std::string_view name) {
  for (const auto &[known, body] : kMethods)
    if (known == name)
      return body;
  return nullptr;
}

std::string replaced(Machine &machine, std::string_view text, std::string_view old, std::string_view with,
                     int64_t count) {
  std::string out;
  machine.step(text.size() / 64);
  auto room = [&] { return machine.charge(with.size()) && !machine.failed(); };
  if (old.empty()) {
    size_t i = 0;
    for (; count != 0 && room(); --count) {
      out += with;
      if (i >= text.size())
        return out;
      size_t length = text::lengthOfLead(text[i]);
      out.append(text.substr(i, length));
      i += length;
    }
    return out.append(text.substr(std::min(i, text.size())));
  }
  for (size_t at; count != 0 && (at = text.find(old)) != std::string_view::npos && room(); --count) {
    out.append(text.substr(0, at)).append(with);
    text.remove_prefix(at + old.size());
  }
  return out.append(text);
}

std::string_view strippedOf(std::string_view text, const std::string *characters, bool left, bool right) {
  if (!characters)
    return stripped(text, left, right);
  auto within = [&](std::string_view one) { return characters->find(one) != std::string::npos; };
  while (left && !text.empty()) {
    size_t length = text::lengthOfLead(text[0]);
    if (!within(text.substr(0, length)))
      break;
    text.remove_prefix(length);
  }
  while (right && !text.empty()) {
    size_t begin;
    codeBefore(text, text.size(), begin);
    if (!within(text.substr(begin)))
      break;
    text = text.substr(0, begin);
  }
  return text;
}

std::vector<std::string_view> linesOf(std::string_view text, bool keepEnds) {
  std::vector<std::string_view> out;
  unsigned length;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    bool ends =
        (code >= 10 && code <= 13) || (code >= 28 && code <= 30) || code == 0x85 || code == 0x2028 || code == 0x2029;
    if (!ends)
      continue;
    size_t past = i + length;
    if (code == '\r' && past < text.size() && text[past] == '\n')
      length = unsigned(++past - i);
    out.push_back(text.substr(begin, (keepEnds ? past : i) - begin));
    begin = past;
  }
  if (begin < text.size())
    out.push_back(text.substr(begin));
  return out;
}

std::string_view beforeLastSpace(std::string_view text) {
  size_t at = text.rfind(' ');
  return at == std::string_view::npos ? text : text.substr(0, at);
}

std::string centered(Machine &machine, std::string_view text, int64_t width, std::string_view fill) {
  int64_t gap = width - int64_t(countCodes(text));
  if (gap <= 0)
    return std::string(text);
  int64_t left = gap / 2 + (gap & width & 1);
  return padded(machine, text, left, gap - left, fill);
}

} // namespace ingot::chat
