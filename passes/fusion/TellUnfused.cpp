// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tell-unfused: what is left of norms, GELU and softmax that recognize-ops did not take, with the node that stopped it (see Passes.td).
#include "dialects/ingot/IngotDialect.h"
#include "passes/Locations.h"
#include "passes/Passes.h"
#include "passes/fusion/Match.h"
#include "passes/fusion/NotFused.h"

#include <cmath>

using namespace mlir;

namespace ingot::passes {

#define GEN_PASS_DEF_TELLUNFUSEDPASS
#include "passes/Passes.h.inc"

namespace {

using namespace match;

using ir::tensorOf;

std::string at(Operation *op) { return "'" + nodeName(op->getLoc()) + "'"; }
std::string at(Value value) { return value.getDefiningOp() ? at(value.getDefiningOp()) : "an input"; }

// The op in which a number of each row meets whole rows, and what it met on the way.
struct Meeting {
  Operation *op = nullptr;
  Value rows;
  Operation *added = nullptr; // a constant is added to the number
};

// Whether the value, or what only shapes, constants and 1 / x make of it, multiplies or divides a tensor.
Meeting meetingOf(Value value, unsigned depth = 0) {
  if (depth > 8)
    return {};
  for (Operation *user : value.getUsers()) {
    const bool binary = user->getNumOperands() == 2;
    Value other = binary ? user->getOperand(user->getOperand(0) == value) : Value();
    const bool byConstant = binary && constantOf(other);
    if (isa<ir::MulOp, ir::DivOp>(user) && !byConstant && other != value) {
      if (isa<ir::DivOp>(user) && user->getOperand(1) != value)
        continue;
      // A scale for each element may be multiplied first.
      if (value.getDefiningOp<ir::BroadcastOp>())
        return {user, other, nullptr};
      continue;
    }
    if (!isa<ir::ReshapeOp, ir::BroadcastOp, ir::ScaleOp>(user) && !(byConstant && isa<ir::AddOp, ir::MaxOp, ir::MulOp, ir::DivOp>(user)))
      continue;
    Meeting found = meetingOf(user->getResult(0), depth + 1);
    if (!found.op)
      continue;
    if (isa<ir::AddOp>(user))
      found.added = user;
    return found;
  }
  return {};
}

// Whether a product is somewhere among the value's readers, behind ops of one operand and constants.
Operation *productBehind(Value value, unsigned depth = 0) {
  for (Operation *user : value.getUsers()) {
    const bool binary = user->getNumOperands() == 2;
    const bool byConstant = binary && user->getNumResults() == 1 && constantOf(user->getOperand(user->getOperand(0) == value));
    if (isa<ir::MulOp>(user) && !byConstant)
      return user;
    if (depth < 4 && (byConstant || isa<ir::ScaleOp>(user)))
      if (Operation *found = productBehind(user->getResult(0), depth + 1))
        return found;
  }
  return nullptr;
}

bool isSquare(Value value) {
  auto mul = value.getDefiningOp<ir::MulOp>();
  return mul && mul.getLhs() == mul.getRhs();
}

class Teller {
public:
  explicit Teller(SmallVectorImpl<std::string> &left) : left(left) {}

  void norm(Operation *root) {
    double eps, multiple;
    Value variance = throughReshape(root->getOperand(0));
    if (Value rest; plusConstant(variance, eps, rest))
      variance = throughReshape(rest);
    if (auto difference = variance.getDefiningOp<ir::SubOp>()) // of squares' mean and the mean's square
      variance = throughReshape(difference.getLhs());
    auto mean = throughReshape(unscaled(variance, multiple)).getDefiningOp<ir::ReduceOp>();
    if (!mean || (mean.getKind() != ir::ReduceKind::Mean && mean.getKind() != ir::ReduceKind::Sum) || !isSquare(mean.getInput()))
      return;
    const Meeting meeting = meetingOf(root->getResult(0));
    if (!meeting.op)
      return;
    auto type = tensorOf(mean.getInput());
    Value squared = mean.getInput().getDefiningOp()->getOperand(0);
    std::string why;
    if (!type.getElementType().isF32())
      why = "its numbers are " + typeName(type.getElementType());
    else if (int64_t(mean.getAxis()) + 1 != type.getRank())
      why = "its mean at " + at(mean.getResult()) + " is along dimension " + std::to_string(mean.getAxis()) + " of " + std::to_string(type.getRank()) + ", not the last";
    else if (type.isDynamicDim(type.getRank() - 1))
      why = "the length of its rows is dynamic";
    else if (meeting.added)
      why = "a number is added at " + at(meeting.added) + " outside of its root";
    else if (squared != meeting.rows)
      why = "what is divided at " + at(meeting.op) + " is not what the squares at " + at(mean.getInput()) + " are of";
    else
      why = "the steps between its mean at " + at(mean.getResult()) + " and " + at(meeting.op) + " are in no known order";
    tell(root, "a norm", why);
  }

