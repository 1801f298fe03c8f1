// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors whose elements are known while importing: constants, and what graphs compute from shapes. An integer may
// depend on dynamic dimensions. They are small; larger constants stay in their files.
#ifndef INGOT_COMPILER_IMPORT_ONNX_LITERAL_H
#define INGOT_COMPILER_IMPORT_ONNX_LITERAL_H

#include "compiler/import/dimension.h"
#include "compiler/import/element_type.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ingot::onnx {

// A float that depends on dimensions: top / bottom, as where a scale is applied to a size. bottom is positive.
struct Ratio {
  Dimension top;
  int64_t bottom = 1;
};

// An integer or truth value, a float, or either that depends on dimensions.
using Cell = std::variant<int64_t, double, Dimension, Ratio>;
inline bool dependsOnDimensions(const Cell &cell) { return std::holds_alternative<Dimension>(cell) || std::holds_alternative<Ratio>(cell); }

// Elements that are evaluated while importing, at most.
inline constexpr int64_t kLargestLiteral = 1 << 16;

struct Literal {
  ElementType type = ElementType::f32;
  std::vector<int64_t> shape;
  std::vector<Cell> cells; // row-major

  bool isConstant() const; // no cell depends on dimensions
  // Row-major, little-endian; truth values in a byte each. For constants.
  std::string bytes() const;
  static Literal fromBytes(ElementType type, std::vector<int64_t> shape, const void *bytes);
};

// The number that an element of this type holds when it is given `value`: rounded, or the low bits.
double roundTo(ElementType type, double value);
int64_t wrapTo(ElementType type, int64_t value);

} // namespace ingot::onnx

#endif
