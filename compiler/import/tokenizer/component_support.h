// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compilers of the small components share: appending to a program, sequences, patterns, single characters.
// Private to this folder's normalizers.cpp, pretokenizers.cpp, decoders.cpp and post_processors.cpp.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_COMPONENT_SUPPORT_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_COMPONENT_SUPPORT_H

#include "compiler/import/tokenizer/components.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::tokenizer {

template <typename... Words> void append(std::vector<uint32_t> &program, Words... words) {
  (program.push_back(static_cast<uint32_t>(words)), ...);
}
void appendString(std::vector<uint32_t> &program, SectionParts &parts, std::string_view text);

// "type", of an object.
bool typeOf(const Reader &json, std::string &type);

// Fails: this component is not known.
bool refuse(const Reader &json, const char *what, const std::string &type);

// Calls `one` for each member of a Sequence, whose list stands under `key`.
bool sequence(const Reader &json, const char *key, int depth, const std::function<bool(const Reader &)> &one);

// What is looked for in a text: a string, or a pattern by its number.
struct Matcher {
  std::optional<uint32_t> pattern;
  std::string text; // of either
};

// "pattern", which is {"String": ...} or {"Regex": ...}.
bool matcher(const Reader &json, SectionParts &parts, Matcher &out);
bool addPattern(const Reader &json, SectionParts &parts, const std::string &text, uint32_t &number);

// The instruction for a pattern, or the one for a string, with what it looks for.
template <typename Op>
void appendMatcher(std::vector<uint32_t> &program, SectionParts &parts, const Matcher &what, Op forPattern,
                   Op forString) {
  if (what.pattern)
    return append(program, forPattern, *what.pattern);
  append(program, forString);
  appendString(program, parts, what.text);
}

bool oneCharacter(const Reader &json, const char *key, std::string &out);

// prepend_scheme of Metaspace, or add_prefix_space of old files.
bool metaspaceScheme(const Reader &json, text::PrependScheme &out);

} // namespace ingot::tokenizer

#endif
