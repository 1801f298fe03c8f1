// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear` (see linear_rows.h). The numeric contract holds here: an output's chunk is one chain
// of fused multiply-adds from zero over ascending k, added to the sum at its end, whatever the blocking.
#include "compiler/target/cpu/kernels/linear_rows.h"

namespace ingot::kernels {
namespace {

#if defined(__AVX512BF16__)
typedef __bf16 bf16x32 __attribute__((vector_size(64)));
INGOT_INLINE f32x16 dotBf16(f32x16 sum, u32x16 a, u32x16 b) {
  typedef float v16 __attribute__((vector_size(64)));
  return __builtin_bit_cast(f32x16,
                            __builtin_ia32_dpbf16ps_512(__builtin_bit_cast(v16, sum), __builtin_bit_cast(bf16x32, a),
                                                        __builtin_bit_cast(bf16x32, b)));
}
#else
[[maybe_unused]] INGOT_INLINE f32x16 dotBf16(f32x16 sum, u32x16, u32x16) { return sum; }
#endif

// Where streams are several the hardware sees them on its own; there more requests only take the places of its own.
template <int NP> constexpr bool kFetches = kRows > 6 || NP < 4;

// acc[r][p] = the chain over `count` k of input row r (stride lda) and panel p (stride ldw elements), from zero, then
// added to sums[p * sums_panel + r * 16]. `swap`: 16-bit pairs are taken odd first, inputs lie in that order already.
template <int MR, int NP, bool SWAP, bool STREAM, class W>
INGOT_INLINE void multiply(const float *__restrict a, int64_t lda, const W *__restrict w, int64_t ldw, int32_t count,
                           float *__restrict sums, int64_t sums_panel, StreamAhead stream) {
  f32x16 acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      acc[r][p] = splat(0.0f);
  constexpr int kStep = Panel<W>::kStep;
#pragma clang loop unroll(disable)
  for (int32_t k = 0; k < count; k += kStep) {
    const W *line = w + (int64_t)k * 16;
    if constexpr (STREAM && kFetches<NP>) {
      const int64_t ahead = stream.at((int64_t)k * 16 * (int64_t)sizeof(W));
#pragma unroll
      for (int p = 0; p < NP; ++p)
        __builtin_prefetch((const char *)(line + p * ldw) + ahead);
    }
#pragma unroll
    for (int step = 0; step < kStep; ++step) {
      f32x16 weight[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        if constexpr (kStep == 1)
          weight[p] = load16((const float *)line + p * ldw);
        else
          weight[p] = (step == 0) == SWAP ? oddK(line + p * ldw) : evenK(line + p * ldw);
      }
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        f32x16 value = splat(a[r * lda + k + step]);
#pragma unroll
        for (int p = 0; p < NP; ++p)
          acc[r][p] = fma(value, weight[p], acc[r][p]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      float *s = sums + p * sums_panel + r * 16;
      store16(s, load16(s) + acc[r][p]);
    }
}

// The same by dot products of bf16 pairs; `a` holds pairs as 32-bit words, lda in words.
template <int MR, int NP, bool STREAM>
INGOT_INLINE void multiplyPairs(const uint32_t *__restrict a, int64_t lda, const bf16 *__restrict w, int64_t ldw,
                                int32_t count, float *__restrict sums, int64_t sums_panel, StreamAhead stream) {
  f32x16 acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      acc[r][p] = splat(0.0f);
#pragma clang loop unroll(disable)
  for (int32_t k = 0; k < count; k += 2) {
    const bf16 *line = w + (int64_t)k * 16;
    const int64_t ahead = stream.at((int64_t)k * 32);
    u32x16 weight[NP];
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      if constexpr (STREAM)
        __builtin_prefetch((const char *)(line + p * ldw) + ahead);
      weight[p] = *(const u32x16_u *)(line + p * ldw);
    }
#pragma unroll
    for (int r = 0; r < MR; ++r) {
      u32x16 value = (u32x16)(a[r * lda + (k >> 1)]);
#pragma unroll
      for (int p = 0; p < NP; ++p)
        acc[r][p] = dotBf16(acc[r][p], value, weight[p]);
    }
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      float *s = sums + p * sums_panel + r * 16;
      store16(s, load16(s) + acc[r][p]);
    }
}

template <int MR, int NP, bool DOT, bool PAIRS, bool STREAM, class Weights>
INGOT_INLINE void chunk(const void *a, int64_t lda, const Weights *w, int64_t ldw, int32_t length, float *sums,
                        int64_t sums_panel, StreamAhead stream) {
  if constexpr (DOT)
    multiplyPairs<MR, NP, STREAM>((const uint32_t *)a, lda, w, ldw, length, sums, sums_panel, stream);
  else
    multiply<MR, NP, PAIRS, STREAM>((const float *)a, lda, w, ldw, length, sums, sums_panel, stream);
}

// MR rows x `panels` panels of one chunk, NP panels at a time.
template <int MR, int NP, bool DOT, bool PAIRS, bool STREAM, class Weights>
INGOT_INLINE void rowsByPanels(const void *a, int64_t lda, const Weights *w, int64_t ldw, int32_t panels,
                               int32_t length, float *sums, int64_t sums_panel, StreamAhead stream) {
  int32_t i = 0;
  for (; i + NP <= panels; i += NP)
    chunk<MR, NP, DOT, PAIRS, STREAM>(a, lda, w + i * ldw, ldw, length, sums + i * sums_panel, sums_panel, stream);
  if constexpr (NP > 1)
    for (; i < panels; ++i)
      chunk<MR, 1, DOT, PAIRS, STREAM>(a, lda, w + i * ldw, ldw, length, sums + i * sums_panel, sums_panel, stream);
}

// All rows against `panels` panels of one chunk, weights streaming from memory: groups of kRows rows, the rest in
// groups of 8, 4, 2, 1.
template <bool DOT, bool PAIRS, class Weights>
INGOT_INLINE void streamRows(const void *a, int64_t lda, int32_t count, const Weights *w, int64_t ldw, int32_t panels,
                             int32_t length, int64_t rest, float *sums, int64_t sums_panel) {
  constexpr bool wide = kRows > 6;
  const StreamAhead stream = {rest * (int64_t)sizeof(Weights), (panels - 1) * ldw * (int64_t)sizeof(Weights)};
  const char *from = (const char *)a;
  int32_t r = 0;
  for (; r + kRows <= count; r += kRows)
    rowsByPanels<kRows, wide ? 2 : 1, DOT, PAIRS, true>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16,
                                                        sums_panel, stream);
  if constexpr (wide) {
    for (; r + 8 <= count; r += 8)
      rowsByPanels<8, 2, DOT, PAIRS, true>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16, sums_panel,
                                           stream);
  }
  for (; r + 4 <= count; r += 4)
    rowsByPanels<4, wide ? 4 : 1, DOT, PAIRS, true>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16,
                                                    sums_panel, stream);
  for (; r + 2 <= count; r += 2)
    rowsByPanels<2, wide ? 4 : 2, DOT, PAIRS, true>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16,
                                                    sums_panel, stream);
  for (; r < count; ++r)
    rowsByPanels<1, 4, DOT, PAIRS, true>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16, sums_panel,
                                         stream);
}

