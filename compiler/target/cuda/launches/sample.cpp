// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of sample, one after another: two passes over the rows by many blocks, then a block for each row that
// chooses.
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
  const SampleShape s = sampleShape(p);
  Function largest;
  largest.suffix = "largest";
  largest.header = "sample_passes.h";
  largest.call = "sampleLargest<P>(args);";
  largest.threads = 128;
  largest.sharedBytes = 1024;
  largest.grid[0] = Extent::of(s.parts);
  largest.grid[1] = Extent::of(kTiles, 1, 1, 0);
  largest.workspace = Extent::of(kTiles, s.rowBytes, 1, kCounterBytes);
  Function sums = largest;
  sums.suffix = "sums";
  sums.call = "sampleSums<P>(args);";
  sums.stage = 1;
  Function choose = largest;
  choose.suffix = "choose";
  choose.header = "sample.h";
  choose.call = "sampleChoose<P>(args);";
  choose.threads = p.vocabulary >= 1 << 14 ? 1024 : p.vocabulary >= 1 << 12 ? 256 : 64;
  choose.sharedBytes = static_cast<uint32_t>(shared);
  choose.grid[0] = Extent::of(kTiles, 1, 1, 0);
  choose.grid[1] = Extent::of(1);
  choose.stage = 2;
  return {largest, sums, choose};
}

} // namespace ingot::target::cuda
