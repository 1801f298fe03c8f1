// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Python's two ways of formatting: "..." % values and "...".format(values), with format()'s own language of widths.
#include "runtime/chat/characters.h"
#include "runtime/chat/machine.h"

#include <algorithm>
#include <cmath>

namespace ingot::chat {

namespace {

constexpr int64_t kMaxWidth = 1000000; // of a field, in characters

// An integer in a base, without sign.
std::string digitsOf(Integer value, unsigned base, bool upperCase) {
  unsigned __int128 rest = value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string out;
  do {
    unsigned digit = unsigned(rest % base);
    out += char(digit < 10 ? '0' + digit : (upperCase ? 'A' : 'a') + digit - 10);
    rest /= base;
  } while (rest);
  std::reverse(out.begin(), out.end());
  return out;
}

// printf's e, f or g of |value|.
std::string floatDigits(double value, char type, int64_t precision, bool alternate) {
  value = std::fabs(value);
  bool upperCase = type >= 'A' && type <= 'Z';
  if (std::isnan(value))
    return upperCase ? "NAN" : "nan";
  if (std::isinf(value))
    return upperCase ? "INF" : "inf";
  char format[] = {'%', '#', '.', '*', type, 0};
  if (!alternate) {
    format[1] = '.';
    format[2] = '*';
    format[3] = type;
    format[4] = 0;
  }
  std::string out(size_t(precision) + 400, ' ');
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
  out.resize(size_t(std::snprintf(out.data(), out.size(), format, int(precision), value)));
#pragma clang diagnostic pop
  return out;
}

// Signs, fills and commas of a number.
struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', grouping = 0, type = 0;
  bool alternate = false, zero = false;
  int64_t width = 0, precision = -1;
};

std::string aligned(const Spec &spec, const std::string &text, char normally) {
  int64_t gap = spec.width - int64_t(countCodes(text));
  if (gap <= 0)
    return text;
  char align = spec.align ? spec.align : normally;
  int64_t left = align == '<' ? 0 : align == '^' ? gap / 2 : gap;
  std::string out;
  for (int64_t i = 0; i < left; ++i)
    out += spec.fill;
  out += text;
  for (int64_t i = left; i < gap; ++i)
    out += spec.fill;
  return out;
}

// `digits` with separators, padded with zeros to `width` digits and separators.
std::string grouped(std::string digits, char separator, int64_t width) {
  size_t every = separator == '_' ? 3 : 3, end = digits.find_first_not_of("0123456789");
  std::string rest = end == std::string::npos ? "" : digits.substr(end);
  digits = digits.substr(0, end);
  std::string out;
  int64_t room = width - int64_t(rest.size());
  for (size_t count = 0; count < digits.size() || int64_t(out.size()) < room; ++count) {
    if (separator && count && count % every == 0) {
      out += separator;
      if (count >= digits.size() && int64_t(out.size()) == room) {
        out += '0';
        break;
      }
    }
    out += count < digits.size() ? digits[digits.size() - 1 - count] : '0';
  }
  std::reverse(out.begin(), out.end());
  return out + rest;
}

std::string number(const Spec &spec, bool negative, const std::string &prefix, const std::string &digits) {
  std::string sign = negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
  sign += prefix;
  bool zeros = spec.align == '=' && spec.fill == "0";
  std::string body = digits;
  bool finite = !digits.empty() && digits[0] >= '0' && digits[0] <= '9';
  if ((spec.grouping || zeros) && finite)
    body = grouped(digits, spec.grouping, zeros ? spec.width - int64_t(sign.size()) : 0);
  if (spec.align == '=') {
    Spec inner = spec;
    inner.align = '>';
    inner.width = spec.width - int64_t(sign.size());
    return sign + aligned(inner, body, '>');
  }
  return aligned(spec, sign + body, '>');
}

bool isDigitChar(std::string_view text, size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; }

int64_t numberAt(std::string_view text, size_t &at) {
  int64_t out = 0;
  for (; isDigitChar(text, at); ++at)
    out = std::min<int64_t>(out * 10 + (text[at] - '0'), kMaxWidth + 1);
  return out;
}

} // namespace

