// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of sample that its kernel and its launches must agree on: plain constants over the parameters.
#ifndef INGOT_CUDA_DEVICE_SAMPLE_SHAPE_H
#define INGOT_CUDA_DEVICE_SAMPLE_SHAPE_H

#include "compiler/target/cuda/device/attention_shape.h"

namespace ingot::device {

constexpr int32_t kSampleIds = 64;     // of a block of ids (docs/spec/numerics.md)
constexpr int32_t kSamplePart = 32;    // blocks of ids that a block of threads passes over
constexpr int32_t kSampleShort = 4096; // entries of a list that shared memory holds

struct SampleShape {
  int32_t blocks, parts; // of ids, of the passes over a row
  // A row in the workspace, in bytes: penalized and masked logits, the largest and the sum of each block, sums of
  // parts.
  int32_t rowLargest, rowSums, rowTotals, rowBytes;
  // Shared memory of the choice, in bytes.
  int32_t sums; // f64[3 * 32], and what else goes from warp to warp
  int32_t largest, counts, ids, orders, total;
};
INGOT_SHAPE SampleShape sampleShape(const sample_params &p) {
  SampleShape s{};
  s.blocks = (p.vocabulary + kSampleIds - 1) / kSampleIds;
  s.parts = (s.blocks + kSamplePart - 1) / kSamplePart;
  s.rowLargest = p.vocabulary * 4;
  s.rowSums = s.rowLargest + s.blocks * 4;
  s.rowTotals = (s.rowSums + s.blocks * 4 + 15) / 16 * 16;
  s.rowBytes = (s.rowTotals + s.parts * 16 + 255) / 256 * 256;
  const int32_t list = p.vocabulary < kSampleShort ? p.vocabulary : kSampleShort;
  s.sums = 0;
  s.largest = s.sums + 1024;
  s.counts = s.largest + s.blocks * 4;
  s.ids = s.counts + s.blocks * 4;
  s.orders = s.ids + list * 4;
  s.total = s.orders + list * 4;
  return s;
}
} // namespace ingot::device

#endif
