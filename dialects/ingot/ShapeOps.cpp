// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers, type inference and folders of the ops that only move elements.
#include "dialects/ingot/SymbolExpr.h"
#include "dialects/ingot/Verify.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::ir {

// --- transpose.

static bool isPermutation(ArrayRef<int64_t> permutation, int64_t rank) {
  llvm::SmallBitVector seen(rank);
  for (int64_t index : permutation) {
    if (index < 0 || index >= rank || seen.test(index))
      return false;
    seen.set(index);
  }
  return static_cast<int64_t>(permutation.size()) == rank;
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(op.getInput());
  if (!isPermutation(op.getPermutation(), input.getRank()))
    return failure();
  SmallVector<Dim> dims;
  for (int64_t index : op.getPermutation())
    dims.push_back(dimOf(input, index));
  types.push_back(tensorType(dims, input.getElementType()));
  return success();
}

bool TransposeOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult TransposeOp::verify() {
  int64_t rank = tensorOf(getInput()).getRank();
  if (!isPermutation(getPermutation(), rank)) // transpose-c1
    return emitOpError() << "permutation [" << getPermutation() << "] does not hold each of the " << rank
                         << " dimensions of the input once";
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  ArrayRef<int64_t> outer = getPermutation();
  if (getInput().getType() == getType() && llvm::equal(outer, llvm::seq<int64_t>(0, outer.size())))
    return getInput();
  auto inner = getInput().getDefiningOp<TransposeOp>();
  if (!inner)
    return {};
  SmallVector<int64_t> composed;
  for (int64_t index : outer)
    composed.push_back(inner.getPermutation()[index]);
  getInputMutable().assign(inner.getInput());
  setPermutation(composed);
  return getResult();
}

// --- reshape.

LogicalResult ReshapeOp::verify() {
  RankedTensorType input = tensorOf(getInput()), result = tensorOf(getResult());
  if (input.getElementType() != result.getElementType()) // reshape-c1
    return emitOpError() << "result has elements of " << result.getElementType() << "; the input's are "
                         << input.getElementType();
  struct Count {
    int64_t fixed = 1, dynamic = 0;
    bool named = true;
    SmallVector<StringRef> names;
  };
  auto count = [](RankedTensorType type) {
    Count count;
    for (const Dim &dim : dimsOf(type)) {
      count.fixed *= dim.isDynamic() ? 1 : dim.size;
      count.dynamic += dim.isDynamic();
      if (dim.isDynamic() && dim.name)
        count.names.push_back(dim.name.getValue());
      count.named &= !dim.isDynamic() || dim.name;
    }
    llvm::sort(count.names);
    return count;
  };
  Count from = count(input), to = count(result);
  // A product of dimensions may be a symbol of its own, which is looked up where memory is planned.
  bool same = from.named && to.named && from.names == to.names ? from.fixed == to.fixed
                                                               : from.dynamic > 0 && to.dynamic > 0;
  if (!same) // reshape-c2
    return emitOpError() << "result " << result << " does not have the elements of input " << input;
  return success();
}

namespace {
// A product of dimensions: a number and the symbols that no product stands for.
struct DimProduct {
  int64_t factor = 1;
  SmallVector<std::string> symbols;
  bool exact = true;

  void multiply(Operation *from, SymbolTableCollection &tables, StringRef name, int depth) {
    auto expr = parseDim(name);
    auto symbol = expr && expr->constant == 0 && depth < 16
                      ? lookup<SymbolOp>(from, StringAttr::get(from->getContext(), expr->symbol), tables)
                      : SymbolOp();
    if (!symbol || !symbol.getValue()) {
      // symbol + constant is a factor of its own.
      symbols.push_back(name.str());
      return;
    }
    std::string why;
    auto value = SymbolExpr::parse(*symbol.getValue(), why);
    auto product = value ? value->product() : std::nullopt;
    if (!product) {
      exact = false;
      return;
    }
    factor *= product->factor;
    for (StringRef inner : product->symbols)
      multiply(from, tables, inner, depth + 1);
  }
};
} // namespace

