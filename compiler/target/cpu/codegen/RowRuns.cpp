// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Indices that ascend with the lanes, clamped or not, as windows and their padding make them (see RowEmitter.h): what they read are neighbours
// in memory, and what compares them is a count of lanes. A pooling is loads then instead of gathers.
#include "compiler/target/cpu/codegen/RowEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace ingot::target::cpu {

// The run that an op makes of a run and a number that all lanes have.
std::optional<RowEmitter::Run> RowEmitter::runOf(Operation &op, ArrayRef<Lane> operands) {
  if (operands.size() != 2 || operands[0].run.has_value() == operands[1].run.has_value())
    return std::nullopt;
  const bool leads = operands[0].run.has_value();
  Run run = *operands[leads ? 0 : 1].run;
  const Lane &other = operands[leads ? 1 : 0];
  if (other.isVector())
    return std::nullopt;
  Value number = other.value;
  // Which of two bounds comes first tells only where they exclude each other, and then there is nothing to read.
  if (isa<arith::MinSIOp>(op) && !run.high) {
    run.high = number;
    return run;
  }
  if (isa<arith::MaxSIOp>(op) && !run.low) {
    run.low = number;
    return run;
  }
  if (run.low || run.high)
    return std::nullopt;
  if (isa<arith::AddIOp>(op)) {
    run.first = add(run.first, number);
    return run;
  }
  if (isa<arith::SubIOp>(op) && leads) {
    run.first = b.createOrFold<arith::SubIOp>(loc, run.first, number);
    return run;
  }
  constexpr int64_t kLargestStep = 1 << 20;
  if (std::optional<int64_t> factor = getConstantIntValue(number);
      factor && isa<arith::MulIOp>(op) && *factor > 0 && *factor <= kLargestStep && run.step <= kLargestStep) {
    run.first = multiply(run.first, number);
    run.step *= *factor;
    return run;
  }
  return std::nullopt;
}

// How many lanes, from the first on, have an index first + lane * step below the number: 0 to kLanes. Saturates.
Value RowEmitter::lanesBefore(Value number, Value first, int64_t step) {
  Type i64 = b.getI64Type();
  auto wide = [&](Value value) -> Value { return arith::IndexCastOp::create(b, loc, i64, value); };
  Value distance = LLVM::SSubSat::create(b, loc, i64, wide(number), wide(first));
  distance = arith::MaxSIOp::create(b, loc, distance, integer(i64, 0));
  distance = arith::MinSIOp::create(b, loc, distance, integer(i64, kLanes * step));
  if (step > 1)
    distance = arith::CeilDivUIOp::create(b, loc, distance, integer(i64, step));
  return arith::TruncIOp::create(b, loc, b.getI32Type(), distance);
}

// A mask of the first `count` lanes, an i32.
Value RowEmitter::lanesBelow(Value count) {
  SmallVector<int32_t> numbers;
  for (int32_t lane = 0; lane < kLanes; ++lane)
    numbers.push_back(lane);
  Value lanes = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(VectorType::get(kLanes, b.getI32Type()), ArrayRef<int32_t>(numbers)));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lanes, broadcast(count));
}

// A comparison of a run without bounds and a number by its order; null for others.
Value RowEmitter::compareRun(Operation &op, ArrayRef<Lane> operands) {
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (!compare || operands[0].run.has_value() == operands[1].run.has_value())
    return {};
  using arith::CmpIPredicate;
  CmpIPredicate predicate = compare.getPredicate();
  const bool leads = operands[0].run.has_value();
  const Run &run = *operands[leads ? 0 : 1].run;
  const Lane &other = operands[leads ? 1 : 0];
  if (other.isVector() || run.low || run.high)
    return {};
  if (!leads) // from `number < run` to `run > number`
    switch (predicate) {
    case CmpIPredicate::slt:
      predicate = CmpIPredicate::sgt;
      break;
    case CmpIPredicate::sle:
      predicate = CmpIPredicate::sge;
      break;
    case CmpIPredicate::sgt:
      predicate = CmpIPredicate::slt;
      break;
    case CmpIPredicate::sge:
      predicate = CmpIPredicate::sle;
      break;
    default:
      return {};
    }
  const bool after = predicate == CmpIPredicate::sle || predicate == CmpIPredicate::sgt; // the number itself is below the limit
  if (!after && predicate != CmpIPredicate::slt && predicate != CmpIPredicate::sge)
    return {};
  Value first = after ? b.createOrFold<arith::SubIOp>(loc, run.first, index(1)) : run.first;
  Value below = lanesBelow(lanesBefore(other.value, first, run.step));
  if (predicate == CmpIPredicate::slt || predicate == CmpIPredicate::sle)
    return below;
  return arith::XOrIOp::create(b, loc, below, integer(below.getType(), 1));
}

