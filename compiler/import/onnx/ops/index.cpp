// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that pick and place elements by index.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> indexOps() { return {}; }

} // namespace ingot::onnx
