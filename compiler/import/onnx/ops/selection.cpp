// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that order and select: TopK, ArgMax and their kin.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> selectionOps() { return {}; }

} // namespace ingot::onnx
