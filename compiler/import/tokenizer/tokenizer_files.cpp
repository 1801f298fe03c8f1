// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three readers, each of which builds a tokenizer.json; and which classes of transformers they stand for.
#include "compiler/import/tokenizer/tokenizer_files.h"

#include "compiler/import/tokenizer/json_reader.h"
#include "compiler/import/tokenizer/sentencepiece.h"
#include "runtime/text/charsmap.h"
#include "runtime/text/unicode.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_map>

namespace ingot::tokenizer {
namespace {

const std::string kMark = "\xE2\x96\x81"; // U+2581

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j)
      out += j <= count ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

Json addedToken(int64_t id, const std::string &content, bool special) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

Json specialPiece(const std::string &name) { return {{"SpecialToken", {{"id", name}, {"type_id", 0}}}}; }

// Special tokens, by content and id, before and behind a text.
using Named = std::pair<std::string, int64_t>;
Json templateOf(const std::vector<Named> &before, const std::vector<Named> &behind) {
  Json single = Json::array(), tokens = Json::object();
  auto add = [&](const std::vector<Named> &names) {
    for (const auto &[name, id] : names) {
      single.push_back(specialPiece(name));
      tokens[name] = {{"id", name}, {"ids", {id}}, {"tokens", {name}}};
    }
  };
  add(before);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  add(behind);
  Json pair = single;
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", tokens}};
}

class Writer {
public:
  explicit Writer(std::string &error) : error_(error) {}

  bool run(const TokenizerFiles &files, std::string_view config_text, std::string &json) {
    if (!config_text.empty() && !parseJson(config_text, "tokenizer_config.json", config_, error_))
      return false;
    if (!config_.is_object() && !config_.is_null()) {
      error_ = "tokenizer_config.json: expected an object";
      return false;
    }
    class_ = text("tokenizer_class", "");
    if (class_.ends_with("Fast"))
      class_.resize(class_.size() - 4);
    out_ = {{"version", "1.0"},          {"truncation", nullptr},
            {"padding", nullptr},        {"added_tokens", Json::array()},
            {"normalizer", nullptr},     {"pre_tokenizer", nullptr},
            {"post_processor", nullptr}, {"decoder", nullptr},
            {"model", Json::object()}};
    bool good = files.sentencePiece                  ? sentencePiece(*files.sentencePiece)
                : files.vocabJson && files.mergesTxt ? byteLevel(*files.vocabJson, *files.mergesTxt)
                : files.vocabTxt                     ? bert(*files.vocabTxt)
                                                     : fail("tokenizer.json", "is absent");
    if (good)
      json = out_.dump(-1, ' ', false, Json::error_handler_t::replace);
    return good;
  }

private:
  bool fail(const std::string &file, const std::string &what) {
    error_ = file + ": " + what;
    return false;
  }
  bool refuseClass(const std::string &file) {
    return fail(file, "is not read for the tokenizer_class " + inQuotes(class_) +
                          "; transformers writes tokenizer.json: "
                          "AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)");
  }
  std::string text(const char *key, const std::string &fallback) const {
    if (!config_.is_object() || !config_.contains(key))
      return fallback;
    const Json &value = config_[key];
    if (value.is_string())
      return value.get<std::string>();
    if (value.is_object() && value.contains("content") && value["content"].is_string())
      return value["content"].get<std::string>();
    return fallback;
  }
  bool flag(const char *key, bool fallback) const {
    return config_.is_object() && config_.contains(key) && config_[key].is_boolean() ? config_[key].get<bool>()
                                                                                     : fallback;
  }
  bool isClass(std::initializer_list<const char *> names) const {
    return std::any_of(names.begin(), names.end(), [&](const char *name) { return class_ == name; });
  }

  // ---- SentencePiece ----

