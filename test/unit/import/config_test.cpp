// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// config.json, key by key: what each does to the graph, and the message that a bad value gives. Defaults are those of
// the configuration classes of transformers 5.23.0.
#include "test/unit/import/reference_builder.h"
#include "test/unit/import/scratch.h"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace ingot;
using namespace ingot::huggingface;
using ingot::test::joined;
using ingot::test::says;
using ingot::test::smallConfig;
using nlohmann::json;

struct Imported {
  GraphBuilder builder;
  ImportResult result;
  bool good;

  explicit Imported(const std::string &text) { good = importConfigText(text, builder, result); }
  explicit Imported(const json &config) : Imported(config.dump()) {}
  std::vector<int64_t> shapeOf(const std::string &tensor) const {
    auto found = builder.impl->weights.find(tensor);
    return found == builder.impl->weights.end() ? std::vector<int64_t>{} : found->second.shape;
  }
  bool has(const std::string &tensor) const { return builder.impl->weights.count(tensor); }
  std::vector<int64_t> windows() const {
    std::vector<int64_t> out;
    for (const AttentionSpec &spec : builder.impl->attentions)
      out.push_back(spec.window);
    return out;
  }
};

json with(json config, const json &changes) {
  config.update(changes);
  return config;
}

json without(json config, const char *key) {
  config.erase(key);
  return config;
}

json family(const char *type, const json &changes = json::object()) {
  json config = smallConfig();
  config["model_type"] = type;
  config.erase("architectures");
  return with(config, changes);
}

void expectProblem(const json &config, const std::vector<std::string> &parts) {
  Imported imported(config);
  EXPECT_FALSE(imported.good) << config;
  EXPECT_TRUE(says(imported.result.problems, parts)) << config << "\n" << joined(imported.result.problems);
  for (const std::string &problem : imported.result.problems)
    EXPECT_EQ(problem.rfind("config.json: ", 0), 0u) << problem;
}

using Shape = std::vector<int64_t>;
const std::string kLayer = "model.layers.0.";

TEST(Config, DescribesTheDecoder) {
  Imported imported(smallConfig());
  ASSERT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_TRUE(imported.result.notes.empty()) << joined(imported.result.notes);
  const DecoderSpec &spec = imported.builder.impl->decoder;
  EXPECT_EQ(spec.family, "llama");
  EXPECT_EQ(spec.vocabulary, 10);
  EXPECT_EQ(spec.context, 64);
  EXPECT_EQ(spec.layers, 1);
  EXPECT_EQ(spec.kv_heads, 1);
  EXPECT_EQ(spec.head_dim, 4);
  EXPECT_EQ(imported.result.family, "llama");
  EXPECT_EQ(imported.result.tensors, 12u);
  EXPECT_EQ(imported.result.parameters, 2 * 80 + 3 * 8 + 2 * 64 + 2 * 32 + 3 * 96u);
  EXPECT_EQ(imported.result.bytes, 4 * imported.result.parameters);
  EXPECT_EQ(imported.shapeOf(kLayer + "mlp.down_proj.weight"), (Shape{8, 12}));
  EXPECT_EQ(imported.shapeOf("lm_head.weight"), (Shape{10, 8}));
  ASSERT_EQ(imported.builder.impl->attentions.size(), 1u);
  EXPECT_EQ(imported.builder.impl->attentions[0].scale, 0.5);
  for (const auto &[name, source] : imported.builder.impl->weights) {
    EXPECT_EQ(source.file, "");
    EXPECT_EQ(source.type, ElementType::f32);
  }
}

TEST(Config, OpsAreLocatedAtTheModelsOwnNames) {
  Imported imported(smallConfig());
  for (const char *call :
       {"linear @model.layers.0.self_attn.q_proj -> [-1, 8]", "rmsNorm @model.layers.0.input_layernorm",
        "attention @model.layers.0.self_attn -> ", "embedding @model.embed_tokens", "linear @lm_head"})
    EXPECT_TRUE(says(imported.builder.impl->calls, {call})) << call << "\n" << joined(imported.builder.impl->calls);
}

