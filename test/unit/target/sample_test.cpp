// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sample: against sorting in f64 with the same draw, the published vectors of Philox, and its edge cases.
#include "test/unit/target/sample_checks.h"

using namespace ingot::test;

namespace {

Sample sampleOn(const TestSet &set) {
  return [&set](int vocabulary, const auto &logits, const auto &requests, int32_t wanted, uint32_t pieces) {
    return sample(Images::get().kernel("sample-" + std::to_string(vocabulary)), onSet(set), vocabulary, logits,
                  requests, wanted, pieces);
  };
}

class SampleTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

// The first three are Random123's published vectors for philox4x32-10 (kat_vectors).
TEST(Philox, ReferenceGivesPublishedVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Equal logits over 4,096 ids show the first 12 bits of the draw.
TEST_P(SampleTest, DrawsByPhilox) { checkDrawsByPhilox(sampleOn(*GetParam())); }

TEST_P(SampleTest, AgreesWithSortingInF64) { checkAgreesWithSortingInF64(sampleOn(*GetParam())); }

TEST_P(SampleTest, GreedyTakesTheLowestOfEquals) { checkGreedyTakesTheLowestOfEquals(sampleOn(*GetParam())); }

TEST_P(SampleTest, TiesAtTheBoundaryStayLowestIdFirst) {
  checkTiesAtTheBoundaryStayLowestIdFirst(sampleOn(*GetParam()));
}

// More than there are blocks of 64 ids, as many, and fewer: what is looked at before the k-th is known must not matter.
TEST_P(SampleTest, ManyEqualsStayLowestIdFirst) { checkManyEqualsStayLowestIdFirst(sampleOn(*GetParam())); }

// Where few logits are numbers, at temperatures from nearly none to nearly without bound.
TEST_P(SampleTest, WhatIsNotANumberIsMasked) { checkWhatIsNotANumberIsMasked(sampleOn(*GetParam())); }

// min_p 1 leaves the largest alone, top_p just below 1 nearly all.
TEST_P(SampleTest, ExtremeCuts) { checkExtremeCuts(sampleOn(*GetParam())); }

TEST_P(SampleTest, NothingAllowedIsAnError) { checkNothingAllowedIsAnError(sampleOn(*GetParam())); }

INSTANTIATE_TEST_SUITE_P(Sets, SampleTest, testing::ValuesIn(Images::get().setsOf("sample")),
                         [](const auto &info) { return info.param->name; });

} // namespace
