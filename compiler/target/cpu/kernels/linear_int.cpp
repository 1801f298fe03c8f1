// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear_int: out = epilogue(in · weightᵀ) of quantized rows and weights, operands as params.h states. Tiles as linear.
//
// The numeric contract (docs/spec/numerics.md): integers are summed exactly over a group of columns, converted once,
// scaled and added in ascending order of groups. Where a group is all of K its integers add up over all chunks and
// are scaled at the end.
//
// Blocked as linear is: up to 16 rows some panels at a time, so that weights stream once, in order; more rows by tiles,
// or by blocks of rows x panels x one chunk of K. Activations are used as they lie, unless the instructions want pairs
// of 16 bits; with VNNI 4-bit weights are widened once per block of rows. Without it 8-bit weights of one group are
// multiplied by bytes where the rows of a chunk allow it, or else its panels, one by one (linear_int_bytes.h).
#include "compiler/target/cpu/kernels/linear_epilogue.h"
#include "compiler/target/cpu/kernels/linear_int_bytes.h"
#include "compiler/target/cpu/kernels/linear_int_rows.h"
#include "compiler/target/cpu/kernels/linear_tiles.h"
#include "compiler/target/cpu/kernels/quantized.h"

namespace ingot::kernels {
namespace {

struct LinearInt {
  const linear_int_params *p;
  const char *in;
  const QuantizedWeight &weight;
  const LinearResult<linear_int_params> &result;
  int32_t rows;
  int64_t rowBytes;
  const int32_t *columnSums; // where rows have zero points

  INGOT_INLINE bool bits8() const { return p->layout == INGOT_N16K4; }
  // A group is all of K.
  INGOT_INLINE bool channel() const { return bits8() && p->group >= p->k; }
  // Activations are copied, as pairs of 16 bits.
  INGOT_INLINE bool pairs() const { return bits8() && kWordsPer4 == 2; }

  INGOT_INLINE const char *rowAt(int64_t row) const { return in + row * rowBytes; }
  INGOT_INLINE const int32_t *sumsAt(int64_t row) const { return (const int32_t *)(rowAt(row) + p->k_padded + 4); }

  // The sums of panels from `first` and rows from `row`, scaled.
  struct Sums {
    const LinearInt &of;
    const float *sums;
    int64_t panel;
    int64_t first, row;
    INGOT_INLINE f32x16 operator()(int32_t i, int32_t r) const {
      const float *at = sums + i * panel + r * 16;
      f32x16 total = load16(at);
      if (of.channel()) {
        const int32_t *tail = of.sumsAt(row + r);
        i32x16 integers = __builtin_bit_cast(i32x16, total) - of.weight.zeroPoint(first + i, 0) * tail[0];
        if (of.p->in_zeros) // taken off each of the row's integers: off the sum so many times the weights' sum
          integers -= *(const i32x16_u *)(of.columnSums + (first + i) * 16) * tail[1];
        total = fma(__builtin_convertvector(integers, f32x16), of.weight.scale(first + i, 0), splat(0.0f));
      }
      return total * *(const float *)(of.rowAt(row + r) + of.p->k_padded);
    }
  };

