// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and sizes of element types, apart from the builder so that MLIR-free parts of the compiler may use them.
#include "compiler/import/element_type.h"

namespace ingot {

uint64_t elementBytes(ElementType type) {
  switch (type) {
  case ElementType::f64:
  case ElementType::i64:
  case ElementType::u64:
    return 8;
  case ElementType::f32:
  case ElementType::i32:
  case ElementType::u32:
    return 4;
  case ElementType::f16:
  case ElementType::bf16:
  case ElementType::i16:
  case ElementType::u16:
    return 2;
  case ElementType::i8:
  case ElementType::u8:
  case ElementType::i1:
    return 1;
  case ElementType::index:
    return 0;
  }
  return 0;
}

std::string_view elementName(ElementType type) {
  static constexpr std::string_view names[] = {"f32", "f16", "bf16", "f64", "i8",  "u8", "i16",
                                               "u16", "i32", "u32",  "i64", "u64", "i1", "index"};
  return names[static_cast<size_t>(type)];
}

} // namespace ingot
