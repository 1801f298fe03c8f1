// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements that are read at positions which a tensor of positions tells: mask[b[i, j], s[i, j]] of b[i, j] = i and s[i, j] = j is mask[i, j].
// So torch.export writes masks of transformers: the index of each dimension by arange, broadcast, joined, and looked up.
#include "passes/fusion/RecognizePatterns.h"
#include "passes/shapes/Dimensions.h"

#include "dialects/ingot/IngotDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace ingot::passes {

namespace {

using ir::tensorOf;

// A loop's index, or a number.
struct Place {
  std::optional<unsigned> loop; // by number, of the op that is looked at
  int64_t constant = 0;         // where there is none
  bool operator==(const Place &) const = default;
};
using MaybePlace = std::optional<Place>;

// Integers of tensors that are computed from loops' indices and constants.
class PlaceReader {
public:
  explicit PlaceReader(ir::ComputeOp op) : dims(ir::dimsOf(tensorOf(op.getResult()))) {
    for (Attribute extent : op.getExtents()) // of loops that are reduced
      dims.push_back(ir::Dim(ShapedType::kDynamic, cast<StringAttr>(extent)));
  }

  using Known = llvm::DenseMap<Value, MaybePlace>;

  // A value of a region whose arguments stand for `tensors` and, where they are indices, are known.
  MaybePlace scalar(Value value, Known &known, ValueRange tensors) {
    if (auto found = known.find(value); found != known.end())
      return found->second;
    known[value] = std::nullopt;
    Operation *op = value.getDefiningOp();
    return known[value] = op && ++steps < 512 ? through(op, known, tensors) : std::nullopt;
  }

private:
  MaybePlace through(Operation *op, Known &known, ValueRange tensors) {
    auto operand = [&](unsigned i) { return scalar(op->getOperand(i), known, tensors); };
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto number = dyn_cast<IntegerAttr>(constant.getValue());
      return number ? MaybePlace(Place{std::nullopt, number.getValue().getSExtValue()}) : std::nullopt;
    }
    if (auto element = dyn_cast<ir::ElementOp>(op)) {
      auto tensor = dyn_cast<BlockArgument>(element.getTensor());
      if (!tensor || tensor.getArgNumber() >= tensors.size())
        return std::nullopt;
      SmallVector<MaybePlace> indices;
      for (Value index : element.getIndices())
        indices.push_back(scalar(index, known, tensors));
      return at(tensors[tensor.getArgNumber()], indices);
    }
    if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op)) // positions are small
      return operand(0);
    if (auto select = dyn_cast<arith::SelectOp>(op)) {
      auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
      // Counted from the end where it is negative.
      if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt || !isNumber(scalar(compare.getRhs(), known, tensors), 0))
        return std::nullopt;
      MaybePlace asked = scalar(compare.getLhs(), known, tensors);
      return asked && (asked->loop || asked->constant >= 0) ? operand(2) : std::nullopt;
    }
    if (op->getNumOperands() != 2)
      return std::nullopt;
    MaybePlace left = operand(0), right = operand(1);
    if (isa<arith::MinSIOp>(op))
      return left && left->loop && isLastOf(op->getOperand(1), right, dims[*left->loop]) ? left : std::nullopt;
    if (isNumber(left, 0) || (isNumber(left, 1) && isa<arith::MulIOp>(op)))
      std::swap(left, right);
    if (!left || !right || right->loop)
      return std::nullopt;
    if (!left->loop) {
      if (isa<arith::AddIOp>(op))
        return Place{std::nullopt, left->constant + right->constant};
      if (isa<arith::MulIOp>(op))
        return Place{std::nullopt, left->constant * right->constant};
    }
    if ((isa<arith::AddIOp, arith::MaxSIOp>(op) && right->constant == 0) || (isa<arith::MulIOp>(op) && right->constant == 1))
      return left->loop || !isa<arith::MaxSIOp>(op) ? left : Place{std::nullopt, std::max<int64_t>(left->constant, 0)};
    return std::nullopt;
  }

  MaybePlace at(Value tensor, ArrayRef<MaybePlace> given) {
    Operation *op = tensor.getDefiningOp();
    if (!op || ++steps >= 512 || !tensorOf(tensor).getElementType().isInteger())
      return std::nullopt;
    SmallVector<MaybePlace> indices(given);
    for (auto [index, size] : llvm::zip(indices, tensorOf(tensor).getShape()))
      if (size == 1)
        index = Place{};
    if (auto constant = dyn_cast<ir::ConstantOp>(op)) {
      auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
      return elements && elements.isSplat() ? MaybePlace(Place{std::nullopt, elements.getSplatValue<APInt>().getSExtValue()}) : std::nullopt;
    }
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(op))
      return at(broadcast.getInput(), ArrayRef(indices).take_back(tensorOf(broadcast.getInput()).getRank()));
    if (auto cast = dyn_cast<ir::CastOp>(op))
      return at(cast.getInput(), indices);
    if (auto transpose = dyn_cast<ir::TransposeOp>(op)) {
      SmallVector<MaybePlace> before(indices.size());
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
        before[from] = indices[to];
      return at(transpose.getInput(), before);
    }
    if (auto reshape = dyn_cast<ir::ReshapeOp>(op)) {
      auto before = beforeReshape(reshape, ArrayRef(indices));
      return before ? at(reshape.getInput(), *before) : std::nullopt;
    }
    if (auto concat = dyn_cast<ir::ConcatOp>(op)) {
      MaybePlace &along = indices[size_t(concat.getAxis())];
      if (!along || along->loop || concat.getSegments())
        return std::nullopt;
      for (Value part : concat.getInputs()) {
        const int64_t size = tensorOf(part).getDimSize(concat.getAxis());
        if (ShapedType::isDynamic(size))
          return std::nullopt;
        if (along->constant < size)
          return at(part, indices);
        along->constant -= size;
      }
      return std::nullopt;
    }
    auto compute = dyn_cast<ir::ComputeOp>(op);
    if (!compute || compute.getReduce())
      return std::nullopt;
    Block &body = compute.getBody().front();
    Known known;
    for (auto [index, argument] : llvm::zip(indices, body.getArguments().drop_front(compute.getInputs().size())))
      known[argument] = index;
    return scalar(body.getTerminator()->getOperand(0), known, compute.getInputs());
  }

  static bool isNumber(const MaybePlace &place, int64_t number) { return place == MaybePlace(Place{std::nullopt, number}); }

  // Whether a bound is the last index of the dimension.
  static bool isLastOf(Value bound, const MaybePlace &number, const ir::Dim &dim) {
    if (!dim.isDynamic())
      return number && !number->loop && number->constant >= dim.size - 1;
    auto size = bound.getDefiningOp<ir::SizeOp>();
    return size && isLastIndex(size, dim);
  }

  SmallVector<ir::Dim> dims; // of loops
  unsigned steps = 0;
};

