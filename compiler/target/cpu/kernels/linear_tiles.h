// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products by AMX tiles, for `linear` (bf16 by bf16) and `linear_int`: the inner loops over a piece of K, and how a
// product is cut into pieces. A tile is 16 rows of 64 bytes; weights lie in memory as tiles are loaded, 64 bytes of K
// (32 bf16, or 64 integers of 8 bits) by the 16 columns of a panel. Sums are blocks of two by two tiles.
//
// What was measured on Sapphire Rapids: weights in the first cache and activations in the second give three times what
// is left once either comes from the third. So a piece of weights is 32 columns by as much of K as fits beside the rest
// in the first cache, and is used for a block of rows whose activations fit the second. Blocking decides when a tile is
// multiplied; each sum grows over ascending K in one order.
#ifndef INGOT_TARGET_CPU_KERNELS_LINEAR_TILES_H
#define INGOT_TARGET_CPU_KERNELS_LINEAR_TILES_H

#include "compiler/target/cpu/kernels/tiles.h"

namespace ingot::kernels {

// One piece: all rows of a block by one or two panels by `steps` tiles along K.
struct TilePiece {
  const char *a; // activations of row 0 at the piece's first k
  int64_t lda;   // bytes from row to row
  int32_t rows;
  int32_t panels;
  const char *w;      // weights of the first panel at the piece's first k
  int64_t ldw;        // bytes from panel to panel
  int32_t steps;      // tiles along K
  int32_t first;      // the sums start here, from zero
  void *sums;         // [panels][rows][16], f32 or i32
  int64_t sums_panel; // elements from panel to panel
};

// A piece of quantized weights with groups, whose sums are f32.
struct TileGroups {
  TilePiece piece;
  int32_t group;          // columns: 32, 64 or 128; a piece starts with a group
  int32_t columns;        // of the piece, up to where groups end
  const int32_t *rowSums; // of row 0, from the piece's first group on
  int64_t ldRowSums;      // words from row to row
  const void *scales;     // of the first panel, from the piece's first group on
  const uint8_t *zeros;   // the same; null: `zero` everywhere
  int64_t ldScales;       // elements from panel to panel
  int32_t scaleType;
  int32_t zero;
};

// How a product is cut: rows x panels x (blocks of K whose activations fit the second cache, in pieces whose weights
// fit the first).
struct TileBlocks {
  int32_t rows;   // of a block, a multiple of 16
  int32_t panels; // whose sums are kept at once, a multiple of 2
  int32_t block;  // tiles along K
  int32_t piece;  // tiles along K; divides block
};

// steps: tiles along K. unit: a piece is a multiple of it. vectors: room for sums, in vectors of 16.
INGOT_INLINE TileBlocks tileBlocks(const ingot_env *env, int32_t rows, int32_t steps, int32_t unit, int64_t vectors) {
  constexpr int32_t kMostRows = 224;
  TileBlocks b;
  const int32_t blocks = (rows + kMostRows - 1) / kMostRows;
  b.rows = (int32_t)roundUp((rows + blocks - 1) / blocks, rows > kTileRows ? 2 * kTileRows : kTileRows);
  b.panels = (int32_t)(vectors / b.rows) / 2 * 2;
  // A third of the first cache for the weights of two panels; activations and sums pass through the rest.
  b.piece = (int32_t)roundUp(minimum(32, maximum(4, (int32_t)(env->l1_bytes / 3 / (2 * kWholeTile)))), unit);
  const int64_t second = (int64_t)(env->l2_bytes / 2);
  const int64_t room = (second < (1 << 20) ? second : (1 << 20)) / (b.rows * kTileBytes);
  b.block = maximum(1, (int32_t)room / b.piece) * b.piece;
  if (b.block > steps)
    b.block = (int32_t)roundUp(steps, b.piece);
  return b;
}

} // namespace ingot::kernels

extern "C" {
#define INGOT_LINEAR_TILES(name) __attribute__((visibility("hidden"), noinline)) void ingot_linear_tiles_##name
// STREAM: few rows, the weights come from memory and are fetched ahead.
INGOT_LINEAR_TILES(bf16_block)(const ingot::kernels::TilePiece *piece);
INGOT_LINEAR_TILES(bf16_stream)(const ingot::kernels::TilePiece *piece);
INGOT_LINEAR_TILES(w8_block)(const ingot::kernels::TilePiece *piece);
// Groups, of weights that lie as 8-bit tiles.
INGOT_LINEAR_TILES(w8_groups)(const ingot::kernels::TileGroups *groups);
// Spreads 4-bit weights (n16k8) over `columns` k, a multiple of 8, as 8-bit ones (n16k4).
INGOT_LINEAR_TILES(spread)(uint8_t *to, const uint8_t *from, int32_t columns);
}

#endif
