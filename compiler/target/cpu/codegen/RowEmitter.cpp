// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See RowEmitter.h: loops, addresses, and the shape of reductions. What stands inside a body is RowBody.cpp's.
#include "compiler/target/cpu/codegen/RowEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;

namespace ingot::target::cpu {

bool RowEmitter::fail(Operation *op, const llvm::Twine &what) {
  if (error.empty())
    error = ("op '" + op->getName().getStringRef() + "' " + what).str();
  return false;
}

Value RowEmitter::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
Value RowEmitter::add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
Value RowEmitter::multiply(Value x, Value y) { return b.createOrFold<arith::MulIOp>(loc, x, y); }
Value RowEmitter::broadcast(Value scalar) {
  if (isa<VectorType>(scalar.getType()))
    return scalar;
  return vector::BroadcastOp::create(b, loc, VectorType::get(kLanes, scalar.getType()), scalar);
}

// An index expression of a linalg map at these loop positions.
Value RowEmitter::evaluate(AffineExpr expr, ArrayRef<Value> dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return index(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return {};
  Value left = evaluate(binary.getLHS(), dims), right = evaluate(binary.getRHS(), dims);
  if (!left || !right)
    return {};
  if (expr.getKind() == AffineExprKind::Add)
    return add(left, right);
  if (expr.getKind() == AffineExprKind::Mul)
    return multiply(left, right);
  return {};
}

// Elements from one index of dimension `dim` to the next.
Value RowEmitter::stride(const Storage &storage, unsigned dim) {
  Value product = index(1);
  for (unsigned i = dim + 1; i < storage.sizes.size(); ++i)
    product = multiply(product, storage.sizes[i]);
  return product;
}

// The extent of a loop: that of any operand dimension which it walks along.
Value RowEmitter::extent(linalg::LinalgOp op, int64_t dim) {
  for (OpOperand &operand : op->getOpOperands()) {
    auto found = storages.find(op.isDpsInit(&operand) ? Value(op->getResult(0)) : operand.get());
    auto span = operand.get().getDefiningOp<tensor::EmptyOp>(); // stands for the extent alone
    if (found == storages.end() && !span)
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (unsigned i = 0; i < map.getNumResults(); ++i) {
      auto expr = dyn_cast<AffineDimExpr>(map.getResult(i));
      if (!expr || expr.getPosition() != dim)
        continue;
      if (found != storages.end())
        return found->second.sizes[i];
      OpFoldResult size = span.getMixedSizes()[i];
      if (auto constant = getConstantIntValue(size))
        return index(*constant);
      if (Value value = scalars.lookupOrNull(cast<Value>(size)))
        return value;
    }
  }
  fail(op, "has a loop whose extent no operand gives");
  return {};
}

Value RowEmitter::address(const Storage &storage, Value linear) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value offset = arith::IndexCastOp::create(b, loc, b.getI64Type(), linear);
  return LLVM::GEPOp::create(b, loc, pointer, storage.element, storage.pointer, ArrayRef<LLVM::GEPArg>{offset});
}

// First lane's index plus the distance of each lane.
Value RowEmitter::laneIndices(const Place &place) {
  auto type = VectorType::get(kLanes, b.getIndexType());
  Value steps = vector::StepOp::create(b, loc, type);
  Value distances = arith::MulIOp::create(b, loc, steps, broadcast(place.laneStride));
  return arith::AddIOp::create(b, loc, broadcast(place.linear), distances);
}

Value RowEmitter::lanePointers(const Storage &storage, Value indices) {
  auto pointers = VectorType::get(kLanes, LLVM::LLVMPointerType::get(b.getContext()));
  Value offsets = arith::IndexCastOp::create(b, loc, VectorType::get(kLanes, b.getI64Type()), indices);
  return LLVM::GEPOp::create(b, loc, pointers, storage.element, storage.pointer, ArrayRef<LLVM::GEPArg>{offsets});
}

// Lanes whose index is below the size.
Value RowEmitter::tailMask(Value first, Value size) {
  auto type = VectorType::get(kLanes, b.getIndexType());
  Value steps = vector::StepOp::create(b, loc, type);
  Value left = b.createOrFold<arith::SubIOp>(loc, size, first);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, steps, broadcast(left));
}

