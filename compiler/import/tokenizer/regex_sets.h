// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The characters of a pattern and what in it stands for sets of them: escapes, properties and bracketed classes, inside
// of a class and outside. regex_parser.cpp reads the rest.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_REGEX_SETS_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_REGEX_SETS_H

#include "compiler/import/tokenizer/char_set.h"

#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

bool isAsciiLetter(uint32_t c);

class SetParser {
protected:
  // `error` outlives the parser. The pattern is UTF-8.
  SetParser(std::string_view pattern, std::string &error);

  static constexpr int kMaxDepth = 24; // of groups and classes, together

  // ---- The pattern's characters ----

  bool atEnd() const { return at_ >= input_.size(); }
  uint32_t peek(size_t ahead = 0) const { return at_ + ahead < input_.size() ? input_[at_ + ahead] : 0; }
  bool take(char c);
  // False; the first failure counts, with the position.
  bool failed(const std::string &what);
  static std::string shown(uint32_t c);

  std::vector<uint32_t> input_;
  size_t at_ = 0;
  bool fold_ = false, dot_all_ = false; // the options (?i) and (?m)
  std::string &error_;

  // ---- Sets ----

  // Under (?i) only ASCII letters have case here.
  bool foldable(const CharSet &set);
  // At '\': one character or a set, in and outside classes.
  bool escaped(CharSet &set, bool &is_set, uint32_t &code, bool in_class);
  // After '['. Unions of items, intersected at each &&.
  bool characterClass(int depth, CharSet &out);

private:
  // At "[:".
  bool namedClass(CharSet &out);
  bool classItem(CharSet &set, bool &is_set, uint32_t &code);
};

} // namespace ingot::tokenizer

#endif
