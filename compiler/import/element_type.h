// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element types of tensors and scalars that importers write.
#ifndef INGOT_COMPILER_IMPORT_ELEMENT_TYPE_H
#define INGOT_COMPILER_IMPORT_ELEMENT_TYPE_H

#include <cstdint>
#include <string_view>

namespace ingot {

// index: a position in a tensor; of scalars alone (compiler/import/scalar.h).
enum class ElementType : uint8_t { f32, f16, bf16, f64, i8, u8, i16, u16, i32, u32, i64, u64, i1, index };

// Bytes of one element; 0 for index.
uint64_t elementBytes(ElementType type);
std::string_view elementName(ElementType type);

} // namespace ingot

#endif