  // Copies [row, row + count) x [k, k + length) as pairs (k0, k2), (k1, k3) of 16 bits.
  INGOT_INLINE void copyPairs(uint32_t *to, int64_t stride, int32_t row, int32_t count, int32_t k,
                              int32_t length) const {
    for (int32_t r = 0; r < count; ++r)
      for (int32_t i = 0; i < length; i += 16) {
        i16x16 v = __builtin_convertvector(*(const i8x16_u *)(rowAt(row + r) + k + i), i16x16);
        typedef i16x16 unaligned __attribute__((aligned(2)));
        *(unaligned *)(to + r * stride + i / 2) =
            __builtin_shufflevector(v, v, 0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
      }
  }

  // Copies the same as q + 128, and 128 times the sum of each row's q.
  INGOT_INLINE void copyBytes(uint8_t *to, int32_t *sums, int32_t row, int32_t count, int32_t k, int32_t length) const {
    for (int32_t r = 0; r < count; ++r) {
      i32x16 total = (i32x16)(0);
      for (int32_t i = 0; i < length; i += 32) // all of a step of 32 is there
        for (int32_t j = i; j < i + 32; j += 16) {
          const i8x16 q = *(const i8x16_u *)(rowAt(row + r) + k + j);
          *(i8x16_u *)(to + r * kChunk + j) = q ^ (i8x16)(-128);
          total += __builtin_convertvector(q, i32x16);
        }
      sums[r] = __builtin_reduce_add(total) * 128;
    }
  }

  // Widens one chunk of 4-bit weights to 8 bits in the layout n16k4: for instructions that take those at full speed.
  INGOT_INLINE static void widen(uint8_t *to, const uint8_t *from, int32_t length) {
    for (int32_t i = 0; i < length; i += 8, from += 64, to += 128) {
      u32x16 line = *(const u32x16_u *)from;
      *(u32x16_u *)to = line & 0x0f0f0f0fu;
      *(u32x16_u *)(to + 64) = line >> 4 & 0x0f0f0f0fu;
    }
  }

  // The rows [row, row + count) and panels from `first` of the chunk from `k` on.
  INGOT_INLINE IntChunk chunkAt(const uint32_t *copied, int64_t stride, int32_t row, int32_t count, int64_t first,
                                int32_t panels, int32_t k, float *sums, int64_t sums_panel) const {
    IntChunk chunk;
    chunk.a = pairs() ? copied : (const uint32_t *)(rowAt(row) + k);
    chunk.lda = pairs() ? stride : rowBytes / 4;
    chunk.count = count;
    chunk.w = weight.from(first, k);
    chunk.panels = panels;
    chunk.length = minimum(kChunk, depth() - k);
    chunk.sums = sums;
    chunk.sums_panel = sums_panel;
    chunk.rowSums = sumsAt(row) + (channel() ? 0 : k / p->group);
    chunk.ldRowSums = rowBytes / 4;
    chunk.rest = weight.panel - (int64_t)k * (bits8() ? 16 : 8);
    chunk.next = nullptr;
    chunk.ldNext = chunk.nextBytes = 0;
    return chunk;
  }

  // K up to where products end: the padding of a last short group is zero in the activations.
  INGOT_INLINE int32_t depth() const { return (int32_t)roundUp(p->k, 32); }

  // Up to kFewRows rows, each panel through all of K: kBesideRows by several panels side by side, because memory is read
  // faster in several streams than in one on most processors; more rows, which multiply longer, panel by panel in longer
  // runs.
  INGOT_INLINE void fewRows(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    uint32_t *copied = (uint32_t *)scratch;
    float *sums = (float *)(scratch + linearIntScratch(*p).input);
    const int64_t stride = p->k_padded / 2;
    if (pairs())
      copyPairs(copied, stride, 0, rows, 0, p->k_padded);
    const int32_t perTile = p->gated ? 2 : 1;
    // One panel at a time has chains enough for memory's rate, not for more rows' products.
    const bool sideBySide = rows <= kBesideRows && !(env->streams == 1 && rows <= kOneStreamRows);
    const int32_t group = sideBySide ? kPanelGroup / perTile : 1;
    for (int32_t tile = tile0; tile < tile1; tile += group) {
      const int32_t count = minimum(group, tile1 - tile), panels = count * perTile;
      const int32_t beside = sideBySide ? panels : 1;
      for (int32_t i = 0; i < panels; ++i)
        clearVectors(sums + i * kFewRows * 16, rows);
      for (int32_t i = 0; i < panels; i += beside)
        for (int32_t k = 0; k < depth(); k += kChunk) {
          IntChunk chunk = chunkAt(copied + k / 2, stride, 0, rows, (int64_t)tile * perTile + i, beside, k,
                                   sums + i * kFewRows * 16, kFewRows * 16);
          if (!bits8())
            ingot_linear_int_rows_w4_groups_stream(&chunk);
          else if (channel())
            ingot_linear_int_rows_w8_stream(&chunk);
          else
            ingot_linear_int_rows_w8_groups_stream(&chunk);
        }
      result.finish(Sums{*this, sums, kFewRows * 16, (int64_t)tile * perTile, 0}, 0, rows, tile, count);
    }
  }

  // The chunk's panels, each by bytes if it is made for that; else by pairs of 16 bits, which copyPairs() makes sure
  // of.
  template <class CopyPairs>
  INGOT_INLINE void panelsByBytes(const IntChunk &chunk, const uint8_t *bytes, const int32_t *byteSums,
                                  BytesPanel *made, const CopyPairs &copyPairs) const {
    for (int32_t i = 0; i < chunk.panels;) {
      // Panels made, up to one that is declined.
      int32_t count = 0;
      while (i + count < chunk.panels &&
             ingot_linear_int_bytes_panel(made + count, chunk.w.values + (i + count) * chunk.w.ldValues, chunk.length))
        ++count;
      int32_t *sums = (int32_t *)chunk.sums + i * chunk.sums_panel;
      if (count) {
        BytesChunk some = {bytes,        kChunk,         byteSums, chunk.count,      chunk.length,
                           made,         count,          sums,     chunk.sums_panel, chunk.next + i * chunk.ldNext,
                           chunk.ldNext, chunk.nextBytes};
        ingot_linear_int_bytes_block(&some);
        i += count;
        continue;
      }
      copyPairs();
      IntChunk one = chunk;
      one.panels = 1;
      one.w.values = chunk.w.values + i * chunk.w.ldValues;
      one.sums = sums;
      one.next = chunk.next + i * chunk.ldNext;
      ingot_linear_int_rows_w8_block(&one);
      ++i;
    }
  }

  // Blocks of rows x panels x one chunk.
  INGOT_INLINE void manyRows(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    LinearIntScratch layout = linearIntScratch(*p);
    uint32_t *copied = (uint32_t *)scratch;
    uint8_t *bytes = (uint8_t *)(scratch + layout.input);
    int32_t *byteSums = (int32_t *)(bytes + kBytesRows * kChunk);
    uint8_t *wide = (uint8_t *)(scratch + layout.input + layout.bytes);
    float *sums = (float *)(scratch + layout.input + layout.bytes + layout.weights);
    const bool byBytes = !kHasVnni && channel();
    uint32_t *rests = (uint32_t *)(wide + kCutStarts);
    const CutRows cutRows = {(int8_t *)bytes, (int32_t *)wide, (uint16_t *)(rests + kCutRests), rests};
    // Cutting is work for each row and block of panels, making panels ready for each panel and block of rows: what is likely
    // decides the shape of blocks.
    const bool likely = byBytes && !p->in_zeros;
    const int64_t sumRows = likely ? kBytesRows / 2 : kBytesRows;
    const int32_t panelBlock = (int32_t)(kIntPanelBlock * kBytesRows / sumRows);
    const int64_t most = byBytes ? sumRows : rowBlock(rows, kBytesRows, env->l2_bytes);
    const int32_t block = evenBlocks(rows, most, kIntRows);
    const int32_t perTile = p->gated ? 2 : 1;
    for (int32_t row = 0; row < rows; row += block) {
      int32_t rowCount = minimum(block, rows - row);
      for (int32_t tile = tile0; tile < tile1; tile += panelBlock / perTile) {
        int32_t count = minimum(panelBlock / perTile, tile1 - tile);
        int32_t panels = count * perTile;
        for (int32_t i = 0; i < panels; ++i)
          clearVectors(sums + i * sumRows * 16, rowCount);
        for (int32_t k = 0; k < depth(); k += kChunk) {
          const int32_t length = minimum(kChunk, depth() - k);
          bool copiedPairs = false;
          bool cut = false;
          if (byBytes) {
            cut = ingot_linear_int_bytes_cut(&cutRows, (const int8_t *)rowAt(row) + k, rowBytes, rowCount, length);
            if (!cut)
              copyBytes(bytes, byteSums, row, rowCount, k, length);
          } else if (pairs())
            copyPairs(copied, kChunk / 2, row, rowCount, k, length);
          for (int32_t i = 0; i < panels; i += kPanelGroup) {
            const int64_t first = (int64_t)tile * perTile + i;
            IntChunk chunk = chunkAt(copied, kChunk / 2, row, rowCount, first, minimum(kPanelGroup, panels - i), k,
                                     sums + i * sumRows * 16, sumRows * 16);
            // What is multiplied next: the panels beside, or the first ones over the next chunk.
            const bool beside = i + kPanelGroup < panels, below = k + kChunk < depth();
            chunk.next = beside  ? weight.from(first + kPanelGroup, k).values
                         : below ? weight.from((int64_t)tile * perTile, k + kChunk).values
                                 : chunk.w.values;
            chunk.ldNext = weight.panel;
            chunk.nextBytes = beside || below ? (int64_t)chunk.length * (bits8() ? 16 : 8) : 0;
            if (cut) {
              ingot_linear_int_bytes_cut_block(&chunk, &cutRows);
              continue;
            }
            if (byBytes) {
              panelsByBytes(
                  chunk, bytes, byteSums, (BytesPanel *)wide, [&]() __attribute__((always_inline)) {
                    if (!copiedPairs)
                      copyPairs(copied, kChunk / 2, row, rowCount, k, length);
                    copiedPairs = true;
                  });
              continue;
            }
            const bool widened = kHasVnni && !bits8();
            if (widened) {
              for (int32_t j = 0; j < chunk.panels; ++j)
                widen(wide + (int64_t)j * kChunk * 16, chunk.w.values + j * chunk.w.ldValues, chunk.length);
              chunk.w.values = wide;
              chunk.w.ldValues = kChunk * 16;
            }
            if (!bits8() && !widened)
              ingot_linear_int_rows_w4_groups_block(&chunk);
            else if (channel())
              ingot_linear_int_rows_w8_block(&chunk);
            else
              ingot_linear_int_rows_w8_groups_block(&chunk);
          }
        }
        result.finish(Sums{*this, sums, sumRows * 16, (int64_t)tile * perTile, row}, row, rowCount, tile, count);
      }
    }
  }

  // Many rows on AMX tiles, as linear_tiles.h cuts them. 4-bit weights are spread to 8 bits once per block of rows.
  INGOT_INLINE void byTiles(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    uint8_t *spread = (uint8_t *)scratch;
    float *sums = (float *)(scratch + linearIntScratch(*p).input);
    const int32_t steps = (p->k + kTileBytes - 1) / kTileBytes;
    const TileBlocks b = tileBlocks(env, rows, steps, channel() ? 0 : p->group);
    const TileWeights weights = {(const char *)weight.values, weight.panel, bits8() ? 1 : 2, p->gated ? 2 : 1};
    overTilePieces(
        b, in, rowBytes, rows, steps, tile0, tile1, weights, scratch + kTileSpread, sums,
        [&](TilePiece &piece, int32_t row, int64_t first, int32_t step) __attribute__((always_inline)) {
          if (channel())
            return ingot_linear_tiles_w8_block(&piece);
          const int32_t k = step * kTileBytes, g = k / p->group;
          const uint8_t *zeros = weight.zeros ? weight.zeros + weight.plane(first, g) : nullptr;
          TileGroups groups;
          groups.group = p->group;
          groups.columns = minimum(piece.steps * kTileBytes, depth() - k);
          groups.rowSums = sumsAt(row) + g;
          groups.ldRowSums = rowBytes / 4;
          groups.scales = (const char *)weight.scales + weight.plane(first, g) * (p->scale_type == INGOT_F32 ? 4 : 2);
          groups.zeros = zeros;
          groups.ldScales = (int64_t)weight.groups * 16;
          groups.scaleType = p->scale_type;
          groups.zero = weight.zero;
          if (bits8()) {
            groups.piece = piece;
            return ingot_linear_tiles_w8_groups(&groups);
          }
          const auto *from = (const uint8_t *)piece.w;
          piece.w = (const char *)spread;
          piece.ldw = piece.steps * kWholeTile;
          for (int32_t j = 0; j < piece.panels; ++j) {
            SpreadWeights w = {spread + j * piece.ldw,
                               from + j * weight.panel,
                               groups.columns,
                               p->group,
                               zeros ? zeros + j * groups.ldScales : nullptr,
                               weight.zero};
            ingot_linear_tiles_spread(&w);
          }
          groups.piece = piece;
          ingot_linear_tiles_w4_groups(&groups);
        },
        [&](const float *from, int32_t row, int32_t rowCount, int32_t tile, int32_t count) __attribute__((always_inline)) {
          result.finish(Sums{*this, from, (int64_t)b.rows * 16, (int64_t)tile * weights.perTile, row}, row, rowCount,
                        tile, count);
        });
    releaseTiles();
  }

  INGOT_INLINE void run(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    if (rows <= kFewRows)
      fewRows(env, tile0, tile1, scratch);
    else if constexpr (kHasTiles)
      byTiles(env, tile0, tile1, scratch);
    else
      manyRows(env, tile0, tile1, scratch);
  }
};

} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(linear_int) {
  using namespace ingot::kernels;
  void *const *next = buffers + 1;
  QuantizedWeight weight(p, next);
  const int32_t *columnSums = p->in_zeros ? (const int32_t *)*next++ : nullptr;
  LinearResult<linear_int_params> result(p, next);
  const int64_t rowBytes = quantizedRowBytes(p->k_padded, weight.groups);
  overParts(
      env, symbols[p->rows_symbol], result.tiles, tile0,
      tile1, [&](int64_t first, int32_t rows, int32_t from, int32_t to) __attribute__((always_inline)) {
        result.first = first;
        LinearInt l = {p, (const char *)buffers[0] + first * rowBytes, weight, result, rows, rowBytes, columnSums};
        l.run(env, from, to, (char *)scratch);
      });
  return 0;
}
