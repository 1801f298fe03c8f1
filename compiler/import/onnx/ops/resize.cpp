// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resizing and sampling of images.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

std::span<const Definition> resizeOps() { return {}; }

} // namespace ingot::onnx
