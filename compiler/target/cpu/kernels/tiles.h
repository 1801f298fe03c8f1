// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Intel AMX: eight tiles of 16 rows by 64 bytes, and the few instructions that kernels use. Where the feature set has
// AMX these are the instructions. Where INGOT_SOFTWARE_TILES names a header, they are what that header defines: the
// tests compile the same kernels natively on a model of the instructions, on any machine. Elsewhere they are declared
// alone, for what `if constexpr (kHasTiles)` leaves out.
#ifndef INGOT_TARGET_CPU_KERNELS_TILES_H
#define INGOT_TARGET_CPU_KERNELS_TILES_H

#include "compiler/target/cpu/kernels/common.h"

#if defined(__AMX_TILE__) || defined(INGOT_SOFTWARE_TILES)
#define INGOT_HAS_TILES 1
#else
#define INGOT_HAS_TILES 0
#endif

namespace ingot::kernels {

constexpr bool kHasTiles = INGOT_HAS_TILES;

constexpr int32_t kTileRows = 16;
constexpr int32_t kTileBytes = 64;   // of a row
constexpr int64_t kWholeTile = 1024; // bytes

// The operand of ldtilecfg (Intel SDM volume 1, 18.3). Tiles without a shape cannot be used.
struct TileConfig {
  uint8_t palette = 1;
  uint8_t startRow = 0;
  uint8_t reserved[14] = {};
  uint16_t rowBytes[16] = {};
  uint8_t rows[16] = {};

  // `count` rows (0: the tile is not used) of `bytes`, a multiple of 4.
  INGOT_INLINE void shape(int32_t tile, int32_t count, int32_t bytes) {
    rows[tile] = (uint8_t)count;
    rowBytes[tile] = (uint16_t)(count ? bytes : 0);
  }
};
static_assert(sizeof(TileConfig) == 64);

// Up to so many rows vectors are faster than tiles: tiles of few rows read weights slower than memory gives them.
constexpr int32_t kVectorRows = 4;

// Calls work<ROWS>(row) for groups of 4, 2 and 1 rows.
template <class Work> INGOT_INLINE void overVectorRows(int32_t rows, const Work &work) {
  int32_t row = 0;
  for (; row + 4 <= rows; row += 4)
    work.template operator()<4>(row);
  for (; row + 2 <= rows; row += 2)
    work.template operator()<2>(row);
  if (row < rows)
    work.template operator()<1>(row);
}

// While one lives, subnormal operands and results of vector instructions are zero, as they are to tdpbf16ps. Nothing
// tells the compiler: arithmetic that is meant has to be behind a call that is not inlined.
class SubnormalsAreZero {
public:
  INGOT_INLINE SubnormalsAreZero() : before(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before | 0x8040u); }
  INGOT_INLINE ~SubnormalsAreZero() { __builtin_ia32_ldmxcsr(before); }

private:
  unsigned before;
};

#if defined(__AMX_TILE__)

// Shapes the tiles, and fills them with zeros.
INGOT_INLINE void configure(const TileConfig &config) { __builtin_ia32_tile_loadconfig(&config); }
// At a kernel's end: a thread whose tiles are in their first state is cheaper to switch away from.
INGOT_INLINE void releaseTiles() { __builtin_ia32_tilerelease(); }

template <int T> INGOT_INLINE void tileZero() { __builtin_ia32_tilezero(T); }
// stride: bytes from row to row. Rows beyond the tile's are neither read nor written.
template <int T> INGOT_INLINE void tileLoad(const void *from, int64_t stride) {
  __builtin_ia32_tileloadd64(T, from, (uint64_t)stride);
}
// The same of what is not read again soon: it need not displace other lines of the first cache.
template <int T> INGOT_INLINE void tileLoadOnce(const void *from, int64_t stride) {
  __builtin_ia32_tileloaddt164(T, from, (uint64_t)stride);
}
template <int T> INGOT_INLINE void tileStore(void *to, int64_t stride) {
  __builtin_ia32_tilestored64(T, to, (uint64_t)stride);
}
// c[m][n] += sum over k of a[m][k] b[k / P][n][k % P], P values to a word of 4 bytes: pairs of bf16 (the order of
// additions stands in docs/spec/numerics.md), or four integers, a signed and b unsigned or signed.
template <int C, int A, int B> INGOT_INLINE void tileDotBf16() { __builtin_ia32_tdpbf16ps(C, A, B); }
template <int C, int A, int B> INGOT_INLINE void tileDotInt8() { __builtin_ia32_tdpbsud(C, A, B); }
template <int C, int A, int B> INGOT_INLINE void tileDotSigned8() { __builtin_ia32_tdpbssd(C, A, B); }

#elif !defined(INGOT_SOFTWARE_TILES)

void configure(const TileConfig &config);
INGOT_INLINE void releaseTiles() {}
template <int T> void tileZero();
template <int T> void tileLoad(const void *from, int64_t stride);
template <int T> void tileLoadOnce(const void *from, int64_t stride);
template <int T> void tileStore(void *to, int64_t stride);
template <int C, int A, int B> void tileDotBf16();
template <int C, int A, int B> void tileDotInt8();
template <int C, int A, int B> void tileDotSigned8();

#endif

} // namespace ingot::kernels

#if !defined(__AMX_TILE__) && defined(INGOT_SOFTWARE_TILES)
#include INGOT_SOFTWARE_TILES
#endif

#endif
