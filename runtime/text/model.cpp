// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the model, and turns places in a word into places in the original text.
#include "runtime/text/model.h"

#include "runtime/text/byte_alphabet.h"
#include "runtime/text/unicode.h"

#include <algorithm>

namespace ingot::text {

SpacesAround spacesAround(const Tables &t, std::string_view token, bool bytes) {
  SpacesAround out;
  out.known = true;
  bool leading = true;
  for (size_t i = 0; i < token.size();) {
    unsigned length = 1;
    bool space = token[i] == ' ';
    if (!bytes) {
      uint32_t code = decodeUtf8(token.data() + i, length);
      space = code == characterOfByte(' ') || t.sets.contains(t.header->space_set, code);
    }
    leading &= space;
    out.before += leading;
    out.behind = space ? out.behind + 1 : 0;
    i += length;
  }
  return out;
}

ModelEncoder::ModelEncoder(const Tables &tables, size_t expected_bytes, Encoded &out)
    : t_(tables), model_(static_cast<Model>(tables.header->model)), out_(out), bpe_(tables, expected_bytes),
      unigram_(tables),
      continuing_(tables.piece_trie.walk(tables.string(tables.header->prefix_offset, tables.header->prefix_length))),
      cache_(model_ == Model::Bpe ? 0 : expected_bytes) {
  if (out.track)
    bpe_.measure(lengths_);
}

// Pieces at the start of a word, then pieces behind the prefix, the longest that fits each time.
template <typename Token> void ModelEncoder::wordPiece(std::string_view word, Token token) {
  const PieceTrie &trie = t_.piece_trie;
  size_t characters = 0;
  for (char c : word)
    characters += !isContinuation(c);
  found_.clear();
  found_ids_.clear();
  bool good = characters <= t_.header->max_chars;
  for (size_t from = 0; from < word.size() && good;) {
    uint32_t node = from == 0 ? trie.root() : continuing_;
    size_t best = from;
    int32_t id = -1;
    for (size_t end = from; end < word.size() && node != PieceTrie::kNone;) {
      node = trie.step(node, static_cast<unsigned char>(word[end++]));
      if (node != PieceTrie::kNone && trie.id(node) >= 0 && (end == word.size() || !isContinuation(word[end]))) {
        best = end;
        id = trie.id(node);
      }
    }
    good = id >= 0;
    found_.push_back({static_cast<uint32_t>(from), static_cast<uint32_t>(best)});
    found_ids_.push_back(id);
    from = best;
  }
  if (!good) {
    token(t_.header->unk_id, 0, word.size());
    return;
  }
  for (size_t i = 0; i < found_.size(); ++i)
    token(found_ids_[i], found_[i].begin, found_[i].end);
}

template <typename Token> void ModelEncoder::tokens(std::string_view word, Token token) {
  if (model_ == Model::Unigram) {
    unigram_.encode(word, token);
  } else if (model_ == Model::WordPiece) {
    wordPiece(word, token);
  } else {
    int32_t id = t_.findInModel(word);
    token(id >= 0 ? id : t_.header->unk_id, 0, word.size());
  }
}

void ModelEncoder::encodePlain(std::string_view word) {
  if (model_ == Model::Bpe) {
    bpe_.encode(word, out_.ids);
    return;
  }
  cache_.encode(word, 0, out_.ids, [&](std::string_view w, std::vector<int32_t> &ids) {
    tokens(w, [&](int32_t id, size_t, size_t) { ids.push_back(id); });
  });
}

void ModelEncoder::encode(const Text &word) {
  if (word.bytes.empty())
    return;
  if (!out_.track) {
    encodePlain(word.bytes);
    return;
  }
  auto place = [&](size_t begin, size_t end) {
    end = std::min(end, word.bytes.size());
    out_.spans.push_back(begin < end ? word.span(begin, end) : Span{0, 0});
    out_.spaces.emplace_back();
  };
  if (model_ == Model::Bpe) {
    lengths_.clear();
    bpe_.encode(word.bytes, out_.ids);
    size_t at = 0;
    for (uint32_t length : lengths_) {
      place(at, at + length);
      at += length;
    }
    return;
  }
  tokens(word.bytes, [&](int32_t id, size_t begin, size_t end) {
    out_.ids.push_back(id);
    place(begin, end);
    // A Unigram model's unknown token is the text itself.
    if (model_ == Model::Unigram && id == t_.header->unk_id && !t_.trims.empty())
      out_.spaces.back() = spacesAround(t_, word.bytes.substr(begin, end - begin), false);
  });
}

} // namespace ingot::text
