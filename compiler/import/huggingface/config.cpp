// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See config.h. The lists below say which keys of a top-level config.json leave a decoder's logits alone.
#include "compiler/import/huggingface/config.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ingot::huggingface {

namespace {

// Keys that never change logits, as transformers 4 and 5, and tools that write checkpoints, spell them.
constexpr std::string_view kHarmless[] = {
    // how the checkpoint came about
    "_attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal", "_commit_hash",
    "_experts_implementation", "_flash_attn_2_enabled", "_name_or_path", "architectures", "attn_implementation",
    "dtype", "finetuning_task", "gradient_checkpointing", "is_llama_config", "model_type", "name_or_path",
    "tokenizer_class", "torch_dtype", "torchscript", "transformers.js_config", "transformers_version", "unsloth_fixed",
    "unsloth_version", "unsloth_training", "use_bfloat16", "use_flash_attention_2", "tf_legacy_loss",
    // training and its losses
    "attention_dropout", "attn_pdrop", "attention_probs_dropout_prob", "classifier_dropout", "embd_dropout",
    "embd_pdrop", "hidden_dropout", "hidden_dropout_prob", "initializer_range", "neftune_noise_alpha", "resid_dropout",
    "resid_pdrop", "use_cache",
    // how the same result is computed or returned
    "chunk_size_feed_forward", "is_decoder", "output_attentions", "output_hidden_states", "output_scores",
    "pretraining_tp", "return_dict", "return_dict_in_generate", "tie_encoder_decoder", "tie_last_hidden_states",
    // other tasks
    "id2label", "label2id", "num_labels", "problem_type", "task_specific_params",
    // the tokenizer's and the generation's, read elsewhere
    "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id", "decoder_start_token_id",
    "max_sequence_length", "model_max_length", "prefix", "bad_words_ids", "begin_suppress_tokens", "diversity_penalty",
    "do_sample", "early_stopping", "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty",
    "forced_bos_token_id", "forced_eos_token_id", "length_penalty", "max_length", "max_new_tokens", "min_length",
    "min_p", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "remove_invalid_values",
    "repetition_penalty", "suppress_tokens", "temperature", "top_k", "top_p", "typical_p"};

// Keys that change what is computed, unless they have the value beside them.
struct Neutral {
  std::string_view key;
  const char *value; // JSON
  std::string_view meaning;
};
constexpr Neutral kNeutral[] = {
    {"is_causal", "true", "attention in both directions"},
    {"is_encoder_decoder", "false", "an encoder beside the decoder"},
    {"add_cross_attention", "false", "cross attention"},
    {"pruned_heads", "{}", "pruned attention heads"},
    {"rope_interleaved", "false", "rotary embeddings over neighbouring columns"},
    {"use_mrope", "false", "multimodal rotary embeddings"},
    {"qk_layernorm", "false", "norms of queries and keys"},
    {"use_qk_norm", "false", "norms of queries and keys"},
};

bool isHarmless(std::string_view key) {
  return std::find(std::begin(kHarmless), std::end(kHarmless), key) != std::end(kHarmless);
}

// A number as a message calls it: 1, 0.5, 1e-06.
std::string numberText(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

} // namespace

Config::Config(const Json &object, std::string at, Messages &sink)
    : values(&object), where(std::move(at)), messages(&sink) {}

std::string Config::keyPath(std::string_view key) const {
  std::string path = inQuotes(prefix + std::string(key));
  return path.substr(1, path.size() - 2);
}

bool Config::has(std::string_view key) const { return values->find(key) != values->end(); }

const Json *Config::find(std::string_view key) {
  auto found = values->find(key);
  if (found == values->end())
    return nullptr;
  read.emplace(key);
  return found->is_null() ? nullptr : &*found;
}

void Config::problem(std::string text) {
  sound = false;
  messages->problems.push_back(where + ": " + std::move(text));
}

void Config::note(std::string text) { messages->notes.push_back(where + ": " + std::move(text)); }

void Config::wrong(std::string_view key, std::string_view expected) {
  const Json *value = find(key);
  problem(keyPath(key) + " is " +
          (value      ? described(*value)
           : has(key) ? "null"
                      : "absent") +
          ", expected " + std::string(expected));
}

std::optional<int64_t> Config::integer(std::string_view key, int64_t least, int64_t most) {
  const Json *value = find(key);
  if (!value)
    return std::nullopt;
  bool fits = value->is_number_unsigned() ? value->get<uint64_t>() <= uint64_t(INT64_MAX) : value->is_number_integer();
  if (fits && value->get<int64_t>() >= least && value->get<int64_t>() <= most)
    return value->get<int64_t>();
  wrong(key, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<double> Config::number(std::string_view key, double least, double most) {
  const Json *value = find(key);
  if (!value)
    return std::nullopt;
  if (value->is_number() && value->get<double>() >= least && value->get<double>() <= most)
    return value->get<double>();
  wrong(key, "a number from " + numberText(least) + " to " + numberText(most));
  return std::nullopt;
}

std::optional<bool> Config::boolean(std::string_view key) {
  const Json *value = find(key);
  if (!value)
    return std::nullopt;
  if (value->is_boolean())
    return value->get<bool>();
  wrong(key, "true or false");
  return std::nullopt;
}

std::optional<std::string> Config::text(std::string_view key) {
  const Json *value = find(key);
  if (!value)
    return std::nullopt;
  if (value->is_string())
    return value->get<std::string>();
  wrong(key, "text");
  return std::nullopt;
}

std::optional<std::vector<double>> Config::numbers(std::string_view key, double least, double most) {
  const Json *value = find(key);
  if (!value)
    return std::nullopt;
  std::vector<double> out;
  if (!value->is_array()) {
    wrong(key, "a list of numbers");
    return std::nullopt;
  }
  for (const Json &item : *value) {
    if (!item.is_number() || !(item.get<double>() >= least && item.get<double>() <= most)) {
      problem(keyPath(key) + "[" + std::to_string(out.size()) + "] is " + described(item) +
              ", expected a number from " + numberText(least) + " to " + numberText(most));
      return std::nullopt;
    }
    out.push_back(item.get<double>());
  }
  return out;
}

std::optional<std::vector<std::string>> Config::texts(std::string_view key) {
  const Json *value = find(key);
  if (!value)
    return std::nullopt;
  std::vector<std::string> out;
  bool fits = value->is_array();
  for (size_t i = 0; fits && i < value->size(); ++i) {
    fits = (*value)[i].is_string();
    if (fits)
      out.push_back((*value)[i].get<std::string>());
  }
  if (fits)
    return out;
  wrong(key, "a list of texts");
  return std::nullopt;
}

std::optional<Config> Config::object(std::string_view key) {
  const Json *value = find(key);
  if (!value)
    return std::nullopt;
  if (!value->is_object()) {
    wrong(key, "an object");
    return std::nullopt;
  }
  Config inner(*value, where, *messages);
  inner.prefix = prefix + std::string(key) + ".";
  return inner;
}

void Config::ignored(std::string_view key, std::string_view why) {
  if (const Json *value = find(key))
    note(keyPath(key) + " is " + described(*value) + ", which changes nothing: " + std::string(why));
}

void Config::reportUnknownKeys() {
  for (const auto &[key, value] : values->items()) {
    if (read.count(key) || (prefix.empty() && isHarmless(key)))
      continue;
    if (value.is_null())
      continue; // says that something is not set
    auto neutral =
        std::find_if(std::begin(kNeutral), std::end(kNeutral), [&](const Neutral &n) { return n.key == key; });
    if (prefix.empty() && neutral != std::end(kNeutral)) {
      if (value != Json::parse(neutral->value))
        problem(keyPath(key) + " is " + described(value) + ": " + std::string(neutral->meaning) +
                " is not supported for this model; only " + neutral->value + " is");
    } else if (prefix.empty() && key == "quantization_config") {
      std::string method = "an unnamed method";
      if (value.is_object() && value.contains("quant_method"))
        method = described(value["quant_method"]);
      problem("quantization_config: the weights are quantized by " + method +
              ", which is not read; use the checkpoint from before quantization");
    } else if (prefix.empty() && key == "auto_map") {
      problem("auto_map: the model brings its own Python code, which is not run; if the architecture is the stock one, "
              "remove the key");
    } else {
      problem(keyPath(key) + " is " + described(value) +
              ": this key is not known for this model and may change what it computes; remove it only if it does not");
    }
  }
}

} // namespace ingot::huggingface
