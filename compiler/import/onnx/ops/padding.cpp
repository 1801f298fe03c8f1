// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that cut and pad by position: Pad, CenterCropPad, Trilu; and running sums.
#include "compiler/import/onnx/ops/indices.h"

#include <algorithm>

namespace ingot::onnx {

namespace {

Tensor scalarOf(Op &op, size_t index) {
  Tensor x = op.input(index);
  if (!(elementsOf(x->shape) == Dimension(1)))
    op.fail("input " + std::to_string(index) + " has shape " + textOf(x->shape) + "; expected one element");
  return op.graph.reshape(x, {});
}

enum class PadMode { constant, reflect, edge, wrap };

// x with so many elements before and after each dimension; negative numbers take elements away.
Tensor padded(Op &op, Tensor x, const std::vector<Dimension> &before, const std::vector<Dimension> &after, PadMode mode, Tensor fill) {
  Shape shape;
  for (size_t d = 0; d < x->rank(); ++d) {
    shape.push_back(x->shape[d] + before[d] + after[d]);
    if (auto size = shape[d].constant(); size && *size < 0)
      op.fail("dimension " + std::to_string(d) + " of " + textOf(x->shape) + " would have " + std::to_string(*size) + " elements");
    if (mode != PadMode::constant && x->shape[d] == Dimension(0) && !(shape[d] == Dimension(0)))
      op.fail("dimension " + std::to_string(d) + " has no elements to repeat");
  }
  return op.graph.compute(x->dataType, shape, [&](const Indices &i) {
    Indices own;
    Scalar inside;
    for (size_t d = 0; d < x->rank(); ++d) {
      if (before[d] == Dimension(0) && after[d] == Dimension(0)) {
        own.push_back(i[d]);
        continue;
      }
      Scalar at = i[d] - Scalar(before[d]), size = Scalar(x->shape[d]);
      switch (mode) {
      case PadMode::constant: {
        Scalar here = both(at >= Scalar(0), at < size);
        inside = inside ? both(inside, here) : here;
        own.push_back(clampedTo(at, x->shape[d]));
        break;
      }
      case PadMode::reflect: {
        // To and fro without repeating the ends.
        const Dimension period = Dimension::max(x->shape[d] + x->shape[d] - 2, 1);
        Scalar phase = apply(ScalarOp::mod, at, Scalar(period));
        own.push_back(clampedTo(select(phase < size, phase, Scalar(period) - phase), x->shape[d]));
        break;
      }
      case PadMode::edge:
        own.push_back(clampedTo(at, x->shape[d]));
        break;
      case PadMode::wrap:
        own.push_back(apply(ScalarOp::mod, at, Scalar(Dimension::max(x->shape[d], 1))));
        break;
      }
    }
    Scalar filled = op.graph.at(fill, {});
    if (elementsOf(x->shape) == Dimension(0)) // nothing to read
      return filled;
    Scalar element = op.graph.at(x, own);
    return inside ? select(inside, element, filled) : element;
  });
}

std::vector<Tensor> pad(Op &op) {
  Tensor x = op.input(0);
  const std::string name = op.string("mode", "constant");
  const PadMode mode = name == "constant"  ? PadMode::constant
                       : name == "reflect" ? PadMode::reflect
                       : name == "edge"    ? PadMode::edge
                       : name == "wrap"    ? PadMode::wrap
                                           : (op.fail("mode is '" + name + "'; expected constant, reflect, edge or wrap"), PadMode::wrap);
  std::vector<Dimension> pads;
  Tensor fill = op.graph.scalar(x->dataType, 0);
  std::vector<size_t> axes;
  for (size_t d = 0; d < x->rank(); ++d)
    axes.push_back(d);
  if (op.version < 11) { // attributes
    for (int64_t amount : op.integerList(op.version < 2 ? "paddings" : "pads"))
      pads.push_back(amount);
    fill = op.graph.scalar(x->dataType, op.real("value", 0.0));
  } else {
    pads = op.integers(1);
    if (op.optional(2) && !(op.optional(2)->shape == Shape{Dimension(0)}))
      fill = scalarOf(op, 2);
    if (fill->dataType != x->dataType)
      op.fail("the value is of " + nameOf(fill->dataType) + "; the input is of " + nameOf(x->dataType));
    if (op.optional(3)) {
      axes.clear();
      for (int64_t axis : op.constants(3))
        axes.push_back(axisOf(axis, x->rank()));
    }
  }
  if (pads.size() != 2 * axes.size())
    op.fail("there are " + std::to_string(pads.size()) + " pads; expected " + std::to_string(2 * axes.size()));
  std::vector<Dimension> before(x->rank(), Dimension(0)), after(x->rank(), Dimension(0));
  for (size_t n = 0; n < axes.size(); ++n) {
    before[axes[n]] = pads[n];
    after[axes[n]] = pads[axes.size() + n];
  }
  return {padded(op, x, before, after, mode, fill)};
}

std::vector<Tensor> centerCropPad(Op &op) {
  Tensor x = op.input(0);
  std::vector<Dimension> wanted = op.integers(1);
  std::vector<size_t> axes;
  if (op.has("axes"))
    for (int64_t axis : op.integerList("axes"))
      axes.push_back(axisOf(axis, x->rank()));
  else
    for (size_t d = 0; d < x->rank(); ++d)
      axes.push_back(d);
  if (axes.size() != wanted.size())
    op.fail("the shape has " + std::to_string(wanted.size()) + " elements for " + std::to_string(axes.size()) + " axes");
  std::vector<Dimension> before(x->rank(), Dimension(0)), after(x->rank(), Dimension(0));
  for (size_t n = 0; n < axes.size(); ++n) {
    // Halves are rounded down, of what is taken away and of what is added.
    auto more = (wanted[n] - x->shape[axes[n]]).constant();
    if (!more)
      op.fail("dimension " + std::to_string(axes[n]) + " is " + x->shape[axes[n]].text() + ", cut or padded to " + wanted[n].text() +
              "; which of both must be known when the model is compiled");
    before[axes[n]] = Dimension(*more / 2);
    after[axes[n]] = Dimension(*more - *more / 2);
  }
  return {padded(op, x, before, after, PadMode::constant, op.graph.scalar(x->dataType, 0))};
}

// A triangle of each matrix: elements at or above diagonal k, or at or below it.
std::vector<Tensor> trilu(Op &op) {
  Tensor x = op.input(0);
  if (x->rank() < 2)
    op.fail("the input has shape " + textOf(x->shape) + "; expected matrices");
  const bool upper = op.integer("upper", 1) != 0;
  Tensor diagonal = op.optional(1) ? scalarOf(op, 1) : op.graph.scalar(DataType::i64, 0);
  return {op.graph.compute(x->dataType, x->shape, [&](const Indices &i) {
    Scalar row = cast(i[i.size() - 2], ElementType::i64), column = cast(i.back(), ElementType::i64);
    row = row + cast(op.graph.at(diagonal, {}), ElementType::i64);
    Scalar element = op.graph.at(x, i);
    return select(upper ? column >= row : column <= row, element, like(element, 0));
  })};
}

// Combines all elements up to each along an axis.
template <Reduction kind> std::vector<Tensor> running(Op &op) {
  Tensor x = op.input(0);
  auto given = op.constants(1);
  if (given.size() != 1)
    op.fail("the axis has " + std::to_string(given.size()) + " elements; expected one");
  const size_t axis = axisOf(given[0], x->rank());
  const bool exclusive = op.integer("exclusive", 0) != 0, reverse = op.integer("reverse", 0) != 0;
  return {op.graph.reduce(x->dataType, x->shape, {x->shape[axis]}, kind, [&](const Indices &i, const Indices &k) {
    Scalar taken = reverse ? (exclusive ? k[0] > i[axis] : k[0] >= i[axis]) : exclusive ? k[0] < i[axis] : k[0] <= i[axis];
    Indices own = i;
    own[axis] = k[0];
    Scalar element = op.graph.at(x, own);
    return select(taken, element, like(element, kind == Reduction::product));
  })};
}

constexpr Definition kOps[] = {
    {"", "Pad", 1, pad},
    {"", "CenterCropPad", 18, centerCropPad},
    {"", "Trilu", 14, trilu},
    {"", "CumSum", 11, running<Reduction::sum>},
    {"", "CumProd", 26, running<Reduction::product>},
};

} // namespace

std::span<const Definition> paddingOps() { return kOps; }

} // namespace ingot::onnx
