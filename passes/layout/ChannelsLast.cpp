// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// channels-last: convolutions read and write [B, spatial..., C] in place of [B, C, spatial...], so that windows are
// runs of memory and a window's sums are those of a matrix product. What stands between convolutions and can be said in
// either order follows (element-wise ops, poolings, joins); where something cannot, there are transposes. Decides the
// order of dimensions and of convolutions' weights, and nothing else.
#include "passes/Passes.h"

#include "dialects/ingot/IngotDialect.h"
#include "passes/fusion/Match.h"
#include "passes/layout/GroupNorms.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_CHANNELSLASTPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

// Which dimension of [B, C, X...] is dimension i of [B, X..., C]; `back`: the other way round.
SmallVector<int64_t> order(int64_t rank, bool back = false) {
  SmallVector<int64_t> result = {0};
  if (back)
    result.push_back(rank - 1);
  for (int64_t i = 1; i + 1 < rank; ++i)
    result.push_back(back ? i : i + 1);
  if (!back)
    result.push_back(1);
  return result;
}
// Where a dimension of [B, C, X...] is in [B, X..., C].
int64_t placeInLast(int64_t dimension, int64_t rank) {
  return dimension == 0 ? 0 : dimension == 1 ? rank - 1 : dimension - 1;
}

RankedTensorType lastType(RankedTensorType type) {
  SmallVector<ir::Dim> dims;
  for (int64_t i : order(type.getRank()))
    dims.push_back(ir::dimOf(type, i));
  return ir::tensorType(dims, type.getElementType());
}

// One entry.
class Layout {
public:
  explicit Layout(ir::EntryOp entry) : entry(entry), builder(entry.getContext()) {}

  void run() {
    SmallVector<Operation *> ops;
    bool wanted = false;
    for (Operation &op : entry.getBody().front()) {
      ops.push_back(&op);
      auto convolution = dyn_cast<ir::ConvolutionOp>(op);
      wanted = wanted || (convolution && takes(convolution) && !isAlone(convolution));
    }
    if (!wanted)
      return;
    for (Operation *op : ops) {
      builder.setInsertionPoint(op);
      llvm::TypeSwitch<Operation *>(op)
          .Case<ir::ConvolutionOp, ir::ComputeOp, ir::ReduceOp, ir::ConcatOp, ir::SplitOp, ir::ReshapeOp, ir::LayerNormOp>(
              [&](auto kind) { convert(kind); })
          .Default([&](Operation *other) {
            if (isa<ir::ScalarBodyInterface>(other))
              convertElements(other);
          });
    }
  }

private:
  ir::EntryOp entry;
  OpBuilder builder;
  DenseMap<Value, Value> lastOf; // of a value [B, C, X...], the same as [B, X..., C]

  static int64_t rank(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type ? type.getRank() : 0;
  }

  // Puts `made`, with channels last, in the place of `old`.
  void replace(Value old, Value made) {
    auto back = ir::TransposeOp::create(builder, made.getLoc(), old.getType(), made,
                                        builder.getDenseI64ArrayAttr(order(rank(old), /*back=*/true)));
    old.replaceAllUsesWith(back.getResult());
    lastOf[back.getResult()] = made;
  }

  // Whether it costs next to nothing to have the value with channels last.
  bool isCheap(Value value) {
    if (lastOf.count(value) || value.getDefiningOp<ir::BroadcastOp>())
      return true;
    auto constant = value.getDefiningOp<ir::ConstantOp>();
    return constant && isa<SplatElementsAttr>(constant.getValue());
  }

  // The value, of three dimensions or more, with channels last.
  Value asLast(Value value) {
    if (Value known = lastOf.lookup(value))
      return known;
    const Location loc = value.getLoc();
    const RankedTensorType type = lastType(tensorOf(value));
    if (auto constant = value.getDefiningOp<ir::ConstantOp>())
      if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
        return ir::ConstantOp::create(builder, loc, type,
                                      splat.resizeSplat(cast<ShapedType>(splat.getType().clone(type.getShape()))));
    if (auto broadcast = value.getDefiningOp<ir::BroadcastOp>()) {
      // What is repeated, with dimensions of 1 in front.
      Value input = broadcast.getInput();
      const int64_t missing = rank(value) - rank(input);
      if (missing > 0) {
        SmallVector<ir::Dim> dims(missing, ir::Dim(1));
        llvm::append_range(dims, ir::dimsOf(tensorOf(input)));
        input = ir::ReshapeOp::create(builder, loc, ir::tensorType(dims, type.getElementType()), input);
      }
      return ir::BroadcastOp::create(builder, loc, type, asLast(input));
    }
    if (llvm::count_if(type.getShape(), [](int64_t size) { return size != 1; }) <= 1) // the order is one
      return lastOf[value] = ir::ReshapeOp::create(builder, loc, type, value);
    return lastOf[value] =
               ir::TransposeOp::create(builder, loc, type, value, builder.getDenseI64ArrayAttr(order(rank(value))));
  }

