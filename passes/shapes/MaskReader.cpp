// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements followed through what computes them (see MaskReader.h). Scalar bodies and regions of ingot.compute are run
// on what is known of their operands; where all of it is constant, arith's own folders give the result.
#include "passes/shapes/MaskReader.h"
#include "passes/shapes/Dimensions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

// Beyond so many ops an element counts as unknown: what is asked for is written in a few dozen.
static constexpr unsigned kSteps = 4096;

using ir::tensorOf;

bool MaskReader::isMask(Value value, ir::Dim batch, ir::Dim rows) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() < 2 || !type.getElementType().isIntOrFloat())
    return false;
  SmallVector<ir::Dim> dims = withoutOnes(ir::dimsOf(type)), expected = withoutOnes({batch, rows});
  return dims == expected;
}

bool MaskReader::isLengths(Value value, ir::Dim batch) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 1 && ir::dimOf(type, 0) == batch && type.getElementType().isInteger() &&
         !type.getElementType().isInteger(1);
}

std::optional<double> MaskReader::numberOf(const MaskSymbol &symbol) {
  if (symbol.kind != MaskSymbol::constant)
    return std::nullopt;
  if (auto real = dyn_cast<FloatAttr>(symbol.value))
    return real.getValueAsDouble();
  auto integer = cast<IntegerAttr>(symbol.value);
  return integer.getType().isInteger(1) ? double(integer.getValue().getZExtValue())
                                        : double(integer.getValue().getSExtValue());
}

std::optional<double> MaskReader::inRow(Value value, unsigned batchAxis, unsigned rowAxis) {
  SmallVector<MaskSymbol> indices(tensorOf(value).getRank());
  indices[batchAxis] = {MaskSymbol::batch, {}};
  indices[rowAxis] = {MaskSymbol::row, {}};
  steps = 0;
  elsewhere = false;
  return numberOf(at(value, indices));
}

std::optional<double> MaskReader::inBias(Value value) {
  if (tensorOf(value).getRank() != 4)
    return std::nullopt;
  steps = 0;
  elsewhere = false;
  return numberOf(at(value, {{MaskSymbol::batch, {}}, {}, {MaskSymbol::other, {}}, {MaskSymbol::row, {}}}));
}

MaskSymbol MaskReader::at(Value value, ArrayRef<MaskSymbol> given) {
  if (++steps > kSteps) {
    elsewhere = true;
    return {};
  }
  RankedTensorType type = tensorOf(value);
  SmallVector<MaskSymbol> indices(given);
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  Builder b(value.getContext());
  for (auto [index, dim] : llvm::zip(indices, dims))
    if (dim.size == 1)
      index = MaskSymbol::of(b.getIndexAttr(0));
  if (value == mask) {
    // Each dimension other than 1 at the index that it stands for; B may itself be 1.
    SmallVector<MaskSymbol::Kind> kinds;
    for (auto [index, dim] : llvm::zip(indices, dims))
      if (dim.size != 1)
        kinds.push_back(index.kind);
    SmallVector<MaskSymbol::Kind> expected;
    if (batchDim.size != 1)
      expected.push_back(MaskSymbol::batch);
    if (rowDim.size != 1)
      expected.push_back(MaskSymbol::row);
    if (lengths) {
      if (batchDim.size == 1 || kinds == SmallVector<MaskSymbol::Kind>{MaskSymbol::batch})
        return {MaskSymbol::length, {}};
      elsewhere = true;
      return {};
    }
    if (queriesToo && kinds != expected)
      for (MaskSymbol::Kind &kind : kinds)
        kind = kind == MaskSymbol::other ? MaskSymbol::row : kind;
    if (kinds != expected) {
      elsewhere = true;
      return {};
    }
    Type scalar = ir::registerType(type.getElementType());
    return MaskSymbol::of(isa<FloatType>(scalar) ? Attribute(b.getFloatAttr(scalar, element))
                                                 : Attribute(b.getIntegerAttr(scalar, element)));
  }
  Operation *op = value.getDefiningOp();
  return op ? through(op, value, indices) : MaskSymbol();
}

