// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of decoder.h. A step sees tokens one by one; behind Fuse or ByteLevel it sees fragments of one text and
// holds back what the next fragment could still change.
#include "runtime/text/decoder.h"

#include "runtime/text/byte_alphabet.h"
#include "runtime/text/normalizer.h"
#include "runtime/text/unicode.h"

#include <algorithm>

namespace ingot::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

int hexDigit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

// The byte that a token like <0x0A> spells, or -1. The oracle's parser of numbers also takes a plus sign.
int spelledByte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>')
    return -1;
  int high = token[3] == '+' ? 0 : hexDigit(token[3]), low = hexDigit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

} // namespace

DecoderChain::DecoderChain(const Tables &tables) : t_(tables), join_with_spaces_(tables.has(kNoDecoder)) {
  bool fused = false;
  std::span<const uint32_t> program = t_.decoder;
  for (size_t i = 0; i < program.size();) {
    const uint32_t *args = program.data() + i + 1;
    Step step{static_cast<DecoderOp>(program[i]), {}, {}, 0, 0, fused, true, {}, 0};
    switch (step.op) {
    case DecoderOp::ByteLevel:
    case DecoderOp::Fuse:
      fused = true;
      i += 1;
      break;
    case DecoderOp::ByteFallback:
      i += 1;
      break;
    case DecoderOp::ReplaceString:
      step.what = t_.string(args[0], args[1]);
      step.with = t_.string(args[2], args[3]);
      i += 5;
      break;
    case DecoderOp::Strip:
      step.what = t_.string(args[0], args[1]);
      step.start = args[2];
      step.stop = args[3];
      i += 5;
      break;
    case DecoderOp::Metaspace:
      step.what = t_.string(args[0], args[1]);
      step.start = args[2];
      i += 4;
      break;
    }
    if (step.op != DecoderOp::Fuse)
      steps_.push_back(std::move(step));
  }
}

void DecoderChain::push(int32_t id, std::string &out) {
  std::string_view token = t_.piece(id);
  bool literal = t_.piece_flags[id] & kLiteral;
  if (t_.piece_flags[id] & kAdded) {
    auto added = std::lower_bound(t_.added.begin(), t_.added.end(), id,
                                  [](const AddedToken &a, int32_t wanted) { return a.id < wanted; });
    if (added != t_.added.end() && added->id == id && added->text_length != 0)
      token = t_.string(added->text_offset, added->text_length);
  }
  if (join_with_spaces_ && any_)
    out += ' ';
  any_ = true;
  // Only a decoder that reads bytes may see them; any other sees the alphabet's spelling.
  std::string spelled;
  if (t_.has(kByteLevel) && !literal && (steps_.empty() || steps_[0].op != DecoderOp::ByteLevel)) {
    spelled = spellBytes(token);
    token = spelled;
  }
  give(0, token, out);
}

void DecoderChain::give(size_t index, std::string_view token, std::string &out) {
  if (index == steps_.size()) {
    out.append(token);
    return;
  }
  Step &step = steps_[index];
  switch (step.op) {
  case DecoderOp::ByteLevel: {
    step.held.append(token);
    std::string text;
    std::string_view rest = step.held;
    while (!rest.empty()) {
      unsigned skip;
      unsigned length = sequenceLength(rest, skip);
      if (length == 0 && skip == 0)
        break; // the next token may complete it
      text.append(length ? rest.substr(0, length) : kReplacement);
      rest.remove_prefix(length ? length : skip);
    }
    step.held.erase(0, step.held.size() - rest.size());
    if (!text.empty())
      give(index + 1, text, out);
    return;
  }
  case DecoderOp::ReplaceString:
    if (step.fused)
      replaceFused(index, token, out);
    else if (token.find(step.what) == std::string_view::npos)
      give(index + 1, token, out);
    else
      give(index + 1, replaceAll(token, step.what, step.with), out);
    return;
  case DecoderOp::ByteFallback: {
    int byte = spelledByte(token);
    if (byte >= 0) {
      step.held += static_cast<char>(byte);
      return;
    }
    flushBytes(index, out);
    give(index + 1, token, out);
    return;
  }
  case DecoderOp::Strip:
    strip(index, token, out);
    return;
  case DecoderOp::Metaspace: {
    bool lose = step.start && (step.fused || step.first);
    step.first = false;
    give(index + 1, replaceAll(token, step.what, lose ? "" : " "), out);
    return;
  }
  case DecoderOp::Fuse:
    return; // never stored: it only marks what follows
  }
}

// A run of bytes is text if all of it is; else each of its bytes is a replacement character.
void DecoderChain::flushBytes(size_t index, std::string &out) {
  Step &step = steps_[index];
  if (step.held.empty())
    return;
  std::string run;
  run.swap(step.held);
  if (isValidUtf8(run))
    give(index + 1, run, out);
  else
    for (size_t i = 0; i < run.size(); ++i)
      give(index + 1, kReplacement, out);
}

void DecoderChain::replaceFused(size_t index, std::string_view token, std::string &out) {
  Step &step = steps_[index];
  step.held.append(token);
  std::string text;
  size_t done = 0;
  for (size_t at; (at = step.held.find(step.what, done)) != std::string::npos; done = at + step.what.size()) {
    text.append(step.held, done, at - done);
    text.append(step.with);
  }
  // Keep the longest end that could begin a match.
  size_t keep = std::min(step.what.size() - 1, step.held.size() - done);
  while (keep != 0 && !std::string_view(step.held).ends_with(step.what.substr(0, keep)))
    --keep;
  text.append(step.held, done, step.held.size() - keep - done);
  step.held.erase(0, step.held.size() - keep);
  if (!text.empty())
    give(index + 1, text, out);
}

// Takes the character `what` away at most `start` times at the start and `stop` times at the end of a token, or of the
// whole text behind Fuse: then those that may be the last are held.
void DecoderChain::strip(size_t index, std::string_view token, std::string &out) {
  Step &step = steps_[index];
  if (!step.fused) {
    for (uint32_t i = 0; i < step.start && token.starts_with(step.what); ++i)
      token.remove_prefix(step.what.size());
    for (uint32_t i = 0; i < step.stop && token.ends_with(step.what); ++i)
      token.remove_suffix(step.what.size());
    give(index + 1, token, out);
    return;
  }
  for (; step.count < step.start && token.starts_with(step.what); ++step.count)
    token.remove_prefix(step.what.size());
  if (token.empty())
    return;
  step.count = step.start; // something else has come
  std::string text;
  text.swap(step.held);
  text.append(token);
  size_t end = text.size();
  for (uint32_t i = 0; i < step.stop && std::string_view(text).substr(0, end).ends_with(step.what); ++i)
    end -= step.what.size();
  step.held = text.substr(end);
  text.resize(end);
  if (!text.empty())
    give(index + 1, text, out);
}

void DecoderChain::finish(std::string &out) {
  for (size_t i = 0; i < steps_.size(); ++i) {
    Step &step = steps_[i];
    switch (step.op) {
    case DecoderOp::ByteLevel:
      if (!step.held.empty())
        give(i + 1, kReplacement, out);
      break;
    case DecoderOp::ByteFallback:
      flushBytes(i, out);
      break;
    case DecoderOp::ReplaceString:
      if (!step.held.empty())
        give(i + 1, step.held, out);
      break;
    default:
      break; // what Strip still holds is stripped
    }
    step.held.clear();
  }
}

} // namespace ingot::text
