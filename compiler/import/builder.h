// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The thin builder through which importers write `ingot` IR. It includes no MLIR, so that a model family is a
// small file that compiles in a second; compiler/import/builder.cpp turns the calls into ops. The builder knows
// tensors, weights and the step contract; it knows nothing of files, configs, layouts, precisions or targets.
#ifndef INGOT_COMPILER_IMPORT_BUILDER_H
#define INGOT_COMPILER_IMPORT_BUILDER_H

#include "compiler/import/dimension.h"
#include "compiler/import/element_type.h"
#include "compiler/import/scalar.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot {

// A tensor that lies in a file, or (file empty) one that only its name, type and shape describe: its values are
// then drawn from a seed when the engine is written (--dummy-weights).
struct TensorSource {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<int64_t> shape;
  std::string file;     // path of the file that holds it
  uint64_t offset = 0;  // of its first byte in that file
  uint64_t bytes = 0;
};

// An SSA value of the graph under construction. Cheap to copy; valid as long as its builder.
struct Value {
  void *impl = nullptr;
  explicit operator bool() const { return impl != nullptr; }
};

enum class Activation { silu, gelu, gelu_tanh, quick_gelu, relu, sigmoid, tanh };
enum class Elementwise { add, sub, mul, div, max, min };

// Frequencies of a rotary embedding. inv_freq has rotary_dim / 2 entries, computed in float64, stored as f32.
struct RopeSpec {
  enum class Kind { fixed, dynamic, longrope } kind = Kind::fixed;
  std::vector<float> inv_freq;
  std::vector<float> long_inv_freq;   // longrope: used once a sequence is longer than `original`
  int64_t original = 0;               // dynamic, longrope: positions of the original context
  double base = 10000;                // dynamic
  double factor = 1;                  // dynamic
  double attention_factor = 1;        // cos and sin are multiplied by it
  double long_attention_factor = 1;   // longrope: the factor beyond `original`
  bool operator==(const RopeSpec &) const = default;
};

struct AttentionSpec {
  int64_t layer = 0;
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  double scale = 0;      // multiplies query · key
  int64_t window = 0;    // a position sees itself and window-1 before it; 0: all before it
  double soft_cap = 0;   // 0: none
};

// Attention over given keys and values: ingot.scaled_dot_product_attention. Query s stands at s + keys - queries.
struct AttentionOverSpec {
  double scale = 1;      // multiplies query · key
  bool causal = false;   // a query sees keys up to its own place
  int64_t window = 0;    // it sees those less than `window` places away; 0: all
  double soft_cap = 0;   // 0: none
};

// Windows of a convolution: ingot.convolution. One entry for each spatial dimension, of pads those in front, then those behind.
struct WindowSpec {
  std::vector<int64_t> strides, dilations, pads;
  int64_t groups = 1;
};

struct DecoderSpec {
  std::string name;       // for people
  std::string family;     // model_type
  int64_t vocabulary = 0;
  int64_t context = 0;    // positions the model was made for
  int64_t layers = 0, kv_heads = 0, head_dim = 0;
};

// A tensor that an entry takes or gives.
struct ArgumentSpec {
  std::string name;
  ElementType type = ElementType::f32;
  Shape shape;
};

// How elements are combined along axes.
enum class Reduction { sum, product, max, min, mean };

// A tensor whose elements `body` computes. Loops 0..rank-1 of the body are the result's indices, those after it run over
// `extents` and are reduced (by anything but mean). Tensors that the body reads are given with their values.
struct ComputeSpec {
  ElementType type = ElementType::f32;
  Shape shape;
  Scalar body; // of `type`
  std::vector<std::pair<const void *, Value>> tensors;
  Reduction reduce = Reduction::sum;
  Shape extents;
};

// How a weight that a model quantized itself is held: !ingot.quantized.
struct QuantizedSpec {
  int64_t bits = 8;                      // 8 or 4
  int64_t group = 0;                     // columns that share a scale: 32, 64 or 128; 0: all of a row
  ElementType scale = ElementType::f32;  // f32, or f16 with groups
  bool zeros = false;                    // zero points: the codes' own, else the middle of the range
};

class GraphBuilder {
 public:
  GraphBuilder();
  ~GraphBuilder();
  GraphBuilder(const GraphBuilder &) = delete;
  // Forgets all that was built.
  void restart();

  // --- A decoder: opens entry `step` with the arguments of DESIGN section 4, one cache group "kv" and one axis of positions.
  void beginDecoder(const DecoderSpec &spec);
  Value tokens();        // i32 [tokens]
  // Keeps the rows named by `logit_rows`: [tokens, d] -> [logit_rows, d].
  Value selectLogitRows(Value x);
  // Closes `step`, returning `logits` f32 [logit_rows, vocabulary], and adds entry `sample`.
  void endDecoder(Value logits);

  // Every op made until the returned guard dies is located at `name` ("model.layers.3.self_attn").
  class Scope {
   public:
    ~Scope();
    Scope(Scope &&) noexcept;
   private:
    friend class GraphBuilder;
    explicit Scope(GraphBuilder *builder);
    GraphBuilder *builder;
  };
  [[nodiscard]] Scope scope(std::string name);

  Value weight(const TensorSource &source);

