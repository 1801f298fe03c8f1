// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft's operators (ONNX Runtime, docs/ContribOperators.md) that fuse activations, norms, products and convolutions
// of floats, each as the operators that it is made of. Attention and quantized ones are in files of their own.
#include "compiler/import/onnx/compose.h"
#include "compiler/import/onnx/window.h"

#include <algorithm>
#include <numeric>

namespace ingot::onnx {

namespace {

Tensor plus(Op &op, Tensor a, Tensor b) { return b ? op.graph.elementwise(ScalarOp::add, {a, b}) : a; }
Tensor times(Op &op, Tensor a, Tensor b) { return op.graph.elementwise(ScalarOp::mul, {a, b}); }

// --- Activations.

Tensor gelu(Op &op, Tensor x, const char *approximate = "none") {
  return composed(op, "Gelu", 20, {x}, {{"approximate", std::string(approximate)}})[0];
}

std::vector<Tensor> geluOp(Op &op) { return {gelu(op, op.input(0))}; }
std::vector<Tensor> biasGelu(Op &op) { return {gelu(op, plus(op, op.input(0), op.input(1)))}; }
std::vector<Tensor> fastGelu(Op &op) { return {gelu(op, plus(op, op.input(0), op.optional(1)), "tanh")}; }

std::vector<Tensor> quickGelu(Op &op) {
  return composed(op, "Swish", 24, {op.input(0)}, {{"alpha", op.real("alpha", 1.702)}});
}

// The first half of the channels times the GELU of the second.
std::vector<Tensor> biasSplitGelu(Op &op) {
  Graph &graph = op.graph;
  Tensor x = plus(op, op.input(0), op.input(1));
  auto half = x->rank() ? Dimension::exactQuotient(x->shape.back(), 2) : std::nullopt;
  if (!half)
    op.fail("the input has shape " + textOf(x->shape) + "; expected an even number of channels");
  Shape shape = x->shape;
  shape.back() = *half;
  auto part = [&](const Dimension &first) {
    std::vector<Dimension> from(x->rank(), Dimension(0));
    from.back() = first;
    return graph.slice(x, from, std::vector<int64_t>(x->rank(), 1), shape);
  };
  return {times(op, part(0), gelu(op, part(*half)))};
}

std::vector<Tensor> biasAdd(Op &op) { return {plus(op, plus(op, op.input(0), op.input(1)), op.input(2))}; }

std::vector<Tensor> biasSoftmax(Op &op) {
  return composed(op, "Softmax", 11, {plus(op, op.input(0), op.input(1))}, {{"axis", op.integer("axis", 1)}});
}

// --- Norms.

std::vector<Tensor> layerNorm(Op &op) { return composedAlike(op, "LayerNormalization", 17, op.all()); }
std::vector<Tensor> simplifiedLayerNorm(Op &op) { return composedAlike(op, "RMSNormalization", 23, op.all()); }

// A norm of a sum, which is an output too.
std::vector<Tensor> skipped(Op &op, const char *norm, int64_t version, std::vector<Tensor> parameters, Tensor bias) {
  if (op.wants(1) || op.wants(2))
    op.fail("its outputs mean and inv_std_var are not supported");
  Tensor sum = plus(op, plus(op, op.input(0), op.input(1)), bias);
  std::vector<Tensor> inputs{sum};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  return {composed(op, norm, version, inputs, {{"epsilon", op.real("epsilon", 1e-12)}})[0], nullptr, nullptr, sum};
}

std::vector<Tensor> skipLayerNorm(Op &op) {
  return skipped(op, "LayerNormalization", 17, {op.input(2), op.optional(3)}, op.optional(4));
}
std::vector<Tensor> skipSimplifiedLayerNorm(Op &op) { return skipped(op, "RMSNormalization", 23, {op.input(2)}, op.optional(3)); }

// Rows of three tables added, and their norm; how many tokens of each sequence a mask keeps.
std::vector<Tensor> embedLayerNorm(Op &op) {
  Graph &graph = op.graph;
  Tensor ids = op.input(0), segments = op.optional(1), words = op.input(2), positions = op.input(3), kinds = op.optional(4);
  Tensor mask = op.optional(7), places = op.optional(8);
  if (ids->rank() != 2)
    op.fail("the ids have shape " + textOf(ids->shape) + "; expected [batch, sequence]");
  if (!segments != !kinds)
    op.fail("segment_ids and segment_embedding go together");
  auto rows = [&](Tensor table, Tensor index) { return composed(op, "Gather", 13, {table, index}, {{"axis", int64_t(0)}})[0]; };
  if (!places)
    places = graph.compute(DataType::i64, {ids->shape[1]}, [](const Indices &i) { return cast(i[0], ElementType::i64); });
  Tensor sum = plus(op, rows(words, ids), rows(positions, places));
  if (kinds)
    sum = plus(op, sum, rows(kinds, segments));
  Tensor norm = composed(op, "LayerNormalization", 17, {sum, op.input(5), op.input(6)}, {{"epsilon", op.real("epsilon", 1e-12)}})[0];
  Tensor counts = nullptr;
  if (op.wants(1) && mask) {
    if (mask->rank() != 2 || mask->dataType != DataType::i32)
      op.fail("the mask is of " + nameOf(mask->dataType) + " and has shape " + textOf(mask->shape) + "; expected int32 [batch, sequence]");
    counts = graph.reduceAxes(Reduction::sum, mask, {1}, false);
  } else if (op.wants(1)) {
    counts = graph.broadcast(graph.scalar(DataType::i32, 0), {ids->shape[0]});
  }
  return {norm, counts, sum};
}

// Channels last, or first; SiLU after it where `activation` says so.
std::vector<Tensor> groupNorm(Op &op, Tensor x, Tensor sum) {
  Graph &graph = op.graph;
  if (x->rank() != 4)
    op.fail("the input has shape " + textOf(x->shape) + "; expected 4 dimensions");
  const bool last = op.integer("channels_last", 1) != 0;
  const int64_t activation = op.integer("activation");
  if (activation != 0 && activation != 1)
    op.fail("activation is " + std::to_string(activation) + "; expected 0 or 1");
  Tensor y = last ? graph.transpose(x, {0, 3, 1, 2}) : x;
  y = composed(op, "GroupNormalization", 21,
               {y, graph.cast(op.input(1), x->dataType), graph.cast(op.input(2), x->dataType)},
               {{"num_groups", op.integer("groups")}, {"epsilon", op.real("epsilon", 1e-5)}})[0];
  if (last)
    y = graph.transpose(y, {0, 2, 3, 1});
  if (activation == 1)
    y = composed(op, "Swish", 24, {y})[0];
  return {y, sum};
}

std::vector<Tensor> groupNormOp(Op &op) { return groupNorm(op, op.input(0), nullptr); }
std::vector<Tensor> skipGroupNorm(Op &op) {
  Tensor x = op.input(0), skip = op.input(3), bias = op.optional(4);
  const bool last = op.integer("channels_last", 1) != 0;
  if (skip->rank() == 2) // one number for each channel of an image
    skip = op.graph.reshape(skip, last ? Shape{skip->shape[0], 1, 1, skip->shape[1]} : Shape{skip->shape[0], skip->shape[1], 1, 1});
  if (bias && !last)
    bias = op.graph.reshape(bias, {bias->shape[0], 1, 1});
  Tensor sum = plus(op, plus(op, x, skip), bias);
  return groupNorm(op, sum, sum);
}

// --- Products.

std::vector<double> activationParameters(Op &op) {
  std::vector<double> parameters;
  for (const char *name : {"activation_alpha", "activation_beta", "activation_gamma"})
    if (op.has(name))
      parameters.push_back(op.real(name));
  return parameters;
}

Tensor turned(Op &op, Tensor x, bool batch, bool last) {
  if (x->rank() < 2)
    return x;
  std::vector<int64_t> order(x->rank());
  std::iota(order.begin(), order.end(), 0);
  if (batch) // the first dimension is moved behind those of the batch
    std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
  if (last)
    std::swap(order[order.size() - 2], order.back());
  return op.graph.transpose(x, order);
}

Tensor fusedProduct(Op &op) {
  Tensor a = turned(op, op.input(0), op.integer("transBatchA", 0) != 0, op.integer("transA", 0) != 0);
  Tensor b = turned(op, op.input(1), op.integer("transBatchB", 0) != 0, op.integer("transB", 0) != 0);
  Tensor product = op.graph.matmul(a, b);
  const double alpha = op.real("alpha", 1.0);
  return alpha == 1 ? product : times(op, product, op.graph.scalar(product->dataType, alpha));
}

std::vector<Tensor> fusedMatMul(Op &op) { return {fusedProduct(op)}; }
std::vector<Tensor> fusedMatMulActivation(Op &op) {
  return {activated(op, fusedProduct(op), op.string("activation"), activationParameters(op))};
}
std::vector<Tensor> fusedGemm(Op &op) {
  return {activated(op, composedAlike(op, "Gemm", 13, op.all())[0], op.string("activation", ""), activationParameters(op))};
}
std::vector<Tensor> gemmFastGelu(Op &op) {
  return {gelu(op, plus(op, op.graph.matmul(op.input(0), op.input(1)), op.optional(2)), "tanh")};
}

// --- Convolutions and pooling.

std::vector<int64_t> order(size_t rank, bool toFirst) {
  std::vector<int64_t> axes{0};
  if (toFirst)
    axes.push_back(int64_t(rank) - 1);
  for (size_t i = toFirst ? 1 : 2; i < (toFirst ? rank - 1 : rank); ++i)
    axes.push_back(int64_t(i));
  if (!toFirst)
    axes.push_back(1);
  return axes;
}

std::vector<Tensor> fusedConv(Op &op, bool channelsLast) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), w = op.input(1), sum = op.optional(3);
  if (x->rank() < 3)
    op.fail("the input has shape " + textOf(x->shape) + "; expected a batch, channels and spatial dimensions");
  if (channelsLast)
    x = graph.transpose(x, order(x->rank(), true));
  Tensor y = composedAlike(op, "Conv", 22, {x, w, op.optional(2)})[0];
  if (channelsLast)
    y = graph.transpose(y, order(y->rank(), false));
  y = plus(op, y, sum);
  return {activated(op, y, op.string("activation", ""), op.realList("activation_params", std::vector<double>{}))};
}

