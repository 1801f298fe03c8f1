// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one check of a TOKENIZER section: every offset, count, number and program that the readers will follow.
#include "runtime/text/tables.h"

#include "runtime/text/charsmap.h"
#include "runtime/text/unicode.h"

#include <algorithm>
#include <cmath>

namespace ingot::text {
namespace {

class Opener {
public:
  Opener(std::span<const uint8_t> section, Tables &tables, std::string &error)
      : section_(section), t_(tables), error_(error) {}

  bool open() {
    if (section_.size() < sizeof(Header))
      return bad("it is shorter than its header");
    if (reinterpret_cast<uintptr_t>(section_.data()) % 8 != 0)
      return bad("it does not start at a multiple of 8 in memory");
    header_ = reinterpret_cast<const Header *>(section_.data());
    t_.header = header_;
    if (std::memcmp(header_->magic, kSectionMagic, 8) != 0)
      return bad("it does not begin with the mark of a tokenizer");
    if (header_->version != kSectionVersion)
      return bad("its version is " + std::to_string(header_->version) + ", this program reads version " +
                 std::to_string(kSectionVersion) + ": compile the model again");
    if (header_->bytes != section_.size())
      return bad("it should be " + std::to_string(header_->bytes) + " bytes and is " + std::to_string(section_.size()));
    if (header_->model < static_cast<uint32_t>(Model::Bpe) || header_->model > static_cast<uint32_t>(Model::WordLevel))
      return bad("its model is of an unknown kind");
    if (header_->size > kMaxIds)
      return bad("it has too many ids");
    for (const PartEntry &part : header_->parts)
      if (part.offset % 8 != 0 || part.offset > section_.size() || part.size > section_.size() - part.offset)
        return bad("a part lies outside of it");
    return strings() && pieces() && vocabulary() && merges() && starts() && sets() && patterns() && added() &&
           tries() && programs() && post() && model();
  }

private:
  bool bad(const std::string &what) {
    error_ = "the engine's tokenizer is damaged: " + what;
    return false;
  }
  const PartEntry &entry(Part part) const { return header_->parts[static_cast<uint32_t>(part)]; }
  template <typename T> const T *data(Part part) const {
    return reinterpret_cast<const T *>(section_.data() + entry(part).offset);
  }
  uint64_t size(Part part) const { return entry(part).size; }
  // An id, or `none` where -1 is allowed.
  bool isId(int32_t id, bool none = false) const { return t_.valid(id) || (none && id == -1); }

  bool strings() {
    t_.strings = data<char>(Part::Strings);
    return true;
  }
  bool isString(uint32_t offset, uint32_t length) const {
    return offset <= size(Part::Strings) && length <= size(Part::Strings) - offset;
  }

  bool pieces() {
    uint64_t n = header_->size;
    if (size(Part::PieceOffsets) != 4 * (n + 1) || size(Part::PieceFlags) != n)
      return bad("its table of pieces has the wrong size");
    const uint32_t *offsets = data<uint32_t>(Part::PieceOffsets);
    bool ascending = offsets[0] == 0;
    for (uint64_t i = 0; i < n; ++i)
      ascending &= offsets[i] <= offsets[i + 1];
    if (!ascending || offsets[n] != size(Part::PieceBytes))
      return bad("its pieces are not in order");
    t_.piece_offsets = offsets;
    t_.piece_bytes = data<char>(Part::PieceBytes);
    t_.piece_flags = data<uint8_t>(Part::PieceFlags);
    if (!isId(header_->unk_id, true))
      return bad("its unknown id is out of range");
    return true;
  }

  bool vocabulary() {
    uint64_t capacity = header_->vocabulary_capacity;
    if (capacity == 0 || size(Part::VocabularySlots) != capacity * sizeof(VocabularySlot))
      return bad("its vocabulary has the wrong size");
    t_.vocabulary = data<VocabularySlot>(Part::VocabularySlots);
    uint64_t empty = 0, wrong = 0;
    for (uint64_t i = 0; i < capacity; ++i) {
      int32_t id = t_.vocabulary[i].id;
      empty += id == -1;
      wrong += id < -1 || id >= static_cast<int32_t>(header_->size);
    }
    return (empty != 0 && wrong == 0) || bad("its vocabulary names ids out of range");
  }