// How much an expression grows from one lane to the next; -1: not by a constant.
static int64_t growth(AffineExpr expr, int64_t dim) {
  if (auto position = dyn_cast<AffineDimExpr>(expr))
    return position.getPosition() == dim;
  if (isa<AffineConstantExpr>(expr))
    return 0;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return -1;
  int64_t left = growth(binary.getLHS(), dim), right = growth(binary.getRHS(), dim);
  if (left < 0 || right < 0)
    return -1;
  if (expr.getKind() == AffineExprKind::Add)
    return left + right;
  if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
      constant && expr.getKind() == AffineExprKind::Mul && constant.getValue() >= 0)
    return left * constant.getValue();
  return left == 0 && right == 0 ? 0 : -1;
}

bool RowEmitter::place(Operation *op, AffineMap map, const Storage &storage, Position &at, Place &result) {
  result = {};
  if (storage.scalar || !storage.pointer)
    return true;
  unsigned first = storage.isRow ? 1 : 0, rank = map.getNumResults();
  result.linear = index(0);
  for (unsigned i = first; i < rank; ++i) {
    Value position = evaluate(map.getResult(i), at.loops);
    int64_t perLane = at.vectorDim < 0 ? 0 : growth(map.getResult(i), at.vectorDim);
    if (!position || perLane < 0)
      return fail(op, "indexes an operand in a way that cannot be compiled (sums and multiples of loop indices can)");
    result.linear = add(result.linear, multiply(position, stride(storage, i)));
    if (perLane == 0)
      continue;
    Value distance = multiply(index(perLane), stride(storage, i));
    result.contiguous = !result.laneStride && perLane == 1 && i + 1 == rank;
    result.laneStride = result.laneStride ? add(result.laneStride, distance) : distance;
  }
  return true;
}

static unsigned bytesOf(Type element) { return (element.getIntOrFloatBitWidth() + 7) / 8; }

Value RowEmitter::load(const Storage &storage, const Place &place, Position &at) {
  if (storage.scalar)
    return storage.scalar;
  if (!place.laneStride)
    return LLVM::LoadOp::create(b, loc, storage.element, address(storage, place.linear));
  auto type = VectorType::get(kLanes, storage.element);
  unsigned alignment = bytesOf(storage.element);
  if (place.contiguous && !at.mask)
    return LLVM::LoadOp::create(b, loc, type, address(storage, place.linear), alignment);
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  if (place.contiguous)
    return LLVM::MaskedLoadOp::create(b, loc, type, address(storage, place.linear), at.mask, zeros, alignment);
  Value mask = at.mask;
  if (!mask)
    mask = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(VectorType::get(kLanes, b.getI1Type()), true));
  return LLVM::masked_gather::create(b, loc, type, lanePointers(storage, laneIndices(place)), mask, ValueRange{zeros},
                                     alignment);
}

void RowEmitter::store(Storage &storage, const Place &place, Position &at, Value value) {
  if (!storage.pointer) {
    storage.scalar = value;
    return;
  }
  unsigned alignment = bytesOf(storage.element);
  if (!place.laneStride) {
    LLVM::StoreOp::create(b, loc, value, address(storage, place.linear));
    return;
  }
  value = broadcast(value);
  if (place.contiguous && !at.mask) {
    LLVM::StoreOp::create(b, loc, value, address(storage, place.linear), alignment);
  } else if (place.contiguous) {
    LLVM::MaskedStoreOp::create(b, loc, value, address(storage, place.linear), at.mask, alignment);
  } else {
    Value mask = at.mask;
    if (!mask)
      mask = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(VectorType::get(kLanes, b.getI1Type()), true));
    LLVM::masked_scatter::create(b, loc, value, lanePointers(storage, laneIndices(place)), mask, alignment);
  }
}