  // Whether more of the operands are there with channels last, or as good as there, than are not.
  bool isWorthIt(ValueRange operands) {
    int64_t there = 0, missing = 0;
    for (Value operand : operands) {
      there += lastOf.count(operand);
      missing += !isCheap(operand);
    }
    return there > missing;
  }

  // --- Convolutions.

  static bool isAlone(ir::ConvolutionOp op) {
    const auto groups = static_cast<int64_t>(op.getGroups());
    return groups == tensorOf(op.getInput()).getDimSize(1) && groups == op.outputs();
  }

  // Whether a kernel takes it: 16 outputs are its lanes, which few outputs would leave empty.
  static bool takes(ir::ConvolutionOp op) {
    if (op.channelsLast() || !ir::isRecipe(op.getWeight()))
      return false;
    int64_t taps = 1;
    for (int64_t size : op.windowSizes())
      taps *= size;
    if (isAlone(op))
      return taps <= kChunk;
    const auto groups = static_cast<int64_t>(op.getGroups());
    const int64_t rows = op.outputs() / groups;
    return groups == 1 ? rows >= 8 : rows % 16 == 0;
  }
  static constexpr int64_t kChunk = 512; // of sums: those of channels by themselves are one chain

  void convert(ir::ConvolutionOp op) {
    if (!takes(op))
      return;
    Value input = asLast(op.getInput()), residual = op.getResidual() ? asLast(op.getResidual()) : Value();
    auto weight = ir::PackOp::create(builder, op.getWeight().getLoc(), op.getWeight(),
                                     builder.getStringAttr(isAlone(op) ? "tn" : "n16tc"));
    auto made = ir::ConvolutionOp::create(
        builder, op.getLoc(), lastType(tensorOf(op.getResult())), input, weight, op.getScale(), op.getBias(), residual,
        op.getStridesAttr(), op.getDilationsAttr(), op.getPadsAttr(), op.getGroupsAttr(), op.getActivationAttr(),
        op.getLowAttr(), op.getHighAttr(), builder.getDenseI64ArrayAttr(op.windowSizes()));
    replace(op.getResult(), made.getResult());
    op.erase();
  }

  // --- What follows them.

  void convertElements(Operation *op) {
    if (op->getNumResults() != 1 || rank(op->getResult(0)) < 3 || ir::isRecipe(op->getResult(0)) ||
        !isWorthIt(op->getOperands()))
      return;
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(asLast(operand));
    Operation *made = Operation::create(op->getLoc(), op->getName(), lastType(tensorOf(op->getResult(0))), operands,
                                        op->getDiscardableAttrDictionary(), op->getPropertiesStorage(), {}, 0);
    builder.insert(made);
    replace(op->getResult(0), made->getResult(0));
    op->erase();
  }

  // The indices of the region that a scalar is computed from.
  static void collectIndices(Value value, llvm::SmallPtrSetImpl<void *> &found,
                             llvm::SmallPtrSetImpl<Operation *> &seen) {
    if (isa<BlockArgument>(value)) {
      found.insert(value.getAsOpaquePointer());
      return;
    }
    if (!seen.insert(value.getDefiningOp()).second)
      return;
    for (Value operand : value.getDefiningOp()->getOperands())
      collectIndices(operand, found, seen);
  }

