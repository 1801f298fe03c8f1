// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and type inference of linear and embedding. A packed weight keeps its logical sizes as attributes, so both
// read sizes through one pair of helpers.
#include "dialects/ingot/Verify.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::ir {

namespace {

// The logical matrix of a weight operand: from the attributes where it is packed, else from its type.
struct Matrix {
  int64_t rows = ShapedType::kDynamic, columns = ShapedType::kDynamic;
};

} // namespace

template <typename Op> static Matrix matrixOf(Op &op, Value weight) {
  RankedTensorType type = tensorOf(weight);
  Matrix matrix;
  if (!op.getLayout() && type.getRank() == 2)
    matrix = {type.getDimSize(0), type.getDimSize(1)};
  if (op.getN())
    matrix.rows = *op.getN();
  if (op.getK())
    matrix.columns = *op.getK();
  return matrix;
}

// Checks a packed weight's type against the layout's shape of [rows, k].
static LogicalResult checkPacked(Operation *op, StringRef operand, Value weight, StringRef layout, int64_t rows,
                                 int64_t k) {
  auto shape = packedShape(layout, rows, k);
  RankedTensorType type = tensorOf(weight);
  if (shape && type.getShape() == ArrayRef(*shape))
    return success();
  auto diagnostic = op->emitOpError() << operand << " is " << type << "; layout \"" << layout << "\" gives [" << rows
                                      << ", " << k << "] the shape [";
  if (shape)
    llvm::interleaveComma(*shape, diagnostic);
  return diagnostic << "]";
}

// Checks that scales and zeros are those of a packed weight's type, or absent beside a weight of floats.
static LogicalResult checkGroupValues(Operation *op, StringRef operand, Value weight, Value scales, Value zeros,
                                      int64_t rows, int64_t k) {
  auto quantized = dyn_cast<QuantizedType>(tensorOf(weight).getElementType());
  Type zeroType = quantized ? quantized.getZero() : Type();
  for (auto [name, value, element] :
       {std::tuple<StringRef, Value, Type>("scales", scales, quantized ? quantized.getScale() : Type()),
        {"zeros", zeros, zeroType}}) {
    if (!element && value)
      return op->emitOpError() << name << " are given; " << operand << " has none: it is " << weight.getType();
    if (!element)
      continue;
    RankedTensorType expected = groupsType(quantized, rows, k, element);
    if (!value)
      return op->emitOpError() << name << " of " << operand << " must be " << expected << ", found none";
    if (value.getType() != expected)
      return op->emitOpError() << name << " of " << operand << " must be " << expected << ", found " << value.getType();
  }
  return success();
}

// --- embedding.

int64_t EmbeddingOp::tableRows() { return matrixOf(*this, getTable()).rows; }
int64_t EmbeddingOp::tableColumns() { return matrixOf(*this, getTable()).columns; }

LogicalResult EmbeddingOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  Dim tokens = dimOf(tensorOf(op.getTokens()), 0);
  Type f32 = Float32Type::get(context);
  types.push_back(tensorType({tokens, Dim(matrixOf(op, op.getTable()).columns)}, f32));
  if (op.getEmitStats())
    types.push_back(tensorType({tokens, Dim(1)}, f32));
  return success();
}

bool EmbeddingOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult EmbeddingOp::verify() {
  RankedTensorType table = tensorOf(getTable());
  unsigned given = getLayout().has_value() + getN().has_value() + getK().has_value();
  if (given != 0 && given != 3) // embedding-c2
    return emitOpError("layout, n and k are given together, for a packed table, or not at all");
  if (given == 0 && (table.getRank() != 2 || !table.hasStaticShape())) // embedding-c1
    return emitOpError() << "table must be a static matrix, found " << table;
  if (given != 0 && failed(checkPacked(*this, "table", getTable(), *getLayout(), *getN(), *getK()))) // embedding-c3
    return failure();
  if (getLayout() || getScales() || getZeros()) // a quantized table has its own until it is packed
    if (failed(checkGroupValues(*this, "table", getTable(), getScales(), getZeros(), tableRows(), tableColumns())))
      return failure();                                // embedding-c5
  if (getEmitStats() != static_cast<bool>(getStats())) // embedding-c4
    return emitOpError("gives stats exactly when it has emit_stats");
  return success();
}