  bool merges() {
    uint64_t capacity = header_->merge_capacity;
    if (capacity == 0 || size(Part::MergeSlots) != capacity * sizeof(MergeSlot))
      return bad("its merges have the wrong size");
    t_.merges = data<MergeSlot>(Part::MergeSlots);
    const auto n = static_cast<int32_t>(header_->size);
    uint64_t empty = 0, wrong = 0;
    for (uint64_t i = 0; i < capacity; ++i) {
      const MergeSlot &m = t_.merges[i];
      bool free = m.left == -1;
      empty += free;
      wrong += !free && !(m.left >= 0 && m.left < n && m.right >= 0 && m.right < n && m.result >= 0 && m.result < n);
    }
    return (empty != 0 && wrong == 0) || bad("its merges name ids out of range");
  }

  bool starts() {
    if (size(Part::StartIds) != 256 * 4 || size(Part::FallbackIds) != 256 * 4)
      return bad("its tables of bytes have the wrong size");
    t_.start_ids = data<int32_t>(Part::StartIds);
    t_.fallback_ids = data<int32_t>(Part::FallbackIds);
    for (int i = 0; i < 256; ++i)
      if (!isId(t_.start_ids[i], true) || !isId(t_.fallback_ids[i], true))
        return bad("its tables of bytes name ids out of range");
    if (size(Part::Cuts) != 0 && size(Part::Cuts) != kCutBits / 8)
      return bad("its table of cuts has the wrong size");
    t_.cuts = size(Part::Cuts) ? data<uint64_t>(Part::Cuts) : nullptr;
    return true;
  }

  bool sets() {
    if (size(Part::Sets) < sizeof(SetHeader))
      return bad("its character sets have the wrong size");
    const SetHeader *header = data<SetHeader>(Part::Sets);
    uint64_t n = header->sets, pages = header->pages;
    if (n > 0x10000 || pages > 0x10000 || size(Part::Sets) != sizeof(SetHeader) + n * (16 + 2 * kSetPages) + pages * 32)
      return bad("its character sets have the wrong size");
    const auto *base = data<std::byte>(Part::Sets) + sizeof(SetHeader);
    const auto *numbers = reinterpret_cast<const uint16_t *>(base + n * 16);
    uint32_t largest = 0;
    for (uint64_t i = 0; i < n * kSetPages; ++i)
      largest = std::max<uint32_t>(largest, numbers[i]);
    if (n != 0 && largest >= pages)
      return bad("its character sets name pages out of range");
    t_.sets = Sets(base, static_cast<uint32_t>(n));
    sets_ = static_cast<uint32_t>(n);
    if (header_->space_set >= n || header_->word_set >= n || header_->numeric_set >= n)
      return bad("its header names character sets out of range");
    return true;
  }

  bool patterns() {
    if (size(Part::Patterns) < sizeof(PatternsHeader))
      return bad("its patterns have the wrong size");
    const PatternsHeader *header = data<PatternsHeader>(Part::Patterns);
    uint64_t n = header->patterns, instructions = header->instructions, dispatches = header->dispatches;
    if (size(Part::Patterns) != sizeof(PatternsHeader) + n * sizeof(PatternHeader) +
                                    instructions * sizeof(Instruction) + dispatches * sizeof(Dispatch))
      return bad("its patterns have the wrong size");
    const auto *headers = reinterpret_cast<const PatternHeader *>(header + 1);
    const auto *code = reinterpret_cast<const Instruction *>(headers + n);
    const auto *dispatch = reinterpret_cast<const Dispatch *>(code + instructions);
    for (uint64_t i = 0; i < n; ++i) {
      uint64_t first = headers[i].first_instruction, count = headers[i].instruction_count;
      if (first > instructions || count > instructions - first)
        return bad("a pattern lies outside of its part");
      std::string why;
      if (!verifyPattern(code + first, static_cast<uint32_t>(count), sets_, dispatch, header->dispatches, why))
        return bad(why);
      t_.patterns.push_back({code + first, static_cast<uint32_t>(count), dispatch, &t_.sets});
    }
    return true;
  }

  bool added() {
    if (size(Part::AddedTokens) != static_cast<uint64_t>(header_->added_count) * sizeof(AddedToken))
      return bad("its added tokens have the wrong size");
    t_.added = {data<AddedToken>(Part::AddedTokens), header_->added_count};
    int32_t previous = -1;
    for (const AddedToken &token : t_.added) {
      if (!isId(token.id) || token.id <= previous || !isString(token.text_offset, token.text_length))
        return bad("an added token is out of range");
      previous = token.id;
    }
    return true;
  }

