// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See beside.h.
#include "compiler/import/huggingface/beside.h"
#include "compiler/import/huggingface/files.h"
#include "compiler/import/huggingface/generation.h"

#include <filesystem>

namespace ingot::huggingface {

namespace fs = std::filesystem;

namespace {

std::string in(const std::string &directory, const char *name) { return (fs::path(directory) / name).string(); }

bool holdsConfig(const std::string &directory) {
  for (const char *name : {"config.json", "genai_config.json", "tokenizer.json"})
    if (fileExists(in(directory, name)))
      return true;
  return false;
}

// An object of an object, or an empty one.
Json objectAt(const Json &of, const char *key) {
  auto found = of.find(key);
  return found != of.end() && found->is_object() ? *found : Json::object();
}

} // namespace

std::string directoryBeside(const std::string &graph) {
  std::error_code failure;
  fs::path path = fs::absolute(graph, failure).parent_path();
  if (failure)
    path = fs::path(graph).parent_path();
  if (path.filename() == "onnx" && !holdsConfig(path.string()) && holdsConfig(path.parent_path().string()))
    path = path.parent_path();
  return path.string();
}

int64_t contextBeside(const std::string &directory) {
  Messages unread; // a config that cannot be read says nothing
  auto positive = [](const Json &of, const char *key) -> int64_t {
    auto found = of.find(key);
    return found != of.end() && found->is_number_integer() && found->get<int64_t>() > 0 ? found->get<int64_t>() : 0;
  };
  if (std::string path = in(directory, "genai_config.json"); fileExists(path))
    if (auto config = readJsonObject(path, unread))
      if (int64_t context = positive(objectAt(*config, "model"), "context_length"))
        return context;
  if (std::string path = in(directory, "config.json"); fileExists(path))
    if (auto config = readJsonObject(path, unread))
      for (const char *key : {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length"})
        if (int64_t context = positive(*config, key))
          return context;
  return 0;
}

bool readBeside(const std::string &directory, const std::string &tokenizer, const std::string &chatTemplate, ImportResult &result) {
  Messages messages;
  static const Json none = Json::object();
  auto object = [&](const char *name) {
    return fileExists(in(directory, name)) ? readJsonObject(in(directory, name), messages) : std::nullopt;
  };
  const std::optional<Json> config = object("config.json"), generation = object("generation_config.json");
  if (auto genai = object("genai_config.json"); genai && !generation) {
    // Its search settings are those of sampling; ids stand with the model.
    Json own = objectAt(*genai, "search");
    for (const char *key : {"num_return_sequences", "length_penalty", "diversity_penalty"})
      own.erase(key);
    for (const char *key : {"bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"})
      if (Json model = objectAt(*genai, "model"); model.contains(key))
        own[key] = model[key];
    result.generation = readGeneration(&own, in(directory, "genai_config.json"), none, "", {}, messages);
  } else {
    result.generation = readGeneration(generation ? &*generation : nullptr, in(directory, "generation_config.json"),
                                       config ? *config : none, in(directory, "config.json"), {}, messages);
  }
  std::error_code failure;
  const bool isFile = !tokenizer.empty() && fs::is_regular_file(tokenizer, failure);
  if (!tokenizer.empty() && !isFile && !fs::is_directory(tokenizer, failure))
    messages.problems.push_back(tokenizer + ": no such file or directory; expected a tokenizer.json or the directory that holds it");
  else {
    std::string text = tokenizer.empty() ? directory : isFile ? fs::absolute(tokenizer, failure).parent_path().string() : tokenizer;
    readTextFiles(text, chatTemplate, result, messages);
    if (isFile)
      result.tokenizerJson = readText(tokenizer, messages);
  }
  result.problems.insert(result.problems.end(), messages.problems.begin(), messages.problems.end());
  result.notes.insert(result.notes.end(), messages.notes.begin(), messages.notes.end());
  return messages.problems.empty();
}

} // namespace ingot::huggingface
