// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Unigram models: of all ways to cut a word into pieces the one with the greatest sum of scores (Viterbi), as the
// `tokenizers` library finds it. Time is the word's length times that of the longest piece.
#ifndef INGOT_RUNTIME_TEXT_UNIGRAM_H
#define INGOT_RUNTIME_TEXT_UNIGRAM_H

#include "runtime/text/tables.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace ingot::text {

class UnigramEncoder {
public:
  explicit UnigramEncoder(const Tables &tables) : t_(tables) {}
  // Calls token(id, begin, end) for each id, with its bytes of the word.
  template <typename Token> void encode(std::string_view word, Token token) {
    search(word);
    for (size_t i = path_.size(); i-- > 0;)
      give(word, path_[i], token);
  }

private:
  struct Best {
    double score;
    uint32_t from; // kUnreached: no path ends here
    int32_t id;
  };
  struct Step {
    uint32_t begin, end;
    int32_t id; // -1: unknown characters, one or more
  };
  static constexpr uint32_t kUnreached = ~0u;

  void search(std::string_view word); // fills path_, the last step first
  template <typename Token> void give(std::string_view word, const Step &step, Token token) {
    if (step.id >= 0) {
      token(step.id, step.begin, step.end);
      return;
    }
    std::string_view text = word.substr(step.begin, step.end - step.begin);
    int32_t id = t_.findInModel(text); // two unknown characters may be a piece together
    if (id >= 0) {
      token(id, step.begin, step.end);
      return;
    }
    bool all = t_.has(kByteFallback);
    for (size_t i = 0; i < text.size() && all; ++i)
      all = t_.fallback_ids[static_cast<unsigned char>(text[i])] >= 0;
    if (!all) {
      token(t_.header->unk_id, step.begin, step.end);
      return;
    }
    for (char c : text)
      token(t_.fallback_ids[static_cast<unsigned char>(c)], step.begin, step.end);
  }

  const Tables &t_;
  std::vector<Best> best_; // by where a path ends
  std::vector<Step> path_;
};

} // namespace ingot::text

#endif
