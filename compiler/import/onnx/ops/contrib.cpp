// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators of com.microsoft.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> contribOps() { return {}; }

} // namespace ingot::onnx
