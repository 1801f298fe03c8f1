// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The double array of pieces (format.h, PieceTrie): steps byte by byte from a node to its children.
#ifndef INGOT_RUNTIME_TEXT_PIECE_TRIE_H
#define INGOT_RUNTIME_TEXT_PIECE_TRIE_H

#include "runtime/text/format.h"

#include <span>
#include <string_view>

namespace ingot::text {

class PieceTrie {
public:
  static constexpr uint32_t kNone = ~0u;
  PieceTrie() = default;
  explicit PieceTrie(std::span<const TrieUnit> units) : units_(units) {}
  bool empty() const { return units_.empty(); }
  uint32_t root() const { return units_.empty() ? kNone : 0; }
  // The child of a node, or kNone.
  uint32_t step(uint32_t node, unsigned char byte) const {
    uint32_t next = units_[node].base ^ byte;
    return next < units_.size() && units_[next].parent == node ? next : kNone;
  }
  // The node that a text leads to, or kNone.
  uint32_t walk(std::string_view text) const {
    uint32_t node = root();
    for (size_t i = 0; i < text.size() && node != kNone; ++i)
      node = step(node, static_cast<unsigned char>(text[i]));
    return node;
  }
  int32_t id(uint32_t node) const { return units_[node].id; } // of the piece that ends here, or -1

private:
  std::span<const TrieUnit> units_;
};

} // namespace ingot::text

#endif
