// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a SentencePiece model (tokenizer.model, spiece.model): the few fields of its protobuf message that decide how
// text becomes pieces. Every length is checked against what is left; unknown fields are skipped.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_SENTENCEPIECE_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_SENTENCEPIECE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

struct SentencePieceModel {
  enum Type : uint64_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };
  struct Piece {
    std::string text;
    float score = 0;
    uint64_t type = Normal;
  };
  std::vector<Piece> pieces;
  uint64_t model_type = 1; // 1: unigram, 2: BPE, 3: words, 4: characters
  bool byte_fallback = false, whitespace_as_suffix = false;
  int64_t unk_id = 0;
  std::string unk_piece = "<unk>";
  std::string charsmap; // of the normalizer, as Precompiled takes it
  bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
  bool has_denormalizer = false;
};

// False: `error` says where the bytes are no such model; `name` is the file.
bool readSentencePiece(std::string_view bytes, const char *name, SentencePieceModel &out, std::string &error);

} // namespace ingot::tokenizer

#endif
