// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See regex_sets.h.
#include "compiler/import/tokenizer/regex_sets.h"

#include "runtime/text/unicode.h"

namespace ingot::tokenizer {

bool isAsciiLetter(uint32_t c) { return c < 128 && ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

static bool foldsToItself(const CharSet &set) { return set.folded() == set; }

SetParser::SetParser(std::string_view pattern, std::string &error) : error_(error) {
  for (size_t i = 0; i < pattern.size();) {
    unsigned length;
    input_.push_back(text::decodeUtf8(pattern.data() + i, length));
    i += length;
  }
}

bool SetParser::take(char c) {
  if (atEnd() || peek() != static_cast<unsigned char>(c))
    return false;
  ++at_;
  return true;
}

bool SetParser::failed(const std::string &what) {
  if (error_.empty())
    error_ = what + " at position " + std::to_string(at_ + 1);
  return false;
}

std::string SetParser::shown(uint32_t c) {
  std::string out;
  text::appendUtf8(out, c);
  return out;
}

bool SetParser::foldable(const CharSet &set) {
  static const CharSet cased = [] {
    CharSet upper, lower, title, ascii = CharSet::range(0, 127);
    CharSet::property("Lu", upper);
    CharSet::property("Ll", lower);
    CharSet::property("Lt", title);
    upper.add(lower);
    upper.add(title);
    return upper.intersection(ascii.complement());
  }();
  if (set.intersects(cased))
    return failed("case-insensitive matching of letters beyond ASCII is not supported,");
  return true;
}

bool SetParser::escaped(CharSet &set, bool &is_set, uint32_t &code, bool in_class) {
  size_t begin = at_;
  ++at_;
  if (atEnd())
    return failed("a \\ at the end");
  uint32_t c = input_[at_++];
  is_set = true;
  auto give = [&](CharSet s, bool opposite) {
    set = opposite ? s.complement() : std::move(s);
    return true;
  };
  switch (c) {
  case 'd':
  case 'D':
    return give(CharSet::digit(), c == 'D');
  case 's':
  case 'S':
    return give(CharSet::space(), c == 'S');
  case 'w':
  case 'W':
    return give(in_class ? CharSet::bracketWord() : CharSet::word(), c == 'W');
  case 'h':
  case 'H': {
    CharSet hex = CharSet::range('0', '9');
    hex.add('a', 'f');
    hex.add('A', 'F');
    return give(hex, c == 'H');
  }
  case 'p':
  case 'P': {
    if (!take('{'))
      return failed("\\p without {");
    bool opposite = c == 'P';
    if (take('^'))
      opposite = !opposite;
    std::string name;
    while (!atEnd() && peek() != '}')
      text::appendUtf8(name, input_[at_++]);
    if (!take('}'))
      return failed("\\p{ without }");
    CharSet found;
    if (!CharSet::property(name, found)) {
      at_ = begin;
      return failed("the character property '" + name + "' is not supported,");
    }
    return give(found, opposite);
  }
  default:
    break;
  }
  is_set = false;
  static constexpr std::pair<char, uint32_t> kControls[] = {{'t', 9},  {'n', 10}, {'v', 11}, {'f', 12},
                                                            {'r', 13}, {'a', 7},  {'e', 27}};
  for (auto [letter, value] : kControls)
    if (c == static_cast<unsigned char>(letter)) {
      code = value;
      return true;
    }
  if (c == 'x' || c == 'u') {
    bool braces = c == 'x' && take('{');
    size_t digits = 0, most = braces ? 8 : c == 'x' ? 2 : 4;
    uint64_t value = 0;
    for (; digits < most && !atEnd(); ++digits, ++at_) {
      uint32_t d = peek(), v = d >= '0' && d <= '9'                     ? d - '0'
                               : (d | 0x20) >= 'a' && (d | 0x20) <= 'f' ? (d | 0x20) - 'a' + 10
                                                                        : 16;
      if (v == 16)
        break;
      value = value * 16 + v;
    }
    if (digits == 0 || (c == 'u' && digits != 4) || (braces && !take('}')))
      return failed("a malformed \\" + shown(c));
    if (value >= kCodePoints || (value >= 0xD800 && value < 0xE000) || (c == 'x' && !braces && value >= 128)) {
      at_ = begin;
      return failed("an escape that is no character");
    }
    code = static_cast<uint32_t>(value);
    return true;
  }
  if (isAsciiLetter(c) || (c >= '0' && c <= '9')) {
    at_ = begin;
    return failed("\\" + shown(c) + " is not supported,");
  }
  code = c;
  return true;
}

bool SetParser::characterClass(int depth, CharSet &out) {
  if (depth > kMaxDepth)
    return failed("classes nested too deeply");
  bool opposite = take('^');
  bool intersecting = false;
  CharSet left, items;
  if (peek() == ']')
    return failed("an empty class, or one that begins with ],");
  for (;;) {
    if (atEnd())
      return failed("a class without ]");
    if (take(']'))
      break;
    if (peek() == '&' && peek(1) == '&') {
      at_ += 2;
      left = intersecting ? left.intersection(items) : items;
      items = CharSet();
      intersecting = true;
      continue;
    }
    if (peek() == '[') {
      CharSet inner;
      if (peek(1) == ':') {
        if (!namedClass(inner))
          return false;
        items.add(inner);
        continue;
      }
      ++at_;
      if (!characterClass(depth + 1, inner))
        return false;
      items.add(inner);
      continue;
    }
    CharSet set;
    bool is_set = false;
    uint32_t first = 0, last = 0;
    size_t begin = at_;
    if (!classItem(set, is_set, first))
      return false;
    if (is_set) {
      if (peek() == '-' && peek(1) != ']')
        return failed("a range that begins with a class");
      if (fold_ && (set.contains('a') != set.contains('A') || !foldsToItself(set))) {
        at_ = begin;
        return failed("under (?i) a property that tells case apart is not supported,");
      }
      items.add(set);
      continue;
    }
    last = first;
    if (peek() == '-' && peek(1) != ']' && at_ + 1 < input_.size()) {
      ++at_;
      if (peek() == '[' || (peek() == '&' && peek(1) == '&'))
        return failed("a range that ends with a class");
      if (!classItem(set, is_set, last))
        return false;
      if (is_set)
        return failed("a range that ends with a class");
    }
    if (last < first)
      return failed("a range that ends before it begins");
    CharSet range = CharSet::range(first, last);
    if (fold_) {
      if (!foldable(range))
        return false;
      range = range.folded();
    }
    items.add(range);
  }
  if (intersecting)
    items = left.intersection(items);
  out = opposite ? items.complement() : items;
  return true;
}

bool SetParser::namedClass(CharSet &out) {
  size_t begin = at_;
  at_ += 2;
  bool opposite = take('^');
  std::string name;
  while (isAsciiLetter(peek()))
    name += static_cast<char>(input_[at_++]);
  if (!take(':') || !take(']') || !CharSet::property(name, out) || (fold_ && !foldsToItself(out))) {
    at_ = begin;
    return failed("the bracket [:" + name + ":] is not supported,");
  }
  if (opposite)
    out = out.complement();
  return true;
}

bool SetParser::classItem(CharSet &set, bool &is_set, uint32_t &code) {
  if (peek() == '\\') {
    if (peek(1) == 'b') {
      at_ += 2;
      code = 8;
      return true;
    }
    return escaped(set, is_set, code, true);
  }
  if (atEnd())
    return failed("a class without ]");
  code = input_[at_++];
  return true;
}

} // namespace ingot::tokenizer
