// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear_int`: all rows of a block against some panels of weights, over one chunk of K. As those
// of linear_rows.h, they depend on the feature set alone and are compiled once for all products of a model.
#ifndef INGOT_TARGET_CPU_KERNELS_LINEAR_INT_ROWS_H
#define INGOT_TARGET_CPU_KERNELS_LINEAR_INT_ROWS_H

#include "compiler/target/cpu/kernels/dot_int.h"
#include "compiler/target/cpu/kernels/quantized.h"
#include "compiler/target/cpu/kernels/streams.h"

namespace ingot::kernels {

// Rows and panels whose sums stay in registers.
// kBesideRows: up to so many rows read four panels side by side where they stream.
#if defined(__AVX512F__)
constexpr int kIntRows = 12, kIntPanels = 2; // 24 sums of 32 registers; with more the compiler runs out of them
constexpr int32_t kBesideRows = kHasVnni ? 16 : 1;
#elif defined(__AVXVNNI__)
constexpr int kIntRows = 6, kIntPanels = 1; // a panel is two ymm: 12 sums of 16 registers
constexpr int32_t kBesideRows = 1;
#else
constexpr int kIntRows = 4, kIntPanels = 1; // 8 sums, 4 of weights, of 16 registers
constexpr int32_t kBesideRows = 1;
#endif

// Where one stream is read fastest, up to so many rows go panel by panel.
constexpr int32_t kOneStreamRows = 2;

// One chunk: `length` k, a multiple of 32 (the last groups of a chunk end with it).
struct IntChunk {
  const uint32_t *a; // activations in the order of products, of row 0
  int64_t lda;       // words from row to row
  int32_t count;     // rows
  QuantizedPanels w;
  int32_t panels;
  int32_t length;
  void *sums;             // [panels][rows][16]
  int64_t sums_panel;     // elements from panel to panel
  const int32_t *rowSums; // of row 0, from the chunk's first group on
  int64_t ldRowSums;      // words from row to row
  int64_t rest; // streams: bytes of a panel's values from the chunk on to its end
  // Blocks: the values that are multiplied next, to be fetched early: of the first panel, bytes from panel to panel,
  // bytes of each.
  const uint8_t *next;
  int64_t ldNext;
  int64_t nextBytes;
};

} // namespace ingot::kernels

// X(name, BITS, GROUPS, STREAM): weights of BITS bits. GROUPS: sums are f32, and each group of the chunk adds its own,
// scaled; else they are i32 and grow by the chunk's products, the zero point left out. STREAM: few rows, the weights
// come from memory and are fetched ahead.
#define INGOT_LINEAR_INT_ROWS(X)                                                                                       \
  X(w8_stream, 8, false, true)                                                                                         \
  X(w8_block, 8, false, false)                                                                                         \
  X(w8_groups_stream, 8, true, true)                                                                                   \
  X(w8_groups_block, 8, true, false)                                                                                   \
  X(w4_groups_stream, 4, true, true)                                                                                   \
  X(w4_groups_block, 4, true, false)

#define INGOT_LINEAR_INT_ROWS_PROTOTYPE(name)                                                                          \
  extern "C" __attribute__((visibility("hidden"), noinline)) void ingot_linear_int_rows_##name(                        \
      const ingot::kernels::IntChunk *chunk)

#define INGOT_DECLARE_INT(name, BITS, GROUPS, STREAM) INGOT_LINEAR_INT_ROWS_PROTOTYPE(name);
INGOT_LINEAR_INT_ROWS(INGOT_DECLARE_INT)
#undef INGOT_DECLARE_INT

#endif
