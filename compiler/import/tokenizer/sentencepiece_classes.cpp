// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece models of the classes of transformers that number pieces anew, or that normalize and split in a way of
// their own: most descend from fairseq, which puts <s>, <pad>, </s>, <unk> before the model's pieces and more behind.
// As transformers 5 reads these models where they lie without a tokenizer.json.
#include "compiler/import/tokenizer/base64.h"
#include "compiler/import/tokenizer/file_writer.h"
#include "compiler/import/tokenizer/sentencepiece.h"

#include <map>
#include <sstream>

namespace ingot::tokenizer {
namespace {

constexpr const char *kMBartLanguages =
    "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX "
    "ro_RO ru_RU si_LK tr_TR vi_VN zh_CN";
constexpr const char *kMBart50Languages = " af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN "
                                          "mr_IN pl_PL ps_AF pt_XX sv_SE sw_KE ta_IN "
                                          "te_IN th_TH tl_XX uk_UA ur_PK xh_ZA gl_ES sl_SI"; // behind those of mBART

class Renumbering {
public:
  Renumbering(FileWriter &writer, const SentencePieceModel &model) : w_(writer), model_(model) {}

  bool run() {
    if (w_.isClass(
            {"XLMRobertaTokenizer", "CamembertTokenizer", "MBartTokenizer", "MBart50Tokenizer", "XGLMTokenizer"}))
      fairseq();
    else if (w_.isClass({"NllbTokenizer"}))
      nllb();
    else if (w_.isClass({"PegasusTokenizer"}))
      pegasus();
    else
      ownIds();
    if (!good_)
      return false;
    bool bpe = w_.isClass({"NllbTokenizer"});
    if (bpe != (model_.model_type == 2))
      return w_.fail("tokenizer.model", std::string("the tokenizer_class ") + inQuotes(w_.className()) + " has a " +
                                            (bpe ? "BPE" : "Unigram") + " model, and this is none");
    return finish(bpe);
  }

private:
  // ---- Pieces ----

  void piece(const std::string &name, double score = 0) {
    ids_.emplace(name, static_cast<int64_t>(vocab_.size())); // of two alike the first
    vocab_.push_back(Json::array({name, score}));
  }
  // A special token, with a piece of its own unless it has one.
  void special(const std::string &name, TokenFlags flags = {}) {
    if (!ids_.count(name)) {
      ids_.emplace(name, static_cast<int64_t>(vocab_.size() + beyond_));
      ++beyond_; // behind the model's pieces, where the library counts on
    }
    added_.emplace(ids_.at(name), addedToken(ids_.at(name), name, flags));
  }
  // The model's pieces but for the first few, which the class has named itself.
  void modelPieces(size_t from) {
    for (size_t i = from; i < model_.pieces.size(); ++i)
      piece(model_.pieces[i].text, static_cast<double>(model_.pieces[i].score));
  }
  void names(const char *list) {
    std::istringstream words(list);
    for (std::string word; words >> word;) {
      piece(word);
      listed_.push_back(word);
    }
  }

  void fairseq() {
    bool camembert = w_.isClass({"CamembertTokenizer"}), fifty = w_.isClass({"MBart50Tokenizer"});
    piece(camembert ? "<s>NOTUSED" : fifty ? w_.text("cls_token", "<s>") : bos_);
    piece(pad_);
    piece(camembert ? "</s>NOTUSED" : eos_);
    piece(unk_);
    unk_id_ = 3;
    if (camembert)
      piece("<unk>NOTUSED", -100);
    modelPieces(camembert ? 1 : 3);
    if (w_.isClass({"MBartTokenizer", "MBart50Tokenizer"}))
      names(kMBartLanguages);
    if (fifty)
      names(kMBart50Languages);
    if (w_.isClass({"XGLMTokenizer"}))
      names("<madeupword0> <madeupword1> <madeupword2> <madeupword3> <madeupword4> <madeupword5> <madeupword6>");
    else
      piece(mask_);
    specials({bos_, eos_, unk_, w_.text("sep_token", "</s>"), pad_, w_.text("cls_token", "<s>")});
    for (const std::string &name : listed_)
      special(name);
    if (!w_.isClass({"XGLMTokenizer"}))
      special(mask_, w_.flags("mask_token", {.left_strip = !w_.isClass({"XLMRobertaTokenizer"})}));
    controls();

    bool words = w_.isClass({"XLMRobertaTokenizer", "CamembertTokenizer", "MBartTokenizer"});
    if (!w_.isClass({"MBartTokenizer"}))
      charsmap();
    if (!words)
      steps_.push_back(replaceStep({{"Regex", " {2,}"}}, " "));
    spaces(words, prefixScheme());
    if (w_.isClass({"XGLMTokenizer"}))
      before_ = {eos_};
    else if (w_.isClass({"MBartTokenizer"}))
      behind_ = {eos_, language("en_XX")};
    else
      before_ = {fifty ? language("en_XX") : bos_}, behind_ = {eos_};
  }

