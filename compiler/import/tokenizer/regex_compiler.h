// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles the patterns of pre-tokenizers (Oniguruma's Ruby syntax, as the `tokenizers` library reads them) to the
// instructions of runtime/text/regex.h. What is outside the subset is refused, with the position.
//
// Taken: characters, escapes, classes (nested, negated, &&, [:name:]), \p{category, script or property}, \d \s \w \h
// and their opposites, groups with or without names, alternation, (?i:...), (?m:...), look-ahead, look-behind of fixed
// length, atomic groups, greedy, lazy and possessive quantifiers, {n,m}, ^ $ \A \z \Z \b \B.
// Refused: back references, conditions, quantifiers over what can match nothing, and case-insensitive matching beyond
// ASCII letters.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_REGEX_COMPILER_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_REGEX_COMPILER_H

#include "compiler/import/tokenizer/char_set.h"
#include "runtime/text/format.h"
#include "runtime/text/regex.h"

#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

class PatternTable {
public:
  // Adds a pattern given as UTF-8. False: `error` names the construct and its position in characters from 1.
  bool add(std::string_view pattern, SetTable &sets, uint32_t &number, std::string &error);
  // Whether a pattern can match without a character.
  bool matchesNothing(uint32_t number) const { return nullable_[number]; }
  // Writes the part Patterns.
  std::vector<uint8_t> bytes() const;

private:
  std::vector<std::string> sources_;
  std::vector<bool> nullable_;
  std::vector<text::PatternHeader> headers_;
  std::vector<text::Instruction> code_;
  std::vector<text::Dispatch> dispatches_;
};

} // namespace ingot::tokenizer

#endif
