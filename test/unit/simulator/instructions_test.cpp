// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The device's instructions (of the simulated one, or of a GPU: kernel_device.h) against what the PTX manual (ISA 9.0) says of them, element by element: fragments
// of mma by the manual's formulas for row and column of element i, ldmatrix by its figure, conversions by the
// arithmetic of their formats in f64.
#include "test/unit/cuda/kernel_device.h"
#include "test/unit/simulator/records.h"
#include "test/unit/target/reference.h"
#include <algorithm>
#include <bit>
#include <gtest/gtest.h>

using namespace ingot;
using test::Numbers;

namespace {

using Words = std::vector<uint32_t>;

// Runs a warp: words of all lanes in, words of all lanes out. Told to INGOT_RECORD, where that names a file.
Words run(const char *kernel, Words &in, size_t results, uint64_t seed = 1) {
  const Words given = in;
  Words out = test::runWarp(kernel, in, results, seed);
  test::recordRun(kernel, given, out);
  return out;
}

uint32_t bitsOf(double value) { return std::bit_cast<uint32_t>(static_cast<float>(value)); }
float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }

// mma.m16n8k16 (16-bit types): "Matrix Fragments for mma.m16n8k16 with floating point type".
void checkMma16(const char *kernel, int type) {
  Numbers numbers(3);
  double a[16][16], b[16][8], c[16][8];
  for (auto &row : a)
    for (double &x : row)
      x = test::rounded(type, numbers.next());
  for (auto &row : b)
    for (double &x : row)
      x = test::rounded(type, numbers.next());
  for (auto &row : c)
    for (double &x : row)
      x = static_cast<float>(numbers.next());
  Words in(32 * 10, 0);
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2, inGroup = lane % 4;
    auto *halves = reinterpret_cast<uint16_t *>(&in[static_cast<size_t>(lane) * 10]);
    for (int i = 0; i < 8; ++i) { // a0..a7
      const int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
      const int column = inGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0);
      test::put(halves, type, static_cast<size_t>(i), a[row][column]);
    }
    for (int i = 0; i < 4; ++i) // b0..b3
      test::put(halves, type, static_cast<size_t>(8 + i), b[inGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0)][group]);
    for (int i = 0; i < 4; ++i) // c0..c3
      in[static_cast<size_t>(lane) * 10 + 6 + i] = bitsOf(c[i < 2 ? group : group + 8][inGroup * 2 + (i & 1)]);
  }
  const Words out = run(kernel, in, 4);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      const int row = (lane >> 2) + (i < 2 ? 0 : 8), column = lane % 4 * 2 + (i & 1);
      double want = c[row][column], size = std::fabs(want);
      for (int k = 0; k < 16; ++k) {
        want += a[row][k] * b[k][column];
        size += std::fabs(a[row][k] * b[k][column]);
      }
      EXPECT_NEAR(floatOf(out[static_cast<size_t>(lane) * 4 + i]), want, 0x1p-23 * size) << row << " " << column;
    }
}

TEST(InstructionsTest, MmaOfBf16) { checkMma16("do_mma_bf16", test::kBF16); }
TEST(InstructionsTest, MmaOfF16) { checkMma16("do_mma_f16", test::kF16); }

