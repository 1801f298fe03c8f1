// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model of AMX tiles that tests of kernels stand on: that it computes what the Intel SDM says, leaves alone what is
// beyond a tile's shape, and ends the program where the hardware would fault.
#include "test/unit/target/reference.h"
#include "test/unit/target/software_tiles.h"
#include <gtest/gtest.h>

using namespace ingot::test;
using ingot::kernels::TileConfig;

namespace {

void use(const TileConfig &config) { loadTileConfig(&config); }

// Tile 0: sums of 3 rows by 5 columns; 1: 3 rows of 2 words of K; 2: these 2 words by 5 columns.
TileConfig small() {
  TileConfig config;
  config.shape(0, 3, 20);
  config.shape(1, 3, 8);
  config.shape(2, 2, 20);
  return config;
}

TEST(SoftwareTiles, LoadAndStoreTouchNothingBeyondTheShape) {
  use(small());
  uint8_t from[4][24], to[4][24];
  for (int i = 0; i < 4 * 24; ++i)
    from[i / 24][i % 24] = static_cast<uint8_t>(i + 1);
  std::memset(to, 0xee, sizeof(to));
  tileLoad(0, from, 24);
  tileStore(0, to, 24);
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 24; ++c)
      EXPECT_EQ(to[r][c], r < 3 && c < 20 ? from[r][c] : 0xee) << r << " " << c;
  releaseTiles();
  EXPECT_FALSE(tilesInUse());
}

// B: the type of the second operand's integers; dot: the instruction.
template <class B> void expectSumsThatWrap(void (*dot)(int, int, int)) {
  use(small());
  int8_t a[3][8];
  uint8_t b[2][20];
  int32_t c[3][5], want[3][5];
  Numbers numbers(1);
  for (auto &row : a)
    for (int8_t &x : row)
      x = static_cast<int8_t>(numbers.below(256) - 128);
  for (auto &row : b)
    for (uint8_t &x : row)
      x = static_cast<uint8_t>(numbers.below(256));
  for (int m = 0; m < 3; ++m)
    for (int n = 0; n < 5; ++n) {
      c[m][n] = m == 1 ? INT32_MAX : m * 7 - n;
      int64_t sum = c[m][n];
      for (int k = 0; k < 8; ++k)
        sum += a[m][k] * static_cast<B>(b[k / 4][n * 4 + k % 4]);
      want[m][n] = static_cast<int32_t>(static_cast<uint32_t>(sum));
    }
  tileLoad(0, c, 20);
  tileLoad(1, a, 8);
  tileLoad(2, b, 20);
  dot(0, 1, 2);
  tileStore(0, c, 20);
  EXPECT_EQ(std::memcmp(c, want, sizeof(c)), 0);
  releaseTiles();
}

TEST(SoftwareTiles, IntegersAreSignedByUnsignedAndWrap) { expectSumsThatWrap<uint8_t>(tileDotInt8); }
TEST(SoftwareTiles, IntegersAreSignedBySignedAndWrap) { expectSumsThatWrap<int8_t>(tileDotSigned8); }

// Numbers for which each step of the stated order rounds otherwise than any other order would.
TEST(SoftwareTiles, PairsOfBf16AreTwoChainsAddedAtTheEnd) {
  use(small());
  uint16_t a[3][4], b[2][10];
  float c[3][5] = {};
  auto set = [](uint16_t &to, double value) { put(&to, kBF16, 0, value); };
  // Row 0: even chain 2^25 + 1 + ... is cut to 24 bits before the odd chain takes away 2^25.
  const double rows[3][4] = {{0x1p25, -0x1p25, 1.0, 0.0}, {0x1p-70, 1.0, 0.0, 0.0}, {0x1p-130, 1.0, 3.0, 0.0}};
  for (int m = 0; m < 3; ++m)
    for (int k = 0; k < 4; ++k)
      set(a[m][k], rows[m][k]);
  for (int k = 0; k < 4; ++k)
    for (int n = 0; n < 5; ++n)
      set(b[k / 2][n * 2 + k % 2], n == 1 && k == 0 ? 0x1p-70 : 1.0);
  c[1][1] = -1.0f;
  c[2][2] = 0x1p-140f;
  tileLoad(0, c, 20);
  tileLoad(1, a, 8);
  tileLoad(2, b, 20);
  tileDotBf16(0, 1, 2);
  tileStore(0, c, 20);
  EXPECT_EQ(c[0][0], 0.0f);            // 1 was lost beside 2^25
  EXPECT_EQ(c[0][1], -0x1p25f + 1.0f); // 2^-45 + 1, less 2^25: rounded in that order
  EXPECT_EQ(c[1][1], 0.0f);            // a product of 2^-140 is zero, and 1 - 1
  EXPECT_EQ(c[1][0], 1.0f);            //
  EXPECT_EQ(c[2][0], 4.0f);            // 2^-130 is zero
  EXPECT_EQ(c[2][2], 4.0f);            // so is the sum before
  releaseTiles();
}

using SoftwareTilesDeathTest = testing::Test;

TEST(SoftwareTilesDeathTest, WhatTheHardwareWouldFaultOnEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  uint8_t memory[16 * 64] = {};
  EXPECT_DEATH(tileZero(0), "no tile is configured");
  EXPECT_DEATH(
      {
        use(small());
        tileZero(3);
      },
      "has no shape");
  EXPECT_DEATH(
      {
        use(small());
        tileStore(0, memory, 64);
      },
      "before anything was written");
  EXPECT_DEATH(
      {
        use(small());
        tileLoad(1, memory, 64);
        tileLoad(2, memory, 64);
        tileDotInt8(0, 1, 2);
      },
      "before anything was written");
  EXPECT_DEATH(
      {
        use(small());
        tileLoad(1, memory, 64);
        releaseTiles();
        tileStore(1, memory, 64);
      },
      "no tile is configured");
  auto with = [&](int tile, int rows, int bytes) {
    TileConfig config = small();
    config.rows[tile] = static_cast<uint8_t>(rows);
    config.rowBytes[tile] = static_cast<uint16_t>(bytes);
    return config;
  };
  auto product = [&](const TileConfig &config) {
    use(config);
    for (int i = 0; i < 3; ++i)
      tileLoad(i, memory, 64);
    tileDotBf16(0, 1, 2);
  };
  EXPECT_DEATH(product(with(1, 4, 8)), "rows of the sums differ");
  EXPECT_DEATH(product(with(2, 2, 24)), "columns of the sums differ");
  EXPECT_DEATH(product(with(1, 3, 12)), "columns of the first operand differ");
  EXPECT_DEATH(product(with(2, 3, 20)), "columns of the first operand differ");
  EXPECT_DEATH(product(with(0, 3, 18)), "whole words");
  EXPECT_DEATH(
      {
        use(small());
        tileLoad(0, memory, 64);
        tileLoad(1, memory, 64);
        tileDotInt8(0, 1, 1);
      },
      "the same tile");
  EXPECT_DEATH(use(with(0, 17, 64)), "too many rows");
  EXPECT_DEATH(use(with(0, 16, 68)), "too long");
  EXPECT_DEATH(use(with(0, 0, 64)), "rows without columns");
  EXPECT_DEATH(use(with(0, 4, 0)), "rows without columns");
  EXPECT_DEATH(use(with(8, 16, 64)), "reserved");
  TileConfig palette;
  palette.palette = 2;
  EXPECT_DEATH(use(palette), "palette");
}

} // namespace
