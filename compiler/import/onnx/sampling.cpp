// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See sampling.h.
#include "compiler/import/onnx/sampling.h"
#include "compiler/import/onnx/window.h"

namespace ingot::onnx {

Scalar floorIndex(Scalar x, const Scalar &low, const Scalar &high) {
  const Scalar least = cast(low, x.type()), most = cast(high, x.type());
  const Scalar floored = apply(ScalarOp::floor, x);
  // Compared such that NaN is the least.
  const Scalar bounded = select(floored > least, select(floored < most, floored, most), least);
  return cast(bounded, ElementType::index);
}

// The 2^n elements around a position, each times its weight, combined.
static Scalar corners(Graph &graph, Tensor x, const Indices &lead, const std::vector<Scalar> &position, Outside outside,
                      ScalarOp combine) {
  const size_t rank = position.size(), first = lead.size();
  const ElementType type = position[0].type();
  std::vector<Scalar> below, fraction;
  for (size_t i = 0; i < rank; ++i) {
    const Scalar size(x->shape[first + i]);
    Scalar at = position[i];
    if (outside == Outside::nearest)
      at = larger(smaller(at, cast(size - Scalar(1), type)), like(at, 0));
    below.push_back(floorIndex(at, Scalar(-2), size));
    Scalar rest = at - apply(ScalarOp::floor, at);
    fraction.push_back(rest);
  }
  Scalar sum;
  for (size_t corner = 0; corner < (size_t(1) << rank); ++corner) {
    Indices indices = lead;
    Scalar weight;
    for (size_t i = 0; i < rank; ++i) {
      const bool above = corner >> i & 1;
      indices.push_back(above ? below[i] + Scalar(1) : below[i]);
      Scalar share = above ? fraction[i] : like(fraction[i], 1) - fraction[i];
      weight = weight ? weight * share : share;
    }
    Scalar value = cast(atOr(graph, x, indices, first, Scalar::real(x->type, 0)), type);
    Scalar term = value * weight;
    sum = sum ? apply(combine, sum, term) : term;
  }
  return sum;
}

Scalar interpolated(Graph &graph, Tensor x, const Indices &lead, const std::vector<Scalar> &position, Outside outside) {
  return corners(graph, x, lead, position, outside, ScalarOp::add);
}

Scalar largestCorner(Graph &graph, Tensor x, const Indices &lead, const std::vector<Scalar> &position) {
  return corners(graph, x, lead, position, Outside::nearest, ScalarOp::max);
}

} // namespace ingot::onnx