std::vector<Tensor> fusedConvOp(Op &op) { return fusedConv(op, false); }
std::vector<Tensor> nhwcConv(Op &op) { return fusedConv(op, true); }

std::vector<Tensor> nhwcMaxPool(Op &op) {
  Tensor x = op.input(0);
  if (x->rank() < 3)
    op.fail("the input has shape " + textOf(x->shape) + "; expected a batch, spatial dimensions and channels");
  Tensor y = composedAlike(op, "MaxPool", 22, {op.graph.transpose(x, order(x->rank(), true))})[0];
  return {op.graph.transpose(y, order(y->rank(), false))};
}

// --- Forms of ai.onnx's operators.

std::vector<Tensor> pad(Op &op) {
  std::vector<Tensor> inputs = op.all();
  if (inputs.size() > 1 && inputs[1] && inputs[1]->rank() == 2)
    inputs[1] = op.graph.reshape(inputs[1], {elementsOf(inputs[1]->shape)});
  return composedAlike(op, "Pad", 13, inputs);
}
std::vector<Tensor> gatherND(Op &op) { return composed(op, "GatherND", 12, op.all()); }
std::vector<Tensor> trilu(Op &op) { return composedAlike(op, "Trilu", 14, op.all()); }
std::vector<Tensor> gridSample(Op &op) { return composedAlike(op, "GridSample", 16, op.all()); }

