// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reads a slice reads the tensor before it was cut or shifted, and what is transposed with its first dimensions joined is transposed with
// these apart. See RecognizePatterns.h.
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

// [A, B, M, N] as [A * B, M, N], transposed to [A * B, N, M], as [A, B, N, M]: so exporters turn keys for a product of matrices in batches. It hides
// that heads are repeated.
struct TransposeApart : OpRewritePattern<ir::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ReshapeOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getInput().getDefiningOp<ir::TransposeOp>();
    auto join = transpose ? transpose.getInput().getDefiningOp<ir::ReshapeOp>() : nullptr;
    if (!join || transpose.getPermutation().empty() || transpose.getPermutation()[0] != 0)
      return rewriter.notifyMatchFailure(op, "it parts nothing that was joined before a transpose");
    SmallVector<ir::Dim> before = ir::dimsOf(ir::tensorOf(join.getInput())), joined = ir::dimsOf(ir::tensorOf(join.getResult())),
                         after = ir::dimsOf(op.getType());
    // But for the first, dimensions are what they were; those that were joined may be parted in another way.
    const size_t own = joined.size() - 1;
    if (before.size() <= joined.size() || after.size() <= joined.size() ||
        ArrayRef(before).take_back(own) != ArrayRef(joined).take_back(own))
      return rewriter.notifyMatchFailure(op, "more than first dimensions were joined");
    const size_t leading = after.size() - own;
    SmallVector<ir::Dim> apart(after.begin(), after.begin() + leading);
    llvm::append_range(apart, ArrayRef(joined).take_back(own));
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(int64_t(leading)));
    for (int64_t from : transpose.getPermutation().drop_front())
      permutation.push_back(from + int64_t(leading) - 1);
    for (size_t i = 0; i < after.size(); ++i)
      if (!(after[i] == apart[size_t(permutation[i])]))
        return rewriter.notifyMatchFailure(op, "it parts other dimensions than were joined");
    Value x = ir::ReshapeOp::create(rewriter, join.getLoc(), ir::tensorType(apart, op.getType().getElementType()), join.getInput());
    rewriter.replaceOpWithNewOp<ir::TransposeOp>(op, op.getType(), x, rewriter.getDenseI64ArrayAttr(permutation));
    return success();
  }
};

} // namespace

void addMovePatterns(RewritePatternSet &patterns) { patterns.add<ReadThroughMove, TransposeApart>(patterns.getContext()); }

} // namespace ingot::passes
