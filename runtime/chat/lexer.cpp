// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See lexer.h.
#include "runtime/chat/lexer.h"
#include "runtime/chat/characters.h"

#include <charconv>
#include <cstring>

namespace ingot::chat {

namespace {

using runtime::Error;
using runtime::ErrorCode;
using runtime::makeError;
using runtime::Result;

// "\r\n" and "\r" become "\n".
std::string withPlainNewlines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
      continue;
    }
    out += '\n';
    if (i + 1 < text.size() && text[i + 1] == '\n')
      ++i;
  }
  return out;
}

class Lexer {
public:
  explicit Lexer(std::string_view given) : source(withPlainNewlines(given)) {
    if (!source.empty() && source.back() == '\n')
      source.pop_back();
  }

  Result<std::vector<Token>> run() {
    while (at < source.size() && !error)
      text();
    if (error)
      return *std::move(error);
    add(TokenKind::End, "");
    return std::move(tokens);
  }

private:
  std::string source;
  std::vector<Token> tokens;
  std::optional<Error> error;
  size_t at = 0;
  int line = 1;
  bool lineStarting = true;

  void add(TokenKind kind, std::string text) { tokens.push_back({kind, line, std::move(text), 0, 0}); }

  void fail(std::string what) {
    if (!error)
      error = makeError(ErrorCode::InvalidArgument, "line %d: %s", line, what.c_str());
    at = source.size();
  }

  bool startsWith(std::string_view prefix, size_t position) const {
    return std::string_view(source).substr(std::min(position, source.size())).starts_with(prefix);
  }

  // Moves on to `to`, counting lines.
  void advance(size_t to) {
    for (size_t i = at; i < to; ++i)
      line += source[i] == '\n';
    if (to > at)
      lineStarting = source[to - 1] == '\n';
    at = to;
  }

  size_t pastSpace(size_t position) const {
    while (position < source.size()) {
      unsigned length;
      if (!isSpace(codeAt(source, position, length)))
        break;
      position += length;
    }
    return position;
  }

  // The sign after the two characters of a begin.
  char signAt(size_t position) const {
    return position < source.size() && (source[position] == '-' || source[position] == '+') ? source[position] : 0;
  }

  // The end of `{% raw %}` that begins at `position`, or 0.
  size_t rawEnd(size_t position, std::string_view word) const {
    size_t i = position + 2;
    i += signAt(i) != 0;
    i = pastSpace(i);
    if (!startsWith(word, i))
      return 0;
    return pastSpace(i + word.size());
  }

  // Data up to a tag that begins with `sign`.
  void data(size_t from, size_t end, char sign, bool strips) {
    std::string_view piece = std::string_view(source).substr(from, end - from);
    if (sign == '-') {
      piece = stripped(piece, false, true);
    } else if (sign != '+' && strips) {
      size_t newline = piece.rfind('\n');
      size_t start = newline == std::string_view::npos ? 0 : newline + 1;
      if ((start > 0 || lineStarting) && stripped(piece.substr(start), true, false).empty())
        piece = piece.substr(0, start);
    }
    if (!piece.empty())
      add(TokenKind::Data, std::string(piece));
  }

  void text() {
    size_t begin = at;
    for (;; ++begin) {
      begin = source.find('{', begin);
      if (begin == std::string::npos || begin + 1 >= source.size()) {
        data(at, source.size(), '+', false);
        advance(source.size());
        return;
      }
      if (std::strchr("%{#", source[begin + 1]))
        break;
    }
    char type = source[begin + 1], sign = signAt(begin + 2);
    data(at, begin, sign, type != '{');
    advance(begin);
    if (type == '#')
      return comment(begin + 2 + (sign != 0));
    if (type == '%')
      if (size_t end = rawEnd(begin, "raw")) {
        if (startsWith("-%}", end))
          return raw(pastSpace(end + 3));
        if (startsWith("%}", end))
          return raw(end + 2);
      }
    add(type == '%' ? TokenKind::TagBegin : TokenKind::PrintBegin, "");
    advance(begin + 2 + (sign != 0));
    tag(type == '%');
  }

  // Past an end of `close` ("#}" or "%}") at `position`, with what its sign or trim_blocks takes along.
  size_t pastEnd(size_t position, char sign) const {
    position += 2;
    if (sign == '-')
      return pastSpace(position);
    return sign == 0 && position < source.size() && source[position] == '\n' ? position + 1 : position;
  }

