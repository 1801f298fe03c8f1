// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows of signal processing: sums of cosines over a period.
#include "compiler/import/onnx/op.h"

#include <cmath>

namespace ingot::onnx {

namespace {

// first - second * cos(2 pi n / period) + third * cos(4 pi n / period), n from 0 on.
std::vector<Tensor> cosines(Op &op, double first, double second, double third) {
  auto size = op.integers(0);
  if (size.size() != 1)
    op.fail("the size has " + std::to_string(size.size()) + " elements; expected one");
  if (auto known = size[0].constant(); known && *known < 0)
    op.fail("the size is " + std::to_string(*known));
  const auto type = DataType(op.integer("output_datatype", int64_t(DataType::f32)));
  const Dimension period = Dimension::max(op.integer("periodic", 1) ? size[0] : size[0] - 1, 1);
  Tensor window = op.graph.compute(DataType::f64, {size[0]}, [&](const Indices &i) {
    auto number = [](double value) { return Scalar::real(ElementType::f64, value); };
    Scalar angle = cast(i[0], ElementType::f64) * number(2 * M_PI) / cast(Scalar(period), ElementType::f64);
    Scalar value = number(first) - number(second) * apply(ScalarOp::cos, angle);
    return third == 0 ? value : value + number(third) * apply(ScalarOp::cos, angle * number(2));
  });
  return {op.graph.cast(window, type)};
}

std::vector<Tensor> hann(Op &op) { return cosines(op, 0.5, 0.5, 0); }
std::vector<Tensor> hamming(Op &op) { return cosines(op, 25.0 / 46, 21.0 / 46, 0); }
std::vector<Tensor> blackman(Op &op) { return cosines(op, 0.42, 0.5, 0.08); }

constexpr Definition kOps[] = {
    {"", "HannWindow", 17, hann},
    {"", "HammingWindow", 17, hamming},
    {"", "BlackmanWindow", 17, blackman},
};

} // namespace

std::span<const Definition> signalOps() { return kOps; }

} // namespace ingot::onnx