  bool tries() {
    if (size(Part::Tries) < sizeof(TrieHeader))
      return bad("its added tokens have the wrong size");
    const TrieHeader *header = data<TrieHeader>(Part::Tries);
    uint64_t expected = sizeof(TrieHeader);
    for (int i = 0; i < 2; ++i)
      expected += static_cast<uint64_t>(header->nodes[i]) * sizeof(TrieNode) +
                  static_cast<uint64_t>(header->edges[i]) * sizeof(TrieEdge);
    if (size(Part::Tries) != expected)
      return bad("its added tokens have the wrong size");
    const auto *at = reinterpret_cast<const uint8_t *>(header + 1);
    for (int i = 0; i < 2; ++i) {
      Trie &trie = t_.tries[i];
      trie.nodes = {reinterpret_cast<const TrieNode *>(at), header->nodes[i]};
      at += trie.nodes.size_bytes();
      trie.edges = {reinterpret_cast<const TrieEdge *>(at), header->edges[i]};
      at += trie.edges.size_bytes();
      for (size_t n = 0; n < trie.nodes.size(); ++n) {
        const TrieNode &node = trie.nodes[n];
        if (node.first_edge > trie.edges.size() || node.edge_count > trie.edges.size() - node.first_edge ||
            node.token < -1 || node.token >= static_cast<int32_t>(header_->added_count))
          return bad("the tree of its added tokens is out of range");
        for (const TrieEdge &edge : trie.edges.subspan(node.first_edge, node.edge_count))
          if (edge.byte > 255 || edge.node >= trie.nodes.size() || edge.node <= n) // deeper nodes come later: no cycles
            return bad("the tree of its added tokens is out of range");
      }
      if (trie.nodes.empty())
        continue;
      for (const TrieEdge &edge : trie.edges.subspan(trie.nodes[0].first_edge, trie.nodes[0].edge_count)) {
        trie.first.set(edge.byte);
        trie.only_first = trie.nodes[0].edge_count == 1 ? static_cast<int>(edge.byte) : -1;
      }
    }
    return true;
  }

  // Reads the words of one step; each check names the program.
  bool programs() {
    return program(Part::Normalizer, t_.normalizer) && program(Part::PreTokenizer, t_.pre_tokenizer) &&
           program(Part::Decoder, t_.decoder);
  }
  bool program(Part part, std::span<const uint32_t> &out) {
    if (size(part) % 4 != 0 || size(part) > 4 * kMaxProgram)
      return bad("a program has the wrong size");
    out = {data<uint32_t>(part), size(part) / 4};
    for (size_t i = 0; i < out.size();) {
      uint32_t op = out[i++];
      auto left = [&] { return out.size() - i; };
      auto string = [&](bool filled) {
        if (left() < 2 || !isString(out[i], out[i + 1]) || (filled && out[i + 1] == 0) ||
            !isValidUtf8(t_.string(out[i], out[i + 1])))
          return false;
        i += 2;
        return true;
      };
      auto word = [&](uint64_t limit) { return left() >= 1 && out[i++] < limit; };
      bool ok = false;
      if (part == Part::Normalizer) {
        switch (static_cast<NormalizerOp>(op)) {
        case NormalizerOp::Prepend:
          ok = string(false);
          break;
        case NormalizerOp::ReplaceString:
          ok = string(true) && string(false);
          break;
        case NormalizerOp::ReplacePattern:
          ok = word(t_.patterns.size()) && string(false);
          break;
        case NormalizerOp::Nfc:
        case NormalizerOp::Nfd:
        case NormalizerOp::Nfkc:
        case NormalizerOp::Nfkd:
        case NormalizerOp::Lowercase:
        case NormalizerOp::SpellBytes:
          ok = true;
          break;
        case NormalizerOp::Strip:
          ok = word(2) && word(2);
          break;
        case NormalizerOp::Remove:
        case NormalizerOp::ToSpace:
        case NormalizerOp::Pad:
          ok = word(sets_);
          break;
        case NormalizerOp::Precompiled:
          ok = left() >= 2 && isString(out[i], out[i + 1]) && Charsmap::valid(t_.string(out[i], out[i + 1]));
          i += 2;
          break;
        }
      } else if (part == Part::PreTokenizer) {
        switch (static_cast<PreTokenizerOp>(op)) {
        case PreTokenizerOp::SplitString:
          ok = string(true) && word(5) && word(2);
          break;
        case PreTokenizerOp::SplitPattern:
          ok = word(t_.patterns.size()) && word(5) && word(2);
          break;
        case PreTokenizerOp::Digits:
        case PreTokenizerOp::ByteLevel:
          ok = word(2);
          break;
        case PreTokenizerOp::Metaspace:
          ok = string(true) && word(3);
          break;
        case PreTokenizerOp::SpellBytes:
        case PreTokenizerOp::Words:
        case PreTokenizerOp::Scripts:
          ok = true;
          break;
        case PreTokenizerOp::SplitSet:
          ok = word(sets_) && word(5);
          break;
        case PreTokenizerOp::FixedLength:
          ok = left() >= 1 && out[i] != 0;
          ++i;
          break;
        }
      } else {
        switch (static_cast<DecoderOp>(op)) {
        case DecoderOp::ByteLevel:
        case DecoderOp::Fuse:
        case DecoderOp::ByteFallback:
          ok = true;
          break;
        case DecoderOp::ReplaceString:
          ok = string(true) && string(false);
          break;
        case DecoderOp::Strip:
          ok = string(true) && word(~0u) && word(~0u);
          break;
        case DecoderOp::Metaspace:
          ok = string(true) && word(2);
          break;
        case DecoderOp::ReplacePattern:
          ok = word(t_.patterns.size()) && string(false);
          break;
        case DecoderOp::WordPiece:
          ok = string(false) && word(2);
          break;
        case DecoderOp::Suffix:
          ok = string(true);
          break;
        case DecoderOp::Ctc:
          ok = string(false) && string(false) && word(2);
          break;
        }
      }
      if (!ok)
        return bad("a program has an unknown or incomplete step");
    }
    return true;
  }

