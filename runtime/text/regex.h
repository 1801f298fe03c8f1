// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the patterns of pre-tokenizers. The compiler (compiler/import/tokenizer/regex_compiler) has parsed them and
// checked what is supported; here is a backtracking matcher with the priorities of Perl-like engines.
//
// Backtracking alone can take exponential time. When a search does more work than the text it consumed explains, the
// matcher begins to remember which (instruction, position) pairs have failed: without captures and back references a
// pair that failed once always fails, so the rest takes time proportional to instructions times text.
#ifndef INGOT_RUNTIME_TEXT_REGEX_H
#define INGOT_RUNTIME_TEXT_REGEX_H

#include "runtime/text/format.h"
#include "runtime/text/unicode.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

enum class RegexOp : uint32_t {
  Match = 0,    // the pattern, or the body of Look and Atomic, is done
  Byte = 1,     // a: an ASCII character
  Char = 2,     // a: any other character
  Set = 3,      // a: one character of this set
  Star = 4,     // a: as many of this set as there are, fewer on backtracking; b = 1: never fewer
  Split = 5,    // tries a, then b
  Jump = 6,     // a
  Branch = 7,   // b alternatives begin where these Jumps lead; a: the Dispatch that tells which can match here
  Look = 8,     // the body follows; goes on at a without consuming if it matches (b = 1: if it does not)
  Atomic = 9,   // the body follows; goes on at a after its first match, and never takes another
  Assert = 10,  // a: Assertion
  Behind = 11,  // as Look, but the body begins b / 2 characters earlier and ends here (odd b: if it does not match)
  Boundary = 12 // a: set of word characters; between one and none, or a text's end (b = 1: not there)
};
enum class Assertion : uint32_t { TextStart, TextEnd, LineStart, LineEnd, TextEndOrFinalNewline };

struct Instruction {
  uint32_t op, a, b;
};

// Sets of code points, by number.
class Sets {
public:
  Sets() = default;
  // `count` sets and their pages in the layout of format.h.
  Sets(const std::byte *data, uint32_t count);
  bool contains(uint32_t set, uint32_t code) const {
    if (code < 128)
      return ascii_[set * 2 + (code >> 6)] >> (code & 63) & 1;
    const uint64_t *page = pool_ + 4 * static_cast<size_t>(pages_[set * static_cast<size_t>(kSetPages) + (code >> 8)]);
    return page[code >> 6 & 3] >> (code & 63) & 1;
  }

  // The end of the run of a set's characters that begins at `from`.
  size_t endOfRun(uint32_t set, std::string_view text, size_t from) const {
    const uint64_t *ascii = ascii_ + set * 2;
    while (from < text.size()) {
      auto c = static_cast<unsigned char>(text[from]);
      if (c < 128) {
        if (!(ascii[c >> 6] >> (c & 63) & 1))
          break;
        ++from;
        continue;
      }
      unsigned length;
      if (!contains(set, decodeUtf8(text.data() + from, length)))
        break;
      from += length;
    }
    return from;
  }
  // The first place from `from` on with a character of a set, or the text's end.
  size_t findFirst(uint32_t set, std::string_view text, size_t from) const {
    const uint64_t *ascii = ascii_ + set * 2;
    while (from < text.size()) {
      auto c = static_cast<unsigned char>(text[from]);
      if (c < 128) {
        if (ascii[c >> 6] >> (c & 63) & 1)
          break;
        ++from;
        continue;
      }
      unsigned length;
      if (contains(set, decodeUtf8(text.data() + from, length)))
        break;
      from += length;
    }
    return from;
  }

private:
  const uint64_t *ascii_ = nullptr;
  const uint16_t *pages_ = nullptr;
  const uint64_t *pool_ = nullptr;
};

struct Pattern {
  const Instruction *code = nullptr;
  uint32_t size = 0;
  const Dispatch *dispatches = nullptr;
  const Sets *sets = nullptr;
};

// Finds the matches of one pattern in one text, from left to right. Not thread-safe; cheap to make.
class Matcher {
public:
  // What may still be tried: an alternative, or less of a run.
  struct Choice {
    uint32_t pc;
    uint32_t path; // length of path_ when it was made
    size_t low, high;
  };
  using Stack = std::vector<Choice>;

  Matcher(const Pattern &pattern, std::string_view text) : Matcher(pattern, text, own_) {}
  // With a stack that outlives the matcher, so that many short texts need memory once. Between two calls of find() it
  // is as it was before, so other matchers may use it then.
  Matcher(const Pattern &pattern, std::string_view text, Stack &stack);
  Matcher(const Matcher &) = delete;
  Matcher &operator=(const Matcher &) = delete;

  // The next match: the leftmost that begins where the last one ended or later, but an empty one not at that place.
  // False: there is none.
  bool find(size_t &begin, size_t &end);

private:
  struct State {
    uint32_t pc;
    size_t position;
  };
  static constexpr size_t kBlock = 1024;

  bool run(uint32_t pc, size_t position, size_t &end);
  bool visit(uint32_t pc, size_t position);
  bool isRun(const Instruction *code) const;
  bool search(size_t from, size_t &begin, size_t &end);
  void forget(size_t path_size);

  const Pattern &pattern_;
  std::string_view text_;
  size_t next_ = 0;                    // where the next search begins
  size_t last_end_ = ~size_t(0);       // where the last match ended
  const Dispatch *dispatch_ = nullptr; // of a pattern of alternatives
  bool whole_run_ = false;             // the pattern is a run, as isRun() has it
  Stack own_;
  Stack &stack_;
  uint64_t work_ = 0, allowance_ = 0;
  // Failed states, once remembering has begun: per block of positions one bit for each instruction.
  bool remember_ = false;
  std::vector<State> path_;
  std::vector<std::unique_ptr<uint64_t[]>> failed_;
  size_t released_ = 0;
};

// Checks what a Matcher relies on. False: `error` says what is wrong.
bool verifyPattern(const Instruction *code, uint32_t size, uint32_t sets, const Dispatch *dispatches,
                   uint32_t dispatch_count, std::string &error);

} // namespace ingot::text

#endif
