// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model of a tokenizer and its added tokens, as the tables that the runtime searches: pieces, vocabulary, merges,
// first symbols, cuts and tries.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_VOCABULARY_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_VOCABULARY_H

#include "compiler/import/tokenizer/json_reader.h"
#include "compiler/import/tokenizer/model.h"
#include "compiler/import/tokenizer/section_writer.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

struct AddedTokenText {
  std::string content;
  int32_t id = -1;
  bool single_word = false, left_strip = false, right_strip = false, normalized = false, special = false;
  std::string normal; // as the normalizer leaves it
  bool operator==(const AddedTokenText &) const = default;
};

// Writes the parts of the model and of the pieces; added tokens have their ids by now.
bool writeVocabulary(const Reader &json, const ModelText &model, const std::vector<AddedTokenText> &added,
                     SectionParts &parts);

// Writes AddedTokens and Tries; `added` ascends by id and has its normal forms. Where two are spelled alike: `error`.
bool writeAddedTokens(const std::vector<AddedTokenText> &added, SectionParts &parts, std::string &error);

// Marks in a section's PieceFlags the pieces that the model gives back as one id.
void markWholePieces(std::vector<uint8_t> &section, const text::Header &header);

} // namespace ingot::tokenizer

#endif
