// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places that the numbers of a run select: how many there are is a dimension that depends on data (Graph::measured).
#ifndef INGOT_COMPILER_IMPORT_ONNX_KEPT_H
#define INGOT_COMPILER_IMPORT_ONNX_KEPT_H

#include "compiler/import/onnx/graph.h"

namespace ingot::onnx {

struct Kept {
  Tensor places; // i64 [count], rising, each below the size
  Dimension count;
};

// Of the places 0 .. size - 1 those where `holds`, given a place, is true. Costs 130 steps for each place, and for each that is
// kept size / 4096 and 130 more.
Kept keptWhere(Graph &graph, const Dimension &size, const std::function<Scalar(Scalar)> &holds);

} // namespace ingot::onnx

#endif