// --- linear.

void LinearOp::build(OpBuilder &builder, OperationState &state, Value input, Value weight, Value bias) {
  build(builder, state, input, weight, bias, /*residual=*/Value(), /*norm_stats=*/Value(), /*gamma=*/Value(),
        /*scales=*/Value(), /*zeros=*/Value(), /*in_scale=*/Value(), /*in_zero=*/Value(), /*sums=*/Value(),
        /*eps=*/FloatAttr(), /*activation=*/ActivationAttr(),
        /*gated=*/UnitAttr(), /*emit_stats=*/UnitAttr(),
        /*compute=*/TypeAttr(), /*weight_element=*/TypeAttr(), /*result_element=*/TypeAttr(), /*layout=*/StringAttr(),
        /*n=*/IntegerAttr(),
        /*k=*/IntegerAttr());
}

int64_t LinearOp::columns() { return matrixOf(*this, getWeight()).rows; }
int64_t LinearOp::depth() { return matrixOf(*this, getWeight()).columns; }

static int64_t rowsOfWeight(int64_t columns, bool gated) {
  return gated ? 2 * llvm::divideCeil(columns, 16) * 16 : columns;
}
int64_t LinearOp::weightRows() { return rowsOfWeight(columns(), getGated()); }

LogicalResult LinearOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  RankedTensorType input = tensorOf(op.getInput());
  if (input.getRank() == 0)
    return failure();
  int64_t columns = matrixOf(op, op.getWeight()).rows;
  SmallVector<Dim> dims = dimsOf(input);
  Type f32 = Float32Type::get(context);
  dims.back() = Dim(columns);
  types.push_back(tensorType(dims, op.getResultElement().value_or(f32)));
  if (op.getEmitStats()) {
    dims.back() = ShapedType::isDynamic(columns) ? Dim() : Dim(llvm::divideCeil(columns, 16));
    types.push_back(tensorType(dims, f32));
  }
  return success();
}

bool LinearOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

// An input of codes, with its scale and zero point.
static LogicalResult checkCodes(LinearOp op, QuantizedType weight) {
  Type input = tensorOf(op.getInput()).getElementType();
  auto isOne = [](Value value) { return tensorOf(value).hasStaticShape() && tensorOf(value).getNumElements() == 1; };
  const bool codes = !isa<FloatType>(input);
  if (codes != static_cast<bool>(op.getInScale())) // linear-c14
    return op.emitOpError() << "in_scale is given exactly with an input of i8 or ui8, found an input of " << input;
  if (codes && (!isOne(op.getInScale()) || !tensorOf(op.getInScale()).getElementType().isF32()))
    return op.emitOpError() << "in_scale must be one f32, found " << op.getInScale().getType();
  if (codes && (!weight || op.getNormStats() || (op.getCompute() && !op.getCompute()->isInteger(8))))
    return op.emitOpError("an input of codes is multiplied by a quantized weight, in i8 and without a norm");
  if (Value zero = op.getInZero()) {
    if (!codes || !isOne(zero) || tensorOf(zero).getElementType() != input || weight.isFourBit() ||
        weight.getGroup()) // linear-c15
      return op.emitOpError() << "in_zero must be one " << input
                              << " beside in_scale and a weight of ui8 without groups, found " << zero.getType();
  }
  const bool sums = op.getInZero() && op.getLayout();
  if (sums != static_cast<bool>(op.getSums())) // linear-c16
    return op.emitOpError("sums are given exactly with in_zero and a packed weight");
  if (!sums)
    return success();
  RankedTensorType expected = groupsType(weight, op.weightRows(), op.depth(), IntegerType::get(op.getContext(), 32));
  if (op.getSums().getType() != expected)
    return op.emitOpError() << "sums must be " << expected << ", found " << op.getSums().getType();
  return success();
}

