// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of any number of spatial dimensions: Conv, ConvTranspose, DeformConv, CausalConvWithState. By elements; how they are made matrix
// products is the passes' matter.
#include "compiler/import/onnx/convolution.h"
#include "compiler/import/onnx/sampling.h"

namespace ingot::onnx {

namespace {

std::vector<Tensor> conv(Op &op) {
  Tensor x = floatInput(op, 0), w = op.input(1);
  ConvolutionSpec spec{x, w};
  spec.bias = op.optional(2);
  return {op.graph.cast(convolution(op, spec), x->dataType)};
}

// A transposed convolution of one group as a product and a sum: every element of x times every column of the weight, as a
// convolution whose windows are single elements; then an element of the result sums those that lie on it, k * dilation before
// it for tap k. Without dilation only every stride-th tap does, from the first that does on.
Tensor transposedProduct(Graph &graph, Tensor x, Tensor w, const Shape &shape, const Shape &before, const std::vector<int64_t> &strides,
                         const std::vector<int64_t> &dilations) {
  const size_t rank = strides.size();
  const Dimension channels = w->shape[0], outputs = w->shape[1], taps = elementsOf(Shape(w->shape.begin() + 2, w->shape.end()));
  Value weight = graph.ir().transpose(graph.value(graph.cast(graph.reshape(w, {channels, outputs * taps}), DataType::f32)), {1, 0});
  Window single;
  single.kernel = single.strides = single.dilations = std::vector<int64_t>(rank, 1);
  single.before = single.after = Shape(rank, Dimension(0));
  Shape columns = x->shape;
  columns[1] = outputs * taps;
  Tensor products = convolve(graph, x, weight, nullptr, columns, single, 1);
  Shape extents;
  for (size_t i = 0; i < rank; ++i)
    extents.push_back(dilations[i] == 1 ? Dimension::ceilDiv(w->shape[2 + i], strides[i]) : w->shape[2 + i]);
  return graph.reduce(DataType::f32, shape, extents, Reduction::sum, [&](const Indices &o, const Indices &k) {
    Scalar tap(0), lands;
    Indices places;
    for (size_t i = 0; i < rank; ++i) {
      const Scalar at = o[2 + i] + Scalar(before[i]), stride(strides[i]), size(x->shape[2 + i]);
      Scalar own = k[i], place, here;
      if (dilations[i] == 1) {
        own = at % stride + k[i] * stride;
        place = at / stride - k[i];
        here = both(own < Scalar(w->shape[2 + i]), both(place >= Scalar(0), place < size));
        own = smaller(own, Scalar(w->shape[2 + i] - 1));
      } else {
        const Scalar first = at - k[i] * Scalar(dilations[i]);
        place = first / stride;
        here = both(both(first >= Scalar(0), equal(first % stride, Scalar(0))), place < size);
      }
      lands = lands ? both(lands, here) : here;
      tap = tap * Scalar(w->shape[2 + i]) + own;
      places.push_back(larger(smaller(place, size - Scalar(1)), Scalar(0)));
    }
    Indices from{o[0], o[1] * Scalar(taps) + tap};
    from.insert(from.end(), places.begin(), places.end());
    return select(lands, graph.at(products, from), Scalar::real(ElementType::f32, 0));
  });
}

// y[o] sums x[i] w[k] where o = i * stride + k * dilation - padding.
std::vector<Tensor> convTranspose(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0), w = op.input(1), bias = op.optional(2);
  checkConvolution(op, x, w, bias);
  const size_t rank = x->rank() - 2;
  const int64_t groups = op.integer("group", 1);
  const auto channels = x->shape[1].constant(), rows = w->shape[0].constant(), columns = w->shape[1].constant();
  if (groups < 1 || !rows || !columns || (channels && *channels != *rows) || *rows % groups)
    op.fail("the input has shape " + textOf(x->shape) + " and the kernel " + textOf(w->shape) + "; with " +
            std::to_string(groups) + " groups expected as many channels in both, a multiple of that");
  const std::vector<int64_t> strides = positiveList(op, "strides", rank), dilations = positiveList(op, "dilations", rank);
  const std::vector<int64_t> pads = padsOf(op, rank);
  const std::string kind = autoPadOf(op);
  std::vector<int64_t> extra = op.integerList("output_padding", std::vector<int64_t>(rank, 0));
  std::optional<std::vector<int64_t>> wanted;
  if (op.has("output_shape")) {
    wanted = op.integerList("output_shape");
    if (wanted->size() == rank + 2)
      wanted->erase(wanted->begin(), wanted->begin() + 2);
  }
  if (extra.size() != rank || (wanted && wanted->size() != rank))
    op.fail("output_padding and output_shape need one number for each of " + std::to_string(rank) + " spatial dimensions");
  const bool same = kind == "SAME_UPPER" || kind == "SAME_LOWER";
  Shape shape{x->shape[0], Dimension(*columns * groups)}, before;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t kernel = *w->shape[2 + i].constant();
    const Dimension whole = (x->shape[2 + i] - 1) * strides[i] + extra[i] + ((kernel - 1) * dilations[i] + 1);
    if (wanted || same) {
      const Dimension size = wanted ? Dimension((*wanted)[i]) : x->shape[2 + i] * strides[i];
      const Dimension pad = Dimension::max(whole - size, 0), half = Dimension::floorDiv(pad, 2);
      before.push_back(kind == "SAME_UPPER" ? half : pad - half);
      shape.push_back(size);
    } else {
      before.push_back(kind == "VALID" ? 0 : pads[i]);
      shape.push_back(kind == "VALID" ? whole : whole - pads[i] - pads[rank + i]);
    }
    if (auto known = shape.back().constant(); known && *known < 0)
      op.fail("spatial dimension " + std::to_string(i) + " of the result would be " + std::to_string(*known));
  }
  if (groups == 1 && channels && !x->known && x->type != ElementType::f64)
    return {graph.cast(addChannels(graph, transposedProduct(graph, x, w, shape, before, strides, dilations),
                                   bias ? graph.cast(bias, DataType::f32) : nullptr),
                       x->dataType)};
  const int64_t inputs = *rows / groups;
  Shape extents{Dimension(inputs)};
  extents.insert(extents.end(), w->shape.begin() + 2, w->shape.end());
  const ElementType held = *storage(wideType(x->dataType));
  Tensor sum = graph.reduce(wideType(x->dataType), shape, extents, Reduction::sum, [&](const Indices &o, const Indices &k) {
    const Scalar group = o[1] / Scalar(*columns);
    const Scalar channel = group * Scalar(inputs) + k[0];
    Indices from{o[0], channel}, weight{channel, o[1] % Scalar(*columns)};
    Scalar hits;
    for (size_t i = 0; i < rank; ++i) {
      const Scalar at = o[2 + i] + Scalar(before[i]) - k[1 + i] * Scalar(dilations[i]), stride(strides[i]);
      // A negative one is no multiple where it is divided: -1 / 2 is 0.
      from.push_back(select(at >= Scalar(0), at / stride, Scalar(-1)));
      weight.push_back(k[1 + i]);
      if (strides[i] != 1) {
        Scalar here = equal(at % stride, Scalar(0));
        hits = hits ? both(hits, here) : here;
      }
    }
    Scalar product = widened(atOr(graph, x, from, 2, Scalar::real(x->type, 0))) * widened(graph.at(w, weight));
    return hits ? select(hits, product, Scalar::real(held, 0)) : product;
  });
  return {graph.cast(addChannels(graph, sum, bias), x->dataType)};
}

