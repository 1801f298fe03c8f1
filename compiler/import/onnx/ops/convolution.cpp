// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> convolutionOps() { return {}; }

} // namespace ingot::onnx