// --- Blocks of many rows. A piece of the panels' chunk stays in the first-level cache while all rows of the block pass
// by; the chains are parked in `chains` between pieces, which rounds nothing.

constexpr int kBlockPanels = kRows > 6 ? 2 : 1;
constexpr int32_t kPiece = 256 / kBlockPanels;     // k of a piece: 16 KB of f32 weights
constexpr int32_t kBlockRows = (int32_t)kRowBlock; // at most

// chains[r][p][16] continue over `count` k (a multiple of the step, but for the last piece of an odd K).
template <int MR, int NP, bool DOT, class W>
INGOT_INLINE void piece(const void *__restrict rows, const W *__restrict w, int64_t ldw, int32_t count,
                        bool first, float *__restrict chains, Fetch &fetch) {
  f32x16 acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      acc[r][p] = first ? splat(0.0f) : load16(chains + (r * NP + p) * 16);
  constexpr int kStep = DOT ? 2 : 1;
  constexpr int64_t lda = kChunk / kStep;
  for (int32_t k = 0; k < count;) {
    fetch.line();
    int32_t end = minimum(k + kFetchEvery, count);
#pragma clang loop unroll_count(4)
    for (; k < end; k += kStep) {
      const W *line = w + (int64_t)k * 16;
      if constexpr (DOT) {
        const uint32_t *a = (const uint32_t *)rows;
        u32x16 weight[NP];
#pragma unroll
        for (int p = 0; p < NP; ++p)
          weight[p] = *(const u32x16_u *)(line + p * ldw);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
          u32x16 value = (u32x16)(a[r * lda + (k >> 1)]);
#pragma unroll
          for (int p = 0; p < NP; ++p)
            acc[r][p] = dotBf16(acc[r][p], value, weight[p]);
        }
      } else {
        const float *a = (const float *)rows;
        f32x16 weight[NP];
#pragma unroll
        for (int p = 0; p < NP; ++p)
          weight[p] = load16((const float *)line + p * ldw);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
          f32x16 value = splat(a[r * lda + k]);
#pragma unroll
          for (int p = 0; p < NP; ++p)
            acc[r][p] = fma(value, weight[p], acc[r][p]);
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      store16(chains + (r * NP + p) * 16, acc[r][p]);
}

// One chunk of NP panels: piece by piece, then the chains are added to the sums.
template <int NP, bool DOT, class W>
INGOT_INLINE void blockPanels(const void *a, int32_t count, const W *w, int64_t ldw, int32_t length,
                              float *sums, int64_t sums_panel, Fetch fetch) {
  alignas(64) float chains[kBlockRows * NP * 16];
  constexpr int64_t lda = kChunk / (DOT ? 2 : 1);
  for (int32_t k = 0; k < length; k += kPiece) {
    const int32_t some = minimum(kPiece, length - k);
    const char *from = (const char *)a + (int64_t)(DOT ? k / 2 : k) * 4;
    const W *line = w + (int64_t)k * 16;
    int32_t r = 0;
    for (; r + kRows <= count; r += kRows)
      piece<kRows, NP, DOT>(from + r * lda * 4, line, ldw, some, k == 0, chains + r * NP * 16, fetch);
    for (; r + 4 <= count; r += 4)
      piece<4, NP, DOT>(from + r * lda * 4, line, ldw, some, k == 0, chains + r * NP * 16, fetch);
    for (; r + 2 <= count; r += 2)
      piece<2, NP, DOT>(from + r * lda * 4, line, ldw, some, k == 0, chains + r * NP * 16, fetch);
    for (; r < count; ++r)
      piece<1, NP, DOT>(from + r * lda * 4, line, ldw, some, k == 0, chains + r * NP * 16, fetch);
  }
  for (int32_t r = 0; r < count; ++r)
    for (int32_t p = 0; p < NP; ++p) {
      float *s = sums + p * sums_panel + r * 16;
      store16(s, load16(s) + load16(chains + (r * NP + p) * 16));
    }
}

template <bool DOT, class W>
INGOT_INLINE void blockRows(const void *a, int32_t count, const W *w, int64_t ldw, int32_t panels,
                            int32_t length, float *sums, int64_t sums_panel, const void *next, int64_t next_panel,
                            int64_t next_bytes) {
  int32_t i = 0;
  for (; i + kBlockPanels <= panels; i += kBlockPanels) {
    const char *at = (const char *)next + i * next_panel;
    blockPanels<kBlockPanels, DOT>(a, count, w + i * ldw, ldw, length, sums + i * sums_panel, sums_panel,
                                   {at, at + next_bytes});
  }
  if constexpr (kBlockPanels > 1)
    for (; i < panels; ++i) {
      const char *at = (const char *)next + i * next_panel;
      blockPanels<1, DOT>(a, count, w + i * ldw, ldw, length, sums + i * sums_panel, sums_panel,
                          {at, at + next_bytes});
    }
}

} // namespace
} // namespace ingot::kernels

#define INGOT_DEFINE_STREAM(name, W, PAIRS)                                                                            \
  INGOT_LINEAR_STREAM_PROTOTYPE(name, W) {                                                                             \
    ingot::kernels::streamRows<(PAIRS) && ingot::kernels::kHasDotBf16, PAIRS>(a, lda, count, w, ldw, panels, length,   \
                                                                              rest, sums, sums_panel);                 \
  }
#define INGOT_DEFINE_BLOCK(name, W, DOT)                                                                               \
  INGOT_LINEAR_BLOCK_PROTOTYPE(name, W) {                                                                              \
    ingot::kernels::blockRows<DOT>(a, count, w, ldw, panels, length, sums, sums_panel, next, next_panel,          \
                                   next_bytes);                                                                        \
  }
INGOT_LINEAR_STREAMS(INGOT_DEFINE_STREAM)
INGOT_LINEAR_BLOCKS(INGOT_DEFINE_BLOCK)
