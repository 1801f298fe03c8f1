// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ai.onnx's Attention, FlexAttention and RotaryEmbedding; what they compute is in compiler/import/onnx/attention.h.
#include "compiler/import/onnx/attention.h"
#include "compiler/import/onnx/window.h"

#include <cmath>

namespace ingot::onnx {

namespace {

// A mask may name fewer keys than there are; those after it are not seen. Ranks below 2 are rows for all queries.
Tensor paddedMask(Op &op, Tensor mask, const Dimension &keys) {
  Graph &graph = op.graph;
  if (mask->rank() < 1 || mask->rank() > 4)
    op.fail("the mask has shape " + textOf(mask->shape) + "; expected one that is broadcast to [batch, heads, queries, keys]");
  const Dimension have = mask->shape.back();
  if (have == keys || have == Dimension(1))
    return mask;
  if (have.isConstant() && keys.isConstant() && *have.constant() > *keys.constant())
    op.fail("the mask has shape " + textOf(mask->shape) + "; there are " + keys.text() + " keys");
  Shape shape = mask->shape;
  shape.back() = keys;
  const bool truth = mask->dataType == DataType::boolean;
  return graph.compute(mask->dataType, shape, [&](const Indices &i) {
    Indices own = i;
    own.back() = larger(smaller(i.back(), Scalar(have - 1)), Scalar(0));
    return select(i.back() < Scalar(have), graph.at(mask, own),
                  truth ? Scalar::integer(ElementType::i1, 0) : Scalar::real(mask->type, -INFINITY));
  });
}

std::vector<Tensor> attentionOp(Op &op) {
  Graph &graph = op.graph;
  AttentionSpec spec;
  spec.q = floatInput(op, 0);
  spec.k = floatInput(op, 1);
  spec.v = floatInput(op, 2);
  Tensor mask = op.optional(3), pastKey = op.optional(4), pastValue = op.optional(5), lengths = op.optional(6);
  const bool packed = spec.q->rank() == 3;
  if (packed) {
    const int64_t heads = op.integer("q_num_heads"), shared = op.integer("kv_num_heads");
    spec.q = splitHeads(graph, spec.q, heads);
    spec.k = splitHeads(graph, spec.k, shared);
    spec.v = splitHeads(graph, spec.v, shared);
  }
  if (spec.q->rank() != 4 || spec.k->rank() != 4 || spec.v->rank() != 4)
    op.fail("q, k and v have shapes " + textOf(spec.q->shape) + ", " + textOf(spec.k->shape) + " and " + textOf(spec.v->shape) +
            "; expected all of 3 or of 4 dimensions");
  if (pastKey && lengths)
    op.fail("past_key and nonpad_kv_seqlen exclude each other");
  prependPast(op, spec, pastKey, pastValue);
  const auto size = spec.q->shape[3].constant();
  if (!size && !op.has("scale"))
    op.fail("the size of a head is " + spec.q->shape[3].text() + "; expected a constant");
  spec.scale = op.has("scale") ? op.real("scale") : 1 / std::sqrt(double(*size));
  spec.softCap = op.real("softcap", 0.0);
  spec.causal = op.integer("is_causal", 0) != 0;
  spec.left = op.integer("left_window_size", -1);
  spec.right = op.integer("right_window_size", -1);
  if (spec.left < -1 || spec.right < -1)
    op.fail("a window's size is less than -1");
  if (lengths) {
    if (lengths->rank() != 1 || lengths->dataType != DataType::i64)
      op.fail("nonpad_kv_seqlen is of " + nameOf(lengths->dataType) + " and has shape " + textOf(lengths->shape) + "; expected int64 [batch]");
    spec.lengths = lengths;
    const Dimension queries = spec.q->shape[2];
    spec.offsets = graph.map(DataType::i64, {lengths}, [&](const std::vector<Scalar> &x) {
      return x[0] - cast(Scalar(queries), ElementType::i64);
    });
  }
  if (mask) {
    mask = paddedMask(op, mask, spec.k->shape[2]);
    if (mask->dataType == DataType::boolean)
      spec.allowed = mask;
    else
      spec.bias = mask;
    spec.guardBias = true;
  }
  if (op.has("softmax_precision")) {
    spec.softmaxType = DataType(op.integer("softmax_precision"));
    auto held = storage(spec.softmaxType);
    if (!held || !isFloat(*held))
      op.fail("softmax_precision is " + nameOf(spec.softmaxType) + "; expected a float type");
  }
  const Attended result = attention(graph, spec);
  std::vector<Tensor> outputs{packed ? mergeHeads(graph, result.output) : result.output, spec.k, spec.v};
  const int64_t mode = op.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3)
    op.fail("qk_matmul_output_mode is " + std::to_string(mode) + "; expected 0 to 3");
  if (op.wants(3)) {
    const Tensor all[] = {result.scores, result.capped, result.biased, result.probabilities};
    outputs.push_back(graph.cast(all[mode], spec.q->dataType));
  }
  return outputs;
}

// Attention whose scores and probabilities graphs may change (ai.onnx.preview).
std::vector<Tensor> flexAttention(Op &op) {
  Graph &graph = op.graph;
  AttentionSpec spec;
  spec.q = floatInput(op, 0);
  spec.k = floatInput(op, 1);
  spec.v = floatInput(op, 2);
  const auto size = spec.q->rank() == 4 ? spec.q->shape[3].constant() : std::nullopt;
  if (!size && !op.has("scale"))
    op.fail("the size of a head in " + textOf(spec.q->shape) + " is not known; expected q of 4 dimensions, the last a constant");
  spec.scale = op.has("scale") ? op.real("scale") : 1 / std::sqrt(double(*size));
  const DataType type = DataType(op.integer("softmax_precision", int64_t(spec.q->dataType == DataType::f64 ? DataType::f64 : DataType::f32)));
  if (auto held = storage(type); !held || !isFloat(*held) || isSmallFloat(type))
    op.fail("softmax_precision is " + nameOf(type) + "; expected a float type of 16 bits or more");
  spec.softmaxType = type;
  auto modifierOf = [&](const char *name) -> std::function<Tensor(Tensor)> {
    const proto::AttributeProto *attribute = op.attribute(name);
    if (!attribute)
      return {};
    if (!attribute->has_g())
      op.fail(std::string("attribute '") + name + "' is no graph");
    return [&op, &graph, type, name, attribute](Tensor x) {
      const std::vector<Tensor> made = op.runGraph(attribute->g(), {graph.cast(x, type)});
      if (made.size() != 1 || made[0]->dataType != type || made[0]->rank() != x->rank())
        op.fail(std::string("graph ") + name + " gives " +
                (made.size() == 1 ? nameOf(made[0]->dataType) + " " + textOf(made[0]->shape) : std::to_string(made.size()) + " outputs") +
                "; expected one of " + nameOf(type) + " " + textOf(x->shape));
      for (size_t d = 0; d < x->rank(); ++d)
        if (graph.differ(made[0]->shape[d], x->shape[d], std::string("what ") + name + " gives to have the shape of what it is given"))
          op.fail(std::string("graph ") + name + " gives shape " + textOf(made[0]->shape) + "; expected that of its input, " + textOf(x->shape));
      return graph.cast(made[0], x->dataType);
    };
  };
  spec.modifyScores = modifierOf("score_mod");
  spec.modifyProbabilities = modifierOf("prob_mod");
  return {attention(graph, spec).output};
}

std::vector<Tensor> rotaryEmbedding(Op &op) {
  Graph &graph = op.graph;
  Tensor x = floatInput(op, 0);
  RotarySpec spec;
  spec.cos = op.input(1);
  spec.sin = op.input(2);
  spec.positions = op.optional(3);
  spec.interleaved = op.integer("interleaved", 0) != 0;
  spec.width = op.integer("rotary_embedding_dim", 0);
  const bool packed = x->rank() == 3;
  spec.x = packed ? splitHeads(graph, x, op.integer("num_heads")) : x;
  Tensor turned = rotary(graph, spec);
  return {packed ? mergeHeads(graph, turned) : turned};
}

constexpr Definition kOps[] = {
    {"", "Attention", 23, attentionOp},
    {"ai.onnx.preview", "FlexAttention", 1, flexAttention},
    {"", "RotaryEmbedding", 23, rotaryEmbedding},
};

} // namespace

std::span<const Definition> attentionOps() { return kOps; }

} // namespace ingot::onnx