bool RowEmitter::overLoops(ArrayRef<int64_t> dims, linalg::LinalgOp op, Position &at, Body body) {
  if (dims.empty())
    return body(at);
  Value size = extent(op, dims.front());
  if (!size)
    return false;
  auto loop = scf::ForOp::create(b, loc, index(0), size, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  at.loops[dims.front()] = loop.getInductionVar();
  return overLoops(dims.drop_front(), op, at, body);
}

bool RowEmitter::overVectors(int64_t dim, linalg::LinalgOp op, Position &at, Body body) {
  Value size = extent(op, dim);
  if (!size)
    return false;
  at.vectorDim = dim;
  Value whole = b.createOrFold<arith::SubIOp>(loc, size, b.createOrFold<arith::RemUIOp>(loc, size, index(kLanes)));
  std::optional<int64_t> known = getConstantIntValue(size);
  if (!known || *known >= kLanes) {
    auto loop = scf::ForOp::create(b, loc, index(0), whole, index(kLanes));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    at.loops[dim] = loop.getInductionVar();
    if (!body(at))
      return false;
  }
  if (known && *known % kLanes == 0)
    return true;
  auto tail = scf::IfOp::create(b, loc, arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, whole, size),
                                /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&tail.getThenRegion().front());
  at.loops[dim] = whole;
  at.mask = tailMask(whole, size);
  at.left = b.createOrFold<arith::SubIOp>(loc, size, whole);
  bool done = body(at);
  at.mask = at.left = {};
  return done;
}

Value RowEmitter::foldLoops(ArrayRef<int64_t> dims, linalg::LinalgOp op, Position &at, Value start, Fold fold) {
  if (dims.empty())
    return fold(at, start);
  Value size = extent(op, dims.front());
  if (!size)
    return {};
  auto loop = scf::ForOp::create(b, loc, index(0), size, index(1), ValueRange{start});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  at.loops[dims.front()] = loop.getInductionVar();
  Value next = foldLoops(dims.drop_front(), op, at, loop.getRegionIterArg(0), fold);
  if (!next)
    return {};
  scf::YieldOp::create(b, loc, next);
  return loop.getResult(0);
}

// Whether the order in which an op folds values changes no bit: then several chains run side by side.
static bool foldsInAnyOrder(Operation *combiner) {
  return !isa<arith::AddFOp, arith::MulFOp, math::FmaOp>(combiner);
}

Value RowEmitter::foldVectors(int64_t dim, linalg::LinalgOp op, Operation *combiner, Position &at, Value start, Fold fold) {
  Value size = extent(op, dim);
  if (!size)
    return {};
  at.vectorDim = dim;
  Value whole = b.createOrFold<arith::SubIOp>(loc, size, b.createOrFold<arith::RemUIOp>(loc, size, index(kLanes)));
  Value sums = start, from = index(0);
  std::optional<int64_t> known = getConstantIntValue(size);
  constexpr int64_t kChains = 4, kStep = kChains * kLanes;
  if (foldsInAnyOrder(combiner) && (!known || *known >= 2 * kStep)) {
    Value blocks = b.createOrFold<arith::SubIOp>(loc, size, b.createOrFold<arith::RemUIOp>(loc, size, index(kStep)));
    SmallVector<Value> chains(kChains, identity(combiner, start.getType()));
    chains[0] = start;
    auto loop = scf::ForOp::create(b, loc, index(0), blocks, index(kStep), chains);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      for (int64_t i = 0; i < kChains; ++i) {
        at.loops[dim] = add(loop.getInductionVar(), index(i * kLanes));
        chains[i] = fold(at, loop.getRegionIterArg(static_cast<unsigned>(i)));
        if (!chains[i])
          return {};
      }
      scf::YieldOp::create(b, loc, chains);
    }
    sums = combine(combiner, combine(combiner, loop.getResult(0), loop.getResult(1)), combine(combiner, loop.getResult(2), loop.getResult(3)));
    from = blocks;
  }
  if (!known || *known - getConstantIntValue(from).value_or(0) >= kLanes) {
    auto loop = scf::ForOp::create(b, loc, from, whole, index(kLanes), ValueRange{sums});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    at.loops[dim] = loop.getInductionVar();
    Value next = fold(at, loop.getRegionIterArg(0));
    if (!next)
      return {};
    scf::YieldOp::create(b, loc, next);
    sums = loop.getResult(0);
  }
  if (known && *known % kLanes == 0)
    return sums;
  // Lanes past the end keep what they have.
  at.loops[dim] = whole;
  at.mask = tailMask(whole, size);
  at.left = b.createOrFold<arith::SubIOp>(loc, size, whole);
  Value next = fold(at, sums);
  if (next)
    next = arith::SelectOp::create(b, loc, at.mask, next, sums);
  at.mask = at.left = {};
  return next;
}

