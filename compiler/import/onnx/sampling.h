// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements between elements: a tensor read at positions that are no integers. Positions may be any float, NaN and infinity
// included; what is read lies in the tensor.
#ifndef INGOT_COMPILER_IMPORT_ONNX_SAMPLING_H
#define INGOT_COMPILER_IMPORT_ONNX_SAMPLING_H

#include "compiler/import/onnx/graph.h"

namespace ingot::onnx {

// What lies outside a tensor: zeros, or its nearest element.
enum class Outside { zeros, nearest };

// floor(x) as an index between low and high; low where x is NaN.
Scalar floorIndex(Scalar x, const Scalar &low, const Scalar &high);

// x[lead..., p...], linear along each of the last axes (2^n elements weighted). Positions are floats of one type, which is the
// result's: f32 or f64.
Scalar interpolated(Graph &graph, Tensor x, const Indices &lead, const std::vector<Scalar> &position, Outside outside);

// The largest of the elements around a position, each times its weight; positions outside are moved to the nearest element.
Scalar largestCorner(Graph &graph, Tensor x, const Indices &lead, const std::vector<Scalar> &position);

} // namespace ingot::onnx

#endif
