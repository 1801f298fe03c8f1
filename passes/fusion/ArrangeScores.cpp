// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ArrangeScores.h.
#include "passes/fusion/ArrangeScores.h"

#include "passes/shapes/Dimensions.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace ingot::passes {

using ir::tensorOf;

namespace {

// `count` dimensions of tensors from `first` on become one, `into`. Only leading ones are joined in what products of
// matrices read.
class Joiner {
public:
  Joiner(Operation *at, int64_t first, int64_t count, ir::Dim into) : b(at), first(first), count(count), into(into) {}

  RankedTensorType typeOf(RankedTensorType type) const {
    SmallVector<ir::Dim> dims = ir::dimsOf(type);
    join(dims, into);
    return ir::tensorType(dims, type.getElementType());
  }

  // The value with these dimensions joined, computed so from the start as far as that is known.
  Value joined(Value value) {
    Operation *op = value.getDefiningOp();
    auto to = typeOf(tensorOf(value));
    if (auto reshape = value.getDefiningOp<ir::ReshapeOp>(); reshape && reshape.getInput().getType() == to)
      return reshape.getInput();
    if (auto broadcast = value.getDefiningOp<ir::BroadcastOp>())
      return joinedBroadcast(broadcast, to);
    if (auto transpose = value.getDefiningOp<ir::TransposeOp>())
      if (Value made = joinedTranspose(transpose))
        return made;
    if (op && value.hasOneUse() && (isa<ir::ScalarBodyInterface>(op) || (first == 0 && isa<ir::MatmulOp>(op)))) {
      IRMapping mapping;
      for (Value operand : op->getOperands())
        mapping.map(operand, joined(operand));
      Value made = b.clone(*op, mapping)->getResult(0);
      made.setType(to);
      return made;
    }
    return reshape(value, to);
  }

private:
  void join(SmallVectorImpl<ir::Dim> &dims, ir::Dim to) const {
    dims.erase(dims.begin() + first, dims.begin() + first + count);
    dims.insert(dims.begin() + first, to);
  }

  Value reshape(Value value, RankedTensorType to) {
    return value.getType() == to ? value : Value(ir::ReshapeOp::create(b, value.getLoc(), to, value));
  }

  // What is alike for all of the joined dimensions stays small; else it is repeated along these alone.
  Value joinedBroadcast(ir::BroadcastOp op, RankedTensorType to) {
    Value inner = op.getInput();
    const int64_t rank = tensorOf(op.getResult()).getRank();
    SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(inner)), wide = ir::dimsOf(tensorOf(op.getResult()));
    if (rank - int64_t(dims.size()) >= first + count)
      return ir::BroadcastOp::create(b, op.getLoc(), to, inner);
    dims.insert(dims.begin(), size_t(rank) - dims.size(), ir::Dim(1));
    const Type element = tensorOf(inner).getElementType();
    inner = reshape(inner, ir::tensorType(dims, element));
    if (llvm::all_of(ArrayRef(dims).slice(first, count), [](const ir::Dim &dim) { return dim.size == 1; })) {
      join(dims, ir::Dim(1));
    } else {
      std::copy(wide.begin() + first, wide.begin() + first + count, dims.begin() + first);
      if (auto repeated = ir::tensorType(dims, element); repeated != inner.getType())
        inner = ir::BroadcastOp::create(b, op.getLoc(), repeated, inner);
      join(dims, into);
    }
    inner = reshape(inner, ir::tensorType(dims, element));
    return inner.getType() == to ? inner : Value(ir::BroadcastOp::create(b, op.getLoc(), to, inner));
  }

  Value joinedTranspose(ir::TransposeOp op) {
    if (first != 0)
      return {};
    SmallVector<int64_t> permutation = {0};
    for (auto [i, from] : llvm::enumerate(op.getPermutation())) {
      if (int64_t(i) < count && from != int64_t(i))
        return {};
      if (int64_t(i) >= count)
        permutation.push_back(from - count + 1);
    }
    return ir::TransposeOp::create(b, op.getLoc(), joined(op.getInput()), b.getDenseI64ArrayAttr(permutation));
  }

  OpBuilder b;
  int64_t first, count;
  ir::Dim into;
};

