// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing of the tables of vocabulary.h.
#include "compiler/import/tokenizer/vocabulary.h"

#include "compiler/import/tokenizer/piece_trie.h"
#include "runtime/text/bpe.h"
#include "runtime/text/byte_alphabet.h"
#include "runtime/text/tables.h"
#include "runtime/text/unicode.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <tuple>

namespace ingot::tokenizer {
namespace {

using text::Part;

constexpr double kUnknownPenalty = 10; // below the least score of a Unigram model

std::string fallbackName(int byte) {
  char name[8];
  std::snprintf(name, sizeof(name), "<0x%02X>", byte);
  return name;
}

uint32_t firstCharacter(std::string_view s) {
  unsigned length;
  return text::decodeUtf8(s.data(), length);
}

uint32_t lastCharacter(std::string_view s) {
  size_t i = s.size() - 1;
  while (i > 0 && text::isContinuation(s[i]))
    --i;
  return firstCharacter(s.substr(i));
}

// Places that a merge can cross, by the two characters (bytes) there. Empty where a text cannot be cut by them:
// what stands for unknown characters joins across them.
std::vector<uint64_t> cutTable(const ModelText &model, const std::vector<std::string> &stored, bool bytes,
                               const std::vector<int32_t> &fallback) {
  std::vector<uint64_t> bits(text::kCutBits / 64);
  for (const Merge &merge : model.merges) {
    const std::string &left = stored[static_cast<size_t>(merge.left)],
                      &right = stored[static_cast<size_t>(merge.right)];
    bool special = left.empty() || right.empty();
    for (int32_t id : fallback)
      special |= id >= 0 && (id == merge.left || id == merge.right);
    if (special)
      return {};
    uint32_t a = bytes ? static_cast<unsigned char>(left.back()) : lastCharacter(left);
    uint32_t b = bytes ? static_cast<unsigned char>(right.front()) : firstCharacter(right);
    uint32_t bit = text::hashAdjacent(a, b);
    bits[bit / 64] |= uint64_t(1) << (bit % 64);
  }
  return bits;
}

std::vector<text::MergeSlot> mergeTable(const ModelText &model) {
  // Of two merges of one pair the later counts.
  std::vector<text::MergeSlot> slots(model.merges.size() * 10 / 6 + 16, text::MergeSlot{-1, -1, 0, -1});
  auto capacity = static_cast<uint32_t>(slots.size());
  for (size_t rank = 0; rank < model.merges.size(); ++rank) {
    const Merge &merge = model.merges[rank];
    uint32_t slot = text::slotOf(text::hashPair(merge.left, merge.right), capacity);
    while (slots[slot].left >= 0 && !(slots[slot].left == merge.left && slots[slot].right == merge.right))
      slot = slot + 1 == capacity ? 0 : slot + 1;
    slots[slot] = {merge.left, merge.right, static_cast<uint32_t>(rank), merge.result};
  }
  return slots;
}

// One trie: nodes in the order in which they are reached level by level, so that children follow parents.
void buildTrie(const std::map<std::string, int32_t> &contents, std::vector<text::TrieNode> &nodes,
               std::vector<text::TrieEdge> &edges) {
  if (contents.empty())
    return;
  struct Range {
    std::map<std::string, int32_t>::const_iterator first, last;
    size_t depth;
  };
  std::vector<Range> pending = {{contents.begin(), contents.end(), 0}};
  for (size_t n = 0; n < pending.size(); ++n) {
    auto [first, last, depth] = pending[n];
    text::TrieNode node{static_cast<uint32_t>(edges.size()), 0, 0, -1};
    if (first->first.size() == depth) {
      node.token = first->second;
      ++first;
    }
    while (first != last) {
      char byte = first->first[depth];
      auto next = first;
      while (next != last && next->first[depth] == byte)
        ++next;
      edges.push_back({static_cast<unsigned char>(byte), static_cast<uint32_t>(pending.size())});
      pending.push_back({first, next, depth + 1});
      ++node.edge_count;
      first = next;
    }
    nodes.push_back(node);
  }
}

} // namespace

bool writeVocabulary(const Reader &json, const ModelText &model, const std::vector<AddedTokenText> &added,
                     SectionParts &parts) {
  text::Header &header = parts.header;
  const bool bytes = header.flags & text::kByteLevel;
  int32_t size = model.pieces.empty() ? 0 : model.pieces.back().first + 1;
  for (const AddedTokenText &token : added)
    size = std::max(size, token.id + 1);
  header.size = static_cast<uint32_t>(size);

  // Pieces, in the form they are stored in.
  std::vector<std::string> stored(header.size);
  std::vector<uint8_t> flags(header.size);
  auto store = [&](int32_t id, const std::string &piece, uint8_t more) {
    auto i = static_cast<size_t>(id);
    flags[i] |= text::kPresent | more;
    if (bytes && text::unspellBytes(piece, stored[i]))
      return;
    stored[i] = piece;
    if (bytes)
      flags[i] |= text::kLiteral;
  };
  std::vector<bool> twins(header.size); // another id has the same piece, and is what the piece means
  for (const auto &[id, piece] : model.pieces) {
    store(id, piece, text::kInModel);
    twins[static_cast<size_t>(id)] = model.kind == text::Model::Unigram && model.ids.find(piece) != id;
  }
  for (const AddedTokenText &token : added) {
    auto i = static_cast<size_t>(token.id);
    if ((flags[i] & text::kPresent) && model.ids.find(token.content) != token.id)
      return json.fail("the added token " + inQuotes(token.content) + " gets the id " + std::to_string(token.id) +
                       ", which another piece has");
    store(token.id, token.content, text::kAdded | (token.special ? text::kSpecial : 0));
  }
  std::vector<uint32_t> offsets(1, 0);
  std::vector<char> piece_bytes;
  for (const std::string &piece : stored) {
    piece_bytes.insert(piece_bytes.end(), piece.begin(), piece.end());
    if (piece_bytes.size() > UINT32_MAX)
      return json.fail("the pieces are too long together");
    offsets.push_back(static_cast<uint32_t>(piece_bytes.size()));
  }
  parts.set(Part::PieceOffsets, offsets);
  parts.set(Part::PieceBytes, piece_bytes);
  parts.set(Part::PieceFlags, flags);

  std::vector<text::VocabularySlot> slots((model.pieces.size() + added.size()) * 10 / 6 + 16,
                                          text::VocabularySlot{0, -1});
  header.vocabulary_capacity = static_cast<uint32_t>(slots.size());
  for (size_t i = 0; i < stored.size(); ++i) {
    if (!(flags[i] & text::kPresent) || twins[i])
      continue;
    uint64_t hash = text::hashBytes(stored[i].data(), stored[i].size(), flags[i] & text::kLiteral);
    uint32_t slot = text::slotOf(hash, header.vocabulary_capacity);
    while (slots[slot].id >= 0)
      slot = slot + 1 == header.vocabulary_capacity ? 0 : slot + 1;
    slots[slot] = {static_cast<uint32_t>(hash >> 32), static_cast<int32_t>(i)};
  }
  parts.set(Part::VocabularySlots, slots);

  std::vector<text::MergeSlot> merges = mergeTable(model);
  header.merge_capacity = static_cast<uint32_t>(merges.size());
  parts.set(Part::MergeSlots, merges);

  // First symbols, and what stands for characters that have none.
  std::vector<int32_t> start(256, -1), fallback(256, -1);
  auto idOf = [&](const std::string &piece) { return model.ids.find(piece); };
  bool all_bytes = true, all_fallback = model.byte_fallback;
  for (int b = 0; b < 256; ++b) {
    auto c = static_cast<char>(b);
    auto i = static_cast<size_t>(b);
    if (bytes)
      start[i] = idOf(text::spellBytes({&c, 1}));
    else if (b < 128)
      start[i] = idOf(std::string(1, c));
    if (model.byte_fallback)
      fallback[i] = idOf(fallbackName(b));
    all_bytes &= start[i] >= 0;
    all_fallback &= fallback[i] >= 0;
  }
  bool known = bytes ? all_bytes : all_fallback; // no character is unknown
  header.unk_id = model.kind == text::Model::Unigram ? model.unk_id : model.has_unk ? idOf(model.unk_token) : -1;
  if (model.has_unk && header.unk_id < 0 && !known)
    return json.fail("unk_token " + inQuotes(model.unk_token) + " is not in the vocabulary");
  if (!bytes && model.byte_fallback)
    header.flags |= text::kByteFallback;
  if (model.ignore_merges)
    header.flags |= text::kIgnoreMerges;
  if (model.fuse_unk)
    header.flags |= text::kFuseUnk;
  parts.set(Part::StartIds, start);
  parts.set(Part::FallbackIds, fallback);
  std::tie(header.prefix_offset, header.prefix_length) = parts.strings.add(model.prefix);
  std::string suffix;
  if (!bytes || !text::unspellBytes(model.suffix, suffix))
    suffix = model.suffix;
  std::tie(header.suffix_offset, header.suffix_length) = parts.strings.add(suffix);
  header.max_chars = model.max_chars;
  if (model.kind == text::Model::Unigram) {
    std::vector<double> scores = model.scores;
    header.unk_score = *std::min_element(scores.begin(), scores.end()) - kUnknownPenalty;
    scores.resize(header.size);
    parts.set(Part::Scores, scores);
  }
  if (model.kind == text::Model::Unigram || model.kind == text::Model::WordPiece)
    parts.set(Part::PieceTrie, buildPieceTrie(model));
  if (model.kind == text::Model::Bpe && known && model.prefix.empty() && model.suffix.empty())
    parts.set(Part::Cuts, cutTable(model, stored, bytes, fallback));
  return true;
}

bool writeAddedTokens(const std::vector<AddedTokenText> &added, SectionParts &parts, std::string &error) {
  std::vector<text::AddedToken> records;
  std::map<std::string, int32_t> contents[2];
  for (const AddedTokenText &token : added) {
    uint32_t flags = (token.left_strip ? text::kLeftStrip : 0) | (token.right_strip ? text::kRightStrip : 0) |
                     (token.single_word ? text::kSingleWord : 0) | (token.normalized ? text::kNormalized : 0);
    // What decode gives, where that is not the piece: the library decodes the form that it looks for.
    std::pair<uint32_t, uint32_t> text{0, 0};
    if (token.normalized && token.normal != token.content) {
      std::string bytes;
      bool spelled = (parts.header.flags & text::kByteLevel) && !parts.decoder.empty() &&
                     static_cast<text::DecoderOp>(parts.decoder[0]) == text::DecoderOp::ByteLevel &&
                     text::unspellBytes(token.normal, bytes);
      text = parts.strings.add(spelled ? bytes : token.normal);
    }
    auto number = static_cast<int32_t>(records.size());
    records.push_back({token.id, flags, text.first, text.second});
    const std::string &wanted = token.normalized ? token.normal : token.content;
    if (wanted.empty()) {
      error = "tokenizer.json.added_tokens: " + inQuotes(token.content) + " is normalized to nothing";
      return false;
    }
    auto [other, fresh] = contents[token.normalized].emplace(wanted, number);
    if (!fresh) {
      error = "tokenizer.json.added_tokens: " + inQuotes(token.content) + " and " +
              inQuotes(added[static_cast<size_t>(other->second)].content) + " are both normalized to " +
              inQuotes(wanted);
      return false;
    }
  }
  parts.header.added_count = static_cast<uint32_t>(records.size());
  parts.set(Part::AddedTokens, records);

  std::vector<text::TrieNode> nodes[2];
  std::vector<text::TrieEdge> edges[2];
  text::TrieHeader header{};
  std::vector<uint8_t> bytes(sizeof(header));
  for (int i = 0; i < 2; ++i) {
    buildTrie(contents[i], nodes[i], edges[i]);
    header.nodes[i] = static_cast<uint32_t>(nodes[i].size());
    header.edges[i] = static_cast<uint32_t>(edges[i].size());
    auto append = [&](const auto &values) {
      const auto *data = reinterpret_cast<const uint8_t *>(values.data());
      bytes.insert(bytes.end(), data, data + values.size() * sizeof(values[0]));
    };
    append(nodes[i]);
    append(edges[i]);
  }
  std::memcpy(bytes.data(), &header, sizeof(header));
  parts.set(Part::Tries, bytes);
  return true;
}

void markWholePieces(std::vector<uint8_t> &section, const text::Header &header) {
  std::string error;
  auto tables = text::Tables::open(section, error);
  if (!tables || header.model != static_cast<uint32_t>(text::Model::Bpe))
    return;
  std::string_view suffix = tables->string(header.suffix_offset, header.suffix_length);
  uint8_t *flags = section.data() + header.parts[static_cast<size_t>(Part::PieceFlags)].offset;
  text::BpeEncoder encoder(*tables, 0);
  std::vector<int32_t> ids;
  for (uint32_t id = 0; id < header.size; ++id) {
    std::string_view piece = tables->piece(static_cast<int32_t>(id));
    if (!(flags[id] & text::kInModel) || (flags[id] & text::kLiteral) || piece.empty())
      continue;
    if (!piece.ends_with(suffix) || piece.size() == suffix.size())
      continue;
    ids.clear();
    encoder.encodeByMerges(piece.substr(0, piece.size() - suffix.size()), ids);
    if (ids.size() == 1 && ids[0] == static_cast<int32_t>(id))
      flags[id] |= text::kWhole;
  }
}

} // namespace ingot::tokenizer
