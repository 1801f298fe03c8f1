// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The filters of jinja2 that give numbers.
#include "runtime/chat/filters.h"
#include "runtime/chat/strings.h"

#include <cmath>

namespace ingot::chat {

namespace {

using M = Machine &;
using V = const Value &;
using A = Arguments &;

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

constexpr Filter kFilters[] = {
    {"abs", absolute}, {"float", toFloat}, {"int", toInt}, {"round", round}, {"sum", sum},
};

} // namespace

const Filter *findNumberFilter(std::string_view name) { return findIn(kFilters, name); }

} // namespace ingot::chat