// Whether a product of matrices is found by going up element-wise ops that nothing else reads.
bool comesFromProduct(Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse() || depth > 16)
    return false;
  if (isa<ir::MatmulOp>(op))
    return true;
  if (auto reshape = dyn_cast<ir::ReshapeOp>(op))
    return comesFromProduct(reshape.getInput(), depth + 1);
  return isa<ir::ScalarBodyInterface>(op) &&
         llvm::any_of(op->getOperands(), [&](Value of) { return comesFromProduct(of, depth + 1); });
}

// Whether element-wise ops lead from scores of the type `before`, in another shape, to the value.
bool isParted(Value value, RankedTensorType before) {
  if (auto reshape = value.getDefiningOp<ir::ReshapeOp>())
    return reshape.getInput().getType() == before && comesFromProduct(value);
  Operation *op = value.getDefiningOp();
  return op && value.hasOneUse() && isa<ir::ScalarBodyInterface>(op) &&
         llvm::any_of(op->getOperands(), [&](Value of) { return isParted(of, before); });
}

// Such a value in the scores' own shape.
Value together(Operation *at, Value value, RankedTensorType type) {
  OpBuilder b(at);
  if (auto reshape = value.getDefiningOp<ir::ReshapeOp>(); reshape && reshape.getInput().getType() == type)
    return reshape.getInput();
  if (!isParted(value, type))
    return ir::ReshapeOp::create(b, value.getLoc(), type, value);
  IRMapping mapping;
  for (Value operand : value.getDefiningOp()->getOperands())
    mapping.map(operand, together(at, operand, type));
  Value made = b.clone(*value.getDefiningOp(), mapping)->getResult(0);
  made.setType(type);
  return made;
}

// What nothing reads any more would count as a reader of what is still read.
void eraseUnused(Operation *unused) {
  llvm::SmallSetVector<Operation *, 16> left;
  left.insert(unused);
  while (!left.empty()) {
    Operation *op = left.pop_back_val();
    if (!isOpTriviallyDead(op))
      continue;
    for (Value operand : op->getOperands())
      if (Operation *before = operand.getDefiningOp())
        left.insert(before);
    op->erase();
  }
}

// Whether a transpose exchanges the last two dimensions and leaves the others.
bool turnsMatrices(ir::TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  const size_t rank = permutation.size();
  if (rank < 2 || permutation[rank - 2] != int64_t(rank - 1) || permutation[rank - 1] != int64_t(rank - 2))
    return false;
  for (size_t i = 0; i + 2 < rank; ++i)
    if (permutation[i] != int64_t(i))
      return false;
  return true;
}

// The matrices of a value transposed; what is so already is what it was before.
Value turned(OpBuilder &b, Value value) {
  if (auto before = value.getDefiningOp<ir::TransposeOp>(); before && turnsMatrices(before))
    return before.getInput();
  SmallVector<int64_t> permutation;
  for (int64_t i = 0, rank = tensorOf(value).getRank(); i < rank; ++i)
    permutation.push_back(i + 2 < rank ? i : i + 2 == rank ? rank - 1 : rank - 2);
  auto made = ir::TransposeOp::create(b, value.getLoc(), value, b.getDenseI64ArrayAttr(permutation));
  SmallVector<OpFoldResult> folded;
  (void)made->fold(folded); // with a transpose before it
  return made.getResult();
}

// The matrices of scores transposed, from their product on: (a b)^T is b^T a^T.
Value turnedScores(OpBuilder &b, Value value) {
  Operation *op = value.getDefiningOp();
  SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(value));
  std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  auto to = ir::tensorType(dims, tensorOf(value).getElementType());
  if (auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
      broadcast && tensorOf(broadcast.getInput()).getRank() == 0)
    return ir::BroadcastOp::create(b, op->getLoc(), to, broadcast.getInput());
  if (op && value.hasOneUse()) {
    if (auto product = dyn_cast<ir::MatmulOp>(op))
      return ir::MatmulOp::create(b, op->getLoc(), to, turned(b, product.getRhs()), turned(b, product.getLhs()));
    if (isa<ir::ScalarBodyInterface>(op)) {
      IRMapping mapping;
      for (Value operand : op->getOperands())
        mapping.map(operand, turnedScores(b, operand));
      Value made = b.clone(*op, mapping)->getResult(0);
      made.setType(to);
      return made;
    }
  }
  return turned(b, value);
}

