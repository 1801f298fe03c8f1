// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activation functions.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> activationOps() { return {}; }

} // namespace ingot::onnx
