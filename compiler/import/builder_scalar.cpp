// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GraphBuilder::compute: a tree of scalars (scalar.h) becomes the region of an ingot.compute. What integers have no
// sign for in arith is chosen by the scalars' types.
#include "compiler/import/builder_impl.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace ingot {

namespace {

class ScalarEmitter {
public:
  ScalarEmitter(GraphBuilder::Impl &impl, mlir::OpBuilder &ops, const llvm::DenseMap<const void *, mlir::Value> &tensors,
                mlir::ValueRange loops)
      : impl(impl), b(ops), loc(impl.here()), tensors(tensors), loops(loops) {}

  mlir::Value emit(const Scalar &scalar) {
    mlir::Value &known = done[scalar.get()];
    if (known)
      return known;
    mlir::Value value = make(*scalar.get());
    return done[scalar.get()] = value;
  }

private:
  using V = mlir::Value;

  mlir::Type typeOf(ElementType type) { return ir::registerType(impl.element(type)); }

  V make(const ScalarNode &node) {
    switch (node.op) {
    case ScalarOp::constant:
      if (node.type == ElementType::index)
        return mlir::arith::ConstantIndexOp::create(b, loc, node.integer);
      if (isFloat(node.type))
        return mlir::arith::ConstantOp::create(b, loc, b.getFloatAttr(typeOf(node.type), node.real));
      return mlir::arith::ConstantOp::create(b, loc, b.getIntegerAttr(typeOf(node.type), node.integer));
    case ScalarOp::index:
      return loops[static_cast<size_t>(node.integer)];
    case ScalarOp::size:
      // A symbol is never negative: of a number that mostly is (1 - length) it stands for how far below its largest it lies.
      if (auto most = node.size.most(), least = node.size.least(); most && (!least || *least < 0)) {
        V largest = mlir::arith::ConstantIndexOp::create(b, loc, *most);
        return mlir::arith::SubIOp::create(b, loc, largest, ir::SizeOp::create(b, loc, impl.dimName(Dimension(*most) - node.size)));
      }
      return ir::SizeOp::create(b, loc, impl.dimName(node.size));
    default:
      break;
    }
    std::vector<V> x;
    for (const Scalar &operand : node.operands)
      x.push_back(emit(operand));
    if (node.op == ScalarOp::element)
      return ir::ElementOp::create(b, loc, typeOf(node.type), tensors.lookup(node.tensor), x);
    const ElementType of = node.op == ScalarOp::select ? node.type : node.operands[0].type();
    const bool real = isFloat(of), unsign = isUnsigned(of);
    auto f = [&]<typename Op>() -> V { return Op::create(b, loc, x[0]); };
    auto g = [&]<typename Real, typename Signed, typename Unsigned>() -> V {
      if (real)
        return Real::create(b, loc, x[0], x[1]);
      return unsign ? V(Unsigned::create(b, loc, x[0], x[1])) : V(Signed::create(b, loc, x[0], x[1]));
    };
    auto i = [&]<typename Op>() -> V { return Op::create(b, loc, x[0], x[1]); };
    using namespace mlir::arith;
    using namespace mlir::math;
    switch (node.op) {
    case ScalarOp::neg:
      if (real)
        return NegFOp::create(b, loc, x[0]);
      return SubIOp::create(b, loc, zero(x[0].getType()), x[0]);
    case ScalarOp::abs:
      if (real)
        return AbsFOp::create(b, loc, x[0]);
      if (unsign)
        return x[0];
      return MaxSIOp::create(b, loc, x[0], SubIOp::create(b, loc, zero(x[0].getType()), x[0]));
    case ScalarOp::exp: return f.operator()<ExpOp>();
    case ScalarOp::log: return f.operator()<LogOp>();
    case ScalarOp::sqrt: return f.operator()<SqrtOp>();
    case ScalarOp::sin: return f.operator()<SinOp>();
    case ScalarOp::cos: return f.operator()<CosOp>();
    case ScalarOp::tan: return f.operator()<TanOp>();
    case ScalarOp::asin: return f.operator()<AsinOp>();
    case ScalarOp::acos: return f.operator()<AcosOp>();
    case ScalarOp::atan: return f.operator()<AtanOp>();
    case ScalarOp::sinh: return f.operator()<SinhOp>();
    case ScalarOp::cosh: return f.operator()<CoshOp>();
    case ScalarOp::asinh: return f.operator()<AsinhOp>();
    case ScalarOp::acosh: return f.operator()<AcoshOp>();
    case ScalarOp::atanh: return f.operator()<AtanhOp>();
    case ScalarOp::tanh: return f.operator()<TanhOp>();
    case ScalarOp::erf: return f.operator()<ErfOp>();
    case ScalarOp::floor: return f.operator()<FloorOp>();
    case ScalarOp::ceil: return f.operator()<CeilOp>();
    case ScalarOp::trunc: return f.operator()<TruncOp>();
    case ScalarOp::round_even: return f.operator()<RoundEvenOp>();
    case ScalarOp::is_nan:
      return CmpFOp::create(b, loc, CmpFPredicate::UNO, x[0], x[0]);
    case ScalarOp::is_inf: {
      V infinity = ConstantOp::create(b, loc, b.getFloatAttr(x[0].getType(), std::numeric_limits<double>::infinity()));
      return CmpFOp::create(b, loc, CmpFPredicate::OEQ, AbsFOp::create(b, loc, x[0]), infinity);
    }
    case ScalarOp::logical_not:
      return XOrIOp::create(b, loc, x[0], ConstantOp::create(b, loc, b.getIntegerAttr(b.getI1Type(), 1)));
    case ScalarOp::bit_not:
      return XOrIOp::create(b, loc, x[0], ConstantOp::create(b, loc, b.getIntegerAttr(x[0].getType(), -1)));
    case ScalarOp::count_ones: return f.operator()<CtPopOp>();
    case ScalarOp::cast: return castTo(x[0], of, node.type);
    case ScalarOp::bit_cast:
      return x[0].getType() == typeOf(node.type) ? x[0] : V(BitcastOp::create(b, loc, typeOf(node.type), x[0]));
    case ScalarOp::add: return g.operator()<AddFOp, AddIOp, AddIOp>();
    case ScalarOp::sub: return g.operator()<SubFOp, SubIOp, SubIOp>();
    case ScalarOp::mul: return g.operator()<MulFOp, MulIOp, MulIOp>();
    case ScalarOp::div: return g.operator()<DivFOp, DivSIOp, DivUIOp>();
    case ScalarOp::rem: return g.operator()<RemFOp, RemSIOp, RemUIOp>();
    case ScalarOp::mod: {
      if (unsign)
        return RemUIOp::create(b, loc, x[0], x[1]);
      V rest = RemSIOp::create(b, loc, x[0], x[1]), none = zero(x[0].getType());
      V other = XOrIOp::create(b, loc, CmpIOp::create(b, loc, CmpIPredicate::slt, rest, none),
                               CmpIOp::create(b, loc, CmpIPredicate::slt, x[1], none));
      V shifted = AndIOp::create(b, loc, other, CmpIOp::create(b, loc, CmpIPredicate::ne, rest, none));
      return SelectOp::create(b, loc, shifted, AddIOp::create(b, loc, rest, x[1]), rest);
    }
    case ScalarOp::pow: return i.operator()<PowFOp>();
    case ScalarOp::max: return g.operator()<MaximumFOp, MaxSIOp, MaxUIOp>();
    case ScalarOp::min: return g.operator()<MinimumFOp, MinSIOp, MinUIOp>();
    case ScalarOp::eq: return order(CmpFPredicate::OEQ, CmpIPredicate::eq, CmpIPredicate::eq, of, x);
    case ScalarOp::ne: return order(CmpFPredicate::UNE, CmpIPredicate::ne, CmpIPredicate::ne, of, x);
    case ScalarOp::lt: return order(CmpFPredicate::OLT, CmpIPredicate::slt, CmpIPredicate::ult, of, x);
    case ScalarOp::le: return order(CmpFPredicate::OLE, CmpIPredicate::sle, CmpIPredicate::ule, of, x);
    case ScalarOp::gt: return order(CmpFPredicate::OGT, CmpIPredicate::sgt, CmpIPredicate::ugt, of, x);
    case ScalarOp::ge: return order(CmpFPredicate::OGE, CmpIPredicate::sge, CmpIPredicate::uge, of, x);
    case ScalarOp::logical_and:
    case ScalarOp::bit_and: return i.operator()<AndIOp>();
    case ScalarOp::logical_or:
    case ScalarOp::bit_or: return i.operator()<OrIOp>();
    case ScalarOp::logical_xor:
    case ScalarOp::bit_xor: return i.operator()<XOrIOp>();
    case ScalarOp::shift_left: return i.operator()<ShLIOp>();
    case ScalarOp::shift_right: return unsign ? i.operator()<ShRUIOp>() : i.operator()<ShRSIOp>();
    case ScalarOp::select: return mlir::arith::SelectOp::create(b, loc, x[0], x[1], x[2]);
    default: llvm_unreachable("a scalar op that is not listed");
    }
  }