  bool post() {
    if (size(Part::Post) < sizeof(PostHeader))
      return bad("its special tokens have the wrong size");
    const PostHeader *header = data<PostHeader>(Part::Post);
    uint64_t prefix = header->prefix_count, suffix = header->suffix_count, trims = header->trim_count;
    if (size(Part::Post) != sizeof(PostHeader) + 4 * (prefix + suffix + trims))
      return bad("its special tokens have the wrong size");
    const auto *ids = reinterpret_cast<const int32_t *>(header + 1);
    for (uint64_t i = 0; i < prefix + suffix; ++i)
      if (!isId(ids[i]))
        return bad("a special token is out of range");
    t_.prefix = {ids, prefix};
    t_.suffix = {ids + prefix, suffix};
    t_.trims = {reinterpret_cast<const uint32_t *>(ids + prefix + suffix), trims};
    return true;
  }

  // What each kind of model needs beyond the pieces.
  bool model() {
    auto kind = static_cast<Model>(header_->model);
    if (!isString(header_->prefix_offset, header_->prefix_length) ||
        !isString(header_->suffix_offset, header_->suffix_length))
      return bad("what its model puts around symbols lies outside of it");
    if (kind != Model::Bpe && (header_->unk_id < 0 || t_.has(kByteLevel)))
      return bad("its model has no unknown piece");
    if (kind == Model::Bpe && t_.has(kByteFallback) && header_->prefix_length + header_->suffix_length != 0)
      return bad("its model has both fallback bytes and affixes");
    bool needs_trie = kind == Model::Unigram || kind == Model::WordPiece;
    if (size(Part::PieceTrie) % sizeof(TrieUnit) != 0 || needs_trie != (size(Part::PieceTrie) != 0))
      return bad("the tree of its pieces has the wrong size");
    std::span<const TrieUnit> units(data<TrieUnit>(Part::PieceTrie), size(Part::PieceTrie) / sizeof(TrieUnit));
    uint64_t wrong = 0;
    for (const TrieUnit &unit : units)
      wrong += unit.id < -1 || unit.id >= static_cast<int32_t>(header_->size);
    if (wrong != 0)
      return bad("the tree of its pieces names ids out of range");
    t_.piece_trie = PieceTrie(units);
    uint64_t scores = kind == Model::Unigram ? header_->size : 0;
    if (size(Part::Scores) != scores * sizeof(double))
      return bad("its scores have the wrong size");
    if (scores != 0) {
      t_.scores = data<double>(Part::Scores);
      bool finite = std::isfinite(header_->unk_score);
      for (uint64_t i = 0; i < scores; ++i)
        finite &= std::isfinite(t_.scores[i]);
      if (!finite)
        return bad("a score is no number");
    }
    return true;
  }

  std::span<const uint8_t> section_;
  Tables &t_;
  std::string &error_;
  const Header *header_ = nullptr;
  uint32_t sets_ = 0;
};

} // namespace

std::unique_ptr<Tables> Tables::open(std::span<const uint8_t> section, std::string &error) {
  auto tables = std::make_unique<Tables>();
  if (!Opener(section, *tables, error).open())
    return nullptr;
  return tables;
}

} // namespace ingot::text
