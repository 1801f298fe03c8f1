// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the launches of the kernels here refuse, and what they choose: geometry that no kernel is run for.
#include "compiler/target/cuda/launch.h"
#include <gtest/gtest.h>

using namespace ingot::target::cuda;

namespace {

attention_params attention(int32_t queries, int32_t headDim, int32_t cache) {
  attention_params p = {};
  p.kv_heads = 1;
  p.q_per_kv = queries;
  p.head_dim = headDim;
  p.page_tokens = 16;
  p.cache_type = cache;
  return p;
}

TEST(CudaLaunchesTest, AttentionTakesTensorCoresWhereATileFits) {
  std::string error;
  for (int32_t cache : {INGOT_F16, INGOT_BF16, INGOT_I8})
    for (int32_t headDim : {7, 64, 80, 96, 128, 160, 192, 256}) {
      const Functions functions = functionsOf(attention(4, headDim, cache), error);
      ASSERT_EQ(functions.size(), 1u) << headDim;
      EXPECT_EQ(functions[0].header, "attention_tiles.h") << headDim;
      EXPECT_LE(functions[0].sharedBytes, 99u * 1024) << headDim;
    }
  EXPECT_EQ(functionsOf(attention(4, 64, INGOT_F32), error)[0].header, "attention_rows.h");
  EXPECT_EQ(functionsOf(attention(4, 288, INGOT_BF16), error)[0].header, "attention_rows.h");
  EXPECT_EQ(error, "");
}

TEST(CudaLaunchesTest, AttentionNamesWhatDoesNotFit) {
  std::string error;
  EXPECT_TRUE(functionsOf(attention(4, 2048, INGOT_F32), error).empty());
  EXPECT_EQ(error, "attention with head_dim 2048 and 4 queries for each of 1 key heads needs " +
                       std::to_string(4 * (16 * 2048 + 257 * 16 + 1 + 48 + 2 * 2048 + 2 + 160)) +
                       " bytes of shared memory in a block; expected at most 101376");
}

TEST(CudaLaunchesTest, SdpaNamesWhatDoesNotFit) {
  std::string error;
  sdpa_params p{};
  p.head_dim = 2048;
  EXPECT_TRUE(functionsOf(p, error).empty());
  EXPECT_EQ(error, "sdpa with head_dim 2048 needs " + std::to_string(4 * (16 * 2048 + 32 * 2049 + 16 * 32 + 32)) +
                       " bytes of shared memory in a block; expected at most 101376");
}

// The last block of a split context has merged it.
TEST(CudaLaunchesTest, MergingHasNothingToLaunch) {
  std::string error;
  EXPECT_TRUE(functionsOf(attention_merge_params{}, error).empty());
  EXPECT_EQ(error, "");
}

TEST(CudaLaunchesTest, SampleAndQuantizeRowsNameWhatDoesNotFit) {
  std::string error;
  EXPECT_TRUE(functionsOf(sample_params{1 << 20}, error).empty());
  EXPECT_EQ(error,
            "sample over a vocabulary of 1048576 needs 164864 bytes of shared memory in a block; expected at most "
            "101376");
  error.clear();
  EXPECT_EQ(functionsOf(sample_params{262144}, error).size(), 3u);
  EXPECT_EQ(error, "");
  EXPECT_TRUE(functionsOf(quantize_rows_params{100000, 100032, 0, 128, 0.0f, 0, 0}, error).empty());
  EXPECT_EQ(error, "quantize_rows keeps a row of k = 100000 in shared memory; expected at most 98304 columns");
}

} // namespace