  bool sentencePiece(const std::string &bytes) {
    const std::string file = "tokenizer.model";
    SentencePieceModel model;
    if (!readSentencePiece(bytes, file.c_str(), model, error_))
      return false;
    if (isClass({"XLMRobertaTokenizer",  "MBartTokenizer",     "MBart50Tokenizer",     "CamembertTokenizer",
                 "BarthezTokenizer",     "XGLMTokenizer",      "NllbTokenizer",        "PegasusTokenizer",
                 "XLNetTokenizer",       "DebertaV2Tokenizer", "SeamlessM4TTokenizer", "AlbertTokenizer",
                 "ReformerTokenizer",    "RemBertTokenizer",   "BigBirdTokenizer",     "FNetTokenizer",
                 "M2M100Tokenizer",      "MarianTokenizer",    "LayoutXLMTokenizer",   "CpmTokenizer",
                 "Speech2TextTokenizer", "UdopTokenizer"}))
      return refuseClass(file); // these number pieces anew
    if (model.model_type != 1 && model.model_type != 2)
      return fail(file, model.model_type == 3 ? "a model of whole words is not supported"
                        : model.model_type == 4
                            ? "a model of single characters is not supported"
                            : "its model is of an unknown kind, " + std::to_string(model.model_type));
    if (model.whitespace_as_suffix)
      return fail(file, "treat_whitespace_as_suffix is not supported");
    if (model.has_denormalizer)
      return fail(file, "a denormalizer is not supported");
    if (!model.escape_whitespaces)
      return fail(file, "a model that does not escape white space is not supported");
    // SentencePiece finds these in the text as it is given; here they are found once it is normalized.
    for (const auto &piece : model.pieces)
      if (piece.type == SentencePieceModel::UserDefined && !model.charsmap.empty()) {
        text::TextStorage storage;
        if (!text::Charsmap::valid(model.charsmap) ||
            text::Charsmap(model.charsmap).apply(text::Text{piece.text}, false, storage).bytes != piece.text)
          return fail(file, "the user-defined piece " + inQuotes(piece.text) +
                                ", which its normalizer changes, is not supported");
      }
    pieces(model);
    normalizer(model);
    Json steps = Json::array({{{"type", "Replace"}, {"pattern", {{"String", kMark}}}, {"content", " "}}});
    if (model.byte_fallback)
      steps.push_back({{"type", "ByteFallback"}});
    steps.push_back({{"type", "Fuse"}});
    if (model.add_dummy_prefix)
      steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    out_["decoder"] = {{"type", "Sequence"}, {"decoders", steps}};
    return around(model);
  }

  void pieces(const SentencePieceModel &model) {
    Json added = Json::array();
    std::unordered_map<std::string_view, size_t> normal;
    bool user_defined = false;
    for (size_t i = 0; i < model.pieces.size(); ++i) {
      const auto &piece = model.pieces[i];
      if (piece.type == SentencePieceModel::Control || piece.type == SentencePieceModel::Unknown)
        added.push_back(addedToken(static_cast<int64_t>(i), piece.text, true));
      if (piece.type == SentencePieceModel::Normal)
        normal.emplace(piece.text, i);
      user_defined |= piece.type == SentencePieceModel::UserDefined;
    }
    out_["added_tokens"] = added;
    if (model.model_type == 1) {
      Json list = Json::array();
      for (const auto &piece : model.pieces)
        list.push_back(Json::array({piece.text, static_cast<double>(piece.score)}));
      extraIds(list);
      out_["model"] = {
          {"type", "Unigram"}, {"unk_id", model.unk_id}, {"byte_fallback", model.byte_fallback}, {"vocab", list}};
      return;
    }
    // Any two pieces whose joint is a piece merge, the greatest score first.
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
      vocab[model.pieces[i].text] = i;
    out_["model"] = {{"type", "BPE"},
                     {"dropout", nullptr},
                     {"unk_token", model.unk_piece},
                     {"fuse_unk", true},
                     {"byte_fallback", model.byte_fallback},
                     {"ignore_merges", user_defined},
                     {"vocab", vocab},
                     {"merges", merges}};
  }

  // T5's sentinels, which its SentencePiece models do not hold.
  void extraIds(Json &list) {
    if (!isClass({"T5Tokenizer"}))
      return;
    int64_t count = config_.contains("extra_ids") && config_["extra_ids"].is_number_unsigned()
                        ? config_["extra_ids"].get<int64_t>()
                        : 100;
    for (int64_t i = std::min<int64_t>(count, 10000); i-- > 0;) {
      std::string name = "<extra_id_" + std::to_string(i) + ">";
      out_["added_tokens"].push_back(addedToken(static_cast<int64_t>(list.size()), name, true));
      list.push_back(Json::array({name, 0.0}));
    }
  }

