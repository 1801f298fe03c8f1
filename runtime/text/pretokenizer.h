// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a tokenizer's pre-tokenizer program: cuts a normalized text into the words that the model encodes. Words
// are handed on as they are found; no list of them is made.
#ifndef INGOT_RUNTIME_TEXT_PRETOKENIZER_H
#define INGOT_RUNTIME_TEXT_PRETOKENIZER_H

#include "runtime/text/bpe.h"
#include "runtime/text/tables.h"

#include <string_view>

namespace ingot::text {

class PreTokenizer {
public:
  PreTokenizer(const Tables &tables, BpeEncoder &model, std::vector<int32_t> &out)
      : t_(tables), model_(model), out_(out) {}
  // `at_start`: the text stands at the very start of what is encoded.
  void run(std::string_view text, bool at_start) { step(0, text, at_start); }

private:
  void step(size_t pc, std::string_view text, bool at_start);
  template <typename Find>
  void split(size_t next, std::string_view text, bool at_start, Behavior behavior, bool invert, Find find);

  const Tables &t_;
  BpeEncoder &model_;
  std::vector<int32_t> &out_;
};

} // namespace ingot::text

#endif
