// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear: out = epilogue(in · weightᵀ), operands and layouts as params.h states. One tile is a panel of 16 weight rows
// (a pair of panels when gated).
//
// The numeric contract (docs/spec/numerics.md): each output is a sum over chunks of 512 along K, in ascending order; a
// chunk is one chain of fused multiply-adds from zero over ascending k. bf16 times bf16 goes by pairs of k, the odd one
// first, as vdpbf16ps does it. Nothing below may change that: blocking only decides when a chunk is computed.
//
// Blocking (bf16 by bf16 where there are tiles: linear_tiles.h). Up to 16 rows: panel by panel, so that weights stream
// once, in order; few rows leave the loop short of independent chains, so several panels run side by side. More rows:
// blocks of rows x panels x one chunk; inputs that are no f32 are copied (widened) to scratch per block, weights of 16
// bits are widened once per block. Quantized weights are dequantized to f32: in registers for very few rows, else to
// scratch, chunk by chunk.
#include "compiler/target/cpu/kernels/linear_dequant_rows.h"
#include "compiler/target/cpu/kernels/linear_epilogue.h"
#include "compiler/target/cpu/kernels/linear_rows.h"
#include "compiler/target/cpu/kernels/linear_tiles.h"
#include "compiler/target/cpu/kernels/quantized.h"

