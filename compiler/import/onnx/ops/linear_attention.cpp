// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LinearAttention: a state for each head that every position decays and adds to. Its positions are written out one
// after another, so their number must be known, and few: a step of decoding is one.
#include "compiler/import/onnx/op.h"
#include "compiler/import/onnx/window.h"

#include <cmath>

namespace ingot::onnx {

namespace {

constexpr int64_t kMostPositions = 64;

// state' = decay * state + key x update; output = scale * query . state', where update is value, or with the delta
// rules beta * (value - key . (decay * state)). Everything in f32 (f64 for f64), rounded once at the end.
std::vector<Tensor> linearAttention(Op &op) {
  Graph &graph = op.graph;
  Tensor query = floatInput(op, 0), key = floatInput(op, 1), value = floatInput(op, 2);
  Tensor past = op.optional(3), decay = op.optional(4), beta = op.optional(5);
  const int64_t heads = op.integer("q_num_heads"), shared = op.integer("kv_num_heads");
  const std::string rule = op.string("update_rule", "gated_delta");
  const bool gated = rule == "gated" || rule == "gated_delta", delta = rule == "delta" || rule == "gated_delta";
  if (!gated && !delta && rule != "linear")
    op.fail("update_rule is '" + rule + "'; expected linear, gated, delta or gated_delta");
  if (heads < 1 || shared < 1 || heads % shared)
    op.fail("q_num_heads is " + std::to_string(heads) + " and kv_num_heads " + std::to_string(shared) +
            "; expected a multiple of it");
  if ((gated && !decay) || (delta && !beta))
    op.fail("update_rule " + rule + " needs " + std::string(gated && !decay ? "decay" : "beta"));
  auto check = [&](Tensor x, const char *name) {
    if (x->rank() != 3 || x->dataType != query->dataType)
      op.fail(std::string(name) + " is of " + nameOf(x->dataType) + " and has shape " + textOf(x->shape) +
              "; expected the query's type and [batch, positions, heads * size]");
    if (graph.differ(x->shape[0], query->shape[0], "inputs of one batch") ||
        graph.differ(x->shape[1], query->shape[1], "inputs of as many positions"))
      op.fail(std::string(name) + " has shape " + textOf(x->shape) + "; the query has " + textOf(query->shape));
  };
  for (auto [x, name] : {std::pair{query, "query"}, {key, "key"}, {value, "value"}})
    check(x, name);
  const auto length = query->shape[1].constant(), columns = query->shape[2].constant(), keys = key->shape[2].constant(),
             values = value->shape[2].constant();
  if (!length || *length < 1 || *length > kMostPositions)
    op.fail("it has " + query->shape[1].text() + " positions; from 1 to " + std::to_string(kMostPositions) +
            " are supported, a number that is known");
  if (!columns || !keys || !values || *columns % heads || *keys % shared || *values % shared ||
      *columns / heads != *keys / shared)
    op.fail("query, key and value have " + query->shape[2].text() + ", " + key->shape[2].text() + " and " +
            value->shape[2].text() + " columns, which are no heads of one size");
  const int64_t depth = *keys / shared, width = *values / shared, group = heads / shared;
  const DataType wide = wideType(query->dataType);
  const ElementType held = *storage(wide);
  const Dimension batch = query->shape[0];
  const Shape shape{batch, Dimension(shared), Dimension(depth), Dimension(width)};
  bool each = false, one = false; // a decay for each element of the key; a beta for all heads
  if (gated) {
    check(decay, "decay");
    each = decay->shape[2] == Dimension(*keys) && depth > 1;
    if (!each && !(decay->shape[2] == Dimension(shared)))
      op.fail("decay has shape " + textOf(decay->shape) +
              "; expected a number for each head, or for each element of the key");
  }
  if (delta) {
    check(beta, "beta");
    one = beta->shape[2] == Dimension(1);
    if (!one && !(beta->shape[2] == Dimension(shared)))
      op.fail("beta has shape " + textOf(beta->shape) + "; expected a number for each head, or one");
  }
  if (past && (past->rank() != 4 || !(past->shape[1] == shape[1]) || !(past->shape[2] == shape[2]) ||
               !(past->shape[3] == shape[3]) || graph.differ(past->shape[0], batch, "a past_state of the batch")))
    op.fail("past_state has shape " + textOf(past->shape) + "; expected " + textOf(shape));
  double scale = op.real("scale", 0);
  if (scale == 0)
    scale = 1 / std::sqrt(double(depth));
  Tensor state = past ? graph.cast(past, wide) : graph.broadcast(graph.scalar(wide, 0), shape);
  std::vector<Tensor> outputs;
  for (int64_t t = 0; t < *length; ++t) {
    // An element of a packed input at this position.
    auto at = [&](Tensor x, const Scalar &b, const Scalar &column) {
      return widened(graph.at(x, {b, Scalar(t), column}));
    };
    auto keyAt = [&](const Scalar &b, const Scalar &h, const Scalar &i) { return at(key, b, h * Scalar(depth) + i); };
    if (gated)
      state = graph.compute(wide, shape, [&](const Indices &i) {
        return apply(ScalarOp::exp, at(decay, i[0], each ? i[1] * Scalar(depth) + i[2] : i[1])) * graph.at(state, i);
      });
    Tensor kept; // what the state holds for this key: [batch, heads, width]
    if (delta)
      kept = graph.reduce(wide, {batch, Dimension(shared), Dimension(width)}, {Dimension(depth)}, Reduction::sum,
                          [&](const Indices &i, const Indices &k) {
                            return graph.at(state, {i[0], i[1], k[0], i[2]}) * keyAt(i[0], i[1], k[0]);
                          });
    state = graph.compute(wide, shape, [&](const Indices &i) {
      Scalar update = at(value, i[0], i[1] * Scalar(width) + i[3]);
      if (delta)
        update = at(beta, i[0], one ? Scalar(0) : i[1]) * (update - graph.at(kept, {i[0], i[1], i[3]}));
      return graph.at(state, i) + keyAt(i[0], i[1], i[2]) * update;
    });
    Tensor sum = graph.reduce(wide, {batch, Dimension(heads), Dimension(width)}, {Dimension(depth)}, Reduction::sum,
                              [&](const Indices &i, const Indices &k) {
                                return at(query, i[0], i[1] * Scalar(depth) + k[0]) *
                                       graph.at(state, {i[0], i[1] / Scalar(group), k[0], i[2]});
                              });
    Tensor scaled =
        graph.map(wide, {sum}, [&](const std::vector<Scalar> &x) { return x[0] * Scalar::real(held, scale); });
    outputs.push_back(
        graph.reshape(graph.cast(scaled, query->dataType), {batch, Dimension(1), Dimension(heads * width)}));
  }
  return {graph.concat(outputs, 1), graph.cast(state, past ? past->dataType : query->dataType)};
}

constexpr Definition kOps[] = {
    {"", "LinearAttention", 27, linearAttention},
};

} // namespace

std::span<const Definition> linearAttentionOps() { return kOps; }

} // namespace ingot::onnx
