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
  if constexpr (NP > 2)
    for (; i + 2 <= panels; i += 2)
      chunk<MR, 2, DOT, PAIRS, STREAM>(a, lda, w + i * ldw, ldw, length, sums + i * sums_panel, sums_panel, stream);
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

// --- Blocks of many rows: groups of rows pass by each group of panels, whose chunk streams from the second-level cache.
// Parts of a chunk that stay in the first one were no faster: chains are then parked between parts, 4% of the time.

// Products of pairs, a step of two k.
struct MultiplyPairs {
  template <class V> static INGOT_INLINE u32x16 load(const char *line) { return *(const u32x16_u *)line; }
  static INGOT_INLINE f32x16 add(f32x16 sum, const char *row, u32x16 line) {
    return dotBf16(sum, (u32x16)(*(const uint32_t *)row), line);
  }
};

// The chunk's sums of MR rows and NP panels.
template <int MR, int NP, bool DOT, class W>
INGOT_INLINE void blockGroup(const void *__restrict rows, int64_t lda, const W *__restrict w, int64_t ldw,
                             int32_t length, bool first, float *__restrict sums, int64_t sums_panel, Fetch<NP> &fetch) {
  f32x16 acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      acc[r][p] = splat(0.0f);
  Apart<MR> left(rows, lda * 4);
  Apart<NP> right(w, ldw * (int64_t)sizeof(W));
  for (int32_t k = 0; k < length; k += kFetchEvery) {
    fetch.some();
    const int32_t some = minimum(kFetchEvery, length - k);
    if constexpr (DOT)
      multiplySteps<MultiplyPairs>(acc, left, right, (some + 1) / 2);
    else
      multiplySteps<MultiplyAdd>(acc, left, right, some);
  }
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      float *s = sums + p * sums_panel + r * 16;
      store16(s, (first ? splat(0.0f) : load16(s)) + acc[r][p]);
    }
}

// All rows by NP panels.
template <int NP, bool DOT, class W>
INGOT_INLINE void blockPanels(const void *a, int64_t lda, int32_t count, const W *w, int64_t ldw, int32_t length,
                              bool first, float *sums, int64_t sums_panel, Fetch<NP> fetch) {
  overBlockRows<NP == kBlockPanels ? kBlockUnit : kRows, NP>(
      count, [&]<int MR>(int32_t r) __attribute__((always_inline)) {
        blockGroup<MR, NP, DOT>((const char *)a + r * lda * 4, lda, w, ldw, length, first, sums + r * 16, sums_panel,
                                fetch);
      });
}

template <bool DOT, class W>
INGOT_INLINE void blockRows(const void *a, int64_t lda, int32_t count, const W *w, int64_t ldw, int32_t panels,
                            int32_t length, bool first, float *sums, int64_t sums_panel, const void *next,
                            int64_t next_panel, int64_t next_bytes) {
  const int32_t lines = linesAtATime(count);
  overBlockPanels(
      panels, [&]<int NP>(int32_t i) __attribute__((always_inline)) {
        const char *at = (const char *)next + i * next_panel;
        blockPanels<NP, DOT>(a, lda, count, w + i * ldw, ldw, length, first, sums + i * sums_panel, sums_panel,
                             {at, at + next_bytes, next_panel, lines});
      });
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
    ingot::kernels::blockRows<DOT>(a, lda, count, w, ldw, panels, length, first, sums, sums_panel, next, next_panel,          \
                                   next_bytes);                                                                        \
  }
INGOT_LINEAR_STREAMS(INGOT_DEFINE_STREAM)
INGOT_LINEAR_BLOCKS(INGOT_DEFINE_BLOCK)
