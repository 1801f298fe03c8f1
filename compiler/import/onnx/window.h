// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows that slide over the spatial dimensions of a tensor [N, C, spatial...]: what convolutions and poolings have in
// common. Positions are computed with dimensions, so sizes may be dynamic; what is done in a window is the operators' matter.
#ifndef INGOT_COMPILER_IMPORT_ONNX_WINDOW_H
#define INGOT_COMPILER_IMPORT_ONNX_WINDOW_H

#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

// One entry for each spatial dimension.
struct Window {
  std::vector<int64_t> kernel, strides, dilations;
  Shape before, after; // padding
  Shape input, output; // extents

  size_t rank() const { return kernel.size(); }
  Shape extents() const { return Shape(kernel.begin(), kernel.end()); }
  // Where tap k of the window at output position o lies in the input; outside it where it is padding.
  Scalar position(size_t axis, Scalar o, Scalar k) const;
};

// Reads strides, dilations, pads and auto_pad of a node, and checks them. With `ceil` windows that begin inside the
// padded input count, though they end outside.
Window windowOf(Op &op, const Shape &spatial, std::vector<int64_t> kernel, bool ceil);

// The list of the attribute, one positive number for each of `rank` dimensions; ones where it is absent.
std::vector<int64_t> positiveList(Op &op, std::string_view name, size_t rank);
// The attribute pads: as many before as after; zeros where it is absent.
std::vector<int64_t> padsOf(Op &op, size_t rank);
// The attribute auto_pad; throws where it is none of the four.
std::string autoPadOf(Op &op);

// An element of x at indices that may lie outside it along axes from `first` on; then `otherwise`, which is of x's type.
Scalar atOr(Graph &graph, Tensor x, const Indices &indices, size_t first, Scalar otherwise);
// f16 and bf16 as f32; what else it is as it is.
Scalar widened(Scalar x);
// The type in which sums of a type are made: f32 for f16 and bf16.
DataType wideType(DataType type);
// Throws where the input is of no float type.
Tensor floatInput(Op &op, size_t index);

} // namespace ingot::onnx

#endif
