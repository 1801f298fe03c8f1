// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's element types (TensorProto.DataType of the specification) and how their values are held here.
#ifndef INGOT_COMPILER_IMPORT_ONNX_TYPES_H
#define INGOT_COMPILER_IMPORT_ONNX_TYPES_H

#include "compiler/import/element_type.h"

#include <optional>
#include <string>

namespace ingot::onnx {

enum class DataType : int32_t {
  undefined = 0, f32 = 1, u8 = 2, i8 = 3, u16 = 4, i16 = 5, i32 = 6, i64 = 7, string = 8, boolean = 9, f16 = 10,
  f64 = 11, u32 = 12, u64 = 13, complex64 = 14, complex128 = 15, bf16 = 16, f8e4m3fn = 17, f8e4m3fnuz = 18,
  f8e5m2 = 19, f8e5m2fnuz = 20, u4 = 21, i4 = 22, f4e2m1 = 23, f8e8m0 = 24, u2 = 25, i2 = 26
};

// The type in which elements are held: integers of 2 and 4 bits in a byte each, floats of 8 and 4 bits as their bits in
// a byte. Nothing for strings, complex numbers and numbers that are not in the enum.
std::optional<ElementType> storage(DataType type);
// Bits of an element in a file: 4 and 2 for those.
unsigned storedBits(DataType type);
// "float16", as the specification spells it; "type 99" otherwise.
std::string nameOf(DataType type);
// Whether elements are floats held as bits (f8, f4).
bool isSmallFloat(DataType type);
// The data type that holds values of an element type.
DataType dataTypeOf(ElementType type);
// Integers of fewer bits than their storage: the range of their values.
bool isSmallInteger(DataType type);

} // namespace ingot::onnx

#endif
