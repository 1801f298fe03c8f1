// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See decoder.h.
#include "compiler/import/huggingface/decoder.h"
#include "compiler/import/huggingface/rope.h"

#include <algorithm>
#include <cmath>

namespace ingot::huggingface {

namespace {

// Generous, and small enough that products of a few sizes stay far within 64 bits.
constexpr int64_t kMaxWidth = 1 << 24, kMaxHeads = 1 << 16, kMaxLayers = 4096, kMaxCount = INT32_MAX;

// hidden_act, as transformers' ACT2FN names it.
struct ActivationName {
  std::string_view name;
  Activation activation;
};
constexpr ActivationName kActivations[] = {{"silu", Activation::silu},
                                           {"swish", Activation::silu},
                                           {"gelu", Activation::gelu},
                                           {"gelu_python", Activation::gelu},
                                           {"gelu_new", Activation::gelu_tanh},
                                           {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                           {"gelu_python_tanh", Activation::gelu_tanh},
                                           {"gelu_accurate", Activation::gelu_tanh},
                                           {"gelu_fast", Activation::gelu_tanh},
                                           {"quick_gelu", Activation::quick_gelu},
                                           {"relu", Activation::relu}};

Activation readActivation(Config &config) {
  std::string name = config.text("hidden_act").value_or("silu"), names;
  for (const ActivationName &known : kActivations) {
    if (known.name == name)
      return known.activation;
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  config.wrong("hidden_act", "one of " + names);
  return Activation::silu;
}

} // namespace

Decoder readDecoder(Model &model, const DecoderDefaults &defaults) {
  Config &config = model.config;
  Decoder d;
  d.vocabulary = config.integer("vocab_size", 1, kMaxCount).value_or(defaults.vocabulary);
  d.hidden = config.integer("hidden_size", 1, kMaxWidth).value_or(defaults.hidden);
  d.intermediate = config.integer("intermediate_size", 1, kMaxWidth).value_or(defaults.intermediate);
  d.layers = config.integer("num_hidden_layers", 1, kMaxLayers).value_or(defaults.layers);
  d.heads = config.integer("num_attention_heads", 1, kMaxHeads).value_or(defaults.heads);
  d.context = config.integer("max_position_embeddings", 1, kMaxCount).value_or(defaults.context);
  // An absent key has the family's default; null says "derive it".
  int64_t kvFallback = config.has("num_key_value_heads") ? d.heads : defaults.kvHeads.value_or(d.heads);
  d.kvHeads = config.integer("num_key_value_heads", 1, kMaxHeads).value_or(kvFallback);
  if (d.heads % d.kvHeads != 0)
    config.problem("num_attention_heads is " + std::to_string(d.heads) + ", expected a multiple of the " +
                   std::to_string(d.kvHeads) + " key and value heads (num_key_value_heads)");
  std::optional<int64_t> headDim = config.integer("head_dim", 2, kMaxHeads);
  if (!headDim && !config.has("head_dim"))
    headDim = defaults.headDim;
  if (!headDim && d.hidden % d.heads != 0)
    config.problem("hidden_size is " + std::to_string(d.hidden) + ", expected a multiple of num_attention_heads (" +
                   std::to_string(d.heads) + "), or head_dim beside it");
  d.headDim = headDim.value_or(std::max<int64_t>(d.hidden / d.heads, 1));
  if (d.headDim % 2 != 0) {
    config.problem("head_dim is " + std::to_string(d.headDim) + ", expected an even number: rotary embeddings turn " +
                   "pairs of columns");
    d.headDim += 1;
  }
  if (d.heads * d.headDim > kMaxWidth)
    config.problem("num_attention_heads is " + std::to_string(d.heads) + " and head_dim " + std::to_string(d.headDim) +
                   ", expected a product of at most " + std::to_string(kMaxWidth));
  d.normEps = config.number("rms_norm_eps", 0, 1).value_or(1e-6);
  d.activation = readActivation(config);
  d.tied = config.boolean("tie_word_embeddings").value_or(false);
  d.rope = readRope(config, d.headDim, d.context);
  d.windows.assign(static_cast<size_t>(d.layers), 0);
  return d;
}

std::vector<int64_t> readWindows(Model &model, int64_t layers, std::optional<int64_t> window, int64_t firstSliding) {
  Config &config = model.config;
  std::vector<int64_t> windows(static_cast<size_t>(layers), 0);
  std::optional<std::vector<std::string>> types = config.texts("layer_types");
  if (!types) {
    for (int64_t i = std::max<int64_t>(firstSliding, 0); window && i < layers; ++i)
      windows[static_cast<size_t>(i)] = *window;
    return windows;
  }
  if (types->size() != windows.size()) {
    config.wrong("layer_types", "a list of " + std::to_string(layers) + ", one per layer (num_hidden_layers)");
    return windows;
  }
  for (size_t i = 0; i < types->size(); ++i) {
    const std::string &type = (*types)[i];
    if (type == "sliding_attention" && window)
      windows[i] = *window;
    else if (type == "sliding_attention")
      config.problem("layer_types[" + std::to_string(i) +
                     "] is \"sliding_attention\", but no window is set (sliding_window, use_sliding_window)");
    else if (type != "full_attention" && type != "attention")
      config.problem("layer_types[" + std::to_string(i) + "] is " + inQuotes(type) +
                     ", expected \"full_attention\" or \"sliding_attention\"");
  }
  return windows;
}

Value linear(Model &model, const std::string &module, Value x, int64_t in, int64_t out, bool bias) {
  auto scope = model.builder.scope(module);
  Value weight = model.weight(module + ".weight", {out, in});
  return model.builder.linear(x, weight, bias ? model.weight(module + ".bias", {out}) : Value{});
}

Value norm(Model &model, const std::string &module, Value x, int64_t width, double eps) {
  auto scope = model.builder.scope(module);
  return model.builder.rmsNorm(x, model.weight(module + ".weight", {width}), eps);
}

Value attention(Model &model, const std::string &prefix, const Decoder &d, int64_t layer, Value angles, Value x) {
  GraphBuilder &b = model.builder;
  auto scope = b.scope(prefix);
  auto heads = [&](const char *name, int64_t count) {
    return b.splitHeads(linear(model, prefix + name, x, d.hidden, count * d.headDim, d.qkvBias), count);
  };
  Value q = heads(".q_proj", d.heads), k = heads(".k_proj", d.kvHeads), v = heads(".v_proj", d.kvHeads);
  if (d.qkNorm) {
    q = norm(model, prefix + ".q_norm", q, d.headDim, d.normEps);
    k = norm(model, prefix + ".k_norm", k, d.headDim, d.normEps);
  }
  AttentionSpec spec;
  spec.layer = layer;
  spec.heads = d.heads;
  spec.kv_heads = d.kvHeads;
  spec.head_dim = d.headDim;
  spec.scale = 1 / std::sqrt(static_cast<double>(d.headDim));
  spec.window = d.windows[static_cast<size_t>(layer)];
  Value mixed = b.mergeHeads(b.attention(b.rope(q, angles), b.rope(k, angles), v, spec));
  return linear(model, prefix + ".o_proj", mixed, d.heads * d.headDim, d.hidden, d.outputBias);
}

Value gatedMlp(Model &model, const std::string &prefix, const Decoder &d, Value x) {
  GraphBuilder &b = model.builder;
  auto scope = b.scope(prefix);
  Value gate = linear(model, prefix + ".gate_proj", x, d.hidden, d.intermediate, d.mlpBias);
  Value up = linear(model, prefix + ".up_proj", x, d.hidden, d.intermediate, d.mlpBias);
  Value product = b.elementwise(Elementwise::mul, b.activation(d.activation, gate), up);
  return linear(model, prefix + ".down_proj", product, d.intermediate, d.hidden, d.mlpBias);
}

void buildDecoder(Model &model, const Decoder &d) {
  if (!model.config.good())
    return;
  GraphBuilder &b = model.builder;
  DecoderSpec spec;
  spec.name = model.name;
  spec.family = model.family;
  spec.vocabulary = d.vocabulary;
  spec.context = d.context;
  spec.layers = d.layers;
  spec.kv_heads = d.kvHeads;
  spec.head_dim = d.headDim;
  b.beginDecoder(spec);

  Model::Ends ends;
  Value x, angles;
  {
    auto scope = b.scope("model.embed_tokens");
    ends = model.ends("model.embed_tokens.weight", "lm_head.weight", {d.vocabulary, d.hidden}, d.tied);
    x = b.embedding(b.tokens(), ends.embedding);
  }
  {
    auto scope = b.scope("model.rotary_emb");
    angles = b.ropeAngles(d.rope);
  }
  for (int64_t i = 0; i < d.layers; ++i) {
    std::string layer = "model.layers." + std::to_string(i);
    auto scope = b.scope(layer);
    Value attended = attention(model, layer + ".self_attn", d, i, angles,
                               norm(model, layer + ".input_layernorm", x, d.hidden, d.normEps));
    x = b.elementwise(Elementwise::add, x, attended);
    Value fed =
        gatedMlp(model, layer + ".mlp", d, norm(model, layer + ".post_attention_layernorm", x, d.hidden, d.normEps));
    x = b.elementwise(Elementwise::add, x, fed);
  }
  auto scope = b.scope("lm_head");
  Value last = norm(model, "model.norm", b.selectLogitRows(x), d.hidden, d.normEps);
  b.endDecoder(b.linear(last, ends.head));
}

} // namespace ingot::huggingface
