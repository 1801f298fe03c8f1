// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sdpa: ragged sizes, masks, windows, groups of heads and lengths against softmax in f64; bit by bit against other ways
// of cutting the same work.
#include "test/unit/target/sdpa_checks.h"

using namespace ingot::test;

namespace {

class SdpaTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

std::vector<const TestKernel *> paddedKernels(const TestSet &set) {
  std::vector<const TestKernel *> kernels = Images::get().kernels("sdpa", &set);
  std::erase_if(kernels, [](const TestKernel *kernel) { return kernel->integer("starts") != 0; });
  return kernels;
}

TEST_P(SdpaTest, AgreesWithSoftmaxInF64) {
  for (const TestKernel *kernel : paddedKernels(*GetParam()))
    for (SdpaShape shape : {SdpaShape{1, 1, 1},
                            {2, 5, 7},
                            {1, 100, 130},
                            {3, 97, 64},
                            {2, 31, 200},
                            {1, 3, 700},
                            {1, 40, 3},
                            {2, 4, 0},
                            {4, 13, 77}})
      checkSdpa(*kernel, onSet(*GetParam()), shape, 3);
}

TEST_P(SdpaTest, CutsAndCompanyChangeNoBit) {
  for (const TestKernel *kernel : paddedKernels(*GetParam()))
    checkSdpaCompany(*kernel, onSet(*GetParam()), {3, 71, 150});
}

TEST_P(SdpaTest, SequencesWithoutPaddingAgreeWithSoftmaxInF64) {
  for (const TestKernel *kernel : Images::get().kernels("sdpa", GetParam()))
    if (kernel->integer("starts"))
      for (const std::vector<int> &lengths : {std::vector<int>{1}, {5, 0, 70, 1, 130}, {0, 0, 3}, {64, 64}, {17, 31, 0}})
        checkSdpaSequences(*kernel, onSet(*GetParam()), lengths);
}

INSTANTIATE_TEST_SUITE_P(Sets, SdpaTest, testing::ValuesIn(Images::get().setsOf("sdpa")),
                         [](const auto &info) { return info.param->name; });

} // namespace
