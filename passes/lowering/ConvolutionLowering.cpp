// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering of convolutions to their kernel (see EntryLoweringImpl.h): missing spatial dimensions are 1 in front. So are
// last ones of a single place, as exporters write convolutions of sequences: the kernel's lanes are neighbours along
// the last dimension.
#include "compiler/target/templates/params.h"
#include "passes/lowering/EntryLoweringImpl.h"

using namespace mlir;

namespace ingot::passes {

// How many spatial dimensions are left without the last ones that hold one element, read by windows of one.
static int64_t spatialDimensions(ir::ConvolutionOp op, RankedTensorType input, RankedTensorType result) {
  int64_t spatial = input.getRank() - 2;
  while (!op.channelsLast() && spatial > 1 && input.getDimSize(1 + spatial) == 1 &&
         result.getDimSize(1 + spatial) == 1 && op.windowSizes()[spatial - 1] == 1 && op.getPads()[spatial - 1] == 0)
    --spatial;
  return spatial;
}

LogicalResult EntryLowering::lowerOp(ir::ConvolutionOp op) {
  const RankedTensorType input = tensorOf(op.getInput()), result = tensorOf(op.getResult());
  const int64_t missing = 3 - spatialDimensions(op, input, result);
  const SmallVector<int64_t> window = op.windowSizes();
  KernelParams params(builder, "convolution");
  params.set("channels", input.getDimSize(op.channelDimension()))
      .set("outputs", op.outputs())
      .set("groups", op.getGroups(), 1);
  static const StringRef axes[] = {"_d", "_h", "_w"};
  auto each = [&](StringRef name, int64_t plain, auto valueOf) {
    for (int64_t i = 0; i < 3; ++i)
      params.set(builder.getStringAttr(name + axes[i]).getValue(), i < missing ? plain : valueOf(i - missing), plain);
  };
  each("kernel", 1, [&](int64_t i) { return window[i]; });
  each("stride", 1, [&](int64_t i) { return op.getStrides()[i]; });
  each("dilation", 1, [&](int64_t i) { return op.getDilations()[i]; });
  each("pad", 0, [&](int64_t i) { return op.getPads()[i]; });
  params.set("scale", op.getScale() != nullptr, 0)
      .set("bias", op.getBias() != nullptr)
      .set("residual", op.getResidual() != nullptr)
      .set("act", activationNumber(op.getActivation()))
      .set("clamp", (op.getLow() ? 1 : 0) | (op.getHigh() ? 2 : 0), 0)
      .setFloat("low", op.getLow() ? op.getLow()->convertToDouble() : 0.0, 0.0)
      .setFloat("high", op.getHigh() ? op.getHigh()->convertToDouble() : 0.0, 0.0);
  auto batch = symbolOf(op, op.getInput(), 0);
  if (failed(batch))
    return failure();
  params.set("batch_symbol", *batch);
  for (auto [name, value] : {std::pair<StringRef, Value>("in", op.getInput()), {"out", op.getResult()}})
    for (int64_t i = 0; i < 3; ++i) {
      FailureOr<int64_t> symbol = i < missing
                                      ? FailureOr<int64_t>(tables.symbolIndex(tables.number(1)))
                                      : symbolOf(op, value, static_cast<unsigned>(op.firstSpatial() + i - missing));
      if (failed(symbol))
        return failure();
      params.set(builder.getStringAttr(name + axes[i] + "_symbol").getValue(), *symbol);
    }
  params.set("channels_last", op.channelsLast(), 0);
  Operands operands = operandsOf(op);
  operands.add(bufferOf(op, op.getResult()));
  if (operands.failed)
    return failure();
  plan::SizeAttr bytes = constant(0);
  for (Value operand : op->getOperands())
    bytes = bytes.plus(bytesOf(operand));
  SmallVector<ir::Dim> work = ir::dimsOf(result);
  int64_t depth = input.getDimSize(op.channelDimension()) / static_cast<int64_t>(op.getGroups());
  for (int64_t size : window)
    depth *= size;
  work.push_back(2 * depth);
  constexpr int64_t kTiles = 960; // equal shares of the work, whatever its shape
  launch(op, tables.kernel(params, op.getLoc()), operands.values, constant(kTiles), bytes,
         countOf(work).value_or(constant(0)), op.getLoc());
  return success();
}

} // namespace ingot::passes
