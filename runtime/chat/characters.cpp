// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See characters.h.
#include "runtime/chat/characters.h"

#include <algorithm>
#include <iterator>

namespace ingot::chat {

namespace {

struct Range {
  uint32_t first, last;
};
struct Change {
  uint32_t from;
  uint32_t to[3]; // 0 where it is shorter
};

#include "runtime/chat/characters.inc"

template <size_t N> bool within(const Range (&ranges)[N], uint32_t code) {
  const Range *found =
      std::upper_bound(ranges, ranges + N, code, [](uint32_t c, const Range &r) { return c < r.first; });
  return found != ranges && code <= found[-1].last;
}

template <size_t N> void change(const Change (&changes)[N], uint32_t code, std::string &out) {
  const Change *found =
      std::lower_bound(changes, changes + N, code, [](const Change &c, uint32_t f) { return c.from < f; });
  if (found == changes + N || found->from != code)
    return text::appendUtf8(out, code);
  for (uint32_t to : found->to)
    if (to)
      text::appendUtf8(out, to);
}

template <size_t N> std::string changed(const Change (&changes)[N], std::string_view text) {
  std::string out;
  out.reserve(text.size());
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length)
    change(changes, codeAt(text, i, length), out);
  return out;
}

constexpr uint32_t kSigma = 0x3A3;

// Lower case of the character at `i`: a capital sigma that ends a word has a form of its own.
void lowerAt(std::string_view text, size_t i, std::string &out) {
  unsigned length;
  uint32_t code = codeAt(text, i, length);
  if (code != kSigma)
    return change(kLowers, code, out);
  size_t before = i;
  uint32_t neighbour = 0;
  while (before > 0 && within(kIgnorable, neighbour = codeBefore(text, before, before)))
    neighbour = 0;
  bool final = neighbour && within(kCased, neighbour);
  if (final) {
    size_t after = i + length;
    for (; after < text.size(); after += length)
      if (!within(kIgnorable, neighbour = codeAt(text, after, length)))
        break;
    final = after >= text.size() || !within(kCased, neighbour);
  }
  text::appendUtf8(out, final ? 0x3C2 : 0x3C3);
}

} // namespace

bool isSpace(uint32_t code) {
  return code < 0x80 ? (code >= 9 && code <= 13) || (code >= 28 && code <= 32) : within(kSpace, code);
}
bool isAlpha(uint32_t code) { return code < 0x80 ? (code | 32) >= 'a' && (code | 32) <= 'z' : within(kAlpha, code); }
bool isDecimal(uint32_t code) { return within(kDecimal, code); }
bool isDigit(uint32_t code) { return within(kDigit, code); }
bool isNumeric(uint32_t code) { return within(kNumeric, code); }
bool isPrintable(uint32_t code) { return code < 0x7F ? code >= 32 : within(kPrintable, code); }
bool isUpper(uint32_t code) { return within(kUpper, code); }
bool isLower(uint32_t code) { return within(kLower, code); }
bool isTitle(uint32_t code) { return within(kTitle, code); }
bool isCased(uint32_t code) { return within(kCased, code); }

unsigned decimalValue(uint32_t code) { return code - std::upper_bound(std::begin(kZeros), std::end(kZeros), code)[-1]; }

std::string upper(std::string_view text) { return changed(kUppers, text); }
std::string casefold(std::string_view text) { return changed(kFolds, text); }

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i += text::lengthOfLead(text[i]))
    lowerAt(text, i, out);
  return out;
}

std::string swapcase(std::string_view text) {
  std::string out;
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    if (isUpper(code))
      lowerAt(text, i, out);
    else if (isLower(code))
      change(kUppers, code, out);
    else
      text::appendUtf8(out, code);
  }
  return out;
}

std::string capitalize(std::string_view text) {
  std::string out;
  unsigned length = 0;
  for (size_t i = 0; i < text.size(); i += length)
    if (uint32_t code = codeAt(text, i, length); i == 0)
      change(kTitles, code, out);
    else
      lowerAt(text, i, out);
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  unsigned length = 0;
  bool inWord = false;
  for (size_t i = 0; i < text.size(); i += length) {
    uint32_t code = codeAt(text, i, length);
    if (inWord)
      lowerAt(text, i, out);
    else
      change(kTitles, code, out);
    inWord = isCased(code);
  }
  return out;
}

std::string_view stripped(std::string_view text, bool left, bool right) {
  unsigned length;
  while (left && !text.empty() && isSpace(codeAt(text, 0, length)))
    text.remove_prefix(length);
  for (size_t begin; right && !text.empty() && isSpace(codeBefore(text, text.size(), begin));)
    text = text.substr(0, begin);
  return text;
}

bool isAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

size_t countCodes(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !text::isContinuation(c); });
}

size_t byteOf(std::string_view text, size_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index)
    at += text::lengthOfLead(text[at]);
  return at;
}

uint32_t codeBefore(std::string_view text, size_t end, size_t &begin) {
  begin = end - 1;
  while (begin > 0 && text::isContinuation(text[begin]))
    --begin;
  unsigned length;
  return codeAt(text, begin, length);
}

} // namespace ingot::chat
