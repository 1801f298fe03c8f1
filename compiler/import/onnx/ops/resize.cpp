// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resize and Upsample, axis after axis: a table of positions and one of weights for each, which are constants where sizes
// are. The weights are those of interpolation kernels over distances, so that antialiasing only stretches the kernel.
#include "compiler/import/onnx/window.h"

#include <algorithm>
#include <cmath>

namespace ingot::onnx {

namespace {

// How one axis is resized. Arithmetic of positions is double, as the specification's is.
struct Axis {
  size_t axis;
  Dimension input, output;
  std::optional<double> known; // the scale, where it is a constant
  Scalar scale;
  Scalar start, end; // of the region, for tf_crop_and_resize
};

struct How {
  std::string mode, transform, nearest;
  bool antialias = false, excludeOutside = false;
  double cubic = -0.75, extrapolation = 0;
};

Scalar real(double value) { return Scalar::real(ElementType::f64, value); }
Scalar real(const Scalar &index) { return cast(index, ElementType::f64); }
Scalar number(const Scalar &x) { return cast(x, ElementType::i64); }

// Where element o of the result lies in the input (Resize, "coordinate_transformation_mode").
Scalar position(const How &how, const Axis &axis, const Scalar &o) {
  const Scalar x = real(o), input = real(Scalar(axis.input)), length = axis.scale * input;
  const Scalar single = equal(length, real(1.0));
  if (how.transform == "align_corners")
    return select(single, real(0.0), x * (input - real(1.0)) / (length - real(1.0)));
  if (how.transform == "asymmetric")
    return x / axis.scale;
  if (how.transform == "tf_crop_and_resize") {
    const Scalar range = (axis.end - axis.start) * (input - real(1.0));
    return select(single, range / real(2.0), x * range / (length - real(1.0))) + axis.start * (input - real(1.0));
  }
  if (how.transform == "tf_half_pixel_for_nn")
    return (x + real(0.5)) / axis.scale;
  const Scalar centers = (x + real(0.5)) / axis.scale - real(0.5);
  if (how.transform == "pytorch_half_pixel")
    return select(single, real(-0.5), centers);
  if (how.transform == "half_pixel_symmetric")
    return input / real(2.0) * (real(1.0) - real(Scalar(axis.output)) / length) + centers;
  return centers; // half_pixel
}

Scalar clamped(const Scalar &x, const Dimension &size) {
  // In double first: a position may be too large for an integer.
  Scalar bounded = select(x > real(-16777216.0), select(x < real(4503599627370496.0), x, real(4503599627370496.0)), real(-16777216.0));
  return larger(smaller(cast(bounded, ElementType::index), Scalar(size - 1)), Scalar(0));
}

// The positions that elements are taken from, i64 [output].
Tensor nearestTable(Graph &graph, const How &how, const Axis &axis) {
  return graph.compute(DataType::i64, {axis.output}, [&](const Indices &o) {
    Scalar x = position(how, axis, o[0]);
    if (how.nearest == "round_prefer_floor")
      x = apply(ScalarOp::ceil, x - real(0.5));
    else if (how.nearest == "round_prefer_ceil")
      x = apply(ScalarOp::floor, x + real(0.5));
    else if (how.nearest == "ceil")
      x = apply(ScalarOp::ceil, x);
    else if (how.nearest == "floor")
      x = apply(ScalarOp::floor, x);
    else // "simple", of Upsample and the first Resize: up where it shrinks
      x = select(axis.scale < real(1.0), apply(ScalarOp::ceil, x), apply(ScalarOp::floor, x));
    return number(clamped(x, axis.input));
  });
}

// Weight of an element at a distance: a triangle, or Keys' cubic kernel with parameter a.
Scalar kernel(const How &how, Scalar distance) {
  const Scalar d = apply(ScalarOp::abs, distance), one = real(1.0);
  if (how.mode == "linear")
    return larger(one - d, real(0.0));
  const Scalar a = real(how.cubic);
  const Scalar near = ((a + real(2.0)) * d - (a + real(3.0))) * d * d + one;
  const Scalar far = ((a * d - real(5.0) * a) * d + real(8.0) * a) * d - real(4.0) * a;
  return select(d <= one, near, select(d < real(2.0), far, real(0.0)));
}

// x along one axis: sums of `taps` elements around each position.
Tensor interpolate(Op &op, const How &how, const Axis &axis, Tensor x) {
  Graph &graph = op.graph;
  const double stretch = how.antialias && *axis.known > 0 ? std::min(*axis.known, 1.0) : 1.0, reach = how.mode == "linear" ? 1 : 2;
  const int64_t taps = 2 - 2 * (op.whole(std::floor(-reach / stretch), "the reach of a scale") + 1);
  // The element left of the position: of an integer the one before it, so that the position lies in (0, 1] after it.
  auto left = [&](const Scalar &o) { return apply(ScalarOp::ceil, position(how, axis, o)) - real(1.0); };
  auto offset = [&](const Scalar &tap) { return real(tap) + real(double(1 - taps / 2)); };
  Tensor places = graph.compute(DataType::i64, {axis.output, Dimension(taps)}, [&](const Indices &o) {
    return number(clamped(left(o[0]) + offset(o[1]), axis.input));
  });
  auto weight = [&](const Scalar &o, const Scalar &tap) {
    const Scalar first = left(o), place = first + offset(tap);
    Scalar value = kernel(how, (offset(tap) - (position(how, axis, o) - first)) * real(stretch));
    if (!how.excludeOutside)
      return value;
    const Scalar inside = both(place >= real(0.0), place < real(Scalar(axis.input)));
    return select(inside, value, real(0.0));
  };
  Tensor sums = graph.reduce(DataType::f64, {axis.output}, {Dimension(taps)}, Reduction::sum,
                             [&](const Indices &o, const Indices &k) { return weight(o[0], k[0]); });
  Tensor weights = graph.compute(x->dataType, {axis.output, Dimension(taps)}, [&](const Indices &o) {
    Scalar sum = graph.at(sums, {o[0]});
    return cast(weight(o[0], o[1]) / select(equal(sum, real(0.0)), real(1.0), sum), x->type);
  });
  Shape shape = x->shape;
  shape[axis.axis] = axis.output;
  return graph.reduce(x->dataType, shape, {Dimension(taps)}, Reduction::sum, [&](const Indices &o, const Indices &k) {
    Indices from = o;
    from[axis.axis] = cast(graph.at(places, {o[axis.axis], k[0]}), ElementType::index);
    return graph.at(x, from) * graph.at(weights, {o[axis.axis], k[0]});
  });
}

std::vector<Tensor> resized(Op &op, const How &how, const std::vector<Axis> &axes) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), result = nullptr;
  if (how.mode == "nearest") {
    Shape shape = x->shape;
    std::vector<Tensor> tables(shape.size(), nullptr);
    for (const Axis &axis : axes) {
      shape[axis.axis] = axis.output;
      tables[axis.axis] = nearestTable(graph, how, axis);
    }
    result = graph.compute(x->dataType, shape, [&](const Indices &o) {
      Indices from = o;
      for (size_t i = 0; i < o.size(); ++i)
        if (tables[i])
          from[i] = cast(graph.at(tables[i], {o[i]}), ElementType::index);
      return graph.at(x, from);
    });
  } else {
    const DataType wide = isFloat(x->type) ? wideType(x->dataType) : DataType::f32;
    result = graph.cast(x, wide);
    for (const Axis &axis : axes)
      result = interpolate(op, how, axis, result);
    if (!isFloat(x->type) && x->type != ElementType::i1) {
      // To the nearest integer, and into the type's range.
      const unsigned bits = unsigned(elementBytes(x->type) * 8);
      const bool sign = !isUnsigned(x->type);
      const double low = sign ? -std::ldexp(1, int(bits) - 1) : 0, high = std::ldexp(1, int(bits) - (sign ? 1 : 0)) - 1;
      result = graph.map(DataType::f64, {graph.cast(result, DataType::f64)}, [&](const std::vector<Scalar> &v) {
        return larger(smaller(apply(ScalarOp::round_even, v[0]), real(high)), real(low));
      });
    }
    result = graph.cast(result, x->dataType);
  }
  if (how.transform != "tf_crop_and_resize")
    return {result};
  const Tensor plain = result;
  return {graph.compute(x->dataType, plain->shape, [&](const Indices &o) {
    Scalar outside;
    for (const Axis &axis : axes) {
      Scalar at = position(how, axis, o[axis.axis]);
      Scalar here = either(at < real(0.0), at > real(Scalar(axis.input)) - real(1.0));
      outside = outside ? either(outside, here) : here;
    }
    Scalar element = graph.at(plain, o);
    return outside ? select(outside, like(element, how.extrapolation), element) : element;
  })};
}

