// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See import.h.
#include "compiler/import/huggingface/import.h"
#include "compiler/import/huggingface/family.h"
#include "compiler/import/huggingface/files.h"
#include "compiler/import/huggingface/generation.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace ingot::huggingface {

namespace fs = std::filesystem;

namespace {

// The directory's name; in the cache of huggingface_hub (models--ORG--NAME/snapshots/HASH) that of the model.
std::string modelName(const std::string &directory) {
  std::error_code failure;
  fs::path path = fs::weakly_canonical(directory, failure);
  if (failure)
    path = directory;
  std::string name = path.filename().string();
  std::string holder = path.parent_path().parent_path().filename().string();
  if (path.parent_path().filename() == "snapshots" && holder.starts_with("models--"))
    name = holder.substr(holder.rfind("--") + 2);
  if (name.empty() || !isUtf8(name))
    return "model";
  return name;
}

// Says why `directory` cannot be a checkpoint, before anything in it is read.
bool checkDirectory(const std::string &directory, Messages &messages) {
  std::error_code failure;
  fs::file_status status = fs::status(directory, failure);
  std::string problem;
  if (status.type() == fs::file_type::not_found)
    problem = "no such file or directory; expected a checkpoint's directory with config.json";
  else if (failure)
    problem = "cannot be examined: " + failure.message();
  else if (status.type() != fs::file_type::directory)
    problem = "is a file, expected a checkpoint's directory with config.json and *.safetensors";
  else if (::faccessat(AT_FDCWD, directory.c_str(), R_OK | X_OK, AT_EACCESS) != 0)
    problem = std::string("cannot be read: ") + std::strerror(errno);
  else if (std::string config = (fs::path(directory) / "config.json").string(); !fileExists(config)) {
    problem = "has no config.json; ";
    if (fileExists((fs::path(directory) / "adapter_config.json").string()))
      problem +=
          "it holds an adapter (adapter_config.json): merge it into its base model first (peft: merge_and_unload)";
    else if (fileExists((fs::path(directory) / "params.json").string()))
      problem += "it holds the publisher's own format (params.json): use the checkpoint that transformers loads";
    else
      problem += "expected a checkpoint's directory as transformers writes it";
  }
  if (!problem.empty())
    messages.problems.push_back(directory + ": " + problem);
  return problem.empty();
}

// The type that dummy weights get: the config's dtype, under its new or its old name.
ElementType dummyType(Config &config) {
  const char *key = config.find("dtype") ? "dtype" : "torch_dtype";
  std::string name = config.text(key).value_or("float32");
  if (name.starts_with("torch."))
    name = name.substr(6);
  for (auto [known, type] : {std::pair("float32", ElementType::f32), std::pair("float16", ElementType::f16),
                             std::pair("bfloat16", ElementType::bf16)})
    if (name == known)
      return type;
  config.wrong(key, "\"float32\", \"float16\" or \"bfloat16\"");
  return ElementType::f32;
}

// model_type and architectures decide who reads the rest.
const Family *chooseFamily(Config &config) {
  std::optional<std::string> type = config.text("model_type");
  const Family *family = type ? findFamily(*type) : nullptr;
  if (!family && config.good())
    config.wrong("model_type", "one of the supported families: " + supportedFamilies());
  std::optional<std::vector<std::string>> architectures = config.texts("architectures");
  if (!architectures || architectures->empty())
    return family;
  auto causal = [](const std::string &name) { return name.ends_with("ForCausalLM"); };
  auto found = std::find_if(architectures->begin(), architectures->end(), causal);
  if (found == architectures->end())
    config.problem("architectures is " + inQuotes(architectures->front()) +
                   ", expected one that ends in ForCausalLM: only models that write text are imported");
  else if (family && *found != family->architecture)
    config.note("architectures is " + inQuotes(*found) + ", but model_type " + std::string(family->modelType) +
                " decides: it is imported as " + std::string(family->architecture));
  return family;
}

// Everything but the text files. `generation` is the content of generation_config.json, where there is one.
void importGraph(const Json &object, const std::string &where, const Json *generation,
                 const std::string &generationWhere, const ImportOptions &options, GraphBuilder &builder,
                 ImportResult &result, Messages &messages) {
  Config config(object, where, messages);
  const Family *family = chooseFamily(config);
  if (!family)
    return;
  result.family = std::string(family->modelType);
  Checkpoint checkpoint =
      options.dummySeed ? Checkpoint::dummy(dummyType(config)) : Checkpoint::open(options.directory, messages);
  Messages graph;
  {
    Config own(object, where, graph);
    Model model(own, checkpoint, builder, graph, result.name, result.family);
    family->import(model);
    own.reportUnknownKeys();
    std::sort(graph.problems.begin(), graph.problems.end());
    // Without a sound config no tensor was asked for, so nothing can be said of them.
    if (model.asked())
      checkpoint.report(graph);
  }
  messages.problems.insert(messages.problems.end(), graph.problems.begin(), graph.problems.end());
  messages.notes.insert(messages.notes.end(), graph.notes.begin(), graph.notes.end());
  result.tensors = checkpoint.count();
  result.parameters = checkpoint.elements();
  result.bytes = checkpoint.bytes();
  result.weightType = checkpoint.dominantType();
  result.generation = readGeneration(generation, generationWhere, object, where, {family->bos, family->eos}, messages);
}

// Puts the messages into the result: no sentence twice.
bool finish(Messages &messages, ImportResult &result) {
  auto unique = [](std::vector<std::string> &sentences) {
    std::vector<std::string> kept;
    for (std::string &sentence : sentences)
      if (std::find(kept.begin(), kept.end(), sentence) == kept.end())
        kept.push_back(std::move(sentence));
    sentences = std::move(kept);
  };
  unique(messages.notes);
  result.problems = std::move(messages.problems);
  result.notes = std::move(messages.notes);
  return result.problems.empty();
}

} // namespace

bool importModel(const ImportOptions &options, GraphBuilder &builder, ImportResult &result) {
  Messages messages;
  result = {};
  if (!checkDirectory(options.directory, messages))
    return finish(messages, result);
  result.name = modelName(options.directory);
  auto path = [&](const char *name) { return (fs::path(options.directory) / name).string(); };
  std::optional<Json> generation;
  if (fileExists(path("generation_config.json")))
    generation = readJsonObject(path("generation_config.json"), messages);
  if (std::optional<Json> config = readJsonObject(path("config.json"), messages))
    importGraph(*config, path("config.json"), generation ? &*generation : nullptr, path("generation_config.json"),
                options, builder, result, messages);
  readTextFiles(options.directory, options.chatTemplate, result, messages);
  return finish(messages, result);
}

bool importConfigText(std::string_view text, GraphBuilder &builder, ImportResult &result) {
  Messages messages;
  result = {};
  result.name = "model";
  std::string error;
  std::optional<Json> config = parseJson(text, error);
  if (!config)
    messages.problems.push_back("config.json: is not valid JSON: " + error);
  else if (!config->is_object())
    messages.problems.push_back("config.json: holds " + described(*config) + ", expected an object");
  else
    importGraph(*config, "config.json", nullptr, "", {"", 0}, builder, result, messages);
  return finish(messages, result);
}

std::string supportedFamilies() {
  std::string names;
  for (const Family *family : families())
    names += (names.empty() ? "" : ", ") + std::string(family->modelType);
  return names;
}

} // namespace ingot::huggingface
