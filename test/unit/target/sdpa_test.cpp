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

// Products of bf16 are those of tiles, and f32 where a set has none.
bool rounds(const TestKernel &kernel, const TestSet &set) {
  return kernel.has("product_type") && kernel.integer("product_type") == kBF16 &&
         (set.name == "amx" || set.name == "software_tiles");
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
      checkSdpa(*kernel, onSet(*GetParam()), shape, 3, rounds(*kernel, *GetParam()));
}

TEST_P(SdpaTest, CutsAndCompanyChangeNoBit) {
  for (const TestKernel *kernel : paddedKernels(*GetParam()))
    checkSdpaCompany(*kernel, onSet(*GetParam()), {3, 71, 150});
}

// A value that only some queries see does not reach the others, whatever it is.
TEST_P(SdpaTest, WhatAQueryDoesNotSeeChangesNoBit) {
  for (const TestKernel *kernel : paddedKernels(*GetParam())) {
    SdpaProblem p(*kernel, {1, 70, 90}, 3);
    const int at = 60;
    Buffer before = p.run(onSet(*GetParam()), 1);
    for (float value : {std::numeric_limits<float>::infinity(), NAN}) {
      for (int e = 0; e < p.width; ++e)
        p.value[p.index(0, at, 0, e, 90, p.kvHeads, p.width)] = value;
      Buffer after = p.run(onSet(*GetParam()), 1);
      for (int s = 0; s < 70; ++s)
        for (int h = 0; h < p.heads; ++h)
          for (int e = 0; e < p.width && (h >= p.perKv || !p.sees(0, s, at)); ++e) {
            const size_t i = p.index(0, s, h, e, 70, p.heads, p.width);
            ASSERT_EQ(after.as<float>()[i], before.as<float>()[i]) << kernel->name << ", query " << s << ", head " << h;
          }
    }
  }
}

TEST_P(SdpaTest, SequencesWithoutPaddingAgreeWithSoftmaxInF64) {
  for (const TestKernel *kernel : Images::get().kernels("sdpa", GetParam()))
    if (kernel->integer("starts"))
      for (const std::vector<int> &lengths : {std::vector<int>{1}, {5, 0, 70, 1, 130}, {0, 0, 3}, {64, 64}, {17, 31, 0}})
        checkSdpaSequences(*kernel, onSet(*GetParam()), lengths, rounds(*kernel, *GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Sets, SdpaTest, testing::ValuesIn(Images::get().setsOf("sdpa")),
                         [](const auto &info) { return info.param->name; });

} // namespace