// The same of every transpose on the way up.
void turnScores(Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse() || depth > 16)
    return;
  if (auto transpose = dyn_cast<ir::TransposeOp>(op)) {
    if (!turnsMatrices(transpose) || !comesFromProduct(transpose.getInput()))
      return;
    OpBuilder b(transpose);
    transpose.getResult().replaceAllUsesWith(turnedScores(b, transpose.getInput()));
    eraseUnused(transpose);
    return;
  }
  if (isa<ir::ReshapeOp, ir::ScalarBodyInterface>(op))
    for (Value operand : SmallVector<Value>(op->getOperands()))
      turnScores(operand, depth + 1);
}

// How many leading dimensions of `from` became the first of `to`; 0 where other dimensions changed.
int64_t leadingJoined(RankedTensorType from, RankedTensorType to) {
  const int64_t count = from.getRank() - to.getRank() + 1;
  if (count < 2)
    return 0;
  for (int64_t i = 1; i < to.getRank(); ++i)
    if (!ir::dimOf(from, unsigned(i + count - 1)).agrees(ir::dimOf(to, unsigned(i))))
      return 0;
  return count;
}

// What is multiplied with values: the softmax, perhaps with zeros for what is hidden.
Value probabilitiesOf(ir::SoftmaxOp softmax) {
  Value probabilities = softmax.getResult();
  if (probabilities.hasOneUse() && isa<ir::SelectOp>(*probabilities.getUsers().begin()))
    return probabilities.getUsers().begin()->getResult(0);
  return probabilities;
}

// The product of matrices under element-wise ops; null where something else stands there.
ir::MatmulOp productUnder(Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse() || depth > 16)
    return {};
  if (auto product = dyn_cast<ir::MatmulOp>(op))
    return product;
  if (isa<ir::ScalarBodyInterface>(op))
    for (Value operand : op->getOperands())
      if (auto product = productUnder(operand, depth + 1))
        return product;
  return {};
}

// [B, G, M, N] as [B, G, R, M, N], alike for all R.
Value repeatedForGroup(OpBuilder &b, Value value, ir::Dim group) {
  SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(value));
  dims.insert(dims.begin() + 2, ir::Dim(1));
  const Type element = tensorOf(value).getElementType();
  Value apart = ir::ReshapeOp::create(b, value.getLoc(), ir::tensorType(dims, element), value);
  dims[2] = group;
  return ir::BroadcastOp::create(b, value.getLoc(), ir::tensorType(dims, element), apart);
}

// [B, G, R * S, T] parted to [B, G, R, S, T], the rows of a product: then the product is one of five dimensions.
void partScores(Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || !value.hasOneUse() || depth > 16)
    return;
  auto part = dyn_cast<ir::ReshapeOp>(op);
  if (!part) {
    if (isa<ir::ScalarBodyInterface>(op))
      for (Value operand : SmallVector<Value>(op->getOperands()))
        partScores(operand, depth + 1);
    return;
  }
  auto product = part.getInput().getDefiningOp<ir::MatmulOp>();
  auto to = tensorOf(part.getResult());
  if (!product || !product->hasOneUse() || to.getRank() != 5 || tensorOf(product.getResult()).getRank() != 4 ||
      to.isDynamicDim(1) || to.isDynamicDim(2))
    return;
  for (auto [i, j] : {std::pair(0, 0), std::pair(1, 1), std::pair(4, 3)})
    if (!ir::dimOf(to, unsigned(i)).agrees(ir::dimOf(tensorOf(product.getResult()), unsigned(j))))
      return;
  OpBuilder b(part);
  SmallVector<ir::Dim> rows = ir::dimsOf(to);
  rows.back() = ir::dimOf(tensorOf(product.getLhs()), 3);
  auto apart = ir::tensorType(rows, to.getElementType());
  auto joined = product.getLhs().getDefiningOp<ir::ReshapeOp>();
  Value queries = joined && joined.getInput().getType() == apart
                      ? joined.getInput()
                      : Value(ir::ReshapeOp::create(b, part.getLoc(), apart, product.getLhs()));
  part.getResult().replaceAllUsesWith(
      ir::MatmulOp::create(b, product.getLoc(), to, queries, repeatedForGroup(b, product.getRhs(), ir::dimOf(to, 2)))
          .getResult());
  eraseUnused(part);
}

