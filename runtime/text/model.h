// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model of a tokenizer: words to ids, whichever kind it is. BPE and Unigram have files of their own; WordPiece (the
// longest piece first, else the whole word is unknown) and WordLevel (the word itself, or unknown) stand here.
#ifndef INGOT_RUNTIME_TEXT_MODEL_H
#define INGOT_RUNTIME_TEXT_MODEL_H

#include "runtime/text/aligned.h"
#include "runtime/text/bpe.h"
#include "runtime/text/tables.h"
#include "runtime/text/unigram.h"
#include "runtime/text/word_cache.h"

#include <cstdint>
#include <vector>

namespace ingot::text {

// White space at the ends of a token, in characters. The byte alphabet's spelling of a space is one.
struct SpacesAround {
  uint32_t before = 0, behind = 0;
  bool known = false;
};

// `bytes`: the token is stored as the bytes it spells, none of which but a space spells white space.
SpacesAround spacesAround(const Tables &tables, std::string_view token, bool bytes);

// What encoding makes of a text. Offsets are bytes of the original, and there only where they were asked for.
struct Encoded {
  bool track = false;
  std::vector<int32_t> ids;
  std::vector<Span> spans;
  std::vector<SpacesAround> spaces; // where a token's text is not its piece
};

// One per encode call: not thread-safe.
class ModelEncoder {
public:
  // `expected_bytes` of text: a short text is not worth a cache.
  ModelEncoder(const Tables &tables, size_t expected_bytes, Encoded &out);
  void encode(const Text &word);

private:
  void encodePlain(std::string_view word);
  template <typename Token> void wordPiece(std::string_view word, Token token);
  template <typename Token> void tokens(std::string_view word, Token token);

  const Tables &t_;
  Model model_;
  Encoded &out_;
  BpeEncoder bpe_;
  UnigramEncoder unigram_;
  uint32_t continuing_; // node of WordPiece's prefix, or PieceTrie::kNone
  WordCache cache_;
  std::vector<uint32_t> lengths_;
  std::vector<Span> found_; // WordPiece: of the pieces of one word
  std::vector<int32_t> found_ids_;
};

} // namespace ingot::text

#endif
