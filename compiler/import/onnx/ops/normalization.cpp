// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Norms and softmax.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> normalizationOps() { return {}; }

} // namespace ingot::onnx
