// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts a text at the contents of added tokens: leftmost first, longest at each place, never overlapping; then what
// their flags say about spaces and words around them.
#ifndef INGOT_RUNTIME_TEXT_ADDED_TOKENS_H
#define INGOT_RUNTIME_TEXT_ADDED_TOKENS_H

#include "runtime/text/tables.h"

#include <string_view>

namespace ingot::text {

class AddedTokenSplitter {
public:
  // `trie` 0: contents as written; 1: contents as the normalizer leaves them.
  AddedTokenSplitter(const Tables &tables, int trie) : t_(tables), trie_(tables.tries[trie]) {}
  bool empty() const { return trie_.nodes.empty(); }

  // Calls between(begin, end) and token(AddedToken, begin, end) in the order of the text, which is not empty.
  template <typename Between, typename Token> void split(std::string_view text, Between between, Token token) const {
    size_t done = 0, at = 0, end;
    while (const AddedToken *found = next(text, at, end)) {
      size_t start = at, stop = end;
      at = end; // what a match strips is still searched
      if ((found->flags & kSingleWord) && (endsWithWord(text.substr(0, start)) || startsWithWord(text.substr(stop))))
        continue;
      if (found->flags & kLeftStrip)
        start = stripLeft(text, start, done);
      if (found->flags & kRightStrip)
        stop = stripRight(text, stop);
      if (done < start)
        between(done, start);
      token(*found, start, stop);
      done = stop;
    }
    if (done < text.size())
      between(done, text.size());
  }

private:
  // The first match that begins at `at` or later; sets `at` and `end` to its place.
  const AddedToken *next(std::string_view text, size_t &at, size_t &end) const;
  bool endsWithWord(std::string_view text) const;
  bool startsWithWord(std::string_view text) const;
  size_t stripLeft(std::string_view text, size_t start, size_t limit) const;
  size_t stripRight(std::string_view text, size_t stop) const;

  const Tables &t_;
  const Trie &trie_;
};

} // namespace ingot::text

#endif