  // --- Ops. Shapes are inferred; x is [..., k].
  Value embedding(Value ids, Value table);                        // [T], [n, k] -> f32 [T, k]
  Value linear(Value x, Value weight, Value bias = {});           // [T, k], [n, k], [n] -> f32 [T, n]
  Value rmsNorm(Value x, Value gamma, double eps);                // over the last axis
  Value elementwise(Elementwise op, Value a, Value b);            // equal shapes
  Value scale(Value x, double factor);
  Value activation(Activation op, Value x);
  Value splitHeads(Value x, int64_t heads);                       // [T, h*d] -> [T, h, d]
  Value mergeHeads(Value x);                                      // [T, h, d] -> [T, h*d]
  Value ropeAngles(const RopeSpec &spec);                         // -> f32 [T, rotary_dim], cos then sin; equal specs share one op
  Value rope(Value x, Value angles);                              // [T, h, d]; half-split rotation of the first rotary_dim
  // Appends k and v to layer `spec.layer` of the cache, then attends: q [T, h, d], k and v [T, kv, d] -> [T, h, d].
  Value attention(Value q, Value k, Value v, const AttentionSpec &spec);

  // --- Graphs of named tensors.

  // Opens an entry and gives its arguments. `model` is the name for people. The symbols of its shapes are declared in the order in which they appear.
  std::vector<Value> beginEntry(const std::string &model, const std::string &name, const std::vector<ArgumentSpec> &arguments);
  // A new dimension that depends on data: what `value`, an i64 of no dimensions, is in a run, from 0 to `most`. Returns its symbol, which
  // stands for the dimension from here on.
  std::string measure(Value value, const Dimension &most);

  // What an importer takes for true of two dimensions and cannot prove: a run whose inputs break it is refused, in these `words`
  // ("as many rows as columns") and with the name of the scope that is open.
  enum class Relation {
    equal,
    broadcasts, // equal, or one of them is 1
    most        // the first is at most the second
  };
  void require(Relation relation, const Dimension &a, const Dimension &b, const std::string &words);
  // Closes it; results are of the shapes that their values have.
  void endEntry(const std::vector<std::pair<std::string, Value>> &results);

  // A small tensor that is part of the graph: row-major bytes, little-endian; truth values in a byte each.
  Value constant(ElementType type, const std::vector<int64_t> &shape, std::string_view bytes);
  Value compute(const ComputeSpec &spec);
  // Whether an op has this name among the element-wise ones of floats (others are computed by ScalarOp).
  static bool hasElementwise(ScalarOp op);
  // Element by element, of operands of one type and shape: an op that hasElementwise.
  Value elementwise(ScalarOp op, const std::vector<Value> &operands);
  Value compare(ScalarOp op, Value a, Value b);               // of any type -> i1
  Value select(Value condition, Value a, Value b);
  Value cast(Value x, ElementType type);
  Value broadcast(Value x, const Shape &shape);               // dimensions of 1 or none are repeated
  Value reshape(Value x, const Shape &shape);                 // as many elements
  Value transpose(Value x, const std::vector<int64_t> &permutation);
  Value concat(const std::vector<Value> &inputs, int64_t axis); // static along the axis
  Value matmul(Value a, Value b);                             // [B.., m, k], [B.., k, n] of floats of 32 or 64 bits
  Value softmax(Value x, int64_t axis);
  Value layerNorm(Value x, Value gamma, Value beta, double eps); // over the last axis; beta may be empty
  Value reduce(Reduction kind, Value x, int64_t axis, bool keepAxis);
  // f32 x [B, C, X...], weight [O, C / groups, T...] or, of windows of one element, [O, C / groups], bias [O] or empty -> `shape`.
  Value convolution(Value x, Value weight, Value bias, const Shape &shape, const WindowSpec &spec);
  // f32 q [B, S, H, D], k [B, T, G, D], v [B, T, G, E] -> [B, S, H, E]. Each may be empty: bias, added to the scores
  // [B, H, S, T], with dimensions of 1 repeated; lengths i32 [B], the keys that are seen. H, G, D, E are static.
  Value attentionOver(Value q, Value k, Value v, Value bias, Value lengths, const AttentionOverSpec &spec);
  // The same over sequences that lie one behind another, B being 1 and S = T. starts i32 [R + 1] ascends from 0 to S. A bias [1, 1 or
  // H, L, M] is read at rows and columns places[s], i32 [S], which lie in it; empty both or neither.
  Value packedAttentionOver(Value q, Value k, Value v, Value bias, Value starts, Value places, double scale);

  // --- Weights that a model quantized itself, and products of them. All of these are computed while the engine is written.

  // Integers of `bits` bits (2, 4, 8) out of u8 [n, c], the first in the lowest bits: [n, columns] of u8, or with their sign of i8.
  Value unpackBits(Value bytes, int64_t bits, int64_t columns, bool isSigned);
  // (codes - zero) * scale of codes [n, k] (u8, i8); scales [1 or n, 1 or blocks] of blocks of so many columns (0: one for all), zeros
  // alike or empty: `zero`. With a spec exactly these codes, scales and zero points as a quantized weight, else f32.
  Value assemble(Value codes, Value scales, Value zeros, int64_t block, int64_t zero, const QuantizedSpec *spec);
  // x [rows, k] of floats times a quantized weight [n, k]. With `integers` x is rounded to 8 bits row by row, unless --activations says
  // otherwise.
  Value quantizedLinear(Value x, Value weight, bool integers);
  // (x - zero) * scale of codes x [rows, k] (u8, i8) times a quantized weight, as integers: f32 [rows, n]. scale is one f32, zero one
  // of x's type or empty.
  Value integerLinear(Value x, Value scale, Value zero, Value weight);

  // --- The finished module, as an opaque owner that compiler/import/module.h opens.
  struct Impl;
  std::unique_ptr<Impl> impl;
};

}  // namespace ingot

#endif
