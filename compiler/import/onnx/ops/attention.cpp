// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention and rotary embedding.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> attentionOps() { return {}; }

} // namespace ingot::onnx
