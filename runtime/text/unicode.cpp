// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8 checks and NFC over the generated tables of unicode_normalization.inc.
#include "runtime/text/unicode.h"

#include <algorithm>
#include <vector>

namespace ingot::text {
namespace {

#include "runtime/text/unicode_normalization.inc"

constexpr uint32_t kSBase = 0xAC00, kLBase = 0x1100, kVBase = 0x1161, kTBase = 0x11A7;
constexpr uint32_t kVCount = 21, kTCount = 28, kLCount = 19, kSCount = kLCount * kVCount * kTCount;

uint8_t properties(uint32_t code) {
  constexpr uint32_t mask = (1u << kNormalizationShift) - 1;
  return kNormalizationValues[(static_cast<uint32_t>(kNormalizationBlocks[code >> kNormalizationShift])
                               << kNormalizationShift) +
                              (code & mask)];
}

uint8_t canonicalClass(uint32_t code) { return kCanonicalClasses[properties(code) & 0x7F]; }

// Nothing before the character can change because of it, nor it because of what stands before.
bool isStable(uint32_t code) { return code < 0x300 || properties(code) == 0; }

struct Mark {
  uint32_t code;
  uint8_t order;      // canonical class
  uint32_t place = 0; // among its neighbours, while they are sorted
};

void decompose(uint32_t code, std::vector<Mark> &out) {
  if (code - kSBase < kSCount) {
    uint32_t s = code - kSBase;
    out.push_back({kLBase + s / (kVCount * kTCount), 0});
    out.push_back({kVBase + s % (kVCount * kTCount) / kTCount, 0});
    if (s % kTCount)
      out.push_back({kTBase + s % kTCount, 0});
    return;
  }
  auto found = std::lower_bound(std::begin(kDecompositions), std::end(kDecompositions), code,
                                [](const Decomposition &d, uint32_t c) { return d.code < c; });
  if (found == std::end(kDecompositions) || found->code != code) {
    out.push_back({code, canonicalClass(code)});
    return;
  }
  for (uint32_t i = 0; i < found->length; ++i) {
    uint32_t part = kDecompositionPool[found->begin + i];
    out.push_back({part, canonicalClass(part)});
  }
}

// The primary composite of two characters, or 0.
uint32_t composed(uint32_t first, uint32_t second) {
  if (first - kLBase < kLCount && second - kVBase < kVCount)
    return kSBase + ((first - kLBase) * kVCount + (second - kVBase)) * kTCount;
  if (first - kSBase < kSCount && (first - kSBase) % kTCount == 0 && second - kTBase - 1 < kTCount - 1)
    return first + (second - kTBase);
  auto less = [](const Composition &c, const std::pair<uint32_t, uint32_t> &key) {
    return c.first != key.first ? c.first < key.first : c.second < key.second;
  };
  auto key = std::make_pair(first, second);
  auto found = std::lower_bound(std::begin(kCompositions), std::end(kCompositions), key, less);
  return found != std::end(kCompositions) && found->first == first && found->second == second ? found->composite : 0;
}

// Orders marks canonically, then composes in place: the algorithm of the Unicode standard, chapter 3.11.
void normalizeRun(std::vector<Mark> &run) {
  for (size_t i = 0; i < run.size();) {
    if (run[i].order == 0) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < run.size() && run[end].order != 0)
      ++end;
    for (size_t j = i; j < end; ++j)
      run[j].place = static_cast<uint32_t>(j - i);
    std::sort(run.begin() + i, run.begin() + end,
              [](Mark a, Mark b) { return a.order != b.order ? a.order < b.order : a.place < b.place; });
    i = end;
  }
  size_t out = 0, starter = run.size();
  int last = -1; // class of the last mark kept after the starter; -1: none
  for (size_t i = 0; i < run.size(); ++i) {
    Mark mark = run[i];
    if (starter < run.size() && last < static_cast<int>(mark.order)) {
      if (uint32_t composite = composed(run[starter].code, mark.code)) {
        run[starter].code = composite;
        continue;
      }
    }
    if (mark.order == 0) {
      starter = out;
      last = -1;
    } else {
      last = mark.order;
    }
    run[out++] = mark;
  }
  run.resize(out);
}

} // namespace

void appendUtf8(std::string &out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

unsigned sequenceLength(std::string_view text, unsigned &skip) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = at(0);
  skip = 1;
  if (lead < 0x80)
    return 1;
  unsigned length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
  if (length == 0)
    return 0;
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (unsigned i = 1; i < length; ++i) {
    if (i >= text.size()) {
      skip = 0;
      return 0;
    }
    if (at(i) < low || at(i) > high) {
      skip = i;
      return 0;
    }
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

// Skips ASCII eight bytes at a time.
static size_t asciiPrefix(std::string_view text, size_t from) {
  size_t i = from;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    __builtin_memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080ull)
      break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80)
    ++i;
  return i;
}

bool isValidUtf8(std::string_view text) {
  for (size_t i = 0;;) {
    i = asciiPrefix(text, i);
    if (i == text.size())
      return true;
    unsigned skip;
    unsigned length = sequenceLength(text.substr(i), skip);
    if (length == 0)
      return false;
    i += length;
  }
}

void appendLossy(std::string &out, std::string_view text) {
  while (!text.empty()) {
    unsigned skip;
    unsigned length = sequenceLength(text, skip);
    if (length != 0) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(skip ? skip : text.size());
    }
  }
}

bool isPlainNfc(std::string_view text) {
  for (unsigned char c : text)
    if (c >= 0xCC) // U+0300 and above
      return false;
  return true;
}

std::string toNfc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::vector<Mark> run;
  size_t copied = 0;         // everything before it is in `out`
  size_t previous = 0;       // where the last stable character begins
  bool has_previous = false; // there is one since `copied`
  for (size_t i = 0; i < text.size();) {
    unsigned length;
    uint32_t code = decodeUtf8(text.data() + i, length);
    if (isStable(code)) {
      previous = i;
      has_previous = true;
      i += length;
      continue;
    }
    // The run: the stable character before it, then all up to the next stable one.
    size_t begin = has_previous ? previous : i;
    out.append(text.substr(copied, begin - copied));
    run.clear();
    size_t j = begin;
    while (j < text.size()) {
      code = decodeUtf8(text.data() + j, length);
      if (j > i && isStable(code))
        break;
      decompose(code, run);
      j += length;
    }
    normalizeRun(run);
    for (Mark mark : run)
      appendUtf8(out, mark.code);
    copied = i = j;
    has_previous = false;
  }
  out.append(text.substr(copied));
  return out;
}

} // namespace ingot::text
