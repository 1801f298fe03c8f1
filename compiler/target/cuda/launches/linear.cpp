// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of linear and linear_int: kernels for up to 8, 16, 32 and 64 rows that stream the weights, and one over tiles.
#include "compiler/target/cuda/launch.h"

#include <algorithm>

namespace ingot::target::cuda {
namespace {

constexpr uint32_t kMostShared = 99 << 10; // of a block on every architecture

struct Shape {
  int32_t panels;    // of 16 columns
  int32_t gate;      // panels of a tile of the result
  int32_t steps;     // of 32 k
  int32_t stepBytes; // of a panel
  int32_t rowBytes;  // of a row in a step
  bool wide;         // fragments take more registers: parts, or groups with scales
};

template <class Params> Shape shapeOf(const Params &p, int32_t rowBytes, bool wide) {
  Shape s;
  s.gate = p.gated ? 2 : 1;
  s.panels = (p.n + 15) / 16 * s.gate;
  s.steps = (p.k + 31) / 32;
  s.stepBytes = p.layout == INGOT_N16K ? 2048 : p.layout == INGOT_N16K2 ? 1024 : p.layout == INGOT_N16K4 ? 512 : 256;
  s.rowBytes = rowBytes;
  s.wide = wide;
  return s;
}

Functions functionsFor(const Shape &s, int32_t rowsSymbol) {
  Functions functions;
  for (int32_t rowTiles : {1, 2, 4, 8}) {
    // Enough warps that a few tiles fill a GPU, but none without a step; about 6 KiB on their way for each.
    const int32_t warps = s.steps >= 32 ? 8 : s.steps >= 8 ? 4 : 2;
    const int32_t bytes = s.stepBytes * s.gate;
    const int32_t ring = std::clamp(6144 / bytes, 3, 12);
    Function f;
    f.suffix = "rows" + std::to_string(rowTiles * 8);
    f.header = "linear_rows.h";
    f.call = "linearRows<P, " + std::to_string(rowTiles) + ", " + std::to_string(warps) + ", " + std::to_string(ring) +
             ">(args);";
    f.threads = uint32_t(warps) * 32;
    f.sharedBytes = uint32_t(std::max(warps * ring * bytes, warps * s.gate * rowTiles * 512));
    f.grid[0] = Extent::of(s.panels / s.gate);
    f.rowsSymbol = rowsSymbol;
    f.rowsMost = rowTiles * 8;
    functions.push_back(f);
  }
  // Panels and rows of a tile: 128 columns by 128 rows, or half of the columns where registers are short.
  const int32_t columns = s.wide || s.panels <= 64 ? 4 : 8, rows = 128;
  const int32_t stageBytes = columns * s.stepBytes + rows * s.rowBytes;
  const int32_t stages = std::clamp(int32_t(kMostShared) / stageBytes, 2, 4);
  Function f;
  f.suffix = "tiles";
  f.header = "linear_tiles.h";
  f.call = "linearTiles<P, " + std::to_string(columns) + ", " + std::to_string(rows) + ", " + std::to_string(stages) +
           ">(args);";
  f.threads = 128;
  f.sharedBytes = uint32_t(stages * stageBytes);
  f.blocksPerMultiprocessor = std::max<uint32_t>(1, std::min<uint32_t>(2, kMostShared / f.sharedBytes));
  f.grid[0] = Extent::of(rowsSymbol, (s.panels + columns - 1) / columns, rows, rows);
  f.rowsSymbol = -1;
  functions.push_back(f);
  return functions;
}

} // namespace

Functions functionsOf(const linear_params &p, std::string &) {
  const int32_t element = p.in_type == INGOT_F32 ? 4 : 2;
  return functionsFor(shapeOf(p, 32 * element, p.in_type != INGOT_BF16 || p.weight_type != INGOT_BF16), p.rows_symbol);
}

Functions functionsOf(const linear_int_params &p, std::string &) {
  return functionsFor(shapeOf(p, 32, true), p.rows_symbol);
}

} // namespace ingot::target::cuda
