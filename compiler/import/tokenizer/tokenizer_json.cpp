// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a tokenizer.json from top to bottom, gives added tokens their ids as the `tokenizers` library does, applies
// what tokenizer_config.json says about them, and writes the section.
#include "compiler/import/tokenizer/tokenizer_json.h"

#include "compiler/import/tokenizer/components.h"
#include "compiler/import/tokenizer/json_reader.h"
#include "compiler/import/tokenizer/vocabulary.h"
#include "runtime/text/byte_alphabet.h"
#include "runtime/text/normalizer.h"
#include "runtime/text/tables.h"

#include <algorithm>
#include <map>

namespace ingot::tokenizer {
namespace {

class Compiler {
public:
  Compiler(std::string &error, std::vector<std::string> &notices) : error_(error), notices_(notices) {}

  bool run(std::string_view tokenizer_text, std::string_view config_text, std::vector<uint8_t> &section) {
    Json json, config;
    if (!parseJson(tokenizer_text, "tokenizer.json", json, error_))
      return false;
    if (!config_text.empty() && !parseJson(config_text, "tokenizer_config.json", config, error_))
      return false;
    Reader root(json, "tokenizer.json", error_), config_root(config, "tokenizer_config.json", error_);
    if (!root.isObject() || (!config.is_null() && !config_root.isObject()))
      return false;
    if (readsBytes(json))
      parts_.header.flags |= text::kByteLevel;
    return top(root) && part(root, "normalizer", [&](const Reader &r) { return compileNormalizer(r, parts_); }) &&
           part(root, "pre_tokenizer", [&](const Reader &r) { return compilePreTokenizer(r, parts_); }) &&
           part(root, "decoder", [&](const Reader &r) { return compileDecoder(r, parts_); }) &&
           part(root, "post_processor", [&](const Reader &r) { return compilePostProcessor(r, special_); }) &&
           model(root) && addedTokens(root) && (config.is_null() || configure(config_root)) && write(root, section);
  }

private:
  bool top(const Reader &root) {
    std::string version;
    if (!root.string("version", version, "1.0"))
      return false;
    if (version != "1.0")
      return root.at("version").fail("the version " + inQuotes(version) + " is not supported, only \"1.0\" is");
    for (const char *key : {"truncation", "padding"})
      if (root.has(key))
        notices_.push_back(root.path() + "." + key + " is ignored: it is for batches in training");
    static constexpr std::string_view kKnown[] = {"version",        "truncation", "padding",
                                                  "added_tokens",   "normalizer", "pre_tokenizer",
                                                  "post_processor", "decoder",    "model"};
    for (const auto &[key, value] : root.value().items())
      if (std::find(std::begin(kKnown), std::end(kKnown), key) == std::end(kKnown))
        notices_.push_back(root.path() + ": the key " + inQuotes(key) + " is not known and has no effect");
    return true;
  }

  // Whether the model can work on bytes themselves: they are spelled just before it, and nothing but ids comes of them.
  static bool readsBytes(const Json &json) {
    auto model = json.find("model");
    if (model == json.end() || !model->is_object() || modelKind(*model) != text::Model::Bpe)
      return false;
    auto pre_tokenizer = json.find("pre_tokenizer");
    if (pre_tokenizer == json.end() || !endsWithByteLevel(*pre_tokenizer))
      return false;
    auto set = [&](const char *key) {
      auto value = model->find(key);
      return value != model->end() && !value->is_null() && *value != false && *value != "";
    };
    auto suffix = model->find("end_of_word_suffix");
    std::string bytes;
    bool spelled = suffix == model->end() || !suffix->is_string() ||
                   text::unspellBytes(suffix->get_ref<const std::string &>(), bytes);
    // A byte that is dropped counts in offsets as long as its spelling is.
    auto vocab = model->find("vocab");
    bool all = set("unk_token") || (vocab != model->end() && vocab->is_object());
    for (int b = 0; b < 256 && all && !set("unk_token"); ++b) {
      auto byte = static_cast<char>(b);
      all = vocab->contains(text::spellBytes({&byte, 1}));
    }
    return !set("continuing_subword_prefix") && !set("byte_fallback") && spelled && all;
  }

  template <typename Compile> bool part(const Reader &root, const char *key, Compile compile) {
    static const Json null;
    return compile(root.has(key) ? root.at(key) : Reader(null, root.path() + "." + key, error_));
  }

  bool model(const Reader &root) {
    if (!root.has("model"))
      return root.fail("has no model");
    return readModel(root.at("model"), model_, notices_);
  }

  // The id that the library gives a content: its own if it has one, else the next free one.
  void add(AddedTokenText token, int64_t stated, const std::string &where) {
    if (token.content.empty())
      return;
    auto known = added_.find(token.content);
    int32_t in_model = model_.ids.find(token.content);
    if (known != added_.end())
      token.id = known->second.id;
    else if (in_model >= 0)
      token.id = in_model;
    else
      token.id = next_id_++;
    if (token.id != stated)
      notices_.push_back(where + ": " + inQuotes(token.content) + " is stated with id " + std::to_string(stated) +
                         " and gets " + std::to_string(token.id) + ", as in the tokenizers library");
    added_[token.content] = std::move(token);
  }

  // The next id of one call of the library's add_tokens.
  void beginAdding() {
    auto vocabulary = static_cast<int32_t>(model_.pieces.size());
    next_id_ = vocabulary;
    for (const auto &[content, token] : added_)
      if (token.id >= vocabulary || vocabulary == 0)
        next_id_ = std::max(next_id_, token.id + 1);
  }

  static bool readToken(const Reader &json, AddedTokenText &token) {
    return json.string("content", token.content) && json.boolean("single_word", token.single_word) &&
           json.boolean("lstrip", token.left_strip) && json.boolean("rstrip", token.right_strip) &&
           json.boolean("normalized", token.normalized) && json.boolean("special", token.special);
  }

