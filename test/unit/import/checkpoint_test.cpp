// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole directories: which files are read, what is told where one is missing or does not fit, and what an import gives
// besides the graph.
#include "test/unit/import/reference_builder.h"
#include "test/unit/import/scratch.h"

#include <filesystem>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace ingot;
using namespace ingot::huggingface;
using ingot::test::joined;
using ingot::test::safetensors;
using ingot::test::says;
using ingot::test::Scratch;
using ingot::test::smallConfig;
using ingot::test::smallTensors;
using nlohmann::json;

struct Imported {
  GraphBuilder builder;
  ImportResult result;
  bool good;
  explicit Imported(const std::string &directory, std::optional<uint64_t> dummySeed = {}) {
    good = importModel({directory, dummySeed}, builder, result);
    EXPECT_EQ(good, result.problems.empty());
  }
};

// A directory with a good checkpoint, but for what a test changes.
namespace fs = std::filesystem;

struct Directory : Scratch {
  Directory() {
    write("config.json", smallConfig().dump());
    write("tokenizer.json", "{}");
    write("model.safetensors", safetensors(smallTensors()));
  }
  void expectProblem(const std::vector<std::string> &parts) const {
    Imported imported(path());
    EXPECT_FALSE(imported.good);
    EXPECT_EQ(imported.result.problems.size(), 1u) << joined(imported.result.problems);
    EXPECT_TRUE(says(imported.result.problems, parts)) << joined(imported.result.problems);
  }
  void expectGood() const {
    Imported imported(path());
    EXPECT_TRUE(imported.good) << joined(imported.result.problems);
  }
};

TEST(Checkpoint, GivesEveryTensorItsPlace) {
  Directory directory;
  Imported imported(directory.path());
  ASSERT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_TRUE(imported.result.notes.empty()) << joined(imported.result.notes);
  EXPECT_EQ(imported.result.tensors, 12u);
  EXPECT_EQ(imported.result.weightType, ElementType::f32);
  const TensorSource &source = imported.builder.impl->weights["model.norm.weight"];
  EXPECT_EQ(source.file, directory.path("model.safetensors"));
  EXPECT_EQ(source.bytes, 32u);
  // It is the last in the file, by name.
  EXPECT_EQ(source.offset + source.bytes, std::filesystem::file_size(source.file));
  EXPECT_EQ(imported.result.tokenizerJson, "{}");
  EXPECT_TRUE(imported.result.chat.templates.empty());
}

TEST(Checkpoint, TellsAllProblemsAtOnce) {
  Directory directory;
  auto tensors = smallTensors();
  tensors.erase("model.norm.weight");
  tensors.erase("model.layers.0.mlp.up_proj.weight");
  tensors["model.layers.0.self_attn.k_proj.weight"] = {8, 8};
  tensors["model.layers.0.self_attn.q_proj.bias"] = {8};
  tensors["model.layers.1.mlp.up_proj.weight"] = {12, 8};
  directory.write("model.safetensors", safetensors(tensors));
  json config = smallConfig();
  config["logit_scale"] = 0.5;
  directory.write("config.json", config.dump());
  Imported imported(directory.path());
  EXPECT_FALSE(imported.good);
  const std::vector<std::vector<std::string>> expected = {
      {"config.json: logit_scale is 0.5"},
      {"tensor \"model.norm.weight\" is missing, expected shape [8]"},
      {"tensor \"model.layers.0.mlp.up_proj.weight\" is missing, expected shape [12, 8]"},
      {"model.safetensors: tensor \"model.layers.0.self_attn.k_proj.weight\" has shape [8, 8], but config.json implies "
       "[4, 8]"},
      {"tensor \"model.layers.0.self_attn.q_proj.bias\" of shape [8] is not used"},
      {"tensor \"model.layers.1.mlp.up_proj.weight\" of shape [12, 8] is not used"}};
  EXPECT_EQ(imported.result.problems.size(), expected.size()) << joined(imported.result.problems);
  for (const auto &parts : expected)
    EXPECT_TRUE(says(imported.result.problems, parts)) << parts[0] << "\n" << joined(imported.result.problems);
}

TEST(Checkpoint, RefusesTypesItCannotUse) {
  Directory directory;
  std::string file = safetensors(smallTensors());
  // F64 is as wide as I64; the first tensor's type becomes I32, as wide as F32.
  size_t at = file.find("\"F32\"");
  directory.write("model.safetensors", file.replace(at, 5, "\"I32\""));
  directory.expectProblem({"tensor \"lm_head.weight\" is of type \"I32\"", "expected F32, F16 or BF16"});
}

