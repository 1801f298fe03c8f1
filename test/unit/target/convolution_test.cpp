// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution: bit by bit against scalar code that is written from params.h and docs/spec/numerics.md, for windows,
// strides, groups and sizes that meet no block; and against other ways of cutting the same work.
#include "test/unit/target/convolution_checks.h"

using namespace ingot::test;

namespace {

class ConvolutionTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

TEST_P(ConvolutionTest, IsTheContractToTheBit) {
  for (const TestKernel *kernel : Images::get().kernels("convolution", GetParam()))
    for (ImageShape shape : {ImageShape{1, 1, 1, 1}, {2, 1, 9, 13}, {3, 1, 7, 7}, {1, 1, 20, 70}, {1, 4, 5, 17}}) {
      const bool large = kernel->integer("channels") * kernel->integer("outputs") > 1 << 15;
      if (large && shape.height * shape.width > 100) // scalars take seconds there
        continue;
      checkConvolution(*kernel, onSet(*GetParam()), shape, 5);
    }
}

// Places are multiplied in groups of several sizes, by one, two or three panels.
TEST_P(ConvolutionTest, AnyCountOfPlaces) {
  for (const TestKernel *kernel : Images::get().kernels("convolution", GetParam()))
    if (kernel->name.ends_with("-panels"))
      for (int width = 1; width <= 30; ++width)
        checkConvolution(*kernel, onSet(*GetParam()), {1, 1, 1, width}, 1);
}

TEST_P(ConvolutionTest, CutsAndCompanyChangeNoBit) {
  for (const TestKernel *kernel : Images::get().kernels("convolution", GetParam())) {
    ConvolutionProblem p(*kernel, {3, 1, 11, 19}, 5), alone(*kernel, {1, 1, 11, 19}, 5);
    Buffer whole = p.run(onSet(*GetParam()), 1);
    for (uint32_t pieces : {2u, 3u, 7u, 50u, 960u})
      ASSERT_TRUE(p.run(onSet(*GetParam()), pieces) == whole) << kernel->name << " in " << pieces << " pieces";
    Buffer first = alone.run(onSet(*GetParam()), 2);
    ASSERT_EQ(std::memcmp(first.get(), whole.get(), first.size), 0) << kernel->name << " alone";
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, ConvolutionTest, testing::ValuesIn(Images::get().setsOf("convolution")),
                         [](const auto &info) { return info.param->name; });

} // namespace
