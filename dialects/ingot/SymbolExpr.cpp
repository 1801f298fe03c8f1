// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See SymbolExpr.h: a parser by recursive descent, and the expression that it builds.
#include "dialects/ingot/SymbolExpr.h"

#include "dialects/ingot/Dims.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace ingot::ir {

using symbols::Op;

namespace {

// Deeper texts are refused, before they exhaust the stack.
constexpr unsigned kMostDepth = 100;

class Parser {
public:
  Parser(StringRef text, std::string &why) : text(text), why(why) {}

  std::optional<SymbolExpr> whole() {
    std::optional<SymbolExpr> parsed = sum();
    if (parsed && at != text.size())
      return expected("an operator or the end");
    return parsed;
  }

private:
  std::nullopt_t expected(const Twine &what) {
    why = ("expected " + what + " at character " + Twine(at + 1) + " of \"" + text + "\"").str();
    return std::nullopt;
  }

  void skip() {
    while (at < text.size() && isSpace(text[at]))
      ++at;
  }
  bool take(char c) {
    skip();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    skip();
    return true;
  }
  // The name or number that begins here.
  StringRef word() {
    skip();
    return text.substr(at).take_while([](char c) { return isAlnum(c) || c == '_'; });
  }
  bool take(StringRef keyword) {
    if (word() != keyword)
      return false;
    at += keyword.size();
    skip();
    return true;
  }

  std::optional<SymbolExpr> sum() {
    std::optional<SymbolExpr> left = product();
    while (left) {
      const bool plus = take('+');
      if (!plus && !take('-'))
        break;
      std::optional<SymbolExpr> right = product();
      left = right ? std::optional(left->combine(plus ? Op::add : Op::subtract, *right)) : std::nullopt;
    }
    return left;
  }

  std::optional<SymbolExpr> product() {
    std::optional<SymbolExpr> left = factor();
    while (left) {
      Op op;
      if (take('*'))
        op = Op::multiply;
      else if (take("floordiv"))
        op = Op::floordiv;
      else if (take("ceildiv"))
        op = Op::ceildiv;
      else if (take("mod"))
        op = Op::mod;
      else
        break;
      std::optional<SymbolExpr> right = factor();
      left = right ? std::optional(left->combine(op, *right)) : std::nullopt;
    }
    return left;
  }

  std::optional<SymbolExpr> factor() {
    if (depth == kMostDepth)
      return expected("less than " + Twine(kMostDepth) + " parentheses");
    ++depth;
    std::optional<SymbolExpr> made = atom();
    --depth;
    return made;
  }

  std::optional<SymbolExpr> atom() {
    if (take('(')) {
      std::optional<SymbolExpr> inner = sum();
      if (inner && !take(')'))
        return expected("')'");
      return inner;
    }
    StringRef name = word();
    if (name.empty())
      return expected("a number, a symbol or '('");
    if (isDigit(name.front())) {
      int64_t value;
      if (name.getAsInteger(10, value))
        return expected("a whole number of 64 bits");
      at += name.size();
      skip();
      return SymbolExpr::constant(value);
    }
    if (!isSymbolName(name))
      return expected("a symbol: a letter, then letters, digits and underscores");
    at += name.size();
    if ((name != "max" && name != "min") || !take('(')) {
      skip();
      return SymbolExpr::symbol(name);
    }
    std::optional<SymbolExpr> left = sum();
    if (left && !take(','))
      return expected("','");
    std::optional<SymbolExpr> right = left ? sum() : std::nullopt;
    if (!right)
      return std::nullopt;
    if (!take(')'))
      return expected("')'");
    return left->combine(name == "max" ? Op::max : Op::min, *right);
  }

  StringRef text;
  std::string &why;
  size_t at = 0;
  unsigned depth = 0;
};

} // namespace

std::optional<SymbolExpr> SymbolExpr::parse(StringRef text, std::string &why) { return Parser(text, why).whole(); }

SymbolExpr SymbolExpr::constant(int64_t value) {
  SymbolExpr made;
  made.list.push_back({Op::constant, value});
  return made;
}

SymbolExpr SymbolExpr::symbol(StringRef name) {
  SymbolExpr made;
  made.list.push_back({Op::symbol, 0});
  made.symbolNames.push_back(name.str());
  return made;
}

SymbolExpr SymbolExpr::combine(Op op, const SymbolExpr &other) const {
  if (names().empty() && other.names().empty() && list.size() == 1 && other.list.size() == 1)
    // A constant below 0 has no text.
    if (std::optional<int64_t> value = symbols::apply(op, list[0].value, other.list[0].value); value && *value >= 0)
      return constant(*value);
  SymbolExpr made = *this;
  for (symbols::Step step : other.list) {
    if (step.op == Op::symbol) {
      const std::string &name = other.symbolNames[size_t(step.value)];
      auto found = find(made.symbolNames, name);
      step.value = found - made.symbolNames.begin();
      if (found == made.symbolNames.end())
        made.symbolNames.push_back(name);
    }
    made.list.push_back(step);
  }
  made.list.push_back({op, 0});
  return made;
}

std::string SymbolExpr::text() const {
  return symbols::text(list, [&](int64_t number) { return symbolNames[size_t(number)]; });
}

std::optional<int64_t> SymbolExpr::evaluate(function_ref<int64_t(StringRef)> valueOf) const {
  return symbols::evaluate(list, [&](int64_t number) { return valueOf(symbolNames[size_t(number)]); });
}

symbols::Interval SymbolExpr::bound(function_ref<symbols::Interval(StringRef)> intervalOf) const {
  return symbols::bound(list, [&](int64_t number) { return intervalOf(symbolNames[size_t(number)]); });
}

std::optional<SymbolExpr::Product> SymbolExpr::product() const {
  Product product;
  for (const symbols::Step &step : list) {
    if (step.op == Op::symbol)
      product.symbols.push_back(symbolNames[size_t(step.value)]);
    else if (step.op == Op::constant ? __builtin_mul_overflow(product.factor, step.value, &product.factor)
                                     : step.op != Op::multiply)
      return std::nullopt;
  }
  return product;
}

} // namespace ingot::ir
