// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Numbers of few bits as formulas of scalars: floats of 8 and 4 bits from and to f32, and integers of 4 and 2 bits. Formats are those of
// the ONNX documentation ("Float stored in 8 bits", "Float stored in 4 bits") and of the OCP microscaling specification (e8m0).
#ifndef INGOT_COMPILER_IMPORT_ONNX_SMALL_FLOAT_H
#define INGOT_COMPILER_IMPORT_ONNX_SMALL_FLOAT_H

#include "compiler/import/onnx/literal.h"
#include "compiler/import/onnx/types.h"
#include "compiler/import/scalar.h"

namespace ingot::onnx {

// How numbers are made that a type cannot hold.
struct CastMode {
  bool saturate = true;                                  // f8: the largest of its sign, not infinity or NaN
  enum class Round { nearest, up, down } power = Round::up; // f8e8m0, which holds powers of two
};

// The values of all bytes, f32 [256]; bits beyond the type's are not looked at.
Literal smallFloatValues(DataType type);
// The bits (u8) of the number nearest to x (f32), ties to even.
Scalar smallFloatBits(DataType type, Scalar x, CastMode mode);
// The low bits of x (i32) as an element of the type is held: u8 or i8.
Scalar smallIntegerOf(DataType type, Scalar x);

} // namespace ingot::onnx

#endif
