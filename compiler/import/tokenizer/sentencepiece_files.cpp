// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A SentencePiece model whose ids are its own, as a tokenizer.json: pieces, white space, and what stands around a text.
// The classes of transformers that number pieces anew are in sentencepiece_classes.cpp.
#include "compiler/import/tokenizer/base64.h"
#include "compiler/import/tokenizer/file_writer.h"
#include "compiler/import/tokenizer/sentencepiece.h"
#include "runtime/text/charsmap.h"
#include "runtime/text/unicode.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>

namespace ingot::tokenizer {

using Piece = SentencePieceModel::Piece;

// Any two pieces whose joint is a piece merge, the greatest score first.
Json bpeOfPieces(const SentencePieceModel &model, const std::vector<int64_t> &ids) {
  std::unordered_map<std::string_view, size_t> normal;
  bool user_defined = false;
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    if (model.pieces[i].type == SentencePieceModel::Normal)
      normal.emplace(model.pieces[i].text, i);
    user_defined |= model.pieces[i].type == SentencePieceModel::UserDefined;
  }
  std::vector<std::tuple<float, size_t, size_t>> order;
  for (const auto &[piece, id] : normal)
    for (size_t cut = 1; cut < piece.size(); ++cut)
      if (!text::isContinuation(piece[cut]) && normal.count(piece.substr(0, cut)) && normal.count(piece.substr(cut)))
        order.emplace_back(-model.pieces[id].score, id, cut);
  std::sort(order.begin(), order.end());
  Json merges = Json::array(), vocab = Json::object();
  for (auto [score, id, cut] : order) {
    const std::string &piece = model.pieces[id].text;
    merges.push_back(Json::array({piece.substr(0, cut), piece.substr(cut)}));
  }
  for (size_t i = 0; i < model.pieces.size(); ++i)
    vocab[model.pieces[i].text] = ids[i];
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", model.unk_piece},
          {"fuse_unk", true},
          {"byte_fallback", model.byte_fallback},
          {"ignore_merges", user_defined},
          {"vocab", vocab},
          {"merges", merges}};
}

// T5's sentinels, which its SentencePiece models do not hold.
static void addExtraIds(FileWriter &writer, Json &list) {
  if (!writer.isClass({"T5Tokenizer"}))
    return;
  for (int64_t i = writer.count("extra_ids", 100, 10000); i-- > 0;) {
    std::string name = "<extra_id_" + std::to_string(i) + ">";
    writer.out["added_tokens"].push_back(addedToken(static_cast<int64_t>(list.size()), name));
    list.push_back(Json::array({name, 0.0}));
  }
}

static void writePieces(FileWriter &writer, const SentencePieceModel &model) {
  for (size_t i = 0; i < model.pieces.size(); ++i)
    if (const Piece &piece = model.pieces[i];
        piece.type == SentencePieceModel::Control || piece.type == SentencePieceModel::Unknown)
      writer.out["added_tokens"].push_back(addedToken(static_cast<int64_t>(i), piece.text));
  if (model.model_type == 2) {
    std::vector<int64_t> ids(model.pieces.size());
    std::iota(ids.begin(), ids.end(), 0);
    writer.out["model"] = bpeOfPieces(model, ids);
    return;
  }
  Json list = Json::array();
  for (const Piece &piece : model.pieces)
    list.push_back(Json::array({piece.text, static_cast<double>(piece.score)}));
  addExtraIds(writer, list);
  writer.out["model"] = {
      {"type", "Unigram"}, {"unk_id", model.unk_id}, {"byte_fallback", model.byte_fallback}, {"vocab", list}};
}

// Pieces that a person defined are never cut, and never part of another: a split at any of them, the longest first.
static Json splitAtUserDefined(const SentencePieceModel &model) {
  std::vector<std::string> whole;
  for (const Piece &piece : model.pieces)
    if (piece.type == SentencePieceModel::UserDefined && !piece.text.empty())
      whole.push_back(piece.text);
  std::sort(whole.begin(), whole.end(),
            [](const auto &a, const auto &b) { return a.size() != b.size() ? a.size() > b.size() : a < b; });
  std::string pattern;
  for (const std::string &piece : whole) {
    pattern += pattern.empty() ? "" : "|";
    for (char c : piece) {
      if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos)
        pattern += '\\';
      pattern += c;
    }
  }
  return pattern.empty() ? Json() : splitStep(pattern);
}

