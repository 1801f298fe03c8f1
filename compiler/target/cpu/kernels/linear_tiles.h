// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products by AMX tiles, for `linear` (bf16 by bf16) and `linear_int`: the inner loops over a piece of K, and how a
// product is cut into pieces. A tile is 16 rows of 64 bytes; weights lie in memory as tiles are loaded, 64 bytes of K
// (32 bf16, or 64 integers of 8 bits) by the 16 columns of a panel. Sums are blocks of two by two tiles.
//
// What was measured on Sapphire Rapids with a plain loop: weights in the first cache and activations in the second give
// three times what is left once either comes from the third. So the activations of a block, at most 256 rows and 1 MB,
// are copied to scratch in the order of tiles (rows of a tile that lie 4096 bytes apart would all fall into one set of
// the first cache and push the weights out), and all panels pass by while they stay in the second cache. A piece of
// weights is 32 columns by as much of K as fits beside the rest in the first cache; while the block's rows pass by it,
// the next piece is fetched. Where K is longer than such a block, sums of many panels are kept, so that blocks are
// copied seldom. Blocking decides when a tile is multiplied; each sum grows over ascending K in one order.
#ifndef INGOT_TARGET_CPU_KERNELS_LINEAR_TILES_H
#define INGOT_TARGET_CPU_KERNELS_LINEAR_TILES_H

#include "compiler/target/cpu/kernels/tiles.h"

namespace ingot::kernels {

constexpr int32_t kResultPanels = 16; // whose results are finished together: those of a row lie side by side

// One piece: all rows of a block by some panels by `steps` tiles along K. In blocks of many rows panels go two by two, as
// many as the first cache holds.
struct TilePiece {
  const char *a;  // activations of row 0 at the piece's first k
  int64_t lda;    // bytes from row to row of a tile
  int64_t a_tile; // bytes from a tile to the tile of the next 16 rows
  int64_t a_step; // bytes from a tile to the tile of the next 64 bytes of K
  int32_t rows;
  int32_t panels;
  const char *w;      // weights of the first panel at the piece's first k
  int64_t ldw;        // bytes from panel to panel
  int32_t steps;      // tiles along K
  int32_t first;      // the sums start here, from zero
  int32_t configured; // the tiles have been configured for so many rows already, by the piece before
  void *sums;         // [panels][rows][16], f32 or i32
  int64_t sums_panel; // elements from panel to panel
  // What is multiplied next, to be fetched early: of the first panel, bytes from panel to panel, bytes of each.
  const char *next;
  int64_t ld_next, next_bytes;
};

// A piece of quantized weights with groups, whose sums are f32. Zero points are taken off the integers' sums for
// 8-bit weights; those of 4 bits are free of them (SpreadWeights).
struct TileGroups {
  TilePiece piece;
  int32_t group;          // columns: 32, 64 or 128; a piece starts with a group
  int32_t columns;        // of the piece, up to where groups end
  const int32_t *rowSums; // of row 0, from the piece's first group on; each fits 16 bits
  int64_t ldRowSums;      // words from row to row
  const void *scales;     // of the first panel, from the piece's first group on
  const uint8_t *zeros;   // the same; null: `zero` everywhere
  int64_t ldScales;       // elements from panel to panel
  int32_t scaleType;
  int32_t zero;
};

// 4-bit weights of a panel (n16k8), less their zero points, as signed integers of 8 bits (n16k4).
struct SpreadWeights {
  uint8_t *to;
  const uint8_t *from;
  int32_t columns, group; // multiples of 8
  const uint8_t *zeros;   // [groups][16]; null: `zero` everywhere
  int32_t zero;
};

// All of K by vectors, with the bits of tiles.
struct VectorRows {
  const uint32_t *a; // pairs of bf16, zeros up to a whole tile
  int64_t lda;       // words from row to row
  int32_t rows;      // at most kVectorRows
  int32_t panels;
  const uint32_t *w;
  int64_t ldw; // words from panel to panel
  int32_t steps;
  float *sums; // [panels][rows][16]; written
  int64_t sums_panel;
};

// How a product is cut: rows x panels x (blocks of K whose activations fit the second cache, in pieces whose weights
// fit the first).
struct TileBlocks {
  int32_t rows;   // of a block, a multiple of 16
  int32_t panels; // whose sums are kept at once, a multiple of 2
  int32_t block;  // tiles along K
  int32_t piece;  // tiles along K; divides block
};

// steps: tiles along K. group: columns of a group, which pieces do not cut; 0: there are none.
INGOT_INLINE TileBlocks tileBlocks(const ingot_env *env, int32_t rows, int32_t steps, int32_t group = 0) {
  constexpr int32_t kMostRows = 256;
  TileBlocks b;
  const int32_t blocks = (rows + kMostRows - 1) / kMostRows;
  b.rows = (int32_t)roundUp((rows + blocks - 1) / blocks, rows > kTileRows ? 2 * kTileRows : kTileRows);
  // Two thirds of the first cache for the weights of two panels; activations and sums pass through the rest. With groups
  // one third: their integers, and weights spread for them, pass through it as well.
  const int32_t room = (int32_t)(env->l1_bytes * (group ? 1 : 2) / 3 / (2 * kWholeTile));
  b.piece = (int32_t)roundUp(minimum(32, maximum(4, room)), maximum(1, group / kTileBytes));
  const int64_t second = (int64_t)(env->l2_bytes / 2);
  const int64_t tiles = (second < kTileInput ? second : kTileInput) / (b.rows * kTileBytes);
  b.block = maximum(1, (int32_t)tiles / b.piece) * b.piece;
  if (b.block > steps)
    b.block = (int32_t)roundUp(steps, b.piece);
  // Where K is one block, so many as are finished together.
  b.panels = minimum(b.block >= steps ? kResultPanels : 1 << 16, (int32_t)(kTileVectors / b.rows) / 2 * 2);
  return b;
}

// Where a block's activations lie: as they are, or copied.
struct TileSource {
  const char *a; // of row 0 at the block's first k
  int64_t lda, tile, step;

