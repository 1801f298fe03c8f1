// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that give or change shapes and move elements in order: Shape, Reshape, Transpose, Slice, Concat, Split, ...
#include "compiler/import/onnx/op.h"

#include <algorithm>
#include <numeric>

namespace ingot::onnx {

namespace {

std::vector<Tensor> shapeOf(Op &op) {
  Tensor x = op.input(0);
  const auto rank = int64_t(x->rank());
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const int64_t first = clamp(op.integer("start", 0)), last = clamp(op.integer("end", rank));
  std::vector<Dimension> sizes;
  for (int64_t i = first; i < last; ++i)
    sizes.push_back(x->shape[size_t(i)]);
  return {op.graph.integers(sizes)};
}

std::vector<Tensor> sizeOf(Op &op) {
  return {op.graph.reshape(op.graph.integers({elementsOf(op.input(0)->shape)}), {})};
}

// Numbers of elements for which memory is planned where data alone decides how they lie in several dimensions.
constexpr int64_t kLargestUndecided = 1 << 20;

// The new shape as Reshape's input gives it. Numbers that a run gives are bounded by the elements that there are; one of them is what the
// others leave.
std::vector<Dimension> wantedShape(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), given = op.input(1);
  const auto rank = given->rank() == 1 ? given->shape[0].constant() : std::nullopt;
  if (graph.knownIntegers(given) || !rank || *rank > 8 || given->dataType != DataType::i64)
    return op.integers(1);
  std::vector<std::optional<Dimension>> sizes;
  size_t open = 0;
  bool inferred = false;
  for (int64_t i = 0; i < *rank; ++i) {
    sizes.push_back(graph.sizeAt(given, i));
    open += !sizes.back();
    inferred |= sizes.back() && *sizes.back() == Dimension(-1);
  }
  std::vector<Dimension> wanted;
  if (open <= 1 && !(open && inferred)) {
    for (const auto &size : sizes)
      wanted.push_back(size ? *size : Dimension(-1));
    return wanted;
  }
  const auto elements = elementsOf(x->shape).constant();
  int64_t planned = elements && *elements > 0 ? 1 : kLargestUndecided + 1;
  for (size_t i = 0; i < open; ++i)
    planned = elements && planned <= kLargestUndecided ? planned * *elements : kLargestUndecided + 1;
  if (planned > kLargestUndecided)
    op.fail("input 1 must be known when the model is compiled, but for one number: " + std::to_string(open) + " of " + std::to_string(*rank) +
            " depend on data, and " + elementsOf(x->shape).text() + " elements could lie in them in too many ways to plan memory for");
  // As the operator says: 0 keeps a dimension, and -1 is what the others leave.
  const ElementType i64 = ElementType::i64;
  const bool zeroIsZero = op.integer("allowzero", 0) != 0;
  auto plain = [&](int64_t i) {
    Scalar size = graph.at(given, {Scalar(i)});
    return zeroIsZero || i >= int64_t(x->rank()) ? size : select(equal(size, like(size, 0)), cast(Scalar(x->shape[size_t(i)]), i64), size);
  };
  for (int64_t i = 0; i < *rank; ++i) {
    if (sizes[size_t(i)]) {
      wanted.push_back(*sizes[size_t(i)]);
      continue;
    }
    Tensor size = graph.compute(DataType::i64, {}, [&](const Indices &) {
      Scalar own = plain(i), others = Scalar::integer(i64, 1);
      for (int64_t other = 0; other < *rank; ++other)
        if (other != i)
          others = others * plain(other);
      Scalar left = cast(Scalar(Dimension(*elements)), i64) / larger(others, like(others, 1));
      return larger(select(equal(own, like(own, -1)), left, own), like(own, -1));
    });
    wanted.push_back(graph.measured(size, *elements));
  }
  return wanted;
}

std::vector<Tensor> reshape(Op &op) {
  Tensor x = op.input(0);
  std::vector<Dimension> wanted;
  if (op.version < 5)
    for (int64_t size : op.integerList("shape"))
      wanted.push_back(size);
  else
    wanted = wantedShape(op);
  const bool zeroIsZero = op.integer("allowzero", 0) != 0;
  Shape shape;
  std::optional<size_t> inferred;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == Dimension(0) && !zeroIsZero) {
      if (i >= x->rank())
        op.fail("dimension " + std::to_string(i) + " of the new shape is taken from an input of shape " + textOf(x->shape));
      shape.push_back(x->shape[i]);
    } else if (wanted[i] == Dimension(-1)) {
      if (inferred)
        op.fail("two dimensions of the new shape are -1");
      inferred = i;
      shape.push_back(Dimension(1));
    } else {
      if (auto constant = wanted[i].constant(); constant && *constant < 0)
        op.fail("a dimension of the new shape is " + std::to_string(*constant));
      shape.push_back(Dimension::max(wanted[i], 0)); // what is less has no elements, of which there are others
    }
  }
  if (inferred) {
    const Dimension have = elementsOf(x->shape), others = elementsOf(shape);
    if (others == Dimension(0))
      op.fail("dimension " + std::to_string(*inferred) + " cannot be inferred beside one of 0");
    auto quotient = Dimension::exactQuotient(have, others);
    if (!quotient && have.isConstant() && others.isConstant())
      op.fail("a tensor of shape " + textOf(x->shape) + " cannot have the shape asked for: " + have.text() +
              " elements are no multiple of " + others.text());
    shape[*inferred] = quotient ? *quotient : Dimension::floorDiv(have, others);
  }
  if (!(elementsOf(shape) == elementsOf(x->shape)))
    return {op.graph.reshapeUnproven(x, shape)};
  return {op.graph.reshape(x, shape)};
}

