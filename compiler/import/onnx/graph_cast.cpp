// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See graph.h: conversions between element types. Floats of few bits are looked up, and made by formulas of small_float.h; all
// conversions to and from them go through f32.
#include "compiler/import/onnx/graph.h"

namespace ingot::onnx {

Scalar Graph::real(Tensor x, const Indices &indices) {
  Scalar stored = at(x, indices);
  if (!isSmallFloat(x->dataType))
    return ingot::cast(stored, ElementType::f32);
  Tensor &values = smallFloats[x->dataType];
  if (!values)
    values = literal(DataType::f32, smallFloatValues(x->dataType));
  const auto beyond = int64_t(1) << storedBits(x->dataType);
  Scalar byte = ingot::cast(stored, ElementType::index);
  if (beyond < 256) // bytes of 4 bits come from outside too
    byte = byte % Scalar(beyond);
  return at(values, {byte});
}

Tensor Graph::cast(Tensor x, DataType type, CastMode mode) {
  if (x->dataType == type)
    return x;
  if (x->dataType == DataType::string || type == DataType::string)
    throw ImportError("strings are not supported");
  auto held = storage(type);
  if (!held)
    throw ImportError("element type " + nameOf(type) + " is not supported");
  if (isSmallFloat(x->dataType) || isSmallFloat(type)) {
    return compute(type, x->shape, [&](const Indices &i) {
      Scalar number = real(x, i);
      if (isSmallFloat(type))
        return smallFloatBits(type, number, mode);
      return isSmallInteger(type) ? smallIntegerOf(type, ingot::cast(number, ElementType::i32)) : ingot::cast(number, *held);
    });
  }
  if (isSmallInteger(type))
    return compute(type, x->shape, [&](const Indices &i) { return smallIntegerOf(type, ingot::cast(at(x, i), ElementType::i32)); });
  const bool floats = isFloat(x->type) && isFloat(*held);
  auto unmoved = [](const Dequantized &from) { return std::optional(from); };
  if (x->known) {
    Tensor made = compute(type, x->shape, [&](const Indices &i) { return ingot::cast(at(x, i), *held); });
    return floats ? alike(x, made, unmoved) : made;
  }
  if (x->asFloats && type == DataType::f32)
    return x->asFloats();
  if (x->product &&
      type == DataType::f32) { // sums of integers as floats: what is multiplied to them goes into the product
    Tensor made = make(type, x->shape);
    made->product = x->product;
    made->later = [this, x] { return value(scaledSums(x, nullptr, nullptr)); };
    return made;
  }
  if (floats && x->later && x->dequantized) {
    Tensor made = alike(x, make(type, x->shape), unmoved);
    made->later = [this, x, made] { return builder.cast(value(x), made->type); };
    return made;
  }
  Tensor made = described(computed(type, x->shape, builder.cast(value(x), *held)), [&](const Indices &i) { return ingot::cast(at(x, i), *held); });
  return floats ? alike(x, made, unmoved) : made;
}

} // namespace ingot::onnx
