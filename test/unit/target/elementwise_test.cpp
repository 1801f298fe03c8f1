// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operations of elementwise.txt as kernels of every feature set that this machine has (elementwise_checks.h).
#include "test/unit/target/elementwise_checks.h"
#include "test/unit/target/images.h"

using namespace ingot::test;

namespace {

class ElementwiseTest : public testing::TestWithParam<const TestSet *> {
protected:
  void SetUp() override {
    if (!GetParam()->runs)
      GTEST_SKIP() << "this machine lacks " << GetParam()->name;
  }
  ElementwiseChecks checks = {
      [](const std::string &name, const std::vector<ElementwiseBuffer> &buffers, int64_t rows) {
        std::vector<void *> data;
        for (const ElementwiseBuffer &buffer : buffers)
          data.push_back(buffer.data);
        EXPECT_EQ(runKernel(Images::get().kernel(name), *GetParam(), data, {rows}, static_cast<uint32_t>(rows)), 0)
            << name;
      },
      300000};
};

TEST_P(ElementwiseTest, FunctionsOfF32AreWithinTwoUnits) { checkFunctionsOfF32(checks); }
TEST_P(ElementwiseTest, FunctionsOfF64AreWithinFourUnits) { checkFunctionsOfF64(checks); }
TEST_P(ElementwiseTest, RoundingIsExact) { checkRounding(checks); }
TEST_P(ElementwiseTest, PowersAreWithinFourUnits) { checkPowers(checks); }
TEST_P(ElementwiseTest, RemaindersAndSignsAreExact) { checkRemaindersAndSigns(checks); }
TEST_P(ElementwiseTest, KindsOfNumbersAreTold) { checkKindsOfNumbers(checks); }
TEST_P(ElementwiseTest, IntegersAreExactAndNothingStopsTheProgram) { checkIntegers(checks); }

INSTANTIATE_TEST_SUITE_P(Sets, ElementwiseTest, testing::ValuesIn(Images::get().setsOf("function")),
                         [](const auto &info) { return info.param->name; });

} // namespace
