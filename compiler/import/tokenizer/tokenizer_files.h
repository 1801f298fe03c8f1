// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checkpoints without a tokenizer.json: what other files say is written as one, in the way in which transformers and
// SentencePiece read them, and then compiled like any other.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_TOKENIZER_FILES_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_TOKENIZER_FILES_H

#include <optional>
#include <string>
#include <string_view>

namespace ingot::tokenizer {

// The bytes of the files of a checkpoint, where they are there.
struct TokenizerFiles {
  // tokenizer.model, spiece.model, sentencepiece.bpe.model or spm.model; the first may hold ranks instead
  std::optional<std::string> sentencePiece;
  std::optional<std::string> ranks;                // tiktoken.model or qwen.tiktoken: tiktoken's ranks of byte strings
  std::optional<std::string> tekkenJson;           // tekken.json of Mistral
  std::optional<std::string> vocabJson, mergesTxt; // vocab.json with merges.txt: byte-level BPE
  std::optional<std::string> vocabTxt;             // BERT's WordPiece, a piece a line
  bool any() const { return sentencePiece || ranks || tekkenJson || (vocabJson && mergesTxt) || vocabTxt; }
};

// Writes the tokenizer.json that they mean; of several the first in the order above counts.
// `configJson`: tokenizer_config.json or empty; its tokenizer_class decides where files alone do not. False: `error`
// names the file, and the class or setting that is not supported.
bool writeTokenizerJson(const TokenizerFiles &files, std::string_view configJson, std::string &json,
                        std::string &error);

} // namespace ingot::tokenizer

#endif
