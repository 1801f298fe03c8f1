// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft's quantized operators (ONNX Runtime, docs/ContribOperators.md): products with weights of few bits, products of
// integers, and the QLinear forms, which are a float operator between DequantizeLinear and QuantizeLinear.
#include "compiler/import/onnx/compose.h"
#include "compiler/import/onnx/ops/contrib_attention.h"
#include "compiler/import/onnx/window.h"

#include <limits>
#include <numeric>

namespace ingot::onnx {

// Of all, of each column, or (rows) of each row: made to stand before a product's last dimensions.
static Tensor broadcastParameter(Op &op, Tensor parameter, bool rows) {
  if (elementsOf(parameter->shape) == Dimension(1))
    return op.graph.reshape(parameter, {});
  if (rows && parameter->rank() == 1)
    return op.graph.reshape(parameter, {parameter->shape[0], Dimension(1)});
  return parameter;
}

Tensor integerProduct(Op &op, Tensor a, Tensor b, Tensor zeroA, Tensor zeroB) {
  Graph &graph = op.graph;
  for (auto [x, zero] : {std::pair(a, zeroA), std::pair(b, zeroB)})
    if (isFloat(x->type) || isSmallFloat(x->dataType) || (zero && (isFloat(zero->type) || isSmallFloat(zero->dataType))))
      op.fail("an operand is of " + nameOf(x->dataType) + "; expected integers, and zero points of that type");
  return graph.integerMatmul(a, zeroA, b, zeroB, [op, &graph, a, b, zeroA, zeroB]() mutable {
    auto shifted = [&](Tensor x, Tensor zero, bool rows) {
      if (!zero)
        return graph.cast(x, DataType::i32);
      return graph.map(DataType::i32, {x, broadcastParameter(op, zero, rows)}, [](const std::vector<Scalar> &v) {
        return cast(v[0], ElementType::i32) - cast(v[1], ElementType::i32);
      });
    };
    return graph.matmul(shifted(a, zeroA, true), shifted(b, zeroB, false));
  });
}

Tensor scaledProduct(Op &op, Tensor a, Tensor b, Tensor scaleA, Tensor scaleB, Tensor zeroA, Tensor zeroB) {
  Graph &graph = op.graph;
  if (!isFloat(scaleA->type) || scaleA->dataType != scaleB->dataType)
    op.fail("scales are of " + nameOf(scaleA->dataType) + " and " + nameOf(scaleB->dataType) + "; expected floats of one type");
  Tensor sums = integerProduct(op, a, b, zeroA, zeroB);
  if (Tensor product = scaleA->dataType == DataType::f32 ? graph.scaledSums(sums, scaleA, scaleB) : nullptr)
    return product;
  Tensor product = graph.map(
      DataType::f32,
      {graph.cast(sums, DataType::f32), broadcastParameter(op, scaleA, true), broadcastParameter(op, scaleB, false)},
      [](const std::vector<Scalar> &v) { return v[0] * (v[1] * v[2]); });
  return graph.cast(product, scaleA->dataType);
}

namespace {

// --- Weights of few bits.

// Number `index` of those packed in the bytes of the last dimension, the first in the lowest bits; u8.
Scalar packedNumber(Graph &graph, Tensor bytes, Indices indices, Scalar index, int64_t bits) {
  const int64_t each = 8 / bits;
  indices.push_back(index / Scalar(each));
  Scalar byte = graph.at(bytes, std::move(indices));
  if (bits == 8)
    return byte;
  Scalar shift = cast(index % Scalar(each) * Scalar(bits), ElementType::u8);
  return apply(ScalarOp::bit_and, apply(ScalarOp::shift_right, byte, shift), like(byte, double((1 << bits) - 1)));
}

int64_t bitsOf(Op &op) {
  const int64_t bits = op.integer("bits", 4);
  if (bits != 2 && bits != 4 && bits != 8)
    op.fail("bits is " + std::to_string(bits) + "; expected 2, 4 or 8");
  return bits;
}

// Whether all bytes of a constant are this one.
bool areAll(Tensor bytes, int64_t byte) {
  if (bytes->known)
    return std::all_of(bytes->known->cells.begin(), bytes->known->cells.end(), [&](const Cell &cell) {
      return std::holds_alternative<int64_t>(cell) && std::get<int64_t>(cell) == byte;
    });
  return bytes->stored && std::all_of(bytes->stored->data, bytes->stored->data + bytes->stored->bytes,
                                      [&](char c) { return uint8_t(c) == uint64_t(byte); });
}

// A weight whose rows of codes, and rows of zero points, lie in bytes of their own. Without zero points they are in the middle.
WeightCodes packedWeight(Graph &graph, Tensor bytes, Tensor scales, Tensor zeros, WeightCodes weight) {
  const int64_t bits = weight.bits, blocks = (weight.k + weight.block - 1) / weight.block;
  weight.codes = graph.ir().unpackBits(graph.value(bytes), bits, weight.k, false);
  weight.scales = scales;
  weight.zero = int64_t(1) << (bits - 1);
  if (zeros && !areAll(zeros, bits == 4 ? 0x88 : bits == 8 ? 0x80 : 0xaa))
    weight.zeros = graph.computed(DataType::u8, {weight.n, blocks}, graph.ir().unpackBits(graph.value(zeros), bits, blocks, false));
  return weight;
}

// a times the transpose of weights [n, k], which are held in blocks of k: (q - zero point) * scale.
std::vector<Tensor> matMulNBits(Op &op) {
  Graph &graph = op.graph;
  Tensor a = floatInput(op, 0), b = op.input(1), scales = op.input(2), zeros = op.optional(3), bias = op.optional(5);
  const int64_t bits = bitsOf(op), block = op.integer("block_size"), rows = op.integer("N"), columns = op.integer("K");
  if (Tensor groups = op.optional(4)) { // which block each of k belongs to
    const auto known = graph.knownIntegers(groups);
    bool inOrder = known && int64_t(known->size()) >= columns;
    for (int64_t i = 0; inOrder && i < columns; ++i)
      inOrder = (*known)[size_t(i)] == Dimension(i / block);
    if (!inOrder)
      op.fail("its input g_idx puts columns in another order than that of their blocks, which is not supported");
  }
  if (op.integer("weight_prepacked", 0))
    op.fail("weight_prepacked is not supported: the layout is a device's own");
  if (block < 16 || (block & (block - 1)) || rows < 1 || columns < 1 || block > (1 << 24))
    op.fail("N, K and block_size are " + std::to_string(rows) + ", " + std::to_string(columns) + " and " + std::to_string(block) +
            "; expected positive numbers and a power of two from 16 on");
  const int64_t blocks = (columns + block - 1) / block, bytes = block * bits / 8, zeroBytes = (blocks * bits + 7) / 8;
  if (b->dataType != DataType::u8 || !(elementsOf(b->shape) == Dimension(rows * blocks * bytes)))
    op.fail("the weights are of " + nameOf(b->dataType) + " and have shape " + textOf(b->shape) + "; expected uint8 [" +
            std::to_string(rows) + ", " + std::to_string(blocks) + ", " + std::to_string(bytes) + "]");
  if (!(elementsOf(scales->shape) == Dimension(rows * blocks)) || scales->dataType != a->dataType)
    op.fail("the scales are of " + nameOf(scales->dataType) + " and have shape " + textOf(scales->shape) + "; expected " +
            std::to_string(rows) + " times " + std::to_string(blocks) + " of the input's type");
  const bool packedZeros = zeros && zeros->dataType == DataType::u8;
  if (zeros && ((!packedZeros && zeros->dataType != a->dataType) ||
                !(elementsOf(zeros->shape) == Dimension(rows * (packedZeros ? zeroBytes : blocks)))))
    op.fail("the zero points are of " + nameOf(zeros->dataType) + " and have shape " + textOf(zeros->shape) +
            "; expected one for each scale");
  const DataType wide = wideType(a->dataType);
  auto finished = [&](Tensor product) {
    if (bias)
      product = graph.elementwise(ScalarOp::add, {product, graph.cast(bias, wide)});
    return graph.cast(product, a->dataType);
  };
  if (Graph::isConstant(b) && Graph::isConstant(scales) && (!zeros || Graph::isConstant(zeros)) &&
      a->type != ElementType::f64 && !a->known) {
    WeightCodes weight;
    weight.n = rows;
    weight.k = columns;
    weight.bits = bits;
    weight.block = block;
    weight = packedWeight(graph, graph.reshape(b, {rows, blocks * bytes}), graph.reshape(scales, {rows, blocks}),
                          packedZeros ? graph.reshape(zeros, {rows, zeroBytes}) : nullptr, weight);
    if (zeros && !packedZeros)
      weight.zeros = graph.reshape(zeros, {rows, blocks});
    Shape shape = a->shape;
    if (shape.empty() || !(shape.back() == Dimension(columns)))
      op.fail("the input has shape " + textOf(shape) + "; expected rows of K = " + std::to_string(columns));
    shape.back() = rows;
    Tensor flat = graph.reshape(graph.cast(a, DataType::f32),
                                {elementsOf(Shape(shape.begin(), shape.end() - 1)), Dimension(columns)});
    return {finished(graph.reshape(graph.rowsTimes(flat, weight, op.integer("accuracy_level", 0) == 4), shape))};
  }
  b = graph.reshape(b, {rows, blocks, bytes});
  scales = graph.reshape(scales, {rows, blocks});
  if (zeros)
    zeros = graph.reshape(zeros, {rows, packedZeros ? zeroBytes : blocks});
  const ElementType held = *storage(wide);
  Tensor weights = graph.compute(wide, {columns, rows}, [&](const Indices &i) {
    const Scalar at = i[0] / Scalar(block);
    Scalar number = cast(packedNumber(graph, b, {i[1], at}, i[0] % Scalar(block), bits), held);
    Scalar zero = !zeros         ? Scalar::real(held, double(1 << (bits - 1)))
                  : packedZeros ? cast(packedNumber(graph, zeros, {i[1]}, at, bits), held)
                                : widened(graph.at(zeros, {i[1], at}));
    return (number - zero) * widened(graph.at(scales, {i[1], at}));
  });
  return {finished(graph.matmul(graph.cast(a, wide), weights))};
}

// Rows of a table that is quantized in blocks along an axis. An index outside gives zeros.
std::vector<Tensor> gatherBlockQuantized(Op &op) {
  Graph &graph = op.graph;
  Tensor data = op.input(0), indices = op.input(1), scales = op.input(2), zeros = op.optional(3);
  const size_t rank = data->rank();
  const size_t from = axisOf(op.integer("gather_axis", 0), rank), along = axisOf(op.integer("quantize_axis", 1), rank);
  const int64_t block = op.integer("block_size", 128);
  const bool bytes = data->dataType == DataType::u8;
  const int64_t bits = bytes ? bitsOf(op) : 4;
  if (!bytes && data->dataType != DataType::u4 && data->dataType != DataType::i4)
    op.fail("the table is of " + nameOf(data->dataType) + "; uint8, uint4 and int4 are supported");
  if (bytes && bits != 8 && (along + 1 != rank || from + 1 == rank))
    op.fail("bytes that hold several numbers are supported along the last axis alone, and not gathered along it");
  if (block < 16 || (block & (block - 1)))
    op.fail("block_size is " + std::to_string(block) + "; expected a power of two from 16 on");
  if (!isFloat(scales->type) || scales->rank() != rank || (zeros && (zeros->rank() != rank || zeros->dataType != data->dataType)) ||
      isFloat(indices->type))
    op.fail("the scales are of " + nameOf(scales->dataType) + " and have shape " + textOf(scales->shape) +
            "; expected floats and zero points of the table's " + std::to_string(rank) + " dimensions");
  const int64_t each = bytes ? 8 / bits : 1;
  Shape logical = data->shape;
  logical.back() = logical.back() * each;
  for (size_t d = 0; d < rank; ++d) {
    const Dimension expected = d == along ? Dimension::ceilDiv(logical[d], block) : logical[d];
    if (op.graph.differ(expected, scales->shape[d], "scales for the blocks of the table"))
      op.fail("the scales have shape " + textOf(scales->shape) + " for a table of shape " + textOf(logical) + " in blocks of " +
              std::to_string(block));
  }
  Shape shape(logical.begin(), logical.begin() + int64_t(from));
  shape.insert(shape.end(), indices->shape.begin(), indices->shape.end());
  shape.insert(shape.end(), logical.begin() + int64_t(from) + 1, logical.end());
  const DataType wide = wideType(scales->dataType);
  const ElementType held = *storage(wide);
  const Scalar size(logical[from]), zero(0);
  auto indexAt = [&](const Indices &i) {
    Scalar index = cast(graph.at(indices, i), ElementType::index);
    return select(index < zero, index + size, index);
  };
  auto isInside = [&](const Scalar &index) { return both(index >= zero, index < size); };
  auto inside = [&](const Scalar &index) { return larger(smaller(index, size - Scalar(1)), zero); };
  if (rank == 2 && from == 0 && along == 1 && Graph::isConstant(data) && Graph::isConstant(scales) && (!zeros || Graph::isConstant(zeros)) &&
      !indices->known && scales->type != ElementType::f64 && logical[0].isConstant() && logical[1].isConstant()) {
    // A table of token ids: looked up row by row, and shared with a product that has the same codes.
    WeightCodes weight;
    weight.n = *logical[0].constant();
    weight.k = *logical[1].constant();
    weight.bits = bits;
    weight.block = block;
    if (weight.n > 0 && weight.k > 0 && weight.n <= std::numeric_limits<int32_t>::max()) {
      if (bytes) {
        weight = packedWeight(graph, data, scales, zeros, weight);
      } else {
        weight.codes = graph.value(data);
        weight.isSigned = data->dataType == DataType::i4;
        weight.scales = scales;
        weight.zeros = zeros;
      }
      Tensor numbers = graph.compute(DataType::i32, indices->shape, [&](const Indices &i) { return cast(inside(indexAt(i)), ElementType::i32); });
      Tensor rows = graph.reshape(graph.lookUp(graph.reshape(numbers, {elementsOf(indices->shape)}), weight), shape);
      Tensor result = graph.compute(DataType::f32, shape, [&](const Indices &i) {
        const Scalar value = graph.at(rows, i);
        return select(isInside(indexAt(Indices(i.begin(), i.end() - 1))), value, like(value, 0));
      });
      return {graph.cast(result, scales->dataType)};
    }
  }
  Tensor gathered = graph.compute(wide, shape, [&](const Indices &i) {
    const size_t width = indices->rank();
    const Scalar index = indexAt(Indices(i.begin() + int64_t(from), i.begin() + int64_t(from + width)));
    Indices at(i.begin(), i.begin() + int64_t(from));
    at.push_back(inside(index));
    at.insert(at.end(), i.begin() + int64_t(from + width), i.end());
    Indices blockAt = at;
    blockAt[along] = at[along] / Scalar(block);
    auto number = [&](Tensor of, const Indices &place) {
      if (!bytes || bits == 8)
        return cast(graph.at(of, place), held);
      return cast(packedNumber(graph, of, Indices(place.begin(), place.end() - 1), place.back(), bits), held);
    };
    Scalar middle = zeros ? number(zeros, blockAt) : Scalar::real(held, bytes ? double(1 << (bits - 1)) : 0);
    Scalar value = (number(data, at) - middle) * widened(graph.at(scales, blockAt));
    return select(isInside(index), value, Scalar::real(held, 0));
  });
  return {graph.cast(gathered, scales->dataType)};
}

// --- Products of integers.

std::vector<Tensor> matMulIntegerToFloat(Op &op) {
  Tensor product = scaledProduct(op, op.input(0), op.input(1), op.input(2), op.input(3), op.optional(4), op.optional(5));
  return {sumOf(op.graph, product, op.optional(6))};
}

std::vector<Tensor> dynamicQuantizeMatMul(Op &op) {
  std::vector<Tensor> a = composed(op, "DynamicQuantizeLinear", 11, {op.input(0)});
  Tensor product = scaledProduct(op, a[0], op.input(1), a[1], op.input(2), a[2], op.optional(3));
  return {sumOf(op.graph, product, op.optional(4))};
}

Tensor dequantized(Op &op, Tensor x, Tensor scale, Tensor zero) {
  return composed(op, "DequantizeLinear", 21, {x, scale, zero})[0];
}

// Of the zero point's type; where there is none, of x's.
Tensor quantized(Op &op, Tensor x, Tensor scale, Tensor zero, DataType type) {
  AttributeValues attributes;
  if (!zero)
    attributes.push_back({"output_dtype", int64_t(type)});
  return composed(op, "QuantizeLinear", 21, {x, scale, zero}, attributes)[0];
}

std::vector<Tensor> quantizedGemm(Op &op) {
  Graph &graph = op.graph;
  Tensor a = op.input(0), b = op.input(3), c = op.optional(6), scale = op.optional(7);
  if (a->rank() != 2 || b->rank() != 2)
    op.fail("operands have shapes " + textOf(a->shape) + " and " + textOf(b->shape) + "; expected matrices");
  if (op.integer("transA", 0))
    a = graph.transpose(a, {1, 0});
  if (op.integer("transB", 0))
    b = graph.transpose(b, {1, 0});
  Tensor sums = integerProduct(op, a, b, op.optional(2), op.optional(5));
  if (c && c->dataType != DataType::i32)
    op.fail("c is of " + nameOf(c->dataType) + "; expected int32");
  if (c) // integers of the product as floats are exact up to 2^24, beyond which f32 rounds the sum too
    sums = sums->product
               ? graph.elementwise(ScalarOp::add, {graph.cast(sums, DataType::f32), graph.cast(c, DataType::f32)})
               : graph.elementwise(ScalarOp::add, {sums, c});
  const double alpha = op.real("alpha", 1.0);
  Tensor result = graph.map(DataType::f32,
                            {graph.cast(sums, DataType::f32), broadcastParameter(op, op.input(1), false),
                             broadcastParameter(op, op.input(4), false)},
                            [&](const std::vector<Scalar> &v) { return v[0] * (v[1] * v[2] * like(v[1], alpha)); });
  if (!scale)
    return {result};
  return {quantized(op, result, scale, op.optional(8), op.input(0)->dataType)};
}

// --- QLinear forms.

template <ScalarOp kind> std::vector<Tensor> qLinearBinary(Op &op) {
  Tensor a = dequantized(op, op.input(0), op.input(1), op.optional(2)), b = dequantized(op, op.input(3), op.input(4), op.optional(5));
  return {quantized(op, op.graph.elementwise(kind, {a, b}), op.input(6), op.optional(7), op.input(0)->dataType)};
}

// x, its scale and zero point, and the result's.
std::vector<Tensor> between(Op &op, const char *name, int64_t version, const AttributeValues &attributes, bool alike = false,
                            std::vector<Tensor> others = {}) {
  std::vector<Tensor> inputs{dequantized(op, op.input(0), op.input(1), op.optional(2))};
  inputs.insert(inputs.end(), others.begin(), others.end());
  Tensor y = alike ? composedAlike(op, name, version, inputs, attributes)[0] : composed(op, name, version, inputs, attributes)[0];
  return {quantized(op, y, op.input(3), op.optional(4), op.input(0)->dataType)};
}

std::vector<Tensor> qLinearSigmoid(Op &op) { return between(op, "Sigmoid", 13, {}); }
std::vector<Tensor> qLinearLeakyRelu(Op &op) { return between(op, "LeakyRelu", 16, {{"alpha", op.real("alpha", 0.01)}}); }
std::vector<Tensor> qLinearSoftmax(Op &op) {
  return between(op, "Softmax", op.integer("opset") < 13 ? 11 : 13, {{"axis", op.integer("axis", -1)}});
}
std::vector<Tensor> qLinearReduceMean(Op &op) { return between(op, "ReduceMean", 13, {}, true); }

// Pooling of channels last: turned before and after.
std::vector<Tensor> qLinearPool(Op &op, const char *name) {
  Graph &graph = op.graph;
  const bool last = op.integer("channels_last", 0) != 0;
  Tensor x = dequantized(op, op.input(0), op.input(1), op.optional(2));
  if (x->rank() < 3)
    op.fail("the input has shape " + textOf(x->shape) + "; expected a batch, channels and spatial dimensions");
  std::vector<int64_t> there(x->rank()), back(x->rank());
  std::iota(there.begin(), there.end(), 0);
  if (last)
    std::rotate(there.begin() + 1, there.end() - 1, there.end());
  for (size_t i = 0; i < there.size(); ++i)
    back[size_t(there[i])] = int64_t(i);
  Tensor y = graph.transpose(composedAlike(op, name, 22, {graph.transpose(x, there)})[0], back);
  return {quantized(op, y, op.input(3), op.optional(4), op.input(0)->dataType)};
}
std::vector<Tensor> qLinearAveragePool(Op &op) { return qLinearPool(op, "AveragePool"); }
std::vector<Tensor> qLinearGlobalAveragePool(Op &op) { return qLinearPool(op, "GlobalAveragePool"); }

std::vector<Tensor> qLinearConcat(Op &op) {
  if (op.inputs() < 5 || (op.inputs() - 2) % 3)
    op.fail("it has " + std::to_string(op.inputs()) + " inputs; expected the result's scale and zero point, and three for each part");
  std::vector<Tensor> parts;
  for (size_t i = 2; i < op.inputs(); i += 3)
    parts.push_back(dequantized(op, op.input(i), op.input(i + 1), op.optional(i + 2)));
  Tensor all = op.graph.concat(parts, axisOf(op.integer("axis"), parts[0]->rank()));
  return {quantized(op, all, op.input(0), op.optional(1), op.input(2)->dataType)};
}

std::vector<Tensor> qLinearWhere(Op &op) {
  Tensor x = dequantized(op, op.input(1), op.input(2), op.optional(3)), y = dequantized(op, op.input(4), op.input(5), op.optional(6));
  return {quantized(op, op.graph.where(op.input(0), x, y), op.input(7), op.optional(8), op.input(1)->dataType)};
}

std::vector<Tensor> quantizeLinear(Op &op) { return composedAlike(op, "QuantizeLinear", 21, op.all()); }
std::vector<Tensor> dequantizeLinear(Op &op) { return composedAlike(op, "DequantizeLinear", 21, op.all()); }
std::vector<Tensor> qLinearConv(Op &op) {
  if (op.integer("channels_last", 0))
    op.fail("channels_last is not supported");
  return composedAlike(op, "QLinearConv", 10, op.all());
}

constexpr std::string_view kDomain = "com.microsoft";
constexpr Definition kOps[] = {
    {kDomain, "MatMulNBits", 1, matMulNBits},
    {kDomain, "GatherBlockQuantized", 1, gatherBlockQuantized},
    {kDomain, "MatMulIntegerToFloat", 1, matMulIntegerToFloat},
    {kDomain, "DynamicQuantizeMatMul", 1, dynamicQuantizeMatMul},
    {kDomain, "QGemm", 1, quantizedGemm},
    {kDomain, "QuantizeLinear", 1, quantizeLinear},
    {kDomain, "DequantizeLinear", 1, dequantizeLinear},
    {kDomain, "QLinearAdd", 1, qLinearBinary<ScalarOp::add>},
    {kDomain, "QLinearMul", 1, qLinearBinary<ScalarOp::mul>},
    {kDomain, "QLinearSigmoid", 1, qLinearSigmoid},
    {kDomain, "QLinearLeakyRelu", 1, qLinearLeakyRelu},
    {kDomain, "QLinearSoftmax", 1, qLinearSoftmax},
    {kDomain, "QLinearReduceMean", 1, qLinearReduceMean},
    {kDomain, "QLinearAveragePool", 1, qLinearAveragePool},
    {kDomain, "QLinearGlobalAveragePool", 1, qLinearGlobalAveragePool},
    {kDomain, "QLinearConcat", 1, qLinearConcat},
    {kDomain, "QLinearWhere", 1, qLinearWhere},
    {kDomain, "QLinearConv", 1, qLinearConv},
};

} // namespace

std::span<const Definition> contribQuantizedOps() { return kOps; }

} // namespace ingot::onnx