std::vector<Tensor> flatten(Op &op) {
  Tensor x = op.input(0);
  int64_t axis = op.integer("axis", 1);
  const auto rank = int64_t(x->rank());
  if (axis < -rank || axis > rank)
    op.fail("axis " + std::to_string(axis) + " is none of a tensor of " + std::to_string(rank) + " dimensions");
  if (axis < 0)
    axis += rank;
  return {op.graph.reshape(x, {elementsOf(Shape(x->shape.begin(), x->shape.begin() + axis)),
                               elementsOf(Shape(x->shape.begin() + axis, x->shape.end()))})};
}

std::vector<Tensor> squeeze(Op &op) {
  Tensor x = op.input(0);
  auto axes = op.axes(1, x->rank());
  Shape shape;
  for (size_t i = 0; i < x->rank(); ++i) {
    const bool named = axes && std::find(axes->begin(), axes->end(), i) != axes->end();
    const bool one = x->shape[i] == Dimension(1);
    if (named && !one && x->shape[i].isConstant())
      op.fail("dimension " + std::to_string(i) + " is " + x->shape[i].text() + "; only one of 1 can be taken away");
    if (!(axes ? named : one))
      shape.push_back(x->shape[i]);
  }
  if (elementsOf(shape) == elementsOf(x->shape))
    return {op.graph.reshape(x, shape)};
  // A dimension that must turn out to be 1 is read at 0.
  for (size_t axis : *axes)
    if (op.graph.differ(x->shape[axis], Dimension(1), "that dimension " + std::to_string(axis) + " of " + textOf(x->shape) + ", which is taken away, is 1"))
      op.fail("dimension " + std::to_string(axis) + " is " + x->shape[axis].text() + "; only one of 1 can be taken away");
  return {op.graph.compute(x->dataType, shape, [&](const Indices &i) {
    Indices own(i.begin(), i.end());
    for (size_t axis : *axes)
      own.insert(own.begin() + std::ptrdiff_t(axis), Scalar(0));
    return op.graph.at(x, own);
  })};
}

std::vector<Tensor> unsqueeze(Op &op) {
  Tensor x = op.input(0);
  const size_t count = op.has("axes") ? op.integerList("axes").size() : op.constants(1).size();
  auto axes = op.axes(1, x->rank() + count);
  Shape shape = x->shape;
  for (size_t axis : *axes)
    shape.insert(shape.begin() + int64_t(axis), Dimension(1));
  return {op.graph.reshape(x, shape)};
}