  void comment(size_t from) {
    size_t end = source.find("#}", from);
    if (end == std::string::npos && from < source.size()) // jinja2 minds only what would be lost
      return fail("the comment has no end");
    if (end == std::string::npos)
      return advance(source.size());
    char sign = end > from ? signAt(end - 1) : 0;
    advance(pastEnd(end, sign));
  }

  void raw(size_t from) {
    advance(from);
    for (size_t begin = from;; begin += 2) {
      begin = source.find("{%", begin);
      if (begin == std::string::npos && from >= source.size())
        return;
      if (begin == std::string::npos)
        return fail("{% raw %} has no {% endraw %}");
      size_t end = rawEnd(begin, "endraw");
      if (!end)
        continue;
      char sign = signAt(end);
      if (!startsWith("%}", end + (sign != 0)))
        continue;
      data(at, begin, signAt(begin + 2), true);
      advance(pastEnd(end + (sign != 0), sign));
      return;
    }
  }

  void tag(bool block) {
    std::vector<char> open; // the closing brackets that are due
    while (!error) {
      advance(pastSpace(at));
      if (at >= source.size())
        return; // the parser misses the end
      if (open.empty()) {
        char sign = signAt(at);
        bool signs = block ? sign != 0 : sign == '-';
        size_t end = at + (signs ? 1 : 0);
        if (startsWith(block ? "%}" : "}}", end)) {
          add(block ? TokenKind::TagEnd : TokenKind::PrintEnd, "");
          advance(block ? pastEnd(end, sign) : sign == '-' ? pastSpace(end + 2) : end + 2);
          return;
        }
      }
      inside(open);
    }
  }

  static bool isDigit(char c) { return c >= '0' && c <= '9'; }

  // Past `12_3` at `position`; `position` where there is no digit.
  size_t pastDigits(size_t position) const {
    size_t i = position;
    while (i < source.size() && (isDigit(source[i]) || (source[i] == '_' && i > position && i + 1 < source.size() &&
                                                        isDigit(source[i + 1]) && source[i - 1] != '_')))
      ++i;
    return i;
  }

