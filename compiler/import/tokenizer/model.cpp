// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading of the four kinds of model.
#include "compiler/import/tokenizer/model.h"

#include <algorithm>
#include <cmath>

namespace ingot::tokenizer {
namespace {

bool readVocabulary(const Reader &json, ModelText &out) {
  if (!json.has("vocab"))
    return json.fail("has no vocab");
  Reader vocab = json.at("vocab");
  if (!vocab.isObject())
    return false;
  const auto &object = vocab.value().get_ref<const Json::object_t &>();
  out.pieces.reserve(object.size());
  for (const auto &[piece, value] : object) {
    int64_t id;
    if (value.is_number_unsigned() && value.get<uint64_t>() < text::kMaxIds)
      id = value.get<int64_t>();
    else if (!Reader(value, vocab.path() + "[" + inQuotes(piece) + "]", vocab.errorText())
                  .readInteger(id, 0, text::kMaxIds - 1))
      return false;
    out.pieces.emplace_back(static_cast<int32_t>(id), piece);
  }
  std::sort(out.pieces.begin(), out.pieces.end());
  for (size_t i = 1; i < out.pieces.size(); ++i)
    if (out.pieces[i].first == out.pieces[i - 1].first)
      return vocab.fail(inQuotes(out.pieces[i - 1].second) + " and " + inQuotes(out.pieces[i].second) +
                        " have the same id " + std::to_string(out.pieces[i].first));
  // Tables are as long as the ids are large, so ids with little between them are a mistake.
  if (!out.pieces.empty() && static_cast<size_t>(out.pieces.back().first) > 4 * out.pieces.size() + 65536)
    return vocab.fail(inQuotes(out.pieces.back().second) + " has the id " + std::to_string(out.pieces.back().first) +
                      ", far beyond the number of pieces, " + std::to_string(out.pieces.size()));
  out.ids.build(out.pieces);
  return true;
}

// A merge is "left right" or ["left", "right"]. The views are into the JSON.
bool splitMerge(const Reader &list, size_t index, std::string_view &left, std::string_view &right) {
  const Json &json = list.value()[index];
  if (json.is_array()) {
    if (json.size() != 2)
      return list.at(index).expected("two pieces");
    for (size_t i = 0; i < 2; ++i)
      if (!json[i].is_string())
        return list.at(index).at(i).expected("a string");
    left = json[0].get_ref<const std::string &>();
    right = json[1].get_ref<const std::string &>();
    return true;
  }
  if (!json.is_string())
    return list.at(index).expected("two pieces");
  std::string_view both = json.get_ref<const std::string &>();
  size_t space = both.find(' ');
  if (space == std::string::npos || both.find(' ', space + 1) != std::string::npos)
    return list.at(index).expected("two pieces with one space between");
  left = both.substr(0, space);
  right = both.substr(space + 1);
  return true;
}

bool readMerges(const Reader &json, ModelText &out) {
  if (!json.has("merges"))
    return json.fail("has no merges");
  Reader merges = json.at("merges");
  if (!merges.isArray())
    return false;
  const Json &list = merges.value();
  out.merges.reserve(list.size());
  std::string_view left, right;
  std::string result;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_string() && list[i].get_ref<const std::string &>().starts_with("#version"))
      continue;
    if (!splitMerge(merges, i, left, right))
      return false;
    if (right.size() < out.prefix.size())
      return merges.at(i).fail("the piece " + inQuotes(right) + " is shorter than continuing_subword_prefix");
    result.assign(left).append(right.substr(out.prefix.size()));
    Merge merge{out.ids.find(left), out.ids.find(right), out.ids.find(result)};
    if (merge.left < 0 || merge.right < 0 || merge.result < 0)
      return merges.at(i).fail("the piece " +
                               inQuotes(merge.left < 0    ? left
                                        : merge.right < 0 ? right
                                                          : std::string_view(result)) +
                               " is not in the vocabulary");
    out.merges.push_back(merge);
  }
  return true;
}

bool readBpe(const Reader &json, ModelText &out, std::vector<std::string> &notices) {
  if (!json.onlyKeys({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                      "byte_fallback", "ignore_merges", "vocab", "merges"}))
    return false;
  if (json.has("dropout")) {
    Reader dropout = json.at("dropout");
    if (!dropout.value().is_number())
      return dropout.expected("a number");
    if (dropout.value().get<double>() != 0)
      notices.push_back(dropout.path() + " is ignored: it is meant for training");
  }
  out.has_unk = json.has("unk_token");
  if (!json.string("continuing_subword_prefix", out.prefix, "") || !json.string("end_of_word_suffix", out.suffix, "") ||
      !json.string("unk_token", out.unk_token, "") || !json.boolean("fuse_unk", out.fuse_unk, false) ||
      !json.boolean("byte_fallback", out.byte_fallback, false) ||
      !json.boolean("ignore_merges", out.ignore_merges, false) || !readVocabulary(json, out) || !readMerges(json, out))
    return false;
  if (out.byte_fallback && !(out.prefix.empty() && out.suffix.empty()))
    return json.fail("byte_fallback together with continuing_subword_prefix or end_of_word_suffix is not supported");
  return true;
}

