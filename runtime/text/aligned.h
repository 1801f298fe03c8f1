// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A piece of text on its way to the model, and where its bytes stood in the text that was given: normalizers and
// pre-tokenizers change it through a TextEditor, which keeps both in step. Where nobody asks for offsets, or nothing
// has changed, no places are stored.
#ifndef INGOT_RUNTIME_TEXT_ALIGNED_H
#define INGOT_RUNTIME_TEXT_ALIGNED_H

#include "runtime/text/unicode.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

// Bytes [begin, end) of the original text.
struct Span {
  uint32_t begin, end;
  bool operator==(const Span &) const = default;
};

// All bytes of a character have the same span.
struct Text {
  std::string_view bytes;
  const Span *spans = nullptr; // of each byte; null: they stand in the original as they are, from `base` on
  size_t base = 0;

  // Ends are at characters.
  Text slice(size_t begin, size_t end) const {
    return {bytes.substr(begin, end - begin), spans ? spans + begin : nullptr, base + begin};
  }
  // Where bytes [begin, end) come from, end > begin; part of a character counts as all of it.
  Span span(size_t begin, size_t end) const {
    if (spans)
      return {spans[begin].begin, spans[end - 1].end};
    while (begin > 0 && isContinuation(bytes[begin]))
      --begin;
    while (end < bytes.size() && isContinuation(bytes[end]))
      ++end;
    return {static_cast<uint32_t>(base + begin), static_cast<uint32_t>(base + end)};
  }
};

// Owns a text that differs from the original.
struct TextStorage {
  std::string bytes;
  std::vector<Span> spans;
};

// Writes a changed text from left to right, reading the one before. The rules for places are those of the `tokenizers`
// library: a character that replaces another stands where that stood, one that is added where the character before the
// reading place stands.
class TextEditor {
public:
  TextEditor(const Text &from, bool track) : from_(from), track_(track) { out_.bytes.reserve(from.bytes.size() + 16); }
  size_t at() const { return at_; }
  bool done() const { return at_ >= from_.bytes.size(); }

  void keep(size_t bytes);     // as they are
  void replace(uint32_t code); // the next character becomes this one
  void add(uint32_t code);     // a character more
  void addText(std::string_view text);
  void skip(size_t bytes) { at_ = std::min(at_ + bytes, from_.bytes.size()); }
  void skipCharacters(size_t count);
  // The three in one: change 0 replaces, 1 adds, -n replaces and skips n more.
  void emit(uint32_t code, int change);

  // The rest is kept; `storage` takes the text over, and may hold the one that was read.
  Text finish(TextStorage &storage);

private:
  void put(uint32_t code, Span span);
  Span spanAt(size_t at) const;
  Span spanBefore(size_t at) const { return at == 0 ? Span{0, 0} : from_.span(at - 1, at); }

  Text from_;
  bool track_;
  size_t at_ = 0;
  TextStorage out_;
};

} // namespace ingot::text

#endif
