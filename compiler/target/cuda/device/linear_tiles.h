// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linear and linear_int for more than 8 rows (params.h): tiles of kColumns panels by kRows rows on tensor cores,
// operands staged in shared memory by asynchronous copies, kStages steps of 32 k at a time. Block 128: four warps, 4 /
// kRowWarps side by side over a tile's panels times kRowWarps over its rows. Two ways to run:
//
//   kSplits == 0   any number of rows. Grid: as many blocks as fit the device; each walks tiles blockX, blockX + gridX,
//   ...
//                  Tiles are walked rows first within kTogether tiles of panels, so that blocks of the same time share
//                  weights and rows in the second cache.
//   kSplits >= 1   up to kRows rows. Grid: tiles of panels * kSplits; a unit is a tile and one of kSplits parts of K,
//   so that the
//                  weights of a product with few columns are still streamed by the whole device. Parts' sums go to the
//                  workspace, and the block that comes last adds them in the order of K. Weights are asked for before
//                  the launch before has ended.
//
// Shared: kStages * (kColumns * step bytes + kRows * 32 * element size).
// Workspace (kSplits > 1): a counter per tile in the first kCounterBytes, zero between launches; then sums
// [tile][part][panel][8 rows][lane], 16 bytes each.
// Accumulates in f32 (integers: in s32 within a group). Operands in shared memory are what linear_operands.h draws; a
// row of a step is 32, 64 or 128 bytes, in the last its granules 2i and 2i + 1 are exchanged in odd rows, so that lanes
// read 16 bytes each from banks of their own. A policy for warp-group instructions takes the place of
// LinearTile::multiply: same operands, same end.
#ifndef INGOT_CUDA_DEVICE_LINEAR_TILES_H
#define INGOT_CUDA_DEVICE_LINEAR_TILES_H

#include "compiler/target/cuda/device/linear_epilogue.h"
#include "compiler/target/cuda/device/linear_shape.h"
#include "compiler/target/cuda/device/linear_sums.h"

