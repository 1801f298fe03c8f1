// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions over symbols, such as batch*sequence: their arithmetic and their text, one for the compiler, which bounds
// memory by them, and for the runtime, which evaluates them at every run. An expression is a list of steps in postfix
// order. Parsing is the compiler's (dialects/ingot/SymbolExpr.h); plan.fbs carries the steps.
#ifndef INGOT_FORMAT_SYMBOL_EXPR_H
#define INGOT_FORMAT_SYMBOL_EXPR_H

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ingot::symbols {

// Numbered as SymbolStepKind of plan.fbs. The first two push a value, the others combine the last two.
enum class Op : uint8_t { constant = 0, symbol, add, subtract, multiply, floordiv, ceildiv, mod, max, min };
inline constexpr unsigned kOps = 10;

struct Step {
  Op op;
  int64_t value = 0; // of a constant; the number of a symbol
};

// From `least` to `most`, both included.
struct Interval {
  int64_t least, most;
};

inline constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

// Sums and products that do not fit become the nearest number that does: so all operations stay monotone, and what
// intervals say holds of values too.
inline int64_t saturatingAdd(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? kLeast : kMost) : sum;
}
inline int64_t saturatingSubtract(int64_t a, int64_t b) {
  int64_t difference;
  return __builtin_sub_overflow(a, b, &difference) ? (a < 0 ? kLeast : kMost) : difference;
}
inline int64_t saturatingMultiply(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? ((a < 0) != (b < 0) ? kLeast : kMost) : product;
}
// Of a divisor of 1 and more.
inline int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }
inline int64_t ceilDivide(int64_t a, int64_t b) { return a / b + (a % b > 0); }

// Nothing where a divisor is below 1.
inline std::optional<int64_t> apply(Op op, int64_t a, int64_t b) {
  switch (op) {
  case Op::add:
    return saturatingAdd(a, b);
  case Op::subtract:
    return saturatingSubtract(a, b);
  case Op::multiply:
    return saturatingMultiply(a, b);
  case Op::floordiv:
    return b < 1 ? std::nullopt : std::optional(floorDivide(a, b));
  case Op::ceildiv:
    return b < 1 ? std::nullopt : std::optional(ceilDivide(a, b));
  case Op::mod:
    return b < 1 ? std::nullopt : std::optional(a - floorDivide(a, b) * b);
  case Op::max:
    return std::max(a, b);
  case Op::min:
    return std::min(a, b);
  case Op::constant:
  case Op::symbol:
    break;
  }
  return std::nullopt;
}

// What apply() may give for values of these intervals; divisors below 1, for which it gives nothing, are left out.
inline Interval apply(Op op, Interval a, Interval b) {
  switch (op) {
  case Op::add:
    return {saturatingAdd(a.least, b.least), saturatingAdd(a.most, b.most)};
  case Op::subtract:
    return {saturatingSubtract(a.least, b.most), saturatingSubtract(a.most, b.least)};
  case Op::max:
    return {std::max(a.least, b.least), std::max(a.most, b.most)};
  case Op::min:
    return {std::min(a.least, b.least), std::min(a.most, b.most)};
  case Op::mod: {
    const int64_t most = std::max<int64_t>(b.most, 1) - 1;
    return {0, a.least >= 0 ? std::min(a.most, most) : most};
  }
  case Op::multiply:
  case Op::floordiv:
  case Op::ceildiv: {
    // Monotone in each operand while the other is fixed, so the extremes stand at the corners.
    if (op != Op::multiply)
      b = {std::max<int64_t>(b.least, 1), std::max<int64_t>(b.most, 1)};
    Interval all{kMost, kLeast};
    for (int64_t x : {a.least, a.most})
      for (int64_t y : {b.least, b.most}) {
        const int64_t value = *apply(op, x, y);
        all = {std::min(all.least, value), std::max(all.most, value)};
      }
    return all;
  }
  case Op::constant:
  case Op::symbol:
    break;
  }
  return {0, 0};
}

// Whether the steps leave one value, and never combine values that are not there.
inline bool wellFormed(std::span<const Step> steps) {
  size_t depth = 0;
  for (const Step &step : steps) {
    if (step.op == Op::constant || step.op == Op::symbol)
      ++depth;
    else if (depth < 2)
      return false;
    else
      --depth;
  }
  return depth == 1;
}

// The value of well-formed steps, valueOf(number) being that of a symbol; nothing where something is divided by less
// than 1.
template <class ValueOf> std::optional<int64_t> evaluate(std::span<const Step> steps, const ValueOf &valueOf) {
  std::vector<int64_t> stack;
  for (const Step &step : steps) {
    if (step.op == Op::constant || step.op == Op::symbol) {
      stack.push_back(step.op == Op::constant ? step.value : valueOf(step.value));
      continue;
    }
    const int64_t b = stack.back();
    stack.pop_back();
    const std::optional<int64_t> value = apply(step.op, stack.back(), b);
    if (!value)
      return std::nullopt;
    stack.back() = *value;
  }
  return stack.back();
}

// The same of intervals.
template <class IntervalOf> Interval bound(std::span<const Step> steps, const IntervalOf &intervalOf) {
  std::vector<Interval> stack;
  for (const Step &step : steps) {
    if (step.op == Op::constant || step.op == Op::symbol) {
      stack.push_back(step.op == Op::constant ? Interval{step.value, step.value} : intervalOf(step.value));
      continue;
    }
    const Interval b = stack.back();
    stack.pop_back();
    stack.back() = apply(step.op, stack.back(), b);
  }
  return stack.back();
}

// As people write it, with no more parentheses than are needed: "(height - 1) floordiv 2 + 1". nameOf(number) is the
// name of a symbol.
template <class NameOf> std::string text(std::span<const Step> steps, const NameOf &nameOf) {
  struct Part {
    std::string text;
    int binds; // 1: a sum, 2: a product, 3: anything that needs no parentheses
  };
  std::vector<Part> stack;
  for (const Step &step : steps) {
    if (step.op == Op::constant || step.op == Op::symbol) {
      stack.push_back({step.op == Op::constant ? std::to_string(step.value) : std::string(nameOf(step.value)), 3});
      continue;
    }
    Part right = std::move(stack.back());
    stack.pop_back();
    Part &left = stack.back();
    if (step.op == Op::max || step.op == Op::min) {
      left = {(step.op == Op::max ? "max(" : "min(") + left.text + ", " + right.text + ")", 3};
      continue;
    }
    static constexpr const char *kBetween[] = {"", "", " + ", " - ", "*", " floordiv ", " ceildiv ", " mod "};
    const int binds = step.op == Op::add || step.op == Op::subtract ? 1 : 2;
    auto inside = [](const Part &part, bool parentheses) { return parentheses ? "(" + part.text + ")" : part.text; };
    left = {inside(left, left.binds < binds) + kBetween[unsigned(step.op)] + inside(right, right.binds <= binds),
            binds};
  }
  return stack.back().text;
}

} // namespace ingot::symbols

#endif
