// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is made of the statuses that the CUDA driver returns.
#include "runtime/device/cuda/driver.h"

#include <gtest/gtest.h>

using namespace ingot::runtime;

// After a kernel went wrong every call fails with its status, so the process is what has to begin anew.
TEST(CudaDriver, TellsWhatCannotGoOn) {
  cuda::Driver driver{};
  driver.GetErrorName = [](cuda::Status status, const char **name) -> cuda::Status {
    *name = status == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : status == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_INVALID_VALUE";
    return 0;
  };
  driver.GetErrorString = [](cuda::Status, const char **text) -> cuda::Status {
    *text = "as the driver says it";
    return 0;
  };
  const Error wrong = driver.failed(700, "a step failed");
  EXPECT_EQ(wrong.code(), ErrorCode::Internal);
  EXPECT_EQ(wrong.message(), "a step failed (CUDA_ERROR_ILLEGAL_ADDRESS: as the driver says it); this process can use the GPU "
                             "no more, start it again");
  EXPECT_EQ(driver.failed(2, "no room").code(), ErrorCode::ResourceExhausted);
  const Error refused = driver.failed(1, "a launch failed");
  EXPECT_EQ(refused.code(), ErrorCode::Unsupported);
  EXPECT_EQ(refused.message(), "a launch failed (CUDA_ERROR_INVALID_VALUE: as the driver says it)");
}
