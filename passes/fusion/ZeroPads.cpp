// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ZeroPads.h. For each index i of the result that has zeros, x is i or i - front; the element is read at x, held within the input
// (max(min(x, size - 1), 0)), and taken where 0 <= x < size holds for all of them.
#include "passes/fusion/ZeroPads.h"
#include "dialects/ingot/IngotDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

namespace {

std::optional<int64_t> numberOf(Value value) {
  APInt number;
  return matchPattern(value, m_ConstantInt(&number)) ? std::optional(number.getSExtValue()) : std::nullopt;
}

bool isZero(Value value) {
  if (matchPattern(value, m_AnyZeroFloat()))
    return true;
  auto read = value.getDefiningOp<ir::ElementOp>();
  auto argument = read ? dyn_cast<BlockArgument>(read.getTensor()) : BlockArgument();
  auto compute = argument ? dyn_cast<ir::ComputeOp>(argument.getOwner()->getParentOp()) : ir::ComputeOp();
  return compute && argument.getArgNumber() < compute.getInputs().size() && matchPattern(compute.getInputs()[argument.getArgNumber()], m_AnyZeroFloat());
}

// An index of the result, less a number.
struct Shifted {
  unsigned dim;
  int64_t front;
  friend bool operator==(const Shifted &a, const Shifted &b) { return a.dim == b.dim && a.front == b.front; }
};

class Reader {
public:
  explicit Reader(ir::ComputeOp op) : op(op), first(static_cast<unsigned>(op.getInputs().size())) {}

  std::optional<ZeroPads> read() {
    auto choice = cast<ir::YieldOp>(op.getBody().front().getTerminator()).getValue().getDefiningOp<arith::SelectOp>();
    if (op.getReduce() || !op.getExtents().empty() || !choice || !isZero(choice.getFalseValue()))
      return std::nullopt;
    auto element = choice.getTrueValue().getDefiningOp<ir::ElementOp>();
    auto argument = element ? dyn_cast<BlockArgument>(element.getTensor()) : BlockArgument();
    if (!argument || argument.getOwner() != &op.getBody().front() || argument.getArgNumber() >= first)
      return std::nullopt;
    ZeroPads pads{op.getInputs()[argument.getArgNumber()], {}, {}};
    const RankedTensorType from = tensorOf(pads.input), to = tensorOf(op.getResult());
    if (from.getRank() != to.getRank() || from.getElementType() != to.getElementType())
      return std::nullopt;
    SmallVector<Shifted> places;
    for (auto [dim, index] : llvm::enumerate(element.getIndices())) {
      std::optional<Shifted> place = shifted(unclamped(index, from.getDimSize(static_cast<unsigned>(dim))));
      if (!place || place->dim != dim || place->front < 0)
        return std::nullopt;
      places.push_back(*place);
      const bool same = ir::dimOf(from, static_cast<unsigned>(dim)) == ir::dimOf(to, static_cast<unsigned>(dim));
      if (!same && (from.isDynamicDim(dim) || to.isDynamicDim(dim)))
        return std::nullopt;
      pads.front.push_back(place->front);
      pads.back.push_back(same ? -place->front : to.getDimSize(dim) - from.getDimSize(dim) - place->front);
      if (pads.back.back() < 0)
        return std::nullopt;
    }
    if (!bounds(choice.getCondition(), from, places))
      return std::nullopt;
    for (auto [dim, place] : llvm::enumerate(places))
      if ((pads.front[dim] != 0 && !below[dim]) || (pads.back[dim] != 0 && !above[dim]))
        return std::nullopt;
    return pads;
  }

private:
  // x of max(min(x, size - 1), 0), in either order; the value itself where it is none.
  static Value unclamped(Value value, int64_t size) {
    for (int i = 0; i < 2; ++i)
      if (auto least = value.getDefiningOp<arith::MaxSIOp>(); least && numberOf(least.getRhs()) == 0)
        value = least.getLhs();
      else if (auto most = value.getDefiningOp<arith::MinSIOp>(); most && !ShapedType::isDynamic(size) && numberOf(most.getRhs()) == size - 1)
        value = most.getLhs();
    return value;
  }

  std::optional<Shifted> shifted(Value value) const {
    int64_t front = 0;
    if (auto less = value.getDefiningOp<arith::SubIOp>()) {
      std::optional<int64_t> number = numberOf(less.getRhs());
      if (!number)
        return std::nullopt;
      front = *number;
      value = less.getLhs();
    } else if (auto more = value.getDefiningOp<arith::AddIOp>()) {
      std::optional<int64_t> number = numberOf(more.getRhs());
      if (!number)
        return std::nullopt;
      front = -*number;
      value = more.getLhs();
    }
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getOwner() != &op->getRegion(0).front() || argument.getArgNumber() < first)
      return std::nullopt;
    return Shifted{argument.getArgNumber() - first, front};
  }

  // Whether the condition is that some x are from 0 on and some below their sizes, and nothing more.
  bool bounds(Value condition, RankedTensorType from, ArrayRef<Shifted> places) {
    below.assign(places.size(), false);
    above.assign(places.size(), false);
    SmallVector<Value> work{condition};
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (auto both = value.getDefiningOp<arith::AndIOp>()) {
        work.push_back(both.getLhs());
        work.push_back(both.getRhs());
        continue;
      }
      if (matchPattern(value, m_One()))
        continue;
      auto compare = value.getDefiningOp<arith::CmpIOp>();
      std::optional<Shifted> place = compare ? shifted(compare.getLhs()) : std::nullopt;
      std::optional<int64_t> number = compare ? numberOf(compare.getRhs()) : std::nullopt;
      if (!place || !number || !(*place == places[place->dim]))
        return false;
      if (compare.getPredicate() == arith::CmpIPredicate::sge && *number == 0)
        below[place->dim] = true;
      else if (compare.getPredicate() == arith::CmpIPredicate::slt && *number == from.getDimSize(place->dim))
        above[place->dim] = true;
      else
        return false;
    }
    return true;
  }

  ir::ComputeOp op;
  unsigned first; // argument of the first index
  SmallVector<bool> below, above;
};

} // namespace

std::optional<ZeroPads> zeroPadsOf(Value value) {
  auto op = value.getDefiningOp<ir::ComputeOp>();
  return op ? Reader(op).read() : std::nullopt;
}

} // namespace ingot::passes