// The op that folds a value into the accumulator, which must be all that the body does with it.
Operation *RowEmitter::combiner(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  BlockArgument accumulator = body->getArguments().back();
  Operation *found = body->getTerminator()->getOperand(0).getDefiningOp();
  bool known = found && found->getBlock() == body &&
               isa<arith::AddFOp, arith::AddIOp, arith::MulFOp, arith::MulIOp, arith::MaximumFOp, arith::MinimumFOp,
                   arith::MaxNumFOp, arith::MinNumFOp, arith::MaxSIOp, arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp,
                   arith::AndIOp, arith::OrIOp, arith::XOrIOp, math::FmaOp>(found);
  if (known && isa<math::FmaOp>(found))
    known = found->getOperand(2) == accumulator;
  if (known && accumulator.hasOneUse() && *accumulator.user_begin() == found)
    return found;
  fail(op, "reduces in a way that cannot be compiled: its body must end in a sum, product, maximum, minimum, fma or "
           "bitwise and, or, xor with the accumulator");
  return nullptr;
}

Value RowEmitter::combine(Operation *combiner, Value x, Value y) {
  if (isa<math::FmaOp>(combiner))
    return arith::AddFOp::create(b, loc, x, y);
  OperationState state(loc, combiner->getName(), ValueRange{x, y}, x.getType());
  return b.create(state)->getResult(0);
}

Value RowEmitter::identity(Operation *combiner, Type type) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr value = b.getZeroAttr(element);
  if (auto real = dyn_cast<FloatType>(element)) {
    const llvm::fltSemantics &format = real.getFloatSemantics();
    if (isa<arith::MulFOp>(combiner))
      value = b.getFloatAttr(element, 1.0);
    else if (isa<arith::MaximumFOp, arith::MaxNumFOp>(combiner))
      value = b.getFloatAttr(element, APFloat::getInf(format, /*Negative=*/true));
    else if (isa<arith::MinimumFOp, arith::MinNumFOp>(combiner))
      value = b.getFloatAttr(element, APFloat::getInf(format));
  } else if (isa<arith::MulIOp>(combiner)) {
    value = b.getIntegerAttr(element, 1);
  } else {
    unsigned bits = element.getIntOrFloatBitWidth();
    if (isa<arith::MaxSIOp>(combiner))
      value = b.getIntegerAttr(element, APInt::getSignedMinValue(bits));
    else if (isa<arith::MinSIOp>(combiner))
      value = b.getIntegerAttr(element, APInt::getSignedMaxValue(bits));
    else if (isa<arith::MinUIOp, arith::AndIOp>(combiner))
      value = b.getIntegerAttr(element, APInt::getMaxValue(bits));
  }
  Value scalar = arith::ConstantOp::create(b, loc, value);
  return isa<VectorType>(type) ? broadcast(scalar) : scalar;
}

Value RowEmitter::foldLanes(Operation *combiner, Value lanes) {
  for (int64_t width = kLanes / 2; width >= 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < width; ++i) {
      low.push_back(i);
      high.push_back(i + width);
    }
    Value first = vector::ShuffleOp::create(b, loc, lanes, lanes, low);
    Value second = vector::ShuffleOp::create(b, loc, lanes, lanes, high);
    lanes = combine(combiner, first, second);
  }
  return vector::ExtractOp::create(b, loc, lanes, ArrayRef<int64_t>{0});
}

