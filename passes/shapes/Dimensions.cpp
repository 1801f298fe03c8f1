// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that dynamic dimensions are named (see Dimensions.h).
#include "passes/shapes/Dimensions.h"

using namespace mlir;

namespace ingot::passes {

// The dynamic dimension of `type` that no symbol names, or -1.
static int64_t unnamedDimension(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    for (auto [index, dim] : llvm::enumerate(ir::dimsOf(tensor)))
      if (dim.isDynamic() && !dim.name)
        return index;
  return -1;
}

LogicalResult checkArgumentsNamed(ir::EntryOp entry) {
  for (auto [index, type] : llvm::enumerate(entry.getArgumentTypes()))
    if (int64_t dim = unnamedDimension(type); dim >= 0)
      return entry.emitError() << "dimension " << dim << " of argument '" << entry.getArgName(index) << "' (" << type
                               << ") is dynamic and has no symbol; name it with #ingot.dims";
  return success();
}

LogicalResult checkResultsNamed(Operation *op) {
  for (auto [index, type] : llvm::enumerate(op->getResultTypes()))
    if (int64_t dim = unnamedDimension(type); dim >= 0)
      return op->emitOpError() << "dimension " << dim << " of result " << index << " (" << type
                               << ") is dynamic, and no symbol names it: memory cannot be planned for it";
  return success();
}

LogicalResult checkNamed(ir::EntryOp entry) {
  if (failed(checkArgumentsNamed(entry)))
    return failure();
  for (Operation &op : entry.getBody().front())
    if (failed(checkResultsNamed(&op)))
      return failure();
  return success();
}

} // namespace ingot::passes
