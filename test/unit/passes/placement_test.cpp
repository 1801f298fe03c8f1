// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Placement of lifetimes in an arena: small cases whose best answer is known, and random ones checked granule by
// granule against a map of who owns what when.
#include "passes/planning/Placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace {

using ingot::passes::findOverlap;
using ingot::passes::Lifetime;
using ingot::passes::place;
using ingot::passes::Placement;

TEST(Placement, NothingNeedsNothing) { EXPECT_EQ(place({}).bytes, 0u); }

TEST(Placement, BuffersThatNeverMeetShareTheirBytes) {
  Placement placement = place({{256, 0, 1}, {256, 2, 3}, {256, 4, 5}});
  EXPECT_EQ(placement.bytes, 256u);
}

TEST(Placement, BuffersThatMeetInOneStepDoNot) {
  Placement placement = place({{256, 0, 2}, {256, 2, 3}});
  EXPECT_EQ(placement.bytes, 512u);
}

TEST(Placement, SizesAreRoundedToGranules) {
  Placement placement = place({{1, 0, 1}, {65, 0, 1}});
  EXPECT_EQ(placement.bytes, 64u + 128u);
}

// Two gaps fit; the tighter one is taken.
TEST(Placement, TakesTheTightestGap) {
  // A 1024-byte wall, then holes of 192 and 64 bytes between buffers that outlive what they stood on.
  std::vector<Lifetime> lifetimes = {{640, 0, 9}, {192, 0, 3}, {128, 0, 9}, {64, 0, 3}, {64, 5, 9}};
  Placement placement = place(lifetimes);
  EXPECT_FALSE(findOverlap(lifetimes, placement.offsets));
  // In steps 5..9 only what was owned by the two short-lived buffers is free below the top.
  EXPECT_EQ(placement.bytes, 640u + 192u + 128u + 64u);
}

TEST(Placement, RandomLifetimesNeverShareAByte) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<Lifetime> lifetimes(1 + random() % 40);
    for (Lifetime &lifetime : lifetimes) {
      lifetime.first = random() % 20;
      lifetime.last = lifetime.first + random() % 8;
      lifetime.size = 1 + random() % 1000;
    }
    Placement placement = place(lifetimes);
    std::map<std::pair<size_t, uint64_t>, size_t> owner;
    uint64_t peak = 0;
    for (size_t i = 0; i < lifetimes.size(); ++i) {
      EXPECT_EQ(placement.offsets[i] % 64, 0u);
      EXPECT_LE(placement.offsets[i] + lifetimes[i].size, placement.bytes);
      // Offsets are whole granules, so two buffers share a byte only if they share a granule.
      for (size_t step = lifetimes[i].first; step <= lifetimes[i].last; ++step)
        for (uint64_t byte = 0; byte < lifetimes[i].size; byte += 64)
          ASSERT_TRUE(owner.insert({{step, placement.offsets[i] + byte}, i}).second) << "seed " << seed;
      peak = std::max(peak, placement.offsets[i] + lifetimes[i].size);
    }
    EXPECT_FALSE(findOverlap(lifetimes, placement.offsets));
    EXPECT_EQ(placement.bytes, (peak + 63) / 64 * 64);
  }
}

TEST(Placement, FindsAPlantedOverlap) {
  std::vector<Lifetime> lifetimes = {{128, 0, 3}, {128, 2, 5}, {128, 4, 6}};
  EXPECT_FALSE(findOverlap(lifetimes, {0, 128, 0}));
  EXPECT_EQ(findOverlap(lifetimes, {0, 64, 512}), std::make_pair(size_t(0), size_t(1)));
  EXPECT_EQ(findOverlap(lifetimes, {0, 128, 192}), std::make_pair(size_t(1), size_t(2)));
}

TEST(Placement, IsRepeatable) {
  std::vector<Lifetime> lifetimes;
  std::mt19937 random(7);
  for (int i = 0; i < 100; ++i) {
    size_t first = random() % 50;
    lifetimes.push_back({64 * (1 + random() % 4), first, first + random() % 10});
  }
  EXPECT_EQ(place(lifetimes).offsets, place(lifetimes).offsets);
}

} // namespace
