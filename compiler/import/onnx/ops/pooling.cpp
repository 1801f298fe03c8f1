// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pooling.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> poolingOps() { return {}; }

} // namespace ingot::onnx
