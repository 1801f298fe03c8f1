// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Permute.h. Rows may stand for several dimensions (flatten-rows), whose indices are then parts of the row's
// number.
#include "compiler/target/cpu/codegen/Permute.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace ingot::target::cpu {
namespace {

constexpr int64_t kMostAxes = 16; // that kernels/permute.cpp takes

// An index that an element is read at: a loop's, or (loop / divisors...) % modulus.
struct ReadIndex {
  int64_t loop = -1;
  SmallVector<Value> divisors;
  Value modulus;
  bool isWhole() const { return divisors.empty() && !modulus; }
};

std::optional<ReadIndex> readIndex(Value value) {
  ReadIndex index;
  if (auto remainder = value.getDefiningOp<arith::RemUIOp>()) {
    index.modulus = remainder.getRhs();
    value = remainder.getLhs();
  }
  while (auto quotient = value.getDefiningOp<arith::DivUIOp>()) {
    index.divisors.push_back(quotient.getRhs());
    value = quotient.getLhs();
  }
  auto loop = value.getDefiningOp<linalg::IndexOp>();
  if (!loop)
    return std::nullopt;
  index.loop = static_cast<int64_t>(loop.getDim());
  return index;
}

// The element that the body yields, where it does nothing else.
tensor::ExtractOp onlyExtract(linalg::LinalgOp op) {
  if (!isa<linalg::GenericOp>(op) || op.getNumParallelLoops() != op.getNumLoops())
    return {};
  if (!op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return {};
  Operation *yield = op.getBlock()->getTerminator();
  return yield->getOperand(0).getDefiningOp<tensor::ExtractOp>();
}

} // namespace

bool emitPermutation(OpBuilder &b, linalg::LinalgOp op, int64_t rowDim, const llvm::DenseMap<Value, Storage> &storages,
                     const IRMapping &scalars, Value from, Value to) {
  const Location loc = op.getLoc();
  tensor::ExtractOp extract = onlyExtract(op);
  const int64_t rank = static_cast<int64_t>(op.getNumLoops());
  if (!extract || rowDim != 0 || rank < 2 || rank > kMostAxes)
    return false;
  auto source = storages.find(extract.getTensor());
  const Storage &out = storages.find(op->getResult(0))->second;
  if (source == storages.end() || !source->second.pointer || source->second.isRow || !out.pointer || out.isRow)
    return false;
  const unsigned bytes = out.element.getIntOrFloatBitWidth() / 8;
  if (source->second.element != out.element || !llvm::is_contained({1u, 2u, 4u, 8u}, bytes))
    return false;
  // Every loop but the rows' is read at once; nothing else is.
  SmallVector<ReadIndex> indices;
  SmallVector<int64_t> axisOf(static_cast<size_t>(rank), -1);
  for (auto [axis, value] : llvm::enumerate(extract.getIndices())) {
    std::optional<ReadIndex> index = readIndex(value);
    if (!index || (index->loop != rowDim && (!index->isWhole() || axisOf[static_cast<size_t>(index->loop)] >= 0)))
      return false;
    axisOf[static_cast<size_t>(index->loop)] = static_cast<int64_t>(axis);
    indices.push_back(*index);
  }
  if (llvm::is_contained(axisOf, -1) || indices.back().loop == rank - 1)
    return false;
  // Sizes are constants, or known outside.
  auto number = [&](Value value) -> Value {
    if (APInt constant; matchPattern(value, m_ConstantInt(&constant)))
      return arith::ConstantIndexOp::create(b, loc, constant.getSExtValue());
    return value.getParentBlock() == op.getBlock() ? Value() : scalars.lookupOrNull(value);
  };
  for (const ReadIndex &index : indices) {
    for (Value divisor : index.divisors)
      if (!number(divisor))
        return false;
    if (index.modulus && !number(index.modulus))
      return false;
  }

  auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, loc, value); };
  const SmallVector<Value> &sizes = source->second.sizes;
  SmallVector<Value> strides(sizes.size());
  Value stride = constant(1);
  for (size_t axis = sizes.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride = b.createOrFold<arith::MulIOp>(loc, stride, sizes[axis]);
  }
  SmallVector<Value> digits, axisSizes, axisStrides;
  for (auto [axis, index] : llvm::enumerate(indices)) {
    if (index.loop != rowDim)
      continue;
    Value divisor = constant(1);
    for (Value by : index.divisors)
      divisor = b.createOrFold<arith::MulIOp>(loc, divisor, number(by));
    digits.append({divisor, index.modulus ? number(index.modulus) : constant(std::numeric_limits<int64_t>::max()),
                   strides[axis]});
  }
  for (int64_t loop = 0; loop < rank; ++loop)
    if (loop != rowDim) {
      axisSizes.push_back(out.sizes[static_cast<size_t>(loop)]);
      axisStrides.push_back(strides[static_cast<size_t>(axisOf[static_cast<size_t>(loop)])]);
    }

  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  const Type i64 = b.getI64Type();
  Operation *function = b.getInsertionBlock()->getParentOp();
  while (!isa<FunctionOpInterface>(function))
    function = function->getParentOp();
  const StringRef symbol = "ingot_permute_rows";
  if (auto module = function->getParentOfType<ModuleOp>(); !module.lookupSymbol(symbol)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    LLVM::LLVMFuncOp::create(
        b, loc, symbol,
        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                    {pointer, pointer, i64, i64, i64, i64, pointer, i64, pointer, pointer}));
  }
  auto integer = [&](Value value) -> Value { return arith::IndexCastOp::create(b, loc, i64, value); };
  auto array = [&](ArrayRef<Value> values) -> Value {
    Value slots;
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&function->getRegion(0).front());
      Value count = LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(static_cast<int64_t>(values.size())));
      slots = LLVM::AllocaOp::create(b, loc, pointer, i64, count);
    }
    for (auto [i, value] : llvm::enumerate(values)) {
      Value at = LLVM::GEPOp::create(b, loc, pointer, i64, slots, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
      LLVM::StoreOp::create(b, loc, integer(value), at);
    }
    return slots;
  };
  LLVM::CallOp::create(b, loc, TypeRange{}, symbol,
                       ValueRange{out.pointer, source->second.pointer, integer(constant(bytes)), integer(from),
                                  integer(to), integer(constant(static_cast<int64_t>(digits.size() / 3))),
                                  array(digits), integer(constant(static_cast<int64_t>(axisSizes.size()))),
                                  array(axisSizes), array(axisStrides)});
  return true;
}

} // namespace ingot::target::cpu