TEST(Checkpoint, IgnoresStoredFrequencies) {
  Directory directory;
  auto tensors = smallTensors();
  tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {2};
  directory.write("model.safetensors", safetensors(tensors));
  directory.expectGood();
}

TEST(Checkpoint, ReadsShardsByTheirIndex) {
  Directory directory;
  directory.remove("model.safetensors");
  json index = {{"metadata", {{"total_size", 1}}}, {"weight_map", json::object()}};
  std::map<std::string, std::vector<int64_t>> parts[2];
  int i = 0;
  for (const auto &[name, shape] : smallTensors()) {
    parts[i % 2][name] = shape;
    index["weight_map"][name] = i++ % 2 ? "model-2.safetensors" : "model-1.safetensors";
  }
  directory.write("model-1.safetensors", safetensors(parts[0]));
  directory.write("model-2.safetensors", safetensors(parts[1]));
  // Without an index, every *.safetensors counts.
  directory.expectGood();
  directory.write("model.safetensors.index.json", index.dump());
  directory.write("consolidated.safetensors", "not looked at");
  directory.expectGood();

  json bad = index;
  bad["weight_map"]["model.norm.weight"] = "model-1.safetensors";
  directory.write("model.safetensors.index.json", bad.dump());
  directory.expectProblem(
      {"tensor \"model.norm.weight\" lies in model-1.safetensors, but it lies in", "model-2.safetensors"});
  bad = index;
  bad["weight_map"]["model.extra"] = "model-1.safetensors";
  directory.write("model.safetensors.index.json", bad.dump());
  directory.expectProblem({"\"model.extra\" lies in model-1.safetensors, which does not have it"});
  bad = index;
  bad["weight_map"]["model.extra"] = "../secret.safetensors";
  directory.write("model.safetensors.index.json", bad.dump());
  directory.expectProblem(
      {"\"model.extra\" the file \"../secret.safetensors\", expected the name of a file in the same folder"});
  directory.write("model.safetensors.index.json", "{}");
  directory.expectProblem({"no object \"weight_map\""});
  directory.write("model.safetensors.index.json", index.dump());
  directory.remove("model-2.safetensors");
  directory.expectProblem({"model-2.safetensors: is missing, though model.safetensors.index.json names it"});
}

TEST(Checkpoint, RefusesOneTensorInTwoFiles) {
  Directory directory;
  directory.remove("model.safetensors");
  directory.write("a.safetensors", safetensors(smallTensors()));
  directory.write("b.safetensors", safetensors({{"model.norm.weight", {8}}}));
  directory.expectProblem({"b.safetensors: tensor \"model.norm.weight\" stands also in", "a.safetensors"});
}

TEST(Checkpoint, ADamagedFileIsTheOnlyComplaint) {
  Directory directory;
  std::string file = safetensors(smallTensors());
  directory.write("model.safetensors", file.substr(0, file.size() - 40));
  Imported imported(directory.path());
  EXPECT_FALSE(imported.good);
  for (const std::string &problem : imported.result.problems)
    EXPECT_NE(problem.find("truncated"), std::string::npos) << problem;
}

TEST(Checkpoint, SaysWhatIsThereInPlaceOfWeights) {
  const std::pair<const char *, const char *> others[] = {
      {"pytorch_model.bin", "pickled weights"},    {"model.gguf", "GGUF file"},
      {"adapter_model.safetensors", "an adapter"}, {"consolidated.safetensors", "publisher's own format"},
      {"tf_model.h5", "another framework"},        {"README.md", "the weights are missing"}};
  for (auto [name, text] : others) {
    Directory directory;
    directory.remove("model.safetensors");
    directory.write(name, "x");
    directory.expectProblem({directory.path(), "no *.safetensors file", text});
  }
}

TEST(Checkpoint, NeedsADirectoryWithAConfig) {
  Directory directory;
  directory.remove("config.json");
  directory.expectProblem({"has no config.json"});
  directory.write("adapter_config.json", "{}");
  directory.expectProblem({"has no config.json", "adapter", "merge"});
  EXPECT_TRUE(says(Imported("/nonexistent/model").result.problems, {"/nonexistent/model: no such file or directory"}));
  EXPECT_TRUE(says(Imported(directory.path("model.safetensors")).result.problems,
                   {"is a file, expected a checkpoint's directory"}));
}

