// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loops over AMX tiles (see linear_tiles.h). Tiles 0 to 3 are sums, two rows of tiles by two panels; 4 and 5
// are activations, 6 and 7 weights.
//
// A kernel cannot know what a thread's tiles were last configured for, so its first call configures them, and others
// where shapes change: ldtilecfg takes as long as ten products. Rows beyond the last are left out by the configuration:
// nothing is read or written there.
#include "compiler/target/cpu/kernels/linear_tiles.h"
#include "compiler/target/cpu/kernels/dot_int.h"
#include "compiler/target/cpu/kernels/streams.h"

#if INGOT_HAS_TILES
namespace ingot::kernels {
namespace {

// Tiles for `upper` and `lower` rows of activations and `depth` bytes of K.
INGOT_INLINE void shapeTiles(int32_t upper, int32_t lower, int32_t depth) {
  TileConfig config;
  config.shape(0, upper, kTileBytes);
  config.shape(1, upper, kTileBytes);
  config.shape(2, lower, kTileBytes);
  config.shape(3, lower, kTileBytes);
  config.shape(4, upper, depth);
  config.shape(5, lower, depth);
  config.shape(6, depth / 4, kTileBytes);
  config.shape(7, depth / 4, kTileBytes);
  configure(config);
}

// Bytes of weights ahead of the loop that are fetched early when they stream from memory.
constexpr int64_t kAhead = 4096;

// What weights are: pairs of bf16, or integers of 8 bits.
enum Weights { kBf16, kUnsigned8, kSigned8 };
// What is fetched early: the piece's own weights, out of memory; the next piece's, and sums; or nothing.
enum Fetch { kStream, kNext, kNothing };

template <Weights WEIGHTS, int C, int A, int B> INGOT_INLINE void tileDot() {
  if constexpr (WEIGHTS == kUnsigned8)
    tileDotInt8<C, A, B>();
  else if constexpr (WEIGHTS == kSigned8)
    tileDotSigned8<C, A, B>();
  else
    tileDotBf16<C, A, B>();
}

// The weights of the next piece, fetched into the second cache at the rate of use: a few lines with every step of this
// piece, so that the last ones come with the last step. In a hurry they would hold up the activations, whose lines come
// through the same few buffers.
struct NextWeights {
  const char *at = nullptr;
  int64_t panel = 0, bytes = 0; // of a panel
  int32_t times = 0;            // lines of a panel with every step
  NextWeights() = default;
  INGOT_INLINE explicit NextWeights(const TilePiece &p) : at(p.next), panel(p.ld_next), bytes(p.next_bytes) {
    const int32_t all = (p.rows + 2 * kTileRows - 1) / (2 * kTileRows) * p.steps * 64;
    times = ((int32_t)bytes + all - 1) / all;
  }
  template <int PANELS> INGOT_INLINE void fetch() {
#pragma clang loop unroll(disable)
    for (int32_t i = 0; i < times && bytes > 0; ++i, at += 64, bytes -= 64) {
      __builtin_prefetch(at, 0, 2);
      if constexpr (PANELS > 1)
        __builtin_prefetch(at + panel, 0, 2);
    }
  }
};

// The sums of the next rows of the same piece, from p.sums on, fetched into the first cache with the first steps.
template <int ROWS, int PANELS> struct NextSums {
  const char *at;
  int64_t panel;
  INGOT_INLINE void fetch(int32_t step) const {
    constexpr int32_t kLines = ROWS * kTileRows / 4; // with every step
    if (!at || step >= 4)
      return;
#pragma unroll
    for (int line = 0; line < kLines; ++line) {
      __builtin_prefetch(at + (step * kLines + line) * 64);
      if constexpr (PANELS > 1)
        __builtin_prefetch(at + panel + (step * kLines + line) * 64);
    }
  }
};

// The activations of `row`, the first of a tile.
INGOT_INLINE const char *rowOf(const TilePiece &p, int32_t row) { return p.a + row / kTileRows * p.a_tile; }

// Adds `steps` tiles along K to the sums: ROWS tiles of rows from `a` on, PANELS panels. Steps of `depth` bytes of K.
template <Weights WEIGHTS, int ROWS, int PANELS, Fetch FETCH>
INGOT_INLINE void accumulate(const TilePiece &p, const char *a, const char *w, int32_t steps, int32_t depth,
                             NextWeights &next, const NextSums<ROWS, PANELS> &nextSums) {
  const char *lower = a + p.a_tile;
  const int64_t ldw = p.ldw, lda = p.lda;
#pragma clang loop unroll(disable)
  for (int32_t s = 0; s < steps; ++s) {
    const char *weights = w + (int64_t)s * depth * kTileRows;
    if constexpr (FETCH == kStream) {
#pragma unroll
      for (int line = 0; line < 16; ++line) {
        __builtin_prefetch(weights + kAhead + line * 64);
        if constexpr (PANELS > 1)
          __builtin_prefetch(weights + ldw + kAhead + line * 64);
      }
    } else if constexpr (FETCH == kNext) {
      next.fetch<PANELS>();
      nextSums.fetch(s);
    }
    // All loads before all products: where a core's other thread is busy as well, that is a tenth faster than in turns.
    tileLoad<6>(weights, kTileBytes);
    tileLoadOnce<4>(a + s * p.a_step, lda);
    if constexpr (PANELS > 1)
      tileLoad<7>(weights + ldw, kTileBytes);
    if constexpr (ROWS > 1)
      tileLoadOnce<5>(lower + s * p.a_step, lda);
    tileDot<WEIGHTS, 0, 4, 6>();
    if constexpr (PANELS > 1)
      tileDot<WEIGHTS, 1, 4, 7>();
    if constexpr (ROWS > 1)
      tileDot<WEIGHTS, 2, 5, 6>();
    if constexpr (ROWS > 1 && PANELS > 1)
      tileDot<WEIGHTS, 3, 5, 7>();
  }
}

template <int ROWS, int PANELS> INGOT_INLINE void zeroSums() {
  tileZero<0>();
  if constexpr (PANELS > 1)
    tileZero<1>();
  if constexpr (ROWS > 1)
    tileZero<2>();
  if constexpr (ROWS > 1 && PANELS > 1)
    tileZero<3>();
}

// sums of 4 bytes; rows 64 bytes apart.
template <int ROWS, int PANELS> INGOT_INLINE void loadSums(const float *sums, int64_t panel) {
  tileLoad<0>(sums, kTileBytes);
  if constexpr (PANELS > 1)
    tileLoad<1>(sums + panel, kTileBytes);
  if constexpr (ROWS > 1)
    tileLoad<2>(sums + kTileRows * 16, kTileBytes);
  if constexpr (ROWS > 1 && PANELS > 1)
    tileLoad<3>(sums + panel + kTileRows * 16, kTileBytes);
}

template <int ROWS, int PANELS> INGOT_INLINE void storeSums(float *sums, int64_t panel) {
  tileStore<0>(sums, kTileBytes);
  if constexpr (PANELS > 1)
    tileStore<1>(sums + panel, kTileBytes);
  if constexpr (ROWS > 1)
    tileStore<2>(sums + kTileRows * 16, kTileBytes);
  if constexpr (ROWS > 1 && PANELS > 1)
    tileStore<3>(sums + panel + kTileRows * 16, kTileBytes);
}

template <Weights WEIGHTS, int ROWS, int PANELS, Fetch FETCH>
INGOT_INLINE void piece(const TilePiece &p, int32_t row, int32_t panel, NextWeights &next) {
  float *sums = (float *)p.sums + panel * p.sums_panel + row * 16;
  if (p.first)
    zeroSums<ROWS, PANELS>();
  else
    loadSums<ROWS, PANELS>(sums, p.sums_panel);
  const NextSums<ROWS, PANELS> nextSums = {p.first || row + 2 * kTileRows >= p.rows ? nullptr
                                                                                    : (const char *)(sums + 512),
                                           p.sums_panel * 4};
  accumulate<WEIGHTS, ROWS, PANELS, FETCH>(p, rowOf(p, row), p.w + panel * p.ldw, p.steps, kTileBytes, next, nextSums);
  storeSums<ROWS, PANELS>(sums, p.sums_panel);
}

// Calls work<ROWS>(row) for two tiles of rows at a time, then for what is left, and configures the tiles for them.
template <class Work> INGOT_INLINE void overRows(const TilePiece &p, int32_t depth, const Work &work) {
  const int32_t rows = p.rows;
  int32_t row = 0;
  if (rows >= 2 * kTileRows) {
    if (!p.configured || rows % (2 * kTileRows) != 0)
      shapeTiles(kTileRows, kTileRows, depth);
    for (; row + 2 * kTileRows <= rows; row += 2 * kTileRows)
      work.template operator()<2>(row, 2 * kTileRows);
  }
  const int32_t left = rows - row;
  if (left == 0)
    return;
  if (!p.configured || row > 0)
    shapeTiles(minimum(left, kTileRows), maximum(left - kTileRows, 0), depth);
  if (left > kTileRows)
    work.template operator()<2>(row, left);
  else
    work.template operator()<1>(row, left);
}

template <Weights WEIGHTS, int ROWS, Fetch FETCH>
INGOT_INLINE void overPanels(const TilePiece &p, int32_t row, NextWeights &next) {
  int32_t panel = 0;
  for (; panel + 2 <= p.panels; panel += 2)
    piece<WEIGHTS, ROWS, 2, FETCH>(p, row, panel, next);
  if (panel < p.panels)
    piece<WEIGHTS, ROWS, 1, FETCH>(p, row, panel, next);
}

template <Weights WEIGHTS, Fetch FETCH> INGOT_INLINE void pieces(const TilePiece &p) {
  NextWeights next(p);
  overRows(
      p, kTileBytes, [&]<int ROWS>(int32_t row, int32_t) __attribute__((always_inline)) {
        overPanels<WEIGHTS, ROWS, FETCH>(p, row, next);
      });
}

constexpr int32_t kMostGroups = 64; // of a piece: 32 steps of 64 columns, groups of 32

// Integers of GROUPS neighbouring groups, scaled and added to the sums, one group after the other.
template <Weights WEIGHTS, int ROWS, int PANELS> struct ScaleGroups {
  const TileGroups &g;
  const float *scales; // [groups][PANELS][16]
  float *sums;
  const int32_t *rowSums;
  int32_t rows;

  // Of rows [from, to), up to whole tiles: sums beyond the last row are there, and nobody reads them.
  template <int GROUPS>
  INGOT_INLINE void operator()(const float *const (&integers)[GROUPS], int32_t group, int32_t from, int32_t to) const {
#pragma unroll
    for (int panel = 0; panel < PANELS; ++panel) {
      f32x16 scale[GROUPS];
      [[maybe_unused]] u32x16 zero[GROUPS];
#pragma unroll
      for (int i = 0; i < GROUPS; ++i) {
        scale[i] = load16(scales + ((group + i) * PANELS + panel) * 16);
        if constexpr (WEIGHTS != kSigned8)
          zero[i] = g.zeros ? __builtin_convertvector(
                                  *(const u8x16_u *)(g.zeros + panel * g.ldScales + (group + i) * 16), u32x16)
                            : (u32x16)(0);
      }
      float *out = sums + panel * g.piece.sums_panel;
      auto overRows = [&](int32_t end, const auto &take) __attribute__((always_inline)) {
#pragma clang loop unroll_count(4)
        for (int32_t r = from; r < end; ++r) {
          f32x16 total = load16(out + r * 16);
#pragma unroll
          for (int i = 0; i < GROUPS; ++i) {
            const i32x16 sum = take(*(const i32x16_u *)(integers[i] + (panel * ROWS * kTileRows + r) * 16), r, i);
            total = fma(__builtin_convertvector(sum, f32x16), scale[i], total);
          }
          store16(out + r * 16, total);
        }
      };
      if constexpr (WEIGHTS == kSigned8)
        overRows(to, [](i32x16 sum, int32_t, int) __attribute__((always_inline)) { return sum; });
      else if (g.zeros)
        overRows(minimum(to, rows), [&](i32x16 sum, int32_t r, int i) __attribute__((always_inline)) {
          // The low half of each lane alone is multiplied: the other factor's high half is zero.
          return sum - pairs16(zero[i], (u32x16)((uint32_t)rowSums[r * g.ldRowSums + group + i]));
        });
      else
        overRows(minimum(to, rows), [&](i32x16 sum, int32_t r, int i) __attribute__((always_inline)) {
          return sum - g.zero * rowSums[r * g.ldRowSums + group + i];
        });
    }
  }
};

// The groups of a piece for up to 32 rows. While tiles multiply a group, vectors scale the integers of those before: two
// groups at once, of half the rows with each, so that sums are loaded and stored half as often.
template <Weights WEIGHTS, int ROWS, int PANELS>
INGOT_INLINE void scaledGroups(const TileGroups &g, const float *scales, int32_t row, int32_t rows, NextWeights &next) {
  constexpr int32_t kRows = ROWS * kTileRows, kHalf = kRows / 2;
  alignas(64) float buffers[3][PANELS * kRows * 16];
  const TilePiece &p = g.piece;
  const ScaleGroups<WEIGHTS, ROWS, PANELS> scale = {g, scales, (float *)p.sums + row * 16,
                                                    g.rowSums + row * g.ldRowSums, rows};
  if (p.first)
#pragma unroll
    for (int panel = 0; panel < PANELS; ++panel)
      clearVectors(scale.sums + panel * p.sums_panel, kRows);
  const int32_t depth = minimum(g.group, kTileBytes), whole = g.columns / g.group;
  const int32_t stepsOfWhole = g.group / depth, stepsOfLast = (g.columns - whole * g.group + depth - 1) / depth;
  const char *a = rowOf(p, row);
  auto multiply = [&](int32_t group) __attribute__((always_inline)) {
    const int32_t k = group * g.group;
    zeroSums<ROWS, PANELS>();
    accumulate<WEIGHTS, ROWS, PANELS, kNext>(p, a + k / kTileBytes * p.a_step + k % kTileBytes,
                                             p.w + (int64_t)k * kTileRows, group < whole ? stepsOfWhole : stepsOfLast,
                                             depth, next, {nullptr, 0});
  };
  const int32_t groups = whole + (stepsOfLast > 0);
  float *first = buffers[0], *second = buffers[1], *third = buffers[2]; // the groups before: the first and second
  int32_t group = 0;
#pragma clang loop unroll(disable)
  for (; group + 2 <= groups; group += 2) {
    multiply(group);
    if (group > 0)
      scale.template operator()<2>({first, second}, group - 2, 0, kHalf);
    storeSums<ROWS, PANELS>(third, kRows * 16);
    multiply(group + 1);
    if (group > 0)
      scale.template operator()<2>({first, second}, group - 2, kHalf, kRows);
    storeSums<ROWS, PANELS>(first, kRows * 16);
    float *const free = second;
    second = first;
    first = third;
    third = free;
  }
  if (group < groups)
    multiply(group);
  if (group > 0)
    scale.template operator()<2>({first, second}, group - 2, 0, kRows);
  if (group < groups) {
    storeSums<ROWS, PANELS>(third, kRows * 16);
    scale.template operator()<1>({third}, group, 0, kRows);
  }
}

// MR rows by NP panels as tdpbf16ps sums: of 32 k the even ones in a chain from zero, the odd ones in another.
template <int MR, int NP> INGOT_INLINE void vectorRows(const VectorRows &v, int32_t row, int32_t panel) {
  const StreamAhead stream = {(int64_t)v.steps * kWholeTile, (NP - 1) * v.ldw * 4};
  float *sums = v.sums + panel * v.sums_panel + row * 16;
  const uint32_t *a = v.a + row * v.lda, *w = v.w + panel * v.ldw;
#pragma unroll
  for (int p = 0; p < NP; ++p)
#pragma unroll
    for (int r = 0; r < MR; ++r)
      store16(sums + p * v.sums_panel + r * 16, splat(0.0f));
#pragma clang loop unroll(disable)
  for (int32_t step = 0; step < v.steps; ++step) {
    const int64_t ahead = stream.at(step * kWholeTile);
    f32x16 even[MR][NP], odd[MR][NP];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
      for (int p = 0; p < NP; ++p)
        even[r][p] = odd[r][p] = splat(0.0f);
#pragma clang loop unroll_count(2)
    for (int32_t pair = 0; pair < 16; ++pair, ++a, w += 16) {
      u32x16 line[NP];
#pragma unroll
      for (int p = 0; p < NP; ++p) {
        __builtin_prefetch((const char *)(w + p * v.ldw) + ahead);
        line[p] = *(const u32x16_u *)(w + p * v.ldw);
      }
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        const u32x16 value = (u32x16)(a[r * v.lda]);
        const f32x16 evenValue = __builtin_bit_cast(f32x16, value << 16),
                     oddValue = __builtin_bit_cast(f32x16, value & 0xffff0000u);
#pragma unroll
        for (int p = 0; p < NP; ++p) {
          even[r][p] = fma(evenValue, __builtin_bit_cast(f32x16, line[p] << 16), even[r][p]);
          odd[r][p] = fma(oddValue, __builtin_bit_cast(f32x16, line[p] & 0xffff0000u), odd[r][p]);
        }
      }
    }
#pragma unroll
    for (int p = 0; p < NP; ++p)
#pragma unroll
      for (int r = 0; r < MR; ++r) {
        float *to = sums + p * v.sums_panel + r * 16;
        store16(to, load16(to) + (even[r][p] + odd[r][p]));
      }
  }
}

template <int MR, int NP> INGOT_INLINE void vectorRowsByPanels(const VectorRows &v, int32_t row) {
  int32_t panel = 0;
  for (; panel + NP <= v.panels; panel += NP)
    vectorRows<MR, NP>(v, row, panel);
  for (; panel < v.panels; ++panel)
    vectorRows<MR, 1>(v, row, panel);
}

} // namespace
} // namespace ingot::kernels

