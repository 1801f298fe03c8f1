// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Compute.h"

#include "dialects/ingot/IngotDialect.h"

using namespace mlir;

namespace ingot::passes {

Value makeCompute(OpBuilder &builder, Location loc, RankedTensorType type, ArrayRef<Value> inputs, std::optional<ir::Dim> extent,
                  llvm::function_ref<Value(OpBuilder &, ValueRange, ValueRange)> body) {
  auto kind = extent ? ir::ReduceKindAttr::get(builder.getContext(), ir::ReduceKind::Sum) : ir::ReduceKindAttr();
  SmallVector<Attribute> extents;
  if (extent)
    extents.push_back(builder.getStringAttr(extent->text()));
  auto op = ir::ComputeOp::create(builder, loc, type, inputs, kind, builder.getArrayAttr(extents));
  Block &block = op.getBody().emplaceBlock();
  for (Value input : inputs)
    block.addArgument(input.getType(), loc);
  for (int64_t i = 0; i < type.getRank() + (extent ? 1 : 0); ++i)
    block.addArgument(builder.getIndexType(), loc);
  OpBuilder inner = OpBuilder::atBlockEnd(&block);
  auto arguments = block.getArguments();
  Value result = body(inner, arguments.take_front(inputs.size()), arguments.drop_front(inputs.size()));
  ir::YieldOp::create(inner, loc, result);
  return op.getResult();
}

} // namespace ingot::passes
