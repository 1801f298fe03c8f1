// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The syntax tree of a pattern, between regex_parser.cpp, which reads it, and regex_compiler.cpp, which turns it into
// instructions. Case folding is already applied to the sets.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_REGEX_PARSER_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_REGEX_PARSER_H

#include "compiler/import/tokenizer/char_set.h"
#include "runtime/text/regex.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

struct RegexNode {
  enum class Kind { Set, Concat, Alternate, Repeat, Look, Behind, Atomic, Assert, Boundary } kind = Kind::Concat;
  enum class Mode { Greedy, Lazy, Possessive };
  static constexpr uint32_t kUnbounded = ~0u;
  static constexpr uint32_t kMaxRepeat = 1000; // of a counted repeat, and of the width of a look-behind

  CharSet set;                                   // Set
  std::vector<std::unique_ptr<RegexNode>> parts; // Concat, Alternate; the one body of Repeat, Look, Behind, Atomic
  uint32_t min = 0, max = 0;                     // Repeat
  Mode mode = Mode::Greedy;                      // Repeat
  bool negative = false;                         // Look, Behind, Boundary
  uint32_t width = 0;                            // Behind: characters that the body matches
  text::Assertion assertion{};                   // Assert
  uint32_t folded_literal = 0;                   // Set: the ASCII letter it spells under (?i), or 0
};

// Can the node match without consuming? And the set of characters that a match that consumes may begin with.
bool isNullable(const RegexNode &node);
CharSet firstSet(const RegexNode &node);

// Characters that a node matches, where their number is fixed; else RegexNode::kUnbounded.
uint32_t widthOf(const RegexNode &node);

// Null: `error` says what and where.
std::unique_ptr<RegexNode> parseRegex(std::string_view pattern, std::string &error);

} // namespace ingot::tokenizer

#endif
