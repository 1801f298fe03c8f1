// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See types.h.
#include "compiler/import/onnx/types.h"

namespace ingot::onnx {

std::optional<ElementType> storage(DataType type) {
  switch (type) {
  case DataType::f32: return ElementType::f32;
  case DataType::f16: return ElementType::f16;
  case DataType::bf16: return ElementType::bf16;
  case DataType::f64: return ElementType::f64;
  case DataType::i8:
  case DataType::i4:
  case DataType::i2: return ElementType::i8;
  case DataType::u8:
  case DataType::u4:
  case DataType::u2:
  case DataType::f8e4m3fn:
  case DataType::f8e4m3fnuz:
  case DataType::f8e5m2:
  case DataType::f8e5m2fnuz:
  case DataType::f8e8m0:
  case DataType::f4e2m1: return ElementType::u8;
  case DataType::i16: return ElementType::i16;
  case DataType::u16: return ElementType::u16;
  case DataType::i32: return ElementType::i32;
  case DataType::u32: return ElementType::u32;
  case DataType::i64: return ElementType::i64;
  case DataType::u64: return ElementType::u64;
  case DataType::boolean: return ElementType::i1;
  default: return std::nullopt;
  }
}

unsigned storedBits(DataType type) {
  switch (type) {
  case DataType::u4:
  case DataType::i4:
  case DataType::f4e2m1: return 4;
  case DataType::u2:
  case DataType::i2: return 2;
  default: break;
  }
  auto held = storage(type);
  return held ? unsigned(elementBytes(*held) * 8) : 0;
}

std::string nameOf(DataType type) {
  static constexpr const char *names[] = {
      "undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "double",
      "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
      "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2"};
  auto number = static_cast<int32_t>(type);
  if (number < 0 || number >= int32_t(std::size(names)))
    return "unknown (" + std::to_string(number) + ")";
  return names[number];
}

bool isSmallFloat(DataType type) {
  return (type >= DataType::f8e4m3fn && type <= DataType::f8e5m2fnuz) || type == DataType::f8e8m0 ||
         type == DataType::f4e2m1;
}

bool isSmallInteger(DataType type) { return !isSmallFloat(type) && storedBits(type) > 0 && storedBits(type) < 8; }

DataType dataTypeOf(ElementType type) {
  switch (type) {
  case ElementType::f32: return DataType::f32;
  case ElementType::f16: return DataType::f16;
  case ElementType::bf16: return DataType::bf16;
  case ElementType::f64: return DataType::f64;
  case ElementType::i8: return DataType::i8;
  case ElementType::u8: return DataType::u8;
  case ElementType::i16: return DataType::i16;
  case ElementType::u16: return DataType::u16;
  case ElementType::i32: return DataType::i32;
  case ElementType::u32: return DataType::u32;
  case ElementType::u64: return DataType::u64;
  case ElementType::i1: return DataType::boolean;
  default: return DataType::i64;
  }
}

} // namespace ingot::onnx
