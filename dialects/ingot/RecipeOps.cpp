// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers, type inference and folders of the ops that make stored weights out of a checkpoint's tensors.
#include "dialects/ingot/Verify.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace ingot::ir {

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto tensor = lookup<TensorOp>(*this, getTensorAttr().getAttr(), tables);
  if (!tensor) // weight-c1
    return emitOpError() << "tensor " << getTensorAttr() << " is not declared by an ingot.tensor";
  if (tensor.getType() != getType()) // weight-c2
    return emitOpError() << "is " << getType() << "; tensor " << getTensorAttr() << " is " << tensor.getType();
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

// --- cast.

LogicalResult CastOp::verify() {
  RankedTensorType input = tensorOf(getInput()), result = tensorOf(getResult());
  if (input.getEncoding() != result.getEncoding()) // cast-c1
    return emitOpError() << "result's dimensions are not named as the input's: " << result << " from " << input;
  return success();
}

Value CastOp::buildScalarBody(OpBuilder &builder, Location loc, ValueRange scalars) {
  return castScalar(builder, loc, scalars[0], tensorOf(getInput()).getElementType(),
                    tensorOf(getResult()).getElementType());
}

// Whether every value of `from` is one of `to`.
static bool holds(Type to, Type from) {
  auto t = dyn_cast<FloatType>(to), f = dyn_cast<FloatType>(from);
  return to == from || (t && f && t.getWidth() > f.getWidth());
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  // There and back through a type that holds every value.
  if (auto inner = getInput().getDefiningOp<CastOp>())
    if (inner.getInput().getType() == getType() &&
        holds(tensorOf(inner.getResult()).getElementType(), tensorOf(getResult()).getElementType()))
      return inner.getInput();
  return foldElementwise(*this, adaptor.getOperands());
}

// --- concat.

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  ValueRange operands = op.getInputs();
  if (operands.empty())
    return failure();
  RankedTensorType first = tensorOf(operands[0]);
  int64_t axis = op.getAxis(), size = 0;
  if (axis < 0 || axis >= first.getRank())
    return failure();
  if (op.getSegments()) {
    for (size_t i = 2; i < op.getSegments()->size(); i += 3)
      size += (*op.getSegments())[i];
  } else {
    for (Value operand : operands)
      size += tensorOf(operand).getRank() == first.getRank() ? tensorOf(operand).getDimSize(axis) : 0;
  }
  SmallVector<Dim> dims = dimsOf(first);
  dims[axis] = Dim(size);
  types.push_back(tensorType(dims, first.getElementType()));
  return success();
}

bool ConcatOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult ConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError("needs at least one operand");
  RankedTensorType first = tensorOf(getInputs()[0]);
  int64_t axis = getAxis();
  if (axis < 0 || axis >= first.getRank()) // concat-c2
    return emitOpError() << "axis " << axis << " is not one of the " << first.getRank() << " of operand 0";
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    RankedTensorType type = tensorOf(input);
    if (type.getRank() != first.getRank() || type.getElementType() != first.getElementType()) // concat-c1
      return emitOpError() << "operand " << index << " is " << type << "; expected rank and elements of " << first;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (d != axis &&
          failed(checkDim(*this, ("operand " + Twine(index)).str(), input, d, dimOf(first, d), "as operand 0 has")))
        return failure();
    if (type.isDynamicDim(axis)) // concat-c3
      return emitOpError() << "operand " << index << " is dynamic along axis " << axis;
  }
  if (!getSegments())
    return success();
  ArrayRef<int64_t> segments = *getSegments();
  if (segments.size() % 3) // concat-c4
    return emitOpError() << "segments must be triples (operand, first row, rows), found " << segments.size()
                         << " numbers";
  SmallVector<SmallVector<std::pair<int64_t, int64_t>>> ranges(getInputs().size());
  for (size_t i = 0; i < segments.size(); i += 3) {
    int64_t operand = segments[i], begin = segments[i + 1], rows = segments[i + 2];
    if (operand < 0 || operand >= static_cast<int64_t>(getInputs().size()))
      return emitOpError() << "segment " << i / 3 << " names operand " << operand << " of " << getInputs().size();
    int64_t size = tensorOf(getInputs()[operand]).getDimSize(axis);
    if (begin < 0 || rows <= 0 || begin > size || rows > size - begin)
      return emitOpError() << "segment " << i / 3 << " takes rows " << begin << " to " << begin + rows << " of operand "
                           << operand << ", which has " << size;
    ranges[operand].emplace_back(begin, begin + rows);
  }
  for (auto [operand, taken] : llvm::enumerate(ranges)) { // concat-c5
    llvm::sort(taken);
    int64_t next = 0;
    for (auto [begin, end] : taken) {
      if (begin != next)
        break;
      next = end;
    }
    int64_t size = tensorOf(getInputs()[operand]).getDimSize(axis), sum = 0;
    for (auto [begin, end] : taken)
      sum += end - begin;
    if (next != size || sum != size)
      return emitOpError() << "segments do not take every row of operand " << operand << " exactly once";
  }
  return success();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && getInputs()[0].getType() == getType() &&
      (!getSegments() || getSegments()->size() == 3))
    return getInputs()[0];
  // All results of one split, in order, joined along the same axis.
  if (getSegments())
    return {};
  auto split = getInputs()[0].getDefiningOp<SplitOp>();
  if (split && static_cast<int64_t>(split.getAxis()) == static_cast<int64_t>(getAxis()) &&
      split.getInput().getType() == getType() && llvm::equal(getInputs(), split.getResults()))
    return split.getInput();
  return {};
}

