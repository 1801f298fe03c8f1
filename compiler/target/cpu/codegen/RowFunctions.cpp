// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the body of a linalg op needs beside instructions: calls of elementary functions, and guards around integer
// operations that would stop the program or mean nothing in some lanes. Which op needs which is RowBody.cpp's.
#include "compiler/target/cpu/codegen/RowEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace ingot::target::cpu {

Value RowEmitter::integer(Type type, const APInt &value) {
  TypedAttr scalar = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    scalar = DenseElementsAttr::get(vector, Attribute(scalar));
  return arith::ConstantOp::create(b, loc, scalar);
}
Value RowEmitter::integer(Type type, int64_t value) {
  Type element = getElementTypeOrSelf(type);
  return integer(type, APInt(element.isIndex() ? 64 : element.getIntOrFloatBitWidth(), value, /*isSigned=*/true,
                             /*implicitTrunc=*/true));
}

// Lanes in which a division would stop the program (by zero, or the least number by -1) or a shift has no meaning (by
// the width or more): they give 0. Their second operand is replaced by one that does no harm. Null where there are
// none.
Value RowEmitter::guardOf(Operation &op, SmallVectorImpl<Value> &values) {
  bool isSigned = isa<arith::DivSIOp, arith::RemSIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>(op);
  bool divides = isSigned || isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op);
  bool shifts = isa<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(op);
  if (!divides && !shifts)
    return {};
  Type type = values[1].getType(), element = getElementTypeOrSelf(type);
  unsigned bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  APInt known;
  if (matchPattern(op.getOperand(1), m_ConstantInt(&known)) &&
      (shifts ? known.ult(bits) : !known.isZero() && !(isSigned && known.isAllOnes())))
    return {};
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  };
  Value guard;
  if (shifts) {
    guard = compare(arith::CmpIPredicate::uge, values[1], integer(type, bits));
  } else {
    guard = compare(arith::CmpIPredicate::eq, values[1], integer(type, 0));
    if (isSigned) {
      Value least = compare(arith::CmpIPredicate::eq, values[0], integer(type, APInt::getSignedMinValue(bits)));
      Value negates = compare(arith::CmpIPredicate::eq, values[1], integer(type, -1));
      guard = arith::OrIOp::create(b, loc, guard, arith::AndIOp::create(b, loc, least, negates));
    }
  }
  values[1] = arith::SelectOp::create(b, loc, guard, integer(type, shifts ? 0 : 1), values[1]);
  return guard;
}

// ingot_vector_NAME of kernels/vector_math.cpp, through slots on the stack that inlining removes. Null for a type that
// it does not have.
Value RowEmitter::callMath(llvm::StringRef name, ArrayRef<Value> values) {
  Type type = values[0].getType(), element = getElementTypeOrSelf(type);
  bool isInteger = element.isIntOrIndex(), isHalf = element.isF16() || element.isBF16();
  if (!isInteger && !isHalf && !element.isF32() && !element.isF64())
    return {};
  Type inner = isInteger ? Type(b.getI64Type()) : isHalf ? Type(b.getF32Type()) : element;
  auto wide = VectorType::get(kLanes, inner);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  std::string symbol = ("ingot_vector_" + name + (isInteger ? "_i64" : inner.isF64() ? "_f64" : "")).str();
  Operation *parent = b.getInsertionBlock()->getParentOp();
  while (!isa<FunctionOpInterface>(parent))
    parent = parent->getParentOp();
  if (auto module = parent->getParentOfType<ModuleOp>(); !module.lookupSymbol(symbol)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    LLVM::LLVMFuncOp::create(b, loc, symbol,
                             LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                                         SmallVector<Type>(values.size(), pointer)));
  }
  SmallVector<Value> slots;
  bool isVector = false;
  for (Value value : values) {
    isVector |= isa<VectorType>(value.getType());
    Value lanes = broadcast(value);
    if (isHalf)
      lanes = arith::ExtFOp::create(b, loc, wide, lanes);
    else if (element.isIndex())
      lanes = arith::IndexCastOp::create(b, loc, wide, lanes);
    else if (isInteger && element != inner)
      lanes = arith::ExtSIOp::create(b, loc, wide, lanes);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&parent->getRegion(0).front());
      Value one = LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(1));
      slots.push_back(LLVM::AllocaOp::create(b, loc, pointer, wide, one, /*alignment=*/64));
    }
    LLVM::StoreOp::create(b, loc, lanes, slots.back());
  }
  LLVM::CallOp::create(b, loc, TypeRange{}, symbol, slots);
  Value result = LLVM::LoadOp::create(b, loc, wide, slots[0]);
  auto narrow = VectorType::get(kLanes, element);
  if (isHalf)
    result = arith::TruncFOp::create(b, loc, narrow, result);
  else if (element.isIndex())
    result = arith::IndexCastOp::create(b, loc, narrow, result);
  else if (element != inner)
    result = arith::TruncIOp::create(b, loc, narrow, result);
  if (!isVector)
    result = vector::ExtractOp::create(b, loc, result, ArrayRef<int64_t>{0});
  return result;
}

} // namespace ingot::target::cpu
