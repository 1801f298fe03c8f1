// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See cuda_upload.h. Two buffers: while the bus takes one, threads fill the other from the file.
#include "runtime/executor/cuda_upload.h"

#include "runtime/core/machine.h"

#include <algorithm>

namespace ingot::runtime {

namespace {

constexpr uint64_t kPiece = 32 << 20;
constexpr unsigned kMostThreads = 8;

} // namespace

Result<void> uploadWeights(const cuda::Device &device, cuda::Address to, const WeightSource &weights) {
  const uint64_t bytes = weights.bytes();
  const cuda::Driver &driver = device.driver();
  const uint64_t piece = std::min<uint64_t>(kPiece, bytes);
  const unsigned threads = bytes <= kPiece / 4 ? 1 : std::min(kMostThreads, defaultThreads());
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
  for (uint64_t done = 0; done < bytes; done += piece, ++turn) {
    const uint64_t now = std::min(piece, bytes - done);
    uint8_t *buffer = buffers.data() + (turn & 1) * piece;
    if (turn >= 2)
      if (cuda::Status status = driver.EventSynchronize(taken.events[turn & 1]))
        return driver.failed(status, "weights could not be copied to the GPU");
    weights.readPiece(done, {buffer, now}, threads); // one thread is slower than a bus
    INGOT_RETURN_IF_ERROR(device.upload(to + done, buffer, now));
    if (cuda::Status status = driver.EventRecord(taken.events[turn & 1], device.stream()))
      return driver.failed(status, "weights could not be copied to the GPU");
  }
  return device.synchronize("loading weights"); // the buffers go
}

} // namespace ingot::runtime
