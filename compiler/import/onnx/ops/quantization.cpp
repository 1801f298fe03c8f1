// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operators.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> quantizationOps() { return {}; }

} // namespace ingot::onnx
