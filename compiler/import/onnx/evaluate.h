// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates scalars (compiler/import/scalar.h) on literals: the same definitions that become IR give the constants of a graph.
#ifndef INGOT_COMPILER_IMPORT_ONNX_EVALUATE_H
#define INGOT_COMPILER_IMPORT_ONNX_EVALUATE_H

#include "compiler/import/onnx/literal.h"
#include "compiler/import/builder.h"
#include "compiler/import/scalar.h"

#include <functional>
#include <optional>

namespace ingot::onnx {

// The literal of a tensor that a scalar reads; null where its elements are not known.
using LiteralOf = std::function<const Literal *(const void *tensor)>;

// An element of a tensor that has no literal; nothing where it is not known either.
using ElementOf = std::function<std::optional<Cell>(const void *tensor, const std::vector<int64_t> &indices)>;

// The scalar where the loops stand at these indices; nothing where it cannot be told: an element that is not known,
// a comparison that depends on dimensions, an index outside.
std::optional<Cell> evaluate(const Scalar &scalar, const std::vector<int64_t> &loops, const LiteralOf &literals,
                             const ElementOf &elements = {});
// Two cells of a type combined as a reduction does.
std::optional<Cell> combined(Reduction kind, ElementType type, const Cell &a, const Cell &b);

} // namespace ingot::onnx

#endif
