// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear and linear_int for many rows (params.h): tiles of kColumns panels by kRows rows on tensor cores, operands staged in shared
// memory by asynchronous copies, kStages steps of 32 k at a time.
// Grid (as many blocks as fit the device; each walks tiles blockX, blockX + gridX, ...), block 128: four warps, two by two, each
// with half of the panels and half of the rows of a tile.
//
//   tiles are walked rows first within kTogether panels-tiles, so that blocks of the same time share weights and rows in the
//   second cache
//
// Shared: kStages * (kColumns * step bytes + kRows * 32 * element size). A row of a step is 64 bytes (bf16), 128 (f32) or 32 (i8):
// its granules of 16 bytes are rotated so that the eight rows of a fragment lie in different banks.
// Accumulates in f32 (integers: in s32 within a group). A policy for warp-group instructions takes the place of this file's
// kernel: it has the same operands and epilogue.
#ifndef INGOT_CUDA_DEVICE_LINEAR_TILES_H
#define INGOT_CUDA_DEVICE_LINEAR_TILES_H

#include "compiler/target/cuda/device/linear_epilogue.h"
#include "compiler/target/cuda/device/linear_operands.h"

namespace ingot::device {

// A step of the rows in shared memory.
template <class T> struct StagedRows {
  static constexpr int32_t element = T::integers ? 1 : bytesOfType(T::inType);
  static constexpr int32_t rowBytes = kStep * element;
  static constexpr int32_t granules = rowBytes / 16; // 2, 4 or 8

  // Where granule q of a row lies, in bytes. 128 bytes are one line of banks.
  static INGOT_DEVICE int32_t granuleAt(int32_t row, int32_t q) {
    constexpr int32_t rowsInLine = 8 / granules; // 4, 2 or 1
    return row * rowBytes + ((q ^ (row / rowsInLine)) & (granules - 1)) * 16;
  }
  static INGOT_DEVICE const unsigned char *at(const unsigned char *staged, int32_t row, int32_t k) {
    return staged + granuleAt(row, k * element / 16) + k * element % 16;
  }

  // Copies granule i of the step of rows [row0, row0 + count). Whole granules of the row's memory, zeros beyond it.
  static INGOT_DEVICE void copy(unsigned char *staged, const unsigned char *in, int64_t row0, int64_t rows, int32_t step,
                                int32_t i) {
    const int32_t row = i / granules, q = i % granules;
    const int64_t offset = (int64_t)step * rowBytes + q * 16;
    constexpr int64_t bytes = (int64_t)T::p.k_padded * element; // that hold values
    int64_t left = row0 + row < rows ? bytes - offset : 0;
    left = left < 0 ? 0 : left > 16 ? 16 : left;
    const unsigned char *from = in + (left ? (row0 + row) * T::inRowBytes + offset : 0);
    unsigned char *to = staged + granuleAt(row, q);
    if constexpr (T::inRowBytes % 16 == 0) {
      copyAsync16(to, from, (uint32_t)left);
    } else { // rows of f32 or 16 bits of any length: word by word
      static_assert(T::inRowBytes % 4 == 0 || element == 2);
      if constexpr (T::inRowBytes % 4 == 0) {
        for (int32_t word = 0; word < 4; ++word)
          copyAsync4(to + word * 4, left >= word * 4 + 4 ? from + word * 4 : in, left >= word * 4 + 4 ? 4 : 0);
      } else {
        for (int32_t e = 0; e < 8; ++e)
          ((uint16_t *)to)[e] = e * 2 < left ? ((const uint16_t *)from)[e] : 0;
      }
    }
  }

  template <int parts> static INGOT_DEVICE void pair(const unsigned char *staged, int32_t row, int32_t k, uint32_t (&out)[parts]) {
    const unsigned char *from = at(staged, row, k);
    if constexpr (T::inAsIs)
      out[0] = *(const uint32_t *)from;
    else
      splitPair(loadAs<T::inType>(from, 0), loadAs<T::inType>(from, 1), out);
  }
};

template <class P, int kColumns, int kRows, int kStages> INGOT_DEVICE void linearTiles(const ingot_cuda_args &args) {
  using T = OperandTypes<P>;
  using Rows = StagedRows<T>;
  constexpr auto p = P::p;
  constexpr int kGate = p.gated ? 2 : 1;          // panels of a tile of the result
  constexpr int kOwn = kColumns / 2;              // panels of a warp
  constexpr int kOwnRows = kRows / 16;            // tiles of 8 rows of a warp
  constexpr int kWeightBytes = kColumns * T::stepBytes;
  constexpr int kStageBytes = kWeightBytes + kRows * Rows::rowBytes;
  constexpr int64_t kTogether = 8;
  const LinearOperands<P> operands(args);
  const LinearEpilogue<P> epilogue(args, operands.next);
  waitForPreviousLaunch();
  letNextLaunchBegin();
  const int64_t rows = args.symbols[p.rows_symbol];
  const int64_t acrossRows = (rows + kRows - 1) / kRows;
  constexpr int64_t acrossPanels = (T::panels + kColumns - 1) / kColumns;
  const int32_t w = (int32_t)warp(), g = (int32_t)lane() / 4;
  const int32_t ownPanel = w % 2 * kOwn, ownRow = w / 2 * (kRows / 2);

  for (int64_t number = blockX(); number < acrossRows * acrossPanels; number += gridX()) {
    // Rows first within kTogether tiles of panels.
    const int64_t band = number / (kTogether * acrossRows), within = number % (kTogether * acrossRows);
    const int64_t bandWidth = acrossPanels - band * kTogether < kTogether ? acrossPanels - band * kTogether : kTogether;
    const int32_t panel0 = (int32_t)((band * kTogether + within % bandWidth) * kColumns);
    const int64_t row0 = within / bandWidth * kRows;

    auto fetch = [&](int32_t step) {
      if (step < T::steps) {
        unsigned char *stage = sharedMemory() + step % kStages * kStageBytes;
        for (int32_t i = (int32_t)thread(); i < kColumns * T::granules; i += 128) {
          const int32_t panel = i / T::granules;
          if (panel0 + panel < T::panels)
            copyStep<T>(stage + panel * T::stepBytes, operands.weight + (int64_t)(panel0 + panel) * T::panelBytes, step,
                        i % T::granules);
        }
        for (int32_t i = (int32_t)thread(); i < kRows * Rows::granules; i += 128)
          Rows::copy(stage + kWeightBytes, operands.in, row0, rows, step, i);
      }
      commitCopies();
    };
    barrier(); // the stages of the tile before are read
    for (int i = 0; i < kStages - 1; ++i)
      fetch(i);

    FragmentC sums[kOwn][kOwnRows] = {};
    FragmentC part[kOwn][kOwnRows] = {};
    FragmentInt counts[kOwn][kOwnRows] = {};
    GroupFactors<P> factors[kOwn];
    const auto inside = [&](int panel) { return panel0 + ownPanel + panel < T::panels; };
    for (int32_t step = 0; step < T::steps; ++step) {
      waitCopies<kStages - 2>();
      barrier();
      fetch(step + kStages - 1);
      if (step % T::groupSteps == 0)
        for (int panel = 0; panel < kOwn; ++panel)
          if (inside(panel))
            factors[panel].load(operands, panel0 + ownPanel + panel, step / T::groupSteps);
      const unsigned char *weights = sharedMemory() + step % kStages * kStageBytes + ownPanel * T::stepBytes;
      const unsigned char *staged = sharedMemory() + step % kStages * kStageBytes + kWeightBytes;
      if constexpr (T::integers) {
        FragmentA a[kOwn];
        for (int panel = 0; panel < kOwn; ++panel)
          if (inside(panel))
            loadIntegers<T>(a[panel], weights + panel * T::stepBytes, factors[panel].zeroBytes);
        for (int j = 0; j < kOwnRows; ++j) {
          FragmentB b;
          b.r[0] = *(const uint32_t *)Rows::at(staged, ownRow + j * 8 + g, firstWord<T>());
          b.r[1] = *(const uint32_t *)Rows::at(staged, ownRow + j * 8 + g, firstWord<T>() + secondWord<T>());
          for (int panel = 0; panel < kOwn; ++panel)
            if (inside(panel))
              mmaS8S8(counts[panel][j], a[panel], b);
        }
      } else {
        for (int half = 0; half < 2; ++half) {
          FragmentA a[kOwn][T::weightParts];
          for (int panel = 0; panel < kOwn; ++panel)
            if (inside(panel))
              loadWeights<T>(a[panel], weights + panel * T::stepBytes, half, factors[panel].zero);
          for (int j = 0; j < kOwnRows; j += 2) {
            FragmentB b[2][T::inParts];
            if constexpr (T::inAsIs && !T::quantized) {
              // Matrices: rows of j, their k 8 further, rows of j + 1, their k 8 further.
              const int32_t row = ownRow + (j + (int32_t)lane() / 16) * 8 + (int32_t)lane() % 8;
              uint32_t four[4];
              loadMatrix4(four, Rows::at(staged, row, half * 16 + (int32_t)lane() / 8 % 2 * 8));
              b[0][0] = {{four[0], four[1]}};
              b[1][0] = {{four[2], four[3]}};
            } else {
              for (int i = 0; i < 2; ++i) {
                uint32_t one[T::inParts], other[T::inParts];
                const int32_t row = ownRow + (j + i) * 8 + g, k = firstPair<T>(half);
                Rows::pair(staged, row, k, one);
                Rows::pair(staged, row, k + secondPair<T>(), other);
                for (int k2 = 0; k2 < T::inParts; ++k2)
                  b[i][k2] = {{one[k2], other[k2]}};
              }
            }
            for (int panel = 0; panel < kOwn; ++panel)
              if (inside(panel))
                for (int i = 0; i < 2; ++i)
                  multiplyParts<T>(T::quantized ? part[panel][j + i] : sums[panel][j + i], a[panel], b[i]);
          }
        }
      }
      if (T::quantized && (step + 1 == T::steps || (step + 1) % T::groupSteps == 0))
        for (int panel = 0; panel < kOwn; ++panel)
          for (int j = 0; j < kOwnRows && inside(panel); ++j)
            for (int i = 0; i < 4; ++i) {
              if constexpr (T::integers) {
                sums[panel][j].r[i] =
                    fma((float)counts[panel][j].r[i], factors[panel].scale[i / 2], sums[panel][j].r[i]);
                counts[panel][j].r[i] = 0;
              } else {
                sums[panel][j].r[i] = fma(part[panel][j].r[i], factors[panel].scale[i / 2], sums[panel][j].r[i]);
                part[panel][j].r[i] = 0.0f;
              }
            }
    }
    waitCopies<0>();

#pragma unroll
    for (int panel = 0; panel < kOwn; panel += kGate)
#pragma unroll
      for (int j = 0; j < kOwnRows; ++j) {
        const int64_t row = row0 + ownRow + j * 8;
        if (!inside(panel) || row >= rows)
          continue;
        if constexpr (T::integers)
          for (int i = 0; i < 4; ++i) {
            const int64_t r = row + 2 * (lane() % 4) + i % 2;
            const float scale = r < rows ? *(const float *)(operands.in + r * T::inRowBytes + p.k_padded) : 0.0f;
            for (int of = 0; of < kGate; ++of)
              sums[panel + of][j].r[i] = multiply(sums[panel + of][j].r[i], scale);
          }
        epilogue.finish(sums[panel][j], sums[panel + kGate - 1][j], (panel0 + ownPanel + panel) / kGate, row, rows);
      }
  }
}

} // namespace ingot::device

#endif
