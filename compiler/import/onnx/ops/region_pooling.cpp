// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pooling of regions of interest: MaxRoiPool, RoiAlign.
#include "compiler/import/onnx/sampling.h"
#include "compiler/import/onnx/window.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ingot::onnx {

namespace {

Tensor images(Op &op) {
  Tensor x = floatInput(op, 0);
  if (x->rank() != 4)
    op.fail("the input has shape " + textOf(x->shape) + "; expected [N, C, height, width]");
  return x;
}

// A batch's number, kept inside the batch.
Scalar batchOf(Scalar number, Tensor x) {
  return larger(smaller(cast(number, ElementType::index), Scalar(x->shape[0] - 1)), Scalar(0));
}

// Regions are [batch, x1, y1, x2, y2] with both ends inside; their bins overlap where sizes do not divide.
std::vector<Tensor> maxRoiPool(Op &op) {
  Graph &graph = op.graph;
  Tensor x = images(op), regions = op.input(1);
  if (regions->rank() != 2 || !(regions->shape[1] == Dimension(5)) || regions->dataType != x->dataType)
    op.fail("the regions are of " + nameOf(regions->dataType) + " and have shape " + textOf(regions->shape) +
            "; expected the input's type and [regions, 5]");
  const std::vector<int64_t> pooled = op.integerList("pooled_shape");
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1)
    op.fail("pooled_shape must hold two positive numbers");
  const double scale = op.real("spatial_scale", 1.0);
  const ElementType held = *storage(wideType(x->dataType));
  auto real = [&](double value) { return Scalar::real(held, value); };
  // First and last element of a bin along an axis.
  auto bounds = [&](Scalar region, size_t axis, Scalar bin) {
    auto corner = [&](int64_t column) {
      Scalar scaled = widened(graph.at(regions, {region, Scalar(column)})) * real(scale);
      // To the nearest, halves away from zero.
      return select(scaled < real(0), apply(ScalarOp::ceil, scaled - real(0.5)), apply(ScalarOp::floor, scaled + real(0.5)));
    };
    Scalar first = corner(axis ? 1 : 2), last = corner(axis ? 3 : 4);
    Scalar size = larger(last - first + real(1), real(1)) / real(double(pooled[axis]));
    const Scalar extent(x->shape[2 + axis]);
    Scalar from = floorIndex(cast(bin, held) * size, Scalar(INT32_MIN), Scalar(INT32_MAX)) + floorIndex(first, Scalar(INT32_MIN), Scalar(INT32_MAX));
    Scalar to = floorIndex(apply(ScalarOp::ceil, (cast(bin, held) + real(1)) * size), Scalar(INT32_MIN), Scalar(INT32_MAX)) +
                floorIndex(first, Scalar(INT32_MIN), Scalar(INT32_MAX));
    return std::pair(larger(smaller(from, extent), Scalar(0)), larger(smaller(to, extent), Scalar(0)));
  };
  const Scalar none = Scalar::real(x->type, -std::numeric_limits<double>::infinity());
  Shape shape{regions->shape[0], x->shape[1], Dimension(pooled[0]), Dimension(pooled[1])};
  Tensor largest = graph.reduce(x->dataType, shape, {x->shape[2], x->shape[3]}, Reduction::max, [&](const Indices &o, const Indices &k) {
    auto [top, bottom] = bounds(o[0], 0, o[2]);
    auto [left, right] = bounds(o[0], 1, o[3]);
    Scalar inside = both(both(k[0] >= top, k[0] < bottom), both(k[1] >= left, k[1] < right));
    Scalar value = graph.at(x, {batchOf(graph.at(regions, {o[0], Scalar(0)}), x), o[1], k[0], k[1]});
    return select(inside, value, none);
  });
  return {graph.compute(x->dataType, shape, [&](const Indices &o) {
    auto [top, bottom] = bounds(o[0], 0, o[2]);
    auto [left, right] = bounds(o[0], 1, o[3]);
    return select(either(bottom <= top, right <= left), Scalar::real(x->type, 0), graph.at(largest, o));
  })};
}

