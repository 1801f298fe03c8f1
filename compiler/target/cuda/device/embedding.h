// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// embedding: rows of a table for tokens (params.h).
// Grid (tokens), block any multiple of 32; shared 128 bytes (sums of warps, where there are stats).
// tokens i32[T], previous_ids i32[L], table [n][k] in any layout, [scales, zeros], out f32[T][k], [stats f32[T][1]].
// One block is one token. A row of a packed table is gathered from its panel: its elements lie 64 bytes apart, so that
// each costs a sector of memory; rows are few. An id outside the table stores code 1 to args.error and reads row 0.
#ifndef INGOT_CUDA_DEVICE_EMBEDDING_H
#define INGOT_CUDA_DEVICE_EMBEDDING_H

#include "compiler/target/cuda/device/elements.h"

namespace ingot::device {

template <class P> INGOT_DEVICE void embeddingRows(const ingot_cuda_args &args) {
  constexpr auto p = P::p;
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t token = blockX();
  if (token >= args.symbols[args.tiles_symbol])
    return;
  constexpr bool quantized = p.weight_type == INGOT_U8;
  constexpr int32_t planes = quantized ? (p.zeros ? 3 : 2) : 1;
  int32_t id = ((const int32_t *)args.buffers[0])[token];
  if (id < 0)
    id = ((const int32_t *)args.buffers[1])[-1 - id];
  if ((uint32_t)id >= (uint32_t)p.n) {
    if (thread() == 0)
      atomicStoreIfZero(args.error, 1);
    id = 0; // the step fails; the row only has to be written
  }
  float *out = (float *)args.buffers[2 + planes] + token * p.k;
  float squares = 0.0f;
  for (int32_t k = (int32_t)thread(); k < p.k; k += (int32_t)threads()) {
    float x;
    if constexpr (quantized) {
      const QuantizedTable<p.layout, p.scale_type> table = {(const uint8_t *)args.buffers[2],
                                                            args.buffers[3],
                                                            p.zeros ? (const uint8_t *)args.buffers[4] : nullptr,
                                                            p.k,
                                                            p.group,
                                                            (p.k + p.group - 1) / p.group};
      x = table.at(id, k);
    } else {
      x = tableAt<p.layout, p.weight_type>(args.buffers[2], id, k, p.k);
    }
    x = multiply(x, p.scale);
    out[k] = x;
    squares = fma(x, x, squares);
  }
  if constexpr (p.stats != 0) {
    squares = sumOverBlock(squares, (float *)sharedMemory());
    if (thread() == 0)
      ((float *)args.buffers[3 + planes])[token] = squares;
  }
}

} // namespace ingot::device

#endif
