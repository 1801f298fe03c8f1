// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> reductionOps() { return {}; }

} // namespace ingot::onnx
