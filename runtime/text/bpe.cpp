// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The encoder of bpe.h. A word is first looked up whole, then cut where no merge can cross, then merged.
#include "runtime/text/bpe.h"

#include "runtime/text/unicode.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace ingot::text {
namespace {

constexpr uint32_t kNoMerge = ~0u;
constexpr size_t kShortWord = 40;         // symbols, above which the heap pays
constexpr size_t kCutFrom = 24;           // bytes, from which a word is worth cutting
constexpr size_t kCacheSlots = 8192;      // a power of two
constexpr size_t kCachedWord = 64;        // longest word kept
constexpr size_t kCacheBytes = 256 << 10; // of texts and of ids, kept in all

constexpr uint32_t kPart = 1u << 31; // in Remembered::length

uint64_t load8(const char *p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}
uint64_t load4(const char *p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}

} // namespace

BpeEncoder::BpeEncoder(const Tables &tables, size_t expected_bytes) : t_(tables) {
  if (expected_bytes >= 4096)
    cache_.resize(kCacheSlots);
}

void BpeEncoder::encode(std::string_view word, std::vector<int32_t> &out) {
  if (!word.empty())
    encodeCached(word, false, out);
}

// `part`: of a word that has been cut, so that its own text does not count as a piece under kIgnoreMerges.
void BpeEncoder::encodeCached(std::string_view word, bool part, std::vector<int32_t> &out) {
  if (cache_.empty() || word.size() > kCachedWord) {
    encodeNew(word, part, out);
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
  const uint32_t length = static_cast<uint32_t>(size) | (part ? kPart : 0);
  uint64_t hash = mix(head ^ 0xa0761d6478bd642full, more ^ length ^ 0xe7037ed1a0b428dbull);
  if (size > 16)
    hash ^= hashBytes(p + 16, size - 16, false);
  Remembered &slot = cache_[hash & (kCacheSlots - 1)];
  if (slot.head == head && slot.more == more && slot.length == length &&
      (size <= 16 || std::memcmp(cache_text_.data() + slot.text, p + 16, size - 16) == 0)) {
    if (slot.count == 1)
      out.push_back(static_cast<int32_t>(slot.ids));
    else
      out.insert(out.end(), cache_ids_.begin() + slot.ids, cache_ids_.begin() + slot.ids + slot.count);
    return;
  }
  size_t first = out.size();
  encodeNew(word, part, out);
  if (cache_text_.size() + size > kCacheBytes || cache_ids_.size() * 4 + size * 4 > kCacheBytes) { // start over
    cache_text_.clear();
    cache_ids_.clear();
    std::fill(cache_.begin(), cache_.end(), Remembered());
  }
  auto count = static_cast<uint32_t>(out.size() - first);
  slot = {head,
          more,
          static_cast<uint32_t>(size),
          static_cast<uint32_t>(cache_text_.size()),
          static_cast<uint32_t>(cache_ids_.size()),
          count};
  if (size > 16)
    cache_text_.append(word.substr(16));
  if (count == 1)
    slot.ids = static_cast<uint32_t>(out.back());
  else
    cache_ids_.insert(cache_ids_.end(), out.begin() + static_cast<ptrdiff_t>(first), out.end());
}

void BpeEncoder::encodeNew(std::string_view word, bool part, std::vector<int32_t> &out) {
  // Under kIgnoreMerges the whole word counts; else a piece counts that its merges lead to.
  const uint8_t wanted = t_.has(kIgnoreMerges) && !part ? kInModel : kInModel | kWhole;
  auto piece = [&] {
    int32_t id = t_.find(word, false);
    if (id < 0 || (t_.piece_flags[id] & wanted) != wanted)
      return false;
    out.push_back(id);
    return true;
  };
  bool cut = t_.cuts && !part && word.size() >= kCutFrom;
  if ((!cut || t_.has(kIgnoreMerges)) && piece())
    return;
  if (!cut) {
    encodeByMerges(word, out);
    return;
  }
  for (size_t from = 0; from < word.size();) {
    size_t to = cutBefore(word, from);
    encodeCached(word.substr(from, to - from), true, out);
    from = to;
  }
}

// The end of the part that begins at `from`: the first place that no merge can cross.
size_t BpeEncoder::cutBefore(std::string_view word, size_t from) const {
  if (t_.has(kByteLevel)) {
    for (size_t i = from + 1; i < word.size(); ++i) {
      uint32_t bit = hashAdjacent(static_cast<unsigned char>(word[i - 1]), static_cast<unsigned char>(word[i]));
      if (!(t_.cuts[bit / 64] >> (bit % 64) & 1))
        return i;
    }
    return word.size();
  }
  unsigned length;
  uint32_t before = decodeUtf8(word.data() + from, length);
  for (size_t i = from + length; i < word.size(); i += length) {
    uint32_t code = decodeUtf8(word.data() + i, length);
    uint32_t bit = hashAdjacent(before, code);
    if (!(t_.cuts[bit / 64] >> (bit % 64) & 1))
      return i;
    before = code;
  }
  return word.size();
}

void BpeEncoder::encodeByMerges(std::string_view word, std::vector<int32_t> &out) {
  symbols_.clear();
  start(word);
  if (symbols_.size() <= kShortWord)
    mergeShort(out);
  else
    mergeLong(out);
}

// The symbols before any merge. An unknown character waits in `unknown` until the next known one, as neighbours may
// fuse with it; the ids of a fallback do not end that wait.
void BpeEncoder::start(std::string_view word) {
  bool bytes = t_.has(kByteLevel);
  bool unknown = false;
  unsigned length = 1;
  for (size_t i = 0; i < word.size(); i += length) {
    auto lead = static_cast<unsigned char>(word[i]);
    length = bytes ? 1 : lengthOfLead(lead);
    int32_t id;
    if (bytes || lead < 128) {
      id = t_.start_ids[lead];
    } else {
      id = t_.find(word.substr(i, length), false);
      if (id >= 0 && !(t_.piece_flags[id] & kInModel))
        id = -1;
    }
    if (id >= 0) {
      if (unknown)
        pushSymbol(t_.header->unk_id);
      unknown = false;
      pushSymbol(id);
      continue;
    }
    if (t_.has(kByteFallback)) {
      bool all = true;
      for (unsigned b = 0; b < length; ++b)
        all &= t_.fallback_ids[static_cast<unsigned char>(word[i + b])] >= 0;
      if (all) {
        for (unsigned b = 0; b < length; ++b)
          pushSymbol(t_.fallback_ids[static_cast<unsigned char>(word[i + b])]);
        continue;
      }
    }
    if (t_.header->unk_id < 0)
      continue; // nothing stands for it
    if (unknown && !t_.has(kFuseUnk))
      pushSymbol(t_.header->unk_id);
    unknown = true;
  }
  if (unknown)
    pushSymbol(t_.header->unk_id);
}

void BpeEncoder::look(Symbol &left, const Symbol &right) {
  const MergeSlot *merge = t_.merge(left.id, right.id);
  left.rank = merge ? merge->rank : kNoMerge;
  left.merged = merge ? merge->result : -1;
}

void BpeEncoder::mergeShort(std::vector<int32_t> &out) {
  size_t n = symbols_.size();
  if (n == 0)
    return;
  Symbol *s = symbols_.data();
  for (size_t i = 0; i + 1 < n; ++i)
    look(s[i], s[i + 1]);
  s[n - 1].rank = kNoMerge;
  for (;;) {
    size_t best = 0;
    for (size_t i = 1; i < n; ++i)
      if (s[i].rank < s[best].rank)
        best = i;
    if (s[best].rank == kNoMerge)
      break;
    s[best].id = s[best].merged;
    std::copy(s + best + 2, s + n, s + best + 1);
    --n;
    if (best + 1 < n)
      look(s[best], s[best + 1]);
    else
      s[best].rank = kNoMerge;
    if (best > 0)
      look(s[best - 1], s[best]);
  }
  for (size_t i = 0; i < n; ++i)
    out.push_back(s[i].id);
}

void BpeEncoder::mergeLong(std::vector<int32_t> &out) {
  const auto n = static_cast<uint32_t>(symbols_.size());
  Symbol *s = symbols_.data();
  heap_.clear();
  auto entry = [&](uint32_t i) { return static_cast<uint64_t>(s[i].rank) << 32 | i; };
  for (uint32_t i = 0; i < n; ++i) {
    s[i].previous = i - 1; // the first has none: ~0
    s[i].next = i + 1;     // the last has none: n
    s[i].rank = kNoMerge;
    if (i + 1 < n)
      look(s[i], s[i + 1]);
    if (s[i].rank != kNoMerge)
      heap_.push_back(entry(i));
  }
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  auto refresh = [&](uint32_t i) {
    if (s[i].next < n)
      look(s[i], s[s[i].next]);
    else
      s[i].rank = kNoMerge;
    if (s[i].rank != kNoMerge) {
      heap_.push_back(entry(i));
      std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
  };
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    uint64_t top = heap_.back();
    heap_.pop_back();
    auto i = static_cast<uint32_t>(top);
    if (s[i].id < 0 || s[i].rank != static_cast<uint32_t>(top >> 32))
      continue; // its neighbours have changed since
    uint32_t right = s[i].next;
    s[i].id = s[i].merged;
    s[right].id = -1;
    s[i].next = s[right].next;
    if (s[i].next < n)
      s[s[i].next].previous = i;
    refresh(i);
    if (s[i].previous < n)
      refresh(s[i].previous);
  }
  for (uint32_t i = 0; i < n; i = s[i].next)
    out.push_back(s[i].id);
}

} // namespace ingot::text
