// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cuda_run.h.
#include "test/unit/cuda/cuda_run.h"
#include "compiler/target/cuda/device/attention_shape.h"
#include <algorithm>
#include <gtest/gtest.h>

namespace ingot::test {
namespace {

// Memory of the device, freed.
class DeviceMemory {
public:
  DeviceMemory(size_t bytes, const char *name) : data(device::allocate(bytes, name)) {}
  ~DeviceMemory() {
    if (data)
      device::release(data);
  }
  DeviceMemory(DeviceMemory &&other) noexcept : data(std::exchange(other.data, nullptr)) {}
  void *data;
};

int64_t valueOf(const target::cuda::Extent &extent, const std::vector<int64_t> &symbols, int64_t tiles) {
  int64_t sum = extent.constant;
  for (auto [symbol, coefficient] : extent.terms)
    sum += coefficient * (symbol == target::cuda::kTiles ? tiles : symbols[static_cast<size_t>(symbol)]);
  return sum <= 0 ? 0 : (sum + extent.per - 1) / extent.per;
}

} // namespace

int32_t runCuda(const CudaCase &c, const std::vector<Operand> &operands, std::vector<int64_t> symbols, uint32_t tiles,
                const CudaOptions &options) {
  std::vector<DeviceMemory> memory;
  ingot_cuda_args args = {};
  for (size_t i = 0; i < operands.size(); ++i) {
    // An operand may be the buffer of another.
    size_t same = 0;
    while (operands[same].data != operands[i].data)
      ++same;
    if (same < i) {
      memory.emplace_back(1, "nothing");
      args.buffers[i] = args.buffers[same];
      continue;
    }
    memory.emplace_back(std::max<size_t>(operands[i].bytes, 1), ("operand " + std::to_string(i)).c_str());
    device::copyTo(memory.back().data, operands[i].data, operands[i].bytes);
    args.buffers[i] = memory.back().data;
  }
  size_t workspaceBytes = 0;
  for (const target::cuda::Function &function : c.functions)
    workspaceBytes = std::max(workspaceBytes, static_cast<size_t>(valueOf(function.workspace, symbols, tiles)));
  args.tiles_symbol = static_cast<int32_t>(symbols.size());
  symbols.push_back(tiles);
  DeviceMemory values(symbols.size() * 8, "symbols"), error(4, "error"),
      workspace(std::max<size_t>(workspaceBytes, 1), "workspace");
  device::copyTo(values.data, symbols.data(), symbols.size() * 8);
  int32_t code = 0;
  device::copyTo(error.data, &code, 4);
  const size_t counters = std::min<size_t>(workspaceBytes, ingot::device::kCounterBytes);
  std::vector<uint8_t> left(workspaceBytes, 0xff); // what other kernels left: not-a-numbers
  std::fill_n(left.begin(), counters, uint8_t(0));
  device::copyTo(workspace.data, left.data(), left.size());
  args.symbols = static_cast<const int64_t *>(values.data);
  args.error = static_cast<int32_t *>(error.data);
  args.workspace = workspace.data;
  for (size_t i = 0; i < c.functions.size(); ++i) {
    const target::cuda::Function &function = c.functions[i];
    EXPECT_TRUE(i == 0 || function.stage > c.functions[i - 1].stage) << c.kernel.name;
    device::Launch launch;
    launch.name = c.kernel.name + " " + function.suffix;
    bool none = false;
    for (int d = 0; d < 3; ++d) {
      launch.grid[d] = static_cast<uint32_t>(valueOf(function.grid[d], symbols, tiles));
      none = none || launch.grid[d] == 0;
    }
    if (none)
      continue;
    if (function.blocksPerMultiprocessor)
      launch.grid[0] = std::min(launch.grid[0], function.blocksPerMultiprocessor * options.multiprocessors);
    launch.threads = function.threads;
    launch.sharedBytes = function.sharedBytes;
    for (const std::string &finding : device::launch(c.code[i], launch, args, options.seed))
      ADD_FAILURE() << c.kernel.name << ": " << finding;
  }
  device::copyFrom(left.data(), workspace.data, counters);
  EXPECT_TRUE(std::all_of(left.begin(), left.begin() + int64_t(counters), [](uint8_t byte) { return byte == 0; }))
      << c.kernel.name << " leaves counters that are not zero";
  for (size_t i = 0; i < operands.size(); ++i)
    device::copyFrom(operands[i].data, args.buffers[i], operands[i].bytes);
  device::copyFrom(&code, error.data, 4);
  return code;
}

Run onCuda(const std::vector<CudaCase> &cases, CudaOptions options) {
  return [&cases, options](const TestKernel &kernel, const std::vector<Operand> &operands,
                           const std::vector<int64_t> &symbols, uint32_t tiles, uint32_t pieces) {
    for (const CudaCase &c : cases)
      if (c.kernel.name == kernel.name) {
        CudaOptions now = options;
        now.multiprocessors = pieces; // as on so many workers
        return runCuda(c, operands, symbols, tiles, now);
      }
    ADD_FAILURE() << "no case is named " << kernel.name;
    return -1;
  };
}

} // namespace ingot::test
