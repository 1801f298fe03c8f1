// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code point sets over the generated table of categories, and their bitmaps.
#include "compiler/import/tokenizer/char_set.h"

#include "runtime/text/format.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <map>
#include <span>
#include <string>

namespace ingot::tokenizer {
namespace {

#include "compiler/import/tokenizer/unicode_categories.inc"

struct Range {
  uint32_t first, last;
};

#include "compiler/import/tokenizer/unicode_properties.inc"
#include "compiler/import/tokenizer/unicode_sets.inc"

template <typename Ranges> CharSet setOf(const Ranges &ranges) {
  CharSet out;
  for (Range range : ranges)
    out.add(range.first, range.last);
  return out;
}

uint8_t properties(uint32_t code) {
  constexpr uint32_t mask = (1u << kPropertiesShift) - 1;
  return kPropertiesValues[(static_cast<uint32_t>(kPropertiesBlocks[code >> kPropertiesShift]) << kPropertiesShift) +
                           (code & mask)];
}

template <typename Test> CharSet where(Test test) {
  CharSet out;
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
  uint32_t first = 0;
  bool inside = false;
  for (uint32_t code = 0; code <= kCodePoints; ++code) {
    bool now = code < kCodePoints && test(properties(code));
    if (now && !inside)
      first = code;
    if (!now && inside)
      ranges.push_back({first, code - 1});
    inside = now;
  }
  for (auto [a, b] : ranges) // ascending and apart: each add appends
    out.add(a, b);
  return out;
}

// Each general category's set, from one pass over the table.
const std::vector<CharSet> &categories() {
  static const std::vector<CharSet> sets = [] {
    std::vector<CharSet> out(std::size(kCategoryNames));
    for (uint32_t code = 0, first = 0; code < kCodePoints; ++code) {
      uint32_t category = properties(code) & 31;
      if (code + 1 < kCodePoints && (properties(code + 1) & 31u) == category)
        continue;
      out[category].add(first, code);
      first = code + 1;
    }
    return out;
  }();
  return sets;
}

} // namespace

CharSet CharSet::range(uint32_t first, uint32_t last) {
  CharSet out;
  out.ranges_.push_back({first, last});
  return out;
}

void CharSet::normalize() {
  std::sort(ranges_.begin(), ranges_.end());
  std::vector<std::pair<uint32_t, uint32_t>> merged;
  for (auto [first, last] : ranges_) {
    if (!merged.empty() && first <= merged.back().second + 1)
      merged.back().second = std::max(merged.back().second, last);
    else
      merged.push_back({first, last});
  }
  ranges_ = std::move(merged);
}

void CharSet::add(const CharSet &other) {
  if (other.empty())
    return;
  bool appends = ranges_.empty() || ranges_.back().second + 1 < other.ranges_.front().first;
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  if (!appends)
    normalize();
}

CharSet CharSet::complement() const {
  CharSet out;
  uint32_t next = 0;
  for (auto [first, last] : ranges_) {
    if (first > next)
      out.ranges_.push_back({next, first - 1});
    next = last + 1;
  }
  if (next < kCodePoints)
    out.ranges_.push_back({next, kCodePoints - 1});
  return out;
}

CharSet CharSet::intersection(const CharSet &other) const {
  CharSet out;
  for (size_t i = 0, j = 0; i < ranges_.size() && j < other.ranges_.size();) {
    uint32_t first = std::max(ranges_[i].first, other.ranges_[j].first);
    uint32_t last = std::min(ranges_[i].second, other.ranges_[j].second);
    if (first <= last)
      out.ranges_.push_back({first, last});
    ranges_[i].second < other.ranges_[j].second ? ++i : ++j;
  }
  return out;
}

CharSet CharSet::folded() const {
  CharSet out = *this;
  for (uint32_t c = 'a'; c <= 'z'; ++c) {
    uint32_t upper = c - 'a' + 'A', other = c == 'k' ? 0x212A : c == 's' ? 0x17F : c;
    if (contains(c) || contains(upper) || contains(other)) {
      out.add(c, c);
      out.add(upper, upper);
      out.add(other, other);
    }
  }
  return out;
}

bool CharSet::contains(uint32_t code) const {
  auto next = std::upper_bound(ranges_.begin(), ranges_.end(), std::make_pair(code, kCodePoints));
  return next != ranges_.begin() && std::prev(next)->second >= code;
}

bool CharSet::property(std::string_view name, CharSet &out) {
  std::string plain;
  for (char c : name)
    if (c != ' ' && c != '_' && c != '-')
      plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  static constexpr std::pair<std::string_view, std::string_view> kLong[] = {
      {"letter", "l"}, {"mark", "m"}, {"number", "n"}, {"punctuation", "p"}, {"symbol", "s"}, {"separator", "z"}};
  for (auto [spelled, brief] : kLong)
    if (plain == spelled)
      plain = brief;
  bool found = false;
  out = CharSet();
  for (size_t i = 0; i < std::size(kCategoryNames); ++i) {
    char lower[3] = {static_cast<char>(kCategoryNames[i][0] | 0x20), kCategoryNames[i][1], 0};
    if (plain == lower || (plain.size() == 1 && lower[0] == plain[0])) {
      out.add(categories()[i]);
      found = true;
    }
  }
  if (found)
    return true;
  for (const Property &property : kPropertyNames)
    if (plain == property.name) {
      out = setOf(std::span(kPropertyRanges).subspan(property.begin, property.count));
      return true;
    }
  return false;
}

CharSet CharSet::punctuation() { return setOf(kPunctuation); }
CharSet CharSet::combiningMarks() { return setOf(kCombiningMarks); }
CharSet CharSet::nmtRemoved() { return setOf(kNmtRemoved); }
CharSet CharSet::nmtSpaces() { return setOf(kNmtSpaces); }
CharSet CharSet::bertRemoved() { return setOf(kBertRemoved); }
CharSet CharSet::bertSpaces() { return setOf(kBertSpaces); }
CharSet CharSet::bertPadded() { return setOf(kBertPadded); }
CharSet CharSet::bertAccents() { return setOf(kBertAccents); }

CharSet CharSet::space() {
  static const CharSet set = where([](uint8_t p) { return p & 32; });
  return set;
}
CharSet CharSet::digit() {
  CharSet out;
  property("Nd", out);
  return out;
}
CharSet CharSet::addedWord() {
  static const CharSet set = where([](uint8_t p) { return p & 64; });
  return set;
}
CharSet CharSet::numeric() {
  static const CharSet set = where([](uint8_t p) { return p & 128; });
  return set;
}
// What added tokens take for a word character, but for some.
template <size_t N> static CharSet wordBut(const uint32_t (&codes)[N]) {
  CharSet out = CharSet::addedWord(), differences;
  for (uint32_t code : codes)
    differences.add(code, code);
  CharSet added = differences.intersection(out.complement());
  out = out.intersection(differences.complement());
  out.add(added);
  return out;
}
CharSet CharSet::word() { return wordBut(kPatternWordDifferences); }
CharSet CharSet::bracketWord() { return wordBut(kBracketWordDifferences); }

uint32_t SetTable::number(const CharSet &set) {
  auto found = std::find(sets_.begin(), sets_.end(), set);
  if (found == sets_.end())
    found = sets_.insert(sets_.end(), set);
  return static_cast<uint32_t>(found - sets_.begin());
}

std::vector<uint8_t> SetTable::bytes() const {
  using Page = std::array<uint64_t, 4>;
  std::map<Page, uint16_t> numbers;
  std::vector<Page> pool;
  std::vector<uint64_t> ascii;
  std::vector<uint16_t> pages;
  for (const CharSet &set : sets_) {
    std::vector<Page> bitmap(text::kSetPages, Page{});
    for (auto [first, last] : set.ranges())
      for (uint32_t code = first; code <= last; ++code)
        bitmap[code >> 8][code >> 6 & 3] |= uint64_t(1) << (code & 63);
    ascii.push_back(bitmap[0][0]);
    ascii.push_back(bitmap[0][1]);
    for (const Page &page : bitmap) {
      auto [entry, fresh] = numbers.try_emplace(page, static_cast<uint16_t>(pool.size()));
      if (fresh && pool.size() == 0x10000)
        return {};
      if (fresh)
        pool.push_back(page);
      pages.push_back(entry->second);
    }
  }
  text::SetHeader header{size(), static_cast<uint32_t>(pool.size())};
  std::vector<uint8_t> out;
  auto append = [&](const void *data, size_t bytes) {
    size_t at = out.size();
    out.resize(at + bytes);
    if (bytes)
      std::memcpy(out.data() + at, data, bytes);
  };
  append(&header, sizeof(header));
  append(ascii.data(), ascii.size() * 8);
  append(pages.data(), pages.size() * 2);
  append(pool.data(), pool.size() * sizeof(Page));
  return out;
}

} // namespace ingot::tokenizer
