// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values as text: str(), repr(), JSON as json.dumps writes it, and text as numbers.
#include "runtime/chat/characters.h"
#include "runtime/chat/machine.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace ingot::chat {

std::string integerText(Integer value) {
  if (value == 0)
    return "0";
  bool negative = value < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string out;
  for (; rest; rest /= 10)
    out += char('0' + int(rest % 10));
  if (negative)
    out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

std::string floatText(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, end - buffer);
  size_t e = text.find('e');
  int exponent = 0;
  const char *digits = text.data() + e + 1;
  std::from_chars(digits + (*digits == '+'), end, exponent);
  if (exponent >= -4 && exponent < 16) {
    end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed).ptr;
    std::string out(buffer, end);
    return out.find('.') == std::string::npos ? out + ".0" : out;
  }
  return std::string(text);
}

std::string quotedString(std::string_view text) {
  char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    char spelled[16];
    if (code == uint32_t(quote) || code == '\\')
      (out += '\\') += char(code);
    else if (code == '\n')
      out += "\\n";
    else if (code == '\r')
      out += "\\r";
    else if (code == '\t')
      out += "\\t";
    else if (isPrintable(code))
      out.append(text.substr(i, length));
    else {
      std::snprintf(spelled, sizeof(spelled), code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
      out += spelled;
    }
  }
  return out += quote;
}

std::string escapedText(std::string_view text) {
  std::string out;
  for (char c : text)
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '\'':
      out += "&#39;";
      break;
    case '"':
      out += "&#34;";
      break;
    default:
      out += c;
    }
  return out;
}

Value Machine::escape(const Value &value) {
  if (value.isString() && value.isMarkup())
    return value;
  return string(escapedText(str(value))).asMarkup(true);
}

std::string Machine::str(const Value &value) {
  if (value.isString())
    return charge(value.text().size()) ? value.text() : std::string();
  if (value.isUndefined())
    return "";
  return repr(value);
}

std::string Machine::repr(const Value &value) {
  std::string out;
  write(out, value);
  charge(out.size());
  return out;
}

void Machine::write(std::string &out, const Value &value) {
  if (!step() || !deepEnough())
    return;
  if (out.size() > options.maxBytes) {
    exhausted("a value's text is too long");
    return;
  }
  auto sequence = [&](const std::vector<Value> &items, char open, char close) {
    out += open;
    for (size_t i = 0; i < items.size() && !failed(); ++i) {
      if (i)
        out += ", ";
      write(out, items[i]);
    }
    out += close;
  };
  auto mapping = [&](const Dict &dict) {
    out += '{';
    for (size_t i = 0; i < dict.items.size() && !failed(); ++i) {
      if (i)
        out += ", ";
      write(out, dict.items[i].first);
      out += ": ";
      write(out, dict.items[i].second);
    }
    out += '}';
  };
  switch (value.kind()) {
  case Kind::Undefined:
    out += "Undefined";
    return;
  case Kind::None:
    out += "None";
    return;
  case Kind::Bool:
    out += value.boolean() ? "True" : "False";
    return;
  case Kind::Int:
    out += integerText(value.integer());
    return;
  case Kind::Float:
    out += floatText(value.real());
    return;
  case Kind::String:
    step(value.text().size() / 64);
    out += value.isMarkup() ? "Markup(" + quotedString(value.text()) + ")" : quotedString(value.text());
    return;
  case Kind::List:
    return sequence(value.items(), '[', ']');
  case Kind::Tuple:
    sequence(value.items(), '(', ')');
    if (value.items().size() == 1)
      out.insert(out.size() - 1, ",");
    return;
  case Kind::Dict:
    return mapping(value.as<Dict>());
  case Kind::Range: {
    const Range &range = value.as<Range>();
    out += "range(" + integerText(range.start) + ", " + integerText(range.stop) +
           (range.step == 1 ? std::string() : ", " + integerText(range.step)) + ")";
    return;
  }
  case Kind::View:
    out += std::string(typeName(value)) + "(";
    sequence(toVector(value), '[', ']');
    out += ')';
    return;
  case Kind::Namespace:
    out += "<Namespace ";
    write(out, value.as<Namespace>().dict);
    out += '>';
    return;
  case Kind::Macro:
    out += value.as<Macro>().anonymous ? "<Macro anonymous>"
                                       : "<Macro " + quotedString(value.as<Macro>().syntax->name) + ">";
    return;
  case Kind::Loop:
    out += "<LoopContext " + std::to_string(value.as<Loop>().index0 + 1) + "/" + std::to_string(length(value)) + ">";
    return;
  case Kind::Function:
    if (value.as<Function>().name == "self") {
      out += "<TemplateReference None>";
      return;
    }
    [[fallthrough]];
  default:
    // Python would print an address.
    fail("a " + std::string(typeName(value)) + " has no text of its own; a list of it has (|list)");
  }
}

namespace {

void writeJsonString(std::string &out, std::string_view text, bool ascii) {
  out += '"';
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    static constexpr std::string_view special = "\"\\\n\r\t\b\f", letters = "\"\\nrtbf";
    char spelled[16];
    if (size_t found = code < 0x80 ? special.find(char(code)) : std::string_view::npos;
        found != std::string_view::npos) {
      (out += '\\') += letters[found];
    } else if (code < 0x20 || (ascii && code >= 0x7F && code < 0x10000 && code != 0x7F)) {
      std::snprintf(spelled, sizeof(spelled), "\\u%04x", code);
      out += spelled;
    } else if (ascii && code >= 0x10000) {
      std::snprintf(spelled, sizeof(spelled), "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10),
                    0xDC00 + (code & 0x3FF));
      out += spelled;
    } else {
      out.append(text.substr(i, length));
    }
  }
  out += '"';
}

