// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering of the embedding lookup and of linears: packing of the rows that they multiply, once for all that want the
// same, and the product itself (see EntryLoweringImpl.h).
#include "compiler/target/templates/params.h"
#include "passes/lowering/EntryLoweringImpl.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace ingot::passes {

static Type computeOf(ir::LinearOp linear) { return linear.getCompute().value_or(elementOf(linear.getWeight())); }

RowForm wantedForm(ir::LinearOp linear) {
  int64_t k = linear.depth();
  return {computeOf(linear), linear.getLayout() == "n16k2" ? roundUp(k, 32) : k};
}

static int64_t layoutNumber(std::optional<StringRef> layout) {
  return llvm::StringSwitch<int64_t>(layout.value_or("row_major"))
      .Case("n16k", INGOT_N16K)
      .Case("n16k2", INGOT_N16K2)
      .Case("n16k4", INGOT_N16K4)
      .Case("n16k8", INGOT_N16K8)
      .Default(INGOT_ROW_MAJOR);
}

static ir::QuantizedType quantizedOf(Value weight) { return dyn_cast<ir::QuantizedType>(elementOf(weight)); }

// The element type of stored weights as kernels read it: quantized ones are bytes.
static int64_t weightNumber(Value weight) { return quantizedOf(weight) ? INGOT_U8 : elementNumber(elementOf(weight)); }

static void setQuantization(KernelParams &params, ir::QuantizedType type, int64_t k) {
  params.set("group", type.groupSize(k))
      .set("scale_type", elementNumber(type.getScale()))
      .set("zeros", type.getZero() != nullptr);
}

template <typename Op> void EntryLowering::addGroupValues(Op op, Operands &operands) {
  if (op.getScales())
    operands.add(bufferOf(op, op.getScales()));
  if (op.getZeros())
    operands.add(bufferOf(op, op.getZeros()));
}

int64_t activationNumber(std::optional<ir::Activation> activation) {
  if (!activation)
    return INGOT_ACT_NONE;
  switch (*activation) {
  case ir::Activation::Silu:
    return INGOT_ACT_SILU;
  case ir::Activation::Gelu:
    return INGOT_ACT_GELU;
  case ir::Activation::GeluTanh:
    return INGOT_ACT_GELU_TANH;
  case ir::Activation::Relu:
    return INGOT_ACT_RELU;
  case ir::Activation::QuickGelu:
    return INGOT_ACT_QUICK_GELU;
  }
  llvm_unreachable("all activations are numbered");
}
LogicalResult EntryLowering::lowerOp(ir::EmbeddingOp op) {
  if (weightNumber(op.getTable()) < 0)
    return op.emitOpError() << "table is " << op.getTable().getType()
                            << "; its kernel reads f32, f16, bf16 or quantized rows";
  KernelParams params(builder, "embedding");
  params.set("n", op.tableRows())
      .set("k", op.tableColumns())
      .set("weight_type", weightNumber(op.getTable()))
      .set("layout", layoutNumber(op.getLayout()))
      .set("stats", op.getEmitStats())
      .setFloat("scale", op.getScale().convertToDouble(), 1.0);
  ir::QuantizedType quantized = quantizedOf(op.getTable());
  int64_t rowBytes = op.tableColumns() * ir::elementBytes(elementOf(op.getTable()));
  if (quantized) {
    setQuantization(params, quantized, op.tableColumns());
    int64_t ofGroup = ir::elementBytes(quantized.getScale()) + (quantized.getZero() ? 1 : 0);
    rowBytes = rowBytes / (quantized.isFourBit() ? 2 : 1) + quantized.groups(op.tableColumns()) * ofGroup;
  }
  Operands operands;
  operands.add(bufferOf(op, op.getTokens()));
  // Without previous ids no token is negative, and nothing reads them.
  operands.add(bufferOf(op, op.getPreviousIds() ? op.getPreviousIds() : op.getTokens()));
  operands.add(bufferOf(op, op.getTable()));
  addGroupValues(op, operands);
  operands.add(bufferOf(op, op.getResult()));
  if (op.getEmitStats())
    operands.add(bufferOf(op, op.getStats()));
  if (operands.failed)
    return failure();
  plan::SizeAttr rows = rowsOf(op.getTokens());
  launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, rows.times(4 + rowBytes),
         rows.times(2 * op.tableColumns()), op.getLoc());
  return success();
}