  // White space as SentencePiece has it. What it puts before a text stands before each part between special tokens too,
  // unless the tokenizer's configuration says "legacy": false.
  void normalizer(const SentencePieceModel &model) {
    auto replace = [](Json pattern, const std::string &content) {
      return Json{{"type", "Replace"}, {"pattern", std::move(pattern)}, {"content", content}};
    };
    Json steps = Json::array();
    if (!model.charsmap.empty())
      steps.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", base64(model.charsmap)}});
    if (model.remove_extra_whitespaces) {
      steps.push_back(replace({{"Regex", "\\A +| +\\z"}}, ""));
      steps.push_back(replace({{"Regex", " {2,}"}}, " "));
    }
    steps.push_back(replace({{"String", " "}}, kMark));
    Json words = Json::array();
    if (model.add_dummy_prefix) {
      if (flag("legacy", true))
        steps.push_back({{"type", "Prepend"}, {"prepend", kMark}});
      else
        words.push_back({{"type", "Metaspace"}, {"replacement", kMark}, {"prepend_scheme", "first"}, {"split", false}});
    }
    std::vector<std::string> whole; // pieces that a person defined are never cut, and never part of another
    for (const auto &piece : model.pieces)
      if (piece.type == SentencePieceModel::UserDefined && !piece.text.empty())
        whole.push_back(piece.text);
    std::sort(whole.begin(), whole.end(),
              [](const auto &a, const auto &b) { return a.size() != b.size() ? a.size() > b.size() : a < b; });
    if (!whole.empty()) {
      std::string pattern;
      for (const std::string &piece : whole) {
        pattern += pattern.empty() ? "" : "|";
        for (char c : piece) {
          if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos)
            pattern += '\\';
          pattern += c;
        }
      }
      words.push_back(
          {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}});
    }
    out_["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
    if (!words.empty())
      out_["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", words}};
  }

  // The ids around a text, where the class puts some and the configuration says nothing.
  bool around(const SentencePieceModel &model) {
    auto find = [&](const std::string &piece, std::vector<Named> &out) {
      for (size_t i = 0; i < model.pieces.size(); ++i)
        if (model.pieces[i].text == piece && out.empty())
          out.emplace_back(piece, static_cast<int64_t>(i));
    };
    std::vector<Named> before, behind;
    if (isClass({"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "Phi3Tokenizer"}) || class_.empty())
      find(text("bos_token", isClass({"GemmaTokenizer"}) ? "<bos>" : "<s>"), before);
    if (isClass({"T5Tokenizer"}))
      find(text("eos_token", "</s>"), behind);
    if (!before.empty() || !behind.empty())
      out_["post_processor"] = templateOf(before, behind);
    return true;
  }

  // ---- vocab.json and merges.txt ----

  bool byteLevel(const std::string &vocab_text, const std::string &merges_text) {
    Json vocab;
    if (!parseJson(vocab_text, "vocab.json", vocab, error_))
      return false;
    if (!vocab.is_object())
      return fail("vocab.json", "expected an object");
    if (!text::isValidUtf8(merges_text))
      return fail("merges.txt", "is not UTF-8");
    Json merges = Json::array();
    for (std::string_view rest = merges_text; !rest.empty();) {
      size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.ends_with('\r'))
        line.remove_suffix(1);
      if (!line.empty() && !line.starts_with("#version"))
        merges.push_back(line);
    }
    bool qwen = isClass({"Qwen2Tokenizer"}),
         roberta = isClass({"RobertaTokenizer", "BartTokenizer", "LongformerTokenizer"});
    if (!qwen && !roberta && !class_.empty() &&
        !isClass({"GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer", "PreTrainedTokenizer"}))
      return refuseClass("vocab.json");
    auto level = [](bool prefix, bool trim, bool regex) {
      return Json{{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"trim_offsets", trim}, {"use_regex", regex}};
    };
    bool prefix = flag("add_prefix_space", false);
    out_["pre_tokenizer"] = level(prefix, true, true);
    out_["decoder"] = level(true, true, true);
    if (qwen) {
      const char *pattern =
          "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
          "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
      out_["normalizer"] = {{"type", "NFC"}};
      out_["pre_tokenizer"] = {
          {"type", "Sequence"},
          {"pretokenizers",
           Json::array(
               {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}},
                level(prefix, true, false)})}};
    }
    out_["model"] = {{"type", "BPE"},     {"dropout", nullptr},     {"unk_token", nullptr},
                     {"fuse_unk", false}, {"byte_fallback", false}, {"merges", merges}};
    const char *end = roberta ? "</s>" : "<|endoftext|>";
    std::vector<std::string> names = {text("unk_token", roberta ? "<unk>" : end),
                                      text("bos_token", roberta ? "<s>" : end), text("eos_token", end),
                                      text("pad_token", roberta ? "<pad>" : end)};
    if (roberta)
      names.push_back(text("mask_token", "<mask>"));
    specials(vocab, names);
    if (roberta) {
      auto pair = [&](const std::string &name) {
        return Json::array({name, vocab.contains(name) ? vocab[name] : Json(0)});
      };
      std::string cls = text("cls_token", "<s>"), sep = text("sep_token", "</s>");
      if (!vocab.contains(cls) || !vocab.contains(sep))
        return fail("vocab.json", "has no " + inQuotes(vocab.contains(cls) ? sep : cls));
      out_["post_processor"] = {{"type", "RobertaProcessing"},
                                {"sep", pair(sep)},
                                {"cls", pair(cls)},
                                {"trim_offsets", true},
                                {"add_prefix_space", prefix}};
    } else {
      out_["post_processor"] = level(prefix, false, true);
    }
    out_["model"]["vocab"] = std::move(vocab);
    return true;
  }

  // Special tokens that have a piece.
  void specials(const Json &vocab, std::vector<std::string> names) {
    Json list = Json::array();
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string &name : names)
      if (!name.empty() && vocab.contains(name) && vocab[name].is_number_integer())
        list.push_back(addedToken(vocab[name].get<int64_t>(), name, true));
    out_["added_tokens"] = list;
  }

  // ---- vocab.txt ----

  bool bert(const std::string &vocab_text) {
    if (!class_.empty() &&
        !isClass({"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer",
                  "ConvBertTokenizer", "LxmertTokenizer", "SqueezeBertTokenizer", "PreTrainedTokenizer"}))
      return refuseClass("vocab.txt");
    if (!text::isValidUtf8(vocab_text))
      return fail("vocab.txt", "is not UTF-8");
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
    std::string unk = text("unk_token", "[UNK]"), cls = text("cls_token", "[CLS]"), sep = text("sep_token", "[SEP]");
    for (const std::string &name : {unk, cls, sep})
      if (!vocab.contains(name))
        return fail("vocab.txt", "has no " + inQuotes(name));
    specials(vocab, {unk, cls, sep, text("pad_token", "[PAD]"), text("mask_token", "[MASK]")});
    bool lower = flag("do_lower_case", true);
    out_["normalizer"] = {{"type", "BertNormalizer"},
                          {"clean_text", true},
                          {"handle_chinese_chars", flag("tokenize_chinese_chars", true)},
                          {"strip_accents", config_.contains("strip_accents") ? config_["strip_accents"] : Json()},
                          {"lowercase", lower}};
    out_["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    out_["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    out_["post_processor"] = templateOf({{cls, vocab[cls].get<int64_t>()}}, {{sep, vocab[sep].get<int64_t>()}});
    out_["model"] = {{"type", "WordPiece"},
                     {"unk_token", unk},
                     {"continuing_subword_prefix", "##"},
                     {"max_input_chars_per_word", 100},
                     {"vocab", vocab}};
    return true;
  }

  std::string &error_;
  Json config_, out_;
  std::string class_; // tokenizer_class without "Fast"
};

} // namespace

bool writeTokenizerJson(const TokenizerFiles &files, std::string_view configJson, std::string &json,
                        std::string &error) {
  error.clear();
  json.clear();
  return Writer(error).run(files, configJson, json);
}

} // namespace ingot::tokenizer
