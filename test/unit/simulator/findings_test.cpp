// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulated device finds each mistake of mistakes.h whatever the order of threads, and finds nothing in the same
// kernel without it.
#include "test/simulator/simulator.h"
#include "test/unit/simulator/mistakes.h"
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

using namespace ingot;

#define DECLARE(name, words)                                                                                           \
  extern "C" void fine_##name(ingot_cuda_args);                                                                        \
  extern "C" void wrong_##name(ingot_cuda_args);
INGOT_MISTAKES(DECLARE)
#define DECLARE_FINE(name) extern "C" void fine_##name(ingot_cuda_args);
INGOT_FINE(DECLARE_FINE)

namespace {

struct Memory {
  void *const data;
  Memory(size_t bytes, const char *name) : data(simulator::allocate(bytes, name)) {}
  ~Memory() { simulator::release(data); }
};

std::vector<std::string> run(simulator::Kernel kernel, const char *name, uint64_t seed, uint32_t blocks = 3) {
  const Memory in(256, "in"), out(256, "out"), counter(4, "counter");
  for (uint32_t i = 0; i < 64; ++i)
    static_cast<uint32_t *>(in.data)[i] = i;
  std::memset(counter.data, 0, 4);
  ingot_cuda_args args = {};
  args.buffers[0] = in.data;
  args.buffers[1] = out.data;
  args.buffers[2] = counter.data;
  simulator::Launch launch;
  launch.name = name;
  launch.grid[0] = blocks;
  launch.threads = 64;
  launch.sharedBytes = 1024;
  return simulator::launch(kernel, launch, args, seed);
}

constexpr uint64_t kSeeds = 20;

// Whether a finding has these words, or one of several choices: which of two threads comes first decides what is seen.
bool says(const std::string &finding, const std::string &words) {
  for (size_t from = 0; from <= words.size();) {
    const size_t to = std::min(words.find('|', from), words.size());
    if (finding.find(words.substr(from, to - from)) != std::string::npos)
      return true;
    from = to + 1;
  }
  return false;
}

TEST(SimulatorTest, FindsEveryMistake) {
  const struct {
    const char *name;
    simulator::Kernel kernel;
    const char *words;
  } all[] = {
#define WRONG(name, words) {#name, wrong_##name, words},
      INGOT_MISTAKES(WRONG)};
  for (const auto &mistake : all)
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const std::vector<std::string> found = run(mistake.kernel, mistake.name, seed);
      EXPECT_EQ(found.size(), 1u) << mistake.name << " with seed " << seed;
      if (found.empty())
        break;
      EXPECT_TRUE(says(found[0], mistake.words)) << mistake.name << ", seed " << seed << ": " << found[0];
      EXPECT_EQ(found[0].rfind(std::string(mistake.name) + ", block (", 0), 0u) << found[0];
    }
}

TEST(SimulatorTest, FindsNothingWithoutTheMistake) {
  const struct {
    const char *name;
    simulator::Kernel kernel;
  } all[] = {
#define FINE_OF(name, words) {#name, fine_##name},
#define FINE(name) {#name, fine_##name},
      INGOT_MISTAKES(FINE_OF) INGOT_FINE(FINE)};
  for (const auto &one : all)
    for (uint64_t seed = 0; seed < kSeeds; ++seed)
      for (const std::string &finding : run(one.kernel, one.name, seed))
        ADD_FAILURE() << "seed " << seed << ": " << finding;
}

TEST(SimulatorTest, FindsWhatWasReleased) {
  void *old = simulator::allocate(256, "old");
  const Memory out(256, "out"), counter(4, "counter");
  simulator::release(old);
  ingot_cuda_args args = {};
  args.buffers[0] = old;
  args.buffers[1] = out.data;
  args.buffers[2] = counter.data;
  simulator::Launch launch;
  launch.threads = 64;
  launch.sharedBytes = 1024;
  EXPECT_EQ(simulator::launch(fine_readBeyond, launch, args, 1).size(), 1u);
}

TEST(SimulatorTest, RefusesWhatCannotBeLaunched) {
  simulator::Launch launch;
  for (uint32_t threads : {0u, 33u, 1056u}) {
    launch.threads = threads;
    EXPECT_EQ(simulator::launch(fine_readBeyond, launch, {}, 1).size(), 1u) << threads;
  }
  launch.threads = 64;
  launch.sharedBytes = 1u << 20;
  EXPECT_EQ(simulator::launch(fine_readBeyond, launch, {}, 1).size(), 1u);
}

TEST(SimulatorTest, NothingHasRunAfterAFinding) {
  EXPECT_EQ(run(wrong_barrier, "wrong", 1).size(), 1u);
  EXPECT_TRUE(run(fine_barrier, "fine", 1).empty());
}

} // namespace