std::string Machine::formatted(const Value &value, std::string_view text) {
  if (text.empty())
    return str(value);
  if (!value.isString() && !value.isNumber()) {
    fail("TypeError", "a " + std::string(typeName(value)) + " takes no format");
    return "";
  }
  Spec spec;
  size_t at = 0;
  auto isAlign = [&](size_t i) {
    return i < text.size() && std::string_view("<>=^").find(text[i]) != std::string_view::npos;
  };
  size_t first = text::lengthOfLead(text[0]);
  if (isAlign(first)) {
    spec.fill = text.substr(0, first);
    spec.align = text[first];
    at = first + 1;
  } else if (isAlign(0)) {
    spec.align = text[at++];
  }
  auto is = [&](char c) { return at < text.size() && text[at] == c; };
  bool signGiven = is('+') || is('-') || is(' ');
  if (signGiven)
    spec.sign = text[at++];
  bool positive = is('z');
  at += positive;
  if (is('#')) {
    spec.alternate = true;
    ++at;
  }
  if (is('0')) {
    spec.zero = true;
    ++at;
    if (!spec.align) {
      spec.align = value.isString() ? 0 : '=';
      spec.fill = "0";
    } else if (first + 1 != at - 1 && spec.fill == " " && !isAlign(first)) {
      spec.fill = "0";
    }
  }
  spec.width = numberAt(text, at);
  if (is(',') || is('_'))
    spec.grouping = text[at++];
  if (is('.')) {
    ++at;
    if (!isDigitChar(text, at)) {
      fail("ValueError", "a format lacks its precision");
      return "";
    }
    spec.precision = numberAt(text, at);
  }
  if (at < text.size())
    spec.type = text[at++];
  if (at < text.size() || positive || spec.width > kMaxWidth || spec.precision > kMaxWidth) {
    fail("ValueError", "the format " + runtime::quoted(std::string(text)) + " is not understood");
    return "";
  }
  auto wrong = [&] {
    fail("ValueError",
         "the format " + runtime::quoted(std::string(text)) + " is not for a " + std::string(typeName(value)));
    return std::string();
  };
  if (!charge(uint64_t(spec.width) * 4 + uint64_t(std::max<int64_t>(spec.precision, 0))))
    return "";
  if (value.isString()) {
    if ((spec.type && spec.type != 's') || signGiven || spec.alternate || spec.grouping || spec.align == '=')
      return wrong();
    if (spec.zero && !spec.align)
      spec.align = '<';
    std::string_view shown = value.text();
    if (spec.precision >= 0)
      shown = shown.substr(0, byteOf(shown, size_t(spec.precision)));
    return aligned(spec, std::string(shown), '<');
  }
  bool integral = value.isIntegral();
  if (value.is(Kind::Bool) && spec.type == 0)
    spec.type = 'd';
  if (integral && (spec.type == 0 || std::string_view("bcdoxXn").find(spec.type) != std::string_view::npos)) {
    if (spec.precision >= 0)
      return wrong();
    Integer whole = value.integer();
    unsigned base = spec.type == 'b' ? 2 : spec.type == 'o' ? 8 : (spec.type | 32) == 'x' ? 16 : 10;
    if (spec.type == 'c') {
      std::string one;
      if (whole < 0 || whole > 0x10FFFF || (whole >= 0xD800 && whole < 0xE000) || signGiven || spec.grouping)
        return wrong();
      text::appendUtf8(one, uint32_t(whole));
      return aligned(spec, one, '<');
    }
    if (base != 10 && spec.grouping)
      return wrong();
    std::string prefix = spec.alternate && base != 10 ? std::string("0") + spec.type : "";
    return number(spec, whole < 0, prefix, digitsOf(whole, base, spec.type == 'X'));
  }
  double real = value.real();
  char type = spec.type;
  int64_t precision = spec.precision;
  std::string digits;
  if (type == 0) {
    if (precision < 0) {
      digits = floatText(std::fabs(real));
    } else {
      digits = floatDigits(real, 'g', precision ? precision : 1, spec.alternate);
      // Like repr(), a float without a type shows that it is one.
      if (std::isfinite(real) && digits.find_first_of(".e") == std::string::npos) {
        if (int64_t(digits.size()) < std::max<int64_t>(precision, 1) + 0)
          digits += ".0";
        else
          digits = floatDigits(real, 'e', std::max<int64_t>(precision, 1) - 1, spec.alternate);
      }
    }
  } else if (type == '%') {
    digits = floatDigits(real * 100, 'f', precision < 0 ? 6 : precision, spec.alternate) + "%";
  } else if (std::string_view("eEfFgGn").find(type) != std::string_view::npos) {
    digits = floatDigits(real, type == 'n' ? 'g' : type, precision < 0 ? 6 : precision, spec.alternate);
  } else {
    return wrong();
  }
  return number(spec, std::signbit(real) && !std::isnan(real), "", digits);
}

