// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See window.h.
#include "compiler/import/onnx/window.h"

namespace ingot::onnx {

std::vector<int64_t> positiveList(Op &op, std::string_view name, size_t rank) {
  std::vector<int64_t> list = op.integerList(name, std::vector<int64_t>(rank, 1));
  if (list.size() != rank)
    op.fail("attribute '" + std::string(name) + "' holds " + std::to_string(list.size()) + " numbers; expected " +
            std::to_string(rank) + ", one for each spatial dimension");
  for (int64_t value : list)
    if (value < 1 || value > INT32_MAX)
      op.fail("attribute '" + std::string(name) + "' holds " + std::to_string(value) + "; expected positive numbers");
  return list;
}

std::vector<int64_t> padsOf(Op &op, size_t rank) {
  std::vector<int64_t> pads = op.integerList("pads", std::vector<int64_t>(2 * rank, 0));
  if (pads.size() != 2 * rank)
    op.fail("attribute 'pads' holds " + std::to_string(pads.size()) + " numbers; expected " + std::to_string(2 * rank));
  for (int64_t value : pads)
    if (value < INT32_MIN || value > INT32_MAX)
      op.fail("attribute 'pads' holds " + std::to_string(value));
  return pads;
}

std::string autoPadOf(Op &op) {
  std::string kind = op.string("auto_pad", "NOTSET");
  if (kind != "NOTSET" && kind != "SAME_UPPER" && kind != "SAME_LOWER" && kind != "VALID" && !kind.empty())
    op.fail("auto_pad is '" + kind + "'; expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  return kind.empty() ? "NOTSET" : kind;
}

Window windowOf(Op &op, const Shape &spatial, std::vector<int64_t> kernel, bool ceil) {
  const size_t rank = spatial.size();
  if (kernel.size() != rank)
    op.fail("the kernel has " + std::to_string(kernel.size()) + " dimensions; the input has " + std::to_string(rank) +
            " spatial ones");
  Window window;
  window.kernel = std::move(kernel);
  window.strides = positiveList(op, "strides", rank);
  window.dilations = positiveList(op, "dilations", rank);
  window.input = spatial;
  const std::vector<int64_t> pads = padsOf(op, rank);
  const std::string kind = autoPadOf(op);
  for (size_t i = 0; i < rank; ++i) {
    if (window.kernel[i] < 1 || window.kernel[i] > INT32_MAX)
      op.fail("dimension " + std::to_string(i) + " of the kernel is " + std::to_string(window.kernel[i]));
    const int64_t stride = window.strides[i], span = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const Dimension size = spatial[i];
    Dimension before, after, output;
    if (kind == "SAME_UPPER" || kind == "SAME_LOWER") {
      output = Dimension::ceilDiv(size, stride);
      const Dimension pad = Dimension::max((output - 1) * stride + span - size, 0);
      const Dimension smaller = Dimension::floorDiv(pad, 2), larger = pad - smaller;
      before = kind == "SAME_UPPER" ? smaller : larger;
      after = kind == "SAME_UPPER" ? larger : smaller;
    } else {
      if (kind == "NOTSET") {
        before = pads[i];
        after = pads[rank + i];
      }
      const Dimension room = size + before + after - span;
      output = Dimension::floorDiv(room, stride) + 1;
      if (ceil) // the last window begins inside the input or the padding before it
        output = Dimension::min(Dimension::ceilDiv(room, stride) + 1, Dimension::ceilDiv(size + before, stride));
      if (auto known = output.constant(); known && *known < 0)
        op.fail("the kernel spans " + std::to_string(span) + " elements of spatial dimension " + std::to_string(i) + ", which has " +
                size.text() + " and " + (before + after).text() + " of padding");
      if (!output.isConstant())
        output = Dimension::max(output, 0);
    }
    window.before.push_back(before);
    window.after.push_back(after);
    window.output.push_back(output);
  }
  return window;
}

Scalar Window::position(size_t axis, Scalar o, Scalar k) const {
  return o * Scalar(strides[axis]) + k * Scalar(dilations[axis]) - Scalar(before[axis]);
}

Scalar atOr(Graph &graph, Tensor x, const Indices &indices, size_t first, Scalar otherwise) {
  Indices own = indices;
  Scalar inside;
  for (size_t d = first; d < own.size(); ++d) {
    const Scalar size(x->shape[d]), zero(0);
    Scalar here = both(indices[d] >= zero, indices[d] < size);
    inside = inside ? both(inside, here) : here;
    own[d] = larger(smaller(indices[d], size - Scalar(1)), zero);
  }
  return inside ? select(inside, graph.at(x, own), otherwise) : graph.at(x, own);
}

Scalar widened(Scalar x) {
  return x.type() == ElementType::f16 || x.type() == ElementType::bf16 ? cast(x, ElementType::f32) : x;
}

DataType wideType(DataType type) { return type == DataType::f16 || type == DataType::bf16 ? DataType::f32 : type; }

Tensor floatInput(Op &op, size_t index) {
  Tensor x = op.input(index);
  if (!isFloat(x->type))
    op.fail("input " + std::to_string(index) + " is of " + nameOf(x->dataType) + "; expected floats");
  return x;
}

} // namespace ingot::onnx