// Whether one or two loads of neighbours hold the elements of a run; further apart, single elements are read sooner.
bool RowEmitter::readsNeighbours(const Run &run) { return run.step <= 2; }

// The elements of a run in a tensor's last dimension, whose element 0 is at `start`.
Value RowEmitter::loadRun(const Storage &storage, Value start, const Run &run, Position &at) {
  auto type = VectorType::get(kLanes, storage.element);
  const unsigned alignment = (storage.element.getIntOrFloatBitWidth() + 7) / 8;
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  const bool whole = !at.mask && !run.low && !run.high;
  Value high = run.high;
  if (high && run.low)
    high = arith::MaxSIOp::create(b, loc, high, run.low);
  // Neighbours from the index `from` on, those that a lane reads.
  auto neighbours = [&](int64_t offset) -> Value {
    Value from = add(run.first, index(offset));
    Value place = address(storage, add(start, from));
    if (whole)
      return LLVM::LoadOp::create(b, loc, type, place, alignment);
    Value mask = at.mask;
    if (mask && run.step > 1) { // up to the last lane's element
      Value last = multiply(b.createOrFold<arith::SubIOp>(loc, at.left, index(1)), index(run.step));
      mask = lanesBelow(lanesBefore(last, index(offset - 1), 1));
    }
    auto limit = [&](Value bound) { mask = mask ? Value(arith::AndIOp::create(b, loc, mask, bound)) : bound; };
    if (high)
      limit(lanesBelow(lanesBefore(high, b.createOrFold<arith::SubIOp>(loc, from, index(1)), 1)));
    if (run.low) {
      Value below = lanesBelow(lanesBefore(run.low, from, 1));
      limit(arith::XOrIOp::create(b, loc, below, integer(below.getType(), 1)));
    }
    return LLVM::MaskedLoadOp::create(b, loc, type, place, mask, zeros, alignment);
  };
  Value result = neighbours(0);
  if (run.step == 2) { // of 31 elements each other one: the second vector begins where the first one ends
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < kLanes; ++lane)
      picked.push_back(2 * lane < kLanes ? 2 * lane : kLanes + 2 * lane - (kLanes - 1));
    result = vector::ShuffleOp::create(b, loc, result, neighbours(kLanes - 1), picked);
  }
  // Lanes beyond a bound have the element there. A bound outside of the tensor is one that no lane reaches.
  auto beyond = [&](Value bound, bool below) {
    Value last = b.createOrFold<arith::SubIOp>(loc, storage.sizes.back(), index(1));
    Value inside = arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, bound, last), index(0));
    Value edge = broadcast(LLVM::LoadOp::create(b, loc, storage.element, address(storage, add(start, inside))));
    Value first = below ? run.first : b.createOrFold<arith::SubIOp>(loc, run.first, index(1));
    Value before = lanesBelow(lanesBefore(bound, first, run.step));
    result = below ? arith::SelectOp::create(b, loc, before, edge, result) : arith::SelectOp::create(b, loc, before, result, edge);
  };
  if (high)
    beyond(high, false);
  if (run.low)
    beyond(run.low, true);
  return result;
}

} // namespace ingot::target::cpu
