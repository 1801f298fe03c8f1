// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sets of code points while a tokenizer is compiled: built from the generated Unicode tables, combined freely, and
// at last written as the bitmaps that the runtime tests (runtime/text/format.h, Sets).
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_CHAR_SET_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_CHAR_SET_H

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::tokenizer {

inline constexpr uint32_t kCodePoints = 0x110000;

// Ranges [first, last], ascending, neither overlapping nor touching.
class CharSet {
public:
  CharSet() = default;
  static CharSet range(uint32_t first, uint32_t last);
  static CharSet all() { return range(0, kCodePoints - 1); }

  // A general category ("Lu"), a group of them ("L"), a script or another property of patterns ("Han", "Alphabetic");
  // case, spaces, - and _ in names do not count. False: the name is unknown.
  static bool property(std::string_view name, CharSet &out);
  static CharSet space();       // \s
  static CharSet digit();       // \d
  static CharSet word();        // \w of patterns, outside brackets
  static CharSet bracketWord(); // and in them
  static CharSet addedWord();   // \w as added tokens that are single words see it
  static CharSet numeric();     // what the pre-tokenizer Digits cuts out

  // What small components test (unicode_sets.inc).
  static CharSet punctuation();
  static CharSet combiningMarks(); // StripAccents
  static CharSet nmtRemoved();
  static CharSet nmtSpaces(); // what Nmt turns into spaces
  static CharSet bertRemoved();
  static CharSet bertSpaces();
  static CharSet bertPadded(); // what gets spaces around it
  static CharSet bertAccents();

  void add(const CharSet &other);
  void add(uint32_t first, uint32_t last) { add(range(first, last)); }
  CharSet complement() const;
  CharSet intersection(const CharSet &other) const;
  // With the case variants that the oracle's engine gives ASCII letters (k and s have one outside ASCII).
  CharSet folded() const;

  bool contains(uint32_t code) const;
  bool empty() const { return ranges_.empty(); }
  bool intersects(const CharSet &other) const { return !intersection(other).empty(); }
  const std::vector<std::pair<uint32_t, uint32_t>> &ranges() const { return ranges_; }
  bool operator==(const CharSet &) const = default;

private:
  void normalize();
  std::vector<std::pair<uint32_t, uint32_t>> ranges_;
};

// Writes the part Sets: equal sets and equal pages are stored once.
class SetTable {
public:
  uint32_t number(const CharSet &set);
  uint32_t size() const { return static_cast<uint32_t>(sets_.size()); }
  // Empty when the sets have more distinct pages than 16 bits can number.
  std::vector<uint8_t> bytes() const;

private:
  std::vector<CharSet> sets_;
};

} // namespace ingot::tokenizer

#endif