// The fraction of small numbers that is this float; of a power of two where there is none.
std::pair<int64_t, int64_t> fractionOf(double scale) {
  double rest = scale;
  int64_t above[] = {1, int64_t(std::floor(scale))}, below[] = {0, 1};
  for (int step = 0; step < 16 && below[1] <= 4096; ++step) { // convergents of its continued fraction
    if (float(double(above[1]) / double(below[1])) == float(scale))
      return {above[1], below[1]};
    rest = 1 / (rest - std::floor(rest));
    if (!(rest < 1e6))
      break;
    const auto whole = int64_t(std::floor(rest));
    for (int64_t *pair : {above, below}) {
      const int64_t next = whole * pair[1] + pair[0];
      pair[0] = pair[1];
      pair[1] = next;
    }
  }
  int exponent = 0;
  auto whole = int64_t(std::ldexp(std::frexp(scale, &exponent), 24));
  int shift = 24 - exponent;
  for (; shift > 0 && whole % 2 == 0; --shift)
    whole /= 2;
  for (; shift < 0; ++shift)
    whole *= 2;
  return {whole, int64_t(1) << shift};
}

// floor(size * scale), exact for dynamic sizes too. A scale of 1.4 is 7/5, though the float is a little less: 5
// elements become 7, as where the product is rounded to a float.
Dimension scaled(Op &op, const Dimension &size, double scale) {
  if (!(scale > 0) || scale > 1e6 || scale < 1e-6)
    op.fail("a scale is " + std::to_string(scale) + "; expected a positive number");
  const auto [above, below] = fractionOf(scale);
  return Dimension::floorDiv(size * above, below);
}

