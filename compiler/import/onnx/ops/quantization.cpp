// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operators: numbers x are held as q with x = (q - zero point) * scale. Sums of products are integers of 32 bits.
#include "compiler/import/onnx/ops/quantization.h"

namespace ingot::onnx {

IntegerRange rangeOf(Op &op, DataType type) {
  switch (type) {
  case DataType::u8: return {0, 255};
  case DataType::i8: return {-128, 127};
  case DataType::u16: return {0, 65535};
  case DataType::i16: return {-32768, 32767};
  case DataType::u4: return {0, 15};
  case DataType::i4: return {-8, 7};
  case DataType::u2: return {0, 3};
  case DataType::i2: return {-2, 1};
  default: op.fail("numbers cannot be quantized to " + nameOf(type));
  }
}

Scalar quantized(Scalar x, Scalar zeroPoint, IntegerRange range, ElementType held) {
  Scalar moved = apply(ScalarOp::round_even, x) + zeroPoint;
  moved = select(apply(ScalarOp::is_nan, moved), like(x, double(range.least)), moved);
  Scalar kept = smaller(larger(moved, like(x, double(range.least))), like(x, double(range.most)));
  return cast(cast(kept, ElementType::i32), held);
}

Tensor shifted(Op &op, Tensor x, Tensor zero, const Shape &shape) {
  if (isFloat(x->type) || isSmallFloat(x->dataType) || x->dataType == DataType::boolean)
    op.fail("an operand is of " + nameOf(x->dataType) + "; expected integers");
  if (!zero)
    return op.graph.cast(x, DataType::i32);
  zero = op.graph.reshape(zero, elementsOf(zero->shape) == Dimension(1) ? Shape{} : shape);
  return op.graph.map(DataType::i32, {x, zero}, [](const std::vector<Scalar> &s) {
    return cast(s[0], ElementType::i32) - cast(s[1], ElementType::i32);
  });
}

Tensor requantized(Op &op, Tensor sums, Tensor a, Tensor b, Tensor y, Tensor zero) {
  Graph &graph = op.graph;
  const DataType type = zero->dataType;
  auto one = [&](Tensor x) { return elementsOf(x->shape) == Dimension(1) ? graph.reshape(x, {}) : x; };
  if (isSmallFloat(type) || isFloat(zero->type))
    op.fail("the result's zero point is of " + nameOf(type) + "; expected integers");
  const IntegerRange range = rangeOf(op, type);
  Tensor factor = graph.map(DataType::f32, {one(a), one(b), one(y)}, [](const std::vector<Scalar> &s) {
    return cast(s[0], ElementType::f32) * cast(s[1], ElementType::f32) / cast(s[2], ElementType::f32);
  });
  return graph.map(type, {graph.cast(sums, DataType::f32), factor, one(zero)}, [&](const std::vector<Scalar> &s) {
    return quantized(s[0] * s[1], cast(s[2], ElementType::f32), range, *storage(type));
  });
}

namespace {

// Where the parameter of an element lies: one for all, one along an axis, or one for each block along it.
class Parameters {
public:
  // The same, as a tensor remembers it.
  void describe(Dequantized &how) const {
    how.along = kind == Kind::one         ? Dequantized::Along::all
                : kind == Kind::alongAxis ? Dequantized::Along::axis
                                          : Dequantized::Along::blocks;
    how.axis = axis;
    how.block = size;
  }
  Parameters(Op &op, Tensor x, Tensor of, const char *name) {
    const int64_t block = op.integer("block_size", 0);
    if (elementsOf(of->shape) == Dimension(1))
      return;
    axis = axisOf(op.integer("axis", 1), x->rank());
    if (block < 0)
      op.fail("block_size is " + std::to_string(block) + "; expected a positive number, or 0 for none");
    if (block == 0) {
      kind = Kind::alongAxis;
      if (of->rank() != 1 || op.graph.differ(of->shape[0], x->shape[axis], std::string("as many numbers in the ") + name + " as axis " + std::to_string(axis) + " has"))
        op.fail(std::string(name) + " has shape " + textOf(of->shape) + "; expected one number, or " + x->shape[axis].text() +
                " for axis " + std::to_string(axis));
      return;
    }
    kind = Kind::blocks;
    size = block;
    Shape expected = x->shape;
    expected[axis] = Dimension::ceilDiv(x->shape[axis], Dimension(block));
    bool fits = of->rank() == x->rank();
    for (size_t d = 0; fits && d < expected.size(); ++d)
      fits = !expected[d].isConstant() || !of->shape[d].isConstant() || expected[d] == of->shape[d];
    if (!fits)
      op.fail(std::string(name) + " has shape " + textOf(of->shape) + "; expected " + textOf(expected) + " for blocks of " +
              std::to_string(block));
  }

