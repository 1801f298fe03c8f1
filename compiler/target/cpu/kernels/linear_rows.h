// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner products of `linear`: all rows of a block against some panels of weights, over one chunk of K. They depend
// on types and on the feature set alone, not on a kernel's parameters, so they are functions of their own, compiled
// once for all products of a model (linear_rows.cpp) and called once per chunk.
#ifndef INGOT_TARGET_CPU_KERNELS_LINEAR_ROWS_H
#define INGOT_TARGET_CPU_KERNELS_LINEAR_ROWS_H

#include "compiler/target/cpu/kernels/math.h"
#include "compiler/target/cpu/kernels/steps.h"
#include "compiler/target/cpu/kernels/streams.h"

namespace ingot::kernels {

#if defined(__AVX512F__)
constexpr int kRows = 12; // x 2 panels: 24 accumulators of 32 registers; of 28 the compiler keeps some in memory
// Blocks of many rows: as many accumulators, but 11 loads for them where 12 x 2 has 14.
constexpr int kBlockUnit = 8, kBlockPanels = 3;
#else
constexpr int kRows = 6; // x 1 panel of two ymm: 12 accumulators of 16 registers
constexpr int kBlockUnit = kRows, kBlockPanels = 1;
#endif
#if defined(__AVX512BF16__)
constexpr bool kHasDotBf16 = true;
#else
constexpr bool kHasDotBf16 = false;
#endif

constexpr int32_t kFetchEvery = 16; // k between two lines that are fetched early
// What is fetched from memory while a block is multiplied: `lines` at a time, up to `end`, of PANELS panels each.
template <int PANELS> struct Fetch {
  const char *at, *end;
  int64_t panel; // bytes from panel to panel
  int32_t lines;
  INGOT_INLINE void some() {
#pragma clang loop unroll(disable)
    for (int32_t i = 0; i < lines && at < end; ++i, at += 64)
#pragma unroll
      for (int p = 0; p < PANELS; ++p)
        __builtin_prefetch(at + p * panel, 0, 2);
  }
};

// Lines of each panel to fetch at a time, so that all of a chunk are there when `rows` rows have passed by.
INGOT_INLINE int32_t linesAtATime(int32_t rows) {
  const int32_t groups = maximum(1, rows / kBlockUnit);
  return (kFetchEvery + groups - 1) / groups;
}

// Calls work<NP>(panel) for `panels` panels by kBlockPanels, 2 and 1. What is left as 4 is twice 2: one alone leaves the
// units short of chains.
template <class Work> INGOT_INLINE void overBlockPanels(int32_t panels, const Work &work) {
  int32_t i = 0;
  for (; i + kBlockPanels <= panels && (kBlockPanels < 3 || panels - i != 4); i += kBlockPanels)
    work.template operator()<kBlockPanels>(i);
  if constexpr (kBlockPanels > 2)
    for (; i + 2 <= panels; i += 2)
      work.template operator()<2>(i);
  if constexpr (kBlockPanels > 1)
    for (; i < panels; ++i)
      work.template operator()<1>(i);
}

// Calls work<MR>(row) for `rows` rows by NP panels, in groups of UNIT. Few rows alone would leave the units short of
// chains: 9 to 11 rows begin with 5, and not with 8.
template <int UNIT, int NP, class Work> INGOT_INLINE void overBlockRows(int32_t rows, const Work &work) {
  int32_t row = 0;
  auto group = [&]<int MR>() __attribute__((always_inline)) {
    work.template operator()<MR>(row);
    row += MR;
  };
  const int32_t rest = rows % UNIT, whole = rows - rest - (rest > 0 && rest < UNIT / 2 ? UNIT : 0);
  while (row + UNIT <= whole)
    group.template operator()<UNIT>();
  if constexpr (UNIT > 8)
    while (rows - row > 12 || rows - row == 8)
      group.template operator()<8>();
  if constexpr (NP > 1 || UNIT == 6)
    while (rows - row > 8 || rows - row == 5 || rows - row == 7)
      group.template operator()<5>();
  while (rows - row >= 4)
    group.template operator()<4>();
  if (rows - row >= 2)
    group.template operator()<2>();
  if (rows - row >= 1)
    group.template operator()<1>();
}

// How weights lie in a panel, and the order in which two neighbouring k are taken.
// kStep k are read at once: kStep * 16 elements.
template <class W> struct Panel;
template <> struct Panel<float> { static constexpr int kStep = 1; };
template <> struct Panel<f16> { static constexpr int kStep = 2; };
template <> struct Panel<bf16> { static constexpr int kStep = 2; };
template <> struct Panel<uint8_t> { static constexpr int kStep = 1; }; // quantized: multiplied as f32

// The even or the odd k of a line of 16 pairs, widened.
INGOT_INLINE f32x16 evenK(const bf16 *w) { return __builtin_bit_cast(f32x16, *(const u32x16_u *)w << 16); }
INGOT_INLINE f32x16 oddK(const bf16 *w) { return __builtin_bit_cast(f32x16, *(const u32x16_u *)w & 0xffff0000u); }
INGOT_INLINE f32x16 evenK(const f16 *w) {
  f16x32 line = *(const f16x32_u *)w;
  f16x16 half = line.even;
  return __builtin_convertvector(half, f32x16);
}
INGOT_INLINE f32x16 oddK(const f16 *w) {
  f16x32 line = *(const f16x32_u *)w;
  f16x16 half = line.odd;
  return __builtin_convertvector(half, f32x16);
}

// The most panels that some of `rows` rows multiply at once where weights stream (streamRows). Panels are taken in such
// groups, each through all of K: fewer of them would leave chains out, more would cut the runs in which memory is read.
// Where a core reads one stream fastest (ingot_env; not of f32), one row's chains are enough in two panels.
INGOT_INLINE int32_t panelsBeside(int32_t rows, uint32_t streams) {
  if constexpr (kRows > 6)
    return streams == 1 && rows == 1 ? 2 : 4;
  const int32_t left = rows % kRows;
  return left % 2 == 1 ? 4 : left % 4 == 2 ? 2 : 1;
}

} // namespace ingot::kernels

