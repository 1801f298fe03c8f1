// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates scalars (compiler/import/scalar.h) on literals: the same definitions that become IR give the constants of a graph.
#ifndef INGOT_COMPILER_IMPORT_ONNX_EVALUATE_H
#define INGOT_COMPILER_IMPORT_ONNX_EVALUATE_H

#include "compiler/import/onnx/literal.h"
#include "compiler/import/scalar.h"

#include <functional>
#include <optional>

namespace ingot::onnx {

// The literal of a tensor that a scalar reads; null where its elements are not known.
using LiteralOf = std::function<const Literal *(const void *tensor)>;

// The scalar where the loops stand at these indices; nothing where it cannot be told: an element that is not known,
// a comparison that depends on dimensions, an index outside.
std::optional<Cell> evaluate(const Scalar &scalar, const std::vector<int64_t> &loops, const LiteralOf &literals);

} // namespace ingot::onnx

#endif