TEST(Config, LlamasDefaults) {
  Imported imported(json{{"model_type", "llama"}});
  ASSERT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.builder.impl->decoder.layers, 32);
  EXPECT_EQ(imported.builder.impl->decoder.context, 2048);
  EXPECT_EQ(imported.shapeOf("model.embed_tokens.weight"), (Shape{32000, 4096}));
  EXPECT_EQ(imported.shapeOf(kLayer + "self_attn.k_proj.weight"), (Shape{4096, 4096}));
  EXPECT_EQ(imported.shapeOf(kLayer + "mlp.up_proj.weight"), (Shape{11008, 4096}));
  EXPECT_EQ(imported.windows(), Shape(32, 0));
  EXPECT_EQ(imported.result.generation.bos, 1);
  EXPECT_EQ(imported.result.generation.eos, std::vector<int32_t>{2});
}

TEST(Config, MistralsDefaults) {
  Imported imported(json{{"model_type", "mistral"}});
  ASSERT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.builder.impl->decoder.context, 131072);
  EXPECT_EQ(imported.builder.impl->decoder.kv_heads, 8);
  EXPECT_EQ(imported.shapeOf(kLayer + "mlp.up_proj.weight"), (Shape{14336, 4096}));
  EXPECT_EQ(imported.windows(), Shape(32, 4096));
  EXPECT_EQ(imported.result.generation.eos, std::vector<int32_t>{2});
}

TEST(Config, Qwen2sDefaults) {
  Imported imported(json{{"model_type", "qwen2"}});
  ASSERT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.builder.impl->decoder.context, 32768);
  EXPECT_EQ(imported.builder.impl->decoder.kv_heads, 32);
  EXPECT_EQ(imported.shapeOf("lm_head.weight"), (Shape{151936, 4096}));
  EXPECT_EQ(imported.shapeOf(kLayer + "self_attn.k_proj.bias"), Shape{4096});
  EXPECT_FALSE(imported.has(kLayer + "self_attn.o_proj.bias"));
  EXPECT_EQ(imported.windows(), Shape(32, 0));
  EXPECT_EQ(imported.result.generation.bos, -1);
  EXPECT_TRUE(imported.result.generation.eos.empty());
}

TEST(Config, Qwen3sDefaults) {
  Imported imported(json{{"model_type", "qwen3"}, {"hidden_size", 2048}});
  ASSERT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.builder.impl->decoder.head_dim, 128); // not 2048 / 32
  EXPECT_EQ(imported.shapeOf(kLayer + "self_attn.q_norm.weight"), Shape{128});
  EXPECT_EQ(imported.shapeOf(kLayer + "self_attn.o_proj.weight"), (Shape{2048, 4096}));
  EXPECT_FALSE(imported.has(kLayer + "self_attn.q_proj.bias"));
}

TEST(Config, HeadDimStandsApart) {
  Imported written(with(smallConfig(), {{"head_dim", 6}}));
  ASSERT_TRUE(written.good) << joined(written.result.problems);
  EXPECT_EQ(written.shapeOf(kLayer + "self_attn.q_proj.weight"), (Shape{12, 8}));
  EXPECT_EQ(written.shapeOf(kLayer + "self_attn.o_proj.weight"), (Shape{8, 12}));
  EXPECT_EQ(written.builder.impl->attentions[0].scale, 1 / std::sqrt(6.0));
  EXPECT_EQ(Imported(with(smallConfig(), {{"head_dim", nullptr}})).builder.impl->decoder.head_dim, 4);
  EXPECT_EQ(Imported(family("qwen3", {{"head_dim", nullptr}})).builder.impl->decoder.head_dim, 4);
}

TEST(Config, KeyValueHeadsAbsentOrNull) {
  EXPECT_EQ(Imported(without(smallConfig(), "num_key_value_heads")).builder.impl->decoder.kv_heads, 2);
  EXPECT_EQ(Imported(family("mistral", {{"num_key_value_heads", nullptr}})).builder.impl->decoder.kv_heads, 2);
  expectProblem(without(family("mistral"), "num_key_value_heads"), {"num_attention_heads is 2", "multiple of the 8"});
}

