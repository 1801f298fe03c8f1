// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear` over quantized weights for few rows of f32: weights stream from memory and are
// dequantized in registers, where blocks of more rows share weights that were dequantized to scratch. As those of
// linear_rows.h, they depend on the feature set alone and are compiled once for all products of a model.
#ifndef INGOT_TARGET_CPU_KERNELS_LINEAR_DEQUANT_ROWS_H
#define INGOT_TARGET_CPU_KERNELS_LINEAR_DEQUANT_ROWS_H

#include "compiler/target/cpu/kernels/quantized.h"
#include "compiler/target/cpu/kernels/streams.h"

namespace ingot::kernels {

constexpr int32_t kDequantRows = 4; // rows at most

// One chunk of K: `length` columns.
struct DequantChunk {
  const float *a; // of row 0
  int64_t lda;    // elements from row to row
  int32_t count;  // rows
  QuantizedPanels w;
  int32_t panels; // which are read side by side
  int32_t length;
  int64_t rest; // bytes of a panel's values from the chunk on to its end
  float *sums;        // [panels][rows][16]; the chunk's chains are added
  int64_t sums_panel; // elements from panel to panel
};

} // namespace ingot::kernels

#define INGOT_LINEAR_DEQUANT_ROWS_PROTOTYPE(name)                                                                      \
  extern "C" __attribute__((visibility("hidden"), noinline)) void ingot_linear_dequant_rows_##name(                    \
      const ingot::kernels::DequantChunk *chunk)

INGOT_LINEAR_DEQUANT_ROWS_PROTOTYPE(w8);
INGOT_LINEAR_DEQUANT_ROWS_PROTOTYPE(w4);

#endif
