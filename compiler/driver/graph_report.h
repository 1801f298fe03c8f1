// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What passes made of a graph that an exporter wrote, for people: its inputs and outputs, the ops that were found in it, and what was left.
#ifndef INGOT_COMPILER_DRIVER_GRAPH_REPORT_H
#define INGOT_COMPILER_DRIVER_GRAPH_REPORT_H

#include "compiler/driver/quantized_weights.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace ingot::driver {

struct GraphReport {
  std::string made;               // "2 attention, 5 layer norm, 2 GELU"
  std::vector<std::string> left;  // "MatMul_7: looks like attention, but its probabilities are read elsewhere"
  std::vector<std::string> padding; // "dropped ...", "kept: ..."
  QuantizedWeights quantized;
  std::string notDecoder;         // why a graph with keys and values of earlier positions is none; "" where it is, or has none
  std::vector<std::string> signature; // a line for each input and output
};

// Of a module after buildPrecisionPipeline.
GraphReport reportGraph(mlir::ModuleOp module);

} // namespace ingot::driver

#endif