std::vector<Tensor> transpose(Op &op) {
  Tensor x = op.input(0);
  std::vector<int64_t> permutation(x->rank());
  std::iota(permutation.rbegin(), permutation.rend(), 0);
  permutation = op.integerList("perm", permutation);
  std::vector<int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i)
    if (sorted.size() != x->rank() || sorted[i] != int64_t(i))
      op.fail("perm does not hold each of the " + std::to_string(x->rank()) + " dimensions once");
  return {op.graph.transpose(x, permutation)};
}

std::vector<Tensor> concat(Op &op) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < op.inputs(); ++i)
    inputs.push_back(op.input(i));
  if (inputs.empty())
    op.fail("it has no input");
  const int64_t axis = op.version < 4 ? op.integer("axis", 1) : op.integer("axis");
  return {op.graph.concat(inputs, axisOf(axis, inputs[0]->rank()))};
}

// Sizes of parts along an axis: an attribute, an input, or equal parts.
std::vector<Tensor> split(Op &op) {
  Tensor x = op.input(0);
  const size_t axis = axisOf(op.integer("axis", 0), x->rank());
  std::vector<Dimension> sizes;
  if (op.has("split"))
    for (int64_t size : op.integerList("split"))
      sizes.push_back(size);
  else if (Tensor given = op.optional(1)) {
    const auto parts = given->rank() == 1 ? given->shape[0].constant() : std::nullopt;
    if (op.graph.knownIntegers(given) || !parts || *parts > 16 || isFloat(given->type))
      sizes = op.integers(1);
    else // each is a part of what there is
      for (int64_t i = 0; i < *parts; ++i) {
        auto size = op.graph.sizeAt(given, i);
        sizes.push_back(size ? *size : *op.graph.sizeAt(given, i, x->shape[axis]));
      }
  } else {
    const auto parts = op.integer("num_outputs", int64_t(op.outputs()));
    if (parts <= 0)
      op.fail("it has no outputs");
    // All but the last are of one size, rounded up.
    const Dimension each = Dimension::ceilDiv(x->shape[axis], Dimension(parts));
    Dimension left = x->shape[axis];
    for (int64_t i = 0; i < parts; ++i) {
      sizes.push_back(i + 1 < parts ? each : left);
      left = left - each;
    }
  }
  std::vector<Tensor> outputs;
  Dimension start = 0;
  for (const Dimension &size : sizes) {
    Shape extents = x->shape;
    extents[axis] = size;
    std::vector<Dimension> first(x->rank(), Dimension(0));
    first[axis] = start;
    outputs.push_back(op.graph.slice(x, first, std::vector<int64_t>(x->rank(), 1), extents));
    start = start + size;
  }
  if (op.graph.differ(start, x->shape[axis], "parts that make up axis " + std::to_string(axis) + " of " + textOf(x->shape)))
    op.fail("its parts have " + start.text() + " elements along axis " + std::to_string(axis) + "; the input has " + x->shape[axis].text());
  return outputs;
}

// A start or an end of a slice as a run gives it: from the end where it is negative, cut to what there is.
Scalar placeInRun(Scalar at, const Dimension &size) {
  Scalar place = cast(at, ElementType::i64), whole = cast(Scalar(size), ElementType::i64);
  place = select(place < like(place, 0), place + whole, place);
  return larger(smaller(place, whole), like(place, 0));
}

