// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operations that element-wise functions are made of, as the compiler writes them into programs for GPUs, on the
// simulated device (test/unit/target/elementwise_checks.h). CUDA's own functions are those of the C library there, so
// that their errors are not tested: CUDA states them.
#include "test/unit/cuda/cuda_run.h"
#include "test/unit/cuda/elementwise_kernels.h"
#include "test/unit/target/elementwise_checks.h"

using namespace ingot::test;

namespace {

const ElementwiseChecks kChecks = {
    [](const std::string &name, const std::vector<ElementwiseBuffer> &buffers, int64_t rows) {
      const ElementwiseKernel *kernel = kElementwiseKernels;
      while (kernel->name && name != kernel->name)
        ++kernel;
      ASSERT_TRUE(kernel->name) << "no kernel is named " << name;
      CudaCase c;
      c.kernel.name = name;
      ingot::target::cuda::Function function;
      function.threads = kernel->threads;
      function.sharedBytes = kernel->sharedBytes;
      function.grid[0] = ingot::target::cuda::Extent::of(0, 1);
      c.functions = {function};
      c.code = {CudaKernel(name, kernel->code)};
      std::vector<Operand> operands;
      for (const ElementwiseBuffer &buffer : buffers)
        operands.emplace_back(buffer.data, buffer.bytes);
      EXPECT_EQ(runCuda(c, operands, {rows}, 1, {}), 0) << name;
    },
    4000};

TEST(CudaElementwiseTest, FunctionsOfF32AreWithinTwoUnits) { checkFunctionsOfF32(kChecks); }
TEST(CudaElementwiseTest, FunctionsOfF64AreWithinFourUnits) { checkFunctionsOfF64(kChecks); }
TEST(CudaElementwiseTest, RoundingIsExact) { checkRounding(kChecks); }
TEST(CudaElementwiseTest, PowersAreWithinFourUnits) { checkPowers(kChecks); }
TEST(CudaElementwiseTest, RemaindersAndSignsAreExact) { checkRemaindersAndSigns(kChecks); }
TEST(CudaElementwiseTest, KindsOfNumbersAreTold) { checkKindsOfNumbers(kChecks); }
TEST(CudaElementwiseTest, IntegersAreExactAndNothingStopsTheProgram) { checkIntegers(kChecks); }

} // namespace