// Root may read everything, so root becomes somebody else for this test.
struct Nobody {
  bool root = ::geteuid() == 0;
  explicit Nobody(const Directory &directory) {
    if (!root)
      return;
    // A runner may have made a folder of its own for temporaries, which somebody else may not even pass through.
    fs::permissions(fs::path(directory.path("config.json")).parent_path().parent_path(),
                    fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
    for (const char *name : {"", "config.json", "model.safetensors", "tokenizer.json"})
      EXPECT_EQ(::chown(directory.path(name).c_str(), 65534, 65534), 0);
    EXPECT_EQ(::seteuid(65534), 0);
  }
  ~Nobody() {
    if (root)
      EXPECT_EQ(::seteuid(0), 0);
  }
};

TEST(Checkpoint, NamesWhatItMayNotRead) {
  Directory directory;
  Nobody nobody(directory);
  ::chmod(directory.path("model.safetensors").c_str(), 0);
  directory.expectProblem({"model.safetensors: cannot be opened: Permission denied"});
  ::chmod(directory.path().c_str(), 0);
  directory.expectProblem({directory.path() + ": cannot be read: Permission denied"});
  ::chmod(directory.path().c_str(), 0700);
}

TEST(Checkpoint, ConfigThatIsNoConfig) {
  Directory directory;
  directory.write("config.json", "version https://git-lfs.github.com/spec/v1\n");
  directory.expectProblem({"config.json: this is a Git LFS pointer"});
  directory.write("config.json", "3");
  directory.expectProblem({"config.json: holds 3, expected an object"});
  directory.write("config.json", "{\"a\": \xff}");
  directory.expectProblem({"config.json: is not valid JSON"});
}

// --- Tied embeddings, as transformers 5 treats them.

struct TiedDirectory : Directory {
  TiedDirectory() {
    json config = smallConfig();
    config["tie_word_embeddings"] = true;
    write("config.json", config.dump());
  }
};

TEST(Tied, EitherOfThePairMayBeStored) {
  for (const char *absent : {"lm_head.weight", "model.embed_tokens.weight"}) {
    TiedDirectory directory;
    auto tensors = smallTensors();
    tensors.erase(absent);
    directory.write("model.safetensors", safetensors(tensors));
    Imported imported(directory.path());
    EXPECT_TRUE(imported.good) << joined(imported.result.problems);
    EXPECT_EQ(imported.result.tensors, 11u);
    EXPECT_TRUE(imported.result.notes.empty());
  }
}

TEST(Tied, EqualPairIsStoredOnce) {
  TiedDirectory directory;
  Imported imported(directory.path());
  EXPECT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.result.tensors, 11u);
  EXPECT_TRUE(says(imported.result.notes, {"lm_head.weight repeats model.embed_tokens.weight"}));
}

TEST(Tied, DifferentPairIsNotTied) {
  TiedDirectory directory;
  std::string file = safetensors(smallTensors());
  size_t dataStart = file.size() - 4 * (2 * 80 + 3 * 8 + 2 * 64 + 2 * 32 + 3 * 96);
  file[dataStart + 319] = 1; // the last byte of lm_head.weight, which comes first
  directory.write("model.safetensors", file);
  Imported imported(directory.path());
  EXPECT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.result.tensors, 12u);
  EXPECT_TRUE(says(imported.result.notes, {"different values", "both are used"}));
}

TEST(Tied, BothAbsentIsAProblem) {
  TiedDirectory directory;
  auto tensors = smallTensors();
  tensors.erase("lm_head.weight");
  tensors.erase("model.embed_tokens.weight");
  directory.write("model.safetensors", safetensors(tensors));
  directory.expectProblem({"\"model.embed_tokens.weight\" is missing"});
}

// --- Dummy weights.

TEST(Dummy, NeedsOnlyTheConfig) {
  Scratch directory;
  directory.write("config.json", smallConfig().dump());
  Imported imported(directory.path(), 1);
  EXPECT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.result.tensors, 12u);
  EXPECT_EQ(imported.builder.impl->weights["lm_head.weight"].file, "");
  EXPECT_EQ(imported.builder.impl->weights["lm_head.weight"].bytes, 320u);
  EXPECT_TRUE(says(imported.result.notes, {"tokenizer.json: is absent"}));
}

// --- What comes beside the graph.

