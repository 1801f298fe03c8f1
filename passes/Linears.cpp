// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Building linears anew and asking about them (see Linears.h).
#include "passes/Linears.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace ingot::passes {

LinearParts::LinearParts(ir::LinearOp linear)
    : input(linear.getInput()), weight(linear.getWeight()), bias(linear.getBias()), residual(linear.getResidual()),
      normStats(linear.getNormStats()), gamma(linear.getGamma()), scales(linear.getScales()), zeros(linear.getZeros()),
      inScale(linear.getInScale()), inZero(linear.getInZero()), sums(linear.getSums()), eps(linear.getEpsAttr()),
      activation(linear.getActivationAttr()), gated(linear.getGated()), emitStats(linear.getEmitStats()),
      compute(linear.getComputeAttr()), weightElement(linear.getWeightElementAttr()),
      resultElement(linear.getResultElementAttr()), layout(linear.getLayoutAttr()), n(linear.getNAttr()),
      k(linear.getKAttr()) {}

ir::LinearOp LinearParts::build(OpBuilder &builder, Location loc) const {
  auto unit = [&](bool set) { return set ? builder.getUnitAttr() : UnitAttr(); };
  return ir::LinearOp::create(builder, loc, input, weight, bias, residual, normStats, gamma, scales, zeros, inScale,
                              inZero, sums, eps, activation, unit(gated), unit(emitStats), compute, weightElement,
                              resultElement, layout, n, k);
}

bool isPlain(ir::LinearOp linear) {
  return !linear.getResidual() && !linear.getNormStats() && !linear.getActivationAttr() && !linear.getGated() &&
         !linear.getEmitStats() && !linear.getResultElementAttr() && !linear.getLayoutAttr();
}

std::optional<ir::Activation> epilogueActivation(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<ir::Activation>>(op)
      .Case<ir::SiluOp>([](auto) { return ir::Activation::Silu; })
      .Case<ir::GeluOp>([](auto) { return ir::Activation::Gelu; })
      .Case<ir::GeluTanhOp>([](auto) { return ir::Activation::GeluTanh; })
      .Case<ir::QuickGeluOp>([](auto) { return ir::Activation::QuickGelu; })
      .Case<ir::ReluOp>([](auto) { return ir::Activation::Relu; })
      .Default([](Operation *) { return std::nullopt; });
}

void hoistRecipe(Value value, Operation *before) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != before->getBlock() || op->isBeforeInBlock(before))
    return;
  op->moveBefore(before);
  for (Value operand : op->getOperands())
    hoistRecipe(operand, op);
}

} // namespace ingot::passes