  // Whether elements of inputs with channels last are read at a channel that depends on the result's channel alone, and
  // nothing else of their place does: then the result's neighbours along channels are made of the inputs' neighbours.
  bool followsChannels(ir::ComputeOp op) {
    Block &body = op.getBody().front();
    const Value channel = body.getArgument(op.getInputs().size() + 1);
    for (auto element : body.getOps<ir::ElementOp>()) {
      auto input = dyn_cast<BlockArgument>(element.getTensor());
      if (!input || !lastOf.count(op.getInputs()[input.getArgNumber()]))
        continue;
      for (auto [i, index] : llvm::enumerate(element.getIndices())) {
        llvm::SmallPtrSet<void *, 8> found;
        llvm::SmallPtrSet<Operation *, 8> seen;
        collectIndices(index, found, seen);
        const bool reads = found.contains(channel.getAsOpaquePointer());
        if (i == 1 ? found.size() > (reads ? 1 : 0) : reads)
          return false;
      }
    }
    return true;
  }

  void convert(ir::ComputeOp op) {
    Value result = op.getResult();
    // [B, C], where planes become numbers, is the same in both orders.
    const bool any = llvm::any_of(op.getInputs(), [&](Value input) { return lastOf.count(input) != 0; });
    if (!any || rank(result) < 2 || !followsChannels(op))
      return;
    // The region again, with the result's indices in the new order, and elements read in that order.
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(lastOf.count(input) ? lastOf[input] : input);
    auto made = ir::ComputeOp::create(builder, op.getLoc(), lastType(tensorOf(result)), inputs, op.getReduceAttr(),
                                      op.getExtentsAttr());
    Block &from = op.getBody().front();
    OpBuilder::InsertionGuard guard(builder);
    Block *to = builder.createBlock(&made.getBody());
    IRMapping mapping;
    for (auto [argument, input] : llvm::zip(from.getArguments(), inputs))
      mapping.map(argument, to->addArgument(input.getType(), op.getLoc()));
    const size_t first = inputs.size();
    const int64_t dims = rank(result);
    for (size_t i = first; i < from.getNumArguments(); ++i)
      to->addArgument(builder.getIndexType(), op.getLoc());
    for (size_t i = first; i < from.getNumArguments(); ++i) {
      const auto dimension = static_cast<int64_t>(i - first);
      mapping.map(from.getArgument(i),
                  to->getArgument(first + (dimension < dims ? placeInLast(dimension, dims) : dimension)));
    }
    for (Operation &inner : from) {
      auto element = dyn_cast<ir::ElementOp>(inner);
      auto input = element ? dyn_cast<BlockArgument>(element.getTensor()) : BlockArgument();
      if (!input || inputs[input.getArgNumber()] == op.getInputs()[input.getArgNumber()]) {
        builder.clone(inner, mapping);
        continue;
      }
      SmallVector<Value> indices;
      for (int64_t i : order(rank(op.getInputs()[input.getArgNumber()])))
        indices.push_back(mapping.lookup(element.getIndices()[i]));
      auto read =
          ir::ElementOp::create(builder, inner.getLoc(), element.getResult().getType(), mapping.lookup(input), indices);
      mapping.map(element.getResult(), read.getResult());
    }
    builder.setInsertionPointAfter(made);
    replace(result, made.getResult());
    op.erase();
  }

  void convert(ir::ReduceOp op) {
    // Without batch or channels the rest would be in another order.
    if (!lastOf.count(op.getInput()) || (!op.getKeepAxis() && op.getAxis() < 2))
      return;
    Value input = lastOf[op.getInput()];
    auto made = ir::ReduceOp::create(builder, op.getLoc(), lastType(tensorOf(op.getResult())), input, op.getKind(),
                                     placeInLast(static_cast<int64_t>(op.getAxis()), rank(input)), op.getKeepAxis());
    replace(op.getResult(), made.getResult());
    op.erase();
  }

  void convert(ir::ConcatOp op) {
    if (rank(op.getResult()) < 3 || ir::isRecipe(op.getResult()) || !isWorthIt(op.getInputs()))
      return;
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(asLast(input));
    auto axis = builder.getI64IntegerAttr(placeInLast(static_cast<int64_t>(op.getAxis()), rank(op.getResult())));
    auto made = ir::ConcatOp::create(builder, op.getLoc(), lastType(tensorOf(op.getResult())), inputs, axis,
                                     op.getSegmentsAttr());
    replace(op.getResult(), made.getResult());
    op.erase();
  }

