// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The walk through the double array, and the library's way of applying rules: to a short grapheme as a whole, by the
// first rule that it begins with, else to its characters one by one.
#include "runtime/text/charsmap.h"

#include "runtime/text/normal_forms.h"

#include <bitset>
#include <cstring>
#include <memory>

namespace ingot::text {
namespace {

constexpr size_t kShortGrapheme = 6; // bytes from which a grapheme is no longer taken as a whole

size_t charactersOf(std::string_view text) {
  size_t count = 0;
  for (char c : text)
    count += !isContinuation(c);
  return count;
}

// A run of changes as the library lists them; what follows may still alter the last one.
struct Changes {
  std::vector<std::pair<uint32_t, int>> list;

  void keep(uint32_t code) { list.emplace_back(code, 0); }
  void replace(std::string_view what, std::string_view with) {
    for (size_t i = 0; i < with.size();) {
      unsigned length;
      list.emplace_back(decodeUtf8(with.data() + i, length), 0);
      i += length;
    }
    auto more = static_cast<ptrdiff_t>(charactersOf(with)) - static_cast<ptrdiff_t>(charactersOf(what));
    for (ptrdiff_t i = 0; i < more; ++i)
      list[list.size() - 1 - static_cast<size_t>(i)].second = 1;
    if (more < 0 && !list.empty())
      list.back().second += static_cast<int>(more);
  }
};

} // namespace

Charsmap::Charsmap(std::string_view blob) {
  uint32_t size = 0;
  if (blob.size() >= 4)
    std::memcpy(&size, blob.data(), 4);
  size = size / 4 * 4;
  if (blob.size() < 4 || size > blob.size() - 4)
    return;
  units_ = blob.substr(4, size);
  replacements_ = blob.substr(4 + size);
}

bool Charsmap::valid(std::string_view blob) {
  Charsmap map(blob);
  return !map.units_.empty() && isValidUtf8(map.replacements_);
}

uint32_t Charsmap::unit(size_t index) const {
  uint32_t value = 0xFF; // no byte's label, so that a walk ends
  if (index < units_.size() / 4)
    std::memcpy(&value, units_.data() + index * 4, 4);
  return value;
}

bool Charsmap::find(std::string_view text, std::string_view &with) const {
  auto offset = [](uint32_t u) { return static_cast<size_t>(u >> 10) << ((u & 1u << 9) >> 6); };
  size_t node = offset(unit(0));
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte == 0)
      return false;
    node ^= byte;
    uint32_t u = unit(node);
    if ((u & (1u << 31 | 0xFF)) != byte)
      return false;
    node ^= offset(u);
    if (u >> 8 & 1) {
      size_t at = unit(node) & ((1u << 31) - 1);
      if (at > replacements_.size() || (at < replacements_.size() && isContinuation(replacements_[at])))
        return false;
      std::string_view rest = replacements_.substr(at);
      with = rest.substr(0, rest.find('\0'));
      return true;
    }
  }
  return false;
}

Text Charsmap::apply(const Text &text, bool track, TextStorage &storage) const {
  const std::string_view bytes = text.bytes;
  std::string_view with;
  std::bitset<128> changes; // ASCII characters with a rule
  for (unsigned c = 1; c < 128; ++c) {
    auto one = static_cast<char>(c);
    changes[c] = find({&one, 1}, with);
  }
  // Text that stays is not listed: `pending` holds the changes up to `done`, from the editor's place on, and the
  // character before them, which has to take over what is removed behind it.
  std::unique_ptr<TextEditor> editor;
  Changes pending;
  size_t done = 0;
  bool lags = false; // a removal at the very start had no character to go to: all that follows is listed
  auto flush = [&] {
    for (auto [code, change] : pending.list)
      editor->emit(code, change);
    pending.list.clear();
  };
  auto replace = [&](size_t at, std::string_view what) {
    if (!editor)
      editor = std::make_unique<TextEditor>(text, track);
    if (lags) {
      for (; done < at; done += lengthOfLead(static_cast<unsigned char>(bytes[done]))) {
        unsigned length;
        pending.keep(decodeUtf8(bytes.data() + done, length));
      }
    } else if (done < at) {
      flush();
      size_t last = at - 1;
      while (isContinuation(bytes[last]))
        --last;
      editor->keep(last - editor->at());
      unsigned length;
      pending.keep(decodeUtf8(bytes.data() + last, length));
    }
    lags |= pending.list.empty() && with.empty();
    pending.replace(what, with);
    done = at + what.size();
  };
  for (size_t i = 0; i < bytes.size();) {
    // ASCII before ASCII is a grapheme of its own.
    auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte < 0x80 && byte != '\r' && !changes[byte] &&
        (i + 1 == bytes.size() || static_cast<unsigned char>(bytes[i + 1]) < 0x80)) {
      ++i;
      continue;
    }
    size_t end = graphemeEnd(bytes, i);
    std::string_view grapheme = bytes.substr(i, end - i);
    if (grapheme.size() < kShortGrapheme && find(grapheme, with)) {
      replace(i, grapheme);
    } else {
      for (size_t j = 0; j < grapheme.size();) {
        std::string_view one = grapheme.substr(j, lengthOfLead(static_cast<unsigned char>(grapheme[j])));
        if (find(one, with))
          replace(i + j, one);
        j += one.size();
      }
    }
    i = end;
  }
  if (!editor)
    return text;
  if (lags) {
    for (; done < bytes.size(); done += lengthOfLead(static_cast<unsigned char>(bytes[done]))) {
      unsigned length;
      pending.keep(decodeUtf8(bytes.data() + done, length));
    }
    flush();
    editor->skip(bytes.size());
  } else {
    flush();
  }
  return editor->finish(storage);
}

} // namespace ingot::text
