// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infer-shapes: the first pass after import. Carries static dimensions and symbols from operands to results, and
// is the boundary beyond which every dynamic dimension has a name. Computes no shapes itself: each op infers its own.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"
#include "passes/shapes/Dimensions.h"

#include "mlir/Interfaces/InferTypeOpInterface.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_INFERSHAPESPASS
#include "passes/Passes.h.inc"

namespace {

// What `stated` and `inferred` know together, or null when that is no more than `stated`.
Type sharpen(Type stated, Type inferred) {
  auto a = dyn_cast<RankedTensorType>(stated), b = dyn_cast<RankedTensorType>(inferred);
  if (!a || !b || a == b || a.getRank() != b.getRank() || a.getElementType() != b.getElementType())
    return {};
  SmallVector<ir::Dim> dims = ir::dimsOf(a);
  for (auto [dim, other] : llvm::zip(dims, ir::dimsOf(b)))
    if (dim.isDynamic() && (!other.isDynamic() || !dim.name))
      dim = other;
  Type sharper = ir::tensorType(dims, a.getElementType());
  return sharper == stated ? Type() : sharper;
}

struct InferShapesPass : public impl::InferShapesPassBase<InferShapesPass> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<ir::EntryOp>())
      if (failed(infer(entry)))
        return signalPassFailure();
  }

  LogicalResult infer(ir::EntryOp entry) {
    if (failed(checkArgumentsNamed(entry)))
      return failure();
    for (Operation &op : entry.getBody().front()) {
      sharpenResults(&op);
      if (failed(checkResultsNamed(&op)))
        return failure();
    }
    auto terminator = cast<ir::ReturnOp>(entry.getBody().front().getTerminator());
    entry.setFunctionTypeAttr(
        TypeAttr::get(FunctionType::get(&getContext(), entry.getArgumentTypes(), terminator.getOperandTypes())));
    return success();
  }

  void sharpenResults(Operation *op) {
    SmallVector<Type> inferred;
    if (auto interface = dyn_cast<InferTypeOpInterface>(op)) {
      if (failed(interface.inferReturnTypes(&getContext(), std::nullopt, op->getOperands(), op->getAttrDictionary(),
                                            op->getPropertiesStorage(), op->getRegions(), inferred)))
        return; // the verifier has accepted the stated types; inference has nothing to add
    } else if (op->getNumResults() == 1 && (op->hasTrait<OpTrait::SameOperandsAndResultType>() ||
                                            op->hasTrait<OpTrait::SameOperandsAndResultShape>())) {
      auto own = dyn_cast<RankedTensorType>(op->getResult(0).getType());
      for (Value operand : op->getOperands())
        if (auto type = dyn_cast<RankedTensorType>(operand.getType()); own && type)
          inferred = {RankedTensorType::get(type.getShape(), own.getElementType(), type.getEncoding())};
    }
    for (auto [result, type] : llvm::zip(op->getResults(), inferred))
      if (Type sharper = sharpen(result.getType(), type))
        result.setType(sharper);
  }
};

} // namespace
} // namespace ingot::passes
