// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The thin builder through which importers write `ingot` IR. It includes no MLIR, so that a model family is a
// small file that compiles in a second; compiler/import/builder.cpp turns the calls into ops. The builder knows
// tensors, weights and the step contract; it knows nothing of files, configs, layouts, precisions or targets.
#ifndef INGOT_COMPILER_IMPORT_BUILDER_H
#define INGOT_COMPILER_IMPORT_BUILDER_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot {

enum class ElementType : uint8_t { f32, f16, bf16, f64, i8, u8, i16, u16, i32, u32, i64, u64, i1 };

// Bytes of one element.
uint64_t elementBytes(ElementType type);
std::string_view elementName(ElementType type);

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

enum class Activation { silu, gelu, gelu_tanh, relu, sigmoid, tanh };
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

struct DecoderSpec {
  std::string name;       // for people
  std::string family;     // model_type
  int64_t vocabulary = 0;
  int64_t context = 0;    // positions the model was made for
  int64_t layers = 0, kv_heads = 0, head_dim = 0;
};

class GraphBuilder {
 public:
  GraphBuilder();
  ~GraphBuilder();
  GraphBuilder(const GraphBuilder &) = delete;

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

  // --- The finished module, as an opaque owner that compiler/import/module.h opens.
  struct Impl;
  std::unique_ptr<Impl> impl;
};

}  // namespace ingot

#endif
