// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See reasoning.h. A reply has at most one section at its start, so three states are enough.
#include "runtime/serve/reasoning.h"

#include <algorithm>

namespace ingot::serve {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

void add(std::vector<ReasoningSplitter::Piece> &pieces, ReasoningSplitter::Part part, std::string_view text) {
  if (!text.empty())
    pieces.push_back({part, std::string(text)});
}

// Of `text`'s end, how much begins `tag` without being all of it.
size_t beginning(std::string_view text, std::string_view tag) {
  for (size_t n = std::min(tag.size() - 1, text.size()); n > 0; --n)
    if (text.ends_with(tag.substr(0, n)))
      return n;
  return 0;
}

} // namespace

const std::vector<ReasoningTags> &knownReasoningTags() {
  static const std::vector<ReasoningTags> known = {
      {"<think>", "</think>"},
      {"<thinking>", "</thinking>"},
      {"[THINK]", "[/THINK]"},
      {"<seed:think>", "</seed:think>"},
      {"<|START_THINKING|>", "<|END_THINKING|>"},
      {"\u25c1think\u25b7", "\u25c1/think\u25b7"},
      {"<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"},
      {"<|channel|>final<|message|>", ""},
  };
  return known;
}

ReasoningSplitter::ReasoningSplitter(std::vector<ReasoningTags> given, std::string_view prompt)
    : tags(std::move(given)) {
  std::erase_if(tags, [](const ReasoningTags &pair) { return pair.open.empty(); });
  size_t end = prompt.find_last_not_of(kWhiteSpace);
  prompt = prompt.substr(0, end == prompt.npos ? 0 : end + 1);
  for (const ReasoningTags &pair : tags)
    if (prompt.ends_with(pair.open) && !pair.close.empty()) {
      state = State::reasoning;
      close = pair.close;
    }
}

std::vector<ReasoningSplitter::Piece> ReasoningSplitter::push(std::string_view text) {
  std::vector<Piece> pieces;
  held += text;
  advance(pieces, false);
  return pieces;
}

std::vector<ReasoningSplitter::Piece> ReasoningSplitter::finish() {
  std::vector<Piece> pieces;
  advance(pieces, true);
  return pieces;
}

void ReasoningSplitter::advance(std::vector<Piece> &pieces, bool all) {
  if (state == State::start) {
    size_t first = std::min(held.find_first_not_of(kWhiteSpace), held.size());
    std::string_view rest = std::string_view(held).substr(first);
    bool undecided = rest.empty();
    for (const ReasoningTags &pair : tags) {
      if (rest.starts_with(pair.open)) {
        add(pieces, Part::tag, held.substr(0, first + pair.open.size()));
        held.erase(0, first + pair.open.size());
        close = pair.close;
        state = close.empty() ? State::answer : State::reasoning;
        undecided = false;
        break;
      }
      undecided |= std::string_view(pair.open).starts_with(rest);
    }
    if (undecided && !all)
      return;
    if (state == State::start)
      state = State::answer;
  }
  if (state == State::reasoning) {
    size_t at = held.find(close);
    size_t shown = at != held.npos ? at : held.size() - (all ? 0 : beginning(held, close));
    add(pieces, Part::reasoning, held.substr(0, shown));
    held.erase(0, shown);
    if (at == std::string::npos)
      return;
    add(pieces, Part::tag, close);
    held.erase(0, close.size());
    state = State::answer;
  }
  add(pieces, Part::answer, held);
  held.clear();
}

} // namespace ingot::serve