// Each tap is read where its offset moves it to, between elements linearly.
std::vector<Tensor> deformConv(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0), w = op.input(1), offset = op.input(2), bias = op.optional(3), mask = op.optional(4);
  checkConvolution(op, x, w, bias);
  if (x->rank() != 4)
    op.fail("the input has shape " + textOf(x->shape) + "; two spatial dimensions are supported");
  const size_t rank = 2;
  const int64_t groups = op.integer("group", 1), offsetGroups = op.integer("offset_group", 1);
  std::vector<int64_t> kernel{*w->shape[2].constant(), *w->shape[3].constant()};
  Window window = windowOf(op, {x->shape[2], x->shape[3]}, kernel, false);
  const auto channels = x->shape[1].constant(), rows = w->shape[0].constant(), columns = w->shape[1].constant();
  if (groups < 1 || offsetGroups < 1 || !channels || !rows || !columns || *channels != *columns * groups || *rows % groups ||
      *channels % offsetGroups)
    op.fail("the input has shape " + textOf(x->shape) + " and the kernel " + textOf(w->shape) + ", which do not go with group " +
            std::to_string(groups) + " and offset_group " + std::to_string(offsetGroups));
  const int64_t taps = kernel[0] * kernel[1];
  auto expect = [&](Tensor tensor, const char *name, int64_t count) {
    if (tensor->dataType != x->dataType || tensor->rank() != 4 || !(tensor->shape[1] == Dimension(count)))
      op.fail(std::string(name) + " is of " + nameOf(tensor->dataType) + " and has shape " + textOf(tensor->shape) +
              "; expected the input's type and " + std::to_string(count) + " channels");
    for (size_t i = 0; i < rank; ++i)
      if (graph.differ(tensor->shape[2 + i], window.output[i], std::string("spatial dimensions of ") + name + " that are the result's"))
        op.fail(std::string(name) + " has shape " + textOf(tensor->shape) + "; the result has spatial dimensions " +
                textOf(window.output));
  };
  expect(offset, "offset", offsetGroups * taps * int64_t(rank));
  if (mask)
    expect(mask, "mask", offsetGroups * taps);
  const ElementType held = *storage(wideType(x->dataType));
  Tensor sum = graph.reduce(
      wideType(x->dataType), {x->shape[0], w->shape[0], window.output[0], window.output[1]},
      {Dimension(*columns), Dimension(kernel[0]), Dimension(kernel[1])}, Reduction::sum, [&](const Indices &o, const Indices &k) {
        const Scalar channel = o[1] / Scalar(*rows / groups) * Scalar(*columns) + k[0];
        const Scalar tap = channel / Scalar(*channels / offsetGroups) * Scalar(taps) + k[1] * Scalar(kernel[1]) + k[2];
        std::vector<Scalar> position;
        for (size_t i = 0; i < rank; ++i)
          position.push_back(cast(window.position(i, o[2 + i], k[1 + i]), held) +
                             widened(graph.at(offset, {o[0], tap * Scalar(2) + Scalar(int64_t(i)), o[2], o[3]})));
        Scalar value = interpolated(graph, x, {o[0], channel}, position, Outside::zeros);
        if (mask)
          value = value * widened(graph.at(mask, {o[0], tap, o[2], o[3]}));
        return value * widened(graph.at(w, {o[1], k[0], k[1], k[2]}));
      });
  return {graph.cast(addChannels(graph, sum, bias), x->dataType)};
}

