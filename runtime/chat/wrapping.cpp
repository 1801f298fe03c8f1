// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The filter wordwrap: Python's textwrap.wrap on each line, with tabs and white space left as they are.
#include "runtime/chat/characters.h"
#include "runtime/chat/filters.h"
#include "runtime/chat/strings.h"

#include <algorithm>

namespace ingot::chat {

namespace {

using Codes = std::u32string;

bool isBlank(char32_t c) { return c == ' ' || (c >= 9 && c <= 13); }
bool isLetter(char32_t c) { return isWord(c) && !isDecimal(c); } // [^\d\W]
bool isWordPunctuation(char32_t c) {
  return isWord(c) || (c < 0x80 && c != 0 && std::string_view("!\"'&.,?").find(char(c)) != std::string_view::npos);
}

Codes codesOf(std::string_view text) {
  Codes out;
  unsigned length;
  for (size_t i = 0; i < text.size(); i += length)
    out += codeAt(text, i, length);
  return out;
}

// True where a run of two or more '-' at `at` stands before a word.
bool isDashAt(const Codes &text, size_t at) {
  size_t end = at;
  while (end < text.size() && text[end] == '-')
    ++end;
  return end >= at + 2 && end < text.size() && isWord(text[end]);
}

// The end of the chunk that begins at `at`: textwrap's wordsep_re (with hyphens) or wordsep_simple_re.
size_t endOfChunk(const Codes &text, size_t at, bool hyphens) {
  size_t end = at;
  if (isBlank(text[at])) {
    while (end < text.size() && isBlank(text[end]))
      ++end;
    return end;
  }
  if (!hyphens) {
    while (end < text.size() && !isBlank(text[end]))
      ++end;
    return end;
  }
  if (at > 0 && isWordPunctuation(text[at - 1]) && isDashAt(text, at)) {
    while (text[end] == '-')
      ++end;
    return end;
  }
  for (end = at + 1;; ++end) {
    // text[at:end] is taken; a hyphen at `end` may close it.
    if (end >= text.size() || isBlank(text[end]))
      return end;
    if (text[end] == '-') {
      bool before = (end >= 2 && isLetter(text[end - 1]) && isLetter(text[end - 2])) ||
                    (end >= 3 && isLetter(text[end - 1]) && text[end - 2] == '-' && isLetter(text[end - 3]));
      size_t next = end + 1;
      bool after = next < text.size() && isLetter(text[next]) &&
                   ((next + 1 < text.size() && isLetter(text[next + 1])) ||
                    (next + 2 < text.size() && text[next + 1] == '-' && isLetter(text[next + 2])));
      if (before && after)
        return end + 1;
      if (isWordPunctuation(text[end - 1]) && isDashAt(text, end))
        return end;
    }
  }
}

} // namespace

Value wordWrap(Machine &m, const Value &value, Arguments &arguments) {
  auto given = m.bind("wordwrap", arguments, {"width", "break_long_words", "wrapstring", "break_on_hyphens"}, 0);
  int64_t width = given[0] ? m.index(*given[0], "wordwrap's width") : 79;
  bool breaks = !given[1] || m.truth(*given[1]), hyphens = !given[3] || m.truth(*given[3]);
  std::string between = given[2] && !given[2]->is(Kind::None) ? m.textOf(*given[2], "wordwrap's wrapstring") : "\n";
  if (value.isUndefined())
    return m.attribute(value, "splitlines");
  const std::string &text = m.textOf(value, "what is wrapped");
  std::vector<std::string_view> lines = linesOf(text, false);
  if (!m.failed() && width <= 0 && !lines.empty())
    return m.fail("ValueError", "wordwrap's width is not above 0");
  m.step(text.size());
  std::string out;
  bool firstLine = true;
  for (std::string_view line : lines) {
    if (m.failed())
      return Value();
    if (!firstLine)
      out += between;
    firstLine = false;
    Codes codes = codesOf(line);
    std::vector<Codes> chunks;
    for (size_t at = 0, end; at < codes.size(); at = end) {
      end = endOfChunk(codes, at, hyphens);
      chunks.push_back(codes.substr(at, end - at));
    }
    std::reverse(chunks.begin(), chunks.end());
    bool firstRow = true;
    auto blank = [](const Codes &chunk) {
      return std::all_of(chunk.begin(), chunk.end(), [](char32_t c) { return isSpace(c); });
    };
    while (!chunks.empty() && m.step()) {
      std::vector<Codes> row;
      int64_t size = 0;
      if (!firstRow && blank(chunks.back()))
        chunks.pop_back();
      while (!chunks.empty() && size + int64_t(chunks.back().size()) <= width) {
        size += int64_t(chunks.back().size());
        row.push_back(std::move(chunks.back()));
        chunks.pop_back();
      }
      if (!chunks.empty() && int64_t(chunks.back().size()) > width) {
        int64_t room = width - size;
        Codes &chunk = chunks.back();
        if (breaks) {
          size_t end = size_t(std::max<int64_t>(room, 0));
          if (width < 1)
            end = 1;
          if (hyphens && int64_t(chunk.size()) > room && room > 0) {
            size_t hyphen = chunk.rfind(U'-', size_t(room) - 1);
            if (hyphen != Codes::npos && hyphen > 0 &&
                std::any_of(chunk.begin(), chunk.begin() + long(hyphen), [](char32_t c) { return c != '-'; }))
              end = hyphen + 1;
          }
          row.push_back(chunk.substr(0, end));
          chunk.erase(0, end);
        } else if (row.empty()) {
          row.push_back(std::move(chunk));
          chunks.pop_back();
        }
      }
      if (!row.empty() && blank(row.back()))
        row.pop_back();
      if (row.empty())
        continue;
      if (!firstRow)
        out += between;
      firstRow = false;
      for (const Codes &chunk : row)
        for (char32_t code : chunk)
          text::appendUtf8(out, code);
      if (!m.charge(between.size()))
        return Value();
    }
  }
  return m.failed() ? Value() : m.string(std::move(out));
}

} // namespace ingot::chat
