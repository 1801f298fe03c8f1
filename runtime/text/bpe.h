// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-pair encoding of one pre-tokenized word: symbols to begin with, then the merges of lowest rank, leftmost first.
// Short words merge in an array, long ones through a heap over a linked list (time n log n, whatever the text).
#ifndef INGOT_RUNTIME_TEXT_BPE_H
#define INGOT_RUNTIME_TEXT_BPE_H

#include "runtime/text/tables.h"

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

private:
  struct Symbol {
    int32_t id;     // -1: merged into the one before
    int32_t merged; // what it becomes with the next one
    uint32_t rank;  // of that merge, or kNoMerge
    uint32_t previous, next;
  };
  // A word met before: its first 16 bytes stand here, so that most are compared without looking elsewhere.
  struct Remembered {
    uint64_t head = 0, more = 0;
    uint32_t length = 0; // 0: free; the upper bit tells words from parts of cut ones
    uint32_t text = 0;   // of a word over 16 bytes, in cache_text_
    uint32_t ids = 0;    // in cache_ids_, or the id itself where there is one
    uint32_t count = 0;
  };

  void encodeCached(std::string_view word, bool part, std::vector<int32_t> &out);
  void encodeNew(std::string_view word, bool part, std::vector<int32_t> &out);
  size_t cutBefore(std::string_view word, size_t from) const;
  void start(std::string_view word);
  void pushSymbol(int32_t id) { symbols_.push_back({id, -1, 0, 0, 0}); }
  void look(Symbol &left, const Symbol &right);
  void mergeShort(std::vector<int32_t> &out);
  void mergeLong(std::vector<int32_t> &out);

  const Tables &t_;
  std::vector<Symbol> symbols_;
  std::vector<uint64_t> heap_; // rank << 32 | symbol
  std::vector<Remembered> cache_;
  std::string cache_text_;
  std::vector<int32_t> cache_ids_;
};

} // namespace ingot::text

#endif