namespace ingot::kernels {
namespace {

// One kernel over weights of type WEIGHT; PAIRS: bf16 by bf16, taken by pairs of k with the odd one first.
template <int WEIGHT, bool PAIRS> struct Linear {
  using W = typename ElementOf<WEIGHT>::type;
  static constexpr bool kDot = PAIRS && kHasDotBf16;
  static constexpr int kStep = Panel<W>::kStep;
  // With dot products inputs stay bf16 pairs (words of 4 bytes per 2 k), else they are f32.
  static constexpr int kPerWord = kDot ? 2 : 1;

  static constexpr bool kQuantized = WEIGHT == INGOT_U8;

  const linear_params *p;
  const void *in;
  const W *weight;
  const QuantizedWeight &quantized; // where kQuantized
  const LinearResult<linear_params> &result;
  int32_t rows;
  int64_t panel; // elements of one panel

  struct Sums {
    const float *sums;
    int64_t panel;
    INGOT_INLINE f32x16 operator()(int32_t i, int32_t r) const { return load16(sums + i * panel + r * 16); }
  };

  // Copies inputs [row, row + count) x [k, k + length) to scratch with `stride` words a row, in the order of products;
  // zeros follow up to a whole step.
  INGOT_INLINE void copyInput(void *scratch, int64_t stride, int32_t row, int32_t count, int32_t k,
                              int32_t length) const {
    for (int32_t r = 0; r < count; ++r) {
      int64_t from = (int64_t)(row + r) * p->k_padded + k;
      if constexpr (PAIRS) {
        // Whole pairs; a last element alone gets zero beside it.
        const uint16_t *bits = (const uint16_t *)in + from;
        uint32_t *to = (uint32_t *)scratch + r * stride;
        int32_t i = 0;
        for (; i + 32 <= length; i += 32) {
          u32x16 word = *(const u32x16_u *)(bits + i);
          if constexpr (kDot) {
            *(u32x16_u *)(to + i / 2) = word;
          } else {
            u32x16 odd = word & 0xffff0000u, even = word << 16;
            *(u32x16_u *)(to + i) =
                __builtin_shufflevector(odd, even, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            *(u32x16_u *)(to + i + 16) =
                __builtin_shufflevector(odd, even, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
          }
        }
        for (; i < length; i += 2) {
          uint32_t even = bits[i], odd = i + 1 < length ? bits[i + 1] : 0;
          if constexpr (kDot) {
            to[i / 2] = even | odd << 16;
          } else {
            to[i] = odd << 16;
            to[i + 1] = even << 16;
          }
        }
      } else {
        float *to = (float *)scratch + r * stride;
        int32_t i = 0;
        for (; i + 16 <= length; i += 16)
          store16(to + i, load16As(p->in_type, in, from + i));
        for (; i < length; ++i)
          to[i] = loadAs(p->in_type, in, from + i);
        if (length & 1)
          to[length] = 0.0f;
      }
    }
  }

  // Widens one chunk of a panel to [length][16] f32, in the order of products.
  INGOT_INLINE static void widen(float *to, const W *from, int32_t length) {
    if constexpr (kStep == 2) {
      for (int32_t k = 0; k < length; k += 2) {
        store16(to + (int64_t)k * 16, PAIRS ? oddK(from + (int64_t)k * 16) : evenK(from + (int64_t)k * 16));
        store16(to + (int64_t)k * 16 + 16, PAIRS ? evenK(from + (int64_t)k * 16) : oddK(from + (int64_t)k * 16));
      }
    }
  }

  INGOT_INLINE static void rowsOfStream(const void *a, int64_t lda, int32_t count, const W *w, int64_t ldw,
                                        int32_t panels, int32_t length, int64_t rest, float *sums,
                                        int64_t sums_panel) {
    if constexpr (WEIGHT == INGOT_F32)
      ingot_linear_rows_f32_stream(a, lda, count, w, ldw, panels, length, rest, sums, sums_panel);
    else if constexpr (WEIGHT == INGOT_F16)
      ingot_linear_rows_f16_stream(a, lda, count, w, ldw, panels, length, rest, sums, sums_panel);
    else if constexpr (PAIRS)
      ingot_linear_rows_bf16_pairs_stream(a, lda, count, w, ldw, panels, length, rest, sums, sums_panel);
    else
      ingot_linear_rows_bf16_stream(a, lda, count, w, ldw, panels, length, rest, sums, sums_panel);
  }

  // Up to kFewRows rows: groups of panels in order, each through all of K.
  INGOT_INLINE void fewRows(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    LinearScratch layout = linearScratch(*p);
    [[maybe_unused]] float *wide = (float *)(scratch + layout.input);
    float *sums = (float *)(scratch + layout.input + layout.weights);
    const void *a = in;
    int64_t lda = p->k_padded;
    if constexpr (kDot) {
      lda = p->k_padded / 2; // pairs lie in memory as they are needed
    } else if (p->in_type != INGOT_F32) {
      lda = roundUp(p->k, 32);
      copyInput(scratch, lda, 0, rows, 0, p->k);
      a = scratch;
    }
    const int32_t perTile = p->gated ? 2 : 1;
    const int32_t beside = kQuantized ? (int32_t)kPanelGroup : panelsBeside(rows, kStep == 2 ? env->streams : 0);
    const int32_t group = maximum(1, beside / perTile);
    for (int32_t tile = tile0; tile < tile1; tile += group) {
      int32_t count = minimum(group, tile1 - tile);
      int32_t panels = count * perTile;
      const W *w = weight + (int64_t)tile * perTile * panel;
      for (int32_t i = 0; i < panels; ++i)
        clearVectors(sums + i * kFewRows * 16, rows);
      for (int32_t k = 0; k < p->k; k += kChunk) {
        int32_t length = minimum(kChunk, p->k - k);
        const char *from = (const char *)a + (int64_t)k / kPerWord * 4;
        if constexpr (kQuantized) {
          if (rows <= kDequantRows) {
            DequantChunk chunk = {
                (const float *)from, lda, rows, quantized.from((int64_t)tile * perTile, k), panels, length,
                quantized.panel - (int64_t)k * (p->layout == INGOT_N16K4 ? 16 : 8), sums,
                kFewRows * 16};
            if (p->layout == INGOT_N16K4)
              ingot_linear_dequant_rows_w8(&chunk);
            else
              ingot_linear_dequant_rows_w4(&chunk);
            continue;
          }
          for (int32_t i = 0; i < panels; ++i)
            quantized.dequantize(wide + i * kChunk * 16, (int64_t)tile * perTile + i, k, length);
          ingot_linear_rows_f32_stream(from, lda, rows, wide, kChunk * 16, panels, length, kChunk * 16, sums,
                                       kFewRows * 16);
        } else {
          rowsOfStream(from, lda, rows, w + (int64_t)k * 16, panel, panels, length, panel - (int64_t)k * 16, sums,
                       kFewRows * 16);
        }
      }
      result.finish(Sums{sums, kFewRows * 16}, 0, rows, tile, count);
    }
  }

  // Blocks of rows x panels x one chunk.
  INGOT_INLINE void manyRows(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    LinearScratch layout = linearScratch(*p);
    float *wide = (float *)(scratch + layout.input);
    float *sums = (float *)(scratch + layout.input + layout.weights);
    constexpr int64_t stride = kChunk / kPerWord;
    const bool inPlace = !PAIRS && p->in_type == INGOT_F32;
    const int32_t block = evenBlocks(rows, rowBlock(rows, kRowBlock, env->l2_bytes), kBlockUnit);
    const int32_t perTile = p->gated ? 2 : 1;
    constexpr int32_t kGroup = kBlockPanels > 1 ? kWidened : kPanelGroup;
    for (int32_t row = 0; row < rows; row += block) {
      int32_t rowCount = minimum(block, rows - row);
      for (int32_t tile = tile0; tile < tile1; tile += kPanelBlock / perTile) {
        int32_t count = minimum(kPanelBlock / perTile, tile1 - tile);
        int32_t panels = count * perTile;
        for (int32_t k = 0; k < p->k; k += kChunk) {
          int32_t length = minimum(kChunk, p->k - k);
          const bool first = k == 0;
          const void *a = scratch;
          int64_t lda = stride;
          if (inPlace) {
            a = (const float *)in + (int64_t)row * p->k_padded + k;
            lda = p->k_padded;
          } else {
            copyInput(scratch, stride, row, rowCount, k, length);
          }
          for (int32_t i = 0; i < panels; i += kGroup) {
            int32_t some = minimum(kGroup, panels - i);
            const W *w = weight + ((int64_t)tile * perTile + i) * panel + (int64_t)k * 16;
            float *s = sums + (int64_t)i * block * 16;
            // What is multiplied next: the group beside, this block's first over the next chunk, or the next block's.
            const W *next = i + kGroup < panels ? w + kGroup * panel
                            : k + kChunk < p->k ? weight + (int64_t)tile * perTile * panel + (int64_t)(k + kChunk) * 16
                            : tile + count < tile1 ? weight + (int64_t)(tile + count) * perTile * panel
                                                   : weight + (int64_t)tile0 * perTile * panel;
            const int64_t nextPanel = panel * (int64_t)sizeof(W), nextBytes = (int64_t)length * 16 * (int64_t)sizeof(W);
            if constexpr (kQuantized) {
              for (int32_t j = 0; j < some; ++j)
                quantized.dequantize(wide + (int64_t)j * kChunk * 16, (int64_t)tile * perTile + i + j, k, length);
              ingot_linear_rows_f32_block(a, lda, rowCount, wide, kChunk * 16, some, length, first, s, block * 16,
                                          wide, 0, 0);
            } else if constexpr (kDot) {
              ingot_linear_rows_bf16_pairs_block(a, lda, rowCount, w, panel, some, length, first, s, block * 16,
                                                 next, nextPanel, nextBytes);
            } else if constexpr (kStep == 2) {
              for (int32_t j = 0; j < some; ++j)
                widen(wide + (int64_t)j * kChunk * 16, w + j * panel, length);
              ingot_linear_rows_f32_block(a, lda, rowCount, wide, kChunk * 16, some, (length + 1) / 2 * 2, first, s,
                                          block * 16, next, nextPanel, nextBytes);
            } else {
              ingot_linear_rows_f32_block(a, lda, rowCount, w, panel, some, length, first, s, block * 16, next,
                                          nextPanel, nextBytes);
            }
          }
        }
        result.finish(Sums{sums, block * 16}, row, rowCount, tile, count);
      }
    }
  }

  // bf16 by bf16 where larger products are on tiles: some panels side by side, each through all of K.
  INGOT_INLINE void byVectors(int32_t tile0, int32_t tile1, char *scratch) const {
    LinearScratch layout = linearScratch(*p);
    float *sums = (float *)(scratch + layout.input + layout.weights);
    const int32_t perTile = p->gated ? 2 : 1;
    const int32_t group = kPanelGroup / perTile;
    for (int32_t tile = tile0; tile < tile1; tile += group) {
      const int32_t count = minimum(group, tile1 - tile);
      VectorRows v = {(const uint32_t *)in,
                      p->k_padded / 2,
                      rows,
                      count * perTile,
                      (const uint32_t *)(weight + (int64_t)tile * perTile * panel),
                      panel / 2,
                      (p->k + 31) / 32,
                      sums,
                      kFewRows * 16};
      ingot_linear_tiles_bf16_rows(&v);
      result.finish(Sums{sums, kFewRows * 16}, 0, rows, tile, count);
    }
  }

  // bf16 by bf16 on AMX tiles, as linear_tiles.h cuts them.
  INGOT_INLINE void byTiles(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    LinearScratch layout = linearScratch(*p);
    float *sums = (float *)(scratch + layout.input + layout.weights);
    const int32_t steps = (p->k + 31) / 32;
    const TileBlocks b = tileBlocks(env, rows, steps);
    const TileWeights weights = {(const char *)weight, panel * 2, 1, p->gated ? 2 : 1};
    overTilePieces(
        b, (const char *)in, (int64_t)p->k_padded * 2, rows, steps, tile0, tile1, weights, scratch, sums,
        [](const TilePiece &piece, int32_t, int64_t, int32_t) __attribute__((always_inline)) {
          if (piece.rows <= 2 * kTileRows)
            ingot_linear_tiles_bf16_stream(&piece);
          else
            ingot_linear_tiles_bf16_block(&piece);
        },
        [&](const float *from, int32_t row, int32_t rowCount, int32_t tile, int32_t count) __attribute__((always_inline)) {
          result.finish(Sums{from, (int64_t)b.rows * 16}, row, rowCount, tile, count);
        });
    releaseTiles();
  }

  INGOT_INLINE void run(const ingot_env *env, int32_t tile0, int32_t tile1, char *scratch) const {
    if (PAIRS && kHasTiles && rows <= kVectorRows)
      byVectors(tile0, tile1, scratch);
    else if constexpr (PAIRS && kHasTiles)
      byTiles(env, tile0, tile1, scratch);
    else if (rows <= kFewRows)
      fewRows(env, tile0, tile1, scratch);
    else
      manyRows(env, tile0, tile1, scratch);
  }
};

template <int WEIGHT, bool PAIRS>
INGOT_INLINE int32_t runLinear(const linear_params *p, const ingot_env *env, void *const *buffers,
                               const int64_t *symbols, uint32_t tile0, uint32_t tile1, void *scratch) {
  using L = Linear<WEIGHT, PAIRS>;
  void *const *next = buffers + (L::kQuantized ? 1 : 2);
  QuantizedWeight quantized;
  if constexpr (L::kQuantized)
    quantized = QuantizedWeight(p, next);
  LinearResult<linear_params> result(p, next);
  int64_t panel = p->layout == INGOT_N16K ? (int64_t)p->k * 16 : roundUp(p->k, 32) * 16;
  const int64_t rowBytes = (int64_t)p->k_padded * (p->in_type == INGOT_F32 ? 4 : 2);
  overParts(
      env, symbols[p->rows_symbol], result.tiles, tile0,
      tile1, [&](int64_t first, int32_t rows, int32_t from, int32_t to) __attribute__((always_inline)) {
        result.first = first;
        L l = {p,
               (const char *)buffers[0] + first * rowBytes,
               (const typename L::W *)buffers[1],
               quantized,
               result,
               rows,
               panel};
        l.run(env, from, to, (char *)scratch);
      });
  return 0;
}
} // namespace
} // namespace ingot::kernels

INGOT_KERNEL(linear) {
  using namespace ingot::kernels;
  if (p->weight_type == INGOT_F32)
    return runLinear<INGOT_F32, false>(p, env, buffers, symbols, tile0, tile1, scratch);
  if (p->weight_type == INGOT_U8)
    return runLinear<INGOT_U8, false>(p, env, buffers, symbols, tile0, tile1, scratch);
  if (p->weight_type == INGOT_F16)
    return runLinear<INGOT_F16, false>(p, env, buffers, symbols, tile0, tile1, scratch);
  if (p->in_type == INGOT_BF16)
    return runLinear<INGOT_BF16, true>(p, env, buffers, symbols, tile0, tile1, scratch);
  return runLinear<INGOT_BF16, false>(p, env, buffers, symbols, tile0, tile1, scratch);
}
