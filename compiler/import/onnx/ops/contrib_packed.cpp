// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft's attention over tokens without padding (ONNX Runtime, docs/ContribOperators.md): PackedAttention,
// PackedMultiHeadAttention, RemovePadding, RestorePadding. Sequences lie one after another; cumulative lengths tell
// where each begins.
#include "compiler/import/onnx/ops/contrib_attention.h"
#include "compiler/import/onnx/window.h"

namespace ingot::onnx {

namespace {

// The sequence of each token: how many sequences end before it. i64 [tokens].
Tensor sequences(Op &op, Tensor ends, const Dimension &tokens) {
  Graph &graph = op.graph;
  const ElementType i64 = ElementType::i64;
  return graph.reduce(DataType::i64, {tokens}, {ends->shape[0] - 1}, Reduction::sum,
                      [&](const Indices &i, const Indices &k) {
                        Scalar end = cast(graph.at(ends, {k[0] + Scalar(1)}), ElementType::index);
                        return select(end <= i[0], Scalar::integer(i64, 1), Scalar::integer(i64, 0));
                      });
}

// Cumulative lengths as kernels may trust them: from 0 to all tokens, and never less than before, whatever a caller
// gives.
Tensor trusted(Op &op, Tensor ends, const Dimension &tokens) {
  Graph &graph = op.graph;
  const Dimension last = ends->shape[0] - 1;
  const ElementType i32 = ElementType::i32;
  return graph.reduce(DataType::i32, ends->shape, ends->shape, Reduction::max, [&](const Indices &i, const Indices &k) {
    Scalar all = cast(Scalar(tokens), i32), none = Scalar::integer(i32, 0);
    Scalar end = larger(smaller(graph.at(ends, {k[0]}), all), none);
    end = select(both(k[0] <= i[0], k[0] > Scalar(0)), end, none);
    return select(i[0] < Scalar(last), end, select(Scalar(last) > Scalar(0), all, none));
  });
}

struct Packed {
  Tensor q, k, v; // [tokens, heads * size]
  int64_t heads;
};

// [tokens, heads * size] as [1, tokens, heads, size].
Tensor asHeads(Op &op, Tensor x, int64_t heads) {
  auto size = x->rank() == 2 && heads > 0 ? Dimension::exactQuotient(x->shape[1], heads) : std::nullopt;
  if (!size)
    op.fail("a tensor has shape " + textOf(x->shape) + "; expected [tokens, a multiple of " + std::to_string(heads) +
            " heads]");
  return op.graph.reshape(x, {1, x->shape[0], heads, *size});
}

// All tokens as one sequence, in which each sees those of its own. bias: [batch or 1, heads or 1, sequence, sequence],
// of positions in their sequences.
Tensor packedAttention(Op &op, const Packed &given, Tensor ends, Tensor bias) {
  Graph &graph = op.graph;
  if (ends->rank() != 1 || ends->dataType != DataType::i32 || ends->shape[0] == Dimension(0))
    op.fail("the cumulative lengths are of " + nameOf(ends->dataType) + " and have shape " + textOf(ends->shape) +
            "; expected int32 [batch + 1]");
  if (bias && bias->rank() != 4)
    op.fail("the bias has shape " + textOf(bias->shape) + "; expected [batch, heads, sequence, sequence]");
  Tensor q = asHeads(op, given.q, given.heads), k = asHeads(op, given.k, given.heads),
         v = asHeads(op, given.v, given.heads);
  const Dimension tokens = q->shape[1];
  for (Tensor other : {k, v})
    if (graph.differ(tokens, other->shape[1], "as many tokens in query, key and value"))
      op.fail("query, key and value have shapes " + textOf(given.q->shape) + ", " + textOf(given.k->shape) + " and " +
              textOf(given.v->shape) + "; expected as many tokens in each");
  const double scale = scaleOf(op, q);
  Tensor starts = trusted(op, ends, tokens), owner = bias ? sequences(op, starts, tokens) : nullptr;
  auto inside = [](const Dimension &size, Scalar at) { return larger(smaller(at, Scalar(size - 1)), Scalar(0)); };
  auto placeOf = [&](Scalar token) {
    Scalar batch = inside(starts->shape[0], cast(graph.at(owner, {token}), ElementType::index));
    return token - cast(graph.at(starts, {batch}), ElementType::index);
  };
  auto isStatic = [](Tensor x) { return x->shape[3].isConstant() && !(x->shape[3] == Dimension(0)); };
  const bool direct =
      q->dataType != DataType::f64 && isStatic(q) && isStatic(v) && q->shape == k->shape && !(tokens == Dimension(0)) &&
      tokens == v->shape[1] &&
      (!bias || (bias->shape[0] == Dimension(1) && (bias->shape[1] == Dimension(1) || bias->shape[1] == q->shape[2])));
  if (direct) {
    auto wide = [&](Tensor x) { return graph.value(graph.cast(x, DataType::f32)); };
    Tensor places =
        bias ? graph.compute(DataType::i32, {tokens},
                             [&](const Indices &i) {
                               return cast(inside(Dimension::min(bias->shape[2], bias->shape[3]), placeOf(i[0])),
                                           ElementType::i32);
                             })
             : nullptr;
    Value made = graph.ir().packedAttentionOver(wide(q), wide(k), wide(v), bias ? wide(bias) : Value(),
                                                graph.value(starts), bias ? graph.value(places) : Value(), scale);
    Tensor whole = graph.computed(DataType::f32, {1, tokens, q->shape[2], v->shape[3]}, made);
    return graph.cast(graph.reshape(whole, {tokens, v->shape[2] * v->shape[3]}), given.q->dataType);
  }
  if (!owner)
    owner = sequences(op, starts, tokens);
  AttentionSpec spec;
  spec.q = graph.transpose(q, {0, 2, 1, 3});
  spec.k = graph.transpose(k, {0, 2, 1, 3});
  spec.v = graph.transpose(v, {0, 2, 1, 3});
  spec.scale = scale;
  spec.allowed = graph.compute(DataType::boolean, {1, 1, tokens, tokens}, [&](const Indices &i) {
    return equal(graph.at(owner, {i[2]}), graph.at(owner, {i[3]}));
  });
  if (bias)
    spec.bias = graph.compute(bias->dataType, {1, bias->shape[1], tokens, tokens}, [&](const Indices &i) {
      Scalar batch = inside(bias->shape[0], cast(graph.at(owner, {i[2]}), ElementType::index));
      return graph.at(bias,
                      {batch, i[1], inside(bias->shape[2], placeOf(i[2])), inside(bias->shape[3], placeOf(i[3]))});
    });
  Tensor merged = mergeHeads(graph, attention(graph, spec).output);
  return graph.reshape(merged, {tokens, merged->shape[2]});
}

std::vector<Tensor> packedAttentionOp(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0), weights = op.input(1);
  const int64_t heads = op.integer("num_heads");
  const auto all = weights->rank() == 2 ? weights->shape[1].constant() : std::nullopt;
  if (x->rank() != 2 || !all)
    op.fail("the input has shape " + textOf(x->shape) + " and the weights " + textOf(weights->shape) +
            "; expected matrices");
  std::vector<int64_t> widths = op.integerList("qkv_hidden_sizes", std::vector<int64_t>(3, *all / 3));
  if (widths.size() != 3 || widths[0] + widths[1] + widths[2] != *all)
    op.fail("the weights have shape " + textOf(weights->shape) +
            ", whose columns are not those of q, k and v together");
  Tensor projected = sumOf(graph, graph.matmul(x, weights), op.input(2));
  const Packed packed{columnsOf(graph, projected, 0, widths[0]), columnsOf(graph, projected, widths[0], widths[1]),
                      columnsOf(graph, projected, widths[0] + widths[1], widths[2]), heads};
  return {packedAttention(op, packed, op.input(4), op.optional(5))};
}

std::vector<Tensor> packedMultiHeadAttention(Op &op) {
  Graph &graph = op.graph;
  const int64_t heads = op.integer("num_heads");
  Tensor query = floatInput(op, 0), key = op.optional(1), value = op.optional(2), bias = op.optional(3);
  if (query->rank() == 4 && query->shape[2] == Dimension(3)) { // [tokens, heads, 3, size]
    auto part = [&](int64_t which) {
      return graph.compute(query->dataType, {query->shape[0], query->shape[1] * query->shape[3]},
                           [&](const Indices &i) {
                             const Scalar size(query->shape[3]);
                             return graph.at(query, {i[0], i[1] / size, Scalar(which), i[1] % size});
                           });
    };
    key = part(1);
    value = part(2);
    query = part(0);
  }
  if (!key || !value || query->rank() != 2 || key->rank() != 2 || value->rank() != 2)
    op.fail("query has shape " + textOf(query->shape) +
            "; expected query, key and value as matrices, or all in one of 4 dimensions");
  if (bias) {
    const Dimension q = query->shape[1], k = key->shape[1], v = value->shape[1];
    if (bias->rank() != 1 || !(bias->shape[0] == q + k + v))
      op.fail("the bias has shape " + textOf(bias->shape) + "; expected [" + (q + k + v).text() + "]");
    query = sumOf(graph, query, columnsOf(graph, bias, 0, q));
    key = sumOf(graph, key, columnsOf(graph, bias, q, k));
    value = sumOf(graph, value, columnsOf(graph, bias, q + k, v));
  }
  return {packedAttention(op, {query, key, value, heads}, op.input(5), op.optional(6))};
}

// Tokens of a batch [batch, length, width], whose sequence b has its first counts[b] rows: [tokens, width], how many
// there are being counted in the run. Then where each token stood among all rows, followed by where padding did; where
// each sequence begins among tokens; and the longest sequence.
std::vector<Tensor> removePadding(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), counts = op.input(1);
  if (x->rank() != 3 || counts->rank() != 1 || counts->dataType != DataType::i32 ||
      graph.differ(x->shape[0], counts->shape[0], "a number of tokens for each sequence"))
    op.fail("the input has shape " + textOf(x->shape) + " and the numbers of tokens are " + nameOf(counts->dataType) +
            " " + textOf(counts->shape) + "; expected [batch, sequence, width] and int32 [batch]");
  const Dimension batch = x->shape[0], length = x->shape[1];
  const ElementType i64 = ElementType::i64;
  auto number = [&](const Dimension &of) { return cast(Scalar(of), i64); };
  auto countOf = [&](Scalar sequence) {
    Scalar count = cast(graph.at(counts, {sequence}), i64);
    return larger(smaller(count, number(length)), like(count, 0));
  };
  Tensor starts =
      graph.reduce(DataType::i64, {batch + 1}, {batch}, Reduction::sum, [&](const Indices &i, const Indices &k) {
        return select(k[0] < i[0], countOf(k[0]), Scalar::integer(i64, 0));
      });
  auto startOf = [&](Scalar sequence) { return graph.at(starts, {sequence}); };
  const Dimension tokens = graph.measured(
      graph.compute(DataType::i64, {}, [&](const Indices &) { return startOf(Scalar(batch)); }), batch * length);
  auto inside = [](const Dimension &size, Scalar at) {
    return larger(smaller(cast(at, ElementType::index), Scalar(size - 1)), Scalar(0));
  };
  Tensor owner = sequences(op, starts, tokens);
  Tensor rows = graph.compute(x->dataType, {tokens, x->shape[2]}, [&](const Indices &i) {
    Scalar sequence = inside(batch, graph.at(owner, {i[0]}));
    return graph.at(x, {sequence, inside(length, cast(i[0], i64) - startOf(sequence)), i[1]});
  });
  // Padding of the sequences before, as starts are tokens of them.
  auto paddingBefore = [&](Scalar sequence) { return cast(sequence, i64) * number(length) - startOf(sequence); };
  Tensor offset = nullptr;
  if (op.wants(1)) {
    Tensor padding =
        graph.reduce(DataType::i64, {batch * length}, {batch}, Reduction::sum, [&](const Indices &i, const Indices &k) {
          // Of the place among all, padding's behind tokens': how many sequences end before it.
          Scalar place = cast(i[0], i64), next = k[0] + Scalar(1), behind = place - startOf(Scalar(batch));
          Scalar passed = select(behind < like(behind, 0), startOf(next) <= place, paddingBefore(next) <= behind);
          return select(passed, Scalar::integer(i64, 1), Scalar::integer(i64, 0));
        });
    offset = graph.compute(DataType::i32, {batch, length}, [&](const Indices &i) {
      Scalar at = i[0] * Scalar(length) + i[1], place = cast(at, i64), behind = place - startOf(Scalar(batch));
      Scalar sequence = inside(batch, graph.at(padding, {at}));
      Scalar within = select(behind < like(behind, 0), place - startOf(sequence),
                             behind - paddingBefore(sequence) + countOf(sequence));
      return cast(cast(sequence, i64) * number(length) + within, ElementType::i32);
    });
    offset->tokenStarts = starts;
  }
  Tensor longest =
      !op.wants(3)
          ? nullptr
          : graph.reduce(DataType::i32, {Dimension(1)}, {batch}, Reduction::max,
                         [&](const Indices &, const Indices &k) { return cast(countOf(k[0]), ElementType::i32); });
  return {rows, offset, op.wants(2) ? graph.cast(starts, DataType::i32) : nullptr, longest};
}