// mma.m16n8k32 (8-bit integers): "Matrix Fragments for mma.m16n8k32".
void checkMma8(const char *kernel) {
  Numbers numbers(4);
  int a[16][32], b[32][8], c[16][8];
  for (auto &row : a)
    for (int &x : row)
      x = numbers.below(256) - 128;
  for (auto &row : b)
    for (int &x : row)
      x = numbers.below(256) - 128;
  for (auto &row : c)
    for (int &x : row)
      x = numbers.below(1 << 20) - (1 << 19);
  Words in(32 * 10, 0);
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2, inGroup = lane % 4;
    auto *bytes = reinterpret_cast<uint8_t *>(&in[static_cast<size_t>(lane) * 10]);
    for (int i = 0; i < 16; ++i) {
      const int row = i < 4 || (i >= 8 && i < 12) ? group : group + 8;
      bytes[i] = static_cast<uint8_t>(a[row][inGroup * 4 + (i & 3) + (i >= 8 ? 16 : 0)]);
    }
    for (int i = 0; i < 8; ++i)
      bytes[16 + i] = static_cast<uint8_t>(b[inGroup * 4 + (i & 3) + (i >= 4 ? 16 : 0)][group]);
    for (int i = 0; i < 4; ++i)
      in[static_cast<size_t>(lane) * 10 + 6 + i] =
          static_cast<uint32_t>(c[i < 2 ? group : group + 8][inGroup * 2 + (i & 1)]);
  }
  const Words out = run(kernel, in, 4);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      const int row = (lane >> 2) + (i < 2 ? 0 : 8), column = lane % 4 * 2 + (i & 1);
      int want = c[row][column];
      for (int k = 0; k < 32; ++k)
        want += a[row][k] * b[k][column];
      EXPECT_EQ(static_cast<int>(out[static_cast<size_t>(lane) * 4 + i]), want) << row << " " << column;
    }
}

TEST(InstructionsTest, MmaOfSignedBytes) { checkMma8("do_mma_s8s8"); }

// ldmatrix.x4: threads 8m..8m+7 give the rows of matrix m; a thread gets of each matrix elements 2 (lane % 4) and the
// next of row lane / 4. With .trans of the transposed matrix.
TEST(InstructionsTest, LoadsMatrices) {
  Words in(256);
  for (uint32_t i = 0; i < 256; ++i)
    in[i] = (2 * i + 1) << 16 | 2 * i; // element e of 16 bits is e
  auto element = [](int matrix, int row, int column) {
    const int lane = matrix * 8 + row;
    return static_cast<uint32_t>((lane * 5 + 3) % 64 * 8 + column);
  };
  for (bool transposed : {false, true}) {
    const Words out = run(transposed ? "do_load_transposed" : "do_load", in, 4);
    for (int lane = 0; lane < 32; ++lane)
      for (int matrix = 0; matrix < 4; ++matrix)
        for (int i = 0; i < 2; ++i) {
          const int row = lane / 4, column = lane % 4 * 2 + i;
          EXPECT_EQ(out[static_cast<size_t>(lane) * 4 + matrix] >> (16 * i) & 0xffff,
                    transposed ? element(matrix, column, row) : element(matrix, row, column));
        }
  }
}

TEST(InstructionsTest, ExchangesBetweenLanes) {
  Numbers numbers(5);
  for (uint32_t delta = 0; delta < 34; ++delta)
    for (uint64_t seed = 0; seed < 5; ++seed) {
      Words in(96);
      for (size_t lane = 0; lane < 32; ++lane) {
        in[lane * 3] = static_cast<uint32_t>(numbers.bits()) & 0x3fffffff;
        in[lane * 3 + 1] = delta == 33 && lane == 7 ? 1000 : static_cast<uint32_t>(numbers.below(64));
        in[lane * 3 + 2] = delta;
      }
      uint32_t votes = 0;
      for (uint32_t lane = 0; lane < 32; ++lane)
        votes |= static_cast<uint32_t>(in[lane * 3] % 3 == 0) << lane;
      const Words out = run("do_exchange", in, 8, seed);
      for (uint32_t lane = 0; lane < 32; ++lane) {
        // shfl: of the second operand the low five bits count.
        const uint32_t by = delta & 31;
        const uint32_t from = in[lane * 3 + 1] & 31, other = lane ^ by, below = lane >= by ? lane - by : lane;
        const uint32_t *got = &out[lane * 8];
        EXPECT_EQ(got[0], in[from * 3]);
        EXPECT_EQ(got[1], in[other * 3]);
        EXPECT_EQ(got[2], in[below * 3]);
        EXPECT_EQ(got[3], votes);
        EXPECT_EQ(got[4], in[from * 3]);
        EXPECT_EQ(got[5], in[other * 3]);
        EXPECT_EQ(got[6], in[below * 3]);
        EXPECT_EQ(got[7], delta == 33);
      }
    }
}

