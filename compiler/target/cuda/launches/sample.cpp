// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of sample: a block for each row of logits, as many threads as its vocabulary keeps busy.
#include "compiler/target/cuda/device/sample_shape.h"
#include "compiler/target/cuda/launch.h"

namespace ingot::target::cuda {

Functions functionsOf(const sample_params &p, std::string &error) {
  using namespace ingot::device;
  constexpr int64_t kMostShared = 99 * 1024; // the least that a block may have on any architecture
  const int64_t shared = sampleShape(p).total;
  if (shared > kMostShared) {
    error = "sample over a vocabulary of " + std::to_string(p.vocabulary) + " needs " + std::to_string(shared) +
            " bytes of shared memory in a block; expected at most " + std::to_string(kMostShared);
    return {};
  }
  Function f;
  f.header = "sample.h";
  f.call = "sampleRows<P>(args);";
  f.threads = p.vocabulary >= 1 << 14 ? 1024 : p.vocabulary >= 1 << 12 ? 256 : 64;
  f.sharedBytes = static_cast<uint32_t>(shared);
  f.grid[0] = Extent::of(kTiles, 1, 1, 0);
  f.workspace = Extent::of(kTiles, sampleRowBytes(p), 1, kCounterBytes);
  return {f};
}

} // namespace ingot::target::cuda