  // From so many tiles along K on.
  INGOT_INLINE void set(TilePiece &piece, int32_t steps) const {
    piece.a = a + steps * step;
    piece.lda = lda;
    piece.a_tile = tile;
    piece.a_step = step;
  }
};

// Activations in place, `rowBytes` from row to row.
INGOT_INLINE TileSource tilesInPlace(const char *from, int64_t rowBytes) {
  return {from, rowBytes, kTileRows * rowBytes, kTileBytes};
}

// Copies `rows` rows x `steps` tiles to scratch: [rows/16][steps][16][64 bytes].
INGOT_INLINE TileSource copyTiles(char *to, const char *from, int64_t rowBytes, int32_t rows, int32_t steps) {
  for (int32_t r = 0; r < rows; ++r) {
    const char *row = from + r * rowBytes;
    char *at = to + (int64_t)(r / kTileRows) * steps * kWholeTile + r % kTileRows * kTileBytes;
    for (int32_t s = 0; s < steps; ++s)
      *(u32x16_u *)(at + s * kWholeTile) = *(const u32x16_u *)(row + s * kTileBytes);
  }
  return {to, kTileBytes, steps * kWholeTile, kWholeTile};
}

// Weights as they lie in memory.
struct TileWeights {
  const char *first;  // of tile 0
  int64_t panelBytes; // from panel to panel
  int32_t packing;    // so many share a byte
  int32_t perTile;    // panels of a tile
};

// States what follows the piece at panel i and tile s of a block of K: its next one, or that of the next panels. After the
// last piece nothing is fetched.
INGOT_INLINE void fetchNext(TilePiece &piece, const TileBlocks &b, const TileWeights &w, int32_t i, int32_t s,
                            int32_t panels, int32_t some, const char *first) {
  const bool below = s + b.piece < some, beside = i + 2 < panels;
  const int32_t at = below ? s + b.piece : 0;
  piece.next = first + (int64_t)(below ? i : i + 2) * w.panelBytes + at * kWholeTile / w.packing;
  piece.ld_next = (below ? i : i + 2) + 1 < panels ? w.panelBytes : 0;
  piece.next_bytes = below || beside ? minimum(b.piece, some - at) * kWholeTile / w.packing : 0;
}

// Cuts tiles [tile0, tile1) of a product into pieces: rows x panels whose sums are kept x a block of K, ascending.
// Activations of more than two tiles of rows are copied: once for all panels where K is one block. Calls
//   work(piece, row, panel, step)         for every piece: of the block's first row, of which panel, of which tile along K
//   finish(sums, row, rows, tile, tiles)  once the sums of kResultPanels panels, or the last of a group, are done: those
//                                         of a row lie side by side, while the sums are still in the second cache
template <class Work, class Finish>
INGOT_INLINE void overTilePieces(const TileBlocks &b, const char *in, int64_t rowBytes, int32_t rows, int32_t steps,
                                 int32_t tile0, int32_t tile1, const TileWeights &weights, char *scratch, float *sums,
                                 const Work &work, const Finish &finish) {
  const int32_t perTile = weights.perTile, group = b.panels / perTile;
  const int64_t sumsPanel = (int64_t)b.rows * 16;
  for (int32_t row = 0; row < rows; row += b.rows) {
    const int32_t rowCount = minimum(b.rows, rows - row);
    TileSource source = {};
    bool configured = false;
    for (int32_t tile = tile0; tile < tile1; tile += group) {
      const int32_t count = minimum(group, tile1 - tile), panels = count * perTile;
      for (int32_t step = 0; step < steps; step += b.block) {
        const int32_t some = minimum(b.block, steps - step);
        const char *at = in + row * rowBytes + (int64_t)step * kTileBytes;
        if (rowCount <= 2 * kTileRows)
          source = tilesInPlace(at, rowBytes);
        else if (b.block < steps || tile == tile0)
          source = copyTiles(scratch, at, rowBytes, rowCount, some);
        const int32_t ahead = b.block < steps ? panels : (tile1 - tile) * perTile; // panels from here on in order
        const char *first =
            weights.first + (int64_t)tile * perTile * weights.panelBytes + step * kWholeTile / weights.packing;
        for (int32_t from = 0; from < panels; from += kResultPanels) {
          const int32_t to = minimum(from + kResultPanels, panels);
          for (int32_t i = from; i < to; i += 2)
            for (int32_t s = 0; s < some; s += b.piece) {
              TilePiece piece;
              source.set(piece, s);
              piece.rows = rowCount;
              piece.panels = minimum(2, panels - i);
              piece.steps = minimum(b.piece, some - s);
              piece.first = step + s == 0;
              piece.configured = configured;
              configured = true;
              piece.sums = sums + i * sumsPanel;
              piece.sums_panel = sumsPanel;
              piece.w = first + i * weights.panelBytes + s * kWholeTile / weights.packing;
              piece.ldw = weights.panelBytes;
              fetchNext(piece, b, weights, i, s, ahead, some, first);
              work(piece, row, (int64_t)tile * perTile + i, step + s);
            }
          if (step + some == steps)
            finish(sums + from * sumsPanel, row, rowCount, tile + from / perTile, (to - from) / perTile);
        }
      }
    }
  }
}

} // namespace ingot::kernels

