// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See FunctionWork.h.
#include "passes/lowering/FunctionWork.h"

#include "dialects/ingot/IngotDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace ingot::passes {
namespace {

class Counter {
public:
  explicit Counter(func::FuncOp function) : function(function), context(function.getContext()) {}

  FunctionWork count() {
    plan::SizeAttr operations = constant(0), bytes = constant(0);
    function.walk([&](linalg::LinalgOp op) {
      operations = operations.plus(spaceOf(op).times(operationsOf(op.getBlock())));
      op.getBlock()->walk([&](tensor::ExtractOp extract) {
        auto argument = dyn_cast<BlockArgument>(extract.getTensor());
        if (!argument || !isInput(argument))
          return;
        plan::SizeAttr &sum = picked.try_emplace(argument, constant(0)).first->second;
        sum = sum.plus(spaceOf(op).times(elementBytes(argument)));
      });
    });
    for (BlockArgument argument : function.getArguments())
      if (isInput(argument))
        bytes = bytes.plus(bytesOf(argument));
    return {bytes, operations};
  }

private:
  plan::SizeAttr constant(int64_t value) { return plan::SizeAttr::get(context, value); }

  bool isInput(BlockArgument argument) {
    return argument.getOwner() == &function.getBody().front() &&
           argument.getArgNumber() + function.getNumResults() < function.getNumArguments();
  }

  static int64_t elementBytes(Value tensor) {
    return ir::elementBytes(cast<RankedTensorType>(tensor.getType()).getElementType());
  }

  plan::SizeAttr bytesOf(BlockArgument argument) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      return constant(0);
    plan::SizeAttr whole = constant(elementBytes(argument));
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      whole = product(whole, sizeOf(argument, dim));
    auto found = picked.find(argument);
    bool alone = found != picked.end() && llvm::all_of(argument.getUses(), [](OpOperand &use) {
                   return isa<tensor::ExtractOp, tensor::DimOp>(use.getOwner());
                 });
    if (!alone)
      return whole;
    // Sizes of the same symbols alone can be told apart; of others what is picked is believed.
    bool less = whole.getSymbols() == found->second.getSymbols() && whole.getConstant() <= found->second.getConstant();
    for (StringAttr symbol : whole.getSymbols())
      less &= whole.coefficient(symbol) <= found->second.coefficient(symbol);
    return less ? whole : found->second;
  }

  // Nothing, where it is not affine.
  plan::SizeAttr product(plan::SizeAttr a, plan::SizeAttr b) {
    if (!a || !b)
      return constant(0);
    return b.isConstant() ? a.times(b.getConstant()) : a.isConstant() ? b.times(a.getConstant()) : constant(0);
  }

  // The size of a dimension, from the argument that it comes from; null where none names it.
  plan::SizeAttr sizeOf(Value value, int64_t dim) {
    auto type = cast<RankedTensorType>(value.getType());
    if (!type.isDynamicDim(dim))
      return constant(type.getDimSize(dim));
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() != &function.getBody().front())
        return {};
      auto dims = function.getArgAttr(argument.getArgNumber(), "ingot.dims");
      auto named = RankedTensorType::get(type.getShape(), type.getElementType(), dims);
      return dims ? plan::sizeOf(context, ir::dimOf(named, dim)) : plan::SizeAttr();
    }
    Operation *op = value.getDefiningOp();
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      return sizeOf(linalgOp.getDpsInits()[cast<OpResult>(value).getResultNumber()], dim);
    if (auto empty = dyn_cast<tensor::EmptyOp>(op))
      if (auto size = empty.getDynamicSize(dim).getDefiningOp<tensor::DimOp>())
        if (auto index = size.getConstantIndex())
          return sizeOf(size.getSource(), *index);
    return {};
  }

  plan::SizeAttr spaceOf(linalg::LinalgOp op) {
    plan::SizeAttr space = constant(1);
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
      plan::SizeAttr size;
      for (OpOperand &operand : op->getOpOperands())
        for (auto [dim, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
          if (auto at = dyn_cast<AffineDimExpr>(expr); !size && at && at.getPosition() == loop)
            size = sizeOf(operand.get(), static_cast<int64_t>(dim));
      space = product(space, size);
    }
    return space;
  }

  static int64_t operationsOf(Block *body) {
    int64_t count = 0;
    body->walk([&](Operation *op) {
      if (op->getNumResults() != 1 || !isa<FloatType>(op->getResult(0).getType()))
        return;
      if (isa<math::FmaOp>(op))
        count += 2;
      else if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::MaximumFOp, arith::MinimumFOp,
                   arith::MaxNumFOp, arith::MinNumFOp>(op) ||
               (isa<math::MathDialect>(op->getDialect()) && !isa<math::AbsFOp, math::CopySignOp>(op)))
        count += 1;
    });
    return count;
  }

  func::FuncOp function;
  MLIRContext *context;
  llvm::DenseMap<Value, plan::SizeAttr> picked; // bytes, of arguments whose elements are picked
};

} // namespace

FunctionWork workOf(func::FuncOp function) { return Counter(function).count(); }

} // namespace ingot::passes
