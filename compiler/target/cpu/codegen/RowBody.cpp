// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The body of a linalg op on 16 lanes (see RowEmitter.h): element-wise ops take vectors where an operand is one,
// elements picked from tensors become loads (of neighbours where the last index ascends with the lanes, RowRuns.cpp, else gathers),
// elementary functions become calls of the microkernels' own (RowFunctions.cpp).
#include "compiler/target/cpu/codegen/RowEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;

namespace ingot::target::cpu {

// The function of kernels/vector_math.cpp that computes an op; empty where instructions do.
static llvm::StringRef functionOf(Operation &op) {
  return llvm::StringSwitch<llvm::StringRef>(op.getName().getStringRef())
      .Case("arith.remf", "fmod")
      .Case("math.acos", "acos")
      .Case("math.acosh", "acosh")
      .Case("math.asin", "asin")
      .Case("math.asinh", "asinh")
      .Case("math.atan", "atan")
      .Case("math.atanh", "atanh")
      .Case("math.cos", "cos")
      .Case("math.cosh", "cosh")
      .Case("math.erf", "erf")
      .Case("math.exp", "exp")
      .Case("math.expm1", "expm1")
      .Case("math.ipowi", "ipow")
      .Case("math.log", "log")
      .Case("math.log1p", "log1p")
      .Case("math.powf", "pow")
      .Case("math.sin", "sin")
      .Case("math.sinh", "sinh")
      .Case("math.tan", "tan")
      .Case("math.tanh", "tanh")
      .Default("");
}

static bool hasInstructions(Operation &op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CountLeadingZerosOp,
             math::CountTrailingZerosOp, math::CtPopOp, math::FloorOp, math::FmaOp, math::IsFiniteOp, math::IsInfOp,
             math::IsNaNOp, math::RoundEvenOp, math::RoundOp, math::RsqrtOp, math::SqrtOp, math::TruncOp>(op);
}

RowEmitter::Lane RowEmitter::laneOf(Value value, llvm::DenseMap<Value, Lane> &lanes) {
  auto found = lanes.find(value);
  if (found != lanes.end())
    return found->second;
  return {scalars.lookupOrNull(value), {}};
}

bool RowEmitter::bodyOf(linalg::LinalgOp op, Position &at, Value accumulator, Value &result) {
  llvm::DenseMap<Value, Lane> lanes;
  Block *body = op.getBlock();
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    if (auto ready = preloaded.find(&operand); ready != preloaded.end()) {
      lanes[argument] = {ready->second, {}};
      continue;
    }
    if (accumulator && op.isDpsInit(&operand)) {
      lanes[argument] = {accumulator, {}};
      continue;
    }
    if (!isa<RankedTensorType>(operand.get().getType())) {
      lanes[argument] = {scalars.lookup(operand.get()), {}};
      continue;
    }
    auto found = storages.find(op.isDpsInit(&operand) ? op->getResult(0) : operand.get());
    if (found == storages.end())
      return fail(op, "reads a tensor that has no place in memory");
    const Storage &from = found->second;
    Place where;
    if (!place(op, op.getMatchingIndexingMap(&operand), from, at, where))
      return false;
    lanes[argument] = {load(from, where, at), {}};
  }
  for (Operation &inner : body->without_terminator())
    if (!cloneOp(inner, at, lanes))
      return false;
  result = laneOf(body->getTerminator()->getOperand(0), lanes).value;
  return result || fail(op, "gives a value that its body does not compute");
}

