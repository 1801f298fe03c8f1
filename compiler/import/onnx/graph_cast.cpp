// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between element types (Graph::cast).
#include "compiler/import/onnx/graph.h"

namespace ingot::onnx {

Tensor Graph::cast(Tensor x, DataType type) {
  if (x->dataType == type)
    return x;
  if (x->dataType == DataType::string || type == DataType::string)
    throw ImportError("strings are not supported");
  auto held = storage(type);
  if (!held)
    throw ImportError("element type " + nameOf(type) + " is not supported");
  if (isSmallFloat(type) || isSmallFloat(x->dataType) || isSmallInteger(type))
    throw ImportError("a conversion from " + nameOf(x->dataType) + " to " + nameOf(type) + " is not supported");
  if (x->known)
    return compute(type, x->shape, [&](const Indices &i) { return ingot::cast(at(x, i), *held); });
  return computed(type, x->shape, builder.cast(value(x), *held));
}

} // namespace ingot::onnx
