// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of linear and linear_int: a kernel for up to 8 rows that streams the weights, tiles with K in parts for up
// to 16, 32, 64 and 128 rows, and tiles for any number.
#include "compiler/target/cuda/launch.h"

#include "compiler/target/cuda/device/linear_shape.h"

#include <algorithm>

namespace ingot::target::cuda {
namespace {

constexpr int32_t kMostShared = 99 << 10; // of a block on every architecture
// Units of work that fill a large GPU about twice.
constexpr int32_t kUnits = 288;

struct Shape {
  int32_t panels;    // of 16 columns
  int32_t gate;      // panels of a tile of the result
  int32_t steps;     // of 32 k
  int32_t groups;    // of K that are scaled apart
  int32_t stepBytes; // of a panel
  int32_t rowBytes;  // of a row in a step
  bool wide;         // fragments take more registers: parts, or groups with scales
};

template <class Params> Shape shapeOf(const Params &p, int32_t rowBytes, bool quantized) {
  Shape s;
  s.gate = p.gated ? 2 : 1;
  s.panels = (p.n + 15) / 16 * s.gate;
  s.steps = (p.k + 31) / 32;
  s.groups = quantized ? (p.k + p.group - 1) / p.group : 1;
  s.stepBytes = p.layout == INGOT_N16K ? 2048 : p.layout == INGOT_N16K2 ? 1024 : p.layout == INGOT_N16K4 ? 512 : 256;
  s.rowBytes = rowBytes;
  s.wide = quantized;
  return s;
}

// A step of each warp is 1/8 of K, or less where K is short; about 6 KiB of weights on their way for each.
Function rowsFunction(const Shape &s, int32_t rowsSymbol) {
  const int32_t warps = s.steps >= 32 ? 8 : s.steps >= 8 ? 4 : 2;
  const int32_t bytes = s.stepBytes * s.gate;
  const int32_t ring = std::clamp(6144 / bytes, 3, 16);
  Function f;
  f.suffix = "rows8";
  f.header = "linear_rows.h";
  f.call = "linearRows<P, " + std::to_string(warps) + ", " + std::to_string(ring) + ">(args);";
  f.threads = uint32_t(warps) * 32;
  f.sharedBytes = uint32_t(std::max(warps * ring * bytes, warps * s.gate * 512));
  f.grid[0] = Extent::of(s.panels / s.gate);
  f.rowsSymbol = rowsSymbol;
  f.rowsMost = 8;
  return f;
}

Function tilesFunction(const Shape &s, int32_t columns, int32_t rows, int32_t stages, int32_t rowWarps,
                       int32_t splits) {
  Function f;
  f.header = "linear_tiles.h";
  f.call = "linearTiles<P, " + std::to_string(columns) + ", " + std::to_string(rows) + ", " + std::to_string(stages) +
           ", " + std::to_string(rowWarps) + ", " + std::to_string(splits) + ">(args);";
  f.threads = 128;
  f.sharedBytes = uint32_t(stages * (columns * s.stepBytes + rows * s.rowBytes));
  return f;
}

Functions functionsFor(const Shape &s, int32_t rowsSymbol) {
  Functions functions = {rowsFunction(s, rowsSymbol)};
  for (const int32_t rows : {16, 32, 64, 128}) {
    const int32_t rowWarps = rows == 128 ? 2 : 1;
    // Each warp has whole pairs of panels where they are gated, and enough bytes on their way where steps are short.
    const int32_t columns = rows == 128 ? (s.wide ? 4 : 8) : s.gate == 2 || s.stepBytes <= 512 ? 8 : 4;
    const int32_t tiles = (s.panels + columns - 1) / columns;
    // As many parts of K as fill the device, of 8 steps at least. The counters of tiles have a bounded place.
    int32_t splits = std::clamp((kUnits + tiles - 1) / tiles, 1, 16);
    splits = std::max(1, std::min({splits, s.steps / 8, s.groups > 1 ? s.groups : splits}));
    if (tiles > device::kCounterBytes / 4)
      splits = 1;
    const int32_t stageBytes = columns * s.stepBytes + rows * s.rowBytes;
    Function f = tilesFunction(s, columns, rows, std::clamp((48 << 10) / stageBytes, 3, 10), rowWarps, splits);
    f.suffix = "rows" + std::to_string(rows);
    f.grid[0] = Extent::of(int64_t(tiles) * splits);
    if (splits > 1)
      f.workspace = Extent::of(device::kCounterBytes + tiles * splits * device::linearPartBytes(columns, rows));
    f.rowsSymbol = rowsSymbol;
    f.rowsMost = rows;
    functions.push_back(f);
  }
  // Panels and rows of a tile: 128 columns by 128 rows, or half of the columns where registers are short.
  const int32_t columns = s.wide || s.panels <= 64 ? 4 : 8, rows = 128;
  const int32_t stageBytes = columns * s.stepBytes + rows * s.rowBytes;
  Function f = tilesFunction(s, columns, rows, std::clamp(kMostShared / stageBytes, 2, 4), 2, 0);
  f.suffix = "tiles";
  f.blocksPerMultiprocessor = std::max<uint32_t>(1, std::min<uint32_t>(2, kMostShared / f.sharedBytes));
  const int32_t across = (s.panels + columns - 1) / columns;
  f.grid[0] = Extent::of(rowsSymbol, across, rows, int64_t(across) * (rows - 1)); // rows round up
  functions.push_back(f);
  return functions;
}

} // namespace

Functions functionsOf(const linear_params &p, std::string &error) {
  const bool quantized = p.weight_type == INGOT_U8;
  if (quantized && p.group < p.k && p.group % 32 != 0) {
    error = "weights in groups of " + std::to_string(p.group) + " along K; a GPU's kernels take multiples of 32";
    return {};
  }
  const int32_t element = p.in_type == INGOT_F32 ? 4 : 2;
  const bool parts = p.in_type == INGOT_F32 || p.weight_type == INGOT_F32 || (p.in_type != p.weight_type && !quantized);
  Shape s = shapeOf(p, 32 * element, quantized);
  s.wide |= parts;
  return functionsFor(s, p.rows_symbol);
}

Functions functionsOf(const linear_int_params &p, std::string &error) {
  if (p.group < p.k && p.group % 32 != 0) {
    error = "weights in groups of " + std::to_string(p.group) + " along K; a GPU's kernels take multiples of 32";
    return {};
  }
  return functionsFor(shapeOf(p, 32, true), p.rows_symbol);
}

} // namespace ingot::target::cuda
