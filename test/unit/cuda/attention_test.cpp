// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// rope_append and attention on the simulated device, by the checks that the CPU's have
// (test/unit/target/attention_checks.h), and what is this target's own: pieces of long contexts, merged by whoever ends
// last, give the same bits whatever the grid and the order of blocks.
#include "test/unit/cuda/cuda_run.h"
#include "test/unit/cuda/kernel_cases.h"
#include "test/unit/target/attention_checks.h"

using namespace ingot::test;

namespace {

struct CudaLayer {
  std::string device;
  std::vector<CudaCase> cases; // append, attention
  Layer layer(uint64_t seed) const {
    const int cache = cases[1].kernel.integer("cache_type");
    CudaOptions options;
    options.seed = seed;
    return {&cases[0].kernel,
            &cases[1].kernel,
            nullptr,
            onCuda(cases, options),
            device == "attentionRows" ? kF32
            : cache == kF16           ? kF16
                                      : kBF16,
            false};
  }
};

const std::vector<CudaLayer> &layers() {
#define MAKE(device, name, kv, q, hd, rotary, page, cache, norm, eps, window, out, stride, scale, cap, distances)\
  {#device,                                                                                                            \
   {cudaCase("rope_append", "append-" #name, rope_append_params{kv, q, hd, rotary, page, cache, norm, eps, 0, 0, 1, 0}, \
             {"append_" #name}),                                                                                       \
    cudaCase("attention", "attention-" #name,                                                                          \
             attention_params{kv, q, hd, rotary, page, cache, norm, eps, window, 0, out, stride, scale, cap, 0, 1, 2, 0, distances}, \
             {"attention_" #name})}},
  static const std::vector<CudaLayer> all = {INGOT_ATTENTION_CASES(MAKE)};
  return all;
}

TEST(CudaAttentionTest, LaunchesChooseTheKernel) {
  for (const CudaLayer &l : layers()) {
    EXPECT_EQ(l.cases[1].functions[0].call, l.device + "<P>(args);") << l.cases[1].kernel.name;
    EXPECT_LE(l.cases[1].functions[0].sharedBytes, 99u * 1024) << l.cases[1].kernel.name;
  }
}

TEST(CudaAttentionTest, AgreesWithSoftmaxInF64) {
  for (const CudaLayer &l : layers())
    checkAttention(l.layer(1), l.cases[1].kernel.integer("q_per_kv") > 16 ? 140 : 400);
}

TEST(CudaAttentionTest, CachesKeysAndValues) {
  for (const CudaLayer &l : layers())
    for (uint64_t seed : {1, 2, 3})
      checkCache(l.layer(seed));
}

TEST(CudaAttentionTest, WhatIsNotSeenMayBeInfinite) {
  for (const CudaLayer &l : layers())
    checkUnseen(l.layer(4));
}

// Pieces of 128 positions, and where 16 of them a head are too few, of 256 and more.
TEST(CudaAttentionTest, LongContexts) {
  for (const CudaLayer &l : layers())
    checkLongContext(l.layer(8), l.cases[1].kernel.integer("kv_heads") == 16 ? 4500 : 1900);
}

TEST(CudaAttentionTest, ManySequences) {
  for (const CudaLayer &l : layers())
    if (l.cases[1].kernel.integer("head_dim") <= 32)
      checkManySequences(l.layer(7), 300);
}

TEST(CudaAttentionTest, NegativeSlotsKeepTheCache) {
  for (const CudaLayer &l : layers())
    for (uint64_t seed : {5, 6})
      checkNegativeSlots(l.layer(seed));
}

TEST(CudaAttentionTest, SlotsDecideWhatIsAppended) {
#define MAKE_APPEND(t, name, ...) cudaCase(#t, #name, t##_params{__VA_ARGS__}, {#name}),
  const std::vector<CudaCase> cases = {INGOT_ROPE_APPEND_CASES(MAKE_APPEND)};
  checkSlots(cases[0].kernel, onCuda(cases));
}

// Decoding at a long context among short ones: the grid, and which block ends last, change no bit.
TEST(CudaAttentionTest, TheGridChangesNoBit) {
  for (const CudaLayer &l : layers()) {
    const int last = 600;
    const Layer first = l.layer(1);
    AttentionModel m(first, {3, 90, last});
    m.step({{1, 0, 90}, {0, 0, 3}, {2, 0, last}}, 2, false, false);
    const Buffer want = m.step({{1, 89, 90}, {2, last - 1, last}, {0, 2, 3}}, 1);
    for (uint32_t multiprocessors : {2, 40}) {
      const Layer again = l.layer(multiprocessors);
      AttentionModel other(again, {3, 90, last});
      other.step({{1, 0, 90}, {0, 0, 3}, {2, 0, last}}, 2, false, false);
      EXPECT_TRUE(other.step({{1, 89, 90}, {2, last - 1, last}, {0, 2, 3}}, multiprocessors) == want)
          << l.cases[1].kernel.name << " on " << multiprocessors;
    }
  }
}

} // namespace
