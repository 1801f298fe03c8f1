// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `ingot check` and the report tell of weights that a model quantized itself: which products hold its codes, and
// which weights are stored in floats instead, with the reason. Looks at a module after choose-precision; changes
// nothing.
#ifndef INGOT_COMPILER_DRIVER_QUANTIZED_WEIGHTS_H
#define INGOT_COMPILER_DRIVER_QUANTIZED_WEIGHTS_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace ingot::driver {

struct QuantizedWeights {
  std::string held; // "72 of 73 linear: 48 int8:channel times integers, 24 int4:g32 times floats"; or ""
  std::vector<std::string> dequantized; // "MatMul_3: stored in f32, as ..."
};

QuantizedWeights quantizedWeightsIn(mlir::ModuleOp module);

} // namespace ingot::driver

#endif