TEST(Config, Biases) {
  Imported attention(with(smallConfig(), {{"attention_bias", true}}));
  for (const char *name : {"q_proj", "k_proj", "v_proj", "o_proj"})
    EXPECT_TRUE(attention.has(kLayer + "self_attn." + name + ".bias")) << name;
  EXPECT_FALSE(attention.has(kLayer + "mlp.up_proj.bias"));
  Imported mlp(with(smallConfig(), {{"mlp_bias", true}}));
  for (const char *name : {"gate_proj", "up_proj", "down_proj"})
    EXPECT_TRUE(mlp.has(kLayer + "mlp." + name + ".bias")) << name;
  EXPECT_FALSE(mlp.has(kLayer + "self_attn.q_proj.bias"));
  EXPECT_TRUE(Imported(family("qwen3", {{"attention_bias", true}})).has(kLayer + "self_attn.o_proj.bias"));
  Imported mistral(family("mistral", {{"attention_bias", true}}));
  EXPECT_FALSE(mistral.has(kLayer + "self_attn.q_proj.bias"));
  EXPECT_TRUE(says(mistral.result.notes, {"attention_bias is true", "no biases"})) << joined(mistral.result.notes);
}

TEST(Config, TiedWeightsAreOneTensor) {
  Imported tied(with(smallConfig(), {{"tie_word_embeddings", true}}));
  EXPECT_TRUE(tied.good);
  EXPECT_FALSE(tied.has("lm_head.weight"));
  EXPECT_EQ(tied.result.tensors, 11u);
  EXPECT_TRUE(Imported(without(smallConfig(), "tie_word_embeddings")).has("lm_head.weight"));
}

TEST(Config, Activations) {
  const std::pair<const char *, Activation> names[] = {
      {"silu", Activation::silu},          {"swish", Activation::silu},
      {"gelu", Activation::gelu},          {"gelu_python", Activation::gelu},
      {"gelu_new", Activation::gelu_tanh}, {"gelu_pytorch_tanh", Activation::gelu_tanh},
      {"relu", Activation::relu},          {"gelu_fast", Activation::gelu_tanh},
      {"quick_gelu", Activation::quick_gelu}};
  for (auto [name, activation] : names) {
    Imported imported(with(smallConfig(), {{"hidden_act", name}}));
    EXPECT_TRUE(imported.good) << name;
    EXPECT_TRUE(says(imported.builder.impl->calls, {"activation " + std::to_string(int(activation)) + " @"})) << name;
  }
  expectProblem(with(smallConfig(), {{"hidden_act", "laplace"}}), {"hidden_act is \"laplace\"", "one of silu, "});
}

TEST(Config, MistralsWindow) {
  EXPECT_EQ(Imported(family("mistral", {{"sliding_window", 7}})).windows(), Shape{7});
  EXPECT_EQ(Imported(family("mistral", {{"sliding_window", nullptr}})).windows(), Shape{0});
  EXPECT_EQ(Imported(family("mistral", {{"sliding_window", 7},
                                        {"num_hidden_layers", 2},
                                        {"layer_types", {"full_attention", "sliding_attention"}}}))
                .windows(),
            (Shape{0, 7}));
  expectProblem(family("mistral", {{"sliding_window", 0}}), {"sliding_window is 0"});
}

