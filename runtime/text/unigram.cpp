// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The search of unigram.h. Ties keep the path that was found first, and sums run from the left, so that rounding is
// that of the library.
#include "runtime/text/unigram.h"

#include "runtime/text/unicode.h"

namespace ingot::text {

void UnigramEncoder::search(std::string_view word) {
  const PieceTrie &trie = t_.piece_trie;
  const double *scores = t_.scores;
  const int32_t unk = t_.header->unk_id;
  best_.assign(word.size() + 1, Best{0, kUnreached, -1});
  path_.clear();
  auto offer = [&](size_t end, double score, size_t from, int32_t id) {
    Best &best = best_[end];
    if (best.from == kUnreached || score > best.score)
      best = {score, static_cast<uint32_t>(from), id};
  };
  for (size_t from = 0; from < word.size();) {
    const double till_here = best_[from].score;
    const size_t character = lengthOfLead(static_cast<unsigned char>(word[from]));
    bool single = false;
    uint32_t node = trie.root();
    for (size_t end = from; end < word.size() && node != PieceTrie::kNone;) {
      node = trie.step(node, static_cast<unsigned char>(word[end++]));
      if (node == PieceTrie::kNone)
        break;
      int32_t id = trie.id(node);
      // Whole characters only: pieces are, but a damaged section's need not be.
      if (id < 0 || (end < word.size() && isContinuation(word[end])))
        continue;
      offer(end, scores[id] + till_here, from, id);
      single |= end - from == character;
    }
    if (!single)
      offer(from + character, t_.header->unk_score + till_here, from, unk);
    from += character;
  }
  // Backwards; neighbouring unknown characters are one step.
  for (size_t end = word.size(); end > 0;) {
    const Best &best = best_[end];
    bool unknown = best.id == unk;
    if (unknown && !path_.empty() && path_.back().id == -1)
      path_.back().begin = best.from;
    else
      path_.push_back({best.from, static_cast<uint32_t>(end), unknown ? -1 : best.id});
    end = best.from;
  }
}

} // namespace ingot::text
