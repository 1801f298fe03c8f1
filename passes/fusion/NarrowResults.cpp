// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// narrow-results: a value that all its readers would round is rounded once, where it is made. Bits do not change: the
// same rounding to nearest even happens earlier. Runs when choose-precision has said what readers round to.
#include "passes/Linears.h"
#include "passes/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_NARROWRESULTSPASS
#include "passes/Passes.h.inc"

namespace {

// Picked rows lie side by side. 16-bit weights are packed in steps of 32 columns, so only rows of whole steps can then
// be read as they are; others are picked in f32 and rounded when they are padded.
bool picksWholeLines(OpOperand &use) {
  auto gather = dyn_cast<ir::GatherRowsOp>(use.getOwner());
  return gather && use.getOperandNumber() == 0 &&
         cast<RankedTensorType>(use.get().getType()).getShape().back() % 32 == 0;
}

// The one type, other than the value's own, to which all readers of `value` round it; null when there is none. Reshapes
// and picked rows read what they pass on; what they lead to is appended to `passing`.
Type roundedTo(Value value, SmallVectorImpl<Operation *> &passing) {
  Type type;
  auto agree = [&](Type other) {
    if (!other || (type && type != other))
      return false;
    type = other;
    return true;
  };
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (auto linear = dyn_cast<ir::LinearOp>(user)) {
      bool plainInput = linear.getInput() == value && linear.getResidual() != value && !linear.getNormStats();
      // Rows that will be quantized are read in f32: their scale is that of the unrounded values.
      if (!plainInput || !linear.getComputeAttr() || linear.getCompute()->isInteger() || !agree(linear.getCompute().value()))
        return {};
    } else if (isa<ir::ReshapeOp>(user) || picksWholeLines(use)) {
      passing.push_back(user);
      if (!agree(roundedTo(user->getResult(0), passing)))
        return {};
    } else {
      return {};
    }
  }
  return type;
}

// Sets the element type of `value` and of what passes it on.
void setElement(Value value, Type element, ArrayRef<Operation *> passing) {
  value.setType(cast<RankedTensorType>(value.getType()).clone(element));
  for (Operation *op : passing)
    op->getResult(0).setType(cast<RankedTensorType>(op->getResult(0).getType()).clone(element));
}

struct NarrowResultsPass : public impl::NarrowResultsPassBase<NarrowResultsPass> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      if (auto linear = dyn_cast<ir::LinearOp>(op); linear && !linear.getEmitStats() && !linear.getResultElementAttr())
        narrow(linear.getResult(), [&](Type type) { linear.setResultElementAttr(TypeAttr::get(type)); });
      else if (auto attention = dyn_cast<ir::AttentionOp>(op); attention && !attention.getResultElementAttr())
        narrow(attention.getResult(), [&](Type type) { attention.setResultElementAttr(TypeAttr::get(type)); });
    });
  }

  void narrow(Value value, llvm::function_ref<void(Type)> setAttribute) {
    SmallVector<Operation *> passing;
    Type type = roundedTo(value, passing);
    if (!type || type == cast<RankedTensorType>(value.getType()).getElementType())
      return;
    setAttribute(type);
    setElement(value, type, passing);
  }
};

} // namespace
} // namespace ingot::passes