// A convolution along a sequence, of each channel alone, whose padding is the end of what came before: the state.
std::vector<Tensor> causalConvWithState(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0), w = op.input(1), bias = op.optional(2), state = op.optional(3);
  checkConvolution(op, x, w, bias);
  const std::string activation = op.string("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    op.fail("activation is '" + activation + "'; expected none, silu or swish");
  const int64_t taps = x->rank() == 3 ? *w->shape[2].constant() : 0;
  if (taps < 1 || !(w->shape[1] == Dimension(1)) || !(w->shape[0] == x->shape[1]))
    op.fail("the input has shape " + textOf(x->shape) + " and the kernel " + textOf(w->shape) +
            "; expected [batch, channels, length] and [channels, 1, taps]");
  Shape before{x->shape[0], x->shape[1], Dimension(taps - 1)};
  if (!state)
    state = graph.broadcast(graph.scalar(x->dataType, 0), before);
  if (!(state->shape == before) || state->dataType != x->dataType)
    op.fail("past_state is of " + nameOf(state->dataType) + " and has shape " + textOf(state->shape) + "; expected the input's type and " +
            textOf(before));
  Tensor padded = taps == 1 ? x : graph.concat({state, x}, 2);
  Tensor sum = graph.reduce(wideType(x->dataType), x->shape, {Dimension(taps)}, Reduction::sum, [&](const Indices &o, const Indices &k) {
    return widened(graph.at(padded, {o[0], o[1], o[2] + k[0]})) * widened(graph.at(w, {o[1], Scalar(0), k[0]}));
  });
  Tensor y = graph.cast(addChannels(graph, sum, bias), x->dataType);
  if (activation != "none")
    y = graph.map(x->dataType, {y}, [](const std::vector<Scalar> &v) {
      return v[0] / (like(v[0], 1) + apply(ScalarOp::exp, -v[0]));
    });
  return {y, graph.slice(padded, {0, 0, x->shape[2]}, {1, 1, 1}, before)};
}

constexpr Definition kOps[] = {
    {"", "Conv", 1, conv},
    {"", "ConvTranspose", 1, convTranspose},
    {"", "DeformConv", 19, deformConv},
    {"", "CausalConvWithState", 27, causalConvWithState},
};

} // namespace

std::span<const Definition> convolutionOps() { return kOps; }

} // namespace ingot::onnx
