// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The editor of aligned.h.
#include "runtime/text/aligned.h"

#include <algorithm>

namespace ingot::text {

Span TextEditor::spanAt(size_t at) const {
  if (from_.bytes.empty())
    return {static_cast<uint32_t>(from_.base), static_cast<uint32_t>(from_.base)};
  at = std::min(at, from_.bytes.size() - 1);
  return from_.span(at, at + 1);
}

void TextEditor::keep(size_t bytes) {
  bytes = std::min(bytes, from_.bytes.size() - at_);
  out_.bytes.append(from_.bytes.substr(at_, bytes));
  if (track_) {
    if (from_.spans) {
      out_.spans.insert(out_.spans.end(), from_.spans + at_, from_.spans + at_ + bytes);
    } else {
      for (size_t i = at_; i < at_ + bytes;) {
        size_t end = std::min<size_t>(i + lengthOfLead(static_cast<unsigned char>(from_.bytes[i])), at_ + bytes);
        out_.spans.insert(out_.spans.end(), end - i,
                          {static_cast<uint32_t>(from_.base + i), static_cast<uint32_t>(from_.base + end)});
        i = end;
      }
    }
  }
  at_ += bytes;
}

void TextEditor::put(uint32_t code, Span span) {
  size_t before = out_.bytes.size();
  appendUtf8(out_.bytes, code);
  if (track_)
    out_.spans.insert(out_.spans.end(), out_.bytes.size() - before, span);
}

void TextEditor::replace(uint32_t code) {
  put(code, track_ ? spanAt(at_) : Span{});
  skipCharacters(1);
}

void TextEditor::add(uint32_t code) { put(code, track_ ? spanBefore(at_) : Span{}); }

void TextEditor::addText(std::string_view text) {
  if (track_)
    out_.spans.insert(out_.spans.end(), text.size(), spanBefore(at_));
  out_.bytes.append(text);
}

void TextEditor::skipCharacters(size_t count) {
  for (; count > 0 && at_ < from_.bytes.size(); --count)
    at_ = std::min<size_t>(at_ + lengthOfLead(static_cast<unsigned char>(from_.bytes[at_])), from_.bytes.size());
}

void TextEditor::emit(uint32_t code, int change) {
  if (change > 0) {
    add(code);
  } else {
    replace(code);
    skipCharacters(static_cast<size_t>(-change));
  }
}

Text TextEditor::finish(TextStorage &storage) {
  keep(from_.bytes.size() - at_);
  size_t base = from_.base;
  storage = std::move(out_);
  return {storage.bytes, track_ ? storage.spans.data() : nullptr, base};
}

} // namespace ingot::text