bool RowEmitter::emit(linalg::LinalgOp op, Value row, int64_t rowDim) {
  if (op->getNumResults() != 1 || op.getNumDpsInits() != 1)
    return fail(op, "has more than one result");
  if (row && rowDim == 0 && isProduct(op))
    return emitProduct(op, row, index(1));
  Storage &out = storages.find(op->getResult(0))->second;
  OpOperand *init = op.getDpsInitOperand(0);
  AffineMap outMap = op.getMatchingIndexingMap(init);
  Position at;
  at.loops.resize(op.getNumLoops());
  if (row)
    at.loops[rowDim] = row;
  SmallVector<int64_t> parallel, reductions;
  for (auto [dim, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (row && static_cast<int64_t>(dim) == rowDim)
      continue;
    (kind == utils::IteratorType::parallel ? parallel : reductions).push_back(static_cast<int64_t>(dim));
  }

  // Along which dimension vectors lie: the innermost of the result, or the last that is summed away.
  int64_t vectorDim = -1;
  if (!parallel.empty()) {
    vectorDim = vectorDimOf(op, parallel);
    llvm::erase(parallel, vectorDim);
    return overLoops(parallel, op, at, [&](Position &outer) {
      return overVectors(vectorDim, op, outer, [&](Position &inner) {
        Place to;
        if (!place(op, outMap, out, inner, to))
          return false;
        Value result;
        if (reductions.empty()) {
          if (!bodyOf(op, inner, {}, result))
            return false;
        } else {
          Value start = broadcast(load(out, to, inner));
          result = foldLoops(reductions, op, inner, start, [&](Position &here, Value sums) {
            Value next;
            return bodyOf(op, here, sums, next) ? broadcast(next) : Value();
          });
          if (!result)
            return false;
        }
        store(out, to, inner, result);
        return true;
      });
    });
  }
  Place to;
  Value result;
  if (reductions.empty()) {
    if (!bodyOf(op, at, {}, result))
      return false;
  } else {
    Operation *combiner = this->combiner(op);
    if (!combiner)
      return false;
    vectorDim = reductions.pop_back_val();
    if (!place(op, outMap, out, at, to))
      return false;
    Value before = load(out, to, at);
    Value start = identity(combiner, VectorType::get(kLanes, out.element));
    Value lanes = foldLoops(reductions, op, at, start, [&](Position &outer, Value sums) {
      return foldVectors(vectorDim, op, combiner, outer, sums, [&](Position &here, Value inner) {
        Value next;
        return bodyOf(op, here, inner, next) ? broadcast(next) : Value();
      });
    });
    if (!lanes)
      return false;
    result = combine(combiner, before, foldLanes(combiner, lanes));
    at.vectorDim = -1;
  }
  if (!place(op, outMap, out, at, to))
    return false;
  store(out, to, at, result);
  return true;
}

// The dimension of the result's innermost index, where that is one of `parallel`, else the last of them.
int64_t RowEmitter::vectorDimOf(linalg::LinalgOp op, ArrayRef<int64_t> parallel) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  // A short last dimension leaves most lanes empty: the one before it may fill them, though lanes are stored one by
  // one.
  const SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  if (const unsigned rank = map.getNumResults(); rank >= 2 && op.getNumParallelLoops() == op.getNumLoops()) {
    auto last = dyn_cast<AffineDimExpr>(map.getResult(rank - 1)),
         before = dyn_cast<AffineDimExpr>(map.getResult(rank - 2));
    if (last && before && llvm::is_contained(parallel, static_cast<int64_t>(before.getPosition())) &&
        !ShapedType::isDynamic(sizes[last.getPosition()]) && sizes[last.getPosition()] <= 4 &&
        sizes[before.getPosition()] >= kLanes)
      return before.getPosition();
  }
  if (map.getNumResults())
    if (auto last = dyn_cast<AffineDimExpr>(map.getResult(map.getNumResults() - 1)))
      if (llvm::is_contained(parallel, static_cast<int64_t>(last.getPosition())))
        return last.getPosition();
  return parallel.back();
}

// Neighbouring rows lie side by side, neighbouring lanes do not.
bool RowEmitter::liesAlongRows(AffineMap map, int64_t rowDim, int64_t vectorDim) {
  unsigned rank = map.getNumResults();
  if (rank < 2 || growth(map.getResult(rank - 1), rowDim) != 1 || growth(map.getResult(rank - 1), vectorDim) != 0)
    return false;
  bool alongLanes = false;
  for (unsigned i = 0; i + 1 < rank; ++i) {
    if (growth(map.getResult(i), rowDim) != 0 || growth(map.getResult(i), vectorDim) < 0)
      return false;
    alongLanes |= growth(map.getResult(i), vectorDim) > 0;
  }
  return alongLanes;
}