// Starts and ends that depend on data, with steps of 1: extents are measured, from 0 to the dimension.
std::vector<Tensor> sliceInRun(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), starts = op.input(1), ends = op.input(2);
  const auto count = starts->rank() == 1 ? starts->shape[0].constant() : std::nullopt;
  std::vector<int64_t> axes = op.optional(3) ? op.constants(3) : std::vector<int64_t>();
  if (!count || !(ends->shape == starts->shape) || isFloat(starts->type) || isFloat(ends->type))
    op.fail("starts are " + nameOf(starts->dataType) + " " + textOf(starts->shape) + " and ends " + nameOf(ends->dataType) + " " +
            textOf(ends->shape) + "; expected lists of integers of one length");
  if (axes.empty())
    for (int64_t i = 0; i < std::min<int64_t>(*count, int64_t(x->rank())); ++i)
      axes.push_back(i);
  if (int64_t(axes.size()) != *count)
    op.fail("it has " + std::to_string(*count) + " starts for " + std::to_string(axes.size()) + " axes");
  Shape extents = x->shape;
  std::vector<Tensor> first(x->rank(), nullptr);
  for (int64_t i = 0; i < *count; ++i) {
    const size_t axis = axisOf(axes[size_t(i)], x->rank());
    const Dimension size = x->shape[axis];
    first[axis] = graph.compute(DataType::i64, {}, [&](const Indices &) { return placeInRun(graph.at(starts, {Scalar(i)}), size); });
    Tensor extent = graph.compute(DataType::i64, {}, [&](const Indices &) {
      Scalar length = placeInRun(graph.at(ends, {Scalar(i)}), size) - graph.at(first[axis], {});
      return larger(length, like(length, 0));
    });
    extents[axis] = graph.measured(extent, size);
  }
  return {graph.compute(x->dataType, extents, [&](const Indices &i) {
    Indices own = i;
    for (size_t d = 0; d < own.size(); ++d)
      if (first[d])
        own[d] = own[d] + cast(graph.at(first[d], {}), ElementType::index);
    return graph.at(x, own);
  })};
}

std::vector<Tensor> slice(Op &op) {
  Tensor x = op.input(0);
  const bool known = op.version < 10 || (op.graph.knownIntegers(op.input(1)) && op.graph.knownIntegers(op.input(2)));
  const std::vector<int64_t> given = !known && op.optional(4) ? op.constants(4) : std::vector<int64_t>();
  if (!known && std::all_of(given.begin(), given.end(), [](int64_t step) { return step == 1; }))
    return sliceInRun(op);
  std::vector<Dimension> starts, ends;
  std::vector<int64_t> axes, steps;
  if (op.version < 10) {
    for (int64_t start : op.integerList("starts"))
      starts.push_back(start);
    for (int64_t end : op.integerList("ends"))
      ends.push_back(end);
    axes = op.integerList("axes", std::vector<int64_t>());
  } else {
    starts = op.integers(1);
    ends = op.integers(2);
    if (op.optional(3))
      axes = op.constants(3);
    if (op.optional(4))
      steps = op.constants(4);
  }
  if (axes.empty())
    for (size_t i = 0; i < starts.size(); ++i)
      axes.push_back(int64_t(i));
  if (steps.empty())
    steps.assign(starts.size(), 1);
  if (starts.size() != ends.size() || starts.size() != axes.size() || starts.size() != steps.size())
    op.fail("starts, ends, axes and steps are of different lengths");
  std::vector<Dimension> first(x->rank(), Dimension(0));
  std::vector<int64_t> stride(x->rank(), 1);
  Shape extents = x->shape;
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t axis = axisOf(axes[i], x->rank());
    const Dimension size = x->shape[axis];
    const int64_t step = steps[i];
    if (step == 0)
      op.fail("a step is 0");
    // As numpy: from the end where negative, then cut to what there is.
    auto place = [&](Dimension at, const Dimension &least, const Dimension &most) {
      auto constant = at.constant();
      if (constant && *constant >= 1000000000) // "to the end", however it is written
        return most;
      if (constant && *constant <= -1000000000)
        return least;
      if (constant ? *constant < 0 : at.most().value_or(0) < 0)
        at = at + size;
      return Dimension::min(Dimension::max(at, least), most);
    };
    if (step > 0) {
      first[axis] = place(starts[i], 0, size);
      const Dimension end = place(ends[i], 0, size);
      extents[axis] = Dimension::max(Dimension::ceilDiv(end - first[axis], step), 0);
    } else {
      first[axis] = place(starts[i], 0, size - 1);
      const Dimension end = place(ends[i], -1, size - 1);
      extents[axis] = Dimension::max(Dimension::ceilDiv(first[axis] - end, -step), 0);
    }
    stride[axis] = step;
  }
  bool same = true;
  for (size_t i = 0; i < x->rank(); ++i)
    same &= first[i] == Dimension(0) && stride[i] == 1 && extents[i] == x->shape[i];
  if (same)
    return {x};
  return {op.graph.slice(x, first, stride, extents)};
}

