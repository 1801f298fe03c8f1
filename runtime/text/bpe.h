// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-pair encoding of one pre-tokenized word: symbols to begin with, then the merges of lowest rank, leftmost first.
// Short words merge in an array, long ones through a heap over a linked list (time n log n, whatever the text).
#ifndef INGOT_RUNTIME_TEXT_BPE_H
#define INGOT_RUNTIME_TEXT_BPE_H

#include "runtime/text/tables.h"
#include "runtime/text/word_cache.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

// Encodes words one after another, remembering those it has met. One per encode call: not thread-safe.
class BpeEncoder {
public:
  // `expected_bytes` of text: a short text is not worth a cache.
  BpeEncoder(const Tables &tables, size_t expected_bytes);
  void encode(std::string_view word, std::vector<int32_t> &out);
  // By merges alone, although the word may be a piece.
  void encodeByMerges(std::string_view word, std::vector<int32_t> &out);
  // From now on also appends how many bytes of the word each id stands for; nothing is remembered then.
  void measure(std::vector<uint32_t> &lengths) { lengths_ = &lengths; }

private:
  struct Symbol {
    int32_t id;      // -1: merged into the one before
    int32_t merged;  // what it becomes with the next one
    uint32_t rank;   // of that merge, or kNoMerge
    uint32_t length; // bytes of the word that it stands for
    uint32_t previous, next;
  };
  void encodeCached(std::string_view word, bool part, std::vector<int32_t> &out);
  void encodeNew(std::string_view word, bool part, std::vector<int32_t> &out);
  size_t cutBefore(std::string_view word, size_t from) const;
  void start(std::string_view word);
  int32_t characterId(std::string_view character, bool first, bool last);
  void pushSymbol(int32_t id, size_t length) { symbols_.push_back({id, -1, 0, static_cast<uint32_t>(length), 0, 0}); }
  void give(const Symbol &symbol, std::vector<int32_t> &out) {
    out.push_back(symbol.id);
    if (lengths_)
      lengths_->push_back(symbol.length);
  }
  void look(Symbol &left, const Symbol &right);
  void mergeShort(std::vector<int32_t> &out);
  void mergeLong(std::vector<int32_t> &out);

  const Tables &t_;
  std::vector<Symbol> symbols_;
  std::vector<uint64_t> heap_;       // rank << 32 | symbol
  std::string_view prefix_, suffix_; // of symbols that do not begin a word, and of those that end one
  std::string spelled_;
  WordCache cache_;
  std::vector<uint32_t> *lengths_ = nullptr;
};

} // namespace ingot::text

#endif
