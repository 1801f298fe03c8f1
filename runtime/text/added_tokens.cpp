// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search in the trie of added tokens, and the tests of what stands around a match.
#include "runtime/text/added_tokens.h"

#include "runtime/text/unicode.h"

#include <algorithm>
#include <cstring>

namespace ingot::text {

const AddedToken *AddedTokenSplitter::next(std::string_view text, size_t &at, size_t &end) const {
  for (size_t i = at; i < text.size(); ++i) {
    if (trie_.only_first >= 0) {
      const void *hit = std::memchr(text.data() + i, trie_.only_first, text.size() - i);
      if (!hit)
        return nullptr;
      i = static_cast<size_t>(static_cast<const char *>(hit) - text.data());
    } else if (!trie_.first.test(static_cast<unsigned char>(text[i]))) {
      continue;
    }
    int32_t longest = -1;
    uint32_t node = 0;
    for (size_t j = i; j < text.size(); ++j) {
      auto edges = trie_.edges.subspan(trie_.nodes[node].first_edge, trie_.nodes[node].edge_count);
      uint32_t byte = static_cast<unsigned char>(text[j]);
      auto edge =
          std::lower_bound(edges.begin(), edges.end(), byte, [](const TrieEdge &e, uint32_t b) { return e.byte < b; });
      if (edge == edges.end() || edge->byte != byte)
        break;
      node = edge->node;
      // Whole characters only: readers rely on it, even where a damaged trie holds parts of them.
      if (trie_.nodes[node].token >= 0 && (j + 1 == text.size() || !isContinuation(text[j + 1]))) {
        longest = trie_.nodes[node].token;
        end = j + 1;
      }
    }
    if (longest >= 0 && !isContinuation(text[i])) {
      at = i;
      return &t_.added[static_cast<size_t>(longest)];
    }
  }
  return nullptr;
}

static size_t lastCharacter(std::string_view text, size_t end) {
  size_t i = end - 1;
  while (i > 0 && isContinuation(text[i]))
    --i;
  return i;
}

bool AddedTokenSplitter::endsWithWord(std::string_view text) const {
  unsigned length;
  return !text.empty() &&
         t_.sets.contains(t_.header->word_set, decodeUtf8(text.data() + lastCharacter(text, text.size()), length));
}

bool AddedTokenSplitter::startsWithWord(std::string_view text) const {
  unsigned length;
  return !text.empty() && t_.sets.contains(t_.header->word_set, decodeUtf8(text.data(), length));
}

// Goes back over spaces, not beyond `limit`, which an earlier match may have moved past `start`.
size_t AddedTokenSplitter::stripLeft(std::string_view text, size_t start, size_t limit) const {
  while (start > limit) {
    unsigned length;
    size_t before = lastCharacter(text, start);
    if (!t_.sets.contains(t_.header->space_set, decodeUtf8(text.data() + before, length)))
      break;
    start = before;
  }
  return std::max(start, limit);
}

size_t AddedTokenSplitter::stripRight(std::string_view text, size_t stop) const {
  while (stop < text.size()) {
    unsigned length;
    if (!t_.sets.contains(t_.header->space_set, decodeUtf8(text.data() + stop, length)))
      break;
    stop += length;
  }
  return stop;
}

} // namespace ingot::text