// Each bin is the mean (or the largest weighted corner) of samples that lie evenly in it.
std::vector<Tensor> roiAlign(Op &op) {
  Graph &graph = op.graph;
  Tensor x = images(op), regions = op.input(1), batches = op.input(2);
  if (regions->rank() != 2 || !(regions->shape[1] == Dimension(4)) || regions->dataType != x->dataType || batches->rank() != 1 ||
      batches->dataType != DataType::i64)
    op.fail("the regions have shape " + textOf(regions->shape) + " and their batches " + textOf(batches->shape) +
            "; expected [regions, 4] of the input's type and [regions] of int64");
  const int64_t height = op.integer("output_height", 1), width = op.integer("output_width", 1);
  const int64_t samples = op.integer("sampling_ratio", 0);
  const double scale = op.real("spatial_scale", 1.0);
  const std::string mode = op.string("mode", "avg");
  const std::string transform = op.string("coordinate_transformation_mode", op.version < 16 ? "output_half_pixel" : "half_pixel");
  if ((mode != "avg" && mode != "max") || (transform != "half_pixel" && transform != "output_half_pixel"))
    op.fail("mode is '" + mode + "' and coordinate_transformation_mode '" + transform +
            "'; expected avg or max, and half_pixel or output_half_pixel");
  if (height < 1 || width < 1)
    op.fail("output_height and output_width must be positive");
  const bool half = transform == "half_pixel";
  const ElementType held = *storage(wideType(x->dataType));
  auto real = [&](double value) { return Scalar::real(held, value); };
  const int64_t bins[] = {height, width};
  // Samples of the largest region; each region has its own number of them.
  int64_t most[] = {samples, samples};
  if (samples <= 0) {
    auto known = graph.knownReals(regions);
    if (!known)
      op.fail("sampling_ratio is 0, which makes the number of samples depend on the regions; they must be constants, or "
              "sampling_ratio positive");
    for (size_t axis = 0; axis < 2; ++axis) {
      most[axis] = 1;
      for (size_t r = 0; r + 3 < known->size(); r += 4) {
        const size_t column = axis ? 0 : 1;
        const double size = ((*known)[r + 2 + column] - (*known)[r + column]) * scale;
        most[axis] = std::max(most[axis], int64_t(std::ceil(std::clamp(size, 1.0, 1e6) / double(bins[axis]))));
      }
    }
  }
  struct Axis {
    Scalar position, count;
  };
  auto sample = [&](Scalar region, size_t axis, Scalar bin, Scalar number) {
    const int64_t column = axis ? 0 : 1;
    auto corner = [&](int64_t at) {
      Scalar scaled = widened(graph.at(regions, {region, Scalar(at)})) * real(scale);
      return half ? scaled - real(0.5) : scaled;
    };
    Scalar first = corner(column), size = corner(column + 2) - first;
    if (!half)
      size = larger(size, real(1));
    Scalar step = size / real(double(bins[axis]));
    Scalar count = samples > 0 ? real(double(samples)) : apply(ScalarOp::ceil, step);
    Scalar position = first + cast(bin, held) * step + (cast(number, held) + real(0.5)) * step / count;
    return Axis{position, count};
  };
  Shape shape{regions->shape[0], x->shape[1], Dimension(height), Dimension(width)};
  auto term = [&](const Indices &o, const Indices &k) {
    Axis y = sample(o[0], 0, o[2], k[0]), z = sample(o[0], 1, o[3], k[1]);
    Indices lead{batchOf(graph.at(batches, {o[0]}), x), o[1]};
    auto within = [&](const Axis &axis, size_t number) {
      return both(axis.position >= real(-1), axis.position <= cast(Scalar(x->shape[2 + number]), held));
    };
    Scalar value;
    if (mode == "avg")
      value = interpolated(graph, x, lead, {y.position, z.position}, Outside::nearest);
    else
      value = largestCorner(graph, x, lead, {y.position, z.position});
    value = select(both(within(y, 0), within(z, 1)), value, real(0));
    if (samples > 0)
      return value;
    Scalar counts = both(cast(k[0], held) < y.count, cast(k[1], held) < z.count);
    return select(counts, value, real(mode == "avg" ? 0 : -std::numeric_limits<double>::infinity()));
  };
  Tensor all = graph.reduce(wideType(x->dataType), shape, {Dimension(most[0]), Dimension(most[1])},
                            mode == "avg" ? Reduction::sum : Reduction::max, term);
  Tensor result = graph.compute(all->dataType, shape, [&](const Indices &o) {
    Scalar y = sample(o[0], 0, o[2], Scalar(0)).count, z = sample(o[0], 1, o[3], Scalar(0)).count;
    if (mode == "avg")
      return graph.at(all, o) / larger(y * z, real(1));
    return samples > 0 ? graph.at(all, o) : select(y * z < real(1), real(0), graph.at(all, o));
  });
  return {graph.cast(result, x->dataType)};
}

constexpr Definition kOps[] = {
    {"", "MaxRoiPool", 1, maxRoiPool},
    {"", "RoiAlign", 10, roiAlign},
};

} // namespace

std::span<const Definition> regionPoolingOps() { return kOps; }

} // namespace ingot::onnx