  bool addedTokens(const Reader &root) {
    if (!root.has("added_tokens"))
      return true;
    Reader list = root.at("added_tokens");
    if (!list.isArray())
      return false;
    beginAdding();
    for (size_t i = 0; i < list.value().size(); ++i) {
      Reader one = list.at(i);
      AddedTokenText token;
      int64_t id;
      if (!one.onlyKeys({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}) ||
          !one.integer("id", id, 0, text::kMaxIds - 1) || !readToken(one, token))
        return false;
      add(std::move(token), id, one.path());
    }
    return true;
  }

  // ---- tokenizer_config.json: added tokens, and whether a text begins and ends with special ones ----

  bool configure(const Reader &config) {
    if (config.has("added_tokens_decoder")) {
      Reader decoder = config.at("added_tokens_decoder");
      if (!decoder.isObject())
        return false;
      std::map<int64_t, AddedTokenText> tokens;
      for (const auto &[key, value] : decoder.value().items()) {
        Reader one(value, decoder.path() + "[" + inQuotes(key) + "]", error_);
        AddedTokenText token;
        if (key.empty() || key.size() > 7 || key.find_first_not_of("0123456789") != std::string::npos ||
            std::stoll(key) >= static_cast<int64_t>(text::kMaxIds))
          return one.fail("the key is no id");
        if (!readToken(one, token))
          return false;
        tokens.emplace(std::stoll(key), std::move(token));
      }
      beginAdding();
      for (auto &[id, token] : tokens)
        add(std::move(token), id, decoder.path());
    }
    return side(config, "add_bos_token", "bos_token", special_.prefix, true) &&
           side(config, "add_eos_token", "eos_token", special_.suffix, false);
  }

  // A stated add_bos_token (add_eos_token) decides about that one token; others that the template puts there stay.
  bool side(const Reader &config, const char *flag, const char *name, std::vector<int32_t> &ids, bool front) {
    if (!config.has(flag))
      return true;
    bool wanted;
    if (!config.boolean(flag, wanted))
      return false;
    int32_t id = -1;
    if (config.has(name)) {
      Reader token = config.at(name);
      std::string content;
      if (token.value().is_object() ? !token.string("content", content) : !token.readString(content))
        return false;
      auto added = added_.find(content);
      id = added != added_.end() ? added->second.id : model_.ids.find(content);
    }
    bool there = std::find(ids.begin(), ids.end(), id) != ids.end();
    if (wanted && id < 0)
      return config.fail(std::string(flag) + " is true, but no piece is the " + name);
    if (wanted == there || id < 0)
      return true;
    notices_.push_back(config.path() + "." + flag + " overrules the post_processor of tokenizer.json");
    if (wanted)
      ids.insert(front ? ids.begin() : ids.end(), id);
    else
      ids.erase(std::remove(ids.begin(), ids.end(), id), ids.end());
    return true;
  }

  bool write(const Reader &root, std::vector<uint8_t> &section) {
    std::vector<AddedTokenText> added;
    for (auto &[content, token] : added_)
      added.push_back(token);
    std::sort(added.begin(), added.end(), [](const auto &a, const auto &b) { return a.id < b.id; });
    text::Header &header = parts_.header;
    header.model = static_cast<uint32_t>(model_.kind);
    header.space_set = parts_.sets.number(CharSet::space());
    header.word_set = parts_.sets.number(CharSet::addedWord());
    header.numeric_set = parts_.sets.number(CharSet::numeric());
    if (!writeVocabulary(root.at("model"), model_, added, parts_))
      return false;
    for (auto [name, program] : {std::pair{"normalizer", &parts_.normalizer},
                                 {"pre_tokenizer", &parts_.pre_tokenizer},
                                 {"decoder", &parts_.decoder}})
      if (program->size() > text::kMaxProgram)
        return root.fail(std::string(name) + " has too many steps");
    for (const std::vector<int32_t> *ids : {&special_.prefix, &special_.suffix})
      for (int32_t id : *ids)
        if (static_cast<uint32_t>(id) >= header.size)
          return root.fail("post_processor puts the id " + std::to_string(id) + " around a text, but ids end below " +
                           std::to_string(header.size));
    parts_.prefix = special_.prefix;
    parts_.suffix = special_.suffix;
    parts_.trims = special_.trims;

    // Contents that are looked for in normalized text are normalized by the very code of the runtime.
    if (!writeAddedTokens({}, parts_, error_) || !parts_.assemble(section, error_))
      return false;
    auto tables = text::Tables::open(section, error_);
    if (!tables)
      return false;
    for (AddedTokenText &token : added) {
      std::string storage;
      if (token.normalized)
        token.normal = text::normalize(*tables, token.content, storage);
    }
    if (!writeAddedTokens(added, parts_, error_) || !parts_.assemble(section, error_))
      return false;
    markWholePieces(section, header);
    return text::Tables::open(section, error_) != nullptr;
  }

  std::string &error_;
  std::vector<std::string> &notices_;
  SectionParts parts_;
  SpecialIds special_;
  ModelText model_;
  std::map<std::string, AddedTokenText> added_;
  int32_t next_id_ = 0;
};

} // namespace

bool compileTokenizer(std::string_view tokenizerJson, std::string_view tokenizerConfigJson,
                      std::vector<uint8_t> &section, std::string &error, std::vector<std::string> *notices) {
  std::vector<std::string> unread;
  error.clear();
  section.clear();
  bool ok = Compiler(error, notices ? *notices : unread).run(tokenizerJson, tokenizerConfigJson, section);
  if (!ok)
    section.clear();
  return ok;
}

} // namespace ingot::tokenizer
