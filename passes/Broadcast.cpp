// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Broadcast.h.
#include "passes/Broadcast.h"
#include "dialects/ingot/IngotDialect.h"

using namespace mlir;

namespace ingot::passes {

Value addBroadcast(OpBuilder &builder, Location loc, Value a, Value b) {
  auto first = cast<RankedTensorType>(a.getType()), second = cast<RankedTensorType>(b.getType());
  SmallVector<ir::Dim> dims;
  for (int64_t i = 0; i < first.getRank(); ++i)
    dims.push_back(ir::dimOf(first.getDimSize(i) == 1 ? second : first, i));
  auto type = ir::tensorType(dims, first.getElementType());
  auto wide = [&](Value value) -> Value {
    return value.getType() == type ? value : Value(ir::BroadcastOp::create(builder, value.getLoc(), type, value));
  };
  return ir::AddOp::create(builder, loc, wide(a), wide(b));
}

} // namespace ingot::passes