// --- interleave.

LogicalResult InterleaveOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  RankedTensorType gate = tensorOf(op.getGate());
  int64_t block = op.getBlock();
  if (gate.getRank() == 0 || block <= 0 || gate.isDynamicDim(0))
    return failure();
  SmallVector<Dim> dims = dimsOf(gate);
  dims[0] = Dim(2 * llvm::divideCeil(gate.getDimSize(0), block) * block);
  types.push_back(tensorType(dims, gate.getElementType()));
  return success();
}

bool InterleaveOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult InterleaveOp::verify() {
  if (getGate().getType() != getUp().getType()) // interleave-c1
    return emitOpError() << "up is " << getUp().getType() << "; gate is " << getGate().getType();
  RankedTensorType gate = tensorOf(getGate());
  if (!gate.hasStaticShape() || gate.getRank() == 0) // interleave-c2
    return emitOpError() << "gate must have a static shape of at least one dimension, found " << gate;
  if (static_cast<int64_t>(getBlock()) <= 0) // interleave-c3
    return emitOpError() << "block must be positive, found " << static_cast<int64_t>(getBlock());
  return success();
}

// --- pack.

static bool isPackable(RankedTensorType input, StringRef layout) {
  if (!input.hasStaticShape() || input.getRank() < 2 || input.getNumElements() == 0)
    return false;
  return layout == "n16tc" || (layout == "tn" ? input.getDimSize(1) == 1 : input.getRank() == 2);
}

LogicalResult PackOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(op.getInput());
  if (!isPackable(input, op.getLayout()))
    return failure();
  auto shape = packedShape(op.getLayout(), input.getDimSize(0), input.getNumElements() / input.getDimSize(0));
  if (!shape)
    return failure();
  types.push_back(RankedTensorType::get(*shape, input.getElementType()));
  return success();
}

bool PackOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult PackOp::verify() {
  RankedTensorType input = tensorOf(getInput());
  if (!isPackable(input, getLayout())) // pack-c1
    return emitOpError() << "input must be a static matrix"
                         << (getLayout() == "n16tc" ? " of two dimensions or more"
                             : getLayout() == "tn"  ? " of two dimensions or more, the second 1"
                                                    : "")
                         << ", found " << input;
  Type element = input.getElementType();
  auto quantized = dyn_cast<QuantizedType>(element);
  struct {
    StringRef layout, takes;
    bool fits;
  } layouts[] = {{"n16k", "f32", element.isF32()},
                 {"n16k2", "f16 or bf16", element.isF16() || element.isBF16()},
                 {"n16k4", "quantized ui8", quantized && !quantized.isFourBit()},
                 {"n16k8", "quantized ui4", quantized && quantized.isFourBit()},
                 {"n16tc", "f32", element.isF32()},
                 {"tn", "f32", element.isF32()}};
  for (auto [layout, takes, fits] : layouts)
    if (getLayout() == layout && !fits) // pack-c2
      return emitOpError() << "layout " << getLayoutAttr() << " takes " << takes << ", input is " << input;
  return success();
}

// --- quantize.

LogicalResult QuantizeOp::verify() {
  RankedTensorType input = tensorOf(getInput());
  if (!input.hasStaticShape()) // quantize-c1
    return emitOpError() << "input must be a static matrix, found " << input;
  auto type = cast<QuantizedType>(tensorOf(getResult()).getElementType());
  if (type.getZero() && !type.isFourBit()) // quantize-c2
    return emitOpError() << "cannot round to " << type << ": integers of 8 bits are rounded to without zero points";
  return success();
}