extern "C" {
#define INGOT_LINEAR_TILES(name) __attribute__((visibility("hidden"), noinline)) void ingot_linear_tiles_##name
// STREAM: few rows, the weights come from memory and are fetched ahead.
INGOT_LINEAR_TILES(bf16_block)(const ingot::kernels::TilePiece *piece);
INGOT_LINEAR_TILES(bf16_stream)(const ingot::kernels::TilePiece *piece);
// Products of rows that lie in whole tiles of 16, for which `shape_whole` has configured all tiles; what lies behind the
// last row is multiplied too. Nothing is fetched.
INGOT_LINEAR_TILES(shape_whole)();
INGOT_LINEAR_TILES(bf16_whole)(const ingot::kernels::TilePiece *piece);
// The same by vectors; the second is called by the first alone.
INGOT_LINEAR_TILES(bf16_rows)(const ingot::kernels::VectorRows *rows);
INGOT_LINEAR_TILES(bf16_rows_flushed)(const ingot::kernels::VectorRows *rows);
INGOT_LINEAR_TILES(w8_block)(const ingot::kernels::TilePiece *piece);
// Groups, of weights that lie as 8-bit tiles: as they are in memory, or spread.
INGOT_LINEAR_TILES(w8_groups)(const ingot::kernels::TileGroups *groups);
INGOT_LINEAR_TILES(w4_groups)(const ingot::kernels::TileGroups *groups);
INGOT_LINEAR_TILES(spread)(const ingot::kernels::SpreadWeights *weights);
}

#endif