FailureOr<std::pair<Value, int64_t>> EntryLowering::productRows(ir::LinearOp op) {
  RowForm wanted = wantedForm(op);
  Value input = op.getInput();
  auto buffer = bufferOf(op, input);
  if (failed(buffer))
    return failure();
  int64_t stride = strideOf(originOf(input));
  bool fits = elementOf(input) == wanted.element && stride >= wanted.stride;
  if (!op.getNormStats() && fits)
    return std::pair(*buffer, stride);
  if (!elementOf(input).isF32())
    return op.emitOpError() << "input is " << input.getType() << " in rows of " << stride
                            << " elements, but its products take " << wanted.element << " in rows of " << wanted.stride
                            << "; only f32 can be packed";

  // One packing for all linears that want the same rows normalized alike.
  auto key = std::make_tuple(input, op.getNormStats(), op.getGamma(), Attribute(op.getEpsAttr()), wanted.element,
                             wanted.stride);
  for (auto &[known, packed] : packings)
    if (known == key)
      return std::pair(packed, wanted.stride);
  int64_t partials = op.getNormStats() ? lastDim(op.getNormStats()) : 0;
  KernelParams params(builder, "pack_rows");
  params.set("k", op.depth())
      .set("k_padded", wanted.stride, op.depth())
      .set("type", elementNumber(wanted.element))
      .set("partials", partials, 0)
      .setFloat("eps", op.getEps() ? op.getEps()->convertToDouble() : 0.0, 0.0);
  Operands operands;
  operands.add(*buffer);
  if (partials) {
    operands.add(bufferOf(op, op.getNormStats()));
    operands.add(bufferOf(op, op.getGamma()));
  }
  auto type = cast<RankedTensorType>(tensorOf(input).clone(wanted.element));
  operands.add(allocate(op, type, wanted.stride));
  if (operands.failed)
    return failure();
  Value packed = operands.values.back();
  plan::SizeAttr rows = rowsOf(input);
  launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, rows.times(4 * op.depth()),
         rows.times(partials ? 2 * op.depth() : 0), op.getLoc());
  packings.push_back({key, packed});
  return std::pair(packed, wanted.stride);
}

// One quantization for all linears that want the same rows normalized alike, and summed over groups of one size.
FailureOr<std::pair<Value, int64_t>> EntryLowering::quantizedRows(ir::LinearOp op) {
  Value input = op.getInput();
  const bool codes = op.getInScale() != nullptr;
  if (!codes && !elementOf(input).isF32())
    return op.emitOpError() << "input is " << input.getType() << "; only rows of f32 can be quantized";
  int64_t k = op.depth(), padded = roundUp(k, 64);
  ir::QuantizedType weight = quantizedOf(op.getWeight());
  int64_t rowBytes = padded + roundUp(4 + 4 * weight.groups(k), 64);
  auto key =
      codes ? std::make_tuple(input, op.getInScale(), op.getInZero(), Attribute(), computeOf(op), weight.groupSize(k))
            : std::make_tuple(input, op.getNormStats(), op.getGamma(), Attribute(op.getEpsAttr()), computeOf(op),
                              weight.groupSize(k));
  for (auto &[known, packed] : packings)
    if (known == key)
      return std::pair(packed, rowBytes);
  int64_t partials = op.getNormStats() ? lastDim(op.getNormStats()) : 0;
  KernelParams params(builder, "quantize_rows");
  params.set("k", k)
      .set("k_padded", padded, k)
      .set("partials", partials, 0)
      .set("group", weight.groupSize(k))
      .setFloat("eps", op.getEps() ? op.getEps()->convertToDouble() : 0.0, 0.0);
  if (codes)
    params.set("codes", elementOf(input).isUnsignedInteger() ? INGOT_U8 : INGOT_I8, 0)
        .set("in_zeros", op.getInZero() != nullptr, 0);
  Operands operands;
  operands.add(bufferOf(op, input));
  if (partials) {
    operands.add(bufferOf(op, op.getNormStats()));
    operands.add(bufferOf(op, op.getGamma()));
  }
  for (Value parameter : {op.getInScale(), op.getInZero()})
    if (parameter)
      operands.add(bufferOf(op, parameter));
  operands.add(allocate(op, cast<RankedTensorType>(tensorOf(input).clone(computeOf(op))), rowBytes));
  if (operands.failed)
    return failure();
  Value packed = operands.values.back();
  plan::SizeAttr rows = rowsOf(input);
  launch(op, tables.kernel(params, op.getLoc()), operands.values, rows, rows.times(4 * k),
         rows.times(partials ? 4 * k : 2 * k), op.getLoc());
  packings.push_back({key, packed});
  return std::pair(packed, rowBytes);
}

