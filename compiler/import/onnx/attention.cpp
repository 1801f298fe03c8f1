// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See attention.h.
#include "compiler/import/onnx/attention.h"
#include "compiler/import/onnx/window.h"

#include <limits>

namespace ingot::onnx {

void prependPast(Op &op, AttentionSpec &spec, Tensor pastKey, Tensor pastValue) {
  if (!pastKey != !pastValue)
    op.fail("past_key and past_value go together");
  if (!pastKey)
    return;
  if (pastKey->rank() != 4 || pastValue->rank() != 4)
    op.fail("past_key and past_value have shapes " + textOf(pastKey->shape) + " and " + textOf(pastValue->shape) +
            "; expected [batch, heads, sequence, size]");
  spec.offset = pastKey->shape[2];
  spec.k = op.graph.concat({pastKey, spec.k}, 2);
  spec.v = op.graph.concat({pastValue, spec.v}, 2);
}

Tensor splitHeads(Graph &graph, Tensor x, int64_t heads) {
  if (x->rank() != 3)
    throw ImportError("a tensor has shape " + textOf(x->shape) + "; expected [batch, sequence, heads * size]");
  auto size = heads > 0 ? Dimension::exactQuotient(x->shape[2], heads) : std::nullopt;
  if (!size)
    throw ImportError("the last dimension of a tensor of shape " + textOf(x->shape) + " is no multiple of " +
                      std::to_string(heads) + " heads");
  return graph.transpose(graph.reshape(x, {x->shape[0], x->shape[1], Dimension(heads), *size}), {0, 2, 1, 3});
}

Tensor mergeHeads(Graph &graph, Tensor x) {
  Tensor turned = graph.transpose(x, {0, 2, 1, 3});
  return graph.reshape(turned, {turned->shape[0], turned->shape[1], turned->shape[2] * turned->shape[3]});
}

static void check(Graph &graph, const AttentionSpec &spec) {
  const Shape &q = spec.q->shape, &k = spec.k->shape, &v = spec.v->shape;
  const std::string shapes = "q, k and v have shapes " + textOf(q) + ", " + textOf(k) + " and " + textOf(v);
  if (q.size() != 4 || k.size() != 4 || v.size() != 4)
    throw ImportError(shapes + "; expected [batch, heads, sequence, size]");
  if (spec.q->dataType != spec.k->dataType || spec.q->dataType != spec.v->dataType || !isFloat(spec.q->type))
    throw ImportError("q, k and v are of " + nameOf(spec.q->dataType) + ", " + nameOf(spec.k->dataType) + " and " +
                      nameOf(spec.v->dataType) + "; expected floats of one type");
  auto apart = [&](const Dimension &a, const Dimension &b) { return graph.differ(a, b, "that " + shapes + ", which go together"); };
  if (apart(q[0], k[0]) || apart(q[0], v[0]) || apart(k[1], v[1]) || apart(k[2], v[2]) || apart(q[3], k[3]))
    throw ImportError(shapes + ", which do not go together");
  if (!q[1].isConstant() || !k[1].isConstant() || k[1] == Dimension(0) || *q[1].constant() % *k[1].constant())
    throw ImportError(shapes + "; expected heads of q that are a multiple of those of k");
}

// Which keys positions and lengths let a query see, bool [B or 1, 1, S, T]; null where they let it see all.
static Tensor visible(Graph &graph, const AttentionSpec &spec) {
  for (Tensor each : {spec.lengths, spec.offsets})
    if (each && (each->rank() != 1 || graph.differ(each->shape[0], spec.q->shape[0], "a length for each sequence")))
      throw ImportError("lengths of sequences have shape " + textOf(each->shape) + "; expected [" + spec.q->shape[0].text() + "]");
  const int64_t right = spec.causal ? (spec.right < 0 ? 0 : std::min<int64_t>(spec.right, 0)) : spec.right;
  if (right < 0 && spec.left < 0 && !spec.lengths)
    return nullptr;
  const bool positions = right >= 0 || spec.left >= 0;
  const bool each = spec.lengths || (positions && spec.offsets);
  Shape shape{each ? spec.q->shape[0] : Dimension(1), Dimension(1), positions ? spec.q->shape[2] : Dimension(1), spec.k->shape[2]};
  return graph.compute(DataType::boolean, shape, [&](const Indices &i) {
    Scalar seen;
    auto add = [&](Scalar condition) { seen = seen ? both(seen, condition) : condition; };
    if (positions) {
      Scalar at = i[2] + (spec.offsets ? cast(graph.at(spec.offsets, {i[0]}), ElementType::index) : Scalar(spec.offset));
      if (right >= 0)
        add(i[3] <= at + Scalar(right));
      if (spec.left >= 0)
        add(i[3] >= at - Scalar(spec.left));
    }
    if (spec.lengths)
      add(i[3] < cast(graph.at(spec.lengths, {i[0]}), ElementType::index));
    return seen;
  });
}

static Tensor conjunction(Graph &graph, Tensor a, Tensor b) {
  if (!a || !b)
    return a ? a : b;
  return graph.map(DataType::boolean, {a, b}, [](const std::vector<Scalar> &x) { return both(x[0], x[1]); });
}

// softmax over the last axis with one more logit in the sum, f32 or f64.
static Tensor softmaxBeside(Graph &graph, Tensor x, Tensor sink) {
  Tensor logits = graph.reshape(graph.cast(sink, x->dataType), {Dimension(1), sink->shape[0], Dimension(1), Dimension(1)});
  Tensor most = graph.elementwise(ScalarOp::max, {graph.reduceAxes(Reduction::max, x, {3}, true), logits});
  Tensor powers = graph.elementwise(ScalarOp::exp, {graph.elementwise(ScalarOp::sub, {x, most})});
  Tensor beside = graph.elementwise(ScalarOp::exp, {graph.elementwise(ScalarOp::sub, {logits, most})});
  Tensor sum = graph.elementwise(ScalarOp::add, {graph.reduceAxes(Reduction::sum, powers, {3}, true), beside});
  return graph.elementwise(ScalarOp::div, {powers, sum});
}

// A mask or bias with the dimensions of the scores, or 1, where exporters gave them names of their own.
static Tensor fitted(Graph &graph, Tensor mask, const Shape &scores) {
  if (!mask || mask->rank() > scores.size())
    return mask;
  Shape shape = mask->shape;
  for (size_t d = 0; d < shape.size(); ++d) {
    const Dimension &wanted = scores[scores.size() - shape.size() + d];
    if (shape[d] == Dimension(1) || shape[d] == wanted)
      continue;
    if (graph.differ(shape[d], wanted, "a mask or bias of shape " + textOf(mask->shape) + " for scores of " + textOf(scores)))
      throw ImportError("a mask or bias has shape " + textOf(mask->shape) + "; expected one that repeats to " + textOf(scores));
    shape[d] = wanted;
  }
  if (shape == mask->shape)
    return mask;
  return graph.compute(mask->dataType, shape, [&](const Indices &i) { return graph.at(mask, i); });
}

Attended attention(Graph &graph, const AttentionSpec &given) {
  check(graph, given);
  AttentionSpec spec = given;
  for (Tensor *mask : {&spec.bias, &spec.allowed})
    *mask = fitted(graph, *mask, {spec.q->shape[0], spec.q->shape[1], spec.q->shape[2], spec.k->shape[2]});
  const DataType type = spec.q->dataType, wide = wideType(type);
  const int64_t heads = *spec.q->shape[1].constant(), shared = *spec.k->shape[1].constant();
  const Dimension batch = spec.q->shape[0], rows = spec.q->shape[2], columns = spec.k->shape[2];
  // With fewer heads of keys, q's are seen as groups that share one.
  auto grouped = [&](Tensor x) {
    return heads == shared ? x : graph.reshape(x, {x->shape[0], Dimension(shared), Dimension(heads / shared), x->shape[2], x->shape[3]});
  };
  auto sharedHead = [&](Tensor x) {
    return heads == shared ? x : graph.reshape(x, {x->shape[0], Dimension(shared), Dimension(1), x->shape[2], x->shape[3]});
  };
  Attended result{};
  auto scaledBy = [&](Tensor x, double factor) {
    return factor == 1 ? x : graph.elementwise(ScalarOp::mul, {x, graph.scalar(x->dataType, factor)});
  };
  // Scores, masks and softmax are f32 for 16-bit floats: the graph rounds them where they leave it.
  Tensor product = graph.matmul(graph.cast(grouped(spec.q), wide), graph.cast(sharedHead(graph.transpose(spec.k, {0, 1, 3, 2})), wide));
  Tensor scores = scaledBy(graph.reshape(product, {batch, Dimension(heads), rows, columns}), spec.scale);
  result.scores = scores;
  if (spec.softCap > 0)
    scores = scaledBy(graph.elementwise(ScalarOp::tanh, {scaledBy(scores, 1 / spec.softCap)}), spec.softCap);
  if (spec.modifyScores)
    scores = spec.modifyScores(scores);
  result.capped = scores;
  Tensor allowed = conjunction(graph, spec.allowed, visible(graph, spec));
  if (spec.bias) {
    if (!isFloat(spec.bias->type))
      throw ImportError("the bias is of " + nameOf(spec.bias->dataType) + "; expected floats");
    scores = graph.elementwise(ScalarOp::add, {scores, graph.cast(spec.bias, wide)});
    if (spec.guardBias) {
      Tensor finite = graph.map(DataType::boolean, {spec.bias}, [](const std::vector<Scalar> &x) {
        return apply(ScalarOp::ne, x[0], like(x[0], -std::numeric_limits<double>::infinity()));
      });
      allowed = conjunction(graph, allowed, finite);
    }
  }
  const DataType precise = spec.softmaxType == DataType::undefined ? wide : wideType(spec.softmaxType);
  result.biased = scores;
  Tensor logits = graph.cast(scores, precise);
  if (allowed) {
    result.biased = graph.where(allowed, scores, graph.scalar(wide, -std::numeric_limits<double>::infinity()));
    // A finite number, so that a row without keys has a softmax, which is then taken away.
    logits = graph.where(allowed, logits, graph.scalar(precise, -std::numeric_limits<float>::max()));
  }
  Tensor probabilities = spec.sink ? softmaxBeside(graph, logits, spec.sink) : graph.softmax(logits, 3);
  if (allowed)
    probabilities = graph.where(allowed, probabilities, graph.scalar(precise, 0));
  probabilities = graph.cast(probabilities, wide);
  if (spec.modifyProbabilities)
    probabilities = spec.modifyProbabilities(probabilities);
  result.probabilities = probabilities;
  Tensor output = graph.matmul(grouped(probabilities), graph.cast(sharedHead(spec.v), wide));
  result.output = graph.cast(graph.reshape(output, {batch, Dimension(heads), rows, spec.v->shape[3]}), type);
  return result;
}

Tensor rotary(Graph &graph, const RotarySpec &spec) {
  Tensor x = spec.x;
  if (x->rank() != 4)
    throw ImportError("the input has shape " + textOf(x->shape) + "; expected [batch, heads, sequence, size]");
  auto size = x->shape[3].constant();
  const int64_t width = spec.width ? spec.width : size.value_or(0), half = width / 2;
  if (!size || width < 2 || width % 2 || width > *size)
    throw ImportError("the rotated width is " + std::to_string(width) + " of " + x->shape[3].text() +
                      " elements; expected an even number up to that");
  const size_t rank = spec.positions ? 2 : 3;
  for (Tensor cache : {spec.cos, spec.sin})
    if (cache->rank() != rank || graph.differ(cache->shape.back(), half, "tables of cosines and sines of half a head") || cache->dataType != x->dataType)
      throw ImportError("a table of cosines or sines is of " + nameOf(cache->dataType) + " and has shape " + textOf(cache->shape) +
                        "; expected the input's type and " + std::to_string(half) + " columns in " + std::to_string(rank) + " dimensions");
  if (spec.positions && (spec.positions->rank() != 2 || isFloat(spec.positions->type)))
    throw ImportError("the positions have shape " + textOf(spec.positions->shape) + "; expected integers [batch, sequence]");
  auto goes = [&](Tensor of) { // of all, or of each sequence; a row for each position
    return (of->shape[0] == Dimension(1) || !graph.differ(of->shape[0], x->shape[0], "positions of shape " + textOf(of->shape) + " for " + textOf(x->shape))) &&
           !graph.differ(of->shape[1], x->shape[2], "positions of shape " + textOf(of->shape) + " for " + textOf(x->shape));
  };
  if (spec.positions ? !goes(spec.positions) : !goes(spec.cos) || !goes(spec.sin))
    throw ImportError((spec.positions ? "the positions have shape " + textOf(spec.positions->shape)
                                      : "the tables have shapes " + textOf(spec.cos->shape) + " and " + textOf(spec.sin->shape)) +
                      "; expected rows for a batch of " + x->shape[0].text() + " and " + x->shape[2].text() + " positions");
  const DataType wide = wideType(x->dataType);
  Tensor turned = graph.compute(wide, x->shape, [&](const Indices &i) {
    const Scalar zero(0), two(2), middle(half), inside = i[3] < Scalar(width);
    Scalar pair, second, partner;
    if (spec.interleaved) {
      pair = i[3] / two;
      second = equal(i[3] % two, Scalar(1));
      partner = select(second, i[3] - Scalar(1), i[3] + Scalar(1));
    } else {
      second = i[3] >= middle;
      pair = select(second, i[3] - middle, i[3]);
      partner = select(second, i[3] - middle, i[3] + middle);
    }
    pair = smaller(pair, Scalar(half - 1));
    partner = larger(smaller(partner, Scalar(*size - 1)), zero);
    auto table = [&](Tensor cache) {
      // Where a batch's tables or positions are given once, they are for all.
      auto batch = [&](Tensor of) { return of->shape[0] == Dimension(1) ? zero : i[0]; };
      if (!spec.positions)
        return widened(graph.at(cache, {batch(cache), i[2], pair}));
      Scalar row = cast(graph.at(spec.positions, {batch(spec.positions), i[2]}), ElementType::index);
      return widened(graph.at(cache, {larger(smaller(row, Scalar(cache->shape[0] - 1)), zero), pair}));
    };
    Scalar own = widened(graph.at(x, i)), other = widened(graph.at(x, {i[0], i[1], i[2], partner}));
    Scalar cosine = table(spec.cos), sine = table(spec.sin);
    Scalar rotated = own * cosine + select(second, other * sine, -(other * sine));
    return select(inside, rotated, own);
  });
  return graph.cast(turned, x->dataType);
}

} // namespace ingot::onnx
