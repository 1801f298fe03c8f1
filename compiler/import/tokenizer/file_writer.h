// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the readers of tokenizer_files.h share: the tokenizer.json that is being written, what tokenizer_config.json
// says, and the components that many tokenizers have. Private to this folder.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_FILE_WRITER_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_FILE_WRITER_H

#include "compiler/import/tokenizer/json_reader.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::tokenizer {

inline const std::string kMark = "\xE2\x96\x81"; // U+2581, SentencePiece's space

// How an added token is looked for, beyond its content.
struct TokenFlags {
  bool special = true, left_strip = false, right_strip = false, normalized = false, single_word = false;
};

Json addedToken(int64_t id, const std::string &content, TokenFlags flags = {});
Json replaceStep(Json pattern, const std::string &content); // of {"String": ...} or {"Regex": ...}
Json metaspace(const char *scheme, bool split);
Json splitStep(const std::string &regex);
Json byteLevelStep(bool prefix, bool trim, bool regex);
Json sequenceOf(const char *key, Json steps);

// Special tokens, by content and id, before and behind a text.
using NamedIds = std::vector<std::pair<std::string, int64_t>>;
Json templateOf(const NamedIds &before, const NamedIds &behind);

class FileWriter {
public:
  explicit FileWriter(std::string &error) : error_(error) {}

  // Empty: there is no tokenizer_config.json. False where it is none.
  bool readConfig(std::string_view text);

  // Both return false.
  bool fail(const std::string &file, const std::string &what);
  bool refuseClass(const std::string &file);

  // tokenizer_class without "Fast"; empty where none is stated.
  const std::string &className() const { return class_; }
  bool isClass(std::initializer_list<std::string_view> names) const;

  // Settings. A special token is a string or an object with its content.
  bool has(const char *key) const { return config_.is_object() && config_.contains(key) && !config_[key].is_null(); }
  std::string text(const char *key, const std::string &fallback) const;
  bool flag(const char *key, bool fallback) const;
  int64_t count(const char *key, int64_t fallback, int64_t most) const;
  // The flags that a special token is stated with, as an object; else those given.
  TokenFlags flags(const char *key, TokenFlags fallback) const;
  // The contents of a list of tokens; empty where there is none.
  std::vector<std::string> list(const char *key) const;
  const Json &config() const { return config_; }

  std::string &error() { return error_; }
  Json out; // the tokenizer.json

private:
  std::string &error_;
  Json config_;
  std::string class_;
};

// One for each kind of file; false once `writer` has the error.
struct SentencePieceModel;
bool writeSentencePiece(FileWriter &writer, const SentencePieceModel &model);
// The classes of transformers that number pieces anew or have a pipeline of their own. False: the class is none of
// them.
bool isRenumbered(const FileWriter &writer);
bool writeRenumbered(FileWriter &writer, const SentencePieceModel &model);
// What text models of SentencePiece share: the pieces as the BPE model that they mean. `ids` numbers them.
Json bpeOfPieces(const SentencePieceModel &model, const std::vector<int64_t> &ids);
bool writeByteLevel(FileWriter &writer, const std::string &vocab, const std::string &merges);
bool writeWordPiece(FileWriter &writer, const std::string &vocab);
bool looksLikeRanks(std::string_view bytes);
bool writeRanks(FileWriter &writer, const char *file, std::string_view bytes);
bool writeTekken(FileWriter &writer, const std::string &text);

// Marks the names that have a piece in `vocab` as special tokens.
void markSpecials(FileWriter &writer, const Json &vocab, std::vector<std::string> names);

} // namespace ingot::tokenizer

#endif
