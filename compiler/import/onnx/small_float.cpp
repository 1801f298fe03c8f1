// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See small_float.h.
#include "compiler/import/onnx/small_float.h"

#include <cmath>
#include <stdexcept>

namespace ingot::onnx {

namespace {

// Sign, exponent and fraction from the highest bit on. Codes are magnitudes, without the sign.
struct Format {
  int exponentBits, fractionBits, bias;
  int largest;           // code of the largest finite number
  int infinity;          // code; -1: none
  int nan;               // -1: none
  bool onlyOneZero;      // the code of -0 is NaN (fnuz)
  int signBit() const { return 1 << (exponentBits + fractionBits); }
  int least() const { return 1 - bias; } // exponent of subnormal numbers
};

Format formatOf(DataType type) {
  switch (type) {
  case DataType::f8e4m3fn: return {4, 3, 7, 0x7e, -1, 0x7f, false};
  case DataType::f8e4m3fnuz: return {4, 3, 8, 0x7f, -1, 0x80, true};
  case DataType::f8e5m2: return {5, 2, 15, 0x7b, 0x7c, 0x7e, false};
  case DataType::f8e5m2fnuz: return {5, 2, 16, 0x7f, -1, 0x80, true};
  case DataType::f4e2m1: return {2, 1, 1, 7, -1, -1, false};
  default: throw std::logic_error("no small float: " + nameOf(type));
  }
}

double valueOf(const Format &format, int byte) {
  const int code = byte & (format.signBit() - 1);
  const bool negative = byte & format.signBit();
  if (format.onlyOneZero && negative && code == 0)
    return NAN;
  if (code == format.infinity)
    return negative ? -INFINITY : INFINITY;
  if (code > format.largest)
    return NAN;
  const int exponent = code >> format.fractionBits, fraction = code & ((1 << format.fractionBits) - 1);
  const int whole = exponent ? fraction + (1 << format.fractionBits) : fraction;
  const double magnitude = std::ldexp(whole, (exponent ? exponent - format.bias : format.least()) - format.fractionBits);
  return negative ? -magnitude : magnitude;
}

Scalar whole(int64_t value) { return Scalar::integer(ElementType::i32, value); }
Scalar shiftedLeft(Scalar x, int by) { return apply(ScalarOp::shift_left, x, whole(by)); }
Scalar shiftedRight(Scalar x, int by) { return apply(ScalarOp::shift_right, x, whole(by)); }
Scalar bitsOf(Scalar x) { return Scalar::make(ScalarOp::bit_cast, ElementType::i32, {x}); }

// f8e8m0 holds 2^(byte - 127), so a byte is the exponent of a float; 255 is NaN.
Scalar powerBits(Scalar x, CastMode mode) {
  Scalar bits = bitsOf(x), fraction = apply(ScalarOp::bit_and, bits, whole(0x7fffff));
  Scalar exponent = apply(ScalarOp::bit_and, shiftedRight(bits, 23), whole(255));
  Scalar up = mode.power == CastMode::Round::up ? fraction > whole(0)
              : mode.power == CastMode::Round::down
                  ? Scalar::integer(ElementType::i1, 0)
                  : either(fraction > whole(0x400000), both(equal(fraction, whole(0x400000)), exponent > whole(0)));
  if (mode.saturate)
    up = both(up, exponent < whole(254));
  Scalar rounded = select(up, exponent + whole(1), exponent);
  return cast(select(equal(exponent, whole(255)), exponent, rounded), ElementType::u8);
}

} // namespace

Literal smallFloatValues(DataType type) {
  Literal values{ElementType::f32, {256}, {}};
  for (int byte = 0; byte < 256; ++byte)
    values.cells.push_back(type == DataType::f8e8m0 ? (byte == 255 ? double(NAN) : std::ldexp(1.0, byte - 127))
                                                    : valueOf(formatOf(type), byte));
  return values;
}

Scalar smallFloatBits(DataType type, Scalar x, CastMode mode) {
  if (type == DataType::f8e8m0)
    return powerBits(x, mode);
  const Format format = formatOf(type);
  // What is beyond the largest number by far is as good as what is beyond it by little.
  const int beyond = (format.largest >> format.fractionBits) - format.bias + 2;
  Scalar nan = apply(ScalarOp::is_nan, x);
  Scalar magnitude = smaller(apply(ScalarOp::abs, select(nan, like(x, 0), x)), like(x, std::ldexp(1.0, beyond)));
  // The exponent of the number's last place, and its number of those.
  Scalar exponent = larger(shiftedRight(bitsOf(magnitude), 23) - whole(127), whole(format.least()));
  Scalar perUnit = Scalar::make(ScalarOp::bit_cast, ElementType::f32, {shiftedLeft(whole(127 + format.fractionBits) - exponent, 23)});
  Scalar units = cast(apply(ScalarOp::round_even, magnitude * perUnit), ElementType::i32);
  // Normal numbers have a leading unit of 2^fractionBits, which counts into the exponent; so does what is rounded up to the next power.
  Scalar code = shiftedLeft(exponent - whole(format.least()), format.fractionBits) + units;
  const int over = mode.saturate || (format.infinity < 0 && format.nan < 0) ? format.largest : format.infinity >= 0 ? format.infinity : format.nan;
  code = select(code > whole(format.largest), whole(over), code);
  Scalar sign = shiftedRight(bitsOf(x), 31); // -1 for negative numbers
  Scalar signBit = apply(ScalarOp::bit_and, sign, whole(format.signBit()));
  if (format.onlyOneZero)
    signBit = select(equal(code, whole(0)), whole(0), signBit);
  code = apply(ScalarOp::bit_or, code, signBit);
  // Where a type has no NaN it becomes -0, as conversions in hardware have it.
  code = select(nan, whole(format.nan >= 0 ? format.nan : format.signBit()), code);
  return cast(code, ElementType::u8);
}

Scalar smallIntegerOf(DataType type, Scalar x) {
  const int unused = 32 - int(storedBits(type));
  const ElementType held = *storage(type);
  if (isUnsigned(held))
    return cast(apply(ScalarOp::bit_and, x, whole((int64_t(1) << storedBits(type)) - 1)), held);
  return cast(shiftedRight(shiftedLeft(x, unused), unused), held);
}

} // namespace ingot::onnx
