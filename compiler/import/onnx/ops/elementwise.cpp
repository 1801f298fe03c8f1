// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element-wise operators of ai.onnx with numpy's broadcasting: arithmetic, comparisons, logic, bits, roots and trigonometry.
#include "compiler/import/onnx/op.h"

#include <algorithm>
#include <cmath>

namespace ingot::onnx {

namespace {

// Before version 7 a smaller operand was broadcast along `axis`, where `broadcast` said so.
Tensor secondOperand(Op &op) {
  Tensor a = op.input(0), b = op.input(1);
  if (op.version >= 7 || !op.integer("broadcast", 0) || !op.has("axis"))
    return b;
  Shape shape = b->shape;
  const size_t axis = axisOf(op.integer("axis"), a->rank());
  while (axis + shape.size() < a->rank())
    shape.push_back(Dimension(1));
  return op.graph.reshape(b, shape);
}

template <ScalarOp kind> std::vector<Tensor> unary(Op &op) { return {op.graph.elementwise(kind, {op.input(0)})}; }
template <ScalarOp kind> std::vector<Tensor> binary(Op &op) {
  return {op.graph.elementwise(kind, {op.input(0), secondOperand(op)})};
}
template <ScalarOp kind> std::vector<Tensor> comparison(Op &op) {
  return {op.graph.compare(kind, op.input(0), secondOperand(op))};
}
template <ScalarOp kind> std::vector<Tensor> logical(Op &op) {
  for (size_t i = 0; i < 2; ++i)
    if (op.input(i)->dataType != DataType::boolean)
      op.fail("input " + std::to_string(i) + " is of " + nameOf(op.input(i)->dataType) + "; expected bool");
  Tensor first = op.input(0), second = secondOperand(op);
  // One side may tell alone: false and anything, true or anything.
  if (kind == ScalarOp::logical_and || kind == ScalarOp::logical_or)
    for (Tensor side : {first, second}) {
      auto known = op.graph.knownIntegers(side);
      const bool told = known && !known->empty() && std::all_of(known->begin(), known->end(), [](const Dimension &value) {
        return value == Dimension(kind == ScalarOp::logical_or);
      });
      if (told)
        return {op.graph.broadcast(op.graph.scalar(DataType::boolean, kind == ScalarOp::logical_or), op.graph.broadcastShape({first, second}))};
    }
  return {op.graph.map(DataType::boolean, {first, second}, [](const std::vector<Scalar> &x) { return apply(kind, x[0], x[1]); })};
}

// Any number of operands, folded from the first.
template <ScalarOp kind> std::vector<Tensor> folded(Op &op) {
  Tensor sum = op.input(0);
  for (size_t i = 1; i < op.inputs(); ++i)
    sum = op.graph.elementwise(kind, {sum, op.input(i)});
  return {sum};
}

std::vector<Tensor> mean(Op &op) {
  Tensor sum = folded<ScalarOp::add>(op)[0];
  return {op.graph.elementwise(ScalarOp::div, {sum, op.graph.scalar(sum->dataType, double(op.inputs()))})};
}

std::vector<Tensor> logicalNot(Op &op) {
  return {op.graph.map(DataType::boolean, {op.input(0)},
                       [](const std::vector<Scalar> &x) { return apply(ScalarOp::logical_not, x[0]); })};
}

template <ScalarOp kind> std::vector<Tensor> bits(Op &op) {
  return {op.graph.map(op.input(0)->dataType, op.inputs() == 1 ? std::vector<Tensor>{op.input(0)} : std::vector<Tensor>{op.input(0), op.input(1)},
                       [](const std::vector<Scalar> &x) { return x.size() == 1 ? apply(kind, x[0]) : apply(kind, x[0], x[1]); })};
}

std::vector<Tensor> bitShift(Op &op) {
  const std::string direction = op.string("direction");
  if (direction != "LEFT" && direction != "RIGHT")
    op.fail("direction is '" + direction + "'; expected LEFT or RIGHT");
  const ScalarOp kind = direction == "LEFT" ? ScalarOp::shift_left : ScalarOp::shift_right;
  return {op.graph.map(op.input(0)->dataType, {op.input(0), op.input(1)}, [&](const std::vector<Scalar> &x) {
    if (kind == ScalarOp::shift_left || isUnsigned(x[0].type()))
      return apply(kind, x[0], x[1]);
    // All bits of signed numbers become the sign's where they are shifted by their width or more, which negative counts are too.
    Scalar most = like(x[0], double(elementBytes(x[0].type()) * 8 - 1));
    return apply(kind, x[0], select(either(x[1] < like(x[1], 0), x[1] > most), most, x[1]));
  })};
}

std::vector<Tensor> modulo(Op &op) {
  Tensor a = op.input(0), b = op.input(1);
  const bool fmod = op.integer("fmod", 0) != 0;
  if (isFloat(a->type) && !fmod) // of the sign of the divisor
    return {op.graph.map(a->dataType, {a, b}, [](const std::vector<Scalar> &x) {
      Scalar rest = apply(ScalarOp::rem, x[0], x[1]), zero = like(rest, 0);
      Scalar other = apply(ScalarOp::logical_xor, rest < zero, x[1] < zero);
      return select(both(other, apply(ScalarOp::ne, rest, zero)), rest + x[1], rest);
    })};
  const ScalarOp kind = fmod ? ScalarOp::rem : ScalarOp::mod;
  return {op.graph.map(a->dataType, {a, b}, [&](const std::vector<Scalar> &x) { return apply(kind, x[0], x[1]); })};
}

// Exponents may be of another type than the base, which is the result's.
std::vector<Tensor> power(Op &op) {
  Tensor base = op.input(0), exponent = secondOperand(op);
  Graph &graph = op.graph;
  if (auto known = graph.knownReals(exponent); known && isFloat(base->type) && !known->empty()) {
    bool same = true;
    for (double value : *known)
      same &= value == (*known)[0];
    Shape shape = graph.broadcastShape({base, exponent});
    if (same && shape == base->shape) {
      const double value = (*known)[0];
      if (value == 1)
        return {base};
      if (value == 2)
        return {graph.elementwise(ScalarOp::mul, {base, base})};
      if (value == 3)
        return {graph.elementwise(ScalarOp::mul, {graph.elementwise(ScalarOp::mul, {base, base}), base})};
      if (value == 0.5)
        return {graph.elementwise(ScalarOp::sqrt, {base})};
      if (value == -1)
        return {graph.elementwise(ScalarOp::div, {graph.scalar(base->dataType, 1), base})};
      if (value == -0.5)
        return {graph.elementwise(ScalarOp::div, {graph.scalar(base->dataType, 1), graph.elementwise(ScalarOp::sqrt, {base})})};
    }
  }
  if (isFloat(base->type)) {
    if (exponent->dataType != base->dataType)
      exponent = graph.cast(exponent, base->dataType);
    return {graph.elementwise(ScalarOp::pow, {base, exponent})};
  }
  // Integers: through double, which holds all powers that fit 53 bits.
  Tensor result = graph.map(DataType::f64, {graph.cast(base, DataType::f64), graph.cast(exponent, DataType::f64)},
                            [](const std::vector<Scalar> &x) { return apply(ScalarOp::pow, x[0], x[1]); });
  return {graph.cast(graph.map(DataType::f64, {result}, [](const std::vector<Scalar> &x) { return apply(ScalarOp::round_even, x[0]); }),
                     base->dataType)};
}

std::vector<Tensor> reciprocal(Op &op) {
  return {op.graph.elementwise(ScalarOp::div, {op.graph.scalar(op.input(0)->dataType, 1), op.input(0)})};
}

std::vector<Tensor> sign(Op &op) {
  return {op.graph.map(op.input(0)->dataType, {op.input(0)}, [](const std::vector<Scalar> &x) {
    Scalar zero = like(x[0], 0), one = like(x[0], 1);
    if (isUnsigned(x[0].type()))
      return select(x[0] > zero, one, zero);
    // NaN stays what it is.
    return select(x[0] > zero, one, select(x[0] < zero, like(x[0], -1), isFloat(x[0].type()) ? x[0] * zero : zero));
  })};
}

// Floats of 8 bits, which are held as their bits, as numbers.
Tensor readable(Op &op) {
  Tensor x = op.input(0);
  return isSmallFloat(x->dataType) ? op.graph.cast(x, DataType::f32) : x;
}

std::vector<Tensor> isNan(Op &op) {
  return {op.graph.map(DataType::boolean, {readable(op)}, [](const std::vector<Scalar> &x) { return apply(ScalarOp::is_nan, x[0]); })};
}

std::vector<Tensor> isInf(Op &op) {
  const bool positive = op.integer("detect_positive", 1), negative = op.integer("detect_negative", 1);
  return {op.graph.map(DataType::boolean, {readable(op)}, [&](const std::vector<Scalar> &x) {
    Scalar found = apply(ScalarOp::is_inf, x[0]);
    if (!positive)
      found = both(found, x[0] < like(x[0], 0));
    if (!negative)
      found = both(found, x[0] > like(x[0], 0));
    return found;
  })};
}

std::vector<Tensor> where(Op &op) { return {op.graph.where(op.input(0), op.input(1), op.input(2))}; }

std::vector<Tensor> identity(Op &op) { return {op.input(0)}; }

// Bounds are attributes before version 11, inputs after it.
std::vector<Tensor> clip(Op &op) {
  Tensor x = op.input(0), low = op.optional(1), high = op.optional(2);
  if (op.version < 11) {
    low = op.has("min") ? op.graph.scalar(x->dataType, op.real("min")) : nullptr;
    high = op.has("max") ? op.graph.scalar(x->dataType, op.real("max")) : nullptr;
  }
  if (low)
    x = op.graph.elementwise(ScalarOp::max, {x, low});
  if (high)
    x = op.graph.elementwise(ScalarOp::min, {x, high});
  return {x};
}

constexpr Definition kOps[] = {
    {"", "Add", 1, binary<ScalarOp::add>},
    {"", "Sub", 1, binary<ScalarOp::sub>},
    {"", "Mul", 1, binary<ScalarOp::mul>},
    {"", "Div", 1, binary<ScalarOp::div>},
    {"", "Mod", 10, modulo},
    {"", "Pow", 1, power},
    {"", "Max", 1, folded<ScalarOp::max>},
    {"", "Min", 1, folded<ScalarOp::min>},
    {"", "Sum", 1, folded<ScalarOp::add>},
    {"", "Mean", 1, mean},
    {"", "Neg", 1, unary<ScalarOp::neg>},
    {"", "Abs", 1, unary<ScalarOp::abs>},
    {"", "Exp", 1, unary<ScalarOp::exp>},
    {"", "Log", 1, unary<ScalarOp::log>},
    {"", "Sqrt", 1, unary<ScalarOp::sqrt>},
    {"", "Reciprocal", 1, reciprocal},
    {"", "Sin", 7, unary<ScalarOp::sin>},
    {"", "Cos", 7, unary<ScalarOp::cos>},
    {"", "Tan", 7, unary<ScalarOp::tan>},
    {"", "Asin", 7, unary<ScalarOp::asin>},
    {"", "Acos", 7, unary<ScalarOp::acos>},
    {"", "Atan", 7, unary<ScalarOp::atan>},
    {"", "Sinh", 9, unary<ScalarOp::sinh>},
    {"", "Cosh", 9, unary<ScalarOp::cosh>},
    {"", "Asinh", 9, unary<ScalarOp::asinh>},
    {"", "Acosh", 9, unary<ScalarOp::acosh>},
    {"", "Atanh", 9, unary<ScalarOp::atanh>},
    {"", "Tanh", 1, unary<ScalarOp::tanh>},
    {"", "Erf", 9, unary<ScalarOp::erf>},
    {"", "Floor", 1, unary<ScalarOp::floor>},
    {"", "Ceil", 1, unary<ScalarOp::ceil>},
    {"", "Round", 11, unary<ScalarOp::round_even>},
    {"", "Sign", 9, sign},
    {"", "IsNaN", 9, isNan},
    {"", "IsInf", 10, isInf},
    {"", "Equal", 1, comparison<ScalarOp::eq>},
    {"", "Less", 1, comparison<ScalarOp::lt>},
    {"", "LessOrEqual", 12, comparison<ScalarOp::le>},
    {"", "Greater", 1, comparison<ScalarOp::gt>},
    {"", "GreaterOrEqual", 12, comparison<ScalarOp::ge>},
    {"", "And", 1, logical<ScalarOp::logical_and>},
    {"", "Or", 1, logical<ScalarOp::logical_or>},
    {"", "Xor", 1, logical<ScalarOp::logical_xor>},
    {"", "Not", 1, logicalNot},
    {"", "BitwiseAnd", 18, bits<ScalarOp::bit_and>},
    {"", "BitwiseOr", 18, bits<ScalarOp::bit_or>},
    {"", "BitwiseXor", 18, bits<ScalarOp::bit_xor>},
    {"", "BitwiseNot", 18, bits<ScalarOp::bit_not>},
    {"", "BitShift", 11, bitShift},
    {"", "Where", 9, where},
    {"", "Identity", 1, identity},
    {"", "Clip", 1, clip},
};

} // namespace

std::span<const Definition> elementwiseOps() { return kOps; }

} // namespace ingot::onnx
