// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The normal forms of the Unicode standard, chapter 3.11, and lower case. Text that a form leaves alone is copied in
// runs; only what stands around a character that may change is taken apart.
#include "runtime/text/normal_forms.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace ingot::text {
namespace {

#include "runtime/text/unicode_case.inc"
#include "runtime/text/unicode_normalization.inc"
#include "runtime/text/unicode_scripts.inc"

constexpr uint32_t kSBase = 0xAC00, kLBase = 0x1100, kVBase = 0x1161, kTBase = 0x11A7;
constexpr uint32_t kVCount = 21, kTCount = 28, kLCount = 19, kSCount = kLCount * kVCount * kTCount;

uint16_t properties(uint32_t code) {
  constexpr uint32_t mask = (1u << kNormalizationShift) - 1;
  return kNormalizationValues[(static_cast<uint32_t>(kNormalizationBlocks[code >> kNormalizationShift])
                               << kNormalizationShift) +
                              (code & mask)];
}

uint8_t canonicalClass(uint32_t code) { return kCanonicalClasses[properties(code) & 0x7F]; }

// Nothing before the character can change because of it, nor it because of what stands before.
bool isStable(Form form, uint32_t code) {
  if (code < 0xA0)
    return true;
  constexpr uint16_t kClass = 0x7F, kNotNfc = 0x80, kCanonical = 0x100, kCompatible = 0x200;
  uint16_t p = properties(code);
  switch (form) {
  case Form::Nfc:
    return !(p & (kClass | kNotNfc));
  case Form::Nfd:
    return !(p & (kClass | kCanonical)) && code - kSBase >= kSCount;
  case Form::Nfkc:
    return !(p & (kClass | kNotNfc | kCompatible));
  case Form::Nfkd:
    return !(p & (kClass | kCanonical | kCompatible)) && code - kSBase >= kSCount;
  }
  return false;
}

struct Mark {
  uint32_t code;
  uint8_t order;  // canonical class
  int change;     // TextEditor::emit
  uint32_t place; // among its neighbours, while they are sorted
};

const Decomposition *findDecomposition(const Decomposition *begin, const Decomposition *end, uint32_t code) {
  auto found = std::lower_bound(begin, end, code, [](const Decomposition &d, uint32_t c) { return d.code < c; });
  return found != end && found->code == code ? found : nullptr;
}

void decompose(uint32_t code, bool compatible, std::vector<Mark> &out) {
  if (code - kSBase < kSCount) {
    uint32_t s = code - kSBase;
    out.push_back({kLBase + s / (kVCount * kTCount), 0, 0, 0});
    out.push_back({kVBase + s % (kVCount * kTCount) / kTCount, 0, 1, 0});
    if (s % kTCount)
      out.push_back({kTBase + s % kTCount, 0, 1, 0});
    return;
  }
  const Decomposition *found = nullptr;
  if (compatible)
    found = findDecomposition(std::begin(kCompatibleDecompositions), std::end(kCompatibleDecompositions), code);
  if (!found)
    found = findDecomposition(std::begin(kDecompositions), std::end(kDecompositions), code);
  if (!found) {
    out.push_back({code, canonicalClass(code), 0, 0});
    return;
  }
  for (uint32_t i = 0; i < found->length; ++i) {
    uint32_t part = kDecompositionPool[found->begin + i];
    out.push_back({part, canonicalClass(part), i == 0 ? 0 : 1, 0});
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

void order(std::vector<Mark> &run) {
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
    std::sort(run.begin() + static_cast<std::ptrdiff_t>(i), run.begin() + static_cast<std::ptrdiff_t>(end),
              [](const Mark &a, const Mark &b) { return a.order != b.order ? a.order < b.order : a.place < b.place; });
    i = end;
  }
}

// In place. A mark that goes into its starter is one character less there.
void compose(std::vector<Mark> &run) {
  size_t out = 0, starter = run.size();
  int last = -1; // class of the last mark kept after the starter; -1: none
  for (size_t i = 0; i < run.size(); ++i) {
    Mark mark = run[i];
    if (starter < run.size() && last < static_cast<int>(mark.order)) {
      if (uint32_t composite = composed(run[starter].code, mark.code)) {
        run[starter].code = composite;
        run[starter].change += mark.change - 1;
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

Text toForm(Form form, const Text &text, bool track, TextStorage &storage) {
  const std::string_view bytes = text.bytes;
  const bool composes = form == Form::Nfc || form == Form::Nfkc;
  const bool compatible = form == Form::Nfkc || form == Form::Nfkd;
  size_t previous = 0; // where the last stable character begins
  bool has_previous = false;
  TextEditor *editor = nullptr;
  std::unique_ptr<TextEditor> made;
  std::vector<Mark> run;
  for (size_t i = 0; i < bytes.size();) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      i = asciiPrefix(bytes, i);
      previous = i - 1;
      has_previous = true;
      continue;
    }
    unsigned length;
    uint32_t code = decodeUtf8(bytes.data() + i, length);
    if (isStable(form, code)) {
      previous = i;
      has_previous = true;
      i += length;
      continue;
    }
    if (!editor) {
      made = std::make_unique<TextEditor>(text, track);
      editor = made.get();
    }
    // The run: the stable character before it, then all up to the next stable one.
    size_t begin = has_previous ? previous : i;
    editor->keep(begin - editor->at());
    run.clear();
    size_t j = begin;
    while (j < bytes.size()) {
      code = decodeUtf8(bytes.data() + j, length);
      if (j > i && isStable(form, code))
        break;
      decompose(code, compatible, run);
      j += length;
    }
    order(run);
    if (composes)
      compose(run);
    for (const Mark &mark : run)
      editor->emit(mark.code, mark.change);
    editor->skip(j - std::min(j, editor->at()));
    i = j;
    has_previous = false;
  }
  return editor ? editor->finish(storage) : text;
}

std::string toForm(Form form, std::string_view text) {
  TextStorage storage;
  return std::string(toForm(form, Text{text}, false, storage).bytes);
}

Text toLowerCase(const Text &text, bool track, TextStorage &storage) {
  constexpr uint32_t mask = (1u << kLowercaseShift) - 1;
  auto delta = [](uint32_t code) {
    return kLowercaseValues[(static_cast<uint32_t>(kLowercaseBlocks[code >> kLowercaseShift]) << kLowercaseShift) +
                            (code & mask)];
  };
  const std::string_view bytes = text.bytes;
  std::unique_ptr<TextEditor> editor;
  for (size_t i = 0; i < bytes.size();) {
    unsigned length;
    uint32_t code = decodeUtf8(bytes.data() + i, length);
    int32_t change = code < 0x80 ? (code >= 'A' && code <= 'Z' ? 32 : 0) : delta(code);
    if (change != 0 || code == 0x130) {
      if (!editor)
        editor = std::make_unique<TextEditor>(text, track);
      editor->keep(i - editor->at());
      if (code == 0x130) {
        editor->replace('i');
        editor->add(0x307);
      } else {
        editor->replace(static_cast<uint32_t>(static_cast<int32_t>(code) + change));
      }
    }
    i += length;
  }
  return editor ? editor->finish(storage) : text;
}

uint8_t scriptClass(uint32_t code) {
  constexpr uint32_t mask = (1u << kScriptClassShift) - 1;
  return kScriptClassValues[(static_cast<uint32_t>(kScriptClassBlocks[code >> kScriptClassShift])
                             << kScriptClassShift) +
                            (code & mask)];
}

} // namespace ingot::text
