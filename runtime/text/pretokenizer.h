// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a tokenizer's pre-tokenizer program: cuts a normalized text into the words that the model encodes. Words
// are handed on as they are found; no list of them is made.
#ifndef INGOT_RUNTIME_TEXT_PRETOKENIZER_H
#define INGOT_RUNTIME_TEXT_PRETOKENIZER_H

#include "runtime/text/aligned.h"
#include "runtime/text/model.h"
#include "runtime/text/regex.h"
#include "runtime/text/tables.h"

namespace ingot::text {

class PreTokenizer {
public:
  // `track`: texts have places, which then also tell what stands at the very start.
  PreTokenizer(const Tables &tables, ModelEncoder &model, bool track) : t_(tables), model_(model), track_(track) {}
  // `at_start`: the text stands at the very start of what is encoded.
  void run(const Text &text, bool at_start) { step(0, text, at_start); }

  // Whether what Metaspace does depends on places that only tracking knows.
  static bool needsPlaces(const Tables &tables);

private:
  void step(size_t pc, const Text &text, bool at_start);
  void scripts(size_t next, const Text &text, bool at_start);
  template <typename Find>
  void split(size_t next, const Text &text, bool at_start, Behavior behavior, bool invert, Find find);

  const Tables &t_;
  ModelEncoder &model_;
  bool track_;
  Matcher::Stack choices_; // of all patterns, which run one after another
};

} // namespace ingot::text

#endif
