// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instructions of compiler/target/cpu/kernels/tiles.h as a model, written from the pseudo-code of the Intel SDM
// (volume 2: LDTILECFG, TILELOADD, TILESTORED, TDPBF16PS, TDPBSUD, TDPBSSD). Where the hardware would fault the test program
// ends with a message; so it does where a tile is read that nothing was written to since it was configured.
#ifndef INGOT_TEST_UNIT_TARGET_SOFTWARE_TILES_H
#define INGOT_TEST_UNIT_TARGET_SOFTWARE_TILES_H

#include "compiler/target/cpu/kernels/tiles.h"

namespace ingot::test {

// The tiles of the calling thread.
void loadTileConfig(const void *config); // 64 bytes
void releaseTiles();
void tileZero(int tile);
void tileLoad(int tile, const void *from, int64_t stride);
void tileStore(int tile, void *to, int64_t stride);
void tileDotBf16(int c, int a, int b);
void tileDotInt8(int c, int a, int b);
void tileDotSigned8(int c, int a, int b);
// Whether they are configured.
bool tilesInUse();

} // namespace ingot::test

#if defined(INGOT_SOFTWARE_TILES)
namespace ingot::kernels {
inline void configure(const TileConfig &config) { test::loadTileConfig(&config); }
inline void releaseTiles() { test::releaseTiles(); }
template <int T> inline void tileZero() { test::tileZero(T); }
template <int T> inline void tileLoad(const void *from, int64_t stride) { test::tileLoad(T, from, stride); }
template <int T> inline void tileLoadOnce(const void *from, int64_t stride) { test::tileLoad(T, from, stride); }
template <int T> inline void tileStore(void *to, int64_t stride) { test::tileStore(T, to, stride); }
template <int C, int A, int B> inline void tileDotBf16() { test::tileDotBf16(C, A, B); }
template <int C, int A, int B> inline void tileDotInt8() { test::tileDotInt8(C, A, B); }
template <int C, int A, int B> inline void tileDotSigned8() { test::tileDotSigned8(C, A, B); }
} // namespace ingot::kernels
#endif

#endif