// Row t goes to the place that the offset of token t names; the rest are zeros.
std::vector<Tensor> restorePadding(Op &op) {
  Graph &graph = op.graph;
  Tensor x = op.input(0), offset = op.input(1);
  if (x->rank() != 2 || offset->rank() != 2 || offset->dataType != DataType::i32)
    op.fail("the input has shape " + textOf(x->shape) + " and the offsets are of " + nameOf(offset->dataType) + " " +
            textOf(offset->shape) + "; expected [tokens, width] and int32 [batch, sequence]");
  const Dimension tokens = x->shape[0], batch = offset->shape[0], length = offset->shape[1];
  auto inside = [&](Scalar row) { return larger(smaller(row, Scalar(tokens - 1)), Scalar(0)); };
  if (Tensor starts = offset->tokenStarts) // the same, without a search for each place
    return {graph.compute(x->dataType, {batch, length, x->shape[1]}, [&](const Indices &i) {
      Scalar row = cast(graph.at(starts, {i[0]}), ElementType::index) + i[1];
      Scalar there = row < cast(graph.at(starts, {i[0] + Scalar(1)}), ElementType::index);
      return select(there, graph.at(x, {inside(row), i[2]}), Scalar::real(x->type, 0));
    })};
  const ElementType i64 = ElementType::i64;
  Tensor flat = graph.reshape(offset, {batch * length});
  Tensor source =
      graph.reduce(DataType::i64, {batch, length}, {tokens}, Reduction::max, [&](const Indices &i, const Indices &k) {
        Scalar place = cast(graph.at(flat, {smaller(k[0], Scalar(batch * length - 1))}), ElementType::index);
        return select(equal(place, i[0] * Scalar(length) + i[1]), cast(k[0], i64), Scalar::integer(i64, -1));
      });
  return {graph.compute(x->dataType, {batch, length, x->shape[1]}, [&](const Indices &i) {
    Scalar from = cast(graph.at(source, {i[0], i[1]}), ElementType::index), row = inside(from);
    return select(from < Scalar(0), Scalar::real(x->type, 0), graph.at(x, {row, i[2]}));
  })};
}

constexpr std::string_view kDomain = "com.microsoft";
constexpr Definition kOps[] = {
    {kDomain, "PackedAttention", 1, packedAttentionOp},
    {kDomain, "PackedMultiHeadAttention", 1, packedMultiHeadAttention},
    {kDomain, "RemovePadding", 1, removePadding},
    {kDomain, "RestorePadding", 1, restorePadding},
};

} // namespace

std::span<const Definition> contribPackedOps() { return kOps; }

} // namespace ingot::onnx