TEST(Config, QwensWindows) {
  for (const char *type : {"qwen2", "qwen3"}) {
    json config = family(type, {{"num_hidden_layers", 3}, {"sliding_window", 7}, {"max_window_layers", 1}});
    EXPECT_EQ(Imported(config).windows(), (Shape{0, 0, 0}));
    config["use_sliding_window"] = true;
    EXPECT_EQ(Imported(config).windows(), (Shape{0, 7, 7}));
    // The class's own max_window_layers is 28, its sliding_window 4096.
    EXPECT_EQ(Imported(without(config, "max_window_layers")).windows(), (Shape{0, 0, 0}));
    EXPECT_EQ(Imported(without(config, "sliding_window")).windows(), (Shape{0, 4096, 4096}));
    config["layer_types"] = {"sliding_attention", "attention", "full_attention"};
    EXPECT_EQ(Imported(config).windows(), (Shape{7, 0, 0}));
    config["use_sliding_window"] = false;
    expectProblem(config, {"layer_types[0] is \"sliding_attention\"", "no window is set"});
    config["layer_types"] = {"full_attention"};
    expectProblem(config, {"layer_types is a list of 1", "a list of 3"});
    config["layer_types"] = {"full_attention", "linear_attention", "full_attention"};
    expectProblem(config, {"layer_types[1] is \"linear_attention\""});
    config["layer_types"] = {1, 2, 3};
    expectProblem(config, {"layer_types is a list of 3, expected a list of texts"});
  }
}

TEST(Config, LlamaHasNoWindows) {
  Imported imported(with(smallConfig(), {{"sliding_window", 16}}));
  EXPECT_TRUE(imported.good);
  EXPECT_EQ(imported.windows(), Shape{0});
  EXPECT_TRUE(says(imported.result.notes, {"sliding_window is 16", "no windows"})) << joined(imported.result.notes);
}

TEST(Config, RefusesBadSizes) {
  expectProblem(with(smallConfig(), {{"hidden_size", "8"}}), {"hidden_size is \"8\"", "an integer from 1"});
  expectProblem(with(smallConfig(), {{"hidden_size", 8.0}}), {"hidden_size is 8.0"});
  expectProblem(with(smallConfig(), {{"hidden_size", 0}}), {"hidden_size is 0"});
  expectProblem(with(smallConfig(), {{"vocab_size", -5}}), {"vocab_size is -5"});
  expectProblem(with(smallConfig(), {{"num_hidden_layers", 99999999999}}), {"num_hidden_layers is 99999999999"});
  expectProblem(with(smallConfig(), {{"num_hidden_layers", 18446744073709551615u}}),
                {"num_hidden_layers is 18446744073709551615"});
  expectProblem(with(smallConfig(), {{"hidden_size", 9}}), {"hidden_size is 9", "num_attention_heads (2)"});
  expectProblem(with(smallConfig(), {{"head_dim", 5}}), {"head_dim is 5", "even"});
  expectProblem(with(smallConfig(), {{"hidden_size", 6}}), {"head_dim is 3", "even"});
  expectProblem(with(smallConfig(), {{"num_attention_heads", 2}, {"num_key_value_heads", 3}}), {"multiple of the 3"});
  expectProblem(with(smallConfig(), {{"num_attention_heads", 65536}, {"head_dim", 65536}}), {"a product of at most"});
  expectProblem(with(smallConfig(), {{"rms_norm_eps", -1e-5}}), {"rms_norm_eps is -1e-05"});
  expectProblem(with(smallConfig(), {{"tie_word_embeddings", "yes"}}),
                {"tie_word_embeddings is \"yes\"", "true or false"});
  expectProblem(with(smallConfig(), {{"attention_bias", 1}}), {"attention_bias is 1"});
}

TEST(Config, ChoosesTheFamily) {
  expectProblem(with(smallConfig(), {{"model_type", "gpt2"}}),
                {"model_type is \"gpt2\"", "llama, mistral, qwen2, qwen3"});
  expectProblem(without(smallConfig(), "model_type"), {"model_type is absent"});
  expectProblem(with(smallConfig(), {{"model_type", 3}}), {"model_type is 3, expected text"});
  expectProblem(with(smallConfig(), {{"architectures", {"LlamaForSequenceClassification"}}}),
                {"architectures is \"LlamaForSequenceClassification\"", "ForCausalLM"});
  expectProblem(with(smallConfig(), {{"architectures", "LlamaForCausalLM"}}),
                {"architectures is \"LlamaForCausalLM\""});
  Imported other(with(smallConfig(), {{"architectures", {"YiForCausalLM"}}}));
  EXPECT_TRUE(other.good);
  EXPECT_TRUE(says(other.result.notes, {"YiForCausalLM", "model_type llama decides"})) << joined(other.result.notes);
}

