// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of decoder.h. A step sees tokens one by one; behind Fuse or ByteLevel it sees fragments of one text and
// holds back what the next fragment could still change, or all of it where only the whole tells.
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

// English put together again, by the rules of the library, one after another.
std::string cleanUp(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto [what, with] : kRules)
    if (text.find(what) != std::string::npos)
      text = replaceAll(text, what, with);
  return text;
}

} // namespace

DecoderChain::DecoderChain(const Tables &tables) : t_(tables), join_with_spaces_(tables.has(kNoDecoder)) {
  bool fused = false;
  std::span<const uint32_t> program = t_.decoder;
  for (size_t i = 0; i < program.size();) {
    const uint32_t *args = program.data() + i + 1;
    Step step;
    step.op = static_cast<DecoderOp>(program[i]);
    step.fused = fused;
    switch (step.op) {
    case DecoderOp::ByteLevel:
      raw_ |= steps_.empty() && i == 0 && t_.has(kByteLevel);
      step.whole = fused;
      fused = true;
      i += 1;
      break;
    case DecoderOp::Fuse:
      fused = true;
      i += 1;
      break;
    case DecoderOp::ByteFallback:
      step.whole = fused;
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
    case DecoderOp::ReplacePattern:
      step.pattern = &t_.patterns[args[0]];
      step.with = t_.string(args[1], args[2]);
      step.whole = fused;
      i += 4;
      break;
    case DecoderOp::WordPiece:
      step.what = t_.string(args[0], args[1]);
      step.start = args[2];
      step.whole = fused;
      i += 4;
      break;
    case DecoderOp::Suffix:
      step.what = t_.string(args[0], args[1]);
      step.whole = fused;
      i += 3;
      break;
    case DecoderOp::Ctc:
      step.what = t_.string(args[0], args[1]);
      step.with = t_.string(args[2], args[3]);
      step.start = args[4];
      step.whole = fused;
      i += 6;
      break;
    }
    if (step.op != DecoderOp::Fuse)
      steps_.push_back(std::move(step));
  }
}

void DecoderChain::push(int32_t id, std::string &out) {
  std::string_view token = t_.piece(id);
  bool literal = t_.piece_flags[id] & kLiteral;
  bool is_text = false; // already what the decoder is to see, where that is no byte-level piece
  if (t_.piece_flags[id] & kAdded) {
    auto added = std::lower_bound(t_.added.begin(), t_.added.end(), id,
                                  [](const AddedToken &a, int32_t wanted) { return a.id < wanted; });
    if (added != t_.added.end() && added->id == id && added->text_length != 0) {
      token = t_.string(added->text_offset, added->text_length);
      is_text = true;
    }
  }
  if (join_with_spaces_ && any_)
    out += ' ';
  any_ = true;
  // Only a decoder that reads bytes may see them; any other sees the alphabet's spelling.
  std::string spelled;
  if (t_.has(kByteLevel) && !literal && !raw_ && !is_text) {
    spelled = spellBytes(token);
    token = spelled;
  }
  give(0, token, out);
}

void DecoderChain::give(size_t index, std::string_view token, std::string &out) {
  if (index == steps_.size())
    out.append(token);
  else if (steps_[index].whole)
    steps_[index].held.append(token);
  else
    giveToken(index, token, out);
}

void DecoderChain::giveToken(size_t index, std::string_view token, std::string &out) {
  Step &step = steps_[index];
  switch (step.op) {
  case DecoderOp::ByteLevel: {
    std::string bytes;
    giveBytes(index, index != 0 || !raw_ ? (unspellBytes(token, bytes) ? bytes : token) : token, out);
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
  case DecoderOp::ReplacePattern:
    give(index + 1, replaceMatches(*step.pattern, token, step.with), out);
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
  case DecoderOp::WordPiece: {
    std::string text;
    if (step.first)
      text = token;
    else if (token.starts_with(step.what))
      text = token.substr(step.what.size());
    else
      text = std::string(" ").append(token);
    step.first = false;
    give(index + 1, step.start ? cleanUp(std::move(text)) : text, out);
    return;
  }
  case DecoderOp::Suffix: { // the last token is known once there is no other
    std::string before = std::move(step.held);
    bool any = step.holding;
    step.held = token;
    step.holding = true;
    if (any)
      give(index + 1, replaceAll(before, step.what, " "), out);
    return;
  }
  case DecoderOp::Ctc: {
    if (step.holding && step.held == token)
      return; // a repeated token counts once
    step.held = token;
    step.holding = true;
    std::string text = step.what.empty() ? std::string(token) : replaceAll(token, step.what, "");
    if (step.start) {
      text = cleanUp(std::move(text));
      if (!step.with.empty())
        text = replaceAll(text, step.with, " ");
    }
    if (!text.empty())
      give(index + 1, text, out);
    return;
  }
  case DecoderOp::Fuse:
    return; // never stored: it only marks what follows
  }
}

// Bytes become text as far as it is certain.
void DecoderChain::giveBytes(size_t index, std::string_view bytes, std::string &out) {
  Step &step = steps_[index];
  std::string_view rest = bytes;
  if (!step.held.empty()) {
    step.held.append(bytes);
    rest = step.held;
  }
  std::string text;
  while (!rest.empty()) {
    unsigned skip;
    unsigned length = sequenceLength(rest, skip);
    if (length == 0 && skip == 0)
      break; // the next token may complete it
    text.append(length ? rest.substr(0, length) : kReplacement);
    rest.remove_prefix(length ? length : skip);
  }
  step.held = std::string(rest);
  if (!text.empty())
    give(index + 1, text, out);
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
    if (step.whole) { // only now is its one token complete
      std::string token;
      token.swap(step.held);
      giveToken(i, token, out);
    }
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
    case DecoderOp::Suffix:
      if (step.holding)
        give(i + 1, replaceAll(step.held, step.what, ""), out);
      break;
    default:
      break; // what Strip still holds is stripped
    }
    step.held.clear();
  }
}

} // namespace ingot::text