std::string jsonFloat(double value) {
  return std::isnan(value) ? "NaN" : std::isinf(value) ? (value < 0 ? "-Infinity" : "Infinity") : floatText(value);
}

} // namespace

std::string Machine::json(const Value &value, const JsonStyle &style) {
  std::string out;
  writeJson(out, value, style, 0);
  charge(out.size());
  return out;
}

void Machine::writeJson(std::string &out, const Value &value, const JsonStyle &style, int level) {
  if (!step() || !deepEnough())
    return;
  if (out.size() > options.maxBytes) {
    exhausted("a value's JSON is too long");
    return;
  }
  auto newline = [&](int at) {
    if (!style.indented)
      return;
    out += '\n';
    for (int i = 0; i < at && out.size() <= options.maxBytes; ++i)
      out += style.indent;
  };
  switch (value.kind()) {
  case Kind::None:
    out += "null";
    return;
  case Kind::Bool:
    out += value.boolean() ? "true" : "false";
    return;
  case Kind::Int:
    out += integerText(value.integer());
    return;
  case Kind::Float:
    out += jsonFloat(value.real());
    return;
  case Kind::String:
    step(value.text().size() / 64);
    return writeJsonString(out, value.text(), style.ascii);
  case Kind::List:
  case Kind::Tuple:
    out += '[';
    for (size_t i = 0; i < value.items().size() && !failed(); ++i) {
      if (i)
        out += style.itemSeparator;
      newline(level + 1);
      writeJson(out, value.items()[i], style, level + 1);
    }
    if (!value.items().empty())
      newline(level);
    out += ']';
    return;
  case Kind::Dict: {
    std::vector<std::pair<Value, Value>> items = value.as<Dict>().items;
    if (style.sorted)
      sortBy(*this, items, false);
    out += '{';
    for (size_t i = 0; i < items.size() && !failed(); ++i) {
      const Value &key = items[i].first;
      if (i)
        out += style.itemSeparator;
      newline(level + 1);
      if (key.isString())
        writeJsonString(out, key.text(), style.ascii);
      else if (key.is(Kind::None) || key.isNumber())
        out += '"' +
               (key.is(Kind::None)    ? "null"
                : key.is(Kind::Bool)  ? std::string(key.boolean() ? "true" : "false")
                : key.is(Kind::Float) ? jsonFloat(key.real())
                                      : integerText(key.integer())) +
               '"';
      else
        fail("TypeError", "a " + std::string(typeName(key)) + " is no key of JSON");
      out += style.keySeparator;
      writeJson(out, items[i].second, style, level + 1);
    }
    if (!items.empty())
      newline(level);
    out += '}';
    return;
  }
  default:
    fail("TypeError", "a " + std::string(typeName(value)) + " cannot be written as JSON");
  }
}

std::optional<Integer> parseInteger(std::string_view text, unsigned base, bool &tooBig) {
  tooBig = false;
  text = stripped(text, true, true);
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+'))
    text.remove_prefix(1);
  auto prefixed = [&](char letter, unsigned of) {
    return (base == of || base == 0) && text.size() > 1 && text[0] == '0' && (text[1] | 32) == letter;
  };
  bool prefix = false;
  for (auto [letter, of] : {std::pair{'x', 16u}, {'o', 8u}, {'b', 2u}})
    if (!prefix && prefixed(letter, of)) {
      prefix = true;
      base = of;
      text.remove_prefix(2);
    }
  bool automatic = base == 0;
  if (automatic)
    base = 10;
  Integer value = 0;
  bool digitBefore = prefix, any = false, zeroFirst = false;
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    if (code == '_') {
      if (!digitBefore || i + 1 >= text.size())
        return std::nullopt;
      digitBefore = false;
      continue;
    }
    unsigned digit = 99;
    if (isDecimal(code))
      digit = decimalValue(code);
    else if (code < 0x80 && isAlpha(code))
      digit = (code | 32) - 'a' + 10;
    if (digit >= base)
      return std::nullopt;
    zeroFirst |= !any && digit == 0;
    if (automatic && zeroFirst && digit != 0)
      return std::nullopt;
    any = digitBefore = true;
    if (__builtin_mul_overflow(value, Integer(base), &value) || __builtin_add_overflow(value, Integer(digit), &value))
      tooBig = true;
  }
  if (!any || !digitBefore)
    return std::nullopt;
  return negative ? -value : value;
}

std::optional<double> parseFloat(std::string_view text) {
  text = stripped(text, true, true);
  std::string digits;
  unsigned length;
  char before = 0;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    if (code == '_') {
      unsigned skip;
      if (before < '0' || before > '9' || i + 1 >= text.size() || !isDecimal(codeAt(text, i + 1, skip)))
        return std::nullopt;
      continue;
    }
    before = isDecimal(code) ? char('0' + decimalValue(code)) : code < 0x80 ? char(code) : '?';
    digits += before;
  }
  bool negative = digits.starts_with('-');
  size_t sign = negative || digits.starts_with('+');
  std::string word = lower(digits.substr(sign));
  double value = 0;
  if (word == "inf" || word == "infinity")
    value = __builtin_inf();
  else if (word == "nan")
    value = __builtin_nan("");
  else {
    if (word.empty() || !(word[0] == '.' || (word[0] >= '0' && word[0] <= '9')))
      return std::nullopt;
    auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (parsed.ptr != word.data() + word.size() || parsed.ec == std::errc::invalid_argument)
      return std::nullopt;
    if (parsed.ec == std::errc::result_out_of_range)
      value = word.find("e-") != std::string::npos ? 0 : __builtin_inf();
  }
  return negative ? -value : value;
}

} // namespace ingot::chat
