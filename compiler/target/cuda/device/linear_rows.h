// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear and linear_int for few rows (params.h): the weights are streamed once, at the speed of memory.
// Grid (tiles of 16 columns; pairs of panels when gated), block 32 * kWarps. A block has one tile and all `rows` rows; its warps
// share K, each with a ring of steps of its own in shared memory, filled by asynchronous copies and drained without a barrier:
//
//   warp w:   steps [w * steps / kWarps, (w + 1) * steps / kWarps), kRing of them on their way
//
// Then the warps' sums meet in shared memory, are added in the order of the warps, and finished by the warps in turn.
// Shared: kWarps * kRing * panels * step bytes, or kWarps * panels * rows * 64 bytes for the sums if that is more.
// in, weight: 64-byte aligned. Accumulates in f32 (integers: in s32 within a group).
#ifndef INGOT_CUDA_DEVICE_LINEAR_ROWS_H
#define INGOT_CUDA_DEVICE_LINEAR_ROWS_H

#include "compiler/target/cuda/device/linear_epilogue.h"
#include "compiler/target/cuda/device/linear_operands.h"

namespace ingot::device {

// Activations of row g of a tile of 8 rows, straight from memory: they are few and stay in the first cache.
template <class T> struct RowsInMemory {
  const unsigned char *row; // null: beyond the rows
  INGOT_DEVICE RowsInMemory(const unsigned char *in, int64_t number, int64_t rows)
      : row(number < rows ? in + number * T::inRowBytes : nullptr) {}

  INGOT_DEVICE float at(int32_t k) const { return k < T::p.k_padded ? loadAs<T::inType>(row, k) : 0.0f; }

  // The pair at k as parts.
  template <int parts> INGOT_DEVICE void pair(int32_t k, uint32_t (&out)[parts]) const {
    if (!row) {
      for (int i = 0; i < parts; ++i)
        out[i] = 0;
    } else if constexpr (T::inAsIs) {
      static_assert(T::p.k_padded % 2 == 0, "rows of 16 bits are padded");
      out[0] = k < T::p.k_padded ? *(const uint32_t *)(row + k * 2) : 0;
    } else {
      splitPair(at(k), at(k + 1), out);
    }
  }
  INGOT_DEVICE uint32_t word(int32_t k) const {
    return row && k < T::p.k_padded ? *(const uint32_t *)(row + k) : 0;
  }
};

template <class P, int kRowTiles, int kWarps, int kRing> INGOT_DEVICE void linearRows(const ingot_cuda_args &args) {
  using T = OperandTypes<P>;
  constexpr auto p = P::p;
  constexpr int kPanels = p.gated ? 2 : 1;
  constexpr int kStepBytes = T::stepBytes * kPanels;
  const LinearOperands<P> operands(args);
  const LinearEpilogue<P> epilogue(args, operands.next);
  const int32_t tile = (int32_t)blockX(), w = (int32_t)warp();
  const int32_t first = (int32_t)((int64_t)T::steps * w / kWarps), last = (int32_t)((int64_t)T::steps * (w + 1) / kWarps);
  unsigned char *const ring = sharedMemory() + w * kRing * kStepBytes;

  auto fetch = [&](int32_t step) {
    if (step < last)
      for (int panel = 0; panel < kPanels; ++panel) {
        const unsigned char *from = operands.weight + (int64_t)(tile * kPanels + panel) * T::panelBytes;
        unsigned char *to = ring + (step - first) % kRing * kStepBytes + panel * T::stepBytes;
        for (int32_t i = (int32_t)lane(); i < T::granules; i += 32)
          copyStep<T>(to, from, step, i);
      }
    commitCopies();
  };
  for (int i = 0; i < kRing - 1; ++i)
    fetch(first + i);
  // Weights do not depend on the launch before.
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t rows = args.symbols[p.rows_symbol];

  const int32_t g = (int32_t)lane() / 4;
  FragmentC sums[kPanels][kRowTiles] = {};
  FragmentC part[kPanels][kRowTiles] = {}; // of the present group
  FragmentInt counts[kPanels][kRowTiles] = {};
  GroupFactors<P> factors[kPanels];
  auto loadFactors = [&](int32_t step) {
    for (int panel = 0; panel < kPanels; ++panel)
      factors[panel].load(operands, tile * kPanels + panel, T::quantized ? step / T::groupSteps : 0);
  };
  auto closeGroup = [&] {
    for (int panel = 0; panel < kPanels; ++panel)
      for (int j = 0; j < kRowTiles; ++j)
        for (int i = 0; i < 4; ++i) {
          if constexpr (T::integers) {
            sums[panel][j].r[i] = fma((float)counts[panel][j].r[i], factors[panel].scale[i / 2], sums[panel][j].r[i]);
            counts[panel][j].r[i] = 0;
          } else {
            sums[panel][j].r[i] = fma(part[panel][j].r[i], factors[panel].scale[i / 2], sums[panel][j].r[i]);
            part[panel][j].r[i] = 0.0f;
          }
        }
  };

  if (first < last)
    loadFactors(first);
  for (int32_t step = first; step < last; ++step) {
    waitCopies<kRing - 2>();
    barrierWarp();
    fetch(step + kRing - 1);
    if (T::quantized && step > first && step % T::groupSteps == 0)
      loadFactors(step);
    const unsigned char *now = ring + (step - first) % kRing * kStepBytes;
    if constexpr (T::integers) {
      FragmentA a[kPanels];
      for (int panel = 0; panel < kPanels; ++panel)
        loadIntegers<T>(a[panel], now + panel * T::stepBytes, factors[panel].zeroBytes);
      for (int j = 0; j < kRowTiles; ++j) {
        const RowsInMemory<T> x(operands.in, j * 8 + g, rows);
        FragmentB b;
        b.r[0] = x.word(step * kStep + firstWord<T>());
        b.r[1] = x.word(step * kStep + firstWord<T>() + secondWord<T>());
        for (int panel = 0; panel < kPanels; ++panel)
          mmaS8S8(counts[panel][j], a[panel], b);
      }
    } else {
      for (int half = 0; half < 2; ++half) {
        FragmentA a[kPanels][T::weightParts];
        for (int panel = 0; panel < kPanels; ++panel)
          loadWeights<T>(a[panel], now + panel * T::stepBytes, half, factors[panel].zero);
        for (int j = 0; j < kRowTiles; ++j) {
          const RowsInMemory<T> x(operands.in, j * 8 + g, rows);
          uint32_t one[T::inParts], other[T::inParts];
          const int32_t k = step * kStep + firstPair<T>(half);
          x.pair(k, one);
          x.pair(k + secondPair<T>(), other);
          FragmentB b[T::inParts];
          for (int i = 0; i < T::inParts; ++i)
            b[i] = {{one[i], other[i]}};
          for (int panel = 0; panel < kPanels; ++panel)
            multiplyParts<T>(T::quantized ? part[panel][j] : sums[panel][j], a[panel], b);
        }
      }
    }
    if (T::quantized && (step + 1 == last || (step + 1) % T::groupSteps == 0))
      closeGroup();
  }
  waitCopies<0>();

  // sums[warp][panel][row tile][lane], in the order of fragments.
  barrier();
  FragmentC *const all = (FragmentC *)sharedMemory();
  for (int panel = 0; panel < kPanels; ++panel)
    for (int j = 0; j < kRowTiles; ++j)
      all[((w * kPanels + panel) * kRowTiles + j) * 32 + lane()] = sums[panel][j];
  barrier();
  for (int32_t j = w; j < kRowTiles; j += kWarps) {
    FragmentC total[kPanels];
    for (int panel = 0; panel < kPanels; ++panel) {
      total[panel] = all[(panel * kRowTiles + j) * 32 + lane()];
      for (int other = 1; other < kWarps; ++other) {
        const FragmentC more = all[((other * kPanels + panel) * kRowTiles + j) * 32 + lane()];
        for (int i = 0; i < 4; ++i)
          total[panel].r[i] = add(total[panel].r[i], more.r[i]);
      }
      if constexpr (T::integers) // the scale of the row
        for (int i = 0; i < 4; ++i) {
          const int64_t r = j * 8 + 2 * (lane() % 4) + i % 2;
          const float scale = r < rows ? *(const float *)(operands.in + r * T::inRowBytes + p.k_padded) : 0.0f;
          total[panel].r[i] = multiply(total[panel].r[i], scale);
        }
    }
    epilogue.finish(total[0], total[kPanels - 1], tile, j * 8, rows);
  }
}

} // namespace ingot::device

#endif
