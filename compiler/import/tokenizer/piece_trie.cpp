// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places nodes level by level. The children of a node lie in one block of 256 units, at its base XORed with their
// bytes; a base is looked for in the last few blocks that have room, so that time stays linear.
#include "compiler/import/tokenizer/piece_trie.h"

#include <algorithm>

namespace ingot::tokenizer {
namespace {

constexpr uint32_t kFree = ~0u, kNoParent = ~1u;
constexpr size_t kOpenBlocks = 16;

class Builder {
public:
  std::vector<text::TrieUnit> build(const ModelText &model) {
    std::vector<std::pair<std::string_view, int32_t>> pieces;
    for (const auto &[id, piece] : model.pieces)
      if (!piece.empty() && model.ids.find(piece) == id)
        pieces.emplace_back(piece, id);
    std::sort(pieces.begin(), pieces.end());
    addBlock();
    units_[0] = {0, kNoParent, -1};
    struct Range {
      size_t first, last, depth;
      uint32_t node;
    };
    std::vector<Range> pending = {{0, pieces.size(), 0, 0}};
    std::vector<unsigned char> bytes;
    for (size_t n = 0; n < pending.size(); ++n) {
      auto [first, last, depth, node] = pending[n];
      if (first < last && pieces[first].first.size() == depth)
        units_[node].id = pieces[first++].second;
      if (first == last)
        continue;
      bytes.clear();
      std::vector<size_t> begins;
      for (size_t i = first; i < last; ++i) {
        auto byte = static_cast<unsigned char>(pieces[i].first[depth]);
        if (bytes.empty() || bytes.back() != byte) {
          bytes.push_back(byte);
          begins.push_back(i);
        }
      }
      begins.push_back(last);
      uint32_t base = place(bytes);
      units_[node].base = base;
      for (size_t i = 0; i < bytes.size(); ++i) {
        units_[base ^ bytes[i]] = {0, node, -1};
        pending.push_back({begins[i], begins[i + 1], depth + 1, base ^ bytes[i]});
      }
    }
    return std::move(units_);
  }

private:
  void addBlock() { units_.resize(units_.size() + 256, {0, kFree, -1}); }
  bool fits(uint32_t base, const std::vector<unsigned char> &bytes) const {
    return std::all_of(bytes.begin(), bytes.end(), [&](unsigned char b) { return units_[base ^ b].parent == kFree; });
  }
  uint32_t place(const std::vector<unsigned char> &bytes) {
    if (bytes.size() == 1) { // any free unit will do
      while (next_free_ < units_.size() && units_[next_free_].parent != kFree)
        ++next_free_;
      if (next_free_ == units_.size())
        addBlock();
      return static_cast<uint32_t>(next_free_) ^ bytes[0];
    }
    size_t blocks = units_.size() / 256;
    for (size_t block = blocks - std::min(blocks, kOpenBlocks); block < blocks; ++block)
      for (uint32_t low = 0; low < 256; ++low)
        if (fits(static_cast<uint32_t>(block * 256) | low, bytes))
          return static_cast<uint32_t>(block * 256) | low;
    addBlock();
    return static_cast<uint32_t>(blocks * 256);
  }

  std::vector<text::TrieUnit> units_;
  size_t next_free_ = 0;
};

} // namespace

std::vector<text::TrieUnit> buildPieceTrie(const ModelText &model) { return Builder().build(model); }

} // namespace ingot::tokenizer