  void gelu(ir::ErfOp erf) {
    Operation *product = gateBehind(erf);
    if (!product)
      return;
    double scale;
    Value x = unscaled(erf.getInput(), scale);
    tell(product, "GELU",
         near(std::fabs(scale), std::sqrt(0.5)) ? "its product is not half of " + at(x) + " times 1 + erf"
                                               : "its erf at " + at(erf.getOperation()) + " is of " + number(scale) + " times " + at(x) + "; expected sqrt(1/2)");
  }

  void geluTanh(ir::TanhOp tanh) {
    Operation *product = gateBehind(tanh);
    if (product && holdsSquare(tanh.getInput(), 6))
      tell(product, "GELU (tanh)", "the argument of its tanh at " + at(tanh.getOperation()) + ", or what 1 + tanh multiplies, is not x of sqrt(2/pi) (x + 0.044715 x^3)");
  }

  void softmax(ir::ReduceOp sum) {
    auto powers = sum.getInput().getDefiningOp<ir::ExpOp>();
    if (!powers || sum.getKind() != ir::ReduceKind::Sum)
      return;
    const Meeting meeting = meetingOf(sum.getResult());
    if (!meeting.op || meeting.rows != powers.getResult())
      return;
    auto type = tensorOf(powers);
    std::string why = "it is divided at " + at(meeting.op) + " by more than its sum at " + at(sum.getResult());
    if (int64_t(sum.getAxis()) + 1 != type.getRank())
      why = "its sum at " + at(sum.getResult()) + " is along dimension " + std::to_string(sum.getAxis()) + " of " + std::to_string(type.getRank()) + ", not the last";
    else if (meeting.added)
      why = "a number is added to its sum at " + at(meeting.added);
    tell(meeting.op, "softmax", why);
  }

private:
  static std::string number(double value) {
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    return text;
  }
  static std::string typeName(Type type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return text;
  }

  // The product that 1 + f is a factor of.
  static Operation *gateBehind(Operation *f) {
    for (Operation *user : f->getResult(0).getUsers()) {
      if (user->getNumResults() != 1)
        continue;
      double constant;
      Value rest;
      if (isa<ir::ScaleOp>(user) || (isa<ir::MulOp>(user) && constantOf(user->getOperand(user->getOperand(0) == f->getResult(0))))) {
        if (Operation *found = gateBehind(user))
          return found;
      } else if (plusConstant(user->getResult(0), constant, rest) && constant != 0) {
        if (Operation *product = productBehind(user->getResult(0)))
          return product;
      }
    }
    return nullptr;
  }

  static bool holdsSquare(Value value, unsigned depth) {
    Operation *op = value.getDefiningOp();
    if (isSquare(value))
      return true;
    return op && depth && isa<ir::AddOp, ir::SubOp, ir::MulOp, ir::ScaleOp>(op) &&
           llvm::any_of(op->getOperands(), [&](Value operand) { return holdsSquare(operand, depth - 1); });
  }

  void tell(Operation *op, const char *what, const std::string &why) {
    left.push_back(nodeName(op->getLoc()) + ": looks like " + what + ", but " + why);
  }

  SmallVectorImpl<std::string> &left;
};

struct TellUnfusedPass : public impl::TellUnfusedPassBase<TellUnfusedPass> {
  void runOnOperation() override {
    SmallVector<std::string> left;
    Teller teller(left);
    getOperation().walk([&](Operation *op) {
      if (isa<ir::SqrtOp, ir::RsqrtOp>(op))
        teller.norm(op);
      else if (auto erf = dyn_cast<ir::ErfOp>(op))
        teller.gelu(erf);
      else if (auto tanh = dyn_cast<ir::TanhOp>(op))
        teller.geluTanh(tanh);
      else if (auto reduce = dyn_cast<ir::ReduceOp>(op))
        teller.softmax(reduce);
    });
    addNotFused(getOperation(), left);
  }
};

} // namespace
} // namespace ingot::passes