  void convert(ir::SplitOp op) {
    if (!lastOf.count(op.getInput()))
      return;
    SmallVector<Type> types;
    for (Value result : op.getResults())
      types.push_back(lastType(tensorOf(result)));
    Value input = lastOf[op.getInput()];
    auto made = ir::SplitOp::create(builder, op.getLoc(), types, input,
                                    placeInLast(static_cast<int64_t>(op.getAxis()), rank(input)), op.getSizes());
    for (auto [old, result] : llvm::zip(op.getResults(), made.getResults()))
      replace(old, result);
    op.erase();
  }

  // Whether a layer norm has neither scale nor shift, as one of groups is written.
  static bool isPlainNorm(ir::LayerNormOp norm) {
    return tensorOf(norm.getInput()).getRank() == 3 && tensorOf(norm.getInput()).getElementType().isF32() && match::isConstant(norm.getGamma(), 1, 0) &&
           (!norm.getBeta() || match::isConstant(norm.getBeta(), 0, 0));
  }

  // What is behind the channels of a shape, as one number; nothing where it is dynamic or without elements.
  static std::optional<int64_t> positionsOf(RankedTensorType type) {
    int64_t positions = 1;
    for (int64_t size : type.getShape().drop_front(2)) {
      if (ShapedType::isDynamic(size) || size == 0)
        return std::nullopt;
      positions *= size;
    }
    return positions;
  }

  // A norm over all positions of each channel by itself, [B, C, positions].
  void convert(ir::LayerNormOp op) {
    Value input = lastOf.lookup(op.getInput());
    const RankedTensorType type = tensorOf(op.getResult());
    if (!input || !isPlainNorm(op) || type.isDynamicDim(1) || type.getDimSize(1) == 0 || !positionsOf(type))
      return;
    replace(op.getResult(), groupNormLast(builder, op.getLoc(), input, type.getDimSize(1), op.getEps().convertToDouble()));
    op.erase();
  }

  // A norm over groups of channels and all positions: groups as rows, which become channels again behind it.
  bool convertGroups(ir::ReshapeOp op) {
    auto norm = op.getInput().getDefiningOp<ir::LayerNormOp>();
    auto cut = norm ? norm.getInput().getDefiningOp<ir::ReshapeOp>() : ir::ReshapeOp();
    const RankedTensorType to = tensorOf(op.getResult());
    if (!cut || cut.getInput().getType() != to || !norm->hasOneUse() || to.getRank() < 3 || !isPlainNorm(norm))
      return false;
    const RankedTensorType rows = tensorOf(norm.getInput());
    const int64_t groups = rows.getDimSize(1), channels = to.getDimSize(1);
    const std::optional<int64_t> positions = positionsOf(to);
    Value input = lastOf.lookup(cut.getInput());
    if (!input || !positions || ShapedType::isDynamic(groups) || ShapedType::isDynamic(channels) || groups == 0 || channels % groups != 0 ||
        !(ir::dimOf(rows, 0) == ir::dimOf(to, 0)) || rows.getDimSize(2) != channels / groups * *positions)
      return false;
    replace(op.getResult(), groupNormLast(builder, norm.getLoc(), input, groups, norm.getEps().convertToDouble()));
    op.erase();
    return true;
  }

  // Dimensions behind the channels that are cut otherwise, or that are 1 and leave.
  void convert(ir::ReshapeOp op) {
    if (convertGroups(op))
      return;
    Value last = lastOf.lookup(op.getInput());
    if (!last)
      return;
    const RankedTensorType from = tensorOf(op.getInput()), to = tensorOf(op.getResult());
    auto same = [&](unsigned i) { return ir::dimOf(from, i) == ir::dimOf(to, i); };
    if (to.getRank() < 2 || !same(0) || !same(1))
      return;
    if (to.getRank() > 2) {
      auto made = ir::ReshapeOp::create(builder, op.getLoc(), lastType(to), last);
      replace(op.getResult(), made.getResult());
      op.erase();
    } else if (llvm::all_of(from.getShape().drop_front(2), [](int64_t size) { return size == 1; })) {
      op.getInputMutable().assign(last);
    }
  }
};

struct ChannelsLastPass : public impl::ChannelsLastPassBase<ChannelsLastPass> {
  void runOnOperation() override {
    getOperation().walk([](ir::EntryOp entry) { Layout(entry).run(); });
  }
};

} // namespace
} // namespace ingot::passes