namespace ingot::device {

// A step of the rows in shared memory.
template <class T> struct StagedRows {
  static constexpr int32_t rowBytes = kStep * T::element;
  static constexpr int32_t granules = rowBytes / 16; // 2, 4 or 8

  static INGOT_DEVICE int32_t granuleAt(int32_t row, int32_t q) {
    return row * rowBytes + (T::element == 4 ? q ^ (row & 1) : q) * 16;
  }

  // Copies granule i of the step of rows [row0, row0 + count). Whole granules of the row's memory, zeros beyond it.
  static INGOT_DEVICE void copy(unsigned char *staged, const unsigned char *in, int64_t row0, int64_t rows,
                                int32_t step, int32_t i) {
    const int32_t row = i / granules, q = i % granules;
    const int64_t offset = (int64_t)step * rowBytes + q * 16;
    constexpr int64_t bytes = (int64_t)T::p.k_padded * T::element; // that hold values
    int64_t left = row0 + row < rows ? bytes - offset : 0;
    left = left < 0 ? 0 : left > 16 ? 16 : left;
    const unsigned char *from = in + (left ? (row0 + row) * T::inRowBytes + offset : 0);
    unsigned char *to = staged + granuleAt(row, q);
    if constexpr (T::inAligned || T::integers) {
      copyAsync16(to, from, (uint32_t)left);
    } else if constexpr (T::inRowBytes % 4 == 0) { // rows of any length: word by word
      for (int32_t word = 0; word < 4; ++word)
        copyAsync4(to + word * 4, left >= word * 4 + 4 ? from + word * 4 : in, left >= word * 4 + 4 ? 4 : 0);
    } else {
      static_assert(T::element == 2);
      for (int32_t e = 0; e < 8; ++e)
        ((uint16_t *)to)[e] = e * 2 < left ? ((const uint16_t *)from)[e] : 0;
    }
  }

  // What this lane holds of a row.
  static INGOT_DEVICE void load(RowPart<T> &part, const unsigned char *staged, int32_t row) {
    const int32_t t = (int32_t)lane() % 4;
    if constexpr (T::element == 1) {
      const Words2 w = *(const Words2 *)(staged + row * rowBytes + t * 8);
      part.words[0] = w.x;
      part.words[1] = w.y;
    } else {
      for (int i = 0; i < T::element / 2; ++i) {
        const Vector16 v = *(const Vector16 *)(staged + granuleAt(row, t * (T::element / 2) + i));
        part.words[i * 4] = v.x;
        part.words[i * 4 + 1] = v.y;
        part.words[i * 4 + 2] = v.z;
        part.words[i * 4 + 3] = v.w;
      }
    }
  }
};

// A warp's share of a tile: kOwn panels by kOwnRows tiles of 8 rows, and its sums.
template <class P, int kOwn, int kOwnRows> struct LinearTile {
  using T = OperandTypes<P>;
  LinearSums<P> sums[kOwn][kOwnRows];
  GroupFactors<P> factors[kOwn];

  // One step; `weights` of its first panel, `rows` from its first row. Of its panels `present` are in the product.
  INGOT_DEVICE void multiply(const unsigned char *weights, const unsigned char *staged, int32_t row, int32_t present) {
    const int32_t g = (int32_t)lane() / 4;
    if constexpr (T::integers) {
      FragmentA a[kOwn];
      for (int panel = 0; panel < kOwn; ++panel)
        if (panel < present)
          loadIntegers<P>(a[panel], weights + panel * T::stepBytes, factors[panel]);
      for (int j = 0; j < kOwnRows; ++j) {
        RowPart<T> x;
        StagedRows<T>::load(x, staged, row + j * 8 + g);
        for (int panel = 0; panel < kOwn; ++panel)
          if (panel < present)
            sums[panel][j].multiply(a[panel], x.integers());
      }
    } else {
      FragmentA a[2][kOwn][T::weightParts];
      for (int half = 0; half < 2; ++half)
        for (int panel = 0; panel < kOwn; ++panel)
          if (panel < present)
            loadWeights<P>(a[half][panel], weights + panel * T::stepBytes, half, factors[panel]);
      for (int j = 0; j < kOwnRows; ++j) {
        RowPart<T> x;
        StagedRows<T>::load(x, staged, row + j * 8 + g);
        for (int half = 0; half < 2; ++half) {
          FragmentB b[T::inParts];
          x.half(b, half);
          for (int panel = 0; panel < kOwn; ++panel)
            if (panel < present)
              sums[panel][j].multiply(a[half][panel], b);
        }
      }
    }
  }

  // Ends group `group` of panels from `first` and rows from `row`.
  INGOT_DEVICE void closeGroup(const LinearOperands<P> &operands, int32_t first, int32_t group, int64_t row,
                               int64_t rows) {
    for (int panel = 0; panel < kOwn; ++panel)
      for (int j = 0; j < kOwnRows; ++j)
        sums[panel][j].closeGroup(operands, factors[panel], first + panel, group, row + j * 8, rows);
  }
};

template <class P, int kColumns, int kRows, int kStages, int kRowWarps, int kSplits>
INGOT_DEVICE void linearTiles(const ingot_cuda_args &args) {
  using T = OperandTypes<P>;
  using Rows = StagedRows<T>;
  constexpr auto p = P::p;
  constexpr bool anyRows = kSplits == 0;
  constexpr int kParts = anyRows ? 1 : kSplits;
  constexpr int kGate = p.gated ? 2 : 1; // panels of a tile of the result
  constexpr int kColumnWarps = 4 / kRowWarps;
  constexpr int kOwn = kColumns / kColumnWarps;
  constexpr int kOwnRows = kRows / kRowWarps / 8;
  static_assert(kOwn % kGate == 0 && kOwn > 0 && kOwnRows > 0);
  constexpr int kWeightBytes = kColumns * T::stepBytes;
  constexpr int kStageBytes = kWeightBytes + kRows * Rows::rowBytes;
  constexpr int64_t kTogether = 8;
  constexpr int64_t acrossPanels = (T::panels + kColumns - 1) / kColumns;
  const LinearOperands<P> operands(args);
  const LinearEpilogue<P> epilogue(args, operands.next);
  const int32_t w = (int32_t)warp();
  const int32_t ownPanel = w % kColumnWarps * kOwn, ownRow = w / kColumnWarps * (kRows / kRowWarps);

  int32_t panel0 = 0, first = 0, last = T::steps;
  int64_t row0 = 0, rows = 0;
  auto fetchWeights = [&](int32_t step, int32_t slot) {
    if (step < last)
      for (int32_t i = (int32_t)thread(); i < kColumns * T::granules; i += 128) {
        const int32_t panel = i / T::granules;
        if (panel0 + panel < T::panels)
          copyStep<T>(sharedMemory() + slot * kStageBytes + panel * T::stepBytes,
                      operands.weight + (int64_t)(panel0 + panel) * T::panelBytes, step, i % T::granules);
      }
  };
  auto fetchRows = [&](int32_t step, int32_t slot) {
    if (step < last)
      for (int32_t i = (int32_t)thread(); i < kRows * Rows::granules; i += 128)
        Rows::copy(sharedMemory() + slot * kStageBytes + kWeightBytes, operands.in, row0, rows, step, i);
    commitCopies();
  };
  if constexpr (!anyRows) {
    panel0 = (int32_t)(blockX() / kParts) * kColumns;
    first = firstStepOf<T>((int32_t)(blockX() % kParts), kParts);
    last = firstStepOf<T>((int32_t)(blockX() % kParts) + 1, kParts);
    for (int i = 0; i < kStages - 1; ++i)
      fetchWeights(first + i, i);
  }
  waitForPreviousLaunch();
  letNextLaunchBegin();
  rows = args.symbols[p.rows_symbol];
  const int64_t acrossRows = anyRows ? (rows + kRows - 1) / kRows : 1;

  for (int64_t number = blockX(); number < acrossRows * acrossPanels * kParts; number += gridX()) {
    if constexpr (anyRows) { // rows first within kTogether tiles of panels
      const int64_t band = number / (kTogether * acrossRows), within = number % (kTogether * acrossRows);
      const int64_t left = acrossPanels - band * kTogether, bandWidth = left < kTogether ? left : kTogether;
      panel0 = (int32_t)((band * kTogether + within % bandWidth) * kColumns);
      row0 = within / bandWidth * kRows;
      barrier(); // the stages of the tile before are read
    }
    for (int i = 0; i < kStages - 1; ++i) {
      if constexpr (anyRows)
        fetchWeights(first + i, i);
      fetchRows(first + i, i);
    }

    LinearTile<P, kOwn, kOwnRows> own;
    const int32_t present = T::panels % kColumns == 0 ? kOwn : T::panels - panel0 - ownPanel;
    int32_t slot = 0, untilGroup = 0;
    for (int32_t step = first; step < last; ++step) {
      waitCopies<kStages - 2>();
      barrier();
      const int32_t free = slot == 0 ? kStages - 1 : slot - 1;
      fetchWeights(step + kStages - 1, free);
      fetchRows(step + kStages - 1, free);
      if (T::quantized && untilGroup == 0) {
        for (int panel = 0; panel < kOwn; ++panel)
          if (panel < present)
            own.factors[panel].load(operands, panel0 + ownPanel + panel, T::byGroup ? step / T::groupSteps : 0);
        untilGroup = T::groupSteps;
      }
      const unsigned char *stage = sharedMemory() + slot * kStageBytes;
      own.multiply(stage + ownPanel * T::stepBytes, stage + kWeightBytes, ownRow, present);
      if (T::byGroup && (--untilGroup == 0 || step + 1 == last))
        own.closeGroup(operands, panel0 + ownPanel, step / T::groupSteps, row0 + ownRow, rows);
      slot = slot + 1 == kStages ? 0 : slot + 1;
    }
    waitCopies<0>();

    if constexpr (kParts > 1) {
      constexpr int64_t partVectors = (int64_t)kColumns * (kRows / 8) * 32;
      uint32_t *const counter = (uint32_t *)args.workspace + number / kParts;
      Vector16 *const parts =
          (Vector16 *)((char *)args.workspace + kCounterBytes) + number / kParts * kParts * partVectors;
      const auto placeOf = [&](int panel, int j) {
        return ((ownPanel + panel) * (kRows / 8) + ownRow / 8 + j) * 32 + (int32_t)lane();
      };
#pragma unroll
      for (int panel = 0; panel < kOwn; ++panel)
#pragma unroll
        for (int j = 0; j < kOwnRows; ++j)
          parts[number % kParts * partVectors + placeOf(panel, j)] = own.sums[panel][j].stored();
      fence();
      barrier();
      if (!barrierAny(thread() == 0 && atomicAddGlobal(counter, 1) == kParts - 1))
        return;
      fence();
      if (thread() == 0)
        *counter = 0;
#pragma unroll
      for (int panel = 0; panel < kOwn; ++panel)
#pragma unroll
        for (int j = 0; j < kOwnRows; ++j) {
          own.sums[panel][j].set(loadCoherent(parts + placeOf(panel, j)));
#pragma unroll 1 // few registers
          for (int part = 1; part < kParts; ++part)
            own.sums[panel][j].take(loadCoherent(parts + part * partVectors + placeOf(panel, j)));
        }
    }

#pragma unroll
    for (int panel = 0; panel < kOwn; panel += kGate)
#pragma unroll
      for (int j = 0; j < kOwnRows; ++j) {
        const int64_t row = row0 + ownRow + j * 8;
        const int32_t of = panel0 + ownPanel + panel;
        if (panel >= present || row >= rows)
          continue;
        const FragmentC sums = own.sums[panel][j].scaled(operands, of, row, rows);
        if constexpr (kGate == 2)
          epilogue.finish(sums, own.sums[panel + 1][j].scaled(operands, of + 1, row, rows), of / 2, row, rows);
        else
          epilogue.finish(sums, sums, of, row, rows);
      }
  }
}

} // namespace ingot::device

#endif
