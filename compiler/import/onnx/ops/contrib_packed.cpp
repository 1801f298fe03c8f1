// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft's attention over tokens without padding (ONNX Runtime, docs/ContribOperators.md): PackedAttention,
// PackedMultiHeadAttention, RestorePadding. Sequences lie one after another; cumulative lengths tell where each begins.
#include "compiler/import/onnx/ops/contrib_attention.h"
#include "compiler/import/onnx/window.h"

namespace ingot::onnx {

namespace {

// The sequence of each token: how many sequences end before it. i64 [tokens].
Tensor sequences(Op &op, Tensor ends, const Dimension &tokens) {
  Graph &graph = op.graph;
  if (ends->rank() != 1 || ends->dataType != DataType::i32)
    op.fail("the cumulative lengths are of " + nameOf(ends->dataType) + " and have shape " + textOf(ends->shape) + "; expected int32 [batch + 1]");
  const ElementType i64 = ElementType::i64;
  return graph.reduce(DataType::i64, {tokens}, {ends->shape[0] - 1}, Reduction::sum, [&](const Indices &i, const Indices &k) {
    Scalar end = cast(graph.at(ends, {k[0] + Scalar(1)}), ElementType::index);
    return select(end <= i[0], Scalar::integer(i64, 1), Scalar::integer(i64, 0));
  });
}

// All tokens as one sequence, in which each sees those of its own. q, k and v are [heads, tokens, size].
Tensor packedAttention(Op &op, Tensor q, Tensor k, Tensor v, Tensor ends, Tensor bias) {
  Graph &graph = op.graph;
  const Dimension tokens = q->shape[1];
  auto one = [&](Tensor x) { return graph.reshape(x, {1, x->shape[0], x->shape[1], x->shape[2]}); };
  AttentionSpec spec;
  spec.q = one(q);
  spec.k = one(k);
  spec.v = one(v);
  spec.scale = scaleOf(op, q);
  Tensor owner = sequences(op, ends, tokens);
  spec.allowed = graph.compute(DataType::boolean, {1, 1, tokens, tokens}, [&](const Indices &i) {
    return equal(graph.at(owner, {i[2]}), graph.at(owner, {i[3]}));
  });
  if (bias) { // [batch or 1, heads or 1, sequence, sequence], of positions in their sequences
    if (bias->rank() != 4)
      op.fail("the bias has shape " + textOf(bias->shape) + "; expected [batch, heads, sequence, sequence]");
    auto inside = [](const Dimension &size, Scalar at) { return larger(smaller(at, Scalar(size - 1)), Scalar(0)); };
    spec.bias = graph.compute(bias->dataType, {1, bias->shape[1], tokens, tokens}, [&](const Indices &i) {
      Scalar batch = cast(graph.at(owner, {i[2]}), ElementType::index);
      Scalar begin = cast(graph.at(ends, {inside(ends->shape[0], batch)}), ElementType::index);
      return graph.at(bias, {inside(bias->shape[0], batch), i[1], inside(bias->shape[2], i[2] - begin), inside(bias->shape[3], i[3] - begin)});
    });
  }
  Tensor merged = mergeHeads(graph, attention(graph, spec).output);
  return graph.reshape(merged, {tokens, merged->shape[2]});
}

Tensor headsFirst(Op &op, Tensor x, int64_t heads) {
  auto size = x->rank() == 2 && heads > 0 ? Dimension::exactQuotient(x->shape[1], heads) : std::nullopt;
  if (!size)
    op.fail("a tensor has shape " + textOf(x->shape) + "; expected [tokens, a multiple of " + std::to_string(heads) + " heads]");
  return op.graph.transpose(op.graph.reshape(x, {x->shape[0], heads, *size}), {1, 0, 2});
}

std::vector<Tensor> packedAttentionOp(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0), weights = op.input(1);
  const int64_t heads = op.integer("num_heads");
  const auto all = weights->rank() == 2 ? weights->shape[1].constant() : std::nullopt;
  if (x->rank() != 2 || !all)
    op.fail("the input has shape " + textOf(x->shape) + " and the weights " + textOf(weights->shape) + "; expected matrices");
  std::vector<int64_t> widths = op.integerList("qkv_hidden_sizes", std::vector<int64_t>(3, *all / 3));
  if (widths.size() != 3 || widths[0] + widths[1] + widths[2] != *all)
    op.fail("the weights have shape " + textOf(weights->shape) + ", whose columns are not those of q, k and v together");
  Tensor projected = sumOf(graph, graph.matmul(x, weights), op.input(2));
  return {packedAttention(op, headsFirst(op, columnsOf(graph, projected, 0, widths[0]), heads),
                          headsFirst(op, columnsOf(graph, projected, widths[0], widths[1]), heads),
                          headsFirst(op, columnsOf(graph, projected, widths[0] + widths[1], widths[2]), heads), op.input(4),
                          op.optional(5))};
}

std::vector<Tensor> packedMultiHeadAttention(Op &op) {
  Graph &graph = op.graph;
  const int64_t heads = op.integer("num_heads");
  Tensor query = floatInput(op, 0), key = op.optional(1), value = op.optional(2), bias = op.optional(3);
  if (query->rank() == 4 && query->shape[2] == Dimension(3)) { // [tokens, heads, 3, size]
    auto part = [&](int64_t which) {
      return graph.compute(query->dataType, {query->shape[0], query->shape[1] * query->shape[3]}, [&](const Indices &i) {
        const Scalar size(query->shape[3]);
        return graph.at(query, {i[0], i[1] / size, Scalar(which), i[1] % size});
      });
    };
    key = part(1);
    value = part(2);
    query = part(0);
  }
  if (!key || !value || query->rank() != 2 || key->rank() != 2 || value->rank() != 2)
    op.fail("query has shape " + textOf(query->shape) + "; expected query, key and value as matrices, or all in one of 4 dimensions");
  if (bias) {
    const Dimension q = query->shape[1], k = key->shape[1], v = value->shape[1];
    if (bias->rank() != 1 || !(bias->shape[0] == q + k + v))
      op.fail("the bias has shape " + textOf(bias->shape) + "; expected [" + (q + k + v).text() + "]");
    query = sumOf(graph, query, columnsOf(graph, bias, 0, q));
    key = sumOf(graph, key, columnsOf(graph, bias, q, k));
    value = sumOf(graph, value, columnsOf(graph, bias, q + k, v));
  }
  return {packedAttention(op, headsFirst(op, query, heads), headsFirst(op, key, heads), headsFirst(op, value, heads), op.input(5), op.optional(6))};
}

// Row t goes to the place that the offset of token t names; the rest are zeros.
std::vector<Tensor> restorePadding(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), offset = op.input(1);
  if (x->rank() != 2 || offset->rank() != 2 || offset->dataType != DataType::i32)
    op.fail("the input has shape " + textOf(x->shape) + " and the offsets are of " + nameOf(offset->dataType) + " " +
            textOf(offset->shape) + "; expected [tokens, width] and int32 [batch, sequence]");
  const Dimension tokens = x->shape[0], batch = offset->shape[0], length = offset->shape[1];
  const ElementType i64 = ElementType::i64;
  Tensor flat = graph.reshape(offset, {batch * length});
  Tensor source = graph.reduce(DataType::i64, {batch, length}, {tokens}, Reduction::max, [&](const Indices &i, const Indices &k) {
    Scalar place = cast(graph.at(flat, {smaller(k[0], Scalar(batch * length - 1))}), ElementType::index);
    return select(equal(place, i[0] * Scalar(length) + i[1]), cast(k[0], i64), Scalar::integer(i64, -1));
  });
  return {graph.compute(x->dataType, {batch, length, x->shape[1]}, [&](const Indices &i) {
    Scalar from = cast(graph.at(source, {i[0], i[1]}), ElementType::index), row = larger(smaller(from, Scalar(tokens - 1)), Scalar(0));
    return select(from < Scalar(0), Scalar::real(x->type, 0), graph.at(x, {row, i[2]}));
  })};
}

constexpr std::string_view kDomain = "com.microsoft";
constexpr Definition kOps[] = {
    {kDomain, "PackedAttention", 1, packedAttentionOp},
    {kDomain, "PackedMultiHeadAttention", 1, packedMultiHeadAttention},
    {kDomain, "RestorePadding", 1, restorePadding},
};

} // namespace

std::span<const Definition> contribPackedOps() { return kOps; }

} // namespace ingot::onnx