TEST(Config, RefusesUnknownKeysByName) {
  expectProblem(with(smallConfig(), {{"attn_logit_softcapping", 50.0}}),
                {"attn_logit_softcapping is 50.0", "not known"});
  expectProblem(with(smallConfig(), {{"embedding_multiplier", 12}}), {"embedding_multiplier is 12"});
  expectProblem(with(smallConfig(), {{"is_causal", false}}), {"is_causal is false", "both directions"});
  expectProblem(with(smallConfig(), {{"per_layer_config", json::object({{"0", json::object()}})}}),
                {"per_layer_config"});
  expectProblem(with(smallConfig(), {{"quantization_config", {{"quant_method", "gptq"}, {"bits", 4}}}}),
                {"quantization_config", "\"gptq\"", "before quantization"});
  expectProblem(with(smallConfig(), {{"auto_map", {{"AutoModel", "x.Y"}}}}), {"auto_map", "Python code"});
  expectProblem(with(smallConfig(), {{"pruned_heads", {{"0", {1}}}}}), {"pruned_heads", "pruned attention heads"});
  expectProblem(with(smallConfig(), {{"add_cross_attention", true}}), {"add_cross_attention is true"});
  // A key that another family has is unknown to this one.
  expectProblem(family("qwen2", {{"q_norm", true}}), {"q_norm is true"});
}

TEST(Config, TellsAllProblemsAtOnceSorted) {
  Imported imported(with(smallConfig(), {{"zeta", 1}, {"hidden_act", "x"}, {"alpha", 2}, {"vocab_size", 0}}));
  ASSERT_EQ(imported.result.problems.size(), 4u) << joined(imported.result.problems);
  EXPECT_TRUE(std::is_sorted(imported.result.problems.begin(), imported.result.problems.end()));
}