// The input whose elements an op gives as they are; null where it gives others.
Value elementsOf(ir::ComputeOp op) {
  Block &body = op.getBody().front();
  auto element = body.getTerminator()->getOperand(0).getDefiningOp<ir::ElementOp>();
  if (op.getReduce() || op.getInputs().size() != 1 || !element || op.getInputs()[0].getType() != op.getType() ||
      !llvm::equal(element.getIndices(), body.getArguments().drop_front()))
    return {};
  return op.getInputs()[0];
}

struct PositionIndex : OpRewritePattern<ir::ComputeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ComputeOp op, PatternRewriter &rewriter) const override {
    Block &body = op.getBody().front();
    const unsigned given = unsigned(op.getInputs().size());
    PlaceReader reader(op);
    PlaceReader::Known known;
    for (auto [i, argument] : llvm::enumerate(body.getArguments().drop_front(given)))
      known[argument] = Place{unsigned(i), 0};
    SmallVector<std::pair<OpOperand *, Place>> found;
    for (ir::ElementOp element : body.getOps<ir::ElementOp>()) {
      auto tensor = dyn_cast<BlockArgument>(element.getTensor());
      if (!tensor || ir::isRecipe(op.getInputs()[tensor.getArgNumber()])) // rows of a table are looked up
        continue;
      for (OpOperand &index : element.getIndicesMutable())
        if (Operation *maker = index.get().getDefiningOp(); maker && !isa<arith::ConstantOp>(maker))
          if (MaybePlace place = reader.scalar(index.get(), known, op.getInputs()))
            found.push_back({&index, *place});
    }
    if (found.empty())
      return rewriter.notifyMatchFailure(op, "no index of it is read from positions");
    rewriter.modifyOpInPlace(op, [&] {
      OpBuilder b = OpBuilder::atBlockBegin(&body);
      for (auto [index, place] : found)
        index->set(place.loop ? Value(body.getArgument(given + *place.loop)) : Value(arith::ConstantIndexOp::create(b, op.getLoc(), place.constant)));
      // The positions are read no more.
      for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(body)))
        if (isOpTriviallyDead(&inner))
          rewriter.eraseOp(&inner);
      for (unsigned i = given; i-- > 0;)
        if (body.getArgument(i).use_empty()) {
          body.eraseArgument(i);
          op->eraseOperand(i);
        }
    });
    if (Value input = elementsOf(op))
      rewriter.replaceOp(op, input);
    return success();
  }
};

} // namespace

void addPositionPatterns(RewritePatternSet &patterns) { patterns.add<PositionIndex>(patterns.getContext()); }

} // namespace ingot::passes