bool MaskReader::depends(Value value) {
  if (value == mask)
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (auto known = dependsOnMask.find(value); known != dependsOnMask.end())
    return known->second;
  const bool found = llvm::any_of(op->getOperands(), [&](Value operand) { return depends(operand); });
  return dependsOnMask[value] = found;
}

MaskSymbol MaskReader::through(Operation *op, Value value, ArrayRef<MaskSymbol> indices) {
  Builder b(op->getContext());
  if (auto constant = dyn_cast<ir::ConstantOp>(op)) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!elements)
      return {};
    SmallVector<uint64_t> place;
    for (const MaskSymbol &index : indices)
      if (auto number = numberOf(index))
        place.push_back(static_cast<uint64_t>(*number));
    Attribute found;
    if (elements.isSplat())
      found = elements.getSplatValue<Attribute>();
    else if (place.size() == indices.size() && ElementsAttr::isValidIndex(elements.getType(), place))
      found = elements.getValues<Attribute>()[place];
    else
      return {};
    if (auto integer = dyn_cast<IntegerAttr>(found)) // as registers hold it
      found = b.getIntegerAttr(ir::registerType(integer.getType()), integer.getValue());
    return MaskSymbol::of(found);
  }
  if (auto broadcast = dyn_cast<ir::BroadcastOp>(op))
    return at(broadcast.getInput(), indices.take_back(tensorOf(broadcast.getInput()).getRank()));
  if (auto transpose = dyn_cast<ir::TransposeOp>(op)) {
    SmallVector<MaskSymbol> before(indices.size());
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
      before[from] = indices[to];
    return at(transpose.getInput(), before);
  }
  if (auto reshape = dyn_cast<ir::ReshapeOp>(op))
    return reshaped(reshape, indices);
  if (auto compute = dyn_cast<ir::ComputeOp>(op))
    return computed(compute, indices);
  auto scalar = dyn_cast<ir::ScalarBodyInterface>(op);
  if (!scalar) {
    elsewhere |= depends(value);
    return {};
  }
  Block block;
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&block);
  Known known;
  SmallVector<Value> arguments;
  for (Value operand : op->getOperands()) {
    Value argument = block.addArgument(ir::registerType(tensorOf(operand).getElementType()), op->getLoc());
    known[argument] = at(operand, indices);
    arguments.push_back(argument);
  }
  Value result = scalar.buildScalarBody(builder, op->getLoc(), arguments);
  return run(block, result, known, {});
}

// Dimensions that are 1 come and go; others keep their order.
MaskSymbol MaskReader::reshaped(ir::ReshapeOp op, ArrayRef<MaskSymbol> indices) {
  if (auto before = beforeReshape(op, indices))
    return at(op.getInput(), *before);
  elsewhere |= depends(op.getInput());
  return {};
}

MaskSymbol MaskReader::computed(ir::ComputeOp op, ArrayRef<MaskSymbol> indices) {
  if (op.getReduce()) {
    elsewhere |= depends(op.getResult());
    return {};
  }
  Known known;
  Block &body = op.getBody().front();
  for (auto [index, argument] : llvm::zip(indices, body.getArguments().drop_front(op.getInputs().size())))
    known[argument] = index;
  return run(body, body.getTerminator()->getOperand(0), known, llvm::to_vector(op.getInputs()));
}

MaskSymbol MaskReader::run(Block &block, Value result, Known &known, ArrayRef<Value> tensors) {
  for (Operation &op : block) {
    if (op.getNumResults() != 1)
      continue;
    if (++steps > kSteps) {
      elsewhere = true;
      return {};
    }
    known[op.getResult(0)] = step(op, known, tensors);
  }
  return known.lookup(result);
}