static bool isProductType(Type type) { return type.isF32() || type.isF16() || type.isBF16(); }

LogicalResult LinearOp::verify() {
  RankedTensorType input = tensorOf(getInput()), weight = tensorOf(getWeight());
  if (input.getRank() == 0)
    return emitOpError("input has no dimension to multiply along");
  // linear-c2
  if (getLayout() && (!getN() || !getK()))
    return emitOpError("a packed weight needs its sizes n and k");
  Type element = weight.getElementType();
  if (!getLayout() && (weight.getRank() != 2 || !weight.hasStaticShape()))
    return emitOpError() << "weight must be a static matrix, or packed, found " << weight;
  if (getGated() && !getN()) // linear-c4
    return emitOpError("gated needs n, the number of gate rows");
  if (getLayout()) {
    if (failed(checkPacked(*this, "weight", getWeight(), *getLayout(), weightRows(), depth()))) // linear-c3
      return failure();
  } else {
    if (weight.getDimSize(0) != weightRows()) // linear-c4
      return emitOpError() << "weight has " << weight.getDimSize(0) << " rows; " << (getGated() ? "gated " : "")
                           << "n = " << columns() << " needs " << weightRows();
    if (weight.getDimSize(1) != depth())
      return emitOpError() << "weight has " << weight.getDimSize(1) << " columns; k is " << depth();
  }
  unsigned last = input.getRank() - 1;
  if (failed(checkDim(*this, "input", getInput(), last, Dim(depth()), "the weight's k"))) // linear-c1
    return failure();
  if (getBias() && failed(checkDim(*this, "bias", getBias(), 0, Dim(weightRows()), "the weight's rows"))) // linear-c5
    return failure();
  if (getResidual()) { // linear-c6
    RankedTensorType residual = tensorOf(getResidual()), result = tensorOf(getResult());
    bool same = residual.getRank() == result.getRank();
    for (unsigned i = 0; same && i < result.getRank(); ++i)
      same = dimOf(residual, i).agrees(dimOf(result, i));
    if (!same)
      return emitOpError() << "residual is " << residual << "; the result is " << result;
  }
  unsigned norm = static_cast<bool>(getNormStats()) + static_cast<bool>(getGamma()) + getEps().has_value();
  if (norm != 0 && norm != 3) // linear-c7
    return emitOpError("norm_stats, gamma and eps are given together or not at all");
  if (norm) {
    if (failed(checkDim(*this, "gamma", getGamma(), 0, Dim(depth()), "the weight's k"))) // linear-c8
      return failure();
    if (tensorOf(getNormStats()).getRank() != input.getRank()) // linear-c9
      return emitOpError() << "norm_stats is " << tensorOf(getNormStats()) << "; the input is " << input;
    for (unsigned i = 0; i < last; ++i)
      if (failed(checkDim(*this, "norm_stats", getNormStats(), i, dimOf(input, i), "as the input has")))
        return failure();
  }
  if (getEmitStats() != static_cast<bool>(getStats())) // linear-c10
    return emitOpError("gives stats exactly when it has emit_stats");
  if (getWeightElement() && (getLayout() || isa<QuantizedType>(element))) // linear-c13
    return emitOpError() << "weight_element is given; the weight is " << (getLayout() ? "packed" : "quantized")
                         << " already";
  Type stored = getWeightElement().value_or(element);
  if (getWeightElement() && !isProductType(stored) && !isa<QuantizedType>(stored))
    return emitOpError() << "weight_element must be f32, f16, bf16 or quantized, found " << stored;
  bool quantized = isa<QuantizedType>(stored);
  if (getCompute() && quantized && !getCompute()->isF32() && !getCompute()->isSignlessInteger(8)) // linear-c11
    return emitOpError() << "compute must be f32 or i8 for a quantized weight, found " << *getCompute();
  if (getCompute() && !quantized && !isProductType(*getCompute()))
    return emitOpError() << "compute must be f32, f16 or bf16, found " << *getCompute();
  if (getLayout() || getScales() || getZeros())
    if (failed(checkGroupValues(*this, "weight", getWeight(), getScales(), getZeros(), weightRows(), depth())))
      return failure(); // linear-c12
  if (failed(checkCodes(*this, dyn_cast<QuantizedType>(stored))))
    return failure();
  if (getResultElement() && !isProductType(*getResultElement()))
    return emitOpError() << "result_element must be f32, f16 or bf16, found " << *getResultElement();
  return success();
}

