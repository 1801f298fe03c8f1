// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// flatten-rows: ops on many dimensions become ops on rows (see Passes.td). Reshapes cost nothing, and those of
// neighbouring ops fold away. Beside linears alone it keeps rows that linears gave: an activation, a sum or a norm then
// stands next to its linear, with no reshape between them.
#include "dialects/ingot/IngotDialect.h"
#include "passes/Passes.h"
#include "passes/shapes/Dimensions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

#include <limits>

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_FLATTENROWSPASS
#include "passes/Passes.h.inc"

namespace {

using ir::tensorOf;

class Flattener {
public:
  explicit Flattener(ir::EntryOp entry) : entry(entry), b(entry.getContext()) {}

  void besideLinears() {
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
      b.setInsertionPoint(&op);
      const bool isNorm = isa<ir::RmsNormOp, ir::LayerNormOp>(op);
      if ((isNorm || isa<ir::ScalarBodyInterface>(op)) && !ir::isRecipe(op.getResult(0)) && llvm::any_of(op.getOperands(), isOfRows))
        rowsOf(&op, isNorm ? op.getOperand(0) : op.getResult(0), 2);
    }
  }

  void run() {
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
      b.setInsertionPoint(&op);
      if (op.getNumResults() != 1 || !isa<RankedTensorType>(op.getResult(0).getType()) || ir::isRecipe(op.getResult(0)))
        continue;
      if (auto softmax = dyn_cast<ir::SoftmaxOp>(op))
        softmaxOf(softmax);
      else if (isa<ir::ScalarBodyInterface>(op))
        rowsOf(&op, op.getResult(0));
      else if (auto reduce = dyn_cast<ir::ReduceOp>(op)) {
        if (reduce.getAxis() + 1 == static_cast<uint64_t>(tensorOf(reduce.getInput()).getRank()))
          rowsOf(&op, reduce.getInput());
      } else if (isa<ir::RmsNormOp, ir::LayerNormOp>(op))
        rowsOf(&op, op.getOperand(0));
      else if (auto product = dyn_cast<ir::MatmulOp>(op))
        batchOf(product);
      else if (auto compute = dyn_cast<ir::ComputeOp>(op))
        dropOnes(compute);
      else if (auto transpose = dyn_cast<ir::TransposeOp>(op))
        dropOnes(transpose);
    }
  }