// White space as SentencePiece has it. What it puts before a text stands before each part between special tokens too,
// unless the tokenizer's configuration says "legacy": false.
static void writeSpaces(FileWriter &writer, const SentencePieceModel &model) {
  Json steps = Json::array(), words = Json::array();
  if (!model.charsmap.empty())
    steps.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", encodeBase64(model.charsmap)}});
  if (model.remove_extra_whitespaces) {
    steps.push_back(replaceStep({{"Regex", "\\A +| +\\z"}}, ""));
    steps.push_back(replaceStep({{"Regex", " {2,}"}}, " "));
  }
  steps.push_back(replaceStep({{"String", " "}}, kMark));
  if (model.add_dummy_prefix) {
    if (writer.flag("legacy", true))
      steps.push_back({{"type", "Prepend"}, {"prepend", kMark}});
    else
      words.push_back(metaspace("first", false));
  }
  if (Json split = splitAtUserDefined(model); !split.is_null())
    words.push_back(std::move(split));
  writer.out["normalizer"] = sequenceOf("normalizers", steps);
  if (!words.empty())
    writer.out["pre_tokenizer"] = sequenceOf("pretokenizers", words);

  Json decoder = Json::array({replaceStep({{"String", kMark}}, " ")});
  if (model.byte_fallback)
    decoder.push_back({{"type", "ByteFallback"}});
  decoder.push_back({{"type", "Fuse"}});
  if (model.add_dummy_prefix)
    decoder.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  writer.out["decoder"] = sequenceOf("decoders", decoder);
}

// The ids around a text, where the class puts some and the configuration says nothing.
static void writeAround(FileWriter &writer, const SentencePieceModel &model) {
  auto find = [&](const std::string &piece, NamedIds &out) {
    for (size_t i = 0; i < model.pieces.size(); ++i)
      if (model.pieces[i].text == piece && out.empty())
        out.emplace_back(piece, static_cast<int64_t>(i));
  };
  NamedIds before, behind;
  if (writer.isClass({"", "LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "Phi3Tokenizer"}))
    find(writer.text("bos_token", writer.isClass({"GemmaTokenizer"}) ? "<bos>" : "<s>"), before);
  if (writer.isClass({"T5Tokenizer"}))
    find(writer.text("eos_token", "</s>"), behind);
  if (!before.empty() || !behind.empty())
    writer.out["post_processor"] = templateOf(before, behind);
}

bool writeSentencePiece(FileWriter &writer, const SentencePieceModel &model) {
  const std::string file = "tokenizer.model";
  if (writer.isClass({"BarthezTokenizer", "SeamlessM4TTokenizer", "ReformerTokenizer", "RemBertTokenizer",
                      "BigBirdTokenizer", "FNetTokenizer", "M2M100Tokenizer", "MarianTokenizer", "LayoutXLMTokenizer",
                      "CpmTokenizer", "Speech2TextTokenizer", "UdopTokenizer"}))
    return writer.refuseClass(file); // they number pieces anew, or normalize in a way of their own
  if (model.model_type != 1 && model.model_type != 2)
    return writer.fail(file, model.model_type == 3 ? "a model of whole words is not supported"
                             : model.model_type == 4
                                 ? "a model of single characters is not supported"
                                 : "its model is of an unknown kind, " + std::to_string(model.model_type));
  if (model.whitespace_as_suffix)
    return writer.fail(file, "treat_whitespace_as_suffix is not supported");
  if (model.has_denormalizer)
    return writer.fail(file, "a denormalizer is not supported");
  if (!model.escape_whitespaces)
    return writer.fail(file, "a model that does not escape white space is not supported");
  if (isRenumbered(writer))
    return writeRenumbered(writer, model);
  // SentencePiece finds these in the text as it is given; here they are found once it is normalized.
  for (const Piece &piece : model.pieces)
    if (piece.type == SentencePieceModel::UserDefined && !model.charsmap.empty()) {
      text::TextStorage storage;
      if (!text::Charsmap::valid(model.charsmap) ||
          text::Charsmap(model.charsmap).apply(text::Text{piece.text}, false, storage).bytes != piece.text)
        return writer.fail(file, "the user-defined piece " + inQuotes(piece.text) +
                                     ", which its normalizer changes, is not supported");
    }
  writePieces(writer, model);
  writeSpaces(writer, model);
  writeAround(writer, model);
  return true;
}

} // namespace ingot::tokenizer
