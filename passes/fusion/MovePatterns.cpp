// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reads a slice reads the tensor before it was cut or shifted. See RecognizePatterns.h.
#include "passes/fusion/RecognizePatterns.h"

#include "dialects/ingot/IngotDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace ingot::passes {

namespace {

// The one read of a compute that only moves elements, at places that sums and bounds of its indices tell; null where it does more.
ir::ElementOp moveOf(Value value) {
  auto op = value.getDefiningOp<ir::ComputeOp>();
  if (!op || op.getReduce() || op.getInputs().size() != 1)
    return {};
  Block &body = op.getBody().front();
  auto read = cast<ir::YieldOp>(body.getTerminator()).getValue().getDefiningOp<ir::ElementOp>();
  for (Operation &inner : body.without_terminator())
    if (&inner != read && !isa<ir::SizeOp, arith::ConstantOp, arith::AddIOp, arith::SubIOp, arith::MinSIOp, arith::MaxSIOp>(inner))
      return {};
  return read;
}

// x[:, 0:1] and then [:, 0] is one read of x, and so of every slice that another op reads.
struct ReadThroughMove : OpRewritePattern<ir::ComputeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ComputeOp op, PatternRewriter &rewriter) const override {
    if (op.getReduce())
      return rewriter.notifyMatchFailure(op, "it reads elements many times");
    SmallVector<Value> inputs(op.getInputs());
    SmallVector<ir::ElementOp> moves;
    for (Value &input : inputs) {
      moves.push_back(moveOf(input));
      if (moves.back())
        input = moves.back()->getParentOfType<ir::ComputeOp>().getInputs()[0];
    }
    if (llvm::none_of(moves, [](ir::ElementOp move) { return bool(move); }))
      return rewriter.notifyMatchFailure(op, "what it reads is no slice");
    auto made = ir::ComputeOp::create(rewriter, op.getLoc(), op.getType(), inputs, op.getReduceAttr(), op.getExtentsAttr());
    Block &body = op.getBody().front();
    SmallVector<Type> types(body.getArgumentTypes());
    for (auto [type, input] : llvm::zip(types, inputs))
      type = input.getType();
    OpBuilder::InsertionGuard guard(rewriter);
    Block *block = rewriter.createBlock(&made.getBody(), {}, types, SmallVector<Location>(types.size(), op.getLoc()));
    IRMapping mapping;
    for (auto [before, now] : llvm::zip(body.getArguments(), block->getArguments()))
      mapping.map(before, now);
    for (Operation &inner : body) {
      auto read = dyn_cast<ir::ElementOp>(inner);
      const unsigned number = read ? cast<BlockArgument>(read.getTensor()).getArgNumber() : 0;
      if (!read || !moves[number]) {
        rewriter.clone(inner, mapping);
        continue;
      }
      // The move's own indices are this read's.
      Block &move = *moves[number]->getBlock();
      IRMapping places;
      places.map(move.getArgument(0), block->getArgument(number));
      for (auto [argument, index] : llvm::zip(move.getArguments().drop_front(), read.getIndices()))
        places.map(argument, mapping.lookupOrDefault(index));
      for (Operation &step : move.without_terminator())
        rewriter.clone(step, places);
      mapping.map(read.getResult(), places.lookup(moves[number].getResult()));
    }
    rewriter.replaceOp(op, made);
    return success();
  }
};

} // namespace

void addMovePatterns(RewritePatternSet &patterns) { patterns.add<ReadThroughMove>(patterns.getContext()); }

} // namespace ingot::passes
