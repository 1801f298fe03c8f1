// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of matrices within functions over tensors (see RowEmitter.h): calls of a microkernel, since loops that walk the result's elements
// read both operands anew for each.
#include "compiler/target/cpu/codegen/RowEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace ingot::target::cpu {

bool RowEmitter::isProduct(linalg::LinalgOp op) {
  const unsigned loops = op.getNumLoops(), rank = loops - 1;
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 || rank < 2 || rank > 3 || op.getNumReductionLoops() != 1 ||
      op.getIteratorTypesArray().back() != utils::IteratorType::reduction)
    return false;
  for (OpOperand &operand : op->getOpOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.get().getType()); !type || !type.getElementType().isF32())
      return false;
  auto start = op.getDpsInitOperand(0)->get().getDefiningOp<linalg::FillOp>();
  if (!start || !matchPattern(start.getInputs()[0], m_AnyZeroFloat()) || !start->hasOneUse())
    return false;
  SmallVector<AffineExpr> own, left, right;
  for (unsigned i = 0; i < rank; ++i)
    own.push_back(getAffineDimExpr(i, op->getContext()));
  left = right = own;
  left[rank - 1] = right[rank - 2] = getAffineDimExpr(rank, op->getContext());
  auto maps = op.getIndexingMapsArray();
  if (maps[0].getResults() != ArrayRef(left) || maps[1].getResults() != ArrayRef(right) || maps[2].getResults() != ArrayRef(own))
    return false;
  Block *body = op.getBlock();
  auto fma = body->getTerminator()->getOperand(0).getDefiningOp<math::FmaOp>();
  return fma && body->getOperations().size() == 2 && fma.getA() == body->getArgument(0) && fma.getB() == body->getArgument(1) &&
         fma.getC() == body->getArgument(2);
}

bool RowEmitter::emitProduct(linalg::LinalgOp op, Value row, Value count) {
  const Storage *places[3];
  Value tensors[] = {op->getOperand(0), op->getOperand(1), op->getResult(0)};
  for (int i = 0; i < 3; ++i) {
    auto found = storages.find(tensors[i]);
    if (found == storages.end() || !found->second.pointer)
      return fail(op, "reads a tensor that has no place in memory");
    places[i] = &found->second;
  }
  const bool batched = op.getNumLoops() == 4;
  const unsigned first = batched ? 1 : 0; // dimension of rows
  Value rows = batched ? places[0]->sizes[1] : count, depth = places[0]->sizes[first + 1], columns = places[1]->sizes[first + 1];
  SmallVector<Value> operands;
  for (int i = 0; i < 3; ++i) {
    const bool moves = (batched || i != 1) && !places[i]->isRow;
    operands.push_back(address(*places[i], moves ? multiply(row, stride(*places[i], 0)) : index(0)));
  }
  for (Value size : {rows, columns, depth})
    operands.push_back(arith::IndexCastOp::create(b, loc, b.getI64Type(), size));
  constexpr llvm::StringRef kSymbol = "ingot_vector_matmul";
  Operation *parent = b.getInsertionBlock()->getParentOp();
  if (auto module = parent->getParentOfType<ModuleOp>(); !module.lookupSymbol(kSymbol)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    SmallVector<Type> types;
    for (Value operand : operands)
      types.push_back(operand.getType());
    LLVM::LLVMFuncOp::create(b, loc, kSymbol, LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), types));
  }
  LLVM::CallOp::create(b, loc, TypeRange{}, kSymbol, operands);
  return true;
}

} // namespace ingot::target::cpu
