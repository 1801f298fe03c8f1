// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear_int` over 8-bit weights whose group is all of K, for many rows, where there is no VNNI:
// by vpmaddubsw, which multiplies twice as many as vpmaddwd but adds pairs in 16 bits. Exact all the same, since what a
// pair can add up to is seen from one of its operands. Depends on the feature set alone, as linear_int_rows.h does.
//
// From the activations (CutRows): a weight u is at most 255, so that u0 q0 + u1 q1 fits 16 bits for any weights where
// |q0 + q1| <= 128, or signs differ. Of a heavier pair both are cut to -64..64, and what is left, at most 64 each, is a
// word that its row multiplies again. Rows that were quantized symmetrically by their largest number have one heavy pair in a
// hundred or fewer. Of rows that lie on one side of zero nearly all are heavy, for which the call is declined.
//
// Or from the weights (BytesPanel): activations q in -128..127 and weights u in 0..255 change their signs: a = q + 128, w = u - 128, and
//     q u = a w + 128 q - 128 w
// whose last two terms are sums of a row and of a column. a is at most 255, so that a0 w0 + a1 w1 fits 16 bits for any
// activations where |w0| + |w1| <= 128. Of a heavier pair both are cut to -64..64, and what is left, at most 64 each,
// is a line of its own, to be multiplied again. Weights of one scale for a whole tensor, whose few large ones set it,
// have one heavy pair in a thousand; of one scale for each column one in thirty: too many lines, for which the call is
// declined.
#ifndef INGOT_TARGET_CPU_KERNELS_LINEAR_INT_BYTES_H
#define INGOT_TARGET_CPU_KERNELS_LINEAR_INT_BYTES_H

#include "compiler/target/cpu/kernels/dot_int.h"
#include "compiler/target/cpu/kernels/linear_int_rows.h"

namespace ingot::kernels {

// Activations of a block over one chunk of K, their heavy pairs cut.
struct CutRows {
  int8_t *rows;    // [count][kChunk]
  int32_t *starts; // [count + 1]: from where on the words that are left are each row's
  uint16_t *at;    // [kCutRests]: where in `rows` each word belongs, in words
  uint32_t *rest;  // [kCutRests]: their 4 q
};

// One panel over one chunk of K, ready to be multiplied.
struct BytesPanel {
  int32_t columns[16];           // -128 times the sum of each column's w
  int32_t count;                 // lines that are left of heavy pairs
  int32_t unused[7];             // to a multiple of 32 bytes
  uint16_t at[kBytesRest];       // which line of `lines` each belongs to
  uint8_t rest[kBytesRest][64];  // their w
  uint8_t lines[kChunk / 4][64]; // w in the layout n16k4, heavy pairs cut
};
static_assert(sizeof(BytesPanel) == kBytesPanel);

struct BytesChunk {
  const uint8_t *a;       // q + 128 of row 0
  int64_t lda;            // bytes from row to row
  const int32_t *rowSums; // 128 times the sum of each row's q over the chunk
  int32_t count;          // rows
  int32_t length;         // k, a multiple of 32
  const BytesPanel *panels;
  int32_t number; // of panels
  int32_t *sums;  // [panels][rows][16], to be added to
  int64_t sums_panel;
  const uint8_t *next; // what is multiplied next, as IntChunk has it
  int64_t ldNext;
  int64_t nextBytes;
};

} // namespace ingot::kernels

// Cuts `count` rows, row_bytes apart, of `length` k, a multiple of 32. Whether it is worth it: not where more than kCutRests
// of kBytesRows rows would be left, as many of fewer; then they must not be used.
extern "C" __attribute__((visibility("hidden"), noinline)) bool
ingot_linear_int_bytes_cut(const ingot::kernels::CutRows *cut, const int8_t *in, int64_t row_bytes, int32_t count,
                           int32_t length);
// Adds the sums of q u over the chunk's panels, whose `a` is not read, to its sums: the integers of ingot_linear_int_rows_w8_block.
extern "C" __attribute__((visibility("hidden"), noinline)) void
ingot_linear_int_bytes_cut_block(const ingot::kernels::IntChunk *chunk, const ingot::kernels::CutRows *cut);

// Makes a panel of `length` k, a multiple of 4, from its values in the layout n16k4. Whether it is worth it: not where
// more than kBytesRest lines have heavy pairs; then the panel must not be used.
extern "C" __attribute__((visibility("hidden"), noinline)) bool
ingot_linear_int_bytes_panel(ingot::kernels::BytesPanel *panel, const uint8_t *values, int32_t length);
// Adds the sums of q u to chunk->sums: the integers of ingot_linear_int_rows_w8_block.
extern "C" __attribute__((visibility("hidden"), noinline)) void
ingot_linear_int_bytes_block(const ingot::kernels::BytesChunk *chunk);

#endif
