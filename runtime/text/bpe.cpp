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
constexpr size_t kShortWord = 40; // symbols, above which the heap pays
constexpr size_t kCutFrom = 24;   // bytes, from which a word is worth cutting

} // namespace

BpeEncoder::BpeEncoder(const Tables &tables, size_t expected_bytes)
    : t_(tables), prefix_(tables.string(tables.header->prefix_offset, tables.header->prefix_length)),
      suffix_(tables.string(tables.header->suffix_offset, tables.header->suffix_length)), cache_(expected_bytes) {}

void BpeEncoder::encode(std::string_view word, std::vector<int32_t> &out) {
  if (!word.empty())
    encodeCached(word, false, out);
}

// `part`: of a word that has been cut, so that its own text does not count as a piece under kIgnoreMerges.
void BpeEncoder::encodeCached(std::string_view word, bool part, std::vector<int32_t> &out) {
  if (lengths_)
    encodeNew(word, part, out);
  else
    cache_.encode(word, part, out, [&](std::string_view w, std::vector<int32_t> &o) { encodeNew(w, part, o); });
}

void BpeEncoder::encodeNew(std::string_view word, bool part, std::vector<int32_t> &out) {
  // Under kIgnoreMerges the whole word counts; else a piece counts that its merges lead to.
  const uint8_t wanted = t_.has(kIgnoreMerges) && !part ? kInModel : kInModel | kWhole;
  auto piece = [&] {
    std::string_view spelled = word;
    if (!suffix_.empty() && !(wanted == kInModel)) { // the piece that a whole word gives ends with the suffix
      spelled_.assign(word).append(suffix_);
      spelled = spelled_;
    }
    int32_t id = t_.find(spelled, false);
    if (id < 0 || (t_.piece_flags[id] & wanted) != wanted)
      return false;
    give({id, -1, 0, static_cast<uint32_t>(word.size()), 0, 0}, out);
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

// The id of a character's first symbol, or -1. Under kByteLevel a character is a byte.
int32_t BpeEncoder::characterId(std::string_view character, bool first, bool last) {
  bool affixed = (!first && !prefix_.empty()) || (last && !suffix_.empty());
  auto lead = static_cast<unsigned char>(character[0]);
  if (!affixed && character.size() == 1)
    return t_.start_ids[lead];
  int32_t id;
  if (affixed) {
    spelled_.clear();
    if (!first)
      spelled_.append(prefix_);
    spelled_.append(character);
    if (last)
      spelled_.append(suffix_);
    id = t_.find(spelled_, false);
  } else {
    id = t_.find(character, false);
  }
  return id >= 0 && (t_.piece_flags[id] & kInModel) ? id : -1;
}

// The symbols before any merge. An unknown character waits in `unknown` until the next known one, as neighbours may
// fuse with it; the ids of a fallback do not end that wait.
void BpeEncoder::start(std::string_view word) {
  bool bytes = t_.has(kByteLevel);
  size_t unknown = 0; // bytes of it; 0: none
  auto push_unknown = [&] {
    if (unknown != 0)
      pushSymbol(t_.header->unk_id, unknown);
    unknown = 0;
  };
  unsigned length = 1;
  for (size_t i = 0; i < word.size(); i += length) {
    length = bytes ? 1 : lengthOfLead(static_cast<unsigned char>(word[i]));
    int32_t id = characterId(word.substr(i, length), i == 0, i + length >= word.size());
    if (id >= 0) {
      push_unknown();
      pushSymbol(id, length);
      continue;
    }
    if (t_.has(kByteFallback)) {
      bool all = true;
      for (unsigned b = 0; b < length; ++b)
        all &= t_.fallback_ids[static_cast<unsigned char>(word[i + b])] >= 0;
      if (all) {
        for (unsigned b = 0; b < length; ++b)
          pushSymbol(t_.fallback_ids[static_cast<unsigned char>(word[i + b])], 1);
        continue;
      }
    }
    if (t_.header->unk_id < 0)
      continue; // nothing stands for it
    if (!t_.has(kFuseUnk))
      push_unknown();
    unknown += length;
  }
  push_unknown();
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
    s[best].length += s[best + 1].length;
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
    give(s[i], out);
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
    s[i].length += s[right].length;
    s[right].id = -1;
    s[i].next = s[right].next;
    if (s[i].next < n)
      s[s[i].next].previous = i;
    refresh(i);
    if (s[i].previous < n)
      refresh(s[i].previous);
  }
  for (uint32_t i = 0; i < n; i = s[i].next)
    give(s[i], out);
}

} // namespace ingot::text
