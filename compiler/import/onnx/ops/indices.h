// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Indices that models give at run time, for the operators that read or write by them.
#ifndef INGOT_COMPILER_IMPORT_ONNX_OPS_INDICES_H
#define INGOT_COMPILER_IMPORT_ONNX_OPS_INDICES_H

#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

// Where an index points, from the end where it is negative. One that is outside reads the nearest element: whatever a model's
// inputs hold, nothing outside a tensor is read.
Scalar positionOf(Scalar index, const Dimension &size);
// The nearest position in a dimension.
Scalar clampedTo(Scalar index, const Dimension &size);
// Throws where an input of indices is no integer, or is known and holds one that lies outside.
void checkIndices(Op &op, size_t input, const Dimension &size);

} // namespace ingot::onnx

#endif