LogicalResult ReshapeOp::verifySymbolUses(SymbolTableCollection &tables) {
  auto productOf = [&](Value value) {
    DimProduct product;
    for (const Dim &dim : dimsOf(tensorOf(value))) {
      if (!dim.isDynamic())
        product.factor *= dim.size;
      else if (dim.name)
        product.multiply(*this, tables, dim.name.getValue(), 0);
      else
        product.exact = false;
    }
    llvm::sort(product.symbols);
    return product;
  };
  DimProduct from = productOf(getInput()), to = productOf(getResult());
  for (const DimProduct *product : {&from, &to}) // (a + 1) may stand in one and be multiplied out in the other
    for (const std::string &symbol : product->symbols)
      if (StringRef(symbol).find_first_of("+-") != StringRef::npos && from.symbols != to.symbols)
        return success();
  if (!from.exact || !to.exact || (from.factor == to.factor && from.symbols == to.symbols) || from.factor == 0)
    return success();
  return emitOpError() << "result " << getType() << " does not have the elements of input " << getInput().getType(); // reshape-c2
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput()))
    return elements.reshape(cast<ShapedType>(getType()));
  auto inner = getInput().getDefiningOp<ReshapeOp>();
  if (!inner)
    return {};
  getInputMutable().assign(inner.getInput());
  return getResult();
}

// --- split.

LogicalResult SplitOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                        SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(op.getInput());
  int64_t axis = op.getAxis();
  if (axis < 0 || axis >= input.getRank())
    return failure();
  for (int64_t size : op.getSizes()) {
    SmallVector<Dim> dims = dimsOf(input);
    dims[axis] = Dim(size);
    types.push_back(tensorType(dims, input.getElementType()));
  }
  return success();
}

bool SplitOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult SplitOp::verify() {
  RankedTensorType input = tensorOf(getInput());
  int64_t axis = getAxis(), sum = 0;
  if (axis < 0 || axis >= input.getRank()) // split-c1
    return emitOpError() << "axis " << axis << " is not one of the " << input.getRank() << " of the input";
  if (input.isDynamicDim(axis)) // split-c2
    return emitOpError() << "input is dynamic along axis " << axis;
  for (int64_t size : getSizes()) {
    if (size <= 0) // split-c3
      return emitOpError() << "sizes must be positive, found " << size;
    sum += size;
  }
  if (sum != input.getDimSize(axis))
    return emitOpError() << "sizes add up to " << sum << "; input has " << input.getDimSize(axis) << " in dimension "
                         << axis;
  return success();
}

LogicalResult SplitOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &results) {
  if (getNumResults() == 1 && getResult(0).getType() == getInput().getType()) {
    results.push_back(getInput());
    return success();
  }
  // The very parts that a concat joined.
  auto concat = getInput().getDefiningOp<ConcatOp>();
  if (!concat || concat.getSegments() || static_cast<int64_t>(concat.getAxis()) != static_cast<int64_t>(getAxis()) ||
      !llvm::equal(concat.getInputs().getTypes(), getResultTypes()))
    return failure();
  llvm::append_range(results, concat.getInputs());
  return success();
}

// --- gather_rows.

LogicalResult GatherRowsOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(op.getInput());
  if (input.getRank() == 0)
    return failure();
  SmallVector<Dim> dims = dimsOf(input);
  dims[0] = dimOf(tensorOf(op.getRows()), 0);
  types.push_back(tensorType(dims, input.getElementType()));
  return success();
}

bool GatherRowsOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult GatherRowsOp::verify() {
  if (tensorOf(getInput()).getRank() == 0) // gather-rows-c1
    return emitOpError("input has no dimension to pick rows from");
  return success();
}

// --- broadcast.

LogicalResult BroadcastOp::verify() {
  RankedTensorType input = tensorOf(getInput()), result = tensorOf(getResult());
  if (input.getElementType() != result.getElementType() || input.getRank() > result.getRank()) // broadcast-c1
    return emitOpError() << "makes " << result << " of " << input;
  for (int64_t i = 0, lead = result.getRank() - input.getRank(); i < input.getRank(); ++i) {
    Dim from = dimOf(input, i), to = dimOf(result, lead + i);
    if (from.size != 1 && !from.agrees(to)) // broadcast-c2
      return emitOpError() << "dimension " << i << " of the input is " << from.text() << "; expected 1 or " << to.text();
  }
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto inner = getInput().getDefiningOp<BroadcastOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput());
  if (elements && elements.isSplat() && tensorOf(getResult()).hasStaticShape())
    return elements.resizeSplat(tensorOf(getResult()));
  return {};
}

} // namespace ingot::ir
