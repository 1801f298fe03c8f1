// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a check of a template is run on a target: operands with their sizes, and a function that runs the kernel over
// them. The checks (rows_checks.h, attention_checks.h, sample_checks.h) compare with references written from params.h,
// and serve every target: the CPU's test them with images, the CUDA target's on the simulated device.
#ifndef INGOT_TEST_UNIT_TARGET_CHECKS_H
#define INGOT_TEST_UNIT_TARGET_CHECKS_H

#include "test/unit/target/images.h"
#include "test/unit/target/reference.h"
#include <functional>

namespace ingot::test {

struct Operand {
  void *data;
  size_t bytes;
  Operand(void *data, size_t bytes) : data(data), bytes(bytes) {}
  Operand(const Buffer &buffer) : data(buffer.get()), bytes(buffer.size) {}
  template <class T>
  Operand(const std::vector<T> &values) : data(const_cast<T *>(values.data())), bytes(values.size() * sizeof(T)) {}
};

// Runs tiles [0, tiles) of a kernel, in `pieces` where the target has workers; returns its status.
using Run = std::function<int32_t(const TestKernel &kernel, const std::vector<Operand> &operands,
                                  const std::vector<int64_t> &symbols, uint32_t tiles, uint32_t pieces)>;

// On a set of the CPU's.
inline Run onSet(const TestSet &set) {
  return [&set](const TestKernel &kernel, const std::vector<Operand> &operands, const std::vector<int64_t> &symbols,
                uint32_t tiles, uint32_t pieces) {
    std::vector<void *> buffers;
    for (const Operand &operand : operands)
      buffers.push_back(operand.data);
    return runKernel(kernel, set, buffers, symbols, tiles, pieces);
  };
}

} // namespace ingot::test

#endif
