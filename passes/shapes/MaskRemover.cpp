// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops behind a bias, written again for one batch (see MaskRemover.h).
#include "passes/shapes/MaskRemover.h"
#include "dialects/ingot/SymbolExpr.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

// Whether a dimension follows from B, and is not B itself.
bool MaskRemover::mentionsBatch(StringRef name) {
  auto expr = ir::parseDim(name);
  if (!expr)
    return true;
  if (batch.name && expr->symbol == batch.name.getValue())
    return name != batch.name.getValue();
  auto symbol =
      ir::lookup<ir::SymbolOp>(mask.getParentBlock()->getParentOp(), StringAttr::get(mask.getContext(), expr->symbol));
  std::string why;
  auto value = symbol && symbol.getValue() ? ir::SymbolExpr::parse(*symbol.getValue(), why) : std::nullopt;
  return value && llvm::any_of(value->names(), [&](const std::string &inner) {
           return (batch.name && inner == batch.name.getValue()) || mentionsBatch(inner);
         });
}

// B by its name. A batch of 1 is that already; another number could be any dimension's.
RankedTensorType MaskRemover::oneBatch(RankedTensorType type) {
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  for (ir::Dim &dim : dims)
    if (dim.isDynamic() && batch.name && dim.name == batch.name)
      dim = ir::Dim(1);
  return ir::tensorType(dims, type.getElementType());
}

bool MaskRemover::removableOp(Operation *op) {
  if (auto compute = dyn_cast<ir::ComputeOp>(op)) {
    for (Attribute extent : compute.getExtents())
      if (StringRef text = cast<StringAttr>(extent).getValue();
          ir::parseDim(text) && (mentionsBatch(text) || (batch.name && text == batch.name.getValue())))
        return false;
    return !compute.getBody()
                .walk([&](ir::SizeOp size) {
                  return mentionsBatch(size.getExpr()) || (batch.name && size.getExpr() == batch.name.getValue())
                             ? WalkResult::interrupt()
                             : WalkResult::advance();
                })
                .wasInterrupted();
  }
  return op->getNumResults() == 1 && isa<ir::ScalarBodyInterface, ir::BroadcastOp, ir::ReshapeOp, ir::TransposeOp>(op);
}

bool MaskRemover::removable(Value value) {
  if (value == mask) // lengths would be the number of positions
    return tensorOf(mask).getRank() > 1 && (batch.isDynamic() || batch.size == 1);
  if (auto found = known.find(value); found != known.end())
    return found->second;
  RankedTensorType type = tensorOf(value);
  for (const ir::Dim &dim : ir::dimsOf(type))
    if (dim.isDynamic() && mentionsBatch(dim.name.getValue()))
      return known[value] = false;
  Operation *op = value.getDefiningOp();
  if (!op) // another argument: the same for all batches where it has none
    return known[value] = oneBatch(type) == type && batch.isDynamic();
  if (op->getNumOperands() == 0)
    return known[value] = oneBatch(type) == type;
  return known[value] =
             removableOp(op) && llvm::all_of(op->getOperands(), [&](Value operand) { return removable(operand); });
}

Value MaskRemover::without(Value value, OpBuilder &b) {
  Value &result = made[value];
  if (result)
    return result;
  RankedTensorType type = oneBatch(tensorOf(value));
  Operation *op = value.getDefiningOp();
  if (value == mask) {
    auto scalar = RankedTensorType::get({}, type.getElementType());
    Attribute one = isa<FloatType>(type.getElementType()) ? Attribute(b.getFloatAttr(type.getElementType(), seen))
                                                          : Attribute(b.getIntegerAttr(type.getElementType(), seen));
    Value constant = ir::ConstantOp::create(b, value.getLoc(), scalar, DenseElementsAttr::get(scalar, one));
    return made[value] = ir::BroadcastOp::create(b, value.getLoc(), type, constant);
  }
  if (!op || op->getNumOperands() == 0)
    return result = value;
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, without(operand, b));
  Operation *copy = b.clone(*op, mapping);
  copy->getResult(0).setType(type);
  if (auto compute = dyn_cast<ir::ComputeOp>(copy))
    for (auto [argument, input] : llvm::zip(compute.getBody().getArguments(), compute.getInputs()))
      argument.setType(input.getType());
  return made[value] = copy->getResult(0);
}

} // namespace ingot::passes
