// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulated device gives what a GPU gave: the record of tools/gpu-check (records.h), where there is one.
#include "test/unit/simulator/records.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace ingot::test;

namespace {

std::string recordPath() {
  const char *other = std::getenv("INGOT_RECORDED");
  return other ? other : INGOT_RECORDED_PRIMITIVES;
}

TEST(RecordedTest, TheSimulatedDeviceGivesWhatAGpuGave) {
  const std::vector<RecordedRun> all = readRecords(recordPath());
  if (all.empty())
    GTEST_SKIP() << "nothing was recorded on a GPU yet: " << recordPath();
  for (const RecordedRun &run : all) {
    std::vector<uint32_t> in = run.in;
    const std::string difference = differs(run, runWarp(run.kernel, in, run.out.size() / 32, 1));
    ASSERT_EQ(difference, "");
  }
}

// A record of an mma with the sum of one element off by more than rounding, of a shuffle with one bit.
TEST(RecordedTest, TellsWhatDiffers) {
  RecordedRun mma{"do_mma_bf16", std::vector<uint32_t>(320, 0x3f803f80), std::vector<uint32_t>(128, 0x41880000)};
  for (size_t lane = 0; lane < 32; ++lane)
    for (size_t i = 6; i < 10; ++i)
      mma.in[lane * 10 + i] = 0x3f800000;
  std::vector<uint32_t> in = mma.in;
  const std::vector<uint32_t> got = runWarp(mma.kernel, in, 4, 1); // 16 products of ones, and one
  EXPECT_EQ(differs(mma, got), "");
  mma.out[5] += 2; // units of 2^-19, where 17 of 2^-22 are allowed
  EXPECT_EQ(differs(mma, got), "");
  mma.out[5] += 1;
  EXPECT_EQ(differs(mma, got), "do_mma_bf16: result 1 of lane 1 is 41880000, the device gave 41880003");
  RecordedRun exchange{"do_exchange", std::vector<uint32_t>(96, 1), std::vector<uint32_t>(256, 1)};
  std::vector<uint32_t> given = exchange.in;
  const std::vector<uint32_t> exchanged = runWarp(exchange.kernel, given, 8, 1);
  exchange.out = exchanged;
  EXPECT_EQ(differs(exchange, exchanged), "");
  exchange.out[17] ^= 4;
  EXPECT_EQ(differs(exchange, exchanged), "do_exchange: result 1 of lane 2 is 00000001, the device gave 00000005");
}

} // namespace