MaskSymbol MaskReader::step(Operation &op, Known &known, ArrayRef<Value> tensors) {
  if (auto element = dyn_cast<ir::ElementOp>(op)) {
    auto argument = dyn_cast<BlockArgument>(element.getTensor());
    if (!argument || argument.getArgNumber() >= tensors.size())
      return {};
    SmallVector<MaskSymbol> indices;
    for (Value index : element.getIndices())
      indices.push_back(known.lookup(index));
    return at(tensors[argument.getArgNumber()], indices);
  }
  if (isa<ir::SizeOp>(op))
    return {};
  SmallVector<MaskSymbol> operands;
  for (Value operand : op.getOperands())
    operands.push_back(known.lookup(operand));
  auto isNumber = [&](unsigned i, double expected) { return numberOf(operands[i]) == expected; };
  // What one operand decides.
  if (isa<arith::SelectOp>(op)) {
    if (auto condition = numberOf(operands[0]))
      return operands[*condition != 0 ? 1 : 2];
    return operands[1] == operands[2] ? operands[1] : MaskSymbol();
  }
  if (isa<arith::MulFOp, arith::MulIOp, arith::AndIOp>(op))
    for (unsigned i : {0u, 1u}) {
      std::optional<double> other = numberOf(operands[1 - i]);
      if (isNumber(i, 0) && (!other || std::isfinite(*other)))
        return operands[i];
    }
  if (isa<arith::OrIOp>(op) && op.getResult(0).getType().isInteger(1))
    for (unsigned i : {0u, 1u})
      if (isNumber(i, 1))
        return operands[i];
  // Indices are not negative, and one that is cut to its dimension's last stays as it is.
  if (operands.size() == 1 && (operands[0].isIndex() || operands[0].kind == MaskSymbol::length) &&
      isa<arith::IndexCastOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(op))
    return operands[0];
  if (auto compare = dyn_cast<arith::CmpIOp>(op);
      compare && llvm::is_contained({operands[0].kind, operands[1].kind}, MaskSymbol::length)) {
    // Whether a position is before the length, from either side.
    arith::CmpIPredicate order = compare.getPredicate();
    MaskSymbol::Kind position = operands[0].kind;
    if (position == MaskSymbol::length) {
      position = operands[1].kind;
      order = order == arith::CmpIPredicate::sgt   ? arith::CmpIPredicate::slt
              : order == arith::CmpIPredicate::sle ? arith::CmpIPredicate::sge
                                                   : arith::CmpIPredicate::eq;
    }
    const bool known = position == MaskSymbol::row || (queriesToo && position == MaskSymbol::other);
    if (known && (order == arith::CmpIPredicate::slt || order == arith::CmpIPredicate::sge))
      return MaskSymbol::of(
          Builder(op.getContext()).getBoolAttr((element == 1) == (order == arith::CmpIPredicate::slt)));
    elsewhere = true;
    return {};
  }
  if (operands.size() == 2 && operands[0].kind == MaskSymbol::length) {
    // Cut to what a length may be.
    if (isa<arith::MaxSIOp>(op) && isNumber(1, 0))
      return operands[0];
    elsewhere = true;
    return {};
  }
  if (operands.size() == 2 && operands[0].isIndex()) {
    Builder b(op.getContext());
    if (auto compare = dyn_cast<arith::CmpIOp>(op); compare && isNumber(1, 0)) {
      if (compare.getPredicate() == arith::CmpIPredicate::slt)
        return MaskSymbol::of(b.getBoolAttr(false));
      if (compare.getPredicate() == arith::CmpIPredicate::sge)
        return MaskSymbol::of(b.getBoolAttr(true));
      return {};
    }
    if (isa<arith::MaxSIOp>(op) && isNumber(1, 0))
      return operands[0];
    if (isa<arith::MinSIOp>(op)) {
      auto size = op.getOperand(1).getDefiningOp<ir::SizeOp>();
      const ir::Dim &dim = operands[0].kind == MaskSymbol::batch ? batchDim : rowDim;
      if (size && isLastIndex(size, dim))
        return operands[0];
      if (!dim.isDynamic() && isNumber(1, double(dim.size - 1)))
        return operands[0];
      return {};
    }
    if (isa<arith::AddIOp, arith::SubIOp>(op) && isNumber(1, 0))
      return operands[0];
  }
  SmallVector<Attribute> constants;
  for (const MaskSymbol &operand : operands) {
    if (operand.kind != MaskSymbol::constant)
      return {};
    constants.push_back(operand.value);
  }
  SmallVector<OpFoldResult> results;
  if (failed(op.fold(constants, results)) || results.size() != 1)
    return {};
  if (auto value = dyn_cast<Value>(results[0]))
    return known.lookup(value);
  auto folded = cast<Attribute>(results[0]);
  return isa<FloatAttr, IntegerAttr>(folded) ? MaskSymbol::of(folded) : MaskSymbol();
}

} // namespace ingot::passes
