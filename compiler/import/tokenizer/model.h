// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `model` of a tokenizer.json, read and checked: BPE, Unigram, WordPiece or WordLevel. vocabulary.h makes tables of
// it.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_MODEL_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_MODEL_H

#include "compiler/import/tokenizer/json_reader.h"
#include "runtime/text/format.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

// Ids by piece. Owns nothing: the pieces stay where they are. Of two pieces spelled alike the last counts.
class PieceIndex {
public:
  void build(const std::vector<std::pair<int32_t, std::string>> &pieces);
  int32_t find(std::string_view piece) const; // -1: none

private:
  struct Slot {
    uint64_t hash = 0;
    const std::pair<int32_t, std::string> *piece = nullptr;
  };
  std::vector<Slot> slots_;
};

struct Merge {
  int32_t left, right, result;
};

struct ModelText {
  text::Model kind = text::Model::Bpe;
  std::vector<std::pair<int32_t, std::string>> pieces; // ascending by id
  PieceIndex ids;
  std::vector<Merge> merges;  // BPE, by rank
  std::vector<double> scores; // Unigram, by id
  std::string unk_token;
  int32_t unk_id = -1;        // Unigram: as the file states it
  std::string prefix, suffix; // continuing_subword_prefix, end_of_word_suffix
  uint32_t max_chars = 0;     // WordPiece
  bool has_unk = false, fuse_unk = false, byte_fallback = false, ignore_merges = false;
};

// The kind that `model` states, or that old files mean by what they hold.
text::Model modelKind(const Json &model);

// Reads and checks `model`. False: the reader's error is written.
bool readModel(const Reader &json, ModelText &out, std::vector<std::string> &notices);

} // namespace ingot::tokenizer

#endif