  Indices at(const Indices &i, Tensor of) const {
    if (kind == Kind::one)
      return Indices(of->rank(), Scalar(0));
    if (kind == Kind::alongAxis)
      return {i[axis]};
    Indices own = i;
    own[axis] = i[axis] / Scalar(size);
    return own;
  }

private:
  enum class Kind { one, alongAxis, blocks } kind = Kind::one;
  size_t axis = 0;
  int64_t size = 0;
};

std::vector<Tensor> quantizeLinear(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), scale = op.input(1), zero = op.optional(2);
  const auto asked = DataType(op.integer("output_dtype", 0));
  const DataType type = zero ? zero->dataType : asked != DataType::undefined ? asked : DataType::u8;
  if (zero && asked != DataType::undefined && asked != type)
    op.fail("output_dtype is " + nameOf(asked) + "; the zero point is of " + nameOf(type));
  Parameters scales(op, x, scale, "the scale");
  if (zero && !(zero->shape == scale->shape) && !(elementsOf(zero->shape) == Dimension(1)))
    op.fail("the zero point has shape " + textOf(zero->shape) + "; the scale has " + textOf(scale->shape));
  CastMode mode;
  mode.saturate = op.integer("saturate", 1) != 0;
  // The quotient is rounded to `precision`, or the scale's type.
  auto precision = DataType(op.integer("precision", 0));
  if (precision == DataType::undefined)
    precision = isFloat(x->type) ? scale->dataType : DataType::f32;
  auto held = storage(precision);
  if (!held || !isFloat(*held))
    op.fail("quotients cannot be of " + nameOf(precision));
  const bool real = isSmallFloat(type);
  const IntegerRange range = real ? IntegerRange{} : rangeOf(op, type);
  return {graph.compute(type, x->shape, [&](const Indices &i) {
    Scalar factor = graph.real(scale, scales.at(i, scale)), number = graph.real(x, i);
    if (*held != ElementType::f32 && *held != ElementType::f64) { // operands too are of that precision
      factor = cast(cast(factor, *held), ElementType::f32);
      number = cast(cast(number, *held), ElementType::f32);
    }
    Scalar quotient = number / factor;
    if (*held != ElementType::f32 && *held != ElementType::f64)
      quotient = cast(cast(quotient, *held), ElementType::f32);
    Scalar offset = like(quotient, 0);
    if (zero)
      offset = graph.real(zero, elementsOf(zero->shape) == Dimension(1) ? Indices(zero->rank(), Scalar(0)) : scales.at(i, zero));
    if (real)
      return smallFloatBits(type, zero ? quotient + offset : quotient, mode);
    return quantized(quotient, offset, range, *storage(type));
  })};
}

std::vector<Tensor> dequantizeLinear(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), scale = op.input(1), zero = op.optional(2);
  Parameters scales(op, x, scale, "the scale");
  if (zero && zero->dataType != x->dataType)
    op.fail("the zero point is of " + nameOf(zero->dataType) + "; the input is of " + nameOf(x->dataType));
  if (zero && !(zero->shape == scale->shape) && !(elementsOf(zero->shape) == Dimension(1)))
    op.fail("the zero point has shape " + textOf(zero->shape) + "; the scale has " + textOf(scale->shape));
  auto type = DataType(op.integer("output_dtype", 0));
  if (type == DataType::undefined)
    type = isSmallFloat(scale->dataType) ? DataType::f32 : scale->dataType;
  auto held = storage(type);
  if (!held || !isFloat(*held))
    op.fail("the result cannot be of " + nameOf(type));
  const bool whole = !isFloat(x->type) && !isSmallFloat(x->dataType);
  Dequantized how;
  how.codes = x;
  how.scale = scale;
  how.zero = zero;
  scales.describe(how);
  // Copies of what the closure may need after this function.
  auto plainly = [&graph, scales, x, scale, zero, type, whole, held] {
    return graph.compute(type, x->shape, [&](const Indices &i) {
      Scalar number;
      auto offsetAt = [&] {
        return elementsOf(zero->shape) == Dimension(1) ? Indices(zero->rank(), Scalar(0)) : scales.at(i, zero);
      };
      if (whole) { // the difference of integers is exact
        number = cast(graph.at(x, i), ElementType::i64);
        if (zero)
          number = number - cast(graph.at(zero, offsetAt()), ElementType::i64);
        number = cast(number, ElementType::f32);
      } else {
        number = graph.real(x, i);
        if (zero)
          number = number - graph.real(zero, offsetAt());
      }
      return cast(number * graph.real(scale, scales.at(i, scale)), *held);
    });
  };
  return {whole ? graph.dequantize(type, how, plainly) : plainly()};
}

