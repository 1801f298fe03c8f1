// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft's GroupQueryAttention (ONNX Runtime, docs/ContribOperators.md): attention of decoders, whose cache holds
// sequences of different lengths from its first row on.
#include "compiler/import/onnx/compose.h"
#include "compiler/import/onnx/ops/contrib_attention.h"
#include "compiler/import/onnx/window.h"

namespace ingot::onnx {

namespace {

// The node's inputs, checked.
struct Cache {
  Tensor pastKey, pastValue;
  Tensor past;  // i64 [batch]: rows of each sequence that the cache held
  Tensor total; // i64 [batch]: with the new ones
  Dimension rows;
};

// New rows stand behind those that each sequence has; rows beyond both are what they were, or zeros.
Tensor appended(Graph &graph, Tensor past, Tensor fresh, const Cache &cache) {
  Shape shape = fresh->shape;
  shape[2] = cache.rows;
  return graph.compute(fresh->dataType, shape, [&](const Indices &i) {
    const Scalar zero(0), count(fresh->shape[2]);
    Scalar own = i[2] - cast(graph.at(cache.past, {i[0]}), ElementType::index);
    auto row = [&](Tensor of, Scalar at) {
      return graph.at(of, {i[0], i[1], larger(smaller(at, Scalar(of->shape[2] - 1)), zero), i[3]});
    };
    Scalar rest = Scalar::real(fresh->type, 0);
    // A past of no rows is never read.
    if (past && !(past->shape[2] == Dimension(0)))
      rest = select(i[2] < Scalar(past->shape[2]), row(past, i[2]), rest);
    return select(both(own >= zero, own < count), row(fresh, own), rest);
  });
}

// RMS norm of each head.
Tensor normed(Op &op, Tensor x, Tensor weight, const char *epsilon) {
  const double eps = op.real(epsilon, op.real("qk_norm_epsilon", 1e-6));
  return composed(op, "RMSNormalization", 23, {x, weight}, {{"epsilon", eps}})[0];
}

Tensor rotated(Op &op, Tensor x, const Cache &cache, Tensor positions) {
  Graph &graph = op.graph;
  RotarySpec spec;
  spec.x = x;
  spec.cos = op.input(7);
  spec.sin = op.input(8);
  spec.interleaved = op.integer("rotary_interleaved", 0) != 0;
  auto half = spec.cos->rank() == 2 ? spec.cos->shape[1].constant() : std::nullopt;
  if (!half)
    op.fail("cos_cache has shape " + textOf(spec.cos->shape) + "; expected [positions, half the rotated width]");
  spec.width = *half * 2;
  spec.positions = positions;
  if (!positions)
    spec.positions = graph.compute(DataType::i64, {x->shape[0], x->shape[2]}, [&](const Indices &i) {
      return graph.at(cache.past, {i[0]}) + cast(i[1], ElementType::i64);
    });
  return rotary(graph, spec);
}

std::vector<Tensor> groupQueryAttention(Op &op) {
  Graph &graph = op.graph;
  const int64_t heads = op.integer("num_heads"), shared = op.integer("kv_num_heads");
  Tensor query = floatInput(op, 0), key = op.optional(1), value = op.optional(2);
  if (heads < 1 || shared < 1 || heads % shared)
    op.fail("num_heads is " + std::to_string(heads) + " and kv_num_heads " + std::to_string(shared) +
            "; expected a multiple of it");
  for (const char *name : {"k_quant_type", "v_quant_type"})
    if (op.string(name, "NONE") != "NONE")
      op.fail("caches of quantized numbers are not supported");
  if (op.integer("sliding_window_cache", 0))
    op.fail("sliding_window_cache is not supported");
  if (op.optional(16))
    op.fail("its input query_seqlens is not supported");
  AttentionSpec spec;
  if (key && value) {
    spec.q = splitHeads(graph, query, heads);
    spec.k = splitHeads(graph, key, shared);
    spec.v = splitHeads(graph, value, shared);
  } else if (!key && !value && query->rank() == 3) { // side by side
    auto size = Dimension::exactQuotient(query->shape[2], heads + 2 * shared);
    if (!size)
      op.fail("query has shape " + textOf(query->shape) + "; expected q, k and v side by side");
    spec.q = splitHeads(graph, columnsOf(graph, query, 0, *size * heads), heads);
    spec.k = splitHeads(graph, columnsOf(graph, query, *size * heads, *size * shared), shared);
    spec.v = splitHeads(graph, columnsOf(graph, query, *size * (heads + shared), *size * shared), shared);
  } else {
    op.fail("key and value go together, and query has 3 dimensions; it has shape " + textOf(query->shape));
  }
  const Dimension batch = spec.q->shape[0], queries = spec.q->shape[2];

  Tensor last = op.input(5);
  if (op.graph.differ(elementsOf(last->shape), batch, "an element of seqlens_k for each of the batch"))
    op.fail("seqlens_k has shape " + textOf(last->shape) + "; expected [" + batch.text() + "]");
  if (last->dataType != DataType::i32 && last->dataType != DataType::i64)
    op.fail("seqlens_k is of " + nameOf(last->dataType) + "; expected int32");
  last = graph.reshape(last, {batch});
  Cache cache{op.optional(3), op.optional(4), nullptr, nullptr, Dimension(0)};
  // Where a run says how many positions there are, keys and values are written in place: results have the rows that the past has.
  Tensor total = op.input(6);
  const bool inPlace = !graph.knownIntegers(total) && cache.pastKey && cache.pastKey->rank() == 4 && cache.pastKey->shape[2].isConstant();
  std::optional<Dimension> longest;
  if (!inPlace) {
    const std::vector<Dimension> totals = op.integers(6);
    if (totals.size() != 1)
      op.fail("total_sequence_length has " + std::to_string(totals.size()) + " elements; expected one");
    longest = cache.rows = totals[0];
  } else if (total->type == ElementType::i32 || total->type == ElementType::i64) {
    total = graph.reshape(total, {Dimension(1)});
  } else {
    op.fail("total_sequence_length is of " + nameOf(total->dataType) + "; expected int32");
  }
  if (!cache.pastKey != !cache.pastValue)
    op.fail("past_key and past_value go together");
  for (Tensor past : {cache.pastKey, cache.pastValue})
    if (past && (past->rank() != 4 || past->dataType != spec.k->dataType || !(past->shape[1] == Dimension(shared))))
      op.fail("a past is of " + nameOf(past->dataType) + " and has shape " + textOf(past->shape) + "; expected [batch, " +
              std::to_string(shared) + ", sequence, size] of the query's type");
  if (cache.pastKey) {
    graph.equate(cache.pastKey->shape[3], spec.k->shape[3]);
    graph.equate(cache.pastValue->shape[3], spec.v->shape[3]);
  }
  if (cache.pastKey)
    cache.rows = longest ? Dimension::max(cache.pastKey->shape[2], *longest) : cache.pastKey->shape[2];
  cache.total = graph.map(DataType::i64, {last}, [](const std::vector<Scalar> &x) {
    return cast(x[0], ElementType::i64) + Scalar::integer(ElementType::i64, 1);
  });
  // A step of as many queries as the longest sequence has positions is the first, of prompts padded behind.
  cache.past = graph.compute(DataType::i64, {batch}, [&](const Indices &i) {
    const Scalar fresh(queries), zero = Scalar::integer(ElementType::i64, 0);
    const Scalar all = longest ? Scalar(*longest) : cast(graph.at(total, {Scalar(0)}), ElementType::index);
    return select(equal(fresh, all), zero, larger(graph.at(cache.total, {i[0]}) - cast(fresh, ElementType::i64), zero));
  });

  if (Tensor weight = op.optional(14); weight || op.optional(15)) {
    spec.q = normed(op, spec.q, op.input(14), "q_norm_epsilon");
    spec.k = normed(op, spec.k, op.input(15), "k_norm_epsilon");
  }
  if (op.integer("do_rotary", 0)) {
    Tensor positions = op.optional(9);
    spec.q = rotated(op, spec.q, cache, positions);
    spec.k = rotated(op, spec.k, cache, positions);
  }
  spec.k = appended(graph, cache.pastKey, spec.k, cache);
  spec.v = appended(graph, cache.pastValue, spec.v, cache);
  Tensor presentKey = spec.k, presentValue = spec.v;

  spec.scale = scaleOf(op, spec.q);
  spec.softCap = op.real("softcap", 0.0);
  spec.offsets = cache.past;
  spec.causal = op.integer("causal", 1) != 0;
  if (!spec.causal)
    spec.lengths = cache.total;
  const int64_t window = op.integer("local_window_size", -1);
  if (window >= 0)
    spec.left = window - 1 < 0 ? 0 : window - 1; // the query's position is one of the window
  if (Tensor bias = op.optional(10)) {
    spec.bias = bias;
    // It names no more keys than the longest sequence has; a cache may have more rows, which no query sees.
    if (bias->rank() == 4 && !(bias->shape[3] == cache.rows)) {
      Shape shape = bias->shape;
      shape[3] = cache.rows;
      spec.bias = graph.compute(bias->dataType, shape, [&](const Indices &i) {
        Scalar at = smaller(i[3], Scalar(bias->shape[3] - 1));
        return graph.at(bias, {i[0], i[1], i[2], at});
      });
    }
  }
  spec.sink = op.optional(11);
  if (!spec.sink && op.integer("smooth_softmax", -1) == 1)
    spec.sink = graph.scalar(DataType::f32, 0, {heads});
  if (spec.sink && (spec.sink->rank() != 1 || !(spec.sink->shape[0] == Dimension(heads))))
    op.fail("head_sink has shape " + textOf(spec.sink->shape) + "; expected [" + std::to_string(heads) + "]");
  const Attended result = attention(graph, spec);
  Tensor scores = nullptr;
  if (op.wants(3)) {
    const int64_t which = op.integer("qk_output", 0);
    if (which != 1 && which != 2)
      op.fail("qk_output is " + std::to_string(which) + "; expected 1 or 2 where the output is wanted");
    scores = graph.cast(which == 1 ? result.biased : result.probabilities, spec.q->dataType);
  }
  return {mergeHeads(graph, result.output), presentKey, presentValue, scores};
}

constexpr Definition kOps[] = {
    {"com.microsoft", "GroupQueryAttention", 1, groupQueryAttention},
};

} // namespace

std::span<const Definition> contribCacheOps() { return kOps; }

} // namespace ingot::onnx
