// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions of scalars: what an element of a tensor is, in terms of indices, sizes and elements of other tensors. Written
// once per operator, then evaluated on constants (compiler/import/onnx/evaluate.h) or made IR (GraphBuilder::compute).
#ifndef INGOT_COMPILER_IMPORT_SCALAR_H
#define INGOT_COMPILER_IMPORT_SCALAR_H

#include "compiler/import/dimension.h"
#include "compiler/import/element_type.h"

#include <memory>
#include <vector>

namespace ingot {

enum class ScalarOp : uint8_t {
  constant, // of any type
  index,    // of a loop: those of the result's dimensions first, then those of a reduction; type index
  size,     // a dimension; type index
  element,  // of a tensor at indices
  // One operand. Of floats unless said otherwise.
  neg, abs, // any number
  exp, log, sqrt, sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, tanh, erf,
  floor, ceil, trunc, round_even,
  is_nan, is_inf,       // to i1
  logical_not,          // i1
  bit_not, count_ones,  // integers
  cast,                 // between any two types, as ingot.cast does; index is converted like i64
  bit_cast,             // between types of one size
  // Two operands of one type.
  add, sub, mul,
  div,                  // integers: rounded towards zero
  rem,                  // of the sign of the dividend, as C's % and fmod
  mod,                  // integers, of the sign of the divisor
  pow,                  // floats
  max, min,             // NaN where either is
  eq, ne, lt, le, gt, ge,                   // to i1
  logical_and, logical_or, logical_xor,     // i1
  bit_and, bit_or, bit_xor, shift_left, shift_right, // integers; shift_right keeps the sign of signed ones
  // Three: an i1, then two of one type.
  select
};

struct ScalarNode;

// Cheap to copy. Empty where default-constructed.
class Scalar {
public:
  Scalar() = default;
  Scalar(std::shared_ptr<const ScalarNode> node) : node(std::move(node)) {}
  // A constant of type index.
  Scalar(int64_t value);
  Scalar(int value) : Scalar(int64_t(value)) {}
  // A size.
  Scalar(const Dimension &dimension);

  static Scalar real(ElementType type, double value);
  static Scalar integer(ElementType type, int64_t value); // truth values: 0 and 1
  static Scalar loop(int64_t number);
  static Scalar element(const void *tensor, ElementType type, std::vector<Scalar> indices);
  static Scalar make(ScalarOp op, ElementType type, std::vector<Scalar> operands);

  explicit operator bool() const { return node != nullptr; }
  const ScalarNode *operator->() const { return node.get(); }
  const ScalarNode *get() const { return node.get(); }
  ElementType type() const;

private:
  std::shared_ptr<const ScalarNode> node;
};

struct ScalarNode {
  ScalarOp op;
  ElementType type;
  std::vector<Scalar> operands;
  double real = 0;              // constant of a float type
  int64_t integer = 0;          // constant of another; number of a loop
  Dimension size;               // size
  const void *tensor = nullptr; // element
};

bool isFloat(ElementType type);
bool isUnsigned(ElementType type); // i1 too

// The type is the operands'; of a comparison i1. What mixes types is a mistake of the caller's.
Scalar apply(ScalarOp op, Scalar x);
Scalar apply(ScalarOp op, Scalar x, Scalar y);
Scalar select(Scalar condition, Scalar x, Scalar y);
Scalar cast(Scalar x, ElementType type);
// A constant of x's type.
Scalar like(const Scalar &x, double value);

inline Scalar operator+(Scalar x, Scalar y) { return apply(ScalarOp::add, x, y); }
inline Scalar operator-(Scalar x, Scalar y) { return apply(ScalarOp::sub, x, y); }
inline Scalar operator*(Scalar x, Scalar y) { return apply(ScalarOp::mul, x, y); }
inline Scalar operator/(Scalar x, Scalar y) { return apply(ScalarOp::div, x, y); }
inline Scalar operator%(Scalar x, Scalar y) { return apply(ScalarOp::rem, x, y); }
inline Scalar operator-(Scalar x) { return apply(ScalarOp::neg, x); }
inline Scalar operator<(Scalar x, Scalar y) { return apply(ScalarOp::lt, x, y); }
inline Scalar operator<=(Scalar x, Scalar y) { return apply(ScalarOp::le, x, y); }
inline Scalar operator>(Scalar x, Scalar y) { return apply(ScalarOp::gt, x, y); }
inline Scalar operator>=(Scalar x, Scalar y) { return apply(ScalarOp::ge, x, y); }
inline Scalar equal(Scalar x, Scalar y) { return apply(ScalarOp::eq, x, y); }
inline Scalar both(Scalar x, Scalar y) { return apply(ScalarOp::logical_and, x, y); }
inline Scalar either(Scalar x, Scalar y) { return apply(ScalarOp::logical_or, x, y); }
inline Scalar larger(Scalar x, Scalar y) { return apply(ScalarOp::max, x, y); }
inline Scalar smaller(Scalar x, Scalar y) { return apply(ScalarOp::min, x, y); }

} // namespace ingot

#endif
