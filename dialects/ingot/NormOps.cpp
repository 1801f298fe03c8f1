// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and type inference of normalizations and reductions.
#include "dialects/ingot/Verify.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::ir {

// The result is like the first operand.
#define INGOT_INFER_LIKE_INPUT(Op)                                                                                     \
  LogicalResult Op::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,                               \
                                     SmallVectorImpl<Type> &types) {                                                   \
    types.push_back(op.getInput().getType());                                                                          \
    return success();                                                                                                  \
  }                                                                                                                    \
  bool Op::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

INGOT_INFER_LIKE_INPUT(RmsNormOp)
INGOT_INFER_LIKE_INPUT(LayerNormOp)
INGOT_INFER_LIKE_INPUT(SoftmaxOp)

static LogicalResult checkNorm(Operation *op, Value input, double eps,
                               ArrayRef<std::pair<StringRef, Value>> parameters) {
  RankedTensorType type = tensorOf(input);
  if (type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return op->emitOpError() << "input's last dimension must be static, found " << type;
  for (auto [name, value] : parameters)
    if (value && failed(checkDim(op, name, value, 0, dimOf(type, type.getRank() - 1), "the input's last dimension")))
      return failure();
  if (!(eps >= 0))
    return op->emitOpError() << "eps must not be negative, found " << eps;
  return success();
}

LogicalResult RmsNormOp::verify() { // rms-norm-c1, rms-norm-c2
  return checkNorm(*this, getInput(), getEps().convertToDouble(), {{"gamma", getGamma()}});
}

LogicalResult LayerNormOp::verify() { // layer-norm-c1, layer-norm-c2
  return checkNorm(*this, getInput(), getEps().convertToDouble(), {{"gamma", getGamma()}, {"beta", getBeta()}});
}

static LogicalResult checkAxis(Operation *op, Value input, int64_t axis) {
  int64_t rank = tensorOf(input).getRank();
  if (axis >= 0 && axis < rank)
    return success();
  return op->emitOpError() << "axis " << axis << " is not one of the " << rank << " of the input";
}

LogicalResult SoftmaxOp::verify() { return checkAxis(*this, getInput(), getAxis()); } // softmax-c1

LogicalResult ReduceOp::verify() { return checkAxis(*this, getInput(), getAxis()); } // reduce-c1

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(op.getInput());
  int64_t axis = op.getAxis();
  if (axis < 0 || axis >= input.getRank())
    return failure();
  SmallVector<Dim> dims = dimsOf(input);
  if (op.getKeepAxis())
    dims[axis] = Dim(1);
  else
    dims.erase(dims.begin() + axis);
  types.push_back(tensorType(dims, input.getElementType()));
  return success();
}

bool ReduceOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

} // namespace ingot::ir
