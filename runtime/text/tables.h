// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views of the TOKENIZER section's parts (format.h), checked once by `open` and then trusted by everything else in
// this folder. The bytes stay where they are, usually in a mapped file.
#ifndef INGOT_RUNTIME_TEXT_TABLES_H
#define INGOT_RUNTIME_TEXT_TABLES_H

#include "runtime/text/format.h"
#include "runtime/text/piece_trie.h"
#include "runtime/text/regex.h"

#include <bitset>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

struct Trie {
  std::span<const TrieNode> nodes;
  std::span<const TrieEdge> edges;
  std::bitset<256> first; // bytes that some content begins with
  int only_first = -1;    // the byte, where there is just one
};

struct Tables {
  const Header *header = nullptr;
  const uint32_t *piece_offsets = nullptr;
  const char *piece_bytes = nullptr;
  const uint8_t *piece_flags = nullptr;
  const VocabularySlot *vocabulary = nullptr;
  const MergeSlot *merges = nullptr;
  const int32_t *start_ids = nullptr;
  const int32_t *fallback_ids = nullptr;
  const uint64_t *cuts = nullptr; // null: none
  std::span<const AddedToken> added;
  Trie tries[2]; // before, after normalization
  std::span<const uint32_t> normalizer, pre_tokenizer, decoder;
  std::span<const int32_t> prefix, suffix;
  std::span<const uint32_t> trims; // flags of each step that trims offsets
  PieceTrie piece_trie;
  const double *scores = nullptr; // of each id; null: not a Unigram model
  Sets sets;
  std::vector<Pattern> patterns;
  const char *strings = nullptr;

  // Null: `error` says what is wrong with the section.
  static std::unique_ptr<Tables> open(std::span<const uint8_t> section, std::string &error);

  bool has(uint32_t flag) const { return header->flags & flag; }
  bool valid(int32_t id) const { return id >= 0 && static_cast<uint32_t>(id) < header->size; }
  std::string_view piece(int32_t id) const {
    return {piece_bytes + piece_offsets[id], piece_offsets[id + 1] - piece_offsets[id]};
  }
  std::string_view string(uint32_t offset, uint32_t length) const { return {strings + offset, length}; }

  // The id of a piece stored as these bytes, or -1.
  int32_t find(std::string_view bytes, bool literal) const {
    uint64_t hash = hashBytes(bytes.data(), bytes.size(), literal);
    uint32_t capacity = header->vocabulary_capacity;
    for (uint32_t slot = slotOf(hash, capacity);;) {
      const VocabularySlot &entry = vocabulary[slot];
      if (entry.id < 0)
        return -1;
      if (entry.fingerprint == static_cast<uint32_t>(hash >> 32) && piece(entry.id) == bytes &&
          ((piece_flags[entry.id] & kLiteral) != 0) == literal)
        return entry.id;
      if (++slot == capacity)
        slot = 0;
    }
  }

  // The id of a piece of the model so stored, or -1.
  int32_t findInModel(std::string_view bytes) const {
    int32_t id = find(bytes, false);
    return id >= 0 && (piece_flags[id] & kInModel) ? id : -1;
  }

  // The merge of two neighbouring symbols, or null.
  const MergeSlot *merge(int32_t left, int32_t right) const {
    uint32_t capacity = header->merge_capacity;
    for (uint32_t slot = slotOf(hashPair(left, right), capacity);;) {
      const MergeSlot &entry = merges[slot];
      if (entry.left == left && entry.right == right)
        return &entry;
      if (entry.left < 0)
        return nullptr;
      if (++slot == capacity)
        slot = 0;
    }
  }
};

} // namespace ingot::text

#endif