bool RowEmitter::cloneOp(Operation &op, Position &at, llvm::DenseMap<Value, Lane> &lanes) {
  if (auto loop = dyn_cast<linalg::IndexOp>(op)) {
    Value first = at.loops[loop.getDim()];
    if (static_cast<int64_t>(loop.getDim()) != at.vectorDim) {
      lanes[op.getResult(0)] = {first, {}};
      return true;
    }
    Value steps = vector::StepOp::create(b, loc, VectorType::get(kLanes, b.getIndexType()));
    lanes[op.getResult(0)] = {arith::AddIOp::create(b, loc, broadcast(first), steps), Run{first, 1, {}, {}}};
    return true;
  }
  if (isa<tensor::ExtractOp>(op))
    return extractElement(op, at, lanes);
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    auto found = storages.find(dim.getSource());
    std::optional<int64_t> number = dim.getConstantIndex();
    if (found == storages.end() || !number)
      return fail(&op, "asks for a size that is not known here");
    lanes[op.getResult(0)] = {found->second.sizes[*number], {}};
    return true;
  }
  if (op.getNumResults() != 1 || op.getNumRegions() != 0 || !op.hasTrait<OpTrait::Elementwise>()) {
    if (isa<arith::ConstantOp>(op)) {
      lanes[op.getResult(0)] = {b.clone(op)->getResult(0), {}};
      return true;
    }
    return fail(&op, "cannot be compiled in the body of a function that came through linalg");
  }

  SmallVector<Lane> operands;
  bool isVector = false;
  for (Value operand : op.getOperands()) {
    operands.push_back(laneOf(operand, lanes));
    if (!operands.back().value)
      return fail(&op, "reads a value from outside that is not computed");
    isVector |= operands.back().isVector();
  }
  if (llvm::StringRef function = functionOf(op); !function.empty()) {
    SmallVector<Value> values;
    for (Lane &operand : operands)
      values.push_back(operand.value);
    Value result = callMath(function, values);
    lanes[op.getResult(0)] = {result, {}};
    return result || fail(&op, "is compiled for f64, f32, f16 and bf16 alone");
  }
  if (op.getName().getDialectNamespace() == "math" && !hasInstructions(op))
    return fail(&op, "is an elementary function that the CPU target does not have");

  if (Value lower = compareRun(op, operands)) {
    lanes[op.getResult(0)] = {lower, {}};
    return true;
  }
  SmallVector<Value> values;
  for (Lane &operand : operands)
    values.push_back(isVector ? broadcast(operand.value) : operand.value);
  Type type = op.getResult(0).getType();
  if (isVector)
    type = VectorType::get(kLanes, type);
  OperationState state(loc, op.getName(), values, type, op.getAttrs());
  state.propertiesAttr = op.getPropertiesAsAttribute();
  if (isa<math::IsInfOp>(op)) { // upstream has no conversion of it
    Value size = math::AbsFOp::create(b, loc, values[0]);
    auto element = cast<FloatType>(getElementTypeOrSelf(size));
    Value infinity =
        arith::ConstantOp::create(b, loc, b.getFloatAttr(element, APFloat::getInf(element.getFloatSemantics())));
    if (isVector)
      infinity = broadcast(infinity);
    lanes[op.getResult(0)] = {arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, size, infinity), {}};
    return true;
  }
  Value guard = guardOf(op, values);
  state.operands.assign(values.begin(), values.end());
  Lane result{b.create(state)->getResult(0), {}};
  if (guard)
    result.value = arith::SelectOp::create(b, loc, guard, integer(type, 0), result.value);
  result.run = runOf(op, operands);
  lanes[op.getResult(0)] = result;
  return true;
}

bool RowEmitter::extractElement(Operation &op, Position &at, llvm::DenseMap<Value, Lane> &lanes) {
  auto extract = cast<tensor::ExtractOp>(op);
  auto found = storages.find(extract.getTensor());
  if (found == storages.end())
    return fail(&op, "reads a tensor that has no place in memory");
  const Storage &from = found->second;
  if (from.isRow)
    return fail(&op, "reads any row of a tensor of which one row is kept");
  if (!from.pointer) {
    lanes[op.getResult(0)] = {from.scalar, {}};
    return true;
  }
  Place where;
  where.linear = index(0);
  Value varying; // indices of lanes, where they do not ascend by one
  unsigned rank = extract.getIndices().size();
  for (auto [i, operand] : llvm::enumerate(extract.getIndices())) {
    Lane lane = laneOf(operand, lanes);
    if (!lane.value)
      return fail(&op, "reads at an index that is not computed");
    Value step = stride(from, static_cast<unsigned>(i));
    if (!lane.isVector()) {
      where.linear = add(where.linear, multiply(lane.value, step));
    } else if (lane.run && i + 1 == rank && !varying && readsNeighbours(*lane.run)) {
      lanes[op.getResult(0)] = {loadRun(from, where.linear, *lane.run, at), {}};
      return true;
    } else {
      Value part = arith::MulIOp::create(b, loc, lane.value, broadcast(step));
      varying = varying ? Value(arith::AddIOp::create(b, loc, varying, part)) : part;
    }
  }
  if (!varying) {
    lanes[op.getResult(0)] = {load(from, where, at), {}};
    return true;
  }
  Value indices = arith::AddIOp::create(b, loc, broadcast(where.linear), varying);
  auto type = VectorType::get(kLanes, from.element);
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value mask = at.mask;
  if (!mask)
    mask = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(VectorType::get(kLanes, b.getI1Type()), true));
  unsigned alignment = (from.element.getIntOrFloatBitWidth() + 7) / 8;
  lanes[op.getResult(0)] = {
      LLVM::masked_gather::create(b, loc, type, lanePointers(from, indices), mask, ValueRange{zeros}, alignment), {}};
  return true;
}

} // namespace ingot::target::cpu
