// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scalar bodies of the element-wise ops, and the evaluator that folds constants through them. 16-bit elements are
// computed in f32 and rounded once.
#include "dialects/ingot/Verify.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace ingot::ir {

// Larger constants are weights, and recipes are evaluated when the engine is written.
static constexpr int64_t kLargestFold = 4096;

Attribute foldElementwise(Operation *op, ArrayRef<Attribute> operands) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  auto isFloat = [](Type of) { return isa<FloatType>(cast<ShapedType>(of).getElementType()); };
  if (!type || !isFloat(type) || !llvm::all_of(op->getOperandTypes(), isFloat)) // importers fold integers
    return nullptr;
  if (!type.hasStaticShape() || type.getNumElements() > kLargestFold)
    return nullptr;
  SmallVector<DenseElementsAttr> inputs;
  bool splat = true;
  for (Attribute operand : operands) {
    auto elements = dyn_cast_or_null<DenseElementsAttr>(operand);
    if (!elements)
      return nullptr;
    splat &= elements.isSplat();
    inputs.push_back(elements);
  }

  // The body once, over block arguments; then its ops' own folders, per element.
  Block body;
  SmallVector<Value> scalars;
  for (DenseElementsAttr input : inputs)
    scalars.push_back(body.addArgument(input.getElementType(), op->getLoc()));
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&body);
  Value yielded = cast<ScalarBodyInterface>(op).buildScalarBody(builder, op->getLoc(), scalars);

  SmallVector<Attribute> results;
  for (int64_t i = 0, e = splat ? 1 : type.getNumElements(); i < e; ++i) {
    llvm::SmallDenseMap<Value, Attribute> values;
    for (auto [scalar, input] : llvm::zip(scalars, inputs))
      values[scalar] = input.getValues<Attribute>()[i];
    for (Operation &step : body) {
      SmallVector<Attribute> constants;
      for (Value operand : step.getOperands())
        constants.push_back(values.lookup(operand));
      // arith folds a narrowing only where nothing is lost; here it rounds, as at run time.
      if (auto narrow = dyn_cast<arith::TruncFOp>(step)) {
        APFloat value = cast<FloatAttr>(constants[0]).getValue();
        bool lost;
        value.convert(cast<FloatType>(narrow.getType()).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
        values[narrow] = FloatAttr::get(narrow.getType(), value);
        continue;
      }
      SmallVector<OpFoldResult> folded;
      if (failed(step.fold(constants, folded)) || folded.size() != 1)
        return nullptr;
      auto value = dyn_cast<Attribute>(folded[0]);
      values[step.getResult(0)] = value ? value : values.lookup(cast<Value>(folded[0]));
    }
    Attribute result = values.lookup(yielded);
    if (!result)
      return nullptr;
    results.push_back(result);
  }
  return DenseElementsAttr::get(type, results);
}

namespace {

// Builds scalar expressions in one type.
struct Scalar {
  OpBuilder &builder;
  Location loc;
  Type type;

  Value constant(double value) const {
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, value));
  }
  Value add(Value a, Value b) const { return arith::AddFOp::create(builder, loc, a, b); }
  Value sub(Value a, Value b) const { return arith::SubFOp::create(builder, loc, a, b); }
  Value mul(Value a, Value b) const { return arith::MulFOp::create(builder, loc, a, b); }
  Value div(Value a, Value b) const { return arith::DivFOp::create(builder, loc, a, b); }
  Value max(Value a, Value b) const { return arith::MaximumFOp::create(builder, loc, a, b); }
  Value min(Value a, Value b) const { return arith::MinimumFOp::create(builder, loc, a, b); }
  Value neg(Value a) const { return arith::NegFOp::create(builder, loc, a); }
  Value exp(Value a) const { return math::ExpOp::create(builder, loc, a); }
  Value log(Value a) const { return math::LogOp::create(builder, loc, a); }
  Value abs(Value a) const { return math::AbsFOp::create(builder, loc, a); }
  Value sin(Value a) const { return math::SinOp::create(builder, loc, a); }
  Value cos(Value a) const { return math::CosOp::create(builder, loc, a); }
  Value pow(Value a, Value b) const { return math::PowFOp::create(builder, loc, a, b); }
  Value sqrt(Value a) const { return math::SqrtOp::create(builder, loc, a); }
  Value tanh(Value a) const { return math::TanhOp::create(builder, loc, a); }
  Value erf(Value a) const { return math::ErfOp::create(builder, loc, a); }
  Value onePlusExpNeg(Value a) const { return add(constant(1), exp(neg(a))); }
};

} // namespace