  // Its languages and the mask are not in the model. Only added_tokens_decoder says which ids they have: what writes it
  // and what reads the model without it do not agree on whether the mask comes first.
  void nllb() {
    for (const std::string &name : {bos_, pad_, eos_, unk_})
      piece(name);
    for (const auto &one : model_.pieces)
      if (!ids_.count(one.text))
        piece(one.text);
    specials({bos_, eos_, unk_, pad_});
    controls();
    std::map<int64_t, std::string> stated;
    if (w_.has("added_tokens_decoder"))
      for (const auto &[id, token] : w_.config()["added_tokens_decoder"].items())
        if (token.is_object() && token.contains("content") && token["content"].is_string() && id.size() < 8 &&
            id.find_first_not_of("0123456789") == std::string::npos)
          stated.emplace(std::stoll("0" + id), token["content"].get<std::string>());
    for (const auto &[id, name] : stated)
      special(name); // tokenizer_config.json, which is read again later, has the flags
    std::string source = language("eng_Latn");
    if (!ids_.count(source)) {
      good_ = w_.fail("tokenizer.model", "the language " + inQuotes(source) +
                                             " is no piece, and no token of added_tokens_decoder in "
                                             "tokenizer_config.json");
      return;
    }
    if (!model_.charsmap.empty()) {
      charsmap();
      steps_.push_back(replaceStep({{"Regex", " {2,}"}}, " "));
    }
    spaces(false, "always");
    before_ = {source}, behind_ = {eos_};
    if (w_.flag("legacy_behaviour", false))
      before_ = {}, behind_ = {eos_, source};
  }

  void pegasus() {
    std::string mask = w_.text("mask_token", "<mask_2>"), sentence = w_.text("mask_token_sent", "<mask_1>");
    int64_t offset = w_.count("offset", 103, 10000);
    for (const std::string &name : {pad_, eos_})
      piece(name);
    if (offset > 0)
      for (const std::string &name : {sentence, mask})
        piece(name);
    for (int64_t i = 2; i < offset; ++i)
      piece("<unk_" + std::to_string(i) + ">", -100);
    unk_id_ = static_cast<int64_t>(vocab_.size()) + model_.unk_id - 2;
    modelPieces(2);
    std::vector<std::string> all = {eos_, unk_, pad_, mask, sentence};
    for (int64_t i = 2; i < offset; ++i)
      all.push_back("<unk_" + std::to_string(i) + ">");
    specials(all);
    controls();
    if (model_.charsmap.empty())
      steps_.push_back(replaceStep({{"Regex", "\\n"}}, " "));
    charsmap();
    steps_.push_back(replaceStep({{"Regex", " {2,}"}}, " "));
    spaces(false, "always");
    behind_ = {eos_};
  }

  // ALBERT, DeBERTa v2 and XLNet: the model's ids, and a pipeline of the class.
  void ownIds() {
    bool deberta = w_.isClass({"DebertaV2Tokenizer"}), xlnet = w_.isClass({"XLNetTokenizer"});
    modelPieces(0);
    unk_id_ = model_.unk_id;
    std::string cls = w_.text("cls_token", xlnet ? "<cls>" : "[CLS]"),
                sep = w_.text("sep_token", xlnet ? "<sep>" : "[SEP]");
    specials({w_.text("bos_token", xlnet ? "<s>" : "[CLS]"), w_.text("eos_token", xlnet ? "</s>" : "[SEP]"),
              w_.text("unk_token", deberta ? "[UNK]" : "<unk>"), sep, w_.text("pad_token", deberta ? "[PAD]" : "<pad>"),
              cls});
    special(w_.text("mask_token", xlnet ? "<mask>" : "[MASK]"), w_.flags("mask_token", {}));
    if (xlnet)
      specials({"<eop>", "<eod>"});
    controls();
    bool lower = w_.flag("do_lower_case", !deberta && !xlnet);
    if (deberta) {
      if (lower)
        steps_.push_back({{"type", "Lowercase"}});
      steps_.push_back(replaceStep({{"Regex", "\\s{2,}|[\\n\\r\\t]"}}, " "));
      steps_.push_back({{"type", "NFC"}});
      steps_.push_back({{"type", "Strip"}, {"strip_left", false}, {"strip_right", true}});
      if (w_.flag("split_by_punct", false))
        words_.push_back({{"type", "Punctuation"}, {"behavior", "Isolated"}});
      spaces(false, w_.flag("add_prefix_space", true) ? "always" : "first");
    } else {
      steps_.push_back(replaceStep({{"String", "``"}}, "\""));
      steps_.push_back(replaceStep({{"String", "''"}}, "\""));
      if (xlnet || !w_.flag("keep_accents", false)) {
        steps_.push_back({{"type", "NFKD"}});
        steps_.push_back({{"type", "StripAccents"}});
      }
      if (lower)
        steps_.push_back({{"type", "Lowercase"}});
      charsmap();
      spaces(true, xlnet ? "always" : prefixScheme());
    }
    if (xlnet)
      behind_ = {sep, cls};
    else
      before_ = {cls}, behind_ = {sep};
  }