  V zero(mlir::Type type) { return mlir::arith::ConstantOp::create(b, loc, b.getZeroAttr(type)); }

  V order(mlir::arith::CmpFPredicate real, mlir::arith::CmpIPredicate sign, mlir::arith::CmpIPredicate unsign,
          ElementType of, const std::vector<V> &x) {
    if (isFloat(of))
      return mlir::arith::CmpFOp::create(b, loc, real, x[0], x[1]);
    return mlir::arith::CmpIOp::create(b, loc, isUnsigned(of) ? unsign : sign, x[0], x[1]);
  }

  V castTo(V x, ElementType from, ElementType to) {
    if (from == ElementType::index) {
      x = mlir::arith::IndexCastOp::create(b, loc, b.getI64Type(), x);
      from = ElementType::i64;
    }
    if (to == ElementType::index) {
      x = ir::castScalar(b, loc, x, impl.element(from), b.getI64Type());
      return mlir::arith::IndexCastOp::create(b, loc, b.getIndexType(), x);
    }
    return ir::castScalar(b, loc, x, impl.element(from), impl.element(to));
  }

  GraphBuilder::Impl &impl;
  mlir::OpBuilder &b;
  mlir::Location loc;
  const llvm::DenseMap<const void *, mlir::Value> &tensors;
  mlir::ValueRange loops;
  llvm::DenseMap<const ScalarNode *, mlir::Value> done;
};

} // namespace

