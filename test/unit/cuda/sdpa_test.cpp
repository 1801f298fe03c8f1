// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sdpa on the simulated device, by the checks that the CPU's has (test/unit/target/sdpa_checks.h); and the grid changes
// no bit.
#include "test/unit/cuda/cuda_run.h"
#include "test/unit/cuda/kernel_cases.h"
#include "test/unit/target/sdpa_checks.h"

using namespace ingot::test;

#define MAKE(t, name, ...) cudaCase(#t, #name, t##_params{__VA_ARGS__}, {#name}),

namespace {

const std::vector<CudaCase> &cases() {
  static const std::vector<CudaCase> all = {INGOT_SDPA_CASES(MAKE)};
  return all;
}

TEST(CudaSdpaTest, AgreesWithSoftmaxInF64) {
  for (const CudaCase &c : cases())
    for (SdpaShape shape : {SdpaShape{1, 1, 1}, {2, 5, 7}, {1, 40, 70}, {1, 20, 3}, {2, 4, 0}, {3, 9, 33}})
      checkSdpa(c.kernel, onCuda(cases()), shape, 1);
}

TEST(CudaSdpaTest, TheGridAndCompanyChangeNoBit) {
  for (const CudaCase &c : cases()) {
    SdpaProblem p(c.kernel, {2, 23, 40}, 5), alone(c.kernel, {1, 23, 40}, 5);
    CudaOptions options;
    Buffer whole = p.run(onCuda(cases(), options), 1);
    options = {9, 1};
    EXPECT_TRUE(p.run(onCuda(cases(), options), 1) == whole) << c.kernel.name;
    Buffer first = alone.run(onCuda(cases(), options), 1);
    EXPECT_EQ(std::memcmp(first.get(), whole.get(), first.size), 0) << c.kernel.name;
  }
}

const std::vector<CudaCase> &sequenceCases() {
  static const std::vector<CudaCase> all = {INGOT_SDPA_SEQUENCES_CASES(MAKE)};
  return all;
}

TEST(CudaSdpaTest, SequencesWithoutPaddingAgreeWithSoftmaxInF64) {
  for (const CudaCase &c : sequenceCases())
    for (CudaOptions options : {CudaOptions(), CudaOptions{3, 1}})
      for (const std::vector<int> &lengths : {std::vector<int>{1}, {5, 0, 40, 1, 33}, {0, 0, 3}, {17, 31, 0}})
        checkSdpaSequences(c.kernel, onCuda(sequenceCases(), options), lengths);
}

} // namespace
