// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See generation.h.
#include "compiler/import/huggingface/generation.h"
#include "compiler/import/huggingface/chat.h"
#include "compiler/import/huggingface/files.h"

#include <cstdint>
#include <filesystem>

namespace ingot::huggingface {

namespace {

// Settings that would change the text, with the values at which they do nothing. Ingot does not honour them: a note
// says so. (Unlike config.json, generation_config.json holds defaults that a caller may override, so nothing is
// refused.)
struct Unsupported {
  std::string_view key;
  const char *neutral; // JSON
};
constexpr Unsupported kUnsupported[] = {{"num_beams", "1"},
                                        {"num_beam_groups", "1"},
                                        {"penalty_alpha", "0"},
                                        {"typical_p", "1.0"},
                                        {"top_h", "1.0"},
                                        {"epsilon_cutoff", "0.0"},
                                        {"eta_cutoff", "0.0"},
                                        {"encoder_repetition_penalty", "1.0"},
                                        {"no_repeat_ngram_size", "0"},
                                        {"encoder_no_repeat_ngram_size", "0"},
                                        {"min_length", "0"},
                                        {"min_new_tokens", "0"},
                                        {"forced_eos_token_id", "null"},
                                        {"bad_words_ids", "null"},
                                        {"suppress_tokens", "null"},
                                        {"begin_suppress_tokens", "null"},
                                        {"sequence_bias", "null"},
                                        {"exponential_decay_length_penalty", "null"},
                                        {"guidance_scale", "1.0"},
                                        {"watermarking_config", "null"},
                                        {"stop_strings", "null"},
                                        {"token_healing", "false"}};

// One or several ids. Those below 0 say "none" in some checkpoints.
std::optional<std::vector<int32_t>> readIds(Config &config, std::string_view key) {
  const Json *value = config.find(key);
  if (!value)
    return std::nullopt;
  std::vector<int32_t> ids;
  auto add = [&](const Json &id) {
    if (!id.is_number_integer() || id.get<int64_t>() > INT32_MAX ||
        (id.is_number_unsigned() && id.get<uint64_t>() > INT32_MAX))
      return false;
    if (id.get<int64_t>() < 0)
      config.note(std::string(key) + " is " + described(id) + ": taken as none");
    else
      ids.push_back(id.get<int32_t>());
    return true;
  };
  bool fits = !value->is_array() ? add(*value) : true;
  if (value->is_array())
    for (const Json &id : *value)
      fits = fits && add(id);
  if (fits)
    return ids;
  config.wrong(key, "a token id or a list of them");
  return std::nullopt;
}

std::optional<int32_t> readId(Config &config, std::string_view key) {
  std::optional<std::vector<int32_t>> ids = readIds(config, key);
  if (ids && ids->size() > 1)
    config.note(std::string(key) + " lists " + std::to_string(ids->size()) + " tokens: the first counts");
  if (!ids)
    return std::nullopt;
  return ids->empty() ? -1 : ids->front();
}

} // namespace

GenerationConfig readGeneration(const Json *own, const std::string &ownWhere, const Json &model,
                                const std::string &modelWhere, const DefaultIds &ids, Messages &messages) {
  static const Json none = Json::object();
  // Without a generation_config.json its keys may stand in config.json, as old checkpoints have them.
  Config first(own ? *own : model, own ? ownWhere : modelWhere, messages);
  Config second(own ? model : none, modelWhere, messages);
  GenerationConfig out;
  auto id = [&](std::string_view key, int32_t fallback) {
    std::optional<int32_t> found = readId(first, key);
    if (!found)
      found = readId(second, key);
    return found.value_or(second.has(key) || first.has(key) ? -1 : fallback);
  };
  out.bos = id("bos_token_id", ids.bos);
  out.pad = id("pad_token_id", -1);
  std::optional<std::vector<int32_t>> eos = readIds(first, "eos_token_id");
  if (!eos)
    eos = readIds(second, "eos_token_id");
  if (eos)
    out.eos = *eos;
  else if (!first.has("eos_token_id") && !second.has("eos_token_id") && ids.eos >= 0)
    out.eos = {ids.eos};

  // A decoder with an encoder begins with one token, and some models force those that follow it.
  if (int32_t start = id("decoder_start_token_id", -1); start >= 0)
    out.start.push_back(start);
  const int32_t forced = id("forced_bos_token_id", -1);
  if (forced >= 0 && !out.start.empty())
    out.start.push_back(forced);
  else if (forced >= 0)
    first.note("forced_bos_token_id is " + std::to_string(forced) + ", which is not honoured without decoder_start_token_id");
  if (const Json *ids = first.find("forced_decoder_ids"); ids && ids->is_array() && out.start.size() == 1)
    for (const Json &pair : *ids) { // [place, id], from place 1 on; an id of null is the model's to choose
      const bool next = pair.is_array() && pair.size() == 2 && pair[0].is_number_integer() && pair[1].is_number_integer() &&
                        pair[0].get<int64_t>() == int64_t(out.start.size()) && pair[1].get<int64_t>() >= 0 && pair[1].get<int64_t>() <= INT32_MAX;
      if (!next) {
        first.note("forced_decoder_ids is honoured up to place " + std::to_string(out.start.size() - 1) + " alone");
        break;
      }
      out.start.push_back(pair[1].get<int32_t>());
    }

  out.do_sample = first.boolean("do_sample").value_or(false);
  out.temperature = first.number("temperature", 0, 1e6).value_or(1);
  // The reference's own default for sampling; null switches it off.
  int32_t topK = out.do_sample && !first.has("top_k") ? 50 : 0;
  out.top_k = static_cast<int32_t>(first.integer("top_k", 0, INT32_MAX).value_or(topK));
  out.top_p = first.number("top_p", 0, 1).value_or(1);
  out.min_p = first.number("min_p", 0, 1).value_or(0);
  out.repetition_penalty = first.number("repetition_penalty", 1e-6, 1e6).value_or(1);
  for (const Unsupported &setting : kUnsupported)
    if (const Json *value = first.find(setting.key))
      if (*value != Json::parse(setting.neutral))
        first.note(std::string(setting.key) + " is " + described(*value) + ", which is not honoured");
  return out;
}

// The files that stand for a tokenizer.json in older checkpoints.
template <typename Path> static void readOtherTokenizer(Path path, ImportResult &result, Messages &messages) {
  auto read = [&](const char *name, std::optional<std::string> &out) {
    if (!out && fileExists(path(name)))
      out = readText(path(name), messages);
  };
  tokenizer::TokenizerFiles &files = result.tokenizerFiles;
  read("tokenizer.model", files.sentencePiece);
  read("spiece.model", files.sentencePiece);
  read("sentencepiece.bpe.model", files.sentencePiece);
  read("spm.model", files.sentencePiece);
  read("tiktoken.model", files.ranks);
  read("qwen.tiktoken", files.ranks);
  read("tekken.json", files.tekkenJson);
  read("vocab.json", files.vocabJson);
  read("merges.txt", files.mergesTxt);
  read("vocab.txt", files.vocabTxt);
  if (!files.any())
    messages.notes.push_back(path("tokenizer.json") + ": is absent, so the engine will have no tokenizer");
}

void readTextFiles(const std::string &directory, const std::string &chatTemplate, ImportResult &result,
                   Messages &messages) {
  auto path = [&](const char *name) { return (std::filesystem::path(directory) / name).string(); };
  if (fileExists(path("tokenizer.json")))
    result.tokenizerJson = readText(path("tokenizer.json"), messages);
  else
    readOtherTokenizer(path, result, messages);

  std::optional<Json> config;
  if (fileExists(path("tokenizer_config.json"))) {
    config = readJsonObject(path("tokenizer_config.json"), messages);
    if (config)
      result.tokenizerConfigJson = readText(path("tokenizer_config.json"), messages);
  }
  readChat(directory, config ? &*config : nullptr, chatTemplate, result, messages);
}

} // namespace ingot::huggingface