// Scale and zero point from the range of the input, with 0 in it: 255 steps.
std::vector<Tensor> dynamicQuantizeLinear(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  if (x->dataType != DataType::f32)
    op.fail("its input is of " + nameOf(x->dataType) + "; expected float");
  // Row by row first, which threads share.
  auto overAll = [&](Reduction kind) {
    if (x->rank() < 2 || x->known) {
      std::vector<size_t> axes;
      for (size_t d = 0; d < x->rank(); ++d)
        axes.push_back(d);
      return graph.reduceAxes(kind, x, axes, false);
    }
    Tensor rows = graph.reshape(x, {elementsOf(Shape(x->shape.begin(), x->shape.end() - 1)), x->shape.back()});
    return graph.reduceAxes(kind, graph.reduceAxes(kind, rows, {1}, false), {0}, false);
  };
  Tensor most = overAll(Reduction::max), least = overAll(Reduction::min);
  Tensor scale = graph.map(DataType::f32, {most, least}, [](const std::vector<Scalar> &s) {
    Scalar range = larger(s[0], like(s[0], 0)) - smaller(s[1], like(s[1], 0));
    return select(equal(range, like(range, 0)), like(range, 1), range) / like(range, 255);
  });
  Tensor zero = graph.map(DataType::u8, {least, scale}, [](const std::vector<Scalar> &s) {
    return quantized(-(smaller(s[0], like(s[0], 0)) / s[1]), like(s[0], 0), {0, 255}, ElementType::u8);
  });
  Tensor y = graph.map(DataType::u8, {x, scale, zero}, [](const std::vector<Scalar> &s) {
    return quantized(s[0] / s[1], cast(s[2], ElementType::f32), {0, 255}, ElementType::u8);
  });
  return {y, scale, zero};
}

// The shape in which a parameter of rows (or columns) of matrices is broadcast to them.
Shape rowsOf(Tensor parameter) {
  Shape shape = parameter->shape;
  if (shape.size() == 1)
    shape.push_back(Dimension(1));
  return shape;
}

Tensor integerProduct(Op &op, Tensor a, Tensor aZero, Tensor b, Tensor bZero) {
  return op.graph.integerMatmul(a, aZero, b, bZero, [op, a, aZero, b, bZero]() mutable {
    return op.graph.matmul(shifted(op, a, aZero, aZero ? rowsOf(aZero) : Shape{}),
                           shifted(op, b, bZero, bZero ? bZero->shape : Shape{}));
  });
}

std::vector<Tensor> matMulInteger(Op &op) {
  return {integerProduct(op, op.input(0), op.optional(2), op.input(1), op.optional(3))};
}

std::vector<Tensor> qLinearMatMul(Op &op) {
  Tensor sums = integerProduct(op, op.input(0), op.input(2), op.input(3), op.input(5));
  Tensor aScale = op.input(1);
  if (aScale->rank() == 1 && !(aScale->shape[0] == Dimension(1)))
    aScale = op.graph.reshape(aScale, rowsOf(aScale));
  return {requantized(op, sums, aScale, op.input(4), op.input(6), op.input(7))};
}

constexpr Definition kOps[] = {
    {"", "QuantizeLinear", 10, quantizeLinear},
    {"", "DequantizeLinear", 10, dequantizeLinear},
    {"", "DynamicQuantizeLinear", 11, dynamicQuantizeLinear},
    {"", "MatMulInteger", 10, matMulInteger},
    {"", "QLinearMatMul", 10, qLinearMatMul},
};

} // namespace

std::span<const Definition> quantizationOps() { return kOps; }

} // namespace ingot::onnx
