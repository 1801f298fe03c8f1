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

// Lines of weights ahead of the loop that are fetched early when they stream from memory.
constexpr int64_t kAhead = 1536; // bytes

// acc[r][p] = the chain over `count` k of input row r (stride lda) and panel p (stride ldw elements), from zero, then
// added to sums[p * sums_panel + r * 16]. `swap`: 16-bit pairs are taken odd first, inputs lie in that order already.
template <int MR, int NP, bool SWAP, bool STREAM, class W>
INGOT_INLINE void multiply(const float *__restrict a, int64_t lda, const W *__restrict w, int64_t ldw, int32_t count,
                           float *__restrict sums, int64_t sums_panel) {
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
    if constexpr (STREAM) {
#pragma unroll
      for (int p = 0; p < NP; ++p)
        __builtin_prefetch((const char *)(line + p * ldw) + kAhead);
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
                                int32_t count, float *__restrict sums, int64_t sums_panel) {
  f32x16 acc[MR][NP];
#pragma unroll
  for (int r = 0; r < MR; ++r)
#pragma unroll
    for (int p = 0; p < NP; ++p)
      acc[r][p] = splat(0.0f);
#pragma clang loop unroll(disable)
  for (int32_t k = 0; k < count; k += 2) {
    const bf16 *line = w + (int64_t)k * 16;
    u32x16 weight[NP];
#pragma unroll
    for (int p = 0; p < NP; ++p) {
      if constexpr (STREAM)
        __builtin_prefetch((const char *)(line + p * ldw) + kAhead);
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
                        int64_t sums_panel) {
  if constexpr (DOT)
    multiplyPairs<MR, NP, STREAM>((const uint32_t *)a, lda, w, ldw, length, sums, sums_panel);
  else
    multiply<MR, NP, PAIRS, STREAM>((const float *)a, lda, w, ldw, length, sums, sums_panel);
}

// MR rows x `panels` panels of one chunk, NP panels at a time.
template <int MR, int NP, bool DOT, bool PAIRS, bool STREAM, class Weights>
INGOT_INLINE void rowsByPanels(const void *a, int64_t lda, const Weights *w, int64_t ldw, int32_t panels,
                               int32_t length, float *sums, int64_t sums_panel) {
  int32_t i = 0;
  for (; i + NP <= panels; i += NP)
    chunk<MR, NP, DOT, PAIRS, STREAM>(a, lda, w + i * ldw, ldw, length, sums + i * sums_panel, sums_panel);
  if constexpr (NP > 1)
    for (; i < panels; ++i)
      chunk<MR, 1, DOT, PAIRS, STREAM>(a, lda, w + i * ldw, ldw, length, sums + i * sums_panel, sums_panel);
}

// All rows of a block against `panels` panels of one chunk: groups of kRows rows, the rest in groups of 8, 4, 2, 1.
template <bool DOT, bool PAIRS, bool STREAM, class Weights>
INGOT_INLINE void allRows(const void *a, int64_t lda, int32_t count, const Weights *w, int64_t ldw, int32_t panels,
                          int32_t length, float *sums, int64_t sums_panel) {
  constexpr bool wide = kRows > 6;
  constexpr bool few = STREAM; // blocks of many rows end in few that are left: plain loops do for them
  const char *from = (const char *)a;
  int32_t r = 0;
  for (; r + kRows <= count; r += kRows)
    rowsByPanels<kRows, wide ? 2 : 1, DOT, PAIRS, STREAM>(from + r * lda * 4, lda, w, ldw, panels, length,
                                                          sums + r * 16, sums_panel);
  if constexpr (wide) {
    for (; r + 8 <= count; r += 8)
      rowsByPanels<8, few ? 2 : 1, DOT, PAIRS, STREAM>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16,
                                                       sums_panel);
  }
  for (; r + 4 <= count; r += 4)
    rowsByPanels<4, few && wide ? 4 : 1, DOT, PAIRS, STREAM>(from + r * lda * 4, lda, w, ldw, panels, length,
                                                             sums + r * 16, sums_panel);
  for (; r + 2 <= count; r += 2)
    rowsByPanels<2,
                 !few   ? 1
                 : wide ? 4
                        : 2,
                 DOT, PAIRS, STREAM>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16, sums_panel);
  for (; r < count; ++r)
    rowsByPanels<1, few ? 4 : 1, DOT, PAIRS, STREAM>(from + r * lda * 4, lda, w, ldw, panels, length, sums + r * 16,
                                                     sums_panel);
}

} // namespace
} // namespace ingot::kernels

#define INGOT_DEFINE(name, W, PAIRS, STREAM)                                                                           \
  INGOT_LINEAR_ROWS_PROTOTYPE(name, W) {                                                                               \
    ingot::kernels::allRows<(PAIRS) && ingot::kernels::kHasDotBf16, PAIRS, STREAM>(a, lda, count, w, ldw, panels,      \
                                                                                   length, sums, sums_panel);          \
  }
INGOT_LINEAR_ROWS(INGOT_DEFINE)