using namespace ingot::kernels;

INGOT_LINEAR_TILES(bf16_rows_flushed)(const VectorRows *rows) {
  overVectorRows(
      rows->rows, [&]<int ROWS>(int32_t row) __attribute__((always_inline)) {
        vectorRowsByPanels<ROWS, ROWS == 4 ? 2 : 4>(*rows, row);
      });
}
INGOT_LINEAR_TILES(bf16_rows)(const VectorRows *rows) {
  SubnormalsAreZero flush;
  ingot_linear_tiles_bf16_rows_flushed(rows);
}

INGOT_LINEAR_TILES(bf16_block)(const TilePiece *piece) { pieces<kBf16, kNext>(*piece); }
INGOT_LINEAR_TILES(bf16_stream)(const TilePiece *piece) { pieces<kBf16, kStream>(*piece); }
INGOT_LINEAR_TILES(w8_block)(const TilePiece *piece) { pieces<kUnsigned8, kNext>(*piece); }

INGOT_LINEAR_TILES(shape_whole)() { shapeTiles(kTileRows, kTileRows, kTileBytes); }
INGOT_LINEAR_TILES(bf16_whole)(const TilePiece *piece) {
  NextWeights none;
  for (int32_t row = 0; row < piece->rows; row += 2 * kTileRows)
    if (row + kTileRows < piece->rows)
      overPanels<kBf16, 2, kNothing>(*piece, row, none);
    else
      overPanels<kBf16, 1, kNothing>(*piece, row, none);
}