// [["piece", score], ...]; ids are places in the list.
bool readUnigram(const Reader &json, ModelText &out, std::vector<std::string> &notices) {
  if (!json.onlyKeys({"type", "unk_id", "byte_fallback", "vocab", "fuse_unk", "alpha", "nbest_size"}))
    return false;
  for (const char *key : {"fuse_unk", "alpha", "nbest_size"})
    if (json.has(key))
      notices.push_back(json.path() + "." + key + " is ignored, as in the tokenizers library");
  if (!json.boolean("byte_fallback", out.byte_fallback, false))
    return false;
  if (!json.has("vocab"))
    return json.fail("has no vocab");
  Reader vocab = json.at("vocab");
  if (!vocab.isArray())
    return false;
  const auto &list = vocab.value().get_ref<const Json::array_t &>();
  if (list.empty() || list.size() > text::kMaxIds)
    return vocab.fail("has " + std::to_string(list.size()) + " pieces, expected 1 to " + std::to_string(text::kMaxIds));
  out.pieces.reserve(list.size());
  out.scores.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const Json &one = list[i];
    if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_number())
      return vocab.at(i).expected("a piece and its score");
    double score = one[1].get<double>();
    if (!std::isfinite(score))
      return vocab.at(i).expected("a score that is finite");
    out.pieces.emplace_back(static_cast<int32_t>(i), one[0].get_ref<const std::string &>());
    out.scores.push_back(score);
  }
  if (!json.has("unk_id"))
    return json.fail("has no unk_id: a character that is no piece would have no id");
  int64_t unk;
  if (!json.integer("unk_id", unk, 0, static_cast<int64_t>(list.size()) - 1))
    return false;
  out.unk_id = static_cast<int32_t>(unk);
  out.ids.build(out.pieces);
  return true;
}

bool readWords(const Reader &json, ModelText &out, bool pieces) {
  if (pieces ? !json.onlyKeys({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"})
             : !json.onlyKeys({"type", "unk_token", "vocab"}))
    return false;
  out.has_unk = true;
  if (!json.string("unk_token", out.unk_token) || !readVocabulary(json, out))
    return false;
  int64_t most;
  if (pieces) {
    if (!json.string("continuing_subword_prefix", out.prefix) ||
        !json.integer("max_input_chars_per_word", most, 0, UINT32_MAX))
      return false;
    out.max_chars = static_cast<uint32_t>(most);
  }
  if (out.ids.find(out.unk_token) < 0)
    return json.fail("unk_token " + inQuotes(out.unk_token) + " is not in the vocabulary");
  return true;
}

} // namespace

void PieceIndex::build(const std::vector<std::pair<int32_t, std::string>> &pieces) {
  slots_.assign(pieces.size() * 2 + 1, Slot());
  for (size_t i = pieces.size(); i-- > 0;) {
    const auto &piece = pieces[i];
    uint64_t hash = text::hashBytes(piece.second.data(), piece.second.size(), false);
    uint32_t slot = text::slotOf(hash, static_cast<uint32_t>(slots_.size()));
    while (slots_[slot].piece)
      slot = slot + 1 == slots_.size() ? 0 : slot + 1;
    slots_[slot] = {hash, &piece};
  }
}

int32_t PieceIndex::find(std::string_view piece) const {
  uint64_t hash = text::hashBytes(piece.data(), piece.size(), false);
  for (uint32_t slot = text::slotOf(hash, static_cast<uint32_t>(slots_.size())); slots_[slot].piece;
       slot = slot + 1 == slots_.size() ? 0 : slot + 1)
    if (slots_[slot].hash == hash && slots_[slot].piece->second == piece)
      return slots_[slot].piece->first;
  return -1;
}

text::Model modelKind(const Json &model) {
  auto is = [&](const char *type) { return model.is_object() && model.contains("type") && model["type"] == type; };
  if (is("Unigram"))
    return text::Model::Unigram;
  if (is("WordPiece"))
    return text::Model::WordPiece;
  if (is("WordLevel"))
    return text::Model::WordLevel;
  if (!model.is_object() || (model.contains("type") && !model["type"].is_null()) || model.contains("merges"))
    return text::Model::Bpe;
  if (model.contains("vocab") && model["vocab"].is_array())
    return text::Model::Unigram;
  if (model.contains("max_input_chars_per_word"))
    return text::Model::WordPiece;
  return model.contains("unk_token") ? text::Model::WordLevel : text::Model::Bpe;
}

bool readModel(const Reader &json, ModelText &out, std::vector<std::string> &notices) {
  if (!json.isObject())
    return false;
  out.kind = modelKind(json.value());
  std::string type;
  if (!json.string("type", type, "BPE"))
    return false;
  switch (out.kind) {
  case text::Model::Unigram:
    return readUnigram(json, out, notices);
  case text::Model::WordPiece:
    return readWords(json, out, true);
  case text::Model::WordLevel:
    return readWords(json, out, false);
  case text::Model::Bpe:
    break;
  }
  if (type != "BPE")
    return json.fail("the model " + inQuotes(type) + " is not supported");
  return readBpe(json, out, notices);
}

} // namespace ingot::tokenizer
