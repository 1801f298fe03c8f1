// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft's attention over batches of sequences (ONNX Runtime, docs/ContribOperators.md): Attention, MultiHeadAttention,
// QAttention, RotaryEmbedding. GroupQueryAttention and the packed forms are in files of their own.
#include "compiler/import/onnx/ops/contrib_attention.h"
#include "compiler/import/onnx/window.h"

#include <cmath>

namespace ingot::onnx {

double scaleOf(Op &op, Tensor q) {
  const double scale = op.real("scale", 0.0);
  if (scale != 0)
    return scale;
  auto size = q->shape.back().constant();
  if (!size || *size < 1)
    op.fail("the size of a head is " + q->shape.back().text() + "; expected a constant");
  return 1 / std::sqrt(double(*size));
}

Tensor columnsOf(Graph &graph, Tensor x, const Dimension &first, const Dimension &count) {
  Shape shape = x->shape;
  shape.back() = count;
  std::vector<Dimension> from(x->rank(), Dimension(0));
  from.back() = first;
  return graph.slice(x, from, std::vector<int64_t>(x->rank(), 1), shape);
}

Tensor sumOf(Graph &graph, Tensor a, Tensor b) {
  if (!a || !b)
    return a ? a : b;
  return graph.elementwise(ScalarOp::add, {a, b});
}

Tensor maskBias(Op &op, Tensor mask, const Dimension &batch, const Dimension &queries, const Dimension &past, const Dimension &keys) {
  Graph &graph = op.graph;
  if (!mask)
    return nullptr;
  if (mask->dataType != DataType::i32 && mask->dataType != DataType::i64)
    op.fail("the mask is of " + nameOf(mask->dataType) + "; expected int32");
  const ElementType f32 = ElementType::f32;
  const Scalar hidden = Scalar::real(f32, op.real("mask_filter_value", -10000.0)), seen = Scalar::real(f32, 0);
  auto fits = [](const Dimension &a, const Dimension &b) { return !a.isConstant() || !b.isConstant() || a == b; };
  auto raw = [&](Shape shape, auto at) {
    return graph.compute(DataType::f32, std::move(shape), [&](const Indices &i) {
      Scalar value = graph.at(mask, at(i));
      return select(equal(value, like(value, 0)), hidden, seen);
    });
  };
  const Shape &shape = mask->shape;
  const std::string words = "a mask of shape " + textOf(shape) + " for a batch of " + batch.text() + ", " + queries.text() + " queries and " + keys.text() + " keys";
  // What it may fit it then has to.
  auto same = [&](const Dimension &a, const Dimension &b) { return fits(a, b) && !graph.differ(a, b, words); };
  auto most = [&](const Dimension &a, const Dimension &b) { return !graph.exceeds(a, b, words); };
  if (shape.size() == 1 && !(shape[0] == batch * 2) && same(shape[0], batch)) // keys of each sequence
    return graph.compute(DataType::f32, {batch, 1, 1, keys}, [&](const Indices &i) {
      return select(i[3] < cast(graph.at(mask, {i[0]}), ElementType::index), seen, hidden);
    });
  if (shape.size() == 1 && same(shape[0], batch * 2)) // ends, then beginnings
    return graph.compute(DataType::f32, {batch, 1, 1, keys}, [&](const Indices &i) {
      Scalar end = cast(graph.at(mask, {i[0]}), ElementType::index);
      Scalar begin = cast(graph.at(mask, {i[0] + Scalar(batch)}), ElementType::index);
      return select(both(i[3] >= begin, i[3] < end), seen, hidden);
    });
  if (shape.size() == 2 && same(shape[1], keys))
    return raw({shape[0], 1, 1, keys}, [](const Indices &i) { return Indices{i[0], i[3]}; });
  if (shape.size() == 3 && fits(shape[1], queries) && fits(shape[2], keys) && same(shape[1], queries) && same(shape[2], keys))
    return raw({shape[0], 1, queries, keys}, [](const Indices &i) { return Indices{i[0], i[2], i[3]}; });
  if (shape.size() == 4 && shape[1] == Dimension(1) && most(past + queries, shape[2]) && most(keys, shape[3])) // of the longest sequences: the rows of these queries
    return raw({shape[0], 1, queries, keys}, [&](const Indices &i) { return Indices{i[0], Scalar(0), i[2] + Scalar(past), i[3]}; });
  op.fail("the mask has shape " + textOf(shape) + " for a batch of " + batch.text() + ", " + queries.text() + " queries and " +
          keys.text() + " keys; that form is not supported");
}

void appendPast(Op &op, Tensor past, AttentionSpec &spec) {
  Graph &graph = op.graph;
  if (!past)
    return;
  if (past->rank() != 5 || !(past->shape[0] == Dimension(2)))
    op.fail("past has shape " + textOf(past->shape) + "; expected [2, batch, heads, sequence, size]");
  auto half = [&](int64_t which) {
    Shape shape(past->shape.begin() + 1, past->shape.end());
    return graph.compute(past->dataType, shape, [&](const Indices &i) {
      Indices from{Scalar(which)};
      from.insert(from.end(), i.begin(), i.end());
      return graph.at(past, from);
    });
  };
  spec.k = graph.concat({half(0), spec.k}, 2);
  spec.v = graph.concat({half(1), spec.v}, 2);
  spec.offset = past->shape[3];
}

Tensor stacked(Graph &graph, Tensor k, Tensor v) {
  auto one = [&](Tensor x) {
    Shape shape = x->shape;
    shape.insert(shape.begin(), Dimension(1));
    return graph.reshape(x, shape);
  };
  return graph.concat({one(k), one(v)}, 0);
}

namespace {

void refuse(Op &op, size_t input, const char *name) {
  if (op.optional(input))
    op.fail(std::string("its input ") + name + " is not supported");
}

// Attention over q, k and v that lie side by side: [batch, sequence, widths together].
std::vector<Tensor> selfAttention(Op &op, Tensor projected, std::vector<int64_t> widths, Tensor mask, Tensor past, Tensor bias) {
  Graph &graph = op.graph;
  const int64_t heads = op.integer("num_heads");
  if (op.integer("do_rotary", 0) || op.integer("past_present_share_buffer", 0))
    op.fail("do_rotary and past_present_share_buffer are not supported");
  AttentionSpec spec;
  spec.q = splitHeads(graph, columnsOf(graph, projected, 0, widths[0]), heads);
  spec.k = splitHeads(graph, columnsOf(graph, projected, widths[0], widths[1]), heads);
  spec.v = splitHeads(graph, columnsOf(graph, projected, widths[0] + widths[1], widths[2]), heads);
  spec.scale = scaleOf(op, spec.q);
  appendPast(op, past, spec);
  spec.causal = op.integer("unidirectional", 0) != 0;
  spec.bias = sumOf(graph, bias ? graph.cast(bias, DataType::f32) : nullptr,
                    maskBias(op, mask, spec.q->shape[0], spec.q->shape[2], spec.offset, spec.k->shape[2]));
  Tensor output = mergeHeads(graph, attention(graph, spec).output);
  return {output, op.wants(1) ? stacked(graph, spec.k, spec.v) : nullptr};
}

std::vector<int64_t> widthsOf(Op &op, Tensor weights) {
  const auto all = weights->rank() == 2 ? weights->shape[1].constant() : std::nullopt;
  if (!all)
    op.fail("the weights have shape " + textOf(weights->shape) + "; expected a matrix of a constant width");
  std::vector<int64_t> widths = op.integerList("qkv_hidden_sizes", std::vector<int64_t>(3, *all / 3));
  if (widths.size() != 3 || widths[0] < 1 || widths[1] < 1 || widths[2] < 1 || widths[0] + widths[1] + widths[2] != *all)
    op.fail("the weights have shape " + textOf(weights->shape) + ", whose columns are not those of q, k and v together");
  return widths;
}

std::vector<Tensor> attentionOp(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0), weights = op.input(1), bias = op.optional(2);
  refuse(op, 6, "past_sequence_length");
  Tensor projected = sumOf(graph, graph.matmul(x, weights), bias);
  return selfAttention(op, projected, widthsOf(op, weights), op.optional(3), op.optional(4), op.optional(5));
}

// The same with a product of integers, whose scales and zero points are given.
std::vector<Tensor> quantizedAttention(Op &op) {
  Graph &graph = op.graph;
  Tensor weights = op.input(1);
  Tensor projected = scaledProduct(op, op.input(0), weights, op.input(3), op.input(4), op.optional(6), op.optional(7));
  return selfAttention(op, sumOf(graph, projected, op.input(2)), widthsOf(op, weights), op.optional(5), op.optional(8), nullptr);
}

// One of the tensors packed along dimension 3 of [batch, sequence, heads, count, size], as [batch, heads, sequence, size].
Tensor unpacked(Graph &graph, Tensor x, int64_t which) {
  return graph.compute(x->dataType, {x->shape[0], x->shape[2], x->shape[1], x->shape[4]}, [&](const Indices &i) {
    return graph.at(x, {i[0], i[2], i[1], Scalar(which), i[3]});
  });
}

std::vector<Tensor> multiHeadAttention(Op &op) {
  Graph &graph = op.graph;
  const int64_t heads = op.integer("num_heads");
  Tensor query = floatInput(op, 0), key = op.optional(1), value = op.optional(2), bias = op.optional(3);
  Tensor pastKey = op.optional(6), pastValue = op.optional(7);
  refuse(op, 8, "past_sequence_length");
  refuse(op, 9, "cache_indirection");
  AttentionSpec spec;
  auto packed = [](Tensor x, int64_t count) { return x->rank() == 5 && x->shape[3] == Dimension(count); };
  bool plainKeys = true;
  if (packed(query, 3)) {
    spec.q = unpacked(graph, query, 0);
    spec.k = unpacked(graph, query, 1);
    spec.v = unpacked(graph, query, 2);
  } else if (query->rank() == 3) {
    spec.q = splitHeads(graph, query, heads);
    if (!key)
      op.fail("input key is missing");
    if (packed(key, 2)) {
      spec.k = unpacked(graph, key, 0);
      spec.v = unpacked(graph, key, 1);
    } else if (value && key->rank() == 4 && value->rank() == 4) { // of a cache
      spec.k = key;
      spec.v = value;
      plainKeys = false;
    } else if (value) {
      spec.k = splitHeads(graph, key, heads);
      spec.v = splitHeads(graph, value, heads);
    }
  }
  if (!spec.q || !spec.k || !spec.v)
    op.fail("query has shape " + textOf(query->shape) + (key ? " and key " + textOf(key->shape) : "") + "; that form is not supported");
  if (bias) {
    auto q = spec.q->shape[1] * spec.q->shape[3], k = spec.k->shape[1] * spec.k->shape[3], v = spec.v->shape[1] * spec.v->shape[3];
    if (bias->rank() != 1 || !(bias->shape[0] == q + k + v))
      op.fail("the bias has shape " + textOf(bias->shape) + "; expected [" + (q + k + v).text() + "]");
    auto added = [&](Tensor x, const Dimension &first) {
      Tensor own = columnsOf(graph, bias, first, x->shape[1] * x->shape[3]);
      return sumOf(graph, x, graph.reshape(own, {1, x->shape[1], 1, x->shape[3]}));
    };
    spec.q = added(spec.q, 0);
    if (plainKeys) {
      spec.k = added(spec.k, q);
      spec.v = added(spec.v, q + k);
    }
  }
  prependPast(op, spec, pastKey, pastValue);
  spec.scale = scaleOf(op, spec.q);
  spec.causal = op.integer("unidirectional", 0) != 0;
  Tensor given = op.optional(5);
  spec.bias = sumOf(graph, given ? graph.cast(given, DataType::f32) : nullptr,
                    maskBias(op, op.optional(4), spec.q->shape[0], spec.q->shape[2], spec.offset, spec.k->shape[2]));
  const Attended result = attention(graph, spec);
  return {mergeHeads(graph, result.output), spec.k, spec.v, op.wants(3) ? graph.cast(result.biased, spec.q->dataType) : nullptr};
}

// Positions are one offset for all sequences, or one number for each token.
std::vector<Tensor> rotaryEmbedding(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0), positions = op.input(1);
  if (op.integer("is_packed_batching", 0))
    op.fail("is_packed_batching is not supported");
  if (op.real("scale", 1.0) != 1)
    op.fail("scale is " + std::to_string(op.real("scale")) + "; only 1 is supported");
  RotarySpec spec;
  spec.cos = op.input(2);
  spec.sin = op.input(3);
  spec.interleaved = op.integer("interleaved", 0) != 0;
  spec.width = op.integer("rotary_embedding_dim", 0);
  const bool packed = x->rank() == 3;
  if (packed) {
    int64_t heads = op.integer("num_heads", 0);
    auto width = x->shape[2].constant(), half = spec.cos->rank() == 2 ? spec.cos->shape[1].constant() : std::nullopt;
    if (heads == 0 && width && half && *half > 0 && *width % (2 * *half) == 0)
      heads = *width / (2 * *half);
    spec.x = splitHeads(graph, x, heads);
  } else {
    spec.x = x;
  }
  if (spec.x->rank() != 4 || isFloat(positions->type))
    op.fail("the input has shape " + textOf(x->shape) + " and positions are of " + nameOf(positions->dataType) +
            "; expected 3 or 4 dimensions, and integers");
  const Dimension length = spec.x->shape[2];
  if (positions->rank() == 1)
    spec.positions = graph.compute(DataType::i64, {1, length}, [&](const Indices &i) {
      return cast(graph.at(positions, {Scalar(0)}), ElementType::i64) + cast(i[1], ElementType::i64);
    });
  else
    spec.positions = positions;
  Tensor turned = rotary(graph, spec);
  return {packed ? mergeHeads(graph, turned) : turned};
}

constexpr std::string_view kDomain = "com.microsoft";
constexpr Definition kOps[] = {
    {kDomain, "Attention", 1, attentionOp},
    {kDomain, "QAttention", 1, quantizedAttention},
    {kDomain, "MultiHeadAttention", 1, multiHeadAttention},
    {kDomain, "RotaryEmbedding", 1, rotaryEmbedding},
};

} // namespace

std::span<const Definition> contribAttentionOps() { return kOps; }

} // namespace ingot::onnx