void scaleAxis(Op &op, Axis &axis, double scale) {
  axis.known = scale;
  axis.scale = real(scale);
  axis.output = scaled(op, axis.input, scale);
}

bool changes(const How &how, const Axis &axis) {
  return how.transform == "tf_crop_and_resize" || !(axis.input == axis.output) || !axis.known || *axis.known != 1;
}

void keepChanging(const How &how, std::vector<Axis> &axes) {
  std::erase_if(axes, [&](const Axis &axis) { return !changes(how, axis); });
}

std::vector<Axis> allAxes(Tensor x) {
  std::vector<Axis> axes;
  for (size_t i = 0; i < x->rank(); ++i)
    axes.push_back({i, x->shape[i], x->shape[i], std::nullopt, {}, {}, {}});
  return axes;
}

// Upsample, and Resize of version 10: scales alone.
std::vector<Tensor> upsample(Op &op) {
  Tensor x = op.input(0);
  How how;
  how.mode = op.string("mode", "nearest");
  how.transform = "asymmetric";
  how.nearest = "simple";
  if (how.mode == "bilinear")
    how.mode = "linear";
  if (how.mode != "nearest" && how.mode != "linear")
    op.fail("mode is '" + how.mode + "'; expected nearest or linear");
  std::vector<double> scales;
  if (op.has("scales"))
    scales = op.realList("scales");
  else if (op.has("height_scale") || op.has("width_scale"))
    scales = {1, 1, op.real("height_scale"), op.real("width_scale")};
  else
    scales = op.reals(1);
  if (scales.size() != x->rank())
    op.fail("there are " + std::to_string(scales.size()) + " scales for an input of shape " + textOf(x->shape));
  std::vector<Axis> axes = allAxes(x);
  for (Axis &axis : axes)
    scaleAxis(op, axis, scales[axis.axis]);
  keepChanging(how, axes);
  return resized(op, how, axes);
}

// One scale for all axes, such that none of the result's is larger (or smaller) than asked for.
void keepAspect(Op &op, std::vector<Axis> &axes, bool larger) {
  std::optional<double> scale;
  for (const Axis &axis : axes) {
    auto input = axis.input.constant(), output = axis.output.constant();
    if (!input || !output || *input == 0)
      op.fail("keep_aspect_ratio_policy needs sizes that are constants");
    const double own = double(*output) / double(*input);
    scale = !scale ? own : larger ? std::max(*scale, own) : std::min(*scale, own);
  }
  for (Axis &axis : axes) {
    axis.known = *scale;
    axis.scale = real(*scale);
    axis.output = op.whole(*scale * double(*axis.input.constant()) + 0.5, "a size");
  }
}

