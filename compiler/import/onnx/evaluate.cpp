// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See evaluate.h. Floats are computed in double and rounded to their type after each step, as f32 arithmetic would
// (sums, products, quotients and roots are then the same numbers).
#include "compiler/import/onnx/evaluate.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ingot::onnx {

namespace {

class Evaluator {
public:
  Evaluator(const std::vector<int64_t> &loops, const LiteralOf &literals, const ElementOf &elements)
      : loops(loops), literals(literals), elements(elements) {}

  std::optional<Cell> eval(const Scalar &scalar) {
    const ScalarNode &node = *scalar.get();
    switch (node.op) {
    case ScalarOp::constant:
      if (isFloat(node.type))
        return Cell(roundTo(node.type, node.real));
      return Cell(node.integer);
    case ScalarOp::index:
      return Cell(loops[size_t(node.integer)]);
    case ScalarOp::size:
      if (auto value = node.size.constant())
        return Cell(*value);
      return Cell(node.size);
    case ScalarOp::element:
      return element(node);
    case ScalarOp::select: {
      auto condition = eval(node.operands[0]);
      if (!condition)
        return std::nullopt;
      return eval(node.operands[std::get<int64_t>(*condition) ? 1 : 2]);
    }
    case ScalarOp::logical_and:
    case ScalarOp::logical_or: { // one side may decide alone
      const int64_t decides = node.op == ScalarOp::logical_or;
      auto a = eval(node.operands[0]);
      if (a && std::get<int64_t>(*a) == decides)
        return a;
      auto b = eval(node.operands[1]);
      if (b && std::get<int64_t>(*b) == decides)
        return b;
      return a && b ? b : std::nullopt;
    }
    default:
      break;
    }
    std::vector<Cell> x;
    for (const Scalar &operand : node.operands) {
      auto value = eval(operand);
      if (!value)
        return std::nullopt;
      x.push_back(*value);
    }
    const ElementType of = node.operands[0].type();
    if (node.op == ScalarOp::cast)
      return castTo(x[0], of, node.type);
    if (node.op == ScalarOp::bit_cast)
      return bitsTo(x[0], of, node.type);
    if (std::any_of(x.begin(), x.end(), [](const Cell &cell) { return std::holds_alternative<Ratio>(cell); }))
      return ratio(node, x);
    if (isFloat(of))
      return real(node, of, std::get<double>(x[0]), x.size() > 1 ? std::get<double>(x[1]) : 0);
    if (std::holds_alternative<Dimension>(x[0]) || (x.size() > 1 && std::holds_alternative<Dimension>(x[1])))
      return size(node, x);
    return integer(node, of, std::get<int64_t>(x[0]), x.size() > 1 ? std::get<int64_t>(x[1]) : 0);
  }

private:
  std::optional<Cell> element(const ScalarNode &node) {
    const Literal *literal = literals(node.tensor);
    if (!literal && !elements)
      return std::nullopt;
    std::vector<int64_t> indices;
    for (const Scalar &operand : node.operands) {
      auto index = eval(operand);
      if (!index || !std::holds_alternative<int64_t>(*index))
        return std::nullopt;
      indices.push_back(std::get<int64_t>(*index));
    }
    if (!literal)
      return elements(node.tensor, indices);
    int64_t linear = 0;
    for (size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] < 0 || indices[i] >= literal->shape[i])
        return std::nullopt;
      linear = linear * literal->shape[i] + indices[i];
    }
    return literal->cells[size_t(linear)];
  }

  static std::optional<Cell> castTo(const Cell &x, ElementType from, ElementType to) {
    if (const Dimension *size = std::get_if<Dimension>(&x)) {
      // Dimensions fit any integer of 32 bits or more.
      if (to == ElementType::i64 || to == ElementType::index || to == ElementType::i32 || to == ElementType::u64)
        return Cell(*size);
      // To floats, which hold sizes exactly.
      if (to == ElementType::f32 || to == ElementType::f64)
        return Cell(Ratio{*size, 1});
      return std::nullopt;
    }
    if (const Ratio *ratio = std::get_if<Ratio>(&x)) {
      if (to == ElementType::f32 || to == ElementType::f64)
        return x;
      // Towards zero.
      if ((to == ElementType::i64 || to == ElementType::i32) && (ratio->bottom == 1 || ratio->top.least().value_or(-1) >= 0))
        return whole(Dimension::floorDiv(ratio->top, ratio->bottom));
      return std::nullopt;
    }
    if (isFloat(from)) {
      const double value = std::get<double>(x);
      if (isFloat(to))
        return Cell(roundTo(to, value));
      if (to == ElementType::i1)
        return Cell(int64_t(value != 0));
      if (!(std::fabs(value) < 9.2e18))
        return std::nullopt;
      return Cell(wrapTo(to, int64_t(value)));
    }
    const int64_t value = std::get<int64_t>(x);
    if (isFloat(to))
      return Cell(roundTo(to, from == ElementType::u64 ? double(uint64_t(value)) : double(value)));
    return Cell(wrapTo(to, value));
  }

  // The same bits as another type of their size.
  static std::optional<Cell> bitsTo(const Cell &x, ElementType from, ElementType to) {
    if (dependsOnDimensions(x) || from == ElementType::index || to == ElementType::index)
      return std::nullopt;
    const std::string bytes = Literal{from, {1}, {x}}.bytes();
    if (bytes.size() != elementBytes(to))
      return std::nullopt;
    return Literal::fromBytes(to, {1}, bytes.data()).cells[0];
  }

  static std::optional<Cell> whole(const Dimension &value) {
    if (auto constant = value.constant())
      return Cell(*constant);
    return Cell(value);
  }

  // A float as a fraction of small numbers; nothing where it is none.
  static std::optional<Ratio> ratioOf(const Cell &cell) {
    if (const Ratio *ratio = std::get_if<Ratio>(&cell))
      return *ratio;
    const double *value = std::get_if<double>(&cell);
    if (!value || !(std::fabs(*value) <= 2147483648.0)) // the ends of 32 bits among them, by which slices say "all"
      return std::nullopt;
    for (int64_t bottom = 1; bottom <= 1024; bottom *= 2)
      if (const double top = *value * double(bottom); top == std::nearbyint(top))
        return Ratio{Dimension(int64_t(top)), bottom};
    return std::nullopt;
  }

  // Floats of which one depends on dimensions. Exact where sizes are below 2^20; what is no fraction of small numbers is computed
  // in the run.
  static std::optional<Cell> ratio(const ScalarNode &node, const std::vector<Cell> &x) {
    const auto a = ratioOf(x[0]), b = x.size() > 1 ? ratioOf(x[1]) : std::optional<Ratio>(Ratio{});
    if (!a || !b || x.size() > 2)
      return std::nullopt;
    auto give = [](Dimension top, int64_t bottom) -> std::optional<Cell> {
      if (bottom < 0) {
        top = Dimension(0) - top;
        bottom = -bottom;
      }
      if (auto constant = top.constant())
        return Cell(double(*constant) / double(bottom));
      if (auto quotient = Dimension::exactQuotient(top, bottom))
        return Cell(Ratio{*quotient, 1});
      return bottom <= int64_t(1) << 20 ? std::optional<Cell>(Ratio{top, bottom}) : std::nullopt;
    };
    const Dimension left = a->top * Dimension(b->bottom), right = b->top * Dimension(a->bottom);
    const int64_t bottom = a->bottom * b->bottom;
    const auto least = (left - right).least(), most = (left - right).most();
    switch (node.op) {
    case ScalarOp::neg: return give(Dimension(0) - a->top, a->bottom);
    case ScalarOp::abs: return a->top.least().value_or(-1) >= 0 ? std::optional<Cell>(x[0]) : std::nullopt;
    case ScalarOp::floor: return give(Dimension::floorDiv(a->top, a->bottom), 1);
    case ScalarOp::ceil: return give(Dimension::ceilDiv(a->top, a->bottom), 1);
    case ScalarOp::trunc: return a->bottom == 1 || a->top.least().value_or(-1) >= 0 ? give(Dimension::floorDiv(a->top, a->bottom), 1) : std::nullopt;
    case ScalarOp::round_even: return a->bottom == 1 ? std::optional<Cell>(x[0]) : std::nullopt;
    case ScalarOp::add: return give(left + right, bottom);
    case ScalarOp::sub: return give(left - right, bottom);
    case ScalarOp::mul: return give(a->top * b->top, bottom);
    case ScalarOp::div: {
      auto divisor = b->top.constant();
      if (!divisor || *divisor == 0)
        return std::nullopt;
      return give(left, a->bottom * *divisor);
    }
    case ScalarOp::max: return give(Dimension::max(left, right), bottom);
    case ScalarOp::min: return give(Dimension::min(left, right), bottom);
    case ScalarOp::lt: return (most && *most < 0) || (least && *least >= 0) ? truth(most && *most < 0) : std::nullopt;
    case ScalarOp::ge: return (most && *most < 0) || (least && *least >= 0) ? truth(!(most && *most < 0)) : std::nullopt;
    case ScalarOp::gt: return (least && *least > 0) || (most && *most <= 0) ? truth(least && *least > 0) : std::nullopt;
    case ScalarOp::le: return (least && *least > 0) || (most && *most <= 0) ? truth(!(least && *least > 0)) : std::nullopt;
    default: return std::nullopt;
    }
  }

  static std::optional<Cell> truth(bool value) { return Cell(int64_t(value)); }

  static std::optional<Cell> real(const ScalarNode &node, ElementType type, double x, double y) {
    double result;
    switch (node.op) {
    case ScalarOp::neg: result = -x; break;
    case ScalarOp::abs: result = std::fabs(x); break;
    case ScalarOp::exp: result = std::exp(x); break;
    case ScalarOp::log: result = std::log(x); break;
    case ScalarOp::sqrt: result = std::sqrt(x); break;
    case ScalarOp::sin: result = std::sin(x); break;
    case ScalarOp::cos: result = std::cos(x); break;
    case ScalarOp::tan: result = std::tan(x); break;
    case ScalarOp::asin: result = std::asin(x); break;
    case ScalarOp::acos: result = std::acos(x); break;
    case ScalarOp::atan: result = std::atan(x); break;
    case ScalarOp::sinh: result = std::sinh(x); break;
    case ScalarOp::cosh: result = std::cosh(x); break;
    case ScalarOp::asinh: result = std::asinh(x); break;
    case ScalarOp::acosh: result = std::acosh(x); break;
    case ScalarOp::atanh: result = std::atanh(x); break;
    case ScalarOp::tanh: result = std::tanh(x); break;
    case ScalarOp::erf: result = std::erf(x); break;
    case ScalarOp::floor: result = std::floor(x); break;
    case ScalarOp::ceil: result = std::ceil(x); break;
    case ScalarOp::trunc: result = std::trunc(x); break;
    case ScalarOp::round_even: result = std::nearbyint(x); break;
    case ScalarOp::is_nan: return truth(std::isnan(x));
    case ScalarOp::is_inf: return truth(std::isinf(x));
    case ScalarOp::add: result = x + y; break;
    case ScalarOp::sub: result = x - y; break;
    case ScalarOp::mul: result = x * y; break;
    case ScalarOp::div: result = x / y; break;
    case ScalarOp::rem: result = std::fmod(x, y); break;
    case ScalarOp::pow: result = std::pow(x, y); break;
    case ScalarOp::max: result = std::isnan(x) || std::isnan(y) ? NAN : std::fmax(x, y); break;
    case ScalarOp::min: result = std::isnan(x) || std::isnan(y) ? NAN : std::fmin(x, y); break;
    case ScalarOp::eq: return truth(x == y);
    case ScalarOp::ne: return truth(x != y);
    case ScalarOp::lt: return truth(x < y);
    case ScalarOp::le: return truth(x <= y);
    case ScalarOp::gt: return truth(x > y);
    case ScalarOp::ge: return truth(x >= y);
    default: return std::nullopt;
    }
    return Cell(roundTo(type, result));
  }

  // Integers that depend on dimensions.
  static std::optional<Cell> size(const ScalarNode &node, const std::vector<Cell> &x) {
    auto sizeOf = [](const Cell &cell) {
      const Dimension *dimension = std::get_if<Dimension>(&cell);
      return dimension ? *dimension : Dimension(std::get<int64_t>(cell));
    };
    const Dimension a = sizeOf(x[0]), b = x.size() > 1 ? sizeOf(x[1]) : Dimension();
    auto give = [](const Dimension &value) -> std::optional<Cell> {
      if (auto constant = value.constant())
        return Cell(*constant);
      return Cell(value);
    };
    const Dimension difference = a - b;
    const auto least = difference.least(), most = difference.most();
    auto decide = [&](std::optional<bool> known) -> std::optional<Cell> {
      return known ? truth(*known) : std::nullopt;
    };
    std::optional<bool> same = difference == Dimension(0)                          ? std::optional(true)
                               : (least && *least > 0) || (most && *most < 0) ? std::optional(false)
                                                                              : std::nullopt;
    std::optional<bool> below = most && *most < 0     ? std::optional(true)
                                : least && *least >= 0 ? std::optional(false)
                                                       : std::nullopt;
    std::optional<bool> above = least && *least > 0  ? std::optional(true)
                                : most && *most <= 0 ? std::optional(false)
                                                     : std::nullopt;
    auto opposite = [](std::optional<bool> of) { return of ? std::optional(!*of) : of; };
    const bool divides = !(b == Dimension(0));
    // Division rounds towards zero; sizes are not negative, but less a window's they may be.
    const bool naturalBelow = b.least().value_or(-1) >= 0, natural = a.least().value_or(-1) >= 0 && naturalBelow;
    auto quotient = [&] {
      const Dimension above = Dimension::floorDiv(natural ? a : Dimension::max(a, 0), b);
      return natural ? above : above - Dimension::floorDiv(Dimension::max(Dimension(0) - a, 0), b);
    };
    switch (node.op) {
    case ScalarOp::neg: return give(Dimension(0) - a);
    case ScalarOp::abs: return a.least().value_or(-1) >= 0 ? give(a) : std::nullopt;
    case ScalarOp::add: return give(a + b);
    case ScalarOp::sub: return give(a - b);
    case ScalarOp::mul: return give(a * b);
    case ScalarOp::div: return divides && naturalBelow ? give(quotient()) : std::nullopt;
    case ScalarOp::rem:
    case ScalarOp::mod: return divides && natural ? give(Dimension::mod(a, b)) : std::nullopt;
    case ScalarOp::max: return give(Dimension::max(a, b));
    case ScalarOp::min: return give(Dimension::min(a, b));
    case ScalarOp::eq: return decide(same);
    case ScalarOp::ne: return decide(opposite(same));
    case ScalarOp::lt: return decide(below);
    case ScalarOp::ge: return decide(opposite(below));
    case ScalarOp::gt: return decide(above);
    case ScalarOp::le: return decide(opposite(above));
    default: return std::nullopt;
    }
  }

  static std::optional<Cell> integer(const ScalarNode &node, ElementType type, int64_t x, int64_t y) {
    const bool unsign = isUnsigned(type);
    const auto ux = uint64_t(x), uy = uint64_t(y);
    const unsigned bits = type == ElementType::i1 ? 1 : type == ElementType::index ? 64 : unsigned(elementBytes(type) * 8);
    int64_t result;
    switch (node.op) {
    case ScalarOp::neg: result = int64_t(0 - ux); break;
    case ScalarOp::abs: result = !unsign && x < 0 ? int64_t(0 - ux) : x; break;
    case ScalarOp::logical_not: return truth(!x);
    case ScalarOp::bit_not: result = ~x; break;
    case ScalarOp::count_ones: result = std::popcount(bits == 64 ? ux : ux & ((uint64_t(1) << bits) - 1)); break;
    case ScalarOp::add: result = int64_t(ux + uy); break;
    case ScalarOp::sub: result = int64_t(ux - uy); break;
    case ScalarOp::mul: result = int64_t(ux * uy); break;
    case ScalarOp::div:
      if (y == 0)
        return std::nullopt;
      result = unsign ? int64_t(ux / uy) : y == -1 ? int64_t(0 - ux) : x / y;
      break;
    case ScalarOp::rem:
    case ScalarOp::mod:
      if (y == 0)
        return std::nullopt;
      result = unsign ? int64_t(ux % uy) : y == -1 ? 0 : x % y;
      if (node.op == ScalarOp::mod && !unsign && result != 0 && (result < 0) != (y < 0))
        result += y;
      break;
    case ScalarOp::max: result = unsign ? int64_t(std::max(ux, uy)) : std::max(x, y); break;
    case ScalarOp::min: result = unsign ? int64_t(std::min(ux, uy)) : std::min(x, y); break;
    case ScalarOp::eq: return truth(x == y);
    case ScalarOp::ne: return truth(x != y);
    case ScalarOp::lt: return truth(unsign ? ux < uy : x < y);
    case ScalarOp::le: return truth(unsign ? ux <= uy : x <= y);
    case ScalarOp::gt: return truth(unsign ? ux > uy : x > y);
    case ScalarOp::ge: return truth(unsign ? ux >= uy : x >= y);
    case ScalarOp::logical_xor:
    case ScalarOp::bit_xor: result = x ^ y; break;
    case ScalarOp::bit_and: result = x & y; break;
    case ScalarOp::bit_or: result = x | y; break;
    case ScalarOp::shift_left: result = uy >= bits ? 0 : int64_t(ux << uy); break;
    case ScalarOp::shift_right: result = uy >= bits ? (unsign || x >= 0 ? 0 : -1) : unsign ? int64_t(ux >> uy) : x >> y; break;
    default: return std::nullopt;
    }
    return Cell(wrapTo(type, result));
  }

  const std::vector<int64_t> &loops;
  const LiteralOf &literals;
  const ElementOf &elements;
};

} // namespace

std::optional<Cell> evaluate(const Scalar &scalar, const std::vector<int64_t> &loops, const LiteralOf &literals,
                             const ElementOf &elements) {
  return Evaluator(loops, literals, elements).eval(scalar);
}

std::optional<Cell> combined(Reduction kind, ElementType type, const Cell &a, const Cell &b) {
  const ScalarOp op = kind == Reduction::sum       ? ScalarOp::add
                      : kind == Reduction::product ? ScalarOp::mul
                      : kind == Reduction::max     ? ScalarOp::max
                                                   : ScalarOp::min;
  Literal pair{type, {2}, {a, b}};
  // Through the evaluator, so that it is the same arithmetic.
  Scalar both = apply(op, Scalar::element(&pair, type, {Scalar(0)}), Scalar::element(&pair, type, {Scalar(1)}));
  return evaluate(both, {}, [&](const void *) { return &pair; });
}

} // namespace ingot::onnx
