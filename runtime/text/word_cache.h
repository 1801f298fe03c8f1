// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ids of words met before, within one call of encode. Bounded; a full one begins anew.
#ifndef INGOT_RUNTIME_TEXT_WORD_CACHE_H
#define INGOT_RUNTIME_TEXT_WORD_CACHE_H

#include "runtime/text/format.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::text {

class WordCache {
public:
  static constexpr size_t kLongest = 64; // bytes of a word that is kept

  // `expected_bytes` of text: a short text is not worth a cache.
  explicit WordCache(size_t expected_bytes) {
    if (expected_bytes >= 4096)
      slots_.resize(expected_bytes >= 256 << 10 ? 4 * kSlots : kSlots);
  }

  // Appends the ids of `word`, from the cache or by encode(word, out). Words of different `kind` (0 or 1) are apart.
  template <typename Encode>
  void encode(std::string_view word, uint32_t kind, std::vector<int32_t> &out, Encode encode) {
    if (slots_.empty() || word.size() > kLongest || word.empty()) {
      encode(word, out);
      return;
    }
    // Together with the length, head and more say all of a word of up to 16 bytes, and begin a longer one.
    uint64_t head, more = 0;
    size_t size = word.size();
    const char *p = word.data();
    if (size >= 16) {
      head = load8(p);
      more = load8(p + 8);
    } else if (size >= 8) {
      head = load8(p);
      more = load8(p + size - 8);
    } else if (size >= 4) {
      head = load4(p) | load4(p + size - 4) << 32;
    } else {
      auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(p[i])); };
      head = byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
    }
    const uint32_t length = static_cast<uint32_t>(size) | kind << 31;
    uint64_t hash = mix(head ^ 0xa0761d6478bd642full, more ^ length ^ 0xe7037ed1a0b428dbull);
    if (size > 16)
      hash ^= hashBytes(p + 16, size - 16, false);
    Slot &slot = slots_[hash & (slots_.size() - 1)];
    if (slot.head == head && slot.more == more && slot.length == length &&
        (size <= 16 || std::memcmp(text_.data() + slot.text, p + 16, size - 16) == 0)) {
      if (slot.count == 1)
        out.push_back(static_cast<int32_t>(slot.ids));
      else
        out.insert(out.end(), ids_.begin() + slot.ids, ids_.begin() + slot.ids + slot.count);
      return;
    }
    size_t first = out.size();
    encode(word, out);
    size_t count = out.size() - first;
    if (text_.size() + size > kBytes || (ids_.size() + count) * 4 > kBytes) { // start over
      text_.clear();
      ids_.clear();
      std::fill(slots_.begin(), slots_.end(), Slot());
    }
    slot = {head,
            more,
            length,
            static_cast<uint32_t>(text_.size()),
            static_cast<uint32_t>(ids_.size()),
            static_cast<uint32_t>(count)};
    if (size > 16)
      text_.append(word.substr(16));
    if (count == 1)
      slot.ids = static_cast<uint32_t>(out.back());
    else
      ids_.insert(ids_.end(), out.begin() + static_cast<ptrdiff_t>(first), out.end());
  }

private:
  static constexpr size_t kSlots = 8192;    // a power of two
  static constexpr size_t kBytes = 1 << 20; // of texts and of ids, kept in all

  // The first 16 bytes of a word stand here, so that most are compared without looking elsewhere.
  struct Slot {
    uint64_t head = 0, more = 0;
    uint32_t length = 0; // 0: free; the upper bit is the kind
    uint32_t text = 0;   // of a word over 16 bytes, in text_
    uint32_t ids = 0;    // in ids_, or the id itself where there is one
    uint32_t count = 0;
  };
  static uint64_t load8(const char *p) {
    uint64_t v;
    std::memcpy(&v, p, 8);
    return v;
  }
  static uint64_t load4(const char *p) {
    uint32_t v;
    std::memcpy(&v, p, 4);
    return v;
  }

  std::vector<Slot> slots_;
  std::string text_;
  std::vector<int32_t> ids_;
};

} // namespace ingot::text

#endif