// The number that 16 bits of a type stand for by rounding `x`; not-a-number is 0x7fff (cvt: "canonical").
uint32_t sixteen(int type, float x) {
  if (std::isnan(x))
    return 0x7fff;
  const double largest = type == test::kF16 ? 65504.0 : 0x1.fep127, beyond = type == test::kF16 ? 65520.0 : 0x1.ffp127;
  uint16_t bits = 0;
  if (std::fabs(double(x)) >= beyond)
    bits = static_cast<uint16_t>((type == test::kF16 ? 0x7c00 : 0x7f80) | (std::signbit(x) ? 0x8000 : 0));
  else
    test::put(&bits, type, 0, std::clamp(double(x), -largest, largest));
  return bits | (std::signbit(x) ? 0x8000u : 0u);
}

// Sums of two pairs of 16-bit floats.
uint32_t sumOfPairs(int type, uint32_t a, uint32_t b) {
  uint32_t sums = 0;
  for (int i = 0; i < 2; ++i) {
    const auto number = [&](uint32_t pair) -> float {
      const uint16_t half = static_cast<uint16_t>(pair >> (16 * i));
      const bool special = type == test::kF16 ? (half & 0x7c00) == 0x7c00 : (half & 0x7f80) == 0x7f80;
      const bool nan = half & (type == test::kF16 ? 0x3ff : 0x7f);
      return !special ? static_cast<float>(test::get(&half, type, 0))
             : nan    ? NAN
                      : (half & 0x8000 ? -INFINITY : INFINITY);
    };
    sums |= sixteen(type, number(a) + number(b)) << (16 * i); // f32 has more than twice the bits: rounding twice is rounding once
  }
  return sums;
}

bool same(uint32_t got, double want) {
  const float f = static_cast<float>(want);
  return std::isnan(f) ? std::isnan(floatOf(got)) : got == std::bit_cast<uint32_t>(f);
}