// --- matmul.

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  RankedTensorType lhs = tensorOf(op.getLhs()), rhs = tensorOf(op.getRhs());
  if (lhs.getRank() < 2 || lhs.getRank() != rhs.getRank())
    return failure();
  SmallVector<Dim> dims = dimsOf(lhs);
  dims.back() = dimOf(rhs, rhs.getRank() - 1);
  types.push_back(tensorType(dims, lhs.getElementType()));
  return success();
}

bool MatmulOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) { return typesAgree(l, r); }

LogicalResult MatmulOp::verify() {
  RankedTensorType lhs = tensorOf(getLhs()), rhs = tensorOf(getRhs());
  const int64_t rank = lhs.getRank();
  if (rank < 2 || rank != rhs.getRank() || lhs.getElementType() != rhs.getElementType()) // matmul-c1
    return emitOpError() << "multiplies " << lhs << " by " << rhs;
  for (int64_t i = 0; i + 2 < rank; ++i)
    if (!dimOf(lhs, i).agrees(dimOf(rhs, i)))
      return emitOpError() << "dimension " << i << " of the operands is " << dimOf(lhs, i).text() << " and "
                           << dimOf(rhs, i).text();
  if (!dimOf(lhs, rank - 1).agrees(dimOf(rhs, rank - 2))) // matmul-c2
    return emitOpError() << "lhs has " << dimOf(lhs, rank - 1).text() << " columns; rhs has "
                         << dimOf(rhs, rank - 2).text() << " rows";
  return success();
}

// --- convolution.

unsigned ConvolutionOp::channelDimension() { return channelsLast() ? tensorOf(getInput()).getRank() - 1 : 1; }

int64_t ConvolutionOp::outputs() {
  return channelsLast() ? tensorOf(getResult()).getDimSize(channelDimension()) : tensorOf(getWeight()).getDimSize(0);
}

SmallVector<int64_t> ConvolutionOp::windowSizes() {
  if (channelsLast())
    return SmallVector<int64_t>(*getWindow());
  RankedTensorType weight = tensorOf(getWeight());
  if (weight.getRank() == 2)
    return SmallVector<int64_t>(tensorOf(getInput()).getRank() - 2, 1);
  return SmallVector<int64_t>(weight.getShape().drop_front(2));
}