TEST(Generation, ComesFromItsOwnFile) {
  Directory directory;
  directory.write(
      "generation_config.json",
      R"({"bos_token_id":5,"eos_token_id":[6,7],"pad_token_id":8,"do_sample":true,"temperature":0.6,"top_k":20,)"
      R"("top_p":0.95,"min_p":0.05,"repetition_penalty":1.1,"transformers_version":"5.0"})");
  GenerationConfig found = Imported(directory.path()).result.generation;
  EXPECT_EQ(found.bos, 5);
  EXPECT_EQ(found.eos, (std::vector<int32_t>{6, 7}));
  EXPECT_EQ(found.pad, 8);
  EXPECT_TRUE(found.do_sample);
  EXPECT_EQ(found.temperature, 0.6);
  EXPECT_EQ(found.top_k, 20);
  EXPECT_EQ(found.top_p, 0.95);
  EXPECT_EQ(found.min_p, 0.05);
  EXPECT_EQ(found.repetition_penalty, 1.1);
}

TEST(Generation, FallsBackToTheConfig) {
  Directory directory;
  json config = smallConfig();
  config["bos_token_id"] = 3;
  config["eos_token_id"] = 4;
  config["pad_token_id"] = -1;
  directory.write("config.json", config.dump());
  directory.write("generation_config.json", R"({"do_sample":true})");
  Imported imported(directory.path());
  EXPECT_TRUE(imported.good) << joined(imported.result.problems);
  EXPECT_EQ(imported.result.generation.bos, 3);
  EXPECT_EQ(imported.result.generation.eos, std::vector<int32_t>{4});
  EXPECT_EQ(imported.result.generation.pad, -1);
  EXPECT_EQ(imported.result.generation.top_k, 50); // transformers' own, where sampling is on and the key is absent
  EXPECT_TRUE(says(imported.result.notes, {"pad_token_id is -1: taken as none"}));
}

TEST(Generation, NullSaysNone) {
  Directory directory;
  json config = smallConfig();
  config["bos_token_id"] = nullptr;
  config["eos_token_id"] = nullptr;
  directory.write("config.json", config.dump());
  Imported imported(directory.path());
  EXPECT_EQ(imported.result.generation.bos, -1); // not Llama's own 1
  EXPECT_TRUE(imported.result.generation.eos.empty());
}

TEST(Generation, RefusesBadValues) {
  Directory directory;
  directory.write("generation_config.json", R"({"temperature":"hot"})");
  directory.expectProblem({"generation_config.json: temperature is \"hot\", expected a number"});
  directory.write("generation_config.json", R"({"top_p":1.5})");
  directory.expectProblem({"top_p is 1.5"});
  directory.write("generation_config.json", R"({"eos_token_id":[1,"2"]})");
  directory.expectProblem({"eos_token_id is a list of 2, expected a token id"});
  directory.write("generation_config.json", R"({"eos_token_id":4294967296})");
  directory.expectProblem({"eos_token_id is 4294967296"});
}

TEST(Generation, SaysWhatItDoesNotHonour) {
  Directory directory;
  directory.write("generation_config.json", R"({"num_beams":4,"no_repeat_ngram_size":0,"typical_p":1.0})");
  Imported imported(directory.path());
  EXPECT_TRUE(imported.good);
  ASSERT_EQ(imported.result.notes.size(), 1u) << joined(imported.result.notes);
  EXPECT_TRUE(says(imported.result.notes, {"num_beams is 4", "not honoured"}));
}

TEST(ChatTemplate, IsFoundWhereverItStands) {
  using Templates = std::vector<std::pair<std::string, std::string>>;
  Directory directory;
  directory.write("tokenizer_config.json", R"({"chat_template":"one"})");
  EXPECT_EQ(Imported(directory.path()).result.chat.templates, (Templates{{"default", "one"}}));
  directory.write("tokenizer_config.json",
                  R"({"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"two"}]})");
  EXPECT_EQ(Imported(directory.path()).result.chat.templates, (Templates{{"tool_use", "t"}, {"default", "two"}}));
  directory.write("chat_template.json", R"({"chat_template":"three"})");
  EXPECT_EQ(Imported(directory.path()).result.chat.templates, (Templates{{"default", "three"}}));
  directory.write("chat_template.jinja", "four");
  EXPECT_EQ(Imported(directory.path()).result.chat.templates, (Templates{{"default", "four"}}));
  std::filesystem::create_directory(directory.path("additional_chat_templates"));
  directory.write("additional_chat_templates/tool_use.jinja", "five");
  EXPECT_EQ(Imported(directory.path()).result.chat.templates, (Templates{{"default", "four"}, {"tool_use", "five"}}));
  directory.write("chat_template.jinja", "\xff");
  directory.expectProblem({"chat_template.jinja: is not UTF-8 text"});
}

