// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hoist-gather-rows: moves the choice of rows in front of what is computed row by row, so that the head's norm and the
// last layer's MLP run for the rows that are read. Runs before fusion, which sees the moved ops like any others.
// Bits do not change: the numeric contract makes every row independent of the others.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_HOISTGATHERROWSPASS
#include "passes/Passes.h.inc"

namespace {

// The operands of which row i alone decides, with what is no row operand, row i of the one result; or nothing when the
// op does not compute row by row.
std::optional<SmallVector<OpOperand *>> rowOperands(Operation *op) {
  if (op->getNumResults() != 1)
    return std::nullopt;
  SmallVector<OpOperand *> rows;
  if (isa<ir::ScalarBodyInterface>(op)) {
    for (OpOperand &operand : op->getOpOperands())
      rows.push_back(&operand);
    return rows;
  }
  auto rank = [&] { return cast<RankedTensorType>(op->getOperand(0).getType()).getRank(); };
  if (isa<ir::RmsNormOp, ir::LayerNormOp>(op) && rank() < 2)
    return std::nullopt;
  if (auto softmax = dyn_cast<ir::SoftmaxOp>(op); softmax && softmax.getAxis() == 0)
    return std::nullopt;
  if (auto reduce = dyn_cast<ir::ReduceOp>(op); reduce && reduce.getAxis() == 0)
    return std::nullopt;
  if (isa<ir::RmsNormOp, ir::LayerNormOp, ir::SoftmaxOp, ir::ReduceOp>(op))
    return SmallVector<OpOperand *>{&op->getOpOperand(0)};
  if (auto linear = dyn_cast<ir::LinearOp>(op); linear && rank() >= 2) {
    for (OpOperand &operand : op->getOpOperands())
      if (operand.get() == linear.getInput() || operand.get() == linear.getResidual() ||
          operand.get() == linear.getNormStats())
        rows.push_back(&operand);
    return rows;
  }
  return std::nullopt;
}

// `type` with the first dimension of `rows`.
RankedTensorType withRows(RankedTensorType type, RankedTensorType rows) {
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  dims[0] = ir::dimOf(rows, 0);
  return ir::tensorType(dims, type.getElementType());
}

// gather_rows(op(x, ...), rows), for every reader of op -> op(gather_rows(x, rows), ...)
struct HoistGather : public OpRewritePattern<ir::GatherRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ir::GatherRowsOp gather, PatternRewriter &rewriter) const override {
    Operation *op = gather.getInput().getDefiningOp();
    if (!op)
      return rewriter.notifyMatchFailure(gather, "rows of an argument are picked");
    auto operands = rowOperands(op);
    if (!operands)
      return rewriter.notifyMatchFailure(gather, "the op does not compute row by row");
    Value rows = gather.getRows();
    SmallVector<ir::GatherRowsOp> readers;
    for (Operation *user : op->getUsers()) {
      auto reader = dyn_cast<ir::GatherRowsOp>(user);
      if (!reader || reader.getRows() != rows || reader.getInput() != op->getResult(0))
        return rewriter.notifyMatchFailure(gather, "another reader needs all rows");
      readers.push_back(reader);
    }
    // The first reader: everything that op reads is there already, and rows too.
    for (ir::GatherRowsOp reader : readers)
      if (reader->isBeforeInBlock(gather))
        gather = reader;
    rewriter.setInsertionPoint(gather);

    auto rowsType = cast<RankedTensorType>(rows.getType());
    IRMapping mapping;
    for (OpOperand *operand : *operands) {
      if (mapping.contains(operand->get()))
        continue;
      auto type = withRows(cast<RankedTensorType>(operand->get().getType()), rowsType);
      Value picked = ir::GatherRowsOp::create(rewriter, gather.getLoc(), type, operand->get(), rows);
      mapping.map(operand->get(), picked);
    }
    Operation *moved = rewriter.clone(*op, mapping);
    moved->getResult(0).setType(withRows(cast<RankedTensorType>(op->getResult(0).getType()), rowsType));
    for (ir::GatherRowsOp reader : readers)
      rewriter.replaceOp(reader, moved->getResult(0));
    rewriter.eraseOp(op);
    return success();
  }
};

struct HoistGatherRowsPass : public impl::HoistGatherRowsPassBase<HoistGatherRowsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<HoistGather>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace ingot::passes