static SmallVector<int64_t> parallelBut(linalg::LinalgOp op, int64_t rowDim) {
  SmallVector<int64_t> parallel;
  for (int64_t dim = 0, loops = op.getNumLoops(); dim < loops; ++dim)
    if (dim != rowDim)
      parallel.push_back(dim);
  return parallel;
}

bool RowEmitter::transposes(linalg::LinalgOp op, int64_t rowDim) {
  SmallVector<int64_t> parallel = parallelBut(op, rowDim);
  if (op.getNumParallelLoops() != op.getNumLoops() || parallel.empty())
    return false;
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    return isa<RankedTensorType>(operand->get().getType()) &&
           liesAlongRows(op.getMatchingIndexingMap(operand), rowDim, vectorDimOf(op, parallel));
  });
}

// Sixteen vectors of sixteen lanes: element j of vector i becomes element i of vector j. Each step swaps the blocks of
// `half` by `half` beside the diagonal.
void RowEmitter::transpose(SmallVectorImpl<Value> &vectors) {
  for (int64_t half = kLanes / 2; half >= 1; half /= 2)
    for (int64_t i = 0; i < kLanes; ++i) {
      if (i & half)
        continue;
      SmallVector<int64_t> upper, lower; // lanes of the second vector count from kLanes
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        upper.push_back(lane & half ? kLanes + lane - half : lane);
        lower.push_back(lane & half ? kLanes + lane : lane + half);
      }
      Value a = vectors[i], c = vectors[i + half];
      vectors[i] = vector::ShuffleOp::create(b, loc, a, c, upper);
      vectors[i + half] = vector::ShuffleOp::create(b, loc, a, c, lower);
    }
}

bool RowEmitter::emitBlock(linalg::LinalgOp op, Value row, int64_t rowDim) {
  Storage &out = storages.find(op->getResult(0))->second;
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  SmallVector<int64_t> parallel = parallelBut(op, rowDim);
  int64_t vectorDim = vectorDimOf(op, parallel);
  llvm::erase(parallel, vectorDim);
  Position at;
  at.loops.resize(op.getNumLoops());
  auto oneRow = [&](Position &here) {
    Place to;
    Value result;
    if (!bodyOf(op, here, {}, result) || !place(op, outMap, out, here, to))
      return false;
    store(out, to, here, result);
    return true;
  };
  return overLoops(parallel, op, at, [&](Position &outer) {
    return overVectors(vectorDim, op, outer, [&](Position &here) {
      if (here.mask) { // lanes past the last whole vector: row by row
        auto loop = scf::ForOp::create(b, loc, index(0), index(kLanes), index(1));
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(loop.getBody());
        here.loops[rowDim] = add(row, loop.getInductionVar());
        return oneRow(here);
      }
      here.loops[rowDim] = row;
      llvm::DenseMap<OpOperand *, SmallVector<Value>> blocks;
      for (OpOperand *operand : op.getDpsInputOperands()) {
        auto from = storages.find(operand->get());
        AffineMap map = op.getMatchingIndexingMap(operand);
        if (from == storages.end() || !from->second.pointer || from->second.isRow ||
            !liesAlongRows(map, rowDim, vectorDim))
          continue;
        Place where;
        if (!place(op, map, from->second, here, where))
          return false;
        auto type = VectorType::get(kLanes, from->second.element);
        SmallVector<Value> &vectors = blocks[operand];
        for (int64_t lane = 0; lane < kLanes; ++lane) {
          Value linear = add(where.linear, multiply(where.laneStride, index(lane)));
          vectors.push_back(
              LLVM::LoadOp::create(b, loc, type, address(from->second, linear), bytesOf(from->second.element)));
        }
        transpose(vectors);
      }
      for (int64_t i = 0; i < kLanes; ++i) {
        here.loops[rowDim] = add(row, index(i));
        for (auto &[operand, vectors] : blocks)
          preloaded[operand] = vectors[i];
        if (!oneRow(here))
          return false;
      }
      preloaded.clear();
      return true;
    });
  });
}

} // namespace ingot::target::cpu