  void specials(const std::vector<std::string> &all) {
    for (const std::string &name : all)
      special(name);
  }
  // The model's own control pieces, and those that a person has defined.
  void controls() {
    for (const auto &one : model_.pieces)
      if (bool control = one.type == SentencePieceModel::Control;
          (control || one.type == SentencePieceModel::UserDefined) && ids_.count(one.text))
        special(one.text, {.special = control});
  }

  // ---- The rest ----

  void charsmap() {
    if (!model_.charsmap.empty())
      steps_.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", encodeBase64(model_.charsmap)}});
  }
  const char *prefixScheme() const { return w_.flag("add_prefix_space", true) ? "always" : "never"; }
  void spaces(bool words, const char *scheme) {
    if (words)
      words_.push_back({{"type", "WhitespaceSplit"}});
    words_.push_back(metaspace(scheme, true));
    w_.out["decoder"] = metaspace(scheme, true);
  }
  std::string language(const char *otherwise) const { return w_.text("src_lang", otherwise); }

  bool finish(bool bpe) {
    auto named = [&](const std::vector<std::string> &names, NamedIds &out) {
      for (const std::string &name : names) {
        if (!ids_.count(name))
          return w_.fail("tokenizer.model", "the special token " + inQuotes(name) + " has no piece");
        out.emplace_back(name, ids_.at(name));
      }
      return true;
    };
    NamedIds before, behind;
    if (!named(before_, before) || !named(behind_, behind))
      return false;
    w_.out["post_processor"] = templateOf(before, behind);
    if (!steps_.empty())
      w_.out["normalizer"] = sequenceOf("normalizers", steps_);
    w_.out["pre_tokenizer"] = sequenceOf("pretokenizers", words_);
    for (const auto &[id, token] : added_)
      w_.out["added_tokens"].push_back(token);
    if (bpe) {
      std::vector<int64_t> ids;
      for (const auto &one : model_.pieces)
        ids.push_back(ids_.at(one.text));
      w_.out["model"] = bpeOfPieces(model_, ids);
      for (const Json &entry : vocab_)
        w_.out["model"]["vocab"][entry[0].get<std::string>()] = ids_.at(entry[0].get<std::string>());
      w_.out["model"]["unk_token"] = unk_;
      w_.out["model"]["byte_fallback"] = false;
      w_.out["model"]["ignore_merges"] = false;
    } else {
      w_.out["model"] = {{"type", "Unigram"}, {"unk_id", unk_id_}, {"byte_fallback", false}, {"vocab", vocab_}};
    }
    return true;
  }

  FileWriter &w_;
  const SentencePieceModel &model_;
  const std::string bos_ = w_.text("bos_token", "<s>"), eos_ = w_.text("eos_token", "</s>"),
                    pad_ = w_.text("pad_token", "<pad>"), unk_ = w_.text("unk_token", "<unk>"),
                    mask_ = w_.text("mask_token", "<mask>");
  Json vocab_ = Json::array(), steps_ = Json::array(), words_ = Json::array();
  std::map<std::string, int64_t> ids_;
  std::map<int64_t, Json> added_; // in the order of their ids
  std::vector<std::string> listed_, before_, behind_;
  int64_t unk_id_ = 0;
  size_t beyond_ = 0;
  bool good_ = true;
};

} // namespace

bool isRenumbered(const FileWriter &writer) {
  return writer.isClass({"XLMRobertaTokenizer", "CamembertTokenizer", "MBartTokenizer", "MBart50Tokenizer",
                         "XGLMTokenizer", "NllbTokenizer", "PegasusTokenizer", "AlbertTokenizer", "DebertaV2Tokenizer",
                         "XLNetTokenizer"});
}

bool writeRenumbered(FileWriter &writer, const SentencePieceModel &model) { return Renumbering(writer, model).run(); }

} // namespace ingot::tokenizer