TEST(ChatTemplate, IsRefusedWithFileLineAndConstruct) {
  Directory directory;
  directory.write("tokenizer_config.json", R"({"chat_template":"a\n{% include 'x' %}"})");
  directory.expectProblem({"tokenizer_config.json: chat_template: line 2: {% include %} wants another template"});
  directory.write("tokenizer_config.json", R"({"chat_template":[{"name":"tool_use","template":"{{ x|nope }}"}]})");
  directory.expectProblem(
      {"tokenizer_config.json: the chat template \"tool_use\": line 1: there is no filter named 'nope'"});
  directory.write("chat_template.jinja", "{{");
  directory.expectProblem({"chat_template.jinja: line 1:"});
}

TEST(ChatTemplate, GetsSpecialTokens) {
  using Tokens = std::vector<std::pair<std::string, std::string>>;
  Directory directory;
  directory.write("special_tokens_map.json", R"({"pad_token":"<p>","eos_token":{"content":"</s>","lstrip":false}})");
  directory.write("tokenizer_config.json",
                  R"({"bos_token":"<s>","eos_token":"x","unk_token":null,"image_token":"<i>","x_token":1})");
  EXPECT_EQ(Imported(directory.path()).result.chat.specialTokens,
            (Tokens{{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"pad_token", "<p>"}, {"image_token", "<i>"}}));
  // Newer checkpoints: everything is in tokenizer_config.json.
  directory.write(
      "tokenizer_config.json",
      R"({"added_tokens_decoder":{},"bos_token":{"__type":"AddedToken","content":"<s>"},"extra_special_tokens":{"boi":"<boi>"}})");
  EXPECT_EQ(Imported(directory.path()).result.chat.specialTokens, (Tokens{{"bos_token", "<s>"}, {"boi", "<boi>"}}));
}

TEST(ChatTemplate, RefusesOtherForms) {
  Directory directory;
  directory.write("tokenizer_config.json", R"({"chat_template":[{"name":"default"}]})");
  directory.expectProblem({"tokenizer_config.json: chat_template is a list of 1"});
}

TEST(Tokenizer, MayBeAbsent) {
  Directory directory;
  directory.remove("tokenizer.json");
  EXPECT_TRUE(says(Imported(directory.path()).result.notes, {"tokenizer.json: is absent"}));
  directory.write("tokenizer.model", "x");
  Imported imported(directory.path());
  EXPECT_FALSE(says(imported.result.notes, {"tokenizer.json: is absent"}));
  EXPECT_EQ(imported.result.tokenizerFiles.sentencePiece, "x");
  directory.write("vocab.json", "{}");
  directory.write("merges.txt", "a b");
  directory.write("vocab.txt", "[UNK]");
  Imported more(directory.path());
  EXPECT_EQ(more.result.tokenizerFiles.vocabJson, "{}");
  EXPECT_EQ(more.result.tokenizerFiles.mergesTxt, "a b");
  EXPECT_EQ(more.result.tokenizerFiles.vocabTxt, "[UNK]");
  directory.remove("tokenizer.model");
  directory.write("spm.model", "s");
  directory.write("sentencepiece.bpe.model", "b");
  directory.write("qwen.tiktoken", "YQ== 0");
  directory.write("tekken.json", "{}");
  Imported others(directory.path());
  EXPECT_EQ(others.result.tokenizerFiles.sentencePiece, "b");
  EXPECT_EQ(others.result.tokenizerFiles.ranks, "YQ== 0");
  EXPECT_EQ(others.result.tokenizerFiles.tekkenJson, "{}");
}

TEST(Name, IsTheDirectorysOrTheCachedModels) {
  Directory directory;
  std::filesystem::path cache = directory.path("models--Qwen--Qwen2.5-0.5B");
  std::filesystem::create_directories(cache / "snapshots" / "abc123");
  std::ofstream(cache / "snapshots" / "abc123" / "config.json") << smallConfig().dump();
  EXPECT_EQ(Imported((cache / "snapshots" / "abc123").string(), 1).result.name, "Qwen2.5-0.5B");
  EXPECT_EQ(Imported(directory.path() + "/").result.name,
            std::filesystem::path(directory.path()).parent_path().filename().string());
}

} // namespace
