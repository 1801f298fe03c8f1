// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See graph.h: products of quantized tensors. Which integers a tensor stands for is kept beside it, through reshapes,
// transposes and casts; a product that finds both operands so becomes one of integers, one that finds a constant
// becomes one with the model's own codes.
#include "compiler/import/onnx/graph.h"

#include <algorithm>

namespace ingot::onnx {

namespace {

constexpr int64_t kLongestSum = 32768; // 255 * 255 * this fits 32 bits

bool isByte(Tensor codes) { return codes->dataType == DataType::u8 || codes->dataType == DataType::i8; }
bool isCodes(Tensor codes) {
  return isByte(codes) || codes->dataType == DataType::u4 || codes->dataType == DataType::i4 ||
         codes->dataType == DataType::u2 || codes->dataType == DataType::i2;
}
bool isOne(Tensor tensor) { return elementsOf(tensor->shape) == Dimension(1); }

// The number that all elements of a constant of integers are; nothing where they differ.
std::optional<int64_t> uniform(Tensor tensor) {
  if (tensor->known) {
    std::optional<int64_t> all;
    for (const Cell &cell : tensor->known->cells) {
      if (!std::holds_alternative<int64_t>(cell) || (all && *all != std::get<int64_t>(cell)))
        return std::nullopt;
      all = std::get<int64_t>(cell);
    }
    return all;
  }
  const TensorBytes *bytes = tensor->stored ? &*tensor->stored : tensor->packed ? &*tensor->packed : nullptr;
  if (!bytes || bytes->bytes == 0 || isFloat(tensor->type) ||
      std::any_of(bytes->data, bytes->data + bytes->bytes, [&](char byte) { return byte != *bytes->data; }))
    return std::nullopt;
  const auto byte = uint8_t(*bytes->data);
  if (tensor->stored)
    return elementBytes(tensor->type) != 1
               ? std::nullopt
               : std::optional<int64_t>(tensor->type == ElementType::i8 ? int8_t(byte) : byte);
  if (storedBits(bytes->type) != 4 || (byte & 15) != byte >> 4)
    return std::nullopt;
  return tensor->type == ElementType::i8 && (byte & 8) ? (byte & 15) - 16 : byte & 15;
}

// How a quantized weight can hold the codes; nothing where none holds exactly these.
std::optional<QuantizedSpec> specOf(const WeightCodes &weight) {
  if (weight.zeros && isFloat(weight.zeros->type))
    return std::nullopt;
  const bool whole = weight.block == 0 || weight.block >= weight.k;
  QuantizedSpec spec;
  spec.bits = weight.bits <= 4 ? 4 : 8;
  if (!whole || spec.bits == 4) {
    spec.group = 128;
    if (!whole)
      while (spec.group >= 32 && weight.block % spec.group)
        spec.group /= 2;
    if (spec.group < 32)
      return std::nullopt;
    if (weight.scales && weight.scales->type == ElementType::f16)
      spec.scale = ElementType::f16;
  }
  const int64_t middle = weight.isSigned ? 0 : spec.bits == 4 ? 8 : 128;
  const std::optional<int64_t> zero = weight.zeros ? uniform(weight.zeros) : std::optional(weight.zero);
  spec.zeros = !zero || *zero != middle;
  return spec;
}

} // namespace

bool Graph::isConstant(Tensor tensor) {
  return tensor->stored || tensor->packed || (tensor->known && tensor->known->isConstant());
}

bool Graph::isQuantizedWeight(Tensor tensor) { return tensor->dequantized && tensor->dequantized->constant; }

// --- What tensors stand for.

Tensor Graph::alike(Tensor x, Tensor result,
                    const std::function<std::optional<Dequantized>(const Dequantized &)> &moved) {
  if (!x->dequantized)
    return result;
  std::optional<Dequantized> how = moved(*x->dequantized);
  if (!how)
    return result;
  result->dequantized = std::make_shared<const Dequantized>(*how);
  return result;
}

Tensor Graph::transposedAlike(Tensor x, Tensor result, const std::vector<int64_t> &permutation) {
  using Along = Dequantized::Along;
  return alike(x, result, [&](const Dequantized &from) -> std::optional<Dequantized> {
    Dequantized how = from;
    if (from.along == Along::blocks && permutation != std::vector<int64_t>{1, 0})
      return std::nullopt;
    how.codes = transpose(from.codes, permutation);
    if (from.along != Along::all)
      how.axis = size_t(std::find(permutation.begin(), permutation.end(), int64_t(from.axis)) - permutation.begin());
    if (from.along == Along::blocks) {
      how.scale = transpose(from.scale, permutation);
      how.zero = from.zero && from.zero->rank() == 2 ? transpose(from.zero, permutation) : from.zero;
    }
    return how;
  });
}

Tensor Graph::reshapedAlike(Tensor x, Tensor result) {
  using Along = Dequantized::Along;
  return alike(x, result, [&](const Dequantized &from) -> std::optional<Dequantized> {
    const bool first = from.along == Along::axis && from.axis == 0 && result->rank() > 0 && x->rank() > 0 &&
                       result->shape[0] == x->shape[0];
    if (from.along != Along::all && !first)
      return std::nullopt;
    Dequantized how = from;
    how.codes = reshape(from.codes, result->shape);
    return how;
  });
}

Tensor Graph::scaledAlike(Tensor result, Tensor x, Tensor y) {
  for (auto [number, constants] : {std::pair(x, y), std::pair(y, x)})
    if (result->dataType == DataType::f32 && isOne(number) && !isConstant(number) && isConstant(constants))
      result->factors = std::make_shared<const ScaleFactors>(ScaleFactors{number, constants});
  return result;
}

Tensor Graph::dequantize(DataType type, Dequantized how, const std::function<Tensor()> &plainly) {
  const bool constant = isCodes(how.codes) && isConstant(how.codes) && isConstant(how.scale) &&
                        (!how.zero || isConstant(how.zero)) && isFloat(how.scale->type) &&
                        how.scale->type != ElementType::f64 && isFloat(*storage(type)) && type != DataType::f64 &&
                        how.codes->rank() > 0;
  const bool rows = isByte(how.codes) && how.along == Dequantized::Along::all && isOne(how.scale);
  if (!constant && !(rows && !isConstant(how.codes)))
    return plainly();
  how.constant = constant;
  how.everyZero = !how.zero ? std::optional<int64_t>(0) : constant ? uniform(how.zero) : std::nullopt;
  Tensor result;
  if (constant && !how.codes->known) {
    result = make(type, how.codes->shape);
    result->dequantized = std::make_shared<const Dequantized>(how);
    result->later = [this, result, plainly] {
      std::optional<Value> floats = floatsOf(result);
      return floats ? *floats : value(plainly());
    };
    return result;
  }
  result = plainly();
  result->dequantized = std::make_shared<const Dequantized>(how);
  return result;
}

// --- Weights.

// Of a constant [n, k] whose scales are those of rows, of columns, or of blocks of columns.
std::optional<WeightCodes> Graph::codesOf(Tensor weight) {
  using Along = Dequantized::Along;
  if (!isQuantizedWeight(weight) || weight->rank() != 2 || !weight->shape[0].isConstant() ||
      !weight->shape[1].isConstant())
    return std::nullopt;
  const Dequantized &from = *weight->dequantized;
  WeightCodes codes;
  codes.n = *weight->shape[0].constant();
  codes.k = *weight->shape[1].constant();
  if (codes.n < 1 || codes.k < 1)
    return std::nullopt;
  codes.bits = storedBits(from.codes->dataType);
  codes.isSigned = from.codes->type == ElementType::i8;
  codes.codes = value(from.codes);
  if (from.along == Along::blocks && from.axis != 1)
    return std::nullopt;
  codes.block = from.along == Along::blocks ? from.block : from.along == Along::axis && from.axis == 1 ? 1 : 0;
  auto matrix = [&](Tensor of) {
    if (isOne(of))
      return reshape(of, {Dimension(1), Dimension(1)});
    if (from.along == Along::blocks)
      return of;
    return from.axis == 0 ? reshape(of, {weight->shape[0], Dimension(1)})
                          : reshape(of, {Dimension(1), weight->shape[1]});
  };
  codes.scales = matrix(from.scale);
  codes.zeros = from.everyZero ? nullptr : matrix(from.zero);
  codes.zero = from.everyZero.value_or(0);
  return codes;
}

Value Graph::quantizedValue(const WeightCodes &weight, std::optional<QuantizedSpec> spec) {
  Tensor scales = weight.scales ? weight.scales : scalar(DataType::f32, 1, {1, 1});
  if (!spec || spec->scale == ElementType::f32)
    scales = cast(scales, DataType::f32);
  Value zeros;
  int64_t zero = weight.zero;
  if (weight.zeros && (!spec || spec->zeros)) {
    zeros = value(weight.zeros);
  } else if (weight.zeros) {
    zero = *uniform(weight.zeros);
  } else if (spec && spec->zeros) {
    zeros = value(scalar(weight.isSigned ? DataType::i8 : DataType::u8, double(zero), {1, 1}));
  }
  const int64_t block = weight.block >= weight.k ? 0 : weight.block;
  return builder.assemble(weight.codes, value(scales), zeros, block, zero, spec ? &*spec : nullptr);
}

// The constant in floats, dequantized while the engine is written; nothing where its scales lie in another way.
std::optional<Value> Graph::floatsOf(Tensor weight) {
  using Along = Dequantized::Along;
  const Dequantized &from = *weight->dequantized;
  const size_t rank = weight->rank();
  auto typed = [&](Value made) { return weight->type == ElementType::f32 ? made : builder.cast(made, weight->type); };
  if (rank == 2) {
    if (auto codes = codesOf(weight))
      return typed(quantizedValue(*codes, std::nullopt));
    // Blocks of rows: turned, so that they are of columns.
    Tensor turned = transposedAlike(weight, make(DataType::f32, {weight->shape[1], weight->shape[0]}), {1, 0});
    std::optional<WeightCodes> codes = codesOf(turned);
    return codes ? std::optional(typed(builder.transpose(quantizedValue(*codes, std::nullopt), {1, 0}))) : std::nullopt;
  }
  if (rank == 0 || from.along == Along::blocks)
    return std::nullopt;
  // As a matrix of the first dimension by the others, or of the others by the last.
  Shape matrix{weight->shape[0], elementsOf(Shape(weight->shape.begin() + 1, weight->shape.end()))};
  Dequantized how = from;
  if (from.along == Along::axis && from.axis != 0) {
    if (from.axis + 1 != rank)
      return std::nullopt;
    matrix = {elementsOf(Shape(weight->shape.begin(), weight->shape.end() - 1)), weight->shape.back()};
    how.axis = 1;
  }
  how.codes = reshape(from.codes, matrix);
  Tensor flat = make(DataType::f32, matrix);
  flat->dequantized = std::make_shared<const Dequantized>(how);
  std::optional<WeightCodes> codes = codesOf(flat);
  return codes ? std::optional(builder.reshape(typed(quantizedValue(*codes, std::nullopt)), weight->shape))
               : std::nullopt;
}

Tensor Graph::rowsTimes(Tensor rows, const WeightCodes &weight, bool integers) {
  std::optional<QuantizedSpec> spec = specOf(weight);
  Value held = quantizedValue(weight, spec), x = value(rows);
  return computed(DataType::f32, {rows->shape[0], Dimension(weight.n)},
                  spec ? builder.quantizedLinear(x, held, integers) : builder.linear(x, held));
}

Tensor Graph::lookUp(Tensor numbers, const WeightCodes &weight) {
  return computed(DataType::f32, {numbers->shape[0], Dimension(weight.k)},
                  builder.embedding(value(numbers), quantizedValue(weight, specOf(weight))));
}

Tensor Graph::rowsTimes(Tensor rows, Tensor weight) {
  if (auto codes = codesOf(weight))
    return rowsTimes(rows, *codes, false);
  return computed(DataType::f32, {rows->shape[0], weight->shape[0]}, builder.linear(value(rows), value(weight)));
}

// --- Products.

Tensor Graph::codesTimes(Tensor rows, Tensor zero, Tensor scale, Tensor weight) {
  std::optional<WeightCodes> codes = codesOf(weight);
  std::optional<QuantizedSpec> spec = codes ? specOf(*codes) : std::nullopt;
  if (!spec || spec->bits != 8 || spec->group != 0 || codes->k > kLongestSum || !isByte(rows) ||
      (zero && !isOne(zero)) || (scale && !isOne(scale)))
    return nullptr;
  return integerRows({rows, zero, nullptr, nullptr}, scale, *codes, *spec, {rows->shape[0], weight->shape[0]});
}

// a [.., k] times a dequantized constant b [k, n]: as integers where a was dequantized too, with one scale.
Tensor Graph::quantizedMatmul(Tensor a, Tensor b) {
  const Dimension k = a->shape.back();
  if (b->rank() != 2 || !isQuantizedWeight(b) || a->known || !k.isConstant() || k == Dimension(0) || b->shape[1] == Dimension(0) || !isFloat(a->type) ||
      a->type == ElementType::f64)
    return nullptr;
  Tensor turned = transpose(b, {1, 0});
  std::optional<WeightCodes> weight = codesOf(turned);
  const Dimension rows = elementsOf(Shape(a->shape.begin(), a->shape.end() - 1));
  Shape shape = a->shape;
  shape.back() = b->shape[1];
  if (a->dequantized && !a->dequantized->constant) {
    const Dequantized &from = *a->dequantized;
    if (Tensor made = codesTimes(reshape(from.codes, {rows, k}), from.zero, from.scale, turned))
      return cast(reshape(made, shape), a->dataType);
  }
  Tensor flat = reshape(cast(a, DataType::f32), {rows, k});
  Tensor made = weight ? rowsTimes(flat, *weight, false)
                       : computed(DataType::f32, {rows, b->shape[1]}, builder.linear(value(flat), value(turned)));
  return cast(reshape(made, shape), a->dataType);
}

Tensor Graph::integerRows(const IntegerProduct &product, Tensor scale, const WeightCodes &weight,
                          const QuantizedSpec &spec, const Shape &shape) {
  Tensor a = product.a, zero = product.aZero;
  const Dimension rows = elementsOf(Shape(a->shape.begin(), a->shape.end() - 1));
  if (!zero && a->dataType == DataType::u8)
    zero = scalar(DataType::u8, 0);
  if (zero && a->dataType == DataType::i8)
    if (auto all = isConstant(zero) ? uniform(zero) : std::nullopt; all && *all == 0)
      zero = nullptr;
  if (!scale)
    scale = scalar(DataType::f32, 1);
  Value made = builder.integerLinear(value(reshape(a, {rows, a->shape.back()})), value(cast(scale, DataType::f32)),
                                     zero ? value(zero) : Value(), quantizedValue(weight, spec));
  return reshape(computed(DataType::f32, {rows, Dimension(weight.n)}, made), shape);
}

Tensor Graph::integerMatmul(Tensor a, Tensor aZero, Tensor b, Tensor bZero, const std::function<Tensor()> &plainly) {
  const bool fits = isByte(a) && isByte(b) && !a->known && a->rank() >= 2 && b->rank() == 2 && isConstant(b) &&
                    b->shape[0].isConstant() && b->shape[1].isConstant() && a->shape.back() == b->shape[0] &&
                    *b->shape[0].constant() <= kLongestSum && *b->shape[0].constant() > 0 && *b->shape[1].constant() > 0 &&
                    (!aZero || (isOne(aZero) && aZero->dataType == a->dataType)) &&
                    (!bZero || (isConstant(bZero) && bZero->dataType == b->dataType &&
                                (isOne(bZero) || elementsOf(bZero->shape) == b->shape[1])));
  if (!fits)
    return plainly();
  Shape shape = a->shape;
  shape.back() = b->shape[1];
  Tensor sums = make(DataType::i32, shape);
  sums->product = std::make_shared<const IntegerProduct>(IntegerProduct{a, aZero, b, bZero});
  sums->later = [this, plainly] { return value(plainly()); };
  return sums;
}

Tensor Graph::scaledSums(Tensor sums, Tensor aScale, Tensor bScale) {
  if (!sums->product)
    return nullptr;
  const IntegerProduct &product = *sums->product;
  const Dimension n = product.b->shape[1];
  auto ofColumns = [&](Tensor scale) {
    return isOne(scale) || (elementsOf(scale->shape) == n && scale->shape.back() == n);
  };
  if ((aScale && (!isOne(aScale) || aScale->dataType != DataType::f32)) ||
      (bScale && (!isConstant(bScale) || bScale->dataType != DataType::f32 || !ofColumns(bScale))))
    return nullptr;
  auto matrix = [&](Tensor of) { return reshape(of, {isOne(of) ? Dimension(1) : n, Dimension(1)}); };
  WeightCodes weight;
  weight.n = *n.constant();
  weight.k = *product.b->shape[0].constant();
  weight.isSigned = product.b->dataType == DataType::i8;
  weight.codes = value(transpose(product.b, {1, 0}));
  weight.scales = bScale ? matrix(bScale) : nullptr;
  weight.zeros = product.bZero ? matrix(product.bZero) : nullptr;
  return integerRows(product, aScale, weight, *specOf(weight), sums->shape);
}

} // namespace ingot::onnx