LogicalResult ConvolutionOp::verify() {
  RankedTensorType input = tensorOf(getInput()), weight = tensorOf(getWeight()), result = tensorOf(getResult());
  const int64_t rank = input.getRank(), spatial = rank - 2;
  const bool fits = channelsLast() || weight.getRank() == rank || weight.getRank() == 2;
  if (spatial < 1 || spatial > 3 || result.getRank() != rank || !fits || !weight.hasStaticShape()) // convolution-c1
    return emitOpError() << "multiplies windows of " << input << " by " << weight << " into " << result
                         << "; expected one to three spatial dimensions in all, and a static weight";
  if (failed(checkDim(*this, "result", getResult(), 0, dimOf(input, 0), "the input's batch")))
    return failure();
  auto atLeast = [](ArrayRef<int64_t> values, int64_t least) {
    return llvm::all_of(values, [&](int64_t value) { return value >= least; });
  };
  if (static_cast<int64_t>(getStrides().size()) != spatial || static_cast<int64_t>(getDilations().size()) != spatial ||
      static_cast<int64_t>(getPads().size()) != 2 * spatial || !atLeast(getStrides(), 1) ||
      !atLeast(getDilations(), 1) || !atLeast(getPads(), 0)) // convolution-c2
    return emitOpError() << "needs positive strides and dilations, and pads from 0 on before and behind, of " << spatial
                         << " spatial dimensions";
  const SmallVector<int64_t> window = windowSizes();
  if (static_cast<int64_t>(window.size()) != spatial || !atLeast(window, 1)) // convolution-c7
    return emitOpError() << "has a window of " << window.size() << " sizes; expected positive ones of " << spatial
                         << " spatial dimensions";
  const unsigned channel = channelDimension(), first = firstSpatial();
  const int64_t groups = getGroups(), channels = input.getDimSize(channel), rows = outputs();
  const bool grouped = groups >= 1 && !input.isDynamicDim(channel) && !result.isDynamicDim(channel) &&
                       channels % groups == 0 && rows % groups == 0 && result.getDimSize(channel) == rows;
  if (!grouped || (!channelsLast() && channels != weight.getDimSize(1) * groups)) // convolution-c3
    return emitOpError() << "has " << groups << " groups of channels for an input " << input << ", a weight " << weight
                         << " and a result " << result;
  if (channelsLast()) {
    int64_t depth = channels / groups;
    for (int64_t size : window)
      depth *= size;
    const bool alone = channels == groups && rows == groups;
    if (!alone && groups != 1 && rows / groups % 16) // convolution-c7
      return emitOpError() << "has " << groups << " groups of " << rows / groups
                           << " outputs each; with channels last, expected a multiple of 16, or channels by themselves";
    auto expected = *packedShape(alone ? "tn" : "n16tc", rows, depth);
    if (weight.getShape() != ArrayRef<int64_t>(expected)) // convolution-c7
      return emitOpError() << "weight is " << weight << "; expected "
                           << RankedTensorType::get(expected, weight.getElementType())
                           << ", as it is packed for these channels and window";
  }
  for (int64_t i = 0; i < spatial; ++i) {
    const unsigned at = first + i;
    if (input.isDynamicDim(at) || result.isDynamicDim(at))
      continue;
    const int64_t span = (window[i] - 1) * getDilations()[i] + 1;
    const int64_t room = input.getDimSize(at) + getPads()[i] + getPads()[spatial + i] - span;
    const int64_t expected = room < 0 ? 0 : room / getStrides()[i] + 1;
    if (result.getDimSize(at) != expected) // convolution-c4
      return emitOpError() << "result has " << result.getDimSize(at) << " in dimension " << at << "; expected "
                           << expected << ", the places of a window";
  }
  for (auto [name, value] : {std::pair<StringRef, Value>("scale", getScale()), {"bias", getBias()}})
    if (value && failed(checkDim(*this, name, value, 0, Dim(rows), "the weight's rows"))) // convolution-c5
      return failure();
  if (getResidual() && tensorOf(getResidual()).getRank() != rank)
    return emitOpError() << "residual is " << tensorOf(getResidual()) << "; the result is " << result;
  for (int64_t i = 0; getResidual() && i < rank; ++i)
    if (failed(checkDim(*this, "residual", getResidual(), i, dimOf(result, i), "as the result has")))
      return failure();
  if (getLow() && getHigh() && !(*getLow() <= *getHigh())) // convolution-c6
    return emitOpError() << "is clamped to no number: low is above high";
  return success();
}

} // namespace ingot::ir
