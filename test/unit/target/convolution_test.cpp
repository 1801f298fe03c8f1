// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution: bit by bit against scalar code that is written from params.h and docs/spec/numerics.md, for windows,
// strides, groups and sizes that meet no block; and against other ways of cutting the same work.
#include "test/unit/target/convolution_checks.h"
#include <limits>

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
    for (ImageShape shape : {ImageShape{1, 1, 1, 1}, {2, 1, 9, 13}, {3, 1, 7, 7}, {1, 1, 20, 70}, {1, 1, 3, 230}, {1, 4, 5, 17}, {0, 1, 9, 13}}) {
      const bool large = kernel->integer("channels") * kernel->integer("outputs") > 1 << 15;
      if (large && shape.height * shape.width > 100) // scalars take seconds there
        continue;
      const ConvolutionProblem p(*kernel, shape, 3);
      if (p.hasPatches() && p.channels * p.outputs * p.count() > 3'000'000)
        continue;
      checkConvolution(p, onSet(*GetParam()), 5, Sums::patches);
    }
}

// Places are multiplied in groups of several sizes, by one, two or three panels.
TEST_P(ConvolutionTest, AnyCountOfPlaces) {
  for (const TestKernel *kernel : Images::get().kernels("convolution", GetParam()))
    if (kernel->name.ends_with("-panels"))
      for (int width = 1; width <= 30; ++width)
        checkConvolution(*kernel, onSet(*GetParam()), {1, 1, 1, width}, 1, Sums::patches);
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

// Patches are convolutions: against sums in f64. What the two differ by is roundings of 2^-24: a product passes through
// channels + 12 operations, and what it is rounded with is at most 4 (rows of B^T, twice) * 9/4 (of G) * 9 (of A^T) = 81
// times as large as the largest product of a channel (Lavin and Gray, 2015, section 4).
TEST_P(ConvolutionTest, PatchesAreConvolutions) {
  int patched = 0;
  for (const TestKernel *kernel : Images::get().kernels("convolution", GetParam()))
    for (ImageShape shape : {ImageShape{2, 1, 9, 13}, {1, 3, 5, 17}}) {
      const ConvolutionProblem p(*kernel, shape, 11);
      if (!p.hasPatches())
        continue;
      ++patched;
      double most = 0;
      for (float x : p.image)
        for (float w : {p.weight.front(), p.weight.back()})
          most = std::max(most, std::abs(static_cast<double>(x) * w));
      most = std::max(most, 1.0); // numbers lie in -1 .. 1
      const double tolerance = std::ldexp(81.0 * (p.channels + 12) * most, -24);
      overOutputs(p, convolved(p, onSet(*GetParam()), 3), [&](int b, int o, int place, const auto &taps, float out) {
        double sum = 0;
        const int plane = p.in[0] * p.in[1] * p.in[2];
        for (int i = 0; i < p.channels; ++i)
          for (size_t t = 0; t < taps.size(); ++t)
            if (taps[t] >= 0)
              sum += static_cast<double>(p.weight[static_cast<size_t>(o * p.channels + i) * taps.size() + t]) *
                     p.image[static_cast<size_t>((b * p.channels + i) * plane + taps[t])];
        ASSERT_NEAR(out, p.finish(static_cast<float>(sum), b, o, place), tolerance + std::abs(sum) * 0x1p-23)
            << kernel->name << ", image " << b << ", channel " << o << ", place " << place;
      });
    }
  EXPECT_GE(patched, 4);
}

// What is not finite stays in the windows that it is in.
TEST_P(ConvolutionTest, WhatIsNotFiniteDoesNotSpread) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const TestKernel *kernel : Images::get().kernels("convolution", GetParam()))
    for (float value : {infinity, -infinity, std::nanf(""), 3e38f}) {
      ConvolutionProblem p(*kernel, {1, 1, 10, 13}, 7);
      if (!p.hasPatches() || p.channels > 100)
        continue;
      p.image[static_cast<size_t>(3 * p.in[1] * p.in[2] + 4 * p.in[2] + 5)] = value;
      p.image[static_cast<size_t>((p.channels - 1) * p.in[1] * p.in[2] + 7 * p.in[2] + 12)] = value;
      p.allFinite = false;
      checkConvolution(p, onSet(*GetParam()), 1, Sums::patches);
    }
}

INSTANTIATE_TEST_SUITE_P(Sets, ConvolutionTest, testing::ValuesIn(Images::get().setsOf("convolution")),
                         [](const auto &info) { return info.param->name; });

} // namespace
