// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels over rows on the simulated device, by the checks that the CPU's have (test/unit/target/rows_checks.h).
#include "test/unit/cuda/cuda_run.h"
#include "test/unit/cuda/kernel_cases.h"
#include "test/unit/target/rows_checks.h"

using namespace ingot::test;

#define MAKE(t, name, ...) cudaCase(#t, #name, t##_params{__VA_ARGS__}, {#name}),

namespace {

const std::vector<uint64_t> kSeeds = {1, 2, 3};

void forAll(const std::vector<CudaCase> &cases, void (*check)(const TestKernel &, const Run &)) {
  for (const CudaCase &c : cases)
    for (uint64_t seed : kSeeds) {
      CudaOptions options;
      options.seed = seed;
      check(c.kernel, onCuda(cases, options));
    }
}

TEST(CudaRowsTest, EmbeddingGathersFromEveryLayout) { forAll({INGOT_EMBEDDING_CASES(MAKE)}, checkEmbedding); }
TEST(CudaRowsTest, RopeAnglesAtAnyPosition) { forAll({INGOT_ROPE_ANGLES_CASES(MAKE)}, checkRopeAngles); }
TEST(CudaRowsTest, PackRowsNormalizesAndRoundsOnce) { forAll({INGOT_PACK_ROWS_CASES(MAKE)}, checkPackRows); }
TEST(CudaRowsTest, QuantizeRowsGivesTheIntegersOfItsFormula) {
  forAll({INGOT_QUANTIZE_ROWS_CASES(MAKE)}, checkQuantizeRows);
}

} // namespace
