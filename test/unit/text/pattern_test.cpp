// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns match what the oracle's engine matches; those outside the subset are refused with the position; none takes
// more than time in proportion to the text.
#include "test/unit/text/support.h"

#include "compiler/import/tokenizer/regex_compiler.h"
#include "runtime/text/regex.h"

namespace ingot::test {
namespace {

using tokenizer::PatternTable;
using tokenizer::SetTable;

// A pattern compiled alone.
struct Compiled {
  std::vector<uint8_t> set_bytes, pattern_bytes;
  text::Sets sets;
  text::Pattern pattern;
  std::string error;

  explicit Compiled(const std::string &source) {
    SetTable set_table;
    PatternTable patterns;
    uint32_t number;
    if (!patterns.add(source, set_table, number, error))
      return;
    set_bytes = set_table.bytes();
    pattern_bytes = patterns.bytes();
    const auto *header = reinterpret_cast<const text::PatternsHeader *>(pattern_bytes.data());
    const auto *code = reinterpret_cast<const text::Instruction *>(
        reinterpret_cast<const text::PatternHeader *>(header + 1) + header->patterns);
    sets =
        text::Sets(reinterpret_cast<const std::byte *>(set_bytes.data()) + sizeof(text::SetHeader), set_table.size());
    pattern = {code, header->instructions, reinterpret_cast<const text::Dispatch *>(code + header->instructions),
               &sets};
    EXPECT_TRUE(text::verifyPattern(code, header->instructions, set_table.size(), pattern.dispatches,
                                    header->dispatches, error))
        << error;
  }

  std::vector<std::pair<size_t, size_t>> matches(std::string_view subject) const {
    std::vector<std::pair<size_t, size_t>> out;
    text::Matcher matcher(pattern, subject);
    size_t begin, end;
    while (matcher.find(begin, end))
      if (begin != end) // the oracle's record shows no empty ones; pretokenizers.json shows where they cut
        out.push_back({begin, end});
    return out;
  }
};

TEST(Pattern, MatchesWhatTheOracleMatches) {
  for (const Json &one : Json::parse(readFile(std::string(INGOT_TEXT_CASES) + "/patterns.json"))) {
    auto source = one.at("pattern").get<std::string>();
    SCOPED_TRACE(source);
    Compiled compiled(source);
    ASSERT_EQ(compiled.error, "");
    for (const Json &row : one.at("matches")) {
      auto subject = row[0].get<std::string>();
      EXPECT_EQ(compiled.matches(subject), (row[1].get<std::vector<std::pair<size_t, size_t>>>())) << row[0];
    }
  }
}

TEST(Pattern, RefusesWithThePosition) {
  const std::pair<const char *, const char *> kCases[] = {
      {"a(", "a group without ) at position 3"},
      {"a)", "unmatched ) at position 2"},
      {"*a", "a quantifier with nothing to repeat at position 1"},
      {"(?:a*)+", "a quantifier over something that can match nothing is not supported, at position 7"},
      {"(?<=a+)b", "a look-behind whose alternatives have no fixed length is not supported, at position 3"},
      {"(?<name)a", "a group's name without an end at position 8"},
      {"(a)\\1", "\\1 is not supported, at position 4"},
      {"\\p{Hann}", "the character property 'Hann' is not supported, at position 1"},
      {"\\pL", "\\p without { at position 3"},
      {"\\p{L", "\\p{ without } at position 5"},
      {"[abc", "a class without ] at position 5"},
      {"[]a]", "an empty class, or one that begins with ], at position 2"},
      {"[[:alhpa:]]", "the bracket [:alhpa:] is not supported, at position 2"},
      {"[z-a]", "a range that ends before it begins at position 5"},
      {"[a-\\d]", "a range that ends with a class at position 6"},
      {"[\\d-z]", "a range that begins with a class at position 4"},
      {"a{3,2}", "a repeat whose least count is over its greatest at position 2"},
      {"a{1001}", "a repeat count over 1000 is not supported, at position 2"},
      {"a{2}?", "a lazy quantifier over a fixed count is not supported, at position 5"},
      {"(?i:é)", "case-insensitive matching of letters beyond ASCII is not supported, at position 6"},
      {"(?i:ss)", "under (?i) these two letters also match a ligature, which is not supported, at position 6"},
      {"(?i:[\\p{Lu}])", "under (?i) a property that tells case apart is not supported, at position 6"},
      {"(?x:a)", "the group option 'x' is not supported, at position 3"},
      {"\\x{110000}", "an escape that is no character at position 1"},
      {"\\x{zz}", "a malformed \\x at position 4"},
      {"a\\", "a \\ at the end at position 3"},
      {"\xFF", "the pattern is not UTF-8"},
  };
  for (auto [source, message] : kCases) {
    Compiled compiled(source);
    EXPECT_EQ(compiled.error, message) << source;
  }
}

TEST(Pattern, SizeIsBounded) {
  std::string deep, wide;
  for (int i = 0; i < 1000; ++i)
    deep += "(?:";
  EXPECT_NE(Compiled(deep).error.find("nested too deeply"), std::string::npos);
  deep.clear();
  for (int i = 0; i < 1000; ++i)
    deep += "[a";
  EXPECT_NE(Compiled(deep).error.find("nested too deeply"), std::string::npos);
  EXPECT_EQ(Compiled("(?:a{1000}){1000}").error, "the pattern is too large");
  EXPECT_EQ(Compiled("(?:(?:(?:x|y){999}|b){999}|c){999}").error, "the pattern is too large");
  EXPECT_EQ(Compiled(std::string(20000, 'a')).error, "a pattern of more than 16384 bytes is not supported");
  for (int i = 0; i < 100; ++i) // more alternatives than one dispatch holds
    wide += "x" + std::to_string(i) + "y|";
  Compiled many(wide + "z");
  ASSERT_EQ(many.error, "");
  EXPECT_EQ(many.matches("x7yx99yz x100y").size(), 3u);
}

// Each of these takes a plain backtracking matcher exponential or quadratic time.
TEST(Pattern, HostileTextsTakeLinearTime) {
  std::string a(40000, 'a'), spaces(40000, ' ');
  const char *kPatterns[] = {"(?:a+)+b",     "(?:a|a)+b",   "(?:a|aa)+b", "a+a+a+b",   "a+b|a", "(?:a{1,9}){1,99}b|a",
                             "(?:(?!b)a)+b", "(?>a+a+b)|a", "a+?a+?b",    "(?=a+b)a|a"};
  for (const char *source : kPatterns) {
    Compiled compiled(source);
    ASSERT_EQ(compiled.error, "") << source;
    size_t count = compiled.matches(a).size();
    EXPECT_EQ(count, std::string_view(source).ends_with("|a") ? a.size() : 0) << source;
  }
  EXPECT_EQ(Compiled("\\s+x|\\s").matches(spaces).size(), spaces.size());
}

} // namespace
} // namespace ingot::test