template <Weights WEIGHTS, int PANELS> static INGOT_INLINE void groupsOfPanels(const TileGroups &g) {
  alignas(64) float scales[kMostGroups * PANELS * 16];
  const int32_t groups = (g.columns + g.group - 1) / g.group;
  for (int32_t group = 0; group < groups; ++group)
#pragma unroll
    for (int panel = 0; panel < PANELS; ++panel)
      store16(scales + (group * PANELS + panel) * 16, load16As(g.scaleType, g.scales, panel * g.ldScales + group * 16));
  NextWeights next(g.piece);
  overRows(
      g.piece, minimum(g.group, kTileBytes), [&]<int ROWS>(int32_t row, int32_t rows) __attribute__((always_inline)) {
        scaledGroups<WEIGHTS, ROWS, PANELS>(g, scales, row, rows, next);
      });
}
template <Weights WEIGHTS> static INGOT_INLINE void groupsOfPiece(const TileGroups &g) {
  if (g.piece.panels > 1)
    groupsOfPanels<WEIGHTS, 2>(g);
  else
    groupsOfPanels<WEIGHTS, 1>(g);
}
INGOT_LINEAR_TILES(w8_groups)(const TileGroups *groups) { groupsOfPiece<kUnsigned8>(*groups); }
INGOT_LINEAR_TILES(w4_groups)(const TileGroups *groups) { groupsOfPiece<kSigned8>(*groups); }

