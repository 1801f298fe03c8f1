// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sample on the simulated device, by the checks that the CPU's has (test/unit/target/sample_checks.h).
#include "test/unit/cuda/cuda_run.h"
#include "test/unit/cuda/kernel_cases.h"
#include "test/unit/target/sample_checks.h"

using namespace ingot::test;

#define MAKE(t, name, ...) cudaCase(#t, #name, t##_params{__VA_ARGS__}, {#name "_largest", #name "_sums", #name "_choose"}),

namespace {

std::vector<Choice> sampleOnCuda(int vocabulary, const std::vector<std::vector<float>> &logits,
                                 const std::vector<Request> &requests, int32_t wanted, uint32_t pieces) {
  static const std::vector<CudaCase> cases = {INGOT_SAMPLE_CASES(MAKE)};
  static uint64_t seed = 0;
  CudaOptions options;
  options.seed = ++seed;
  for (const CudaCase &c : cases)
    if (c.kernel.integer("vocabulary") == vocabulary)
      return sample(c.kernel, onCuda(cases, options), vocabulary, logits, requests, wanted, pieces);
  std::abort();
}

TEST(CudaSampleTest, DrawsByPhilox) { checkDrawsByPhilox(sampleOnCuda); }
TEST(CudaSampleTest, AgreesWithSortingInF64) {
  checkAgreesWithSortingInF64(sampleOnCuda, 60);
  checkAgreesWithSortingInF64(sampleOnCuda, 12, {20000});
}
TEST(CudaSampleTest, GreedyTakesTheLowestOfEquals) { checkGreedyTakesTheLowestOfEquals(sampleOnCuda); }
TEST(CudaSampleTest, TiesAtTheBoundaryStayLowestIdFirst) { checkTiesAtTheBoundaryStayLowestIdFirst(sampleOnCuda); }
TEST(CudaSampleTest, ManyEqualsStayLowestIdFirst) { checkManyEqualsStayLowestIdFirst(sampleOnCuda, 40); }
TEST(CudaSampleTest, WhatIsNotANumberIsMasked) { checkWhatIsNotANumberIsMasked(sampleOnCuda); }
TEST(CudaSampleTest, ExtremeCuts) { checkExtremeCuts(sampleOnCuda, 20); }
TEST(CudaSampleTest, NothingAllowedIsAnError) { checkNothingAllowedIsAnError(sampleOnCuda); }

} // namespace