TEST(Config, IgnoresWhatNeverChangesLogits) {
  Imported imported(with(smallConfig(), {{"initializer_range", 0.02},
                                         {"use_cache", true},
                                         {"attention_dropout", 0.1},
                                         {"transformers_version", "4.40.0"},
                                         {"pretraining_tp", 2},
                                         {"_name_or_path", "x"},
                                         {"bos_token_id", 1},
                                         {"eos_token_id", {2, 3}},
                                         {"pad_token_id", nullptr},
                                         {"temperature", 0.5},
                                         {"id2label", {{"0", "A"}}},
                                         {"quantization_config", nullptr},
                                         {"some_future_key", nullptr},
                                         {"is_causal", true},
                                         {"pruned_heads", json::object()}}));
  EXPECT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_TRUE(imported.result.notes.empty()) << joined(imported.result.notes);
  EXPECT_EQ(imported.result.generation.eos, (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(imported.result.generation.temperature, 0.5);
}

// The configs of published models, as their repositories hold them, and the number of parameters that their model
// cards state: none may be refused, and none needs a note.
TEST(Config, PublishedModels) {
  struct Published {
    const char *name, *config;
    uint64_t parameters;
  };
  const Published models[] = {
      {"Llama-2-7b",
       R"({"_name_or_path":"meta-llama/Llama-2-7b-hf","architectures":["LlamaForCausalLM"],"bos_token_id":1,
        "eos_token_id":2,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,"intermediate_size":11008,
        "max_position_embeddings":4096,"model_type":"llama","num_attention_heads":32,"num_hidden_layers":32,
        "num_key_value_heads":32,"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_scaling":null,"tie_word_embeddings":false,
        "torch_dtype":"float16","transformers_version":"4.31.0.dev0","use_cache":true,"vocab_size":32000})",
       6738415616},
      {"Llama-3.1-8B", R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
        "bos_token_id":128000,"eos_token_id":[128001,128008,128009],"hidden_act":"silu","hidden_size":4096,
        "initializer_range":0.02,"intermediate_size":14336,"max_position_embeddings":131072,"mlp_bias":false,
        "model_type":"llama","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,"pretraining_tp":1,
        "rms_norm_eps":1e-05,"rope_scaling":{"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
        "original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,"tie_word_embeddings":false,
        "torch_dtype":"bfloat16","transformers_version":"4.43.0.dev0","use_cache":true,"vocab_size":128256})",
       8030261248},
      {"Llama-3.2-1B", R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
        "bos_token_id":128000,"eos_token_id":128001,"head_dim":64,"hidden_act":"silu","hidden_size":2048,
        "initializer_range":0.02,"intermediate_size":8192,"max_position_embeddings":131072,"mlp_bias":false,
        "model_type":"llama","num_attention_heads":32,"num_hidden_layers":16,"num_key_value_heads":8,"pretraining_tp":1,
        "rms_norm_eps":1e-05,"rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,
        "original_max_position_embeddings":8192,"rope_type":"llama3"},"rope_theta":500000.0,"tie_word_embeddings":true,
        "torch_dtype":"bfloat16","transformers_version":"4.45.0.dev0","use_cache":true,"vocab_size":128256})",
       1235814400},
      {"SmolLM2-135M", R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
        "bos_token_id":1,"eos_token_id":2,"hidden_act":"silu","hidden_size":576,"initializer_range":0.041666666666666664,
        "intermediate_size":1536,"is_llama_config":true,"max_position_embeddings":8192,"mlp_bias":false,
        "model_type":"llama","num_attention_heads":9,"num_hidden_layers":30,"num_key_value_heads":3,"pad_token_id":2,
        "pretraining_tp":1,"rms_norm_eps":1e-05,"rope_interleaved":false,"rope_scaling":null,"rope_theta":100000,
        "tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.42.3",
        "transformers.js_config":{"kv_cache_dtype":{"q4f16":"float16","fp16":"float16"}},"use_cache":true,
        "vocab_size":49152})",
       134515008},
      {"Mistral-7B-v0.1",
       R"({"architectures":["MistralForCausalLM"],"bos_token_id":1,"eos_token_id":2,"hidden_act":"silu",
        "hidden_size":4096,"initializer_range":0.02,"intermediate_size":14336,"max_position_embeddings":32768,
        "model_type":"mistral","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,
        "rms_norm_eps":1e-05,"rope_theta":10000.0,"sliding_window":4096,"tie_word_embeddings":false,
        "torch_dtype":"bfloat16","transformers_version":"4.34.0.dev0","use_cache":true,"vocab_size":32000})",
       7241732096},
      {"Mistral-Nemo",
       R"({"architectures":["MistralForCausalLM"],"attention_dropout":0.0,"bos_token_id":1,"eos_token_id":2,
        "head_dim":128,"hidden_act":"silu","hidden_size":5120,"initializer_range":0.02,"intermediate_size":14336,
        "max_position_embeddings":128000,"model_type":"mistral","num_attention_heads":32,"num_hidden_layers":40,
        "num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_theta":1000000.0,"sliding_window":null,
        "tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.43.3","use_cache":true,
        "vocab_size":131072})",
       12247782400},
      {"Qwen2.5-0.5B", R"({"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,
        "eos_token_id":151643,"hidden_act":"silu","hidden_size":896,"initializer_range":0.02,"intermediate_size":4864,
        "max_position_embeddings":32768,"max_window_layers":24,"model_type":"qwen2","num_attention_heads":14,
        "num_hidden_layers":24,"num_key_value_heads":2,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"sliding_window":32768,
        "tie_word_embeddings":true,"torch_dtype":"bfloat16","transformers_version":"4.40.1","use_cache":true,
        "use_mrope":false,"use_sliding_window":false,"vocab_size":151936})",
       494032768},
      {"Qwen2-7B", R"({"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,
        "eos_token_id":151645,"hidden_act":"silu","hidden_size":3584,"initializer_range":0.02,"intermediate_size":18944,
        "max_position_embeddings":32768,"max_window_layers":28,"model_type":"qwen2","num_attention_heads":28,
        "num_hidden_layers":28,"num_key_value_heads":4,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"sliding_window":131072,
        "tie_word_embeddings":false,"torch_dtype":"bfloat16","transformers_version":"4.41.2","use_cache":true,
        "use_sliding_window":false,"vocab_size":152064})",
       7615616512},
      {"Qwen3-0.6B", R"({"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
        "bos_token_id":151643,"eos_token_id":151645,"head_dim":128,"hidden_act":"silu","hidden_size":1024,
        "initializer_range":0.02,"intermediate_size":3072,"max_position_embeddings":40960,"max_window_layers":28,
        "model_type":"qwen3","num_attention_heads":16,"num_hidden_layers":28,"num_key_value_heads":8,"rms_norm_eps":1e-06,
        "rope_scaling":null,"rope_theta":1000000,"sliding_window":null,"tie_word_embeddings":true,
        "torch_dtype":"bfloat16","transformers_version":"4.51.0","use_cache":true,"use_sliding_window":false,
        "vocab_size":151936})",
       596049920},
      {"Qwen3-4B", R"({"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
        "bos_token_id":151643,"eos_token_id":151645,"head_dim":128,"hidden_act":"silu","hidden_size":2560,
        "initializer_range":0.02,"intermediate_size":9728,"max_position_embeddings":262144,"max_window_layers":36,
        "model_type":"qwen3","num_attention_heads":32,"num_hidden_layers":36,"num_key_value_heads":8,"rms_norm_eps":1e-06,
        "rope_scaling":null,"rope_theta":5000000,"sliding_window":null,"tie_word_embeddings":true,
        "torch_dtype":"bfloat16","transformers_version":"4.51.0","use_cache":true,"use_sliding_window":false,
        "vocab_size":151936})",
       4022468096}};
  for (const Published &model : models) {
    Imported imported(std::string(model.config));
    EXPECT_TRUE(imported.good) << model.name << "\n" << joined(imported.result.problems);
    EXPECT_TRUE(imported.result.notes.empty()) << model.name << "\n" << joined(imported.result.notes);
    EXPECT_EQ(imported.result.parameters, model.parameters) << model.name;
  }
}

