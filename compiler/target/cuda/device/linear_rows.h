// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear and linear_int for up to 8 rows (params.h): the weights are streamed once, at the speed of memory.
// Grid (tiles of 16 columns; pairs of panels when gated), block 32 * kWarps. A block has one tile and all rows; its
// warps share K, each with a ring of steps of its own in shared memory, filled by asynchronous copies and drained
// without a barrier:
//
//   warp w:   steps [w * steps / kWarps, (w + 1) * steps / kWarps), kRing - 1 of them on their way
//
// Weights are asked for before the launch before has ended. Then the warps' sums meet in shared memory, are added in
// the order of the warps, and finished by the first. Activations are read as they are multiplied: they are few and stay
// in the first cache. Shared: kWarps * kRing * panels * step bytes, or kWarps * panels * 512 bytes for the sums if that
// is more. in, weight: 64-byte aligned. Accumulates in f32 (integers: in s32 within a group).
#ifndef INGOT_CUDA_DEVICE_LINEAR_ROWS_H
#define INGOT_CUDA_DEVICE_LINEAR_ROWS_H

#include "compiler/target/cuda/device/linear_epilogue.h"
#include "compiler/target/cuda/device/linear_sums.h"

namespace ingot::device {

// What this lane holds of row `row` (null: beyond the rows) in a step, from memory.
template <class T> INGOT_DEVICE void loadRow(RowPart<T> &part, const unsigned char *row, int32_t step) {
  const int32_t k = step * kStep + (int32_t)lane() % 4 * 8;
  part.clear();
  if (!row || k >= T::p.k_padded)
    return;
  const unsigned char *from = row + k * T::element;
  if constexpr (T::element == 1) {
    const Words2 w = *(const Words2 *)from;
    part.words[0] = w.x;
    part.words[1] = w.y;
  } else if constexpr (T::inAligned && T::p.k_padded % 8 == 0) {
    for (int i = 0; i < T::element / 2; ++i) {
      const Vector16 v = ((const Vector16 *)from)[i];
      part.words[i * 4] = v.x;
      part.words[i * 4 + 1] = v.y;
      part.words[i * 4 + 2] = v.z;
      part.words[i * 4 + 3] = v.w;
    }
  } else { // rows of any length
    for (int i = 0; i < 8; ++i)
      if (k + i < T::p.k_padded) {
        if constexpr (T::element == 4)
          part.words[i] = ((const uint32_t *)from)[i];
        else
          part.words[i / 2] |= (uint32_t)((const uint16_t *)from)[i] << (i % 2 * 16);
      }
  }
}

template <class P, int kWarps, int kRing> INGOT_DEVICE void linearRows(const ingot_cuda_args &args) {
  using T = OperandTypes<P>;
  constexpr auto p = P::p;
  constexpr int kPanels = p.gated ? 2 : 1;
  constexpr int kStepBytes = T::stepBytes * kPanels;
  const LinearOperands<P> operands(args);
  const LinearEpilogue<P> epilogue(args, operands.next);
  const int32_t tile = (int32_t)blockX(), w = (int32_t)warp();
  const int32_t first = firstStepOf<T>(w, kWarps), last = firstStepOf<T>(w + 1, kWarps);
  unsigned char *const ring = sharedMemory() + w * kRing * kStepBytes;

  auto fetch = [&](int32_t step, int32_t slot) {
    if (step < last)
      for (int panel = 0; panel < kPanels; ++panel) {
        const unsigned char *from = operands.weight + (int64_t)(tile * kPanels + panel) * T::panelBytes;
        for (int32_t i = (int32_t)lane(); i < T::granules; i += 32)
          copyStep<T>(ring + slot * kStepBytes + panel * T::stepBytes, from, step, i);
      }
    commitCopies();
  };
  for (int i = 0; i < kRing - 1; ++i)
    fetch(first + i, i);
  // Weights do not depend on the launch before.
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t rows = args.symbols[p.rows_symbol];
  const int32_t g = (int32_t)lane() / 4;
  const unsigned char *const row = g < rows ? operands.in + g * T::inRowBytes : nullptr;

  LinearSums<P> sums[kPanels];
  GroupFactors<P> factors[kPanels];
  int32_t slot = 0, untilGroup = 0;
  RowPart<T> now;
  if (first < last)
    loadRow(now, row, first);
  for (int32_t step = first; step < last; ++step) {
    // The row of the next step is on its way while this one is multiplied.
    RowPart<T> next = now;
    if (step + 1 < last)
      loadRow(next, row, step + 1);
    if (untilGroup == 0) {
      for (int panel = 0; panel < kPanels; ++panel)
        factors[panel].load(operands, tile * kPanels + panel, T::byGroup ? step / T::groupSteps : 0);
      untilGroup = T::groupSteps;
    }
    waitCopies<kRing - 2>();
    barrierWarp();
    fetch(step + kRing - 1, slot == 0 ? kRing - 1 : slot - 1);
    const unsigned char *weights = ring + slot * kStepBytes;
    if constexpr (T::integers) {
      for (int panel = 0; panel < kPanels; ++panel) {
        FragmentA a;
        loadIntegers<P>(a, weights + panel * T::stepBytes, factors[panel]);
        sums[panel].multiply(a, now.integers());
      }
    } else {
      for (int half = 0; half < 2; ++half) {
        FragmentB b[T::inParts];
        now.half(b, half);
        for (int panel = 0; panel < kPanels; ++panel) {
          FragmentA a[T::weightParts];
          loadWeights<P>(a, weights + panel * T::stepBytes, half, factors[panel]);
          sums[panel].multiply(a, b);
        }
      }
    }
    if (--untilGroup == 0 || step + 1 == last)
      for (int panel = 0; panel < kPanels; ++panel)
        sums[panel].closeGroup(operands, factors[panel], tile * kPanels + panel, step / T::groupSteps, 0, rows);
    slot = slot + 1 == kRing ? 0 : slot + 1;
    now = next;
  }
  waitCopies<0>();

  barrier(); // the rings are read
  Vector16 *const all = (Vector16 *)sharedMemory();
  for (int panel = 0; panel < kPanels; ++panel)
    all[(w * kPanels + panel) * 32 + lane()] = sums[panel].stored();
  barrier();
  if (w != 0)
    return;
  FragmentC total[kPanels];
  for (int panel = 0; panel < kPanels; ++panel) {
    for (int other = 1; other < kWarps; ++other)
      sums[panel].take(all[(other * kPanels + panel) * 32 + lane()]);
    total[panel] = sums[panel].scaled(operands, tile * kPanels + panel, 0, rows);
  }
  epilogue.finish(total[0], total[kPanels - 1], tile, 0, rows);
}

} // namespace ingot::device

#endif
