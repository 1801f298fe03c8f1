// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rounds rows of a weight to integers with a scale for each group of columns, as ingot.quantize and
// docs/spec/numerics.md state it. Used by recipes; knows nothing of layouts or of the engine file.
#ifndef INGOT_COMPILER_ENGINE_QUANTIZE_H
#define INGOT_COMPILER_ENGINE_QUANTIZE_H

#include "compiler/import/builder.h"

#include <cstdint>
#include <string>

namespace ingot::engine {

struct Quantization {
  unsigned bits = 8;                    // 8 or 4
  int64_t group = 0;                    // columns that share a scale; 0: all
  ElementType scale = ElementType::f32; // f32 or f16: scales are rounded to it before values are rounded against them
  bool asym = false;                    // 4 bits: groups have zero points

  int64_t groupSize(int64_t columns) const { return group ? group : columns; }
  int64_t groups(int64_t columns) const { return (columns + groupSize(columns) - 1) / groupSize(columns); }
  uint8_t symmetricZero() const { return bits == 4 ? 8 : 128; }
  // What a layout holds outside the weight.
  uint8_t padding() const { return asym ? 0 : symmetricZero(); }
  std::string scheme() const; // "int4:g32,asym"
};

// What rounding cost: sums over the weight's own elements, in f64.
struct QuantizationError {
  double squares = 0, errorSquares = 0, most = 0; // of w, of (u - z) * s - w; the largest |(u - z) * s - w|
  bool measured = false;
  void add(const QuantizationError &other);
  double relative() const; // root mean square of the error over that of w
};

// Quantizes `columns` values of one row to u (may be null: scales and zero points alone), scales and, when asym, zeros
// (one per group). Returns false where a scale is not finite: w holds such a value, or one too large for f16 scales.
bool quantizeRow(const Quantization &how, const float *w, int64_t columns, uint8_t *u, float *scales, uint8_t *zeros);

// Adds what the row lost.
void measureRow(const Quantization &how, const float *w, int64_t columns, const uint8_t *u, const float *scales,
                const uint8_t *zeros, QuantizationError &error);

} // namespace ingot::engine

#endif