TEST(Config, DummyWeightsHaveTheConfigsType) {
  for (auto [name, type] : {std::pair("float16", ElementType::f16), std::pair("bfloat16", ElementType::bf16),
                            std::pair("torch.bfloat16", ElementType::bf16), std::pair("float32", ElementType::f32)})
    for (const char *key : {"dtype", "torch_dtype"}) {
      Imported imported(with(without(smallConfig(), "torch_dtype"), {{key, name}}));
      EXPECT_TRUE(imported.good);
      EXPECT_EQ(imported.result.weightType, type);
    }
  EXPECT_EQ(Imported(without(smallConfig(), "torch_dtype")).result.weightType, ElementType::f32);
  // dtype counts before torch_dtype
  EXPECT_EQ(Imported(with(smallConfig(), {{"dtype", "bfloat16"}})).result.weightType, ElementType::bf16);
  expectProblem(with(smallConfig(), {{"torch_dtype", "int8"}}), {"torch_dtype is \"int8\""});
}

TEST(Config, RefusesTextThatIsNoConfig) {
  EXPECT_TRUE(says(Imported(std::string("[1]")).result.problems, {"holds a list of 1, expected an object"}));
  EXPECT_TRUE(says(Imported(std::string("{")).result.problems, {"is not valid JSON"}));
  EXPECT_TRUE(says(Imported(std::string(R"({"a":1,"a":2})")).result.problems, {"\"a\" stands twice"}));
  EXPECT_TRUE(says(Imported(std::string(R"({"rms_norm_eps": NaN})")).result.problems, {"is not valid JSON", "line 1"}));
}

} // namespace