// Few rows, whose weights come from memory and are fetched ahead. X(name, W, PAIRS): weights of type W, read by pairs
// of k with the odd one first where PAIRS.
#define INGOT_LINEAR_STREAMS(X)                                                                                        \
  X(f32, float, false)                                                                                                 \
  X(f16, ingot::kernels::f16, false)                                                                                   \
  X(bf16, ingot::kernels::bf16, false)                                                                                 \
  X(bf16_pairs, ingot::kernels::bf16, true)

// Blocks of many rows. X(name, W, DOT): by dot products of bf16 pairs where DOT (called where kHasDotBf16 only).
#define INGOT_LINEAR_BLOCKS(X)                                                                                         \
  X(f32, float, false)                                                                                                 \
  X(bf16_pairs, ingot::kernels::bf16, true)

// a: `count` rows of inputs, lda words of 4 bytes apart: f32, or with dot products pairs of bf16. w: `panels` panels,
// ldw elements apart, over `length` k, with `rest` elements of each from there to its end. Adds the chunk's sums to
// sums[panel * sums_panel + row * 16 + column].
#define INGOT_LINEAR_STREAM_PROTOTYPE(name, W)                                                                         \
  extern "C" __attribute__((visibility("hidden"), noinline)) void ingot_linear_rows_##name##_stream(                   \
      const void *a, int64_t lda, int32_t count, const W *w, int64_t ldw, int32_t panels, int32_t length,              \
      int64_t rest, float *sums, int64_t sums_panel)

// The same for many rows; the sums begin with this chunk where it is `first`. While panel i is multiplied, `next_bytes`
// from next + i * next_panel (bytes) on are fetched into the second-level cache: the weights that come after.
#define INGOT_LINEAR_BLOCK_PROTOTYPE(name, W)                                                                          \
  extern "C" __attribute__((visibility("hidden"), noinline)) void ingot_linear_rows_##name##_block(                    \
      const void *a, int64_t lda, int32_t count, const W *w, int64_t ldw, int32_t panels, int32_t length, bool first,  \
      float *sums, int64_t sums_panel, const void *next, int64_t next_panel, int64_t next_bytes)

#define INGOT_DECLARE_STREAM(name, W, PAIRS) INGOT_LINEAR_STREAM_PROTOTYPE(name, W);
#define INGOT_DECLARE_BLOCK(name, W, DOT) INGOT_LINEAR_BLOCK_PROTOTYPE(name, W);
INGOT_LINEAR_STREAMS(INGOT_DECLARE_STREAM)
INGOT_LINEAR_BLOCKS(INGOT_DECLARE_BLOCK)
#undef INGOT_DECLARE_STREAM
#undef INGOT_DECLARE_BLOCK

#endif