private:
  Value reshape(Value value, ArrayRef<ir::Dim> dims, Location loc) {
    auto type = ir::tensorType(dims, tensorOf(value).getElementType());
    return type == value.getType() ? value : Value(ir::ReshapeOp::create(b, loc, type, value));
  }

  // Whether the operand of an element-wise op or norm is one of parameters, of the last axis alone.
  static bool isParameter(Operation *op, OpOperand &operand) {
    return operand.getOperandNumber() > 0 && isa<ir::RmsNormOp, ir::LayerNormOp>(op);
  }

  // Whether the value is [rows, n] under another shape of the same last dimension.
  static bool isOfRows(Value value) {
    auto reshape = value.getDefiningOp<ir::ReshapeOp>();
    if (!reshape || ir::isRecipe(value))
      return false;
    auto from = tensorOf(reshape.getInput()), to = tensorOf(value);
    return from.getRank() == 2 && to.getRank() > 2 && ir::dimOf(from, 1) == ir::dimOf(to, static_cast<unsigned>(to.getRank() - 1));
  }

  // `shaped` has the shape along which the op's rows lie. Nothing is done that leaves more than `most` dimensions.
  void rowsOf(Operation *op, Value shaped, size_t most = std::numeric_limits<size_t>::max()) {
    SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(shaped));
    const size_t rank = dims.size();
    if (rank < 3)
      return;
    // Neighbours join where every operand has both or repeats both; what is 1 joins anything. The last stays by itself.
    SmallVector<bool> joins(rank, true);
    joins[rank - 1] = false; // whether dimension i joins the one before it
    for (OpOperand &operand : op->getOpOperands()) {
      if (isParameter(op, operand))
        continue;
      if (tensorOf(operand.get()).getRank() != static_cast<int64_t>(rank))
        return;
      auto broadcast = operand.get().getDefiningOp<ir::BroadcastOp>();
      if (!broadcast)
        continue;
      SmallVector<ir::Dim> from = ir::dimsOf(tensorOf(broadcast.getInput()));
      auto repeats = [&](size_t i) {
        return i < rank - from.size() || (from[i + from.size() - rank].size == 1 && dims[i].size != 1);
      };
      // Dimensions of 1 join either kind, and do not hide what stands before them.
      for (size_t i = 1; i + 1 < rank; ++i) {
        size_t before = i - 1;
        while (before > 0 && dims[before].size == 1)
          --before;
        joins[i] = joins[i] && (dims[i].size == 1 || dims[before].size == 1 || repeats(i) == repeats(before));
      }
    }
    SmallVector<SmallVector<size_t>> groups;
    for (size_t i = 0; i < rank; ++i) {
      if (i == 0 || !joins[i])
        groups.emplace_back();
      groups.back().push_back(i);
    }
    if (groups.size() == rank || groups.size() > most)
      return;
    auto grouped = [&](ArrayRef<ir::Dim> of) {
      SmallVector<ir::Dim> result;
      for (const auto &group : groups) {
        SmallVector<ir::Dim> members;
        for (size_t i : group)
          if (i < of.size())
            members.push_back(of[i]);
        if (!members.empty())
          result.push_back(productOf(entry, members));
      }
      return result;
    };
    SmallVector<ir::Dim> flat = grouped(dims);
    IRMapping mapping;
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (isParameter(op, operand) || mapping.contains(value))
        continue;
      auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
      if (!broadcast) {
        mapping.map(value, reshape(value, flat, op->getLoc()));
        continue;
      }
      SmallVector<ir::Dim> from = ir::dimsOf(tensorOf(broadcast.getInput()));
      from.insert(from.begin(), rank - from.size(), ir::Dim(1));
      SmallVector<ir::Dim> source = grouped(from);
      while (source.size() > 1 && source.front().size == 1)
        source.erase(source.begin());
      Value reshaped = reshape(broadcast.getInput(), source, broadcast.getLoc());
      auto type = ir::tensorType(flat, tensorOf(value).getElementType());
      mapping.map(value, type == reshaped.getType()
                             ? reshaped
                             : Value(ir::BroadcastOp::create(b, broadcast.getLoc(), type, reshaped)));
    }
    Operation *made = b.clone(*op, mapping);
    Value result = op->getResult(0);
    SmallVector<ir::Dim> own = ir::dimsOf(tensorOf(result));
    SmallVector<ir::Dim> ownFlat = flat;
    if (auto reduce = dyn_cast<ir::ReduceOp>(op)) {
      if (reduce.getKeepAxis())
        ownFlat.back() = ir::Dim(1);
      else
        ownFlat.pop_back();
      cast<ir::ReduceOp>(made).setAxis(flat.size() - 1);
    }
    made->getResult(0).setType(ir::tensorType(ownFlat, tensorOf(result).getElementType()));
    if (auto softmax = dyn_cast<ir::SoftmaxOp>(made))
      softmax.setAxis(flat.size() - 1);
    result.replaceAllUsesWith(reshape(made->getResult(0), own, op->getLoc()));
    op->erase();
  }

  void softmaxOf(ir::SoftmaxOp op) {
    auto type = tensorOf(op.getInput());
    const int64_t axis = op.getAxis(), rank = type.getRank();
    if (!type.isDynamicDim(axis) && axis + 1 == rank)
      return rowsOf(op, op.getInput());
    if (rank < 3 && !type.isDynamicDim(axis))
      return;
    // e^(x - max) / sum, each step in memory.
    Location loc = op.getLoc();
    SmallVector<ir::Dim> dims = ir::dimsOf(type), kept = dims;
    kept[axis] = ir::Dim(1);
    Value input = op.getInput();
    auto reduced = [&](ir::ReduceKind kind,
                       Value of) -> Value { // straight into its place, which a reshape gives its axis back
      Value made = ir::ReduceOp::create(b, loc, of, ir::ReduceKindAttr::get(b.getContext(), kind),
                                        b.getI64IntegerAttr(axis), UnitAttr())
                       .getResult();
      return reshape(made, kept, loc);
    };
    auto wide = [&](Value of) -> Value { return ir::BroadcastOp::create(b, loc, type, of); };
    Operation *before = op->getPrevNode();
    Value shifted = ir::SubOp::create(b, loc, input, wide(reduced(ir::ReduceKind::Max, input)));
    Value powers = ir::ExpOp::create(b, loc, shifted);
    Value result = ir::DivOp::create(b, loc, powers, wide(reduced(ir::ReduceKind::Sum, powers)));
    op.getResult().replaceAllUsesWith(result);
    Operation *after = op;
    // The new ops are looked at in their turn.
    for (Operation *made = before ? before->getNextNode() : &entry.getBody().front().front(); made != after;) {
      Operation *next = made->getNextNode();
      b.setInsertionPoint(made);
      if (auto reduce = dyn_cast<ir::ReduceOp>(made)) {
        if (axis + 1 == rank)
          rowsOf(made, reduce.getInput());
      } else if (isa<ir::ScalarBodyInterface>(made)) {
        rowsOf(made, made->getResult(0));
      }
      made = next;
    }
    op.erase();
  }

  // One dimension of batches, or none where there is one batch.
  void batchOf(ir::MatmulOp op) {
    SmallVector<ir::Dim> left = ir::dimsOf(tensorOf(op.getLhs())), right = ir::dimsOf(tensorOf(op.getRhs()));
    const size_t rank = left.size();
    ir::Dim batch = productOf(entry, ArrayRef(left).drop_back(2));
    if (rank == 2 || (rank == 3 && batch.size != 1))
      return;
    auto flat = [&](ArrayRef<ir::Dim> dims) {
      SmallVector<ir::Dim> result(dims.take_back(2));
      if (batch.size != 1)
        result.insert(result.begin(), batch);
      return result;
    };
    SmallVector<ir::Dim> own = ir::dimsOf(tensorOf(op.getResult()));
    Value lhs = reshape(op.getLhs(), flat(left), op.getLoc()), rhs = reshape(op.getRhs(), flat(right), op.getLoc());
    Value made = ir::MatmulOp::create(b, op.getLoc(), lhs, rhs).getResult();
    op.getResult().replaceAllUsesWith(reshape(made, own, op.getLoc()));
    op.erase();
  }

  // How many dimensions in front are 1, all but the last at most.
  static int64_t onesOf(RankedTensorType type) {
    int64_t ones = 0;
    while (ones + 1 < type.getRank() && type.getDimSize(ones) == 1)
      ++ones;
    return ones;
  }

  void dropOnes(ir::ComputeOp op) {
    auto type = tensorOf(op.getResult());
    const int64_t ones = onesOf(type);
    if (ones == 0)
      return joinLeading(op);
    SmallVector<ir::Dim> dims = ir::dimsOf(type);
    auto made = cast<ir::ComputeOp>(b.clone(*op));
    made.getResult().setType(ir::tensorType(ArrayRef(dims).drop_front(ones), type.getElementType()));
    Block &body = made.getBody().front();
    OpBuilder inner = OpBuilder::atBlockBegin(&body);
    const unsigned first = static_cast<unsigned>(made.getInputs().size());
    Value zero = arith::ConstantIndexOp::create(inner, op.getLoc(), 0);
    for (int64_t i = 0; i < ones; ++i) {
      body.getArgument(first).replaceAllUsesWith(zero);
      body.eraseArgument(first);
    }
    op.getResult().replaceAllUsesWith(reshape(made.getResult(), dims, op.getLoc()));
    op.erase();
    joinLeading(made);
  }

  // Whether neighbours of the last dimension are read from neighbours alone.
  static bool readsNeighbours(ir::ComputeOp op) {
    Block &body = op.getBody().front();
    Value last = body.getArgument(static_cast<unsigned>(op.getInputs().size() + tensorOf(op.getResult()).getRank()) - 1);
    bool some = false;
    for (auto read : body.getOps<ir::ElementOp>())
      if (!read.getIndices().empty()) {
        some = read.getIndices().back() == last && !llvm::is_contained(read.getIndices().drop_back(), last);
        if (!some)
          return false;
      }
    return some;
  }

  // A line of neighbours becomes rows of vectors: as rows of one element, for which it would be taken, none of them are.
  bool splitLine(ir::ComputeOp op) {
    auto type = tensorOf(op.getResult());
    if (type.getRank() != 1 || type.isDynamicDim(0) || !readsNeighbours(op))
      return false;
    int64_t width = 16;
    while (width > 4 && type.getDimSize(0) % width)
      width /= 2;
    if (type.getDimSize(0) % width || type.getDimSize(0) <= width)
      return false;
    b.setInsertionPoint(op);
    auto made = cast<ir::ComputeOp>(b.clone(*op));
    made.getResult().setType(RankedTensorType::get({type.getDimSize(0) / width, width}, type.getElementType()));
    Block &body = made.getBody().front();
    OpBuilder inner = OpBuilder::atBlockBegin(&body);
    const unsigned first = static_cast<unsigned>(made.getInputs().size());
    Value lane = body.insertArgument(first, inner.getIndexType(), op.getLoc());
    Value row = body.insertArgument(first, inner.getIndexType(), op.getLoc());
    Value index = arith::MulIOp::create(inner, op.getLoc(), row, arith::ConstantIndexOp::create(inner, op.getLoc(), width));
    body.getArgument(first + 2).replaceAllUsesWith(arith::AddIOp::create(inner, op.getLoc(), index, lane));
    body.eraseArgument(first + 2);
    op.getResult().replaceAllUsesWith(reshape(made.getResult(), ir::dimsOf(type), op.getLoc()));
    op.erase();
    return true;
  }

  // Leading dimensions become one, until there are rows enough for many threads or the last dimension alone is left.
  void joinLeading(ir::ComputeOp op) {
    if (splitLine(op))
      return;
    constexpr int64_t kEnough = 64;
    auto type = tensorOf(op.getResult());
    SmallVector<ir::Dim> dims = ir::dimsOf(type);
    size_t count = 0;
    for (int64_t known = 1; count + 1 < dims.size() && known < kEnough; ++count)
      known *= dims[count].isDynamic() ? 1 : dims[count].size;
    if (count < 2)
      return;
    b.setInsertionPoint(op);
    SmallVector<ir::Dim> flat(dims.begin() + count, dims.end());
    flat.insert(flat.begin(), productOf(entry, ArrayRef(dims).take_front(count)));
    auto made = cast<ir::ComputeOp>(b.clone(*op));
    made.getResult().setType(ir::tensorType(flat, type.getElementType()));
    Block &body = made.getBody().front();
    OpBuilder inner = OpBuilder::atBlockBegin(&body);
    const unsigned first = static_cast<unsigned>(made.getInputs().size());
    Value row = body.insertArgument(first, inner.getIndexType(), op.getLoc());
    for (size_t i = count; i-- > 0;) {
      Value index = row;
      if (i > 0) {
        Value size = dims[i].isDynamic() ? Value(ir::SizeOp::create(inner, op.getLoc(), dims[i].name).getResult())
                                         : Value(arith::ConstantIndexOp::create(inner, op.getLoc(), dims[i].size));
        index = arith::RemUIOp::create(inner, op.getLoc(), row, size);
        row = arith::DivUIOp::create(inner, op.getLoc(), row, size);
      }
      body.getArgument(first + 1 + static_cast<unsigned>(i)).replaceAllUsesWith(index);
    }
    body.eraseArguments(first + 1, static_cast<unsigned>(count));
    op.getResult().replaceAllUsesWith(reshape(made.getResult(), dims, op.getLoc()));
    op.erase();
  }

  // A transposition within rows of the first dimension, of which there may be few: as elements, so that the dimensions
  // in front can be joined.
  bool spellOut(ir::TransposeOp op) {
    const RankedTensorType type = tensorOf(op.getResult()), from = tensorOf(op.getInput());
    ArrayRef<int64_t> permutation = op.getPermutation();
    if (type.getRank() < 4 || permutation.front() != 0 || llvm::is_sorted(permutation))
      return false;
    auto made = ir::ComputeOp::create(b, op.getLoc(), type, op.getInput(), ir::ReduceKindAttr(), b.getStrArrayAttr({}));
    OpBuilder inner(b.getContext());
    Block *body = inner.createBlock(&made.getBody());
    Value input = body->addArgument(from, op.getLoc());
    SmallVector<Value> indices(permutation.size());
    for (int64_t dimension : permutation)
      indices[dimension] = body->addArgument(inner.getIndexType(), op.getLoc());
    Value element = ir::ElementOp::create(inner, op.getLoc(), ir::registerType(from.getElementType()), input, indices);
    ir::YieldOp::create(inner, op.getLoc(), element);
    op.getResult().replaceAllUsesWith(made.getResult());
    op.erase();
    b.setInsertionPoint(made);
    dropOnes(made);
    return true;
  }

  void dropOnes(ir::TransposeOp op) {
    if (spellOut(op))
      return;
    auto type = tensorOf(op.getResult());
    int64_t ones = 0;
    while (ones < onesOf(type) && op.getPermutation()[ones] == ones)
      ++ones;
    if (ones == 0)
      return;
    SmallVector<ir::Dim> from = ir::dimsOf(tensorOf(op.getInput())), to = ir::dimsOf(type);
    SmallVector<int64_t> permutation;
    for (int64_t index : op.getPermutation().drop_front(ones))
      permutation.push_back(index - ones);
    Value input = reshape(op.getInput(), ArrayRef(from).drop_front(ones), op.getLoc());
    Value made = ir::TransposeOp::create(b, op.getLoc(), input, b.getDenseI64ArrayAttr(permutation)).getResult();
    op.getResult().replaceAllUsesWith(reshape(made, to, op.getLoc()));
    op.erase();
  }

  ir::EntryOp entry;
  OpBuilder b;
};

struct FlattenRowsPass : public impl::FlattenRowsPassBase<FlattenRowsPass> {
  using FlattenRowsPassBase::FlattenRowsPassBase;

  void runOnOperation() override {
    for (auto entry : getOperation().getOps<ir::EntryOp>())
      if (besideLinears)
        Flattener(entry).besideLinears();
      else
        Flattener(entry).run();
  }
};

} // namespace
} // namespace ingot::passes
