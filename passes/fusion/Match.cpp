// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Match.h.
#include "passes/fusion/Match.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes::match {

using ir::tensorOf;

Value throughReshape(Value value) {
  while (auto reshape = value.getDefiningOp<ir::ReshapeOp>())
    value = reshape.getInput();
  return value;
}

Value perRow(Value value) {
  auto wide = tensorOf(value);
  const int64_t rank = wide.getRank();
  if (auto broadcast = value.getDefiningOp<ir::BroadcastOp>()) {
    value = broadcast.getInput();
    auto from = tensorOf(value);
    if (from.getRank() != rank)
      return {};
    for (int64_t i = 0; i + 1 < rank; ++i)
      if (!ir::dimOf(from, i).agrees(ir::dimOf(wide, i)))
        return {};
  }
  if (rank == 0 || tensorOf(value).getDimSize(rank - 1) != 1)
    return {};
  return throughReshape(value);
}

std::optional<double> constantOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto constant = dyn_cast<ir::ConstantOp>(op)) {
      auto elements = dyn_cast<DenseFPElementsAttr>(constant.getValue());
      if (!elements || elements.empty() || !(elements.isSplat() || elements.getNumElements() == 1))
        return std::nullopt;
      APFloat number = *elements.getValues<APFloat>().begin();
      bool lost;
      number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      return number.convertToDouble();
    }
    if (!isa<ir::BroadcastOp, ir::ReshapeOp, ir::CastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return std::nullopt;
}

bool isConstant(Value value, double expected, double tolerance) {
  auto number = constantOf(value);
  return number && std::fabs(*number - expected) <= tolerance * std::fabs(expected);
}

bool near(double a, double b) { return std::fabs(a - b) <= 1e-4 * std::fabs(b); }

static void collect(Value value, bool root, Product &product) {
  if (auto number = constantOf(value)) {
    product.constant *= *number;
    return;
  }
  if (root || value.hasOneUse()) {
    if (auto mul = value.getDefiningOp<ir::MulOp>()) {
      collect(mul.getLhs(), false, product);
      collect(mul.getRhs(), false, product);
      return;
    }
    if (auto div = value.getDefiningOp<ir::DivOp>())
      if (auto number = constantOf(div.getRhs()); number && *number != 0) {
        product.constant /= *number;
        collect(div.getLhs(), false, product);
        return;
      }
    if (auto scale = value.getDefiningOp<ir::ScaleOp>()) {
      product.constant *= scale.getFactor().convertToDouble();
      collect(scale.getInput(), false, product);
      return;
    }
    if (auto neg = value.getDefiningOp<ir::NegOp>()) {
      product.constant = -product.constant;
      collect(neg.getInput(), false, product);
      return;
    }
  }
  product.factors.push_back(value);
}

Product productOf(Value value) {
  Product product;
  collect(value, true, product);
  return product;
}

Value unscaled(Value value, double &constant) {
  Product product = productOf(value);
  constant = 1;
  if (product.factors.size() != 1)
    return value;
  constant = product.constant;
  return product.factors[0];
}

bool plusConstant(Value value, double &constant, Value &result) {
  if (auto sub = value.getDefiningOp<ir::SubOp>())
    if (auto number = constantOf(sub.getRhs())) {
      constant = -*number;
      result = sub.getLhs();
      return true;
    }
  Value number;
  if (!commuted<ir::AddOp>(value, [](Value v) { return constantOf(v).has_value(); }, number, result))
    return false;
  constant = *constantOf(number);
  return true;
}

Value parameterOf(Value value, int64_t size) {
  // One number throughout was a parameter, or may as well be one: what was repeated of it folded.
  if (auto constant = value.getDefiningOp<ir::ConstantOp>(); constant && tensorOf(value).getRank() > 1)
    if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValueAttr()); elements && elements.isSplat() && tensorOf(value).getShape().back() == size) {
      OpBuilder b(constant);
      auto type = RankedTensorType::get({size}, elements.getElementType());
      return ir::ConstantOp::create(b, constant.getLoc(), type, elements.resizeSplat(type));
    }
  auto broadcast = value.getDefiningOp<ir::BroadcastOp>();
  if (!broadcast)
    return tensorOf(value).getRank() == 1 && tensorOf(value).getDimSize(0) == size ? value : Value();
  Value input = broadcast.getInput();
  auto type = tensorOf(input);
  if (!type.hasStaticShape() || type.getRank() == 0 || type.getNumElements() != size ||
      type.getDimSize(type.getRank() - 1) != size)
    return {};
  return input;
}

Value reducedAlongLast(Value value, ir::ReduceKind kind) {
  auto reduce = throughReshape(value).getDefiningOp<ir::ReduceOp>();
  if (!reduce || reduce.getKind() != kind ||
      static_cast<int64_t>(reduce.getAxis()) + 1 != tensorOf(reduce.getInput()).getRank())
    return {};
  return reduce.getInput();
}

} // namespace ingot::passes::match