// Runs `body` on the scalars, widened to f32 where they have 16 bits, and rounds its result back.
static Value inWideType(OpBuilder &builder, Location loc, ValueRange scalars,
                        llvm::function_ref<Value(const Scalar &, ArrayRef<Value>)> body) {
  Type type = scalars[0].getType();
  bool narrow = type.getIntOrFloatBitWidth() < 32;
  Scalar scalar{builder, loc, narrow ? builder.getF32Type() : type};
  SmallVector<Value> wide(scalars);
  if (narrow)
    for (Value &value : wide)
      value = arith::ExtFOp::create(builder, loc, scalar.type, value);
  Value result = body(scalar, wide);
  return narrow ? Value(arith::TruncFOp::create(builder, loc, type, result)) : result;
}

#define INGOT_SCALAR_BODY(Op, expression)                                                                              \
  Value Op::buildScalarBody(OpBuilder &builder, Location loc, ValueRange scalars) {                                    \
    return inWideType(builder, loc, scalars,                                                                           \
                      [&]([[maybe_unused]] const Scalar &s, ArrayRef<Value> x) -> Value { return expression; });       \
  }

INGOT_SCALAR_BODY(NegOp, s.neg(x[0]))
INGOT_SCALAR_BODY(ExpOp, s.exp(x[0]))
INGOT_SCALAR_BODY(LogOp, s.log(x[0]))
INGOT_SCALAR_BODY(AbsOp, s.abs(x[0]))
INGOT_SCALAR_BODY(SinOp, s.sin(x[0]))
INGOT_SCALAR_BODY(CosOp, s.cos(x[0]))
INGOT_SCALAR_BODY(PowOp, s.pow(x[0], x[1]))
INGOT_SCALAR_BODY(SqrtOp, s.sqrt(x[0]))
INGOT_SCALAR_BODY(RsqrtOp, s.div(s.constant(1), s.sqrt(x[0])))
INGOT_SCALAR_BODY(TanhOp, s.tanh(x[0]))
INGOT_SCALAR_BODY(ErfOp, s.erf(x[0]))
INGOT_SCALAR_BODY(SigmoidOp, s.div(s.constant(1), s.onePlusExpNeg(x[0])))
INGOT_SCALAR_BODY(SiluOp, s.div(x[0], s.onePlusExpNeg(x[0])))
INGOT_SCALAR_BODY(QuickGeluOp, s.div(x[0], s.onePlusExpNeg(s.mul(s.constant(1.702), x[0]))))
INGOT_SCALAR_BODY(ReluOp, s.max(x[0], s.constant(0)))
INGOT_SCALAR_BODY(AddOp, s.add(x[0], x[1]))
INGOT_SCALAR_BODY(SubOp, s.sub(x[0], x[1]))
INGOT_SCALAR_BODY(MulOp, s.mul(x[0], x[1]))
INGOT_SCALAR_BODY(DivOp, s.div(x[0], x[1]))
INGOT_SCALAR_BODY(MaxOp, s.max(x[0], x[1]))
INGOT_SCALAR_BODY(MinOp, s.min(x[0], x[1]))
INGOT_SCALAR_BODY(ScaleOp, s.mul(x[0], s.constant(getFactor().convertToDouble())))

// x / 2 * (1 + erf(x / sqrt(2)))
INGOT_SCALAR_BODY(GeluOp, s.mul(s.mul(x[0], s.constant(0.5)),
                                s.add(s.constant(1), s.erf(s.mul(x[0], s.constant(0.70710678118654752440))))))

// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
Value GeluTanhOp::buildScalarBody(OpBuilder &builder, Location loc, ValueRange scalars) {
  return inWideType(builder, loc, scalars, [](const Scalar &s, ArrayRef<Value> x) {
    Value cube = s.mul(s.mul(s.mul(s.constant(0.044715), x[0]), x[0]), x[0]);
    Value inner = s.mul(s.constant(0.79788456080286535588), s.add(x[0], cube));
    return s.mul(s.mul(x[0], s.constant(0.5)), s.add(s.constant(1), s.tanh(inner)));
  });
}

