// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between element types: Cast, CastLike, BitCast.
#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

namespace {

CastMode modeOf(Op &op) {
  CastMode mode;
  mode.saturate = op.integer("saturate", 1) != 0;
  const std::string round = op.string("round_mode", "up");
  if (round != "up" && round != "down" && round != "nearest")
    op.fail("round_mode is '" + round + "'; expected up, down or nearest");
  mode.power = round == "up" ? CastMode::Round::up : round == "down" ? CastMode::Round::down : CastMode::Round::nearest;
  return mode;
}

std::vector<Tensor> castTo(Op &op) { return {op.graph.cast(op.input(0), DataType(op.integer("to")), modeOf(op))}; }

std::vector<Tensor> castLike(Op &op) { return {op.graph.cast(op.input(0), op.input(1)->dataType, modeOf(op))}; }

std::vector<Tensor> bitCast(Op &op) {
  Tensor x = op.input(0);
  const auto type = DataType(op.integer("to"));
  auto held = storage(type);
  if (!held || storedBits(type) != storedBits(x->dataType) || x->dataType == DataType::string)
    op.fail("the bits of " + nameOf(x->dataType) + " cannot be those of " + nameOf(type) + ": expected numbers of one size");
  return {op.graph.compute(type, x->shape, [&](const Indices &i) {
    Scalar element = op.graph.at(x, i);
    if (isSmallInteger(type))
      return smallIntegerOf(type, cast(element, ElementType::i32));
    if (x->type == ElementType::i1 || *held == ElementType::i1) // a byte in memory
      return cast(element, *held);
    return Scalar::make(ScalarOp::bit_cast, *held, {element});
  })};
}

constexpr Definition kOps[] = {
    {"", "Cast", 6, castTo},
    {"", "CastLike", 15, castLike},
    {"", "BitCast", 26, bitCast},
};

} // namespace

std::span<const Definition> conversionOps() { return kOps; }

} // namespace ingot::onnx
