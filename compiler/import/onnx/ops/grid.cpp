// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that read or sum images at places that a grid tells: GridSample, AffineGrid, Col2Im.
#include "compiler/import/onnx/sampling.h"
#include "compiler/import/onnx/window.h"

namespace ingot::onnx {

namespace {

// How places are read: arithmetic of positions is f32 (f64 for an input of that).
struct Sampler {
  ElementType type;
  std::string mode, padding;
  bool corners;

  Scalar real(double value) const { return Scalar::real(type, value); }
  Scalar size(const Dimension &extent) const { return cast(Scalar(extent), type); }
  // A grid's number in [-1, 1] as a position.
  Scalar position(Scalar n, const Dimension &extent) const {
    if (corners)
      return (n + real(1)) / real(2) * (size(extent) - real(1));
    return ((n + real(1)) * size(extent) - real(1)) / real(2);
  }
  Scalar least() const { return real(corners ? 0 : -0.5); }
  Scalar most(const Dimension &extent) const { return size(extent) - real(corners ? 1 : 0.5); }
  // Mirrored at both borders until it lies between them.
  Scalar reflected(Scalar x, const Dimension &extent) const {
    const Scalar low = least(), high = most(extent), range = high - low;
    const Scalar below = x < low, beyond = select(below, low - x, x - high);
    const Scalar turns = apply(ScalarOp::trunc, beyond / range), rest = beyond - turns * range;
    const Scalar even = equal(turns, real(2) * apply(ScalarOp::floor, turns / real(2)));
    const Scalar fromLow = either(both(below, even), both(apply(ScalarOp::logical_not, below), apply(ScalarOp::logical_not, even)));
    return select(both(x >= low, x <= high), x, select(fromLow, low + rest, high - rest));
  }
  // A position outside the image, moved into it where padding says so.
  Scalar settled(Scalar x, const Dimension &extent) const {
    if (padding == "border")
      return select(x < least(), real(0), select(x > most(extent), size(extent) - real(1), x));
    return padding == "reflection" ? reflected(x, extent) : x;
  }
  // An integer position as an index; what padding does to it. Zeros are the reader's matter.
  Scalar index(Scalar x, const Dimension &extent) const {
    if (padding == "zeros")
      return floorIndex(x, Scalar(-1), Scalar(extent));
    if (padding == "reflection")
      x = apply(ScalarOp::trunc, reflected(x, extent));
    return floorIndex(x, Scalar(0), Scalar(extent - 1));
  }
  // Weight of an element at a distance.
  Scalar weight(Scalar distance) const {
    const Scalar d = apply(ScalarOp::abs, distance), one = real(1);
    if (mode == "linear")
      return one - d;
    const Scalar a = real(-0.75);
    const Scalar near = ((a + real(2)) * d - (a + real(3))) * d * d + one;
    const Scalar far = ((a * d - real(5) * a) * d + real(8) * a) * d - real(4) * a;
    return select(d <= one, near, far);
  }
};

std::vector<Tensor> gridSample(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), grid = floatInput(op, 1);
  const size_t rank = x->rank() < 2 ? 0 : x->rank() - 2;
  if (rank < 1 || grid->rank() != rank + 2 || !(grid->shape.back() == Dimension(int64_t(rank))))
    op.fail("the input has shape " + textOf(x->shape) + " and the grid " + textOf(grid->shape) +
            "; expected [N, C, spatial...] and [N, places..., spatial dimensions]");
  if (graph.differ(x->shape[0], grid->shape[0], "input and grid of one batch"))
    op.fail("the input and the grid are batches of " + x->shape[0].text() + " and " + grid->shape[0].text());
  Sampler sampler;
  sampler.type = x->type == ElementType::f64 || grid->type == ElementType::f64 ? ElementType::f64 : ElementType::f32;
  sampler.mode = op.string("mode", op.version < 20 ? "bilinear" : "linear");
  sampler.padding = op.string("padding_mode", "zeros");
  sampler.corners = op.integer("align_corners", 0) != 0;
  if (sampler.mode == "bilinear")
    sampler.mode = "linear";
  if (sampler.mode == "bicubic")
    sampler.mode = "cubic";
  if (sampler.mode != "linear" && sampler.mode != "cubic" && sampler.mode != "nearest")
    op.fail("mode is '" + sampler.mode + "'; expected linear, cubic or nearest");
  if (sampler.padding != "zeros" && sampler.padding != "border" && sampler.padding != "reflection")
    op.fail("padding_mode is '" + sampler.padding + "'; expected zeros, border or reflection");
  Shape shape{x->shape[0], x->shape[1]};
  shape.insert(shape.end(), grid->shape.begin() + 1, grid->shape.end() - 1);
  // The position along a spatial axis: grids name the last axis first.
  auto position = [&](const Indices &o, size_t axis) {
    Indices at{o[0]};
    at.insert(at.end(), o.begin() + 2, o.begin() + 2 + int64_t(rank));
    at.push_back(Scalar(int64_t(rank - 1 - axis)));
    Scalar place = sampler.position(cast(graph.at(grid, at), sampler.type), x->shape[2 + axis]);
    if (sampler.mode == "nearest")
      place = apply(ScalarOp::round_even, place);
    return sampler.settled(place, x->shape[2 + axis]);
  };
  const Scalar zero = isFloat(x->type) ? Scalar::real(x->type, 0) : Scalar::integer(x->type, 0);
  if (sampler.mode == "nearest")
    return {graph.compute(x->dataType, shape, [&](const Indices &o) {
      Indices from{o[0], o[1]};
      for (size_t i = 0; i < rank; ++i)
        from.push_back(sampler.index(apply(ScalarOp::trunc, position(o, i)), x->shape[2 + i]));
      return atOr(graph, x, from, 2, zero);
    })};
  floatInput(op, 0);
  const int64_t taps = sampler.mode == "linear" ? 2 : 4;
  Tensor sum = graph.reduce(dataTypeOf(sampler.type), shape, Shape(rank, Dimension(taps)), Reduction::sum,
                            [&](const Indices &o, const Indices &k) {
                              Indices from{o[0], o[1]};
                              Scalar weight;
                              for (size_t i = 0; i < rank; ++i) {
                                const Scalar place = position(o, i), first = apply(ScalarOp::floor, place);
                                const Scalar offset = cast(k[i], sampler.type) - sampler.real(double(taps / 2 - 1));
                                from.push_back(sampler.index(first + offset, x->shape[2 + i]));
                                Scalar own = sampler.weight(place - first - offset);
                                weight = weight ? weight * own : own;
                              }
                              return cast(atOr(graph, x, from, 2, zero), sampler.type) * weight;
                            });
  return {graph.cast(sum, x->dataType)};
}

// theta times the homogeneous coordinates of each place: x from -1 to 1 along the last axis, then y, z.
std::vector<Tensor> affineGrid(Op &op) {
  Graph &graph = op.graph;
  Tensor theta = floatInput(op, 0);
  const std::vector<Dimension> size = op.integers(1);
  const size_t rank = size.size() < 2 ? 0 : size.size() - 2;
  if ((rank != 2 && rank != 3) || theta->rank() != 3 || !(theta->shape[1] == Dimension(int64_t(rank))) ||
      !(theta->shape[2] == Dimension(int64_t(rank + 1))))
    op.fail("theta has shape " + textOf(theta->shape) + " for a size of " + std::to_string(size.size()) +
            " numbers; expected [N, 2, 3] and 4, or [N, 3, 4] and 5");
  const bool corners = op.integer("align_corners", 0) != 0;
  Shape shape{theta->shape[0]};
  for (size_t i = 0; i < rank; ++i) {
    if (auto known = size[2 + i].constant(); known && *known < 0)
      op.fail("a size is " + std::to_string(*known));
    shape.push_back(size[2 + i]);
  }
  shape.push_back(Dimension(int64_t(rank)));
  const ElementType held = *storage(wideType(theta->dataType));
  auto real = [&](double value) { return Scalar::real(held, value); };
  Tensor grid = graph.compute(wideType(theta->dataType), shape, [&](const Indices &o) {
    Scalar sum;
    for (size_t k = 0; k <= rank; ++k) {
      Scalar term = widened(graph.at(theta, {o[0], o[1 + rank], Scalar(int64_t(k))}));
      if (k < rank) {
        const size_t axis = rank - 1 - k;
        const Scalar place = cast(o[1 + axis], held), extent = cast(Scalar(size[2 + axis]), held);
        // An axis of one element is its middle.
        Scalar at = corners ? select(extent > real(1), place * real(2) / larger(extent - real(1), real(1)) - real(1), real(0))
                            : (place * real(2) + real(1)) / extent - real(1);
        term = term * at;
      }
      sum = sum ? sum + term : term;
    }
    return sum;
  });
  return {graph.cast(grid, theta->dataType)};
}

// Sums blocks, given as columns, where they lie in an image.
std::vector<Tensor> col2Im(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0);
  const std::vector<Dimension> image = op.integers(1);
  const std::vector<int64_t> block = op.constants(2);
  const size_t rank = image.size();
  if (x->rank() != 3 || rank < 1 || block.size() != rank)
    op.fail("the input has shape " + textOf(x->shape) + ", the image " + std::to_string(rank) + " dimensions and the block " +
            std::to_string(block.size()) + "; expected [N, C * block, positions] and as many");
  const std::vector<int64_t> strides = positiveList(op, "strides", rank), dilations = positiveList(op, "dilations", rank);
  const std::vector<int64_t> pads = padsOf(op, rank);
  int64_t elements = 1;
  Shape positions;
  for (size_t i = 0; i < rank; ++i) {
    if (block[i] < 1 || block[i] > INT32_MAX || elements > INT32_MAX)
      op.fail("a dimension of the block is " + std::to_string(block[i]));
    elements *= block[i];
    const Dimension room = image[i] + pads[i] + pads[rank + i] - ((block[i] - 1) * dilations[i] + 1);
    positions.push_back(Dimension::floorDiv(room, strides[i]) + 1);
    if (auto known = positions.back().constant(); known && *known < 0)
      op.fail("a block is larger than the image");
  }
  const Dimension count = elementsOf(positions);
  if (op.graph.differ(count, x->shape[2], "as many columns as the image holds positions of the block"))
    op.fail("the input has shape " + textOf(x->shape) + "; the image holds " + count.text() + " positions of the block");
  auto channels = Dimension::exactQuotient(x->shape[1], elements);
  if (!channels)
    op.fail("the input has shape " + textOf(x->shape) + "; its second dimension is no multiple of the block's " +
            std::to_string(elements) + " elements");
  Shape shape{x->shape[0], *channels};
  shape.insert(shape.end(), image.begin(), image.end());
  const DataType wide = wideType(x->dataType);
  const ElementType held = *storage(wide);
  const Scalar zero = isFloat(held) ? Scalar::real(held, 0) : Scalar::integer(held, 0);
  Tensor sum = graph.reduce(wide, shape, Shape(block.begin(), block.end()), Reduction::sum, [&](const Indices &o, const Indices &k) {
    Scalar tap = 0, column = 0, hits;
    for (size_t i = 0; i < rank; ++i) {
      const Scalar at = o[2 + i] + Scalar(pads[i]) - k[i] * Scalar(dilations[i]), stride(strides[i]), most(positions[i]);
      const Scalar place = at / stride;
      Scalar here = both(both(at >= Scalar(0), place < most), equal(at % stride, Scalar(0)));
      hits = hits ? both(hits, here) : here;
      tap = tap * Scalar(block[i]) + k[i];
      column = column * most + larger(smaller(place, most - Scalar(1)), Scalar(0));
    }
    return select(hits, widened(graph.at(x, {o[0], o[1] * Scalar(elements) + tap, column})), zero);
  });
  return {graph.cast(sum, x->dataType)};
}

constexpr Definition kOps[] = {
    {"", "GridSample", 16, gridSample},
    {"", "AffineGrid", 20, affineGrid},
    {"", "Col2Im", 18, col2Im},
};

} // namespace

std::span<const Definition> gridOps() { return kOps; }

} // namespace ingot::onnx
