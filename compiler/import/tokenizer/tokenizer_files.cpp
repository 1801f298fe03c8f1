// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the reader for what lies there; the readers are in sentencepiece_files.cpp, byte_level_files.cpp,
// rank_files.cpp and word_piece_files.cpp.
#include "compiler/import/tokenizer/tokenizer_files.h"

#include "compiler/import/tokenizer/file_writer.h"
#include "compiler/import/tokenizer/sentencepiece.h"

namespace ingot::tokenizer {

static bool write(FileWriter &writer, const TokenizerFiles &files) {
  if (files.sentencePiece) {
    if (looksLikeRanks(*files.sentencePiece)) // Llama 3's tokenizer.model
      return writeRanks(writer, "tokenizer.model", *files.sentencePiece);
    SentencePieceModel model;
    return readSentencePiece(*files.sentencePiece, "tokenizer.model", model, writer.error()) &&
           writeSentencePiece(writer, model);
  }
  if (files.ranks)
    return writeRanks(writer, "tiktoken.model", *files.ranks);
  if (files.tekkenJson)
    return writeTekken(writer, *files.tekkenJson);
  if (files.vocabJson && files.mergesTxt)
    return writeByteLevel(writer, *files.vocabJson, *files.mergesTxt);
  if (files.vocabTxt)
    return writeWordPiece(writer, *files.vocabTxt);
  return writer.fail("tokenizer.json", "is absent");
}

bool writeTokenizerJson(const TokenizerFiles &files, std::string_view configJson, std::string &json,
                        std::string &error) {
  error.clear();
  json.clear();
  FileWriter writer(error);
  if (!writer.readConfig(configJson) || !write(writer, files))
    return false;
  json = writer.out.dump(-1, ' ', false, Json::error_handler_t::replace);
  return true;
}

} // namespace ingot::tokenizer