LogicalResult EntryLowering::lowerOp(ir::LinearOp op) {
  if (!op.getLayoutAttr())
    return op.emitOpError() << "weight is not packed; run ingot-pack-weights first";
  if (tensorOf(op.getInput()).getRank() != 2)
    return op.emitOpError() << "input is " << op.getInput().getType()
                            << "; expected rows [rows, k], which is what the product's kernel takes";
  if (op.getGated() && op.getResidual())
    return op.emitOpError() << "is gated and has a residual; the product's kernel adds none to a gated result";
  if (failed(requireF32(op, op.getBias(), "bias")) || failed(requireF32(op, op.getResidual(), "residual")) ||
      failed(requireF32(op, op.getNormStats(), "norm_stats")) || failed(requireF32(op, op.getGamma(), "gamma")))
    return failure();
  if (elementNumber(elementOf(op.getResult())) < 0)
    return op.emitOpError() << "result is " << op.getResult().getType() << "; its kernel writes f32, f16 or bf16";
  Type compute = computeOf(op);
  bool integers = compute.isInteger(8);
  if (!compute.isF32() && !compute.isBF16() && !integers)
    return op.emitOpError() << "computes in " << compute << "; expected f32, bf16 or i8";
  if (op.getEmitStats() && !elementOf(op.getResult()).isF32())
    return op.emitOpError() << "gives statistics of a result of " << elementOf(op.getResult()) << "; expected f32";
  auto symbol = symbolOf(op, op.getInput(), 0);
  if (failed(symbol))
    return failure();
  auto rows = integers ? quantizedRows(op) : productRows(op);
  if (failed(rows))
    return failure();
  int64_t n = op.columns(), k = op.depth();
  int64_t stride = strideOf(op.getResult());
  KernelParams params(builder, integers ? "linear_int" : "linear");
  params.set("n", n).set("k", k).set("k_padded", integers ? roundUp(k, 64) : rows->second, k);
  if (!integers)
    params.set("in_type", elementNumber(compute)).set("weight_type", weightNumber(op.getWeight()));
  params.set("layout", layoutNumber(op.getLayout()));
  if (ir::QuantizedType quantized = quantizedOf(op.getWeight()))
    setQuantization(params, quantized, k);
  params.set("bias", op.getBias() != nullptr)
      .set("residual", op.getResidual() != nullptr)
      .set("act", activationNumber(op.getActivation()))
      .set("gated", op.getGated())
      .set("stats", op.getEmitStats())
      .set("out_type", elementNumber(elementOf(op.getResult())))
      .set("out_stride", stride, n)
      .set("rows_symbol", *symbol);
  if (op.getInZero())
    params.set("in_zeros", 1, 0);
  Operands operands;
  operands.add(rows->first);
  operands.add(bufferOf(op, op.getWeight()));
  addGroupValues(op, operands);
  if (op.getSums())
    operands.add(bufferOf(op, op.getSums()));
  if (op.getBias())
    operands.add(bufferOf(op, op.getBias()));
  if (op.getResidual())
    operands.add(bufferOf(op, op.getResidual()));
  operands.add(bufferOf(op, op.getResult()));
  if (op.getEmitStats())
    operands.add(bufferOf(op, op.getStats()));
  if (operands.failed)
    return failure();
  plan::SizeAttr count = rowsOf(op.getInput());
  plan::SizeAttr bytes = bytesOf(op.getWeight()).plus(count.times(rows->second * ir::elementBytes(compute)));
  for (Value values : {op.getScales(), op.getZeros()})
    if (values)
      bytes = bytes.plus(bytesOf(values));
  if (op.getResidual())
    bytes = bytes.plus(bytesOf(op.getResidual()));
  launch(op, tables.kernel(params, op.getLoc()), operands.values, constant((n + 15) / 16), bytes,
         count.times(2 * k * (op.getGated() ? 2 * n : n)), op.getLoc(), count);
  return success();
}

} // namespace ingot::passes
