// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cuda_upload.h. Two buffers: while the bus takes one, threads fill the other from the file.
#include "runtime/executor/cuda_upload.h"

#include "runtime/core/machine.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

namespace ingot::runtime {

namespace {

constexpr uint64_t kPiece = 32 << 20;
constexpr unsigned kMostThreads = 8;

// One thread cannot read a file as fast as a bus takes it.
void copyInParallel(uint8_t *to, const uint8_t *from, uint64_t bytes, unsigned threads) {
  const uint64_t share = (bytes / threads + 4095) / 4096 * 4096;
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < threads && i * share < bytes; ++i)
    helpers.emplace_back([=] { std::memcpy(to + i * share, from + i * share, std::min(share, bytes - i * share)); });
  std::memcpy(to, from, std::min(share, bytes));
  for (std::thread &helper : helpers)
    helper.join();
}

} // namespace

Result<void> uploadWeights(const cuda::Device &device, cuda::Address to, std::span<const uint8_t> bytes) {
  const cuda::Driver &driver = device.driver();
  const uint64_t piece = std::min<uint64_t>(kPiece, bytes.size());
  const unsigned threads = bytes.size() <= kPiece / 4 ? 1 : std::min(kMostThreads, defaultThreads());
  INGOT_ASSIGN_OR_RETURN(cuda::HostMemory buffers, device.allocateHost(2 * piece, "loading weights"));
  struct Taken { // when the bus has taken a buffer
    const cuda::Driver &driver;
    cuda::Handle events[2] = {};
    ~Taken() {
      for (cuda::Handle event : events)
        if (event)
          driver.EventDestroy(event);
    }
  } taken{driver};
  for (cuda::Handle &event : taken.events)
    if (cuda::Status status = driver.EventCreate(&event, 0))
      return driver.failed(status, "loading weights cannot be timed");
  unsigned turn = 0;
  for (uint64_t done = 0; done < bytes.size(); done += piece, ++turn) {
    const uint64_t now = std::min(piece, bytes.size() - done);
    uint8_t *buffer = buffers.data() + (turn & 1) * piece;
    if (turn >= 2)
      if (cuda::Status status = driver.EventSynchronize(taken.events[turn & 1]))
        return driver.failed(status, "weights could not be copied to the GPU");
    copyInParallel(buffer, bytes.data() + done, now, threads);
    INGOT_RETURN_IF_ERROR(device.upload(to + done, buffer, now));
    if (cuda::Status status = driver.EventRecord(taken.events[turn & 1], device.stream()))
      return driver.failed(status, "weights could not be copied to the GPU");
  }
  return device.synchronize("loading weights"); // the buffers go
}

} // namespace ingot::runtime