// The same of probabilities, whose rows may have been joined in the other order, [B, G, S * R, T].
void partValues(Value probabilities) {
  auto type = tensorOf(probabilities);
  for (Operation *user : llvm::make_early_inc_range(probabilities.getUsers())) {
    auto transpose = dyn_cast<ir::TransposeOp>(user);
    if (transpose && (transpose.getPermutation() != ArrayRef<int64_t>{0, 1, 3, 2, 4} || !transpose->hasOneUse()))
      continue;
    auto join = dyn_cast<ir::ReshapeOp>(transpose ? *transpose->getUsers().begin() : user);
    if (!join || !join->hasOneUse() || tensorOf(join.getResult()).getRank() != 4)
      continue;
    auto product = dyn_cast<ir::MatmulOp>(*join->getUsers().begin());
    auto rows = tensorOf(join.getResult());
    if (!product || product.getLhs() != join.getResult() || !ir::dimOf(rows, 0).agrees(ir::dimOf(type, 0)) ||
        !ir::dimOf(rows, 1).agrees(ir::dimOf(type, 1)) || !ir::dimOf(rows, 3).agrees(ir::dimOf(type, 4)))
      continue;
    OpBuilder b(product);
    SmallVector<ir::Dim> dims = ir::dimsOf(type);
    dims.back() = ir::dimOf(tensorOf(product.getRhs()), 3);
    Value made = ir::MatmulOp::create(b, product.getLoc(), ir::tensorType(dims, type.getElementType()), probabilities,
                                      repeatedForGroup(b, product.getRhs(), dims[2]));
    if (transpose)
      made = ir::TransposeOp::create(b, product.getLoc(), made, b.getDenseI64ArrayAttr({0, 1, 3, 2, 4}));
    product.getResult().replaceAllUsesWith(ir::ReshapeOp::create(b, product.getLoc(), product.getType(), made));
    eraseUnused(product);
    return; // the users have changed
  }
}

// Heads in groups, [B, G, R, S, T] with keys that are alike for all R: the softmax is of [B, G * R, S, T].
bool joinGroups(ir::SoftmaxOp softmax) {
  auto type = tensorOf(softmax.getInput());
  if (type.getRank() != 5 || type.isDynamicDim(1) || type.isDynamicDim(2))
    return false;
  auto product = productUnder(softmax.getInput());
  auto keys = product ? product.getRhs().getDefiningOp<ir::BroadcastOp>() : nullptr;
  if (!keys || tensorOf(keys.getInput()).getRank() != 5 || tensorOf(keys.getInput()).getDimSize(2) != 1 ||
      type.getDimSize(2) == 1)
    return false;
  Joiner joiner(softmax, 1, 2, ir::Dim(type.getDimSize(1) * type.getDimSize(2)));
  OpBuilder b(softmax);
  Value probabilities = softmax.getResult(), values = probabilitiesOf(softmax);
  auto select = values == probabilities ? nullptr : values.getDefiningOp<ir::SelectOp>();
  Value scores = joiner.joined(softmax.getInput());
  Value made = ir::SoftmaxOp::create(b, softmax.getLoc(), scores, b.getI64IntegerAttr(3)).getResult();
  if (select) {
    b.setInsertionPoint(select);
    Joiner zeros(select, 1, 2, ir::dimOf(tensorOf(scores), 1));
    auto side = [&](Value of) { return of == probabilities ? made : zeros.joined(of); };
    made = ir::SelectOp::create(b, select.getLoc(), made.getType(), zeros.joined(select.getCondition()),
                                side(select.getOnTrue()), side(select.getOnFalse()));
  }
  values.replaceAllUsesWith(ir::ReshapeOp::create(b, softmax.getLoc(), tensorOf(values), made));
  eraseUnused(select ? select.getOperation() : softmax.getOperation());
  return true;
}