  void inside(std::vector<char> &open) {
    char c = source[at];
    if (isDigit(c))
      return number();
    if (c == '"' || c == '\'')
      return string(c);
    unsigned length;
    uint32_t code = codeAt(source, at, length);
    if (isWord(code)) {
      size_t end = at;
      bool identifier = !isDecimal(code);
      while (end < source.size() && isWord(code = codeAt(source, end, length)))
        end += length;
      std::string name = source.substr(at, end - at);
      if (!identifier)
        return fail("'" + name + "' is no name");
      add(TokenKind::Name, std::move(name));
      return advance(end);
    }
    static constexpr std::string_view two[] = {"//", "**", "==", "!=", ">=", "<="};
    static constexpr std::string_view one = "+-/*%~[](){}><=.:|,;";
    std::string_view found;
    for (std::string_view operation : two)
      if (startsWith(operation, at))
        found = operation;
    if (found.empty() && one.find(c) != std::string_view::npos)
      found = one.substr(one.find(c), 1);
    if (found.empty())
      return fail("the character " + runtime::quoted(source.substr(at, length)) + " is not expected here");
    if (c == '(' || c == '[' || c == '{')
      open.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c)
        return fail(std::string("'") + c + "' is not expected here" +
                    (open.empty() ? "" : std::string(", but '") + open.back() + "' is"));
      open.pop_back();
    }
    add(TokenKind::Operator, std::string(found));
    advance(at + found.size());
  }

  void number() {
    size_t end = pastDigits(at);
    bool real = false;
    size_t fraction = end < source.size() && source[end] == '.' ? pastDigits(end + 1) : end;
    if (fraction > end + 1)
      end = fraction, real = true;
    if (end < source.size() && (source[end] | 32) == 'e') {
      size_t exponent = end + 1;
      exponent += signAt(exponent) != 0;
      if (size_t past = pastDigits(exponent); past > exponent)
        end = past, real = true;
    }
    if (real && !(at > 0 && source[at - 1] == '.')) {
      std::string digits;
      for (char c : std::string_view(source).substr(at, end - at))
        if (c != '_')
          digits += c;
      add(TokenKind::Float, "");
      double value = 0;
      auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (parsed.ec == std::errc::result_out_of_range)
        value = digits.find("e-") != std::string::npos || digits.find("E-") != std::string::npos ? 0 : __builtin_inf();
      tokens.back().real = value;
      return advance(end);
    }
    integer();
  }

  void integer() {
    unsigned base = 10;
    size_t i = at, end = at;
    if (source[at] == '0' && at + 1 < source.size()) {
      char letter = source[at + 1] | 32;
      base = letter == 'b' ? 2 : letter == 'o' ? 8 : letter == 'x' ? 16 : 10;
    }
    auto digitAt = [&](size_t position) -> unsigned {
      if (position >= source.size())
        return 99;
      char c = source[position];
      if (isDigit(c))
        return c - '0';
      c |= 32;
      return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
    };
    if (base != 10) {
      i += 2;
      if (digitAt(i + (i < source.size() && source[i] == '_')) >= base) {
        base = 10;
        i = at;
      }
    }
    bool zero = base == 10 && source[at] == '0'; // 007 is 00 and 7
    Integer value = 0;
    for (; i < source.size(); ++i) {
      if (source[i] == '_' && (base != 10 || i > at) && digitAt(i + 1) < (zero ? 1 : base))
        continue;
      unsigned digit = digitAt(i);
      if (digit >= (zero ? 1 : base))
        break;
      if (__builtin_mul_overflow(value, Integer(base), &value) || __builtin_add_overflow(value, Integer(digit), &value))
        return fail("an integer has more than 127 bits, which Ingot's templates do not have");
    }
    end = i;
    add(TokenKind::Int, "");
    tokens.back().integer = value;
    advance(end);
  }

  void string(char quote) {
    size_t end = at + 1;
    while (end < source.size() && source[end] != quote)
      end += source[end] == '\\' ? 2 : 1;
    if (end >= source.size())
      return fail("a string has no end");
    add(TokenKind::String, "");
    std::string text = unescaped(std::string_view(source).substr(at + 1, end - at - 1));
    if (error)
      return;
    tokens.back().text = std::move(text);
    advance(end + 1);
  }

  // Python's escapes of a string literal.
  std::string unescaped(std::string_view raw) {
    std::string out;
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\') {
        out += raw[i];
        continue;
      }
      char c = ++i < raw.size() ? raw[i] : '\\';
      static constexpr std::string_view letters = "\\'\"abfnrtv";
      static constexpr std::string_view meanings = "\\'\"\a\b\f\n\r\t\v";
      if (size_t known = letters.find(c); known != std::string_view::npos) {
        out += meanings[known];
      } else if (c == '\n') {
      } else if (c >= '0' && c <= '7') {
        uint32_t code = 0;
        size_t digits = 0;
        for (; digits < 3 && i + digits < raw.size() && raw[i + digits] >= '0' && raw[i + digits] <= '7'; ++digits)
          code = code * 8 + (raw[i + digits] - '0');
        i += digits - 1;
        text::appendUtf8(out, code);
      } else if (c == 'x' || c == 'u' || c == 'U') {
        size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        std::string_view hex = raw.substr(i + 1, digits);
        uint32_t code = 0;
        auto parsed = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
        if (hex.size() < digits || parsed.ptr != hex.data() + digits) {
          fail(std::string("a string's escape \\") + c + " wants " + std::to_string(digits) + " hexadecimal digits");
          return out;
        }
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
          fail("a string's escape names " + std::string(hex) + ", which is no character");
          return out;
        }
        i += digits;
        text::appendUtf8(out, code);
      } else if (c == 'N') {
        fail("a string names a character by \\N{...}, which Ingot does not know: write it out or use \\u");
        return out;
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        // jinja2 spells what is not ASCII as an escape first, so that the backslash before it stands for itself.
        unsigned length;
        uint32_t code = codeAt(raw, i, length);
        char spelled[16];
        std::snprintf(spelled, sizeof(spelled),
                      code < 0x100     ? "\\x%02x"
                      : code < 0x10000 ? "\\u%04x"
                                       : "\\U%08x",
                      code);
        out += spelled;
        i += length - 1;
      } else {
        out += '\\';
        out += c;
      }
    }
    return out;
  }
};

} // namespace

Result<std::vector<Token>> tokenize(std::string_view source) { return Lexer(source).run(); }

} // namespace ingot::chat