std::vector<Tensor> resize(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), region = op.optional(1);
  How how;
  how.mode = op.string("mode", "nearest");
  how.transform = op.string("coordinate_transformation_mode", "half_pixel");
  how.nearest = op.string("nearest_mode", "round_prefer_floor");
  how.antialias = op.integer("antialias", 0) != 0;
  how.excludeOutside = op.integer("exclude_outside", 0) != 0;
  how.cubic = op.real("cubic_coeff_a", -0.75);
  how.extrapolation = op.real("extrapolation_value", 0.0);
  auto oneOf = [&](const char *name, const std::string &value, std::initializer_list<const char *> values) {
    std::string all;
    for (const char *each : values) {
      if (value == each)
        return;
      all += (all.empty() ? "" : ", ") + std::string(each);
    }
    op.fail(std::string(name) + " is '" + value + "'; expected one of " + all);
  };
  oneOf("mode", how.mode, {"nearest", "linear", "cubic"});
  oneOf("nearest_mode", how.nearest, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  if (how.transform != "tf_half_pixel_for_nn" || op.version >= 13) // of version 11 alone
    oneOf("coordinate_transformation_mode", how.transform,
          {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"});
  if (how.antialias && how.mode == "nearest")
    op.fail("antialias is for modes linear and cubic");

  std::vector<Axis> axes = allAxes(x);
  if (op.has("axes")) {
    std::vector<Axis> named;
    for (int64_t axis : op.integerList("axes"))
      named.push_back(axes[axisOf(axis, x->rank())]);
    axes = named;
    for (size_t i = 0; i < axes.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (axes[i].axis == axes[j].axis)
          op.fail("an axis is given twice");
  }
  Tensor scales = op.optional(2), sizes = op.optional(3);
  const bool byScales = scales && !(elementsOf(scales->shape) == Dimension(0));
  if (!byScales && !sizes)
    op.fail("it has neither scales nor sizes");
  if (byScales) {
    const std::vector<double> values = op.reals(2);
    if (values.size() != axes.size())
      op.fail("there are " + std::to_string(values.size()) + " scales; expected " + std::to_string(axes.size()));
    for (size_t i = 0; i < axes.size(); ++i)
      scaleAxis(op, axes[i], values[i]);
  } else {
    const std::vector<Dimension> values = op.integers(3);
    if (values.size() != axes.size())
      op.fail("there are " + std::to_string(values.size()) + " sizes; expected " + std::to_string(axes.size()));
    for (size_t i = 0; i < axes.size(); ++i) {
      Axis &axis = axes[i];
      axis.output = values[i];
      auto input = axis.input.constant(), output = axis.output.constant();
      if (output && *output < 0)
        op.fail("a size is " + std::to_string(*output));
      if (axis.input == axis.output)
        axis.known = 1;
      else if (input && output && *input > 0)
        axis.known = double(*output) / double(*input);
      axis.scale = axis.known ? real(*axis.known) : real(Scalar(axis.output)) / real(Scalar(axis.input));
    }
    const std::string policy = op.string("keep_aspect_ratio_policy", "stretch");
    oneOf("keep_aspect_ratio_policy", policy, {"stretch", "not_larger", "not_smaller"});
    if (policy != "stretch")
      keepAspect(op, axes, policy == "not_smaller");
  }
  for (const Axis &axis : axes)
    if (axis.input == Dimension(0) && !(axis.output == Dimension(0)))
      op.fail("an axis of no elements cannot have " + axis.output.text());
  if (how.transform == "tf_crop_and_resize") {
    if (!region || region->rank() != 1 || !(region->shape[0] == Dimension(int64_t(2 * axes.size()))) || !isFloat(region->type))
      op.fail("tf_crop_and_resize needs a region of " + std::to_string(2 * axes.size()) + " floats");
    for (size_t i = 0; i < axes.size(); ++i) {
      axes[i].start = cast(graph.at(region, {Scalar(int64_t(i))}), ElementType::f64);
      axes[i].end = cast(graph.at(region, {Scalar(int64_t(axes.size() + i))}), ElementType::f64);
    }
    // Axes taken whole are left alone.
    if (auto known = graph.knownReals(region)) {
      std::vector<Axis> cropped;
      for (size_t i = 0; i < axes.size(); ++i)
        if (!(axes[i].input == axes[i].output) || axes[i].known != 1.0 || (*known)[i] != 0 || (*known)[axes.size() + i] != 1)
          cropped.push_back(axes[i]);
      axes = cropped;
    }
  }
  keepChanging(how, axes);
  if (how.antialias)
    for (const Axis &axis : axes)
      if (!axis.known)
        op.fail("antialias needs scales that are constants; axis " + std::to_string(axis.axis) + " is resized from " +
                axis.input.text() + " to " + axis.output.text());
  return resized(op, how, axes);
}

constexpr Definition kOps[] = {
    {"", "Upsample", 1, upsample},
    {"", "Resize", 10, upsample},
    {"", "Resize", 11, resize},
};

} // namespace

std::span<const Definition> resizeOps() { return kOps; }

} // namespace ingot::onnx
