// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering of the embedding lookup and of linears: packing of the rows that they multiply, once for all that want the
// same, and the product itself (see EntryLoweringImpl.h).
#include "compiler/target/cpu/kernels/params.h"
#include "passes/lowering/EntryLoweringImpl.h"

using namespace mlir;

namespace ingot::passes {

static Type computeOf(ir::LinearOp linear) { return linear.getCompute().value_or(elementOf(linear.getWeight())); }

RowForm wantedForm(ir::LinearOp linear) {
  int64_t k = linear.depth();
  return {computeOf(linear), linear.getLayout() == "n16k2" ? roundUp(k, 32) : k};
}

static int64_t layoutNumber(std::optional<StringRef> layout) {
  return !layout ? INGOT_ROW_MAJOR : *layout == "n16k" ? INGOT_N16K : INGOT_N16K2;
}

static int64_t activationNumber(std::optional<ir::Activation> activation) {
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
  }
  llvm_unreachable("all activations are numbered");
}
LogicalResult EntryLowering::lowerOp(ir::EmbeddingOp op) {
  if (!op.getPreviousIds())
    return op.emitOpError() << "has no previous_ids; the lookup's kernel needs them, because a token may name a row "
                               "of the previous step's samples";
  if (elementNumber(elementOf(op.getTable())) < 0)
    return op.emitOpError() << "table is " << op.getTable().getType() << "; its kernel reads f32, f16 or bf16";
  KernelParams params(builder, "embedding");
  params.set("n", op.tableRows())
      .set("k", op.tableColumns())
      .set("weight_type", elementNumber(elementOf(op.getTable())))
      .set("layout", layoutNumber(op.getLayout()))
      .set("stats", op.getEmitStats())
      .setFloat("scale", op.getScale().convertToDouble(), 1.0);
  Operands operands;
  operands.add(bufferOf(op, op.getTokens()));
  operands.add(bufferOf(op, op.getPreviousIds()));
  operands.add(bufferOf(op, op.getTable()));
  operands.add(bufferOf(op, op.getResult()));
  if (op.getEmitStats())
    operands.add(bufferOf(op, op.getStats()));
  if (operands.failed)
    return failure();
  plan::SizeAttr rows = rowsOf(op.getTokens());
  int64_t rowBytes = op.tableColumns() * ir::elementBytes(elementOf(op.getTable()));
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
  if (!compute.isF32() && !compute.isBF16())
    return op.emitOpError() << "computes in " << compute << "; expected f32 or bf16";
  if (op.getEmitStats() && !elementOf(op.getResult()).isF32())
    return op.emitOpError() << "gives statistics of a result of " << elementOf(op.getResult()) << "; expected f32";
  auto symbol = symbolOf(op, op.getInput(), 0);
  auto rows = succeeded(symbol) ? productRows(op) : FailureOr<std::pair<Value, int64_t>>(failure());
  if (failed(rows))
    return failure();
  int64_t n = op.columns(), k = op.depth();
  int64_t stride = strideOf(op.getResult());
  KernelParams params(builder, "linear");
  params.set("n", n)
      .set("k", k)
      .set("k_padded", rows->second, k)
      .set("in_type", elementNumber(compute))
      .set("weight_type", elementNumber(elementOf(op.getWeight())))
      .set("layout", layoutNumber(op.getLayout()))
      .set("bias", op.getBias() != nullptr)
      .set("residual", op.getResidual() != nullptr)
      .set("act", activationNumber(op.getActivation()))
      .set("gated", op.getGated())
      .set("stats", op.getEmitStats())
      .set("out_type", elementNumber(elementOf(op.getResult())))
      .set("out_stride", stride, n)
      .set("rows_symbol", *symbol);
  Operands operands;
  operands.add(rows->first);
  operands.add(bufferOf(op, op.getWeight()));
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
  if (op.getResidual())
    bytes = bytes.plus(bytesOf(op.getResidual()));
  launch(op, tables.kernel(params, op.getLoc()), operands.values, constant((n + 15) / 16), bytes,
         count.times(2 * k * (op.getGated() ? 2 * n : n)), op.getLoc());
  return success();
}

} // namespace ingot::passes