Value Machine::percent(const Value &format, const Value &value) {
  const std::string &text = format.text();
  bool tuple = value.is(Kind::Tuple), markup = format.isMarkup();
  size_t taken = 0;
  std::string out;
  bool mapped = false;
  auto next = [&]() -> Value {
    if (tuple) {
      if (taken < value.items().size())
        return value.items()[taken++];
    } else if (taken++ == 0) {
      return value;
    }
    return fail("TypeError", "a format has more places than values");
  };
  for (size_t i = 0; i < text.size() && !failed(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    Spec spec;
    std::optional<Value> named;
    if (++i < text.size() && text[i] == '(') {
      size_t begin = i + 1;
      int open = 1;
      while (++i < text.size() && open > 0)
        open += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
      if (open > 0)
        return fail("ValueError", "a format's key has no end");
      if (!value.is(Kind::Dict))
        return fail("TypeError", "a format with keys wants a dict");
      mapped = true;
      std::string key = text.substr(begin, i - begin - 1);
      const Value *found = value.as<Dict>().find(key);
      if (!found)
        return fail("KeyError", runtime::quoted(key));
      named = *found;
    }
    bool left = false;
    for (; i < text.size() && std::string_view("-+ #0").find(text[i]) != std::string_view::npos; ++i) {
      left |= text[i] == '-';
      spec.zero |= text[i] == '0';
      spec.alternate |= text[i] == '#';
      if (text[i] == '+' || (text[i] == ' ' && spec.sign != '+'))
        spec.sign = text[i];
    }
    auto size = [&]() -> int64_t {
      if (i < text.size() && text[i] == '*') {
        ++i;
        return index(next(), "a format's width");
      }
      return numberAt(text, i);
    };
    spec.width = size();
    if (spec.width < 0) {
      left = true;
      spec.width = -std::max(spec.width, -kMaxWidth - 1);
    }
    if (i < text.size() && text[i] == '.') {
      ++i;
      spec.precision = std::max<int64_t>(size(), 0);
    }
    while (i < text.size() && std::string_view("hlL").find(text[i]) != std::string_view::npos)
      ++i;
    if (i >= text.size())
      return fail("ValueError", "a format is not complete");
    if (spec.width > kMaxWidth || spec.precision > kMaxWidth ||
        !charge(uint64_t(spec.width) + uint64_t(std::max<int64_t>(spec.precision, 0))))
      return exhausted("a format's width is larger than " + std::to_string(kMaxWidth));
    char type = text[i];
    if (type == '%') {
      out += '%';
      continue;
    }
    Value given = named ? *named : next();
    if (failed())
      return Value();
    spec.align = left ? '<' : '>';
    std::string shown;
    auto zeros = [&] {
      if (spec.zero && !left) {
        spec.align = '=';
        spec.fill = "0";
      }
    };
    switch (type) {
    case 's':
    case 'r':
    case 'a':
      shown = type == 's' ? str(given) : repr(given);
      if (markup && !(given.isString() && given.isMarkup()))
        shown = escapedText(shown);
      if (type == 'a' && !isAscii(shown))
        return fail("%a of what is not ASCII is not supported");
      if (spec.precision >= 0)
        shown = shown.substr(0, byteOf(shown, size_t(spec.precision)));
      out += aligned(spec, shown, '>');
      break;
    case 'c':
      if (given.isString() && length(given) == 1)
        shown = given.text();
      else if (given.isIntegral() && given.integer() >= 0 && given.integer() <= 0x10FFFF &&
               !(given.integer() >= 0xD800 && given.integer() < 0xE000))
        text::appendUtf8(shown, uint32_t(given.integer()));
      else
        return fail("TypeError", "%c wants one character");
      out += aligned(spec, shown, '>');
      break;
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X': {
      Integer whole = 0;
      bool decimal = type == 'd' || type == 'i' || type == 'u';
      if (given.isIntegral())
        whole = given.integer();
      else if (decimal && given.is(Kind::Float) && std::fabs(given.real()) < 1.7e38)
        whole = Integer(given.real());
      else
        return fail("TypeError", std::string("%") + type + " wants a number, not a " + std::string(typeName(given)));
      std::string digits = digitsOf(whole, decimal ? 10 : type == 'o' ? 8 : 16, type == 'X');
      if (int64_t(digits.size()) < spec.precision)
        digits.insert(0, size_t(spec.precision) - digits.size(), '0');
      zeros();
      out += number(spec, whole < 0, spec.alternate && !decimal ? std::string("0") + type : "", digits);
      break;
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      if (!given.isNumber())
        return fail("TypeError", std::string("%") + type + " wants a number, not a " + std::string(typeName(given)));
      zeros();
      out += number(spec, std::signbit(given.real()) && !std::isnan(given.real()), "",
                    floatDigits(given.real(), type, spec.precision < 0 ? 6 : spec.precision, spec.alternate));
      break;
    default:
      return fail("ValueError", "a format has the unknown type " + runtime::quoted(std::string(1, type)));
    }
    if (!charge(shown.size()))
      return Value();
  }
  bool used = tuple ? taken == value.items().size() : taken > 0 || mapped;
  // Whatever can be asked for an item passes unused: Python takes it for a mapping.
  bool mapping = value.is(Kind::Dict) || value.is(Kind::List) || value.is(Kind::Range) || value.isUndefined();
  if (!used && !mapping)
    return fail("TypeError", "a format does not use all its values");
  return string(std::move(out)).asMarkup(markup);
}

namespace {

// The replacement fields of str.format(). `level`: fields stand within specs of fields, once.
class Fields {
public:
  Fields(Machine &machine, Arguments &arguments, bool markup)
      : machine(machine), arguments(arguments), markup(markup) {}

  std::string expand(std::string_view text, int level) {
    std::string out;
    if (level > 2) {
      machine.fail("ValueError", "formats lie too deep within each other");
      return out;
    }
    for (size_t i = 0; i < text.size() && !machine.failed(); ++i) {
      char c = text[i];
      if (c == '}' || c == '{') {
        if (i + 1 < text.size() && text[i + 1] == c) {
          out += c;
          ++i;
          continue;
        }
        if (c == '}') {
          machine.fail("ValueError", "a '}' stands alone in a format");
          return out;
        }
        size_t end = i + 1;
        for (int open = 1; end < text.size(); ++end)
          if ((open += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0) == 0)
            break;
        if (end >= text.size()) {
          machine.fail("ValueError", "a '{' has no '}' in a format");
          return out;
        }
        out += field(text.substr(i + 1, end - i - 1), level);
        i = end;
        if (!machine.charge(64))
          return out;
      } else {
        out += c;
      }
    }
    return out;
  }

private:
  Machine &machine;
  Arguments &arguments;
  bool markup;
  int64_t automatic = 0;
  bool numbered = false;

  std::string field(std::string_view text, int level) {
    size_t end = 0;
    int brackets = 0;
    for (; end < text.size() && (brackets || (text[end] != '!' && text[end] != ':')); ++end)
      brackets += text[end] == '[' ? 1 : text[end] == ']' && brackets ? -1 : 0;
    std::string_view name = text.substr(0, end), rest = text.substr(end);
    char conversion = 0;
    if (rest.starts_with('!')) {
      if (rest.size() < 2 || (rest.size() > 2 && rest[2] != ':')) {
        machine.fail("ValueError", "a format's conversion is not understood");
        return "";
      }
      conversion = rest[1];
      rest.remove_prefix(2);
    }
    Value value = find(name); // before the fields within its format take theirs
    std::string spec = rest.starts_with(':') ? expand(rest.substr(1), level + 1) : "";
    if (machine.failed())
      return "";
    if (conversion == 'r')
      value = machine.string(machine.repr(value));
    else if (conversion == 's')
      value = machine.string(machine.str(value));
    else if (conversion) {
      machine.fail("ValueError", "a format's conversion is not understood");
      return "";
    }
    std::string shown = machine.formatted(value, spec);
    return markup && !(value.isString() && value.isMarkup()) ? escapedText(shown) : shown;
  }

  Value find(std::string_view name) {
    size_t end = std::min(name.find_first_of(".["), name.size());
    std::string_view first = name.substr(0, end);
    Value at;
    bool digits =
        !first.empty() && std::all_of(first.begin(), first.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (name.empty() || digits) {
      if (first.empty() ? numbered : automatic > 0)
        return machine.fail("ValueError", "a format numbers some places and leaves others");
      size_t position = 0;
      int64_t index = first.empty() ? automatic++ : numberAt(first, position);
      numbered |= !first.empty();
      if (index >= int64_t(arguments.positional.size()))
        return machine.fail("IndexError", "a format has more places than values");
      at = arguments.positional[size_t(index)];
    } else {
      bool found = false;
      for (const auto &[known, value] : arguments.named)
        if (known == first) {
          at = value;
          found = true;
        }
      if (!found)
        return machine.fail("KeyError", runtime::quoted(std::string(first)));
    }
    for (std::string_view rest = name.substr(end); !rest.empty() && !machine.failed();) {
      if (rest[0] == '.') {
        rest.remove_prefix(1);
        size_t past = std::min(rest.find_first_of(".["), rest.size());
        if (past == 0)
          return machine.fail("ValueError", "a format has an empty attribute");
        at = machine.attribute(at, std::string(rest.substr(0, past)));
        rest.remove_prefix(past);
      } else {
        size_t close = rest.find(']');
        if (rest[0] != '[' || close == std::string_view::npos || close == 1)
          return machine.fail("ValueError", "a format's index is not understood");
        std::string_view key = rest.substr(1, close - 1);
        bool number = std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
        size_t position = 0;
        at = machine.item(at, number ? Value(numberAt(key, position)) : makeString(std::string(key)));
        rest.remove_prefix(close + 1);
      }
    }
    return at;
  }
};

} // namespace

Value Machine::format(const Value &format, Arguments &arguments) {
  std::string out = Fields(*this, arguments, format.isMarkup()).expand(format.text(), 1);
  return failed() ? Value() : string(std::move(out)).asMarkup(format.isMarkup());
}

} // namespace ingot::chat