std::vector<Tensor> expand(Op &op) {
  Tensor x = op.input(0);
  Shape wanted = op.integers(1);
  for (const Dimension &size : wanted)
    if (auto constant = size.constant(); constant && *constant < 0)
      op.fail("a dimension of the new shape is " + std::to_string(*constant));
  Tensor shaped = op.graph.computed(x->dataType, wanted, Value());
  return {op.graph.broadcast(x, op.graph.broadcastShape({x, shaped}))};
}

std::vector<Tensor> tile(Op &op) {
  Tensor x = op.input(0);
  std::vector<Dimension> repeats = op.integers(1);
  if (repeats.size() != x->rank())
    op.fail("repeats has " + std::to_string(repeats.size()) + " elements; the input has " + std::to_string(x->rank()) + " dimensions");
  Shape shape;
  for (size_t i = 0; i < x->rank(); ++i)
    shape.push_back(x->shape[i] * repeats[i]);
  return {op.graph.compute(x->dataType, shape, [&](const Indices &i) {
    Indices own;
    for (size_t d = 0; d < i.size(); ++d)
      own.push_back(repeats[d] == Dimension(1) ? i[d] : i[d] % Scalar(x->shape[d]));
    return op.graph.at(x, own);
  })};
}

// A dimension of the result that holds [blocks, block] of the input's, or the other way round.
std::vector<Tensor> depthToSpace(Op &op) {
  Tensor x = op.input(0);
  if (x->rank() != 4)
    op.fail("the input has shape " + textOf(x->shape) + "; expected [n, c, h, w]");
  const Dimension b = op.integer("blocksize"), n = x->shape[0], c = x->shape[1], h = x->shape[2], w = x->shape[3];
  auto depth = Dimension::exactQuotient(c, b * b);
  if (!depth)
    op.fail(c.text() + " channels are no multiple of the square of the block size " + b.text());
  const std::string mode = op.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    op.fail("mode is '" + mode + "'; expected DCR or CRD");
  Tensor parts = mode == "DCR" ? op.graph.transpose(op.graph.reshape(x, {n, b, b, *depth, h, w}), {0, 3, 4, 1, 5, 2})
                               : op.graph.transpose(op.graph.reshape(x, {n, *depth, b, b, h, w}), {0, 1, 4, 2, 5, 3});
  return {op.graph.reshape(parts, {n, *depth, h * b, w * b})};
}

std::vector<Tensor> spaceToDepth(Op &op) {
  Tensor x = op.input(0);
  if (x->rank() != 4)
    op.fail("the input has shape " + textOf(x->shape) + "; expected [n, c, h, w]");
  const Dimension b = op.integer("blocksize"), n = x->shape[0], c = x->shape[1];
  auto h = Dimension::exactQuotient(x->shape[2], b), w = Dimension::exactQuotient(x->shape[3], b);
  if (!h || !w)
    op.fail("height and width of " + textOf(x->shape) + " are no multiples of the block size " + b.text());
  const std::string mode = op.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    op.fail("mode is '" + mode + "'; expected DCR or CRD");
  const std::vector<int64_t> order = mode == "DCR" ? std::vector<int64_t>{0, 3, 5, 1, 2, 4} : std::vector<int64_t>{0, 1, 3, 5, 2, 4};
  Tensor parts = op.graph.transpose(op.graph.reshape(x, {n, c, *h, b, *w, b}), order);
  return {op.graph.reshape(parts, {n, c * b * b, *h, *w})};
}

constexpr Definition kOps[] = {
    {"", "Shape", 1, shapeOf},
    {"", "Size", 1, sizeOf},
    {"", "Reshape", 1, reshape},
    {"", "Flatten", 1, flatten},
    {"", "Squeeze", 1, squeeze},
    {"", "Unsqueeze", 1, unsqueeze},
    {"", "Transpose", 1, transpose},
    {"", "Concat", 1, concat},
    {"", "Split", 2, split},
    {"", "Slice", 1, slice},
    {"", "Expand", 8, expand},
    {"", "Tile", 6, tile},
    {"", "DepthToSpace", 1, depthToSpace},
    {"", "SpaceToDepth", 1, spaceToDepth},
};

} // namespace

std::span<const Definition> shapeOps() { return kOps; }

} // namespace ingot::onnx
