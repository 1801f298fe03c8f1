// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The encoder of bpe.h. A word is first looked up whole, then cut where no merge can cross, then merged.
#include "runtime/text/bpe.h"

#include "runtime/text/unicode.h"

#include <algorithm>
#include <functional>

namespace ingot::text {
namespace {

constexpr uint32_t kNoMerge = ~0u;
constexpr size_t kShortWord = 40;        // symbols, above which the heap pays
constexpr size_t kCutFrom = 24;          // bytes, from which a word is worth cutting
constexpr size_t kCacheSlots = 8192;     // a power of two
constexpr size_t kCachedWord = 64;       // longest word kept
constexpr size_t kCacheText = 256 << 10; // bytes kept in all

} // namespace

BpeEncoder::BpeEncoder(const Tables &tables, size_t expected_bytes) : t_(tables) {
  if (expected_bytes >= 4096)
    cache_.resize(kCacheSlots);
}

void BpeEncoder::encode(std::string_view word, std::vector<int32_t> &out) {
  if (word.empty())
    return;
  if (t_.has(kIgnoreMerges) || word.size() < kCutFrom || !t_.cuts) {
    // Under kIgnoreMerges the whole word counts, so it is looked up before any cut.
    int32_t id = t_.find(word, false);
    if (id >= 0 && (t_.piece_flags[id] & kInModel) && (t_.has(kIgnoreMerges) || (t_.piece_flags[id] & kWhole))) {
      out.push_back(id);
      return;
    }
    if (word.size() < kCutFrom || !t_.cuts) {
      encodePart(word, out);
      return;
    }
  }
  for (size_t from = 0; from < word.size();) {
    size_t to = cutBefore(word, from);
    std::string_view part = word.substr(from, to - from);
    int32_t id = t_.find(part, false);
    if (id >= 0 && (t_.piece_flags[id] & (kInModel | kWhole)) == (kInModel | kWhole))
      out.push_back(id);
    else
      encodePart(part, out);
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

void BpeEncoder::encodePart(std::string_view part, std::vector<int32_t> &out) {
  if (cache_.empty() || part.size() > kCachedWord) {
    encodeByMerges(part, out);
    return;
  }
  uint64_t hash = hashBytes(part.data(), part.size(), false);
  Remembered &slot = cache_[hash & (kCacheSlots - 1)];
  if (slot.hash == hash && slot.length == part.size() &&
      std::string_view(cache_text_).substr(slot.text, slot.length) == part) {
    out.insert(out.end(), cache_ids_.begin() + slot.ids, cache_ids_.begin() + slot.ids + slot.count);
    return;
  }
  size_t first = out.size();
  encodeByMerges(part, out);
  if (cache_text_.size() + part.size() > kCacheText) { // start over
    cache_text_.clear();
    cache_ids_.clear();
    std::fill(cache_.begin(), cache_.end(), Remembered());
  }
  slot = {hash, static_cast<uint32_t>(cache_text_.size()), static_cast<uint32_t>(part.size()),
          static_cast<uint32_t>(cache_ids_.size()), static_cast<uint32_t>(out.size() - first)};
  cache_text_.append(part);
  cache_ids_.insert(cache_ids_.end(), out.begin() + static_cast<ptrdiff_t>(first), out.end());
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