void joinLeading(ir::SoftmaxOp softmax) {
  if (tensorOf(softmax.getInput()).getRank() == 5 && softmax.getAxis() == 4) {
    partScores(softmax.getInput());
    partValues(probabilitiesOf(softmax));
    if (joinGroups(softmax))
      return;
  }
  Value input = softmax.getInput();
  auto type = tensorOf(input);
  const int64_t rank = type.getRank();
  if (int64_t(softmax.getAxis()) + 1 != rank)
    return;
  if (auto reshape = input.getDefiningOp<ir::ReshapeOp>(); reshape && input.hasOneUse()) {
    const int64_t count = leadingJoined(tensorOf(reshape.getInput()), type);
    if (rank < 3 || tensorOf(reshape.getInput()).getRank() < 5 || !comesFromProduct(reshape.getInput()))
      return;
    if (count == 0) {
      if (!isParted(reshape.getInput(), type))
        return;
      softmax.getInputMutable().assign(together(softmax, reshape.getInput(), type));
      eraseUnused(reshape);
      return;
    }
    softmax.getInputMutable().assign(Joiner(softmax, 0, count, ir::dimOf(type, 0)).joined(reshape.getInput()));
    eraseUnused(reshape);
    return;
  }
  if (rank < 5 || !comesFromProduct(input))
    return;
  SmallVector<ir::Dim> dims = ir::dimsOf(type);
  const int64_t count = rank - (type.isDynamicDim(rank - 3) ? 2 : 3);
  auto leading = ArrayRef(dims).take_front(count);
  if (!llvm::all_of(softmax->getUsers(),
                    [&](Operation *user) {
                      auto product = dyn_cast<ir::MatmulOp>(user);
                      return product && product.getLhs() == softmax.getResult();
                    }) ||
      !llvm::all_of(leading, [](const ir::Dim &dim) { return !dim.isDynamic() || dim.name; }))
    return;
  Joiner joiner(softmax, 0, count, productOf(softmax->getParentOfType<ir::EntryOp>(), leading));
  OpBuilder b(softmax);
  Value scores = joiner.joined(input);
  Value probabilities =
      ir::SoftmaxOp::create(b, softmax.getLoc(), scores, b.getI64IntegerAttr(tensorOf(scores).getRank() - 1))
          .getResult();
  for (Operation *user : llvm::make_early_inc_range(softmax->getUsers())) {
    auto product = cast<ir::MatmulOp>(user);
    b.setInsertionPoint(product);
    Joiner values(product, 0, count, ir::dimOf(tensorOf(scores), 0));
    Value made = ir::MatmulOp::create(b, product.getLoc(), values.typeOf(tensorOf(product.getResult())), probabilities,
                                      values.joined(product.getRhs()));
    product.getResult().replaceAllUsesWith(ir::ReshapeOp::create(b, product.getLoc(), product.getType(), made));
    product.erase();
  }
  eraseUnused(softmax);
}

void turnProducts(ir::SoftmaxOp softmax) {
  turnScores(softmax.getInput());
  Value probabilities = probabilitiesOf(softmax);
  for (Operation *user : llvm::make_early_inc_range(probabilities.getUsers())) {
    auto transpose = dyn_cast<ir::TransposeOp>(user);
    if (!transpose || !turnsMatrices(transpose))
      continue;
    for (Operation *reader : llvm::make_early_inc_range(transpose->getUsers())) {
      auto product = dyn_cast<ir::MatmulOp>(reader);
      if (!product || product.getRhs() != transpose.getResult() || product.getLhs() == product.getRhs())
        continue;
      OpBuilder b(product);
      Value values = turned(b, product.getLhs());
      SmallVector<ir::Dim> dims = ir::dimsOf(tensorOf(product.getResult()));
      std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
      Value made =
          ir::MatmulOp::create(b, product.getLoc(), ir::tensorType(dims, b.getF32Type()), probabilities, values);
      product.getResult().replaceAllUsesWith(turned(b, made));
      eraseUnused(product);
      if (!llvm::is_contained(probabilities.getUsers(), user))
        break;
    }
  }
}

} // namespace

void arrangeScores(ir::SoftmaxOp softmax) {
  turnProducts(softmax);
  joinLeading(softmax);
}

} // namespace ingot::passes
