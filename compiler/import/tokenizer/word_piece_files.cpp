// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vocab.txt, a piece a line, as a tokenizer.json: BERT's WordPiece.
#include "compiler/import/tokenizer/file_writer.h"
#include "runtime/text/unicode.h"

#include <algorithm>

namespace ingot::tokenizer {

bool writeWordPiece(FileWriter &writer, const std::string &vocab_text) {
  if (!writer.isClass({"", "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer",
                       "ConvBertTokenizer", "LxmertTokenizer", "SqueezeBertTokenizer", "PreTrainedTokenizer"}))
    return writer.refuseClass("vocab.txt");
  if (!text::isValidUtf8(vocab_text))
    return writer.fail("vocab.txt", "is not UTF-8");
  Json vocab = Json::object();
  int64_t count = 0;
  for (std::string_view rest = vocab_text; !rest.empty(); ++count) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r'))
      line.pop_back();
    vocab[line] = count; // of two lines alike the last counts
  }
  std::string unk = writer.text("unk_token", "[UNK]"), cls = writer.text("cls_token", "[CLS]"),
              sep = writer.text("sep_token", "[SEP]");
  for (const std::string &name : {unk, cls, sep})
    if (!vocab.contains(name))
      return writer.fail("vocab.txt", "has no " + inQuotes(name));
  markSpecials(writer, vocab, {unk, cls, sep, writer.text("pad_token", "[PAD]"), writer.text("mask_token", "[MASK]")});
  writer.out["normalizer"] = {
      {"type", "BertNormalizer"},
      {"clean_text", true},
      {"handle_chinese_chars", writer.flag("tokenize_chinese_chars", true)},
      {"strip_accents", writer.has("strip_accents") ? writer.config()["strip_accents"] : Json()},
      {"lowercase", writer.flag("do_lower_case", true)}};
  writer.out["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  writer.out["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  writer.out["post_processor"] = templateOf({{cls, vocab[cls].get<int64_t>()}}, {{sep, vocab[sep].get<int64_t>()}});
  writer.out["model"] = {{"type", "WordPiece"},
                         {"unk_token", unk},
                         {"continuing_subword_prefix", "##"},
                         {"max_input_chars_per_word", 100},
                         {"vocab", vocab}};
  return true;
}

} // namespace ingot::tokenizer