TEST(InstructionsTest, Numbers) {
  std::vector<uint32_t> special = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
                                   0x7f800001, 1,          0x00800000, 0x477fe000, 0x477fefff, 0x477ff000, 0x7f7fffff,
                                   0x7f7f8000, 0x33000000, 0x33000001, 0x33800000, 0x387fc000, 0x387fe000, 0x3f808000,
                                   0x3f818000, 0x4f000000, 0xcf000000, 0x4effffff, 0x3f000000, 0x3fc00000, 0x40200000,
                                   0xc3160000, 0xc2fc0000, 0x42fe0000, 0x43000000};
  Numbers numbers(6);
  for (int round = 0; round < 300; ++round) {
    Words in(96);
    for (size_t i = 0; i < 96; ++i) {
      const int kind = numbers.below(3);
      in[i] = kind == 0   ? special[static_cast<size_t>(numbers.below(static_cast<int>(special.size())))]
              : kind == 1 ? static_cast<uint32_t>(numbers.bits())
                          : bitsOf(numbers.next() * std::ldexp(1.0, numbers.below(40) - 20));
    }
    const Words out = run("do_numbers", in, 17);
    for (size_t lane = 0; lane < 32; ++lane) {
      const uint32_t a = in[lane * 3], b = in[lane * 3 + 1], c = in[lane * 3 + 2];
      const float x = floatOf(a), y = floatOf(b), z = floatOf(c);
      const uint32_t *got = &out[lane * 17];
      uint32_t picked = 0;
      const uint64_t both = static_cast<uint64_t>(b) << 32 | a;
      for (int i = 0; i < 4; ++i) {
        picked |= static_cast<uint32_t>(both >> (8 * (c >> (4 * i) & 7)) & 0xff) << (8 * i);
      }
      EXPECT_EQ(got[0], sumOfPairs(test::kBF16, a, b)) << std::hex << a << " " << b;
      EXPECT_EQ(got[16], sumOfPairs(test::kF16, a, b)) << std::hex << a << " " << b;
      EXPECT_EQ(got[1], picked);
      EXPECT_EQ(got[2], static_cast<uint32_t>(static_cast<uint64_t>(a) * b >> 32));
      EXPECT_EQ(got[3], static_cast<uint32_t>(std::popcount(a)));
      EXPECT_EQ(got[4], sixteen(test::kBF16, x)) << x;
      EXPECT_EQ(got[5], sixteen(test::kF16, x)) << x;
      EXPECT_EQ(got[6], sixteen(test::kBF16, x) | sixteen(test::kBF16, y) << 16) << x << " " << y;
      EXPECT_EQ(got[7], sixteen(test::kF16, x) | sixteen(test::kF16, y) << 16) << x << " " << y;
      EXPECT_EQ(got[8], a << 16);
      const uint16_t half = static_cast<uint16_t>(a);
      if ((half & 0x7c00) != 0x7c00) {
        EXPECT_TRUE(same(got[9], test::get(&half, test::kF16, 0))) << half;
      } else {
        EXPECT_TRUE(same(got[9], half & 0x3ff ? NAN : half & 0x8000 ? -INFINITY : INFINITY)) << half;
      }
      const int32_t integer = std::isnan(x)   ? 0
                              : x >= 0x1p31f  ? INT32_MAX
                              : x <= -0x1p31f ? INT32_MIN
                                              : static_cast<int32_t>(std::nearbyint(double(x)));
      EXPECT_EQ(static_cast<int32_t>(got[10]), integer) << x;
      EXPECT_TRUE(same(got[11], std::fma(x, y, z)));
      // ex2.approx.ftz: 2 units in the last place; results below the normal numbers are zero.
      const double power = std::exp2(double(x));
      if (std::isnan(x))
        EXPECT_TRUE(std::isnan(floatOf(got[12])));
      else if (power < 0x1p-126)
        EXPECT_EQ(got[12], 0u) << x;
      else if (power < 0x1p127)
        EXPECT_NEAR(floatOf(got[12]), power, power * 0x1p-22) << x;
      EXPECT_TRUE(same(got[13], double(x) / double(y))) << x << " / " << y;
      EXPECT_TRUE(same(got[14], std::sqrt(double(x)))) << x;
      EXPECT_TRUE(same(got[15], double(static_cast<float>(double(x) * double(y))) + double(z)));
    }
  }
}

TEST(InstructionsTest, CopiesLandWhenTheyAreWaitedFor) {
  // On a GPU they may land before: what is written to their source meanwhile is undefined there.
  const bool late = test::device::simulated();
  Words in(128);
  for (uint32_t i = 0; i < 128; ++i)
    in[i] = 0x01010101u * (i + 1);
  Words after = in;
  const Words out = run(late ? "do_copies_late" : "do_copies", after, 5);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint32_t source[4] = {in[lane * 4], in[lane * 4 + 1], in[lane * 4 + 2], in[lane * 4 + 3]};
    if (late)
      source[0] = 77, source[1] = 78;
    uint32_t want[4] = {};
    std::memcpy(want, source, lane % 17);
    for (uint32_t i = 0; i < 4; ++i)
      EXPECT_EQ(out[lane * 5 + i], want[i]) << lane;
    EXPECT_EQ(out[lane * 5 + 4], lane % 2 ? source[1] : 0u);
  }
}

TEST(InstructionsTest, Atomics) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Words in = {100, 0, 9};
    Words out = run("do_atomics", in, 1, seed);
    EXPECT_EQ(in[0], 100u + 32 * 33 / 2);
    EXPECT_GE(in[1], 1u);
    EXPECT_LE(in[1], 32u);
    EXPECT_EQ(in[2], 9u);
    // Each saw what the others before it had left: sorted, they go up by the numbers that were added.
    std::vector<std::pair<uint32_t, uint32_t>> seen;
    for (uint32_t lane = 0; lane < 32; ++lane)
      seen.emplace_back(out[lane], lane + 1);
    std::sort(seen.begin(), seen.end());
    uint32_t now = 100;
    for (auto [before, added] : seen) {
      EXPECT_EQ(before, now);
      now += added;
    }
  }
}

} // namespace