INGOT_LINEAR_TILES(spread)(const SpreadWeights *weights) {
  const SpreadWeights &w = *weights;
  const uint8_t *from = w.from;
  uint8_t *to = w.to;
  for (int32_t start = 0, group = 0; start < w.columns; start += w.group, ++group) {
    // Each lane of 32 bits is four k of one column.
    const u32x16 zero = w.zeros ? __builtin_convertvector(*(const u8x16_u *)(w.zeros + group * 16), u32x16)
                                : (u32x16)((uint32_t)w.zero);
    const u8x64 zeros = __builtin_bit_cast(u8x64, zero * 0x01010101u);
    const int32_t end = minimum(start + w.group, w.columns);
    for (int32_t k = start; k < end; k += 8, from += 64, to += 128) {
      __builtin_prefetch(from + 512); // no further: beyond the piece nothing has come from memory yet
      const u32x16 line = *(const u32x16_u *)from;
      typedef u8x64 unaligned __attribute__((aligned(4)));
      *(unaligned *)to = __builtin_bit_cast(u8x64, line & 0x0f0f0f0fu) - zeros;
      *(unaligned *)(to + 64) = __builtin_bit_cast(u8x64, line >> 4 & 0x0f0f0f0fu) - zeros;
    }
  }
}
#endif