// --- compare, select.

static LogicalResult sameNames(Operation *op, Value a, Value b) {
  if (tensorOf(a).getEncoding() == tensorOf(b).getEncoding())
    return success();
  return op->emitOpError() << "dimensions are not named alike: " << a.getType() << " and " << b.getType();
}

LogicalResult CompareOp::verify() { // compare-c1
  return success(succeeded(sameNames(*this, getLhs(), getRhs())) && succeeded(sameNames(*this, getLhs(), getResult())));
}

Value CompareOp::buildScalarBody(OpBuilder &builder, Location loc, ValueRange scalars) {
  Type type = tensorOf(getLhs()).getElementType();
  if (isa<FloatType>(type)) {
    static constexpr arith::CmpFPredicate kinds[] = {arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE,
                                                     arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
                                                     arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
    return arith::CmpFOp::create(builder, loc, kinds[static_cast<int>(getKind())], scalars[0], scalars[1]);
  }
  bool unsign = type.isUnsignedInteger() || type.isInteger(1);
  using enum arith::CmpIPredicate;
  static constexpr arith::CmpIPredicate kinds[2][6] = {{eq, ne, slt, sle, sgt, sge}, {eq, ne, ult, ule, ugt, uge}};
  return arith::CmpIOp::create(builder, loc, kinds[unsign][static_cast<int>(getKind())], scalars[0], scalars[1]);
}

LogicalResult SelectOp::verify() { return sameNames(*this, getCondition(), getResult()); } // select-c1

Value SelectOp::buildScalarBody(OpBuilder &builder, Location loc, ValueRange scalars) {
  return arith::SelectOp::create(builder, loc, scalars[0], scalars[1], scalars[2]);
}

// --- Folders. Identities hold bit for bit, for every value.

static bool isSplatOf(Attribute attribute, double value) {
  auto elements = dyn_cast_or_null<DenseFPElementsAttr>(attribute);
  return elements && elements.isSplat() && elements.getSplatValue<APFloat>().isExactlyValue(value);
}

#define INGOT_PLAIN_FOLD(Op)                                                                                           \
  OpFoldResult Op::fold(FoldAdaptor adaptor) { return foldElementwise(*this, adaptor.getOperands()); }

INGOT_PLAIN_FOLD(ExpOp)
INGOT_PLAIN_FOLD(LogOp)
INGOT_PLAIN_FOLD(AbsOp)
INGOT_PLAIN_FOLD(SinOp)
INGOT_PLAIN_FOLD(CosOp)
INGOT_PLAIN_FOLD(PowOp)
INGOT_PLAIN_FOLD(SqrtOp)
INGOT_PLAIN_FOLD(RsqrtOp)
INGOT_PLAIN_FOLD(TanhOp)
INGOT_PLAIN_FOLD(ErfOp)
INGOT_PLAIN_FOLD(SigmoidOp)
INGOT_PLAIN_FOLD(SiluOp)
INGOT_PLAIN_FOLD(GeluOp)
INGOT_PLAIN_FOLD(GeluTanhOp)
INGOT_PLAIN_FOLD(QuickGeluOp)

OpFoldResult NegOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getInput().getDefiningOp<NegOp>())
    return inner.getInput();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult ReluOp::fold(FoldAdaptor adaptor) {
  if (getInput().getDefiningOp<ReluOp>())
    return getInput();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  // x + -0 is x for every x; x + 0 is not for -0. isExactlyValue tells the zeros apart.
  if (isSplatOf(adaptor.getRhs(), -0.0))
    return getLhs();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 0.0))
    return getLhs();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 1.0))
    return getLhs();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 1.0))
    return getLhs();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult MaxOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult MinOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult ScaleOp::fold(FoldAdaptor adaptor) {
  if (getFactor().isExactlyValue(1.0))
    return getInput();
  return foldElementwise(*this, adaptor.getOperands());
}

OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  if (getOnTrue() == getOnFalse())
    return getOnTrue();
  if (auto known = dyn_cast_or_null<DenseIntElementsAttr>(adaptor.getCondition()); known && known.isSplat())
    return known.getSplatValue<bool>() ? getOnTrue() : getOnFalse();
  return {};
}

} // namespace ingot::ir
