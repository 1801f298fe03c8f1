// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention as all attention operators say it, composed of named operations in one place: products, masks, softmax. What an
// operator's inputs mean (packed heads, caches, kinds of masks) is its own matter.
#ifndef INGOT_COMPILER_IMPORT_ONNX_ATTENTION_H
#define INGOT_COMPILER_IMPORT_ONNX_ATTENTION_H

#include "compiler/import/onnx/op.h"

namespace ingot::onnx {

struct AttentionSpec {
  Tensor q = nullptr; // [B, H, S, D], floats
  Tensor k = nullptr; // [B, KH, T, D]; each head serves H / KH of q's
  Tensor v = nullptr; // [B, KH, T, DV]
  double scale = 1;   // multiplies q · k
  double softCap = 0; // scores become cap * tanh(score / cap); 0: they do not
  Tensor bias = nullptr;    // floats, added to the scores after the cap; broadcast to [B, H, S, T]
  Tensor allowed = nullptr; // bool, broadcast to [B, H, S, T]: which keys a query sees
  // Query i has position i + offset: the number, or that of its sequence (integers [B]).
  Dimension offset = 0;
  Tensor offsets = nullptr;
  bool causal = false;       // keys after the query's position are not seen
  int64_t left = -1;         // keys more than so many positions before it are not; -1: all are
  int64_t right = -1;        // the same after it
  Tensor lengths = nullptr;  // integers [B]: keys of each sequence; those after them are not seen
  bool guardBias = false;    // a bias of -inf hides a key as `allowed` does
  DataType softmaxType = DataType::undefined; // of softmax's arithmetic, where it is another than the scores'
  // A logit beside each row's, which takes part in the sum alone: floats [H].
  Tensor sink = nullptr;
  // What a graph makes of the scores before the softmax, and of the probabilities behind it: [B, H, S, T] of the scores' type.
  std::function<Tensor(Tensor)> modifyScores, modifyProbabilities;
};

// A query that sees no key gives zeros.
struct Attended {
  Tensor output;        // [B, H, S, DV]
  Tensor scores;        // [B, H, S, T] scaled
  Tensor capped;        // after the cap
  Tensor biased;        // with bias and masks: -inf where a key is not seen
  Tensor probabilities; // after softmax
};

Attended attention(Graph &graph, const AttentionSpec &spec);

// Puts an operator's past keys and values, both or neither, before the spec's; queries then stand after them.
void prependPast(Op &op, AttentionSpec &spec, Tensor pastKey, Tensor pastValue);

// [B, S, H * D] as [B, H, S, D], and back.
Tensor splitHeads(Graph &graph, Tensor x, int64_t heads);
Tensor mergeHeads(Graph &graph, Tensor x);

struct RotarySpec {
  Tensor x = nullptr;         // [B, H, S, D]
  Tensor cos = nullptr;       // [positions, R / 2], or [B, S, R / 2] where no positions are given
  Tensor sin = nullptr;
  Tensor positions = nullptr; // integers [B, S]
  bool interleaved = false;   // pairs are neighbours; otherwise the halves of the first R elements
  int64_t width = 0;          // R; 0: D
};
// Each pair (a, b) becomes (a cos - b sin, a sin + b cos); elements after R are left as they are.
Tensor rotary(Graph &graph, const RotarySpec &spec);

} // namespace ingot::onnx

#endif
