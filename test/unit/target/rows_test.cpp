// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The templates that work on rows alone: embedding, rope_angles, pack_rows; and the elementary functions as the
// epilogues of linear show them.
#include "test/unit/target/rows_checks.h"
#include <gtest/gtest.h>

using namespace ingot::test;

namespace {

class RowsTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
};

TEST_P(RowsTest, EmbeddingGathersFromEveryLayout) {
  for (const TestKernel *kernel : Images::get().kernels("embedding"))
    checkEmbedding(*kernel, onSet(*GetParam()));
}

TEST_P(RowsTest, PackRowsNormalizesAndRoundsOnce) {
  for (const TestKernel *kernel : Images::get().kernels("pack_rows"))
    checkPackRows(*kernel, onSet(*GetParam()));
}

TEST_P(RowsTest, RopeAnglesAtAnyPosition) {
  for (const TestKernel *kernel : Images::get().kernels("rope_angles"))
    checkRopeAngles(*kernel, onSet(*GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Sets, RowsTest, testing::ValuesIn(Images::get().setsOf("embedding")),
                         [](const auto &info) { return info.param->name; });

} // namespace