Value GraphBuilder::compute(const ComputeSpec &spec) {
  Impl &b = *impl;
  llvm::SmallVector<mlir::Value> inputs;
  for (const auto &[tensor, value] : spec.tensors)
    inputs.push_back(in(value));
  llvm::SmallVector<mlir::Attribute> extents;
  for (const Dimension &extent : spec.extents) {
    auto constant = extent.constant();
    extents.push_back(b.ops.getStringAttr(constant ? std::to_string(*constant) : b.dimName(extent)));
  }
  ir::ReduceKindAttr reduce;
  if (!extents.empty())
    reduce = ir::ReduceKindAttr::get(&b.context, spec.reduce == Reduction::sum       ? ir::ReduceKind::Sum
                                                 : spec.reduce == Reduction::product ? ir::ReduceKind::Product
                                                 : spec.reduce == Reduction::max     ? ir::ReduceKind::Max
                                                                                     : ir::ReduceKind::Min);
  auto compute = ir::ComputeOp::create(b.ops, b.here(), b.type(spec.shape, spec.type), inputs, reduce,
                                       b.ops.getArrayAttr(extents));
  mlir::OpBuilder::InsertionGuard guard(b.ops);
  mlir::Block *block = b.ops.createBlock(&compute.getBody());
  llvm::DenseMap<const void *, mlir::Value> tensors;
  for (auto [index, input] : llvm::enumerate(inputs))
    tensors[spec.tensors[index].first] = block->addArgument(input.getType(), b.here());
  for (size_t i = 0; i < spec.shape.size() + spec.extents.size(); ++i)
    block->addArgument(b.ops.getIndexType(), b.here());
  b.ops.setInsertionPointToStart(block);
  mlir::ValueRange loops(block->getArguments().drop_front(inputs.size()));
  mlir::Value value = ScalarEmitter(b, b.ops, tensors, loops).emit(spec.body);
  ir::YieldOp::create(b.ops, b.here(), value);
  return out(compute.getResult());
}

} // namespace ingot
