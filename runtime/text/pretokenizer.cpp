// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of pretokenizer.h. Each step hands its pieces to the next one; behind the last stands the model.
#include "runtime/text/pretokenizer.h"

#include "runtime/text/normal_forms.h"
#include "runtime/text/normalizer.h"
#include "runtime/text/unicode.h"

namespace ingot::text {
namespace {

// Words that a step takes in the program.
size_t lengthOf(PreTokenizerOp op) {
  switch (op) {
  case PreTokenizerOp::SplitString:
    return 5;
  case PreTokenizerOp::SplitPattern:
  case PreTokenizerOp::Metaspace:
    return 4;
  case PreTokenizerOp::SplitSet:
    return 3;
  case PreTokenizerOp::Digits:
  case PreTokenizerOp::ByteLevel:
  case PreTokenizerOp::FixedLength:
    return 2;
  case PreTokenizerOp::SpellBytes:
  case PreTokenizerOp::Words:
  case PreTokenizerOp::Scripts:
    return 1;
  }
  return 1;
}

} // namespace

// Hands on the pieces between and at matches, joined as `behavior` says. find(begin, end) gives the next match.
template <typename Find>
void PreTokenizer::split(size_t next, const Text &text, bool at_start, Behavior behavior, bool invert, Find find) {
  size_t held_begin = 0, held_end = 0; // the piece that may still grow
  bool holding = false, held_match = false;
  auto emit = [&](size_t begin, size_t end) {
    if (begin != end)
      step(next, text.slice(begin, end), at_start && begin == 0);
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
  const size_t size = text.bytes.size();
  size_t done = 0, begin, end;
  while (find(begin, end)) {
    if (done != begin)
      piece(done, begin, false);
    piece(begin, end, true);
    done = end;
  }
  if (done != size)
    piece(done, size, false);
  if (holding)
    emit(held_begin, held_end);
}

// A run of characters of one class, and of those of class 0 behind them. Those at the very start are lost, as in the
// library.
void PreTokenizer::scripts(size_t next, const Text &text, bool at_start) {
  size_t begin = 0;
  int last = -1; // class of the last character that has one
  for (size_t i = 0; i < text.bytes.size();) {
    unsigned length;
    int kind = scriptClass(decodeUtf8(text.bytes.data() + i, length));
    if (kind != 0 && kind != last) {
      if (last >= 0)
        step(next, text.slice(begin, i), at_start && begin == 0);
      begin = i;
      last = kind;
    }
    i += length;
  }
  if (last >= 0)
    step(next, text.slice(begin, text.bytes.size()), at_start && begin == 0);
}

bool PreTokenizer::needsPlaces(const Tables &t) {
  std::span<const uint32_t> program = t.pre_tokenizer;
  for (size_t i = 0; i < program.size(); i += lengthOf(static_cast<PreTokenizerOp>(program[i])))
    if (static_cast<PreTokenizerOp>(program[i]) == PreTokenizerOp::Metaspace &&
        static_cast<PrependScheme>(program[i + 3]) == PrependScheme::First && (i != 0 || !t.normalizer.empty()))
      return true;
  return false;
}

void PreTokenizer::step(size_t pc, const Text &text, bool at_start) {
  if (text.bytes.empty())
    return;
  if (pc == t_.pre_tokenizer.size()) {
    model_.encode(text);
    return;
  }
  const std::string_view bytes = text.bytes;
  const uint32_t *args = t_.pre_tokenizer.data() + pc + 1;
  const auto op = static_cast<PreTokenizerOp>(t_.pre_tokenizer[pc]);
  const size_t next = pc + lengthOf(op);
  // Matches of single characters.
  auto characters = [&](Behavior behavior, uint32_t set) {
    size_t from = 0;
    split(next, text, at_start, behavior, false, [&](size_t &begin, size_t &end) {
      for (begin = from; begin < bytes.size(); begin = end) {
        unsigned length;
        uint32_t code = decodeUtf8(bytes.data() + begin, length);
        end = begin + length;
        if (t_.sets.contains(set, code)) {
          from = end;
          return true;
        }
      }
      return false;
    });
  };
  switch (op) {
  case PreTokenizerOp::SplitString: {
    std::string_view what = t_.string(args[0], args[1]);
    size_t from = 0;
    split(next, text, at_start, static_cast<Behavior>(args[2]), args[3], [&](size_t &begin, size_t &end) {
      begin = bytes.find(what, from);
      from = end = begin + what.size();
      return begin != std::string_view::npos;
    });
    return;
  }
  case PreTokenizerOp::SplitPattern: {
    Matcher matcher(t_.patterns[args[0]], bytes, choices_);
    split(next, text, at_start, static_cast<Behavior>(args[1]), args[2],
          [&](size_t &begin, size_t &end) { return matcher.find(begin, end); });
    return;
  }
  case PreTokenizerOp::SplitSet:
    characters(static_cast<Behavior>(args[1]), args[0]);
    return;
  case PreTokenizerOp::Digits:
    characters(args[0] ? Behavior::Isolated : Behavior::Contiguous, t_.header->numeric_set);
    return;
  case PreTokenizerOp::Words: {
    auto kind = [&](size_t at, unsigned &length) { // 0: space, 1: word, 2: neither
      uint32_t code = decodeUtf8(bytes.data() + at, length);
      return t_.sets.contains(t_.header->word_set, code) ? 1 : t_.sets.contains(t_.header->space_set, code) ? 0 : 2;
    };
    for (size_t i = 0; i < bytes.size();) {
      unsigned length;
      int first = kind(i, length);
      size_t end = i + length;
      while (end < bytes.size() && kind(end, length) == first)
        end += length;
      if (first != 0)
        step(next, text.slice(i, end), at_start && i == 0);
      i = end;
    }
    return;
  }
  case PreTokenizerOp::Scripts:
    scripts(next, text, at_start);
    return;
  case PreTokenizerOp::FixedLength:
    for (size_t i = 0; i < bytes.size();) {
      size_t end = i;
      for (uint32_t count = 0; count < args[0] && end < bytes.size(); ++count)
        end += lengthOfLead(static_cast<unsigned char>(bytes[end]));
      step(next, text.slice(i, end), at_start && i == 0);
      i = end;
    }
    return;
  case PreTokenizerOp::ByteLevel: // the bytes themselves stand for the alphabet
    if (args[0] && bytes.front() != ' ') {
      TextStorage storage;
      step(next, prepend(text, " ", track_, storage), at_start);
    } else {
      step(next, text, at_start);
    }
    return;
  case PreTokenizerOp::SpellBytes: {
    TextStorage storage;
    step(next, spellBytes(text, track_, storage), at_start);
    return;
  }
  case PreTokenizerOp::Metaspace: {
    std::string_view mark = t_.string(args[0], args[1]);
    auto scheme = static_cast<PrependScheme>(args[2]);
    TextStorage storage;
    Text changed = replaceAll(text, " ", mark, track_, storage);
    if (track_)
      at_start = text.span(0, 1).begin == 0;
    bool wanted = scheme == PrependScheme::Always || (scheme == PrependScheme::First && at_start);
    if (wanted && !changed.bytes.starts_with(mark))
      changed = prepend(changed, mark, track_, storage);
    step(next, changed, at_start);
    return;
  }
  }
}

} // namespace ingot::text
