// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns whose operand is a stored weight, under whatever transposes and casts. See RecognizePatterns.h.
#include "passes/fusion/RecognizePatterns.h"

#include "dialects/ingot/IngotDialect.h"
#include "passes/shapes/Dimensions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace ingot::passes {

namespace {

using ir::tensorOf;

bool allNamed(ArrayRef<ir::Dim> dims) {
  return llvm::all_of(dims, [](const ir::Dim &dim) { return !dim.isDynamic() || dim.name; });
}

// matmul(x, w) of a stored w [k, n], which is the same for all batches.
struct WeightProduct : OpRewritePattern<ir::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::MatmulOp op, PatternRewriter &rewriter) const override {
    Value weight = op.getRhs();
    while (true) {
      auto widened = weight.getDefiningOp<ir::CastOp>(); // a product takes floats of 16 bits as they are stored
      if (widened && tensorOf(weight).getElementType().isF32() && isa<Float16Type, BFloat16Type>(tensorOf(widened.getInput()).getElementType()))
        weight = widened.getInput();
      else if (auto broadcast = weight.getDefiningOp<ir::BroadcastOp>())
        weight = broadcast.getInput();
      else if (auto reshape = weight.getDefiningOp<ir::ReshapeOp>();
               reshape && tensorOf(reshape.getInput()).hasStaticShape() && tensorOf(weight).hasStaticShape() &&
               tensorOf(reshape.getInput()).getRank() >= 2 && tensorOf(weight).getRank() >= 2 &&
               tensorOf(reshape.getInput()).getShape().take_back(2) == tensorOf(weight).getShape().take_back(2))
        weight = reshape.getInput();
      else
        break;
    }
    auto type = tensorOf(weight);
    if (type.getRank() != 2 || !type.hasStaticShape() || type.getElementType().isF64() || !ir::isRecipe(weight) || weight.getDefiningOp<ir::ConstantOp>())
      return rewriter.notifyMatchFailure(op, "its right side is no stored matrix");
    if (!tensorOf(op.getLhs()).getElementType().isF32() || type.getShape() != tensorOf(op.getRhs()).getShape().take_back(2))
      return rewriter.notifyMatchFailure(op, "the matrix is not alike for all batches");
    SmallVector<ir::Dim> rows = ir::dimsOf(tensorOf(op.getLhs()));
    const ir::Dim depth = rows.pop_back_val();
    if (!allNamed(rows))
      return rewriter.notifyMatchFailure(op, "a dimension has no name");
    const ir::Dim all = productOf(op->getParentOfType<ir::EntryOp>(), rows);
    Value turned = ir::TransposeOp::create(rewriter, op.getLoc(), weight, rewriter.getDenseI64ArrayAttr({1, 0}));
    Value x = op.getLhs();
    if (rows.size() > 1)
      x = ir::ReshapeOp::create(rewriter, op.getLoc(), ir::tensorType({all, depth}, rewriter.getF32Type()), x);
    Value made = ir::LinearOp::create(rewriter, op.getLoc(), x, turned).getResult();
    if (made.getType() != op.getType())
      made = ir::ReshapeOp::create(rewriter, op.getLoc(), op.getType(), made);
    rewriter.replaceOp(op, made);
    return success();
  }
};

// compute(i..., j) = table[f(i...), j] of a stored table.
struct RowLookup : OpRewritePattern<ir::ComputeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ComputeOp op, PatternRewriter &rewriter) const override {
    auto type = tensorOf(op.getResult());
    Block &body = op.getBody().front();
    auto element = cast<ir::YieldOp>(body.getTerminator()).getValue().getDefiningOp<ir::ElementOp>();
    if (op.getReduce() || type.getRank() == 0 || !element || element.getIndices().size() != 2)
      return rewriter.notifyMatchFailure(op, "it is no lookup of rows");
    const unsigned number = cast<BlockArgument>(element.getTensor()).getArgNumber();
    Value table = op.getInputs()[number], row = element.getIndices()[0];
    auto of = tensorOf(table);
    BlockArgument column = body.getArguments().back();
    if (element.getIndices()[1] != column || !ir::isRecipe(table) || !isa<FloatType>(of.getElementType()) || of.getElementType().isF64() ||
        type.getDimSize(type.getRank() - 1) != of.getDimSize(1) || of.getDimSize(0) > INT32_MAX)
      return rewriter.notifyMatchFailure(op, "its table is not stored, or columns are moved");
    // The row is the same for all columns, and comes from what is not known here: else it is a slice.
    bool dynamic = false;
    for (Operation &inner : body.without_terminator()) {
      if (&inner == element.getOperation())
        continue;
      if (llvm::is_contained(inner.getOperands(), Value(column)))
        return rewriter.notifyMatchFailure(op, "its rows depend on the column");
      if (auto read = dyn_cast<ir::ElementOp>(inner)) {
        if (cast<BlockArgument>(read.getTensor()).getArgNumber() == number)
          return rewriter.notifyMatchFailure(op, "its rows are computed from its table");
        dynamic = true;
      }
    }
    if (!dynamic)
      return rewriter.notifyMatchFailure(op, "its rows are known");
    Location loc = op.getLoc();
    SmallVector<ir::Dim> dims = ir::dimsOf(type);
    dims.pop_back();
    if (!allNamed(dims))
      return rewriter.notifyMatchFailure(op, "a dimension of its rows has no name");
    const ir::Dim all = productOf(op->getParentOfType<ir::EntryOp>(), dims);
    auto ids = ir::tensorType(dims, rewriter.getI32Type());
    auto rows = ir::ComputeOp::create(rewriter, loc, ids, op.getInputs(), ir::ReduceKindAttr(), rewriter.getStrArrayAttr({}));
    {
      OpBuilder::InsertionGuard guard(rewriter);
      SmallVector<Type> types(body.getArgumentTypes());
      types.pop_back();
      Block *made = rewriter.createBlock(&rows.getBody(), {}, types, SmallVector<Location>(types.size(), loc));
      IRMapping mapping;
      for (unsigned i = 0; i < types.size(); ++i)
        mapping.map(body.getArgument(i), made->getArgument(i));
      for (Operation &inner : body.without_terminator())
        if (&inner != element.getOperation())
          rewriter.clone(inner, mapping);
      Value index = arith::IndexCastOp::create(rewriter, loc, rewriter.getI32Type(), mapping.lookupOrDefault(row));
      ir::YieldOp::create(rewriter, loc, index);
    }
    Value flat = rows.getResult();
    if (dims.size() != 1)
      flat = ir::ReshapeOp::create(rewriter, loc, ir::tensorType({all}, rewriter.getI32Type()), flat);
    Value read = ir::EmbeddingOp::create(rewriter, loc, flat, table, Value(), Value(), Value(), rewriter.getF64FloatAttr(1.0),
                                         /*emit_stats=*/nullptr, /*layout=*/nullptr, /*n=*/nullptr, /*k=*/nullptr)
                     .getResult();
    auto wide = ir::tensorType(ir::dimsOf(type), rewriter.getF32Type());
    if (read.getType() != wide)
      read = ir::ReshapeOp::create(rewriter, loc, wide, read);
    if (wide != type)
      read = ir::CastOp::create(rewriter, loc, type, read);
    rewriter.replaceOp(op, read);
    return success();
  }
};

} // namespace

void addWeightPatterns(RewritePatternSet &patterns) { patterns.add<WeightProduct, RowLookup>(patterns.getContext()); }

} // namespace ingot::passes
