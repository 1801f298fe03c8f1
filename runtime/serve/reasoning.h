// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tells reasoning from answer in a reply that arrives in pieces. Models that think first write it between two tags, at
// the start of their reply or after a tag that the prompt already ends with:
//
//   <think>Two and two ...</think>\n\nFour.        tag, reasoning, tag, answer
//
// Nothing is changed or left out: all pieces together are the reply. A tag in the middle of an answer is text, as a
// model may write about tags. Text that could still become a tag is held back.
#ifndef INGOT_SERVE_REASONING_H
#define INGOT_SERVE_REASONING_H

#include <string>
#include <string_view>
#include <vector>

namespace ingot::serve {

struct ReasoningTags {
  std::string open;
  std::string close; // empty: `open` is a heading of the answer alone
};

// Those of published models: <think>, [THINK], the channels of harmony, ...
const std::vector<ReasoningTags> &knownReasoningTags();

class ReasoningSplitter {
public:
  enum class Part { tag, reasoning, answer };
  struct Piece {
    Part part;
    std::string text; // never empty
  };

  // `prompt`: what the reply continues. One that ends with a tag that opens, and perhaps white space, opens the
  // reasoning.
  ReasoningSplitter(std::vector<ReasoningTags> tags, std::string_view prompt);
  std::vector<Piece> push(std::string_view text);
  // No more text comes: what was held back.
  std::vector<Piece> finish();

private:
  enum class State { start, reasoning, answer };
  void advance(std::vector<Piece> &pieces, bool all);

  std::vector<ReasoningTags> tags;
  State state = State::start;
  std::string close; // of the section that is open
  std::string held;
};

} // namespace ingot::serve

#endif