std::vector<Tensor> range(Op &op) {
  std::vector<Tensor> inputs = op.all();
  if (inputs.size() < 3 || !inputs[2]) {
    inputs.resize(3, nullptr);
    inputs[2] = op.graph.scalar(op.input(0)->dataType, 1);
  }
  return composed(op, "Range", 11, inputs);
}

std::vector<Tensor> expandDims(Op &op) {
  Tensor x = op.input(0);
  const std::vector<int64_t> axes = op.constants(1);
  if (axes.size() != 1)
    op.fail("the axis has " + std::to_string(axes.size()) + " elements; expected one");
  Shape shape = x->shape;
  shape.insert(shape.begin() + int64_t(axisOf(axes[0], x->rank() + 1)), Dimension(1));
  return {op.graph.reshape(x, shape)};
}

// Distances of each row of a from each of b.
std::vector<Tensor> distances(Op &op) {
  Graph &graph = op.graph;
  Tensor a = floatInput(op, 0), b = op.input(1);
  const std::string metric = op.string("metric", "sqeuclidean");
  if (metric != "euclidean" && metric != "sqeuclidean")
    op.fail("metric is '" + metric + "'; expected euclidean or sqeuclidean");
  if (a->rank() != 2 || b->rank() != 2 || a->dataType != b->dataType)
    op.fail("operands have shapes " + textOf(a->shape) + " and " + textOf(b->shape) + "; expected matrices of one type");
  Tensor squares = graph.reduce(a->dataType, {a->shape[0], b->shape[0]}, {a->shape[1]}, Reduction::sum, [&](const Indices &i, const Indices &k) {
    Scalar difference = widened(graph.at(a, {i[0], k[0]})) - widened(graph.at(b, {i[1], k[0]}));
    return cast(difference * difference, *storage(wideType(a->dataType)));
  });
  return {metric == "euclidean" ? graph.elementwise(ScalarOp::sqrt, {squares}) : squares};
}