// --- unpack_bits.

LogicalResult UnpackBitsOp::verify() {
  RankedTensorType input = tensorOf(getInput()), result = tensorOf(getResult());
  const int64_t bits = getBits();
  if (bits != 2 && bits != 4 && bits != 8) // unpack-bits-c2
    return emitOpError() << "bits must be 2, 4 or 8, found " << bits;
  if (!input.hasStaticShape() || !result.hasStaticShape() || input.getDimSize(0) != result.getDimSize(0) ||
      result.getDimSize(1) > input.getDimSize(1) * (8 / bits)) // unpack-bits-c1
    return emitOpError() << "cannot unpack " << input << " to " << result
                         << ": expected static matrices with as many rows, and at most " << 8 / bits
                         << " columns for each of the input's";
  return success();
}

// --- assemble.

LogicalResult AssembleOp::verify() {
  RankedTensorType codes = tensorOf(getCodes()), result = tensorOf(getResult());
  if (!codes.hasStaticShape() || codes.getShape() != result.getShape()) // assemble-c1
    return emitOpError() << "codes and result must be static matrices of one shape, found " << codes << " and "
                         << result;
  const int64_t block = getBlock(), n = codes.getDimSize(0), k = codes.getDimSize(1);
  if (block < 0) // assemble-c5
    return emitOpError() << "block must not be negative, found " << block;
  const int64_t blocks = block ? llvm::divideCeil(k, block) : 1;
  for (auto [name, value] : {std::pair<StringRef, Value>("scales", getScales()), {"zeros", getZeros()}}) {
    if (!value)
      continue;
    RankedTensorType type = tensorOf(value);
    if (!type.hasStaticShape() || (type.getDimSize(0) != 1 && type.getDimSize(0) != n) ||
        (type.getDimSize(1) != 1 && type.getDimSize(1) != blocks)) // assemble-c2
      return emitOpError() << name << " must be [1 or " << n << ", 1 or " << blocks << "], found " << type;
  }
  auto quantized = dyn_cast<QuantizedType>(result.getElementType());
  if (!quantized && !result.getElementType().isF32()) // assemble-c3
    return emitOpError() << "result must be of f32 or quantized, found " << result;
  if (!quantized)
    return success();
  if (tensorOf(getScales()).getElementType() != quantized.getScale()) // assemble-c3
    return emitOpError() << "scales must be of " << quantized.getScale() << " as the result's type says, found "
                         << getScales().getType();
  if (getZeros() ? !quantized.getZero() || tensorOf(getZeros()).getElementType() != codes.getElementType()
                 : static_cast<bool>(quantized.getZero())) // assemble-c3
    return emitOpError() << "zeros of the codes' type are given exactly where the result's type has zero points";
  const int64_t middle = codes.getElementType().isUnsignedInteger() ? (quantized.isFourBit() ? 8 : 128) : 0;
  if (!getZeros() && static_cast<int64_t>(getZero()) != middle) // assemble-c3
    return emitOpError() << "zero is " << static_cast<int64_t>(getZero()) << "; without zero points " << quantized
                         << " has " << middle;
  const int64_t group = quantized.groupSize(k);
  if (block && block < k && block % group) // assemble-c4
    return emitOpError() << "blocks of " << block << " columns cut groups of " << group;
  return success();
}

// --- pack_groups.

LogicalResult PackGroupsOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(op.getInput());
  auto quantized = dyn_cast<QuantizedType>(input.getElementType());
  if (!quantized || input.getRank() != 2 || !input.hasStaticShape())
    return failure();
  Type element = op.getOf() == "scales" ? quantized.getScale()
                 : op.getOf() == "sums" ? IntegerType::get(context, 32)
                                        : quantized.getZero();
  if (!element)
    element = IntegerType::get(context, 8, IntegerType::Unsigned); // the verifier tells
  types.push_back(groupsType(quantized, input.getDimSize(0), input.getDimSize(1), element));
  return success();
}

bool PackGroupsOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult PackGroupsOp::verify() {
  RankedTensorType input = tensorOf(getInput());
  if (!input.hasStaticShape()) // pack-groups-c1
    return emitOpError() << "input must be a static matrix, found " << input;
  if (getOf() == "zeros" && !cast<QuantizedType>(input.getElementType()).getZero()) // pack-groups-c2
    return emitOpError() << "there are no zero points in " << input.getElementType();
  return success();
}

} // namespace ingot::ir
