// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vocab.json with merges.txt as a tokenizer.json: the byte-level BPE of GPT-2, Qwen 2, RoBERTa and CLIP.
#include "compiler/import/tokenizer/file_writer.h"
#include "runtime/text/unicode.h"

#include <algorithm>

namespace ingot::tokenizer {
namespace {

struct Family {
  bool qwen, roberta, clip;
};

// A merge a line; the first line may be a version.
Json mergesOf(std::string_view rest) {
  Json merges = Json::array();
  while (!rest.empty()) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version"))
      merges.push_back(line);
  }
  return merges;
}

void writeSteps(FileWriter &writer, const Family &family, bool prefix) {
  writer.out["pre_tokenizer"] = byteLevelStep(prefix, true, true);
  writer.out["decoder"] = byteLevelStep(true, true, true);
  if (family.qwen) {
    const char *pattern =
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
        "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    writer.out["normalizer"] = {{"type", "NFC"}};
    writer.out["pre_tokenizer"] =
        sequenceOf("pretokenizers", Json::array({splitStep(pattern), byteLevelStep(prefix, true, false)}));
  }
  if (family.clip) {
    Json words = splitStep("<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|"
                           "[^\\s\\p{L}\\p{N}]+");
    words["behavior"] = "Removed";
    words["invert"] = true;
    writer.out["normalizer"] = sequenceOf(
        "normalizers",
        Json::array({Json{{"type", "NFC"}}, replaceStep({{"Regex", "\\s+"}}, " "), Json{{"type", "Lowercase"}}}));
    writer.out["pre_tokenizer"] = sequenceOf("pretokenizers", Json::array({words, byteLevelStep(false, true, true)}));
  }
}

// What RoBERTa and CLIP put around a text, `first` and `last`.
bool writeAround(FileWriter &writer, const Json &vocab, const std::string &first, const std::string &last, bool trim,
                 bool prefix) {
  for (const std::string &name : {first, last})
    if (!vocab.contains(name))
      return writer.fail("vocab.json", "has no " + inQuotes(name));
  writer.out["post_processor"] = {{"type", "RobertaProcessing"},
                                  {"sep", Json::array({last, vocab[last]})},
                                  {"cls", Json::array({first, vocab[first]})},
                                  {"trim_offsets", trim},
                                  {"add_prefix_space", prefix}};
  return true;
}

} // namespace

bool writeByteLevel(FileWriter &writer, const std::string &vocab_text, const std::string &merges_text) {
  Json vocab;
  if (!parseJson(vocab_text, "vocab.json", vocab, writer.error()))
    return false;
  if (!vocab.is_object())
    return writer.fail("vocab.json", "expected an object");
  if (!text::isValidUtf8(merges_text))
    return writer.fail("merges.txt", "is not UTF-8");
  Family family{
      writer.isClass({"Qwen2Tokenizer"}),
      writer.isClass({"RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer", "MvpTokenizer"}),
      writer.isClass({"CLIPTokenizer"})};
  if (!family.qwen && !family.roberta && !family.clip &&
      !writer.isClass({"", "GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer", "PreTrainedTokenizer"}))
    return writer.refuseClass("vocab.json");
  bool prefix = writer.flag("add_prefix_space", false);
  writeSteps(writer, family, prefix);

  const char *end = family.roberta ? "</s>" : "<|endoftext|>";
  std::string unk = writer.text("unk_token", family.roberta ? "<unk>" : end),
              bos = writer.text("bos_token", family.roberta ? "<s>"
                                             : family.clip  ? "<|startoftext|>"
                                                            : end),
              eos = writer.text("eos_token", end);
  std::vector<std::string> names = {unk, bos, eos, writer.text("pad_token", family.roberta ? "<pad>" : end)};
  if (family.roberta)
    names.push_back(writer.text("mask_token", "<mask>"));
  markSpecials(writer, vocab, names);

  if (family.roberta) {
    if (!writeAround(writer, vocab, writer.text("cls_token", "<s>"), writer.text("sep_token", "</s>"), true, prefix))
      return false;
  } else if (family.clip) {
    if (!writeAround(writer, vocab, bos, eos, false, false))
      return false;
  } else {
    writer.out["post_processor"] = byteLevelStep(prefix, false, true);
  }
  Json &model = writer.out["model"];
  model = {{"type", "BPE"},     {"dropout", nullptr},     {"unk_token", nullptr},
           {"fuse_unk", false}, {"byte_fallback", false}, {"merges", mergesOf(merges_text)}};
  if (family.clip) {
    model["unk_token"] = unk;
    model["continuing_subword_prefix"] = "";
    model["end_of_word_suffix"] = "</w>";
  }
  model["vocab"] = std::move(vocab);
  return true;
}

} // namespace ingot::tokenizer