constexpr std::string_view kDomain = "com.microsoft";
constexpr Definition kOps[] = {
    {kDomain, "Gelu", 1, geluOp},
    {kDomain, "BiasGelu", 1, biasGelu},
    {kDomain, "FastGelu", 1, fastGelu},
    {kDomain, "QuickGelu", 1, quickGelu},
    {kDomain, "BiasSplitGelu", 1, biasSplitGelu},
    {kDomain, "BiasAdd", 1, biasAdd},
    {kDomain, "BiasSoftmax", 1, biasSoftmax},
    // ONNX Runtime and its exporters keep two norms in ai.onnx, from before that had them.
    {"", "LayerNormalization", 1, layerNorm},
    {"", "SimplifiedLayerNormalization", 1, simplifiedLayerNorm},
    {kDomain, "SimplifiedLayerNormalization", 1, simplifiedLayerNorm},
    {kDomain, "SkipLayerNormalization", 1, skipLayerNorm},
    {kDomain, "SkipSimplifiedLayerNormalization", 1, skipSimplifiedLayerNorm},
    {kDomain, "EmbedLayerNormalization", 1, embedLayerNorm},
    {kDomain, "GroupNorm", 1, groupNormOp},
    {kDomain, "SkipGroupNorm", 1, skipGroupNorm},
    {kDomain, "FusedMatMul", 1, fusedMatMul},
    {kDomain, "TransposeMatMul", 1, fusedMatMul},
    {kDomain, "FusedMatMulActivation", 1, fusedMatMulActivation},
    {kDomain, "FusedGemm", 1, fusedGemm},
    {kDomain, "GemmFastGelu", 1, gemmFastGelu},
    {kDomain, "FusedConv", 1, fusedConvOp},
    {kDomain, "NhwcConv", 1, nhwcConv},
    {kDomain, "NhwcFusedConv", 1, nhwcConv},
    {kDomain, "NhwcMaxPool", 1, nhwcMaxPool},
    {kDomain, "Pad", 1, pad},
    {kDomain, "GatherND", 1, gatherND},
    {kDomain, "Trilu", 1, trilu},
    {kDomain, "GridSample", 1, gridSample},
    {kDomain, "Range", 1, range},
    {kDomain, "ExpandDims", 1, expandDims},
    {kDomain, "CDist", 1, distances},
};

} // namespace

std::span<const Definition> contribOps() { return kOps; }

} // namespace ingot::onnx
