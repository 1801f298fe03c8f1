// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of pretokenizer.h. Each step hands its pieces to the next one; behind the last stands the model.
#include "runtime/text/pretokenizer.h"

#include "runtime/text/normalizer.h"
#include "runtime/text/unicode.h"

namespace ingot::text {

// Hands on the pieces between and at matches, joined as `behavior` says. find(from, begin, end) gives the next match.
template <typename Find>
void PreTokenizer::split(size_t next, std::string_view text, bool at_start, Behavior behavior, bool invert, Find find) {
  size_t held_begin = 0, held_end = 0; // the piece that may still grow
  bool holding = false, held_match = false;
  auto emit = [&](size_t begin, size_t end) {
    if (begin != end)
      step(next, text.substr(begin, end - begin), at_start && begin == 0);
  };
  auto piece = [&](size_t begin, size_t end, bool match) {
    match ^= invert;
    bool joins = false;
    switch (behavior) {
    case Behavior::Removed:
      if (!match)
        emit(begin, end);
      return;
    case Behavior::Isolated:
      emit(begin, end);
      return;
    case Behavior::MergedWithPrevious:
      joins = holding && match && !held_match;
      break;
    case Behavior::MergedWithNext:
      joins = holding && held_match && !match;
      break;
    case Behavior::Contiguous:
      joins = holding && match == held_match;
      break;
    }
    if (joins) {
      held_end = end;
    } else {
      if (holding)
        emit(held_begin, held_end);
      held_begin = begin;
      held_end = end;
    }
    holding = true;
    held_match = match;
  };
  size_t done = 0, begin, end;
  while (done < text.size() && find(done, begin, end)) {
    if (done != begin)
      piece(done, begin, false);
    piece(begin, end, true);
    done = end;
  }
  if (done != text.size())
    piece(done, text.size(), false);
  if (holding)
    emit(held_begin, held_end);
}

void PreTokenizer::step(size_t pc, std::string_view text, bool at_start) {
  if (text.empty())
    return;
  if (pc == t_.pre_tokenizer.size()) {
    model_.encode(text, out_);
    return;
  }
  const uint32_t *args = t_.pre_tokenizer.data() + pc + 1;
  switch (static_cast<PreTokenizerOp>(t_.pre_tokenizer[pc])) {
  case PreTokenizerOp::SplitString: {
    std::string_view what = t_.string(args[0], args[1]);
    split(pc + 5, text, at_start, static_cast<Behavior>(args[2]), args[3],
          [&](size_t from, size_t &begin, size_t &end) {
            begin = text.find(what, from);
            end = begin + what.size();
            return begin != std::string_view::npos;
          });
    return;
  }
  case PreTokenizerOp::SplitPattern: {
    Matcher matcher(t_.patterns[args[0]], text);
    split(pc + 4, text, at_start, static_cast<Behavior>(args[1]), args[2],
          [&](size_t from, size_t &begin, size_t &end) { return matcher.find(from, begin, end); });
    return;
  }
  case PreTokenizerOp::Digits: {
    Behavior behavior = args[0] ? Behavior::Isolated : Behavior::Contiguous;
    split(pc + 2, text, at_start, behavior, false, [&](size_t from, size_t &begin, size_t &end) {
      for (begin = from; begin < text.size(); begin = end) {
        unsigned length;
        uint32_t code = decodeUtf8(text.data() + begin, length);
        end = begin + length;
        if (t_.sets.contains(t_.header->numeric_set, code))
          return true;
      }
      return false;
    });
    return;
  }
  case PreTokenizerOp::ByteLevel: // the bytes themselves stand for the alphabet
    if (args[0] && text.front() != ' ')
      step(pc + 2, std::string(" ").append(text), at_start);
    else
      step(pc + 2, text, at_start);
    return;
  case PreTokenizerOp::Metaspace: {
    std::string_view mark = t_.string(args[0], args[1]);
    auto scheme = static_cast<PrependScheme>(args[2]);
    std::string changed = replaceAll(text, " ", mark);
    bool wanted = scheme == PrependScheme::Always || (scheme == PrependScheme::First && at_start);
    if (wanted && !std::string_view(changed).starts_with(mark))
      changed.insert(0, mark);
    step(pc + 4, changed, at_start);
    return;
  }
  }
}

} // namespace ingot::text
