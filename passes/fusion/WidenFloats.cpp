// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// widen-floats: f16 and bf16 between ops become f32 (see Passes.td). What a graph takes, gives and stores keeps its
// type, as does what ops without a name compute.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_WIDENFLOATSPASS
#include "passes/Passes.h.inc"

namespace {

bool isNarrow(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && (type.getElementType().isF16() || type.getElementType().isBF16());
}

class Widener {
public:
  explicit Widener(ir::EntryOp entry) : entry(entry), b(entry.getContext()) {}

  void run() {
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
      if (auto cast = dyn_cast<ir::CastOp>(op)) {
        if (isNarrow(cast.getInput()) && isWide(cast.getInput()) &&
            wideTypeOf(cast.getInput()) == cast.getResult().getType()) {
          cast.getResult().replaceAllUsesWith(widened(cast.getInput()));
          cast.erase();
        }
        continue;
      }
      if (op.getNumResults() == 1 && !ir::isRecipe(op.getResult(0)) && llvm::any_of(op.getOperands(), isNarrow) &&
          isKnown(&op))
        widen(&op);
    }
  }

private:
  // Ops that only move elements are cheapest as they are, unless what they move is f32 already.
  bool isKnown(Operation *op) {
    if (isa<ir::ReshapeOp, ir::TransposeOp, ir::BroadcastOp, ir::ConcatOp>(op))
      return llvm::all_of(op->getOperands(), [&](Value operand) { return isWide(operand); });
    if (isa<ir::SoftmaxOp, ir::LayerNormOp, ir::RmsNormOp, ir::ReduceOp>(op))
      return true;
    if (auto compute = dyn_cast<ir::ComputeOp>(op))
      return computesInF32(compute);
    return isa<ir::ScalarBodyInterface>(op);
  }

  // Whether elements of 16 bits, which are there as f32 too, are widened as they are read, and a result of 16 bits is rounded last.
  bool computesInF32(ir::ComputeOp compute) {
    Block &body = compute.getBody().front();
    if (isNarrow(compute->getResult(0))) {
      auto round = cast<ir::YieldOp>(body.getTerminator()).getValue().getDefiningOp<arith::TruncFOp>();
      if (!round || !round.getIn().getType().isF32())
        return false;
    }
    for (auto [input, argument] : llvm::zip(compute.getInputs(), body.getArguments()))
      if (isNarrow(input))
        for (Operation *user : argument.getUsers())
          if (!isWide(input) || !isa<ir::ElementOp>(user) || !llvm::all_of(user->getUsers(), [](Operation *reader) {
                auto extend = dyn_cast<arith::ExtFOp>(reader);
                return extend && extend.getType().isF32();
              }))
            return false;
    return true;
  }

  // The body of a compute whose inputs became f32.
  void widenBody(ir::ComputeOp compute) {
    Block &body = compute.getBody().front();
    for (auto [input, argument] : llvm::zip(compute.getInputs(), body.getArguments())) {
      if (argument.getType() == input.getType())
        continue;
      argument.setType(input.getType());
      for (Operation *element : argument.getUsers()) {
        element->getResult(0).setType(b.getF32Type());
        for (Operation *extend : llvm::make_early_inc_range(element->getUsers())) {
          extend->getResult(0).replaceAllUsesWith(element->getResult(0));
          extend->erase();
        }
      }
    }
    auto yield = cast<ir::YieldOp>(body.getTerminator());
    if (isNarrow(compute->getResult(0)))
      yield->setOperand(0, yield.getValue().getDefiningOp<arith::TruncFOp>().getIn());
  }

  static Type wideTypeOf(Value value) {
    return cast<RankedTensorType>(value.getType()).clone(Float32Type::get(value.getContext()));
  }

  // Whether its f32 is there before it was rounded.
  bool isWide(Value value) {
    if (wide.contains(value))
      return true;
    auto cast = value.getDefiningOp<ir::CastOp>();
    return cast && cast.getInput().getType() == wideTypeOf(value);
  }

  Value widened(Value value) {
    Value &known = wide[value];
    if (known)
      return known;
    if (auto cast = value.getDefiningOp<ir::CastOp>(); cast && cast.getInput().getType() == wideTypeOf(value))
      return known = cast.getInput();
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(value);
    return known = ir::CastOp::create(b, value.getLoc(), wideTypeOf(value), value).getResult();
  }

  void widen(Operation *op) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(isNarrow(operand) ? widened(operand) : operand);
    b.setInsertionPoint(op);
    Operation *made = b.clone(*op);
    made->setOperands(operands);
    if (auto compute = dyn_cast<ir::ComputeOp>(made))
      widenBody(compute);
    Value result = made->getResult(0), before = op->getResult(0);
    if (isNarrow(result)) {
      result.setType(wideTypeOf(result));
      Value narrow = ir::CastOp::create(b, op->getLoc(), before.getType(), result).getResult();
      wide[narrow] = result;
      result = narrow;
    }
    before.replaceAllUsesWith(result);
    op->erase();
  }

  ir::EntryOp entry;
  OpBuilder b;
  llvm::DenseMap<Value, Value> wide; // values of 16 bits, and the f32 of which they are
};

struct WidenFloatsPass : public impl::WidenFloatsPassBase<WidenFloatsPass> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<ir::EntryOp>())
      Widener(entry).run();
  }
};

} // namespace
} // namespace ingot::passes
