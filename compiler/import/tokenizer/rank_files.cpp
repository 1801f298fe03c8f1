// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vocabularies of ranked byte strings as a tokenizer.json: tiktoken's files (a line each: bytes in base 64, a space,
// the rank) and Mistral's tekken.json. They state no merges: two neighbours merge where their joint has a rank, the
// lowest first, so each way to cut a string into two others is a merge of its rank.
#include "compiler/import/tokenizer/base64.h"
#include "compiler/import/tokenizer/file_writer.h"
#include "runtime/text/byte_alphabet.h"
#include "runtime/text/format.h"

#include <algorithm>
#include <unordered_map>

namespace ingot::tokenizer {
namespace {

constexpr int64_t kMostSpecials = 20000; // beside the strings with ranks; published files have up to 1,000
constexpr size_t kLongestString = 1024;  // bytes; each place in it is tried as a cut

// The pattern of Llama 3, which transformers takes where nothing says otherwise, but for how many digits stand
// together.
std::string patternOf(const char *digits) {
  return std::string("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}") + digits +
         "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
}

// Writes model, pre-tokenizer, decoder and post-processor. The id of a string is its rank and `first` more.
bool writeRanked(FileWriter &writer, const char *file, const std::vector<std::string> &strings, int64_t first,
                 const std::string &pattern) {
  std::unordered_map<std::string_view, size_t> ranks;
  for (size_t i = 0; i < strings.size(); ++i)
    if (strings[i].empty() || strings[i].size() > kLongestString || !ranks.emplace(strings[i], i).second)
      return writer.fail(file, "the string of rank " + std::to_string(i) + " is empty, there twice or longer than " +
                                   std::to_string(kLongestString) + " bytes");
  std::vector<std::string> spelled;
  for (const std::string &bytes : strings)
    spelled.push_back(text::spellBytes(bytes));
  Json vocab = Json::object(), merges = Json::array();
  for (size_t i = 0; i < strings.size(); ++i) {
    vocab[spelled[i]] = first + static_cast<int64_t>(i);
    std::string_view whole = strings[i];
    std::vector<std::pair<size_t, size_t>> cuts;
    for (size_t cut = 1; cut < whole.size(); ++cut) {
      auto left = ranks.find(whole.substr(0, cut));
      auto right = left == ranks.end() ? left : ranks.find(whole.substr(cut));
      if (right != ranks.end())
        cuts.emplace_back(left->second, right->second);
    }
    std::sort(cuts.begin(), cuts.end());
    for (auto [left, right] : cuts)
      merges.push_back(Json::array({spelled[left], spelled[right]}));
  }
  writer.out["model"] = {{"type", "BPE"},          {"dropout", nullptr},    {"unk_token", nullptr}, {"fuse_unk", false},
                         {"byte_fallback", false}, {"ignore_merges", true}, {"vocab", vocab},       {"merges", merges}};
  writer.out["pre_tokenizer"] =
      sequenceOf("pretokenizers", Json::array({splitStep(pattern), byteLevelStep(false, true, false)}));
  writer.out["decoder"] = byteLevelStep(true, true, true);
  writer.out["post_processor"] = byteLevelStep(true, false, true);
  return true;
}

// One line: the bytes, and the rank.
bool readLine(std::string_view line, std::string &bytes, uint64_t &rank) {
  size_t space = line.find(' ');
  if (space == std::string_view::npos || !decodeBase64(line.substr(0, space), bytes))
    return false;
  std::string_view digits = line.substr(space + 1);
  rank = 0;
  for (char c : digits) {
    if (c < '0' || c > '9')
      return false;
    rank = std::min<uint64_t>(rank * 10 + static_cast<uint64_t>(c - '0'), text::kMaxIds);
  }
  return !digits.empty() && !bytes.empty();
}

// The special tokens behind the ranks: those of tokenizer_config.json, with names for the ids that it leaves out.
bool specialsOf(FileWriter &writer, const char *file, int64_t first, std::vector<std::string> &names) {
  if (writer.isClass({"QWenTokenizer"})) {
    names = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    for (int i = 0; i < 205; ++i)
      names.push_back("<|extra_" + std::to_string(i) + "|>");
    return true;
  }
  if (writer.has("added_tokens_decoder")) {
    const Json &tokens = writer.config()["added_tokens_decoder"];
    if (!tokens.is_object())
      return writer.fail("tokenizer_config.json", "added_tokens_decoder: expected an object");
    for (const auto &[key, token] : tokens.items()) {
      if (key.empty() || key.size() > 7 || key.find_first_not_of("0123456789") != std::string::npos ||
          std::stoll(key) >= static_cast<int64_t>(text::kMaxIds))
        return writer.fail("tokenizer_config.json", "added_tokens_decoder: the key " + inQuotes(key) + " is no id");
      int64_t at = std::stoll(key) - first;
      if (at < 0)
        continue; // of a string that has a rank
      if (at >= kMostSpecials)
        return writer.fail("tokenizer_config.json", "added_tokens_decoder: the id " + key + " lies more than " +
                                                        std::to_string(kMostSpecials) + " behind the last rank, " +
                                                        std::to_string(first - 1));
      for (auto next = static_cast<int64_t>(names.size()); next <= at; ++next)
        names.push_back("<|reserved_token_" + std::to_string(first + next) + "|>");
      if (token.is_object() && token.contains("content") && token["content"].is_string())
        names[static_cast<size_t>(at)] = token["content"].get<std::string>();
    }
  }
  for (const char *key : {"extra_special_tokens", "additional_special_tokens"})
    for (const std::string &name : writer.list(key))
      if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  return !names.empty() ||
         writer.fail(file, "holds ranks of byte strings and no special tokens, and tokenizer_config.json names none "
                           "in added_tokens_decoder");
}

} // namespace

bool looksLikeRanks(std::string_view bytes) {
  std::string string;
  uint64_t rank;
  std::string_view line = bytes.substr(0, std::min(bytes.find('\n'), bytes.size()));
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  return line.size() < 2 * kLongestString && readLine(line, string, rank);
}

bool writeRanks(FileWriter &writer, const char *file, std::string_view rest) {
  bool qwen = writer.isClass({"QWenTokenizer"});
  if (!qwen && !writer.isClass({"", "LlamaTokenizer", "PreTrainedTokenizer", "TokenizersBackend"}))
    return writer.refuseClass(file); // with a pattern of its own
  std::vector<std::string> strings;
  for (size_t number = 1; !rest.empty(); ++number) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.empty())
      continue;
    std::string bytes;
    uint64_t rank;
    if (!readLine(line, bytes, rank) || strings.size() >= text::kMaxIds)
      return writer.fail(file, "line " + std::to_string(number) + ": expected bytes in base 64, a space and a rank");
    if (rank != strings.size())
      return writer.fail(file, "line " + std::to_string(number) + ": the rank is " + std::to_string(rank) +
                                   ", expected " + std::to_string(strings.size()) + ": ranks count on without a gap");
    strings.push_back(std::move(bytes));
  }
  std::vector<std::string> names;
  auto first = static_cast<int64_t>(strings.size());
  if (!specialsOf(writer, file, first, names) || !writeRanked(writer, file, strings, 0, patternOf(qwen ? "" : "{1,3}")))
    return false;
  if (qwen)
    writer.out["normalizer"] = {{"type", "NFC"}};
  for (const std::string &name : names)
    writer.out["added_tokens"].push_back(addedToken(first++, name));
  return true;
}

bool writeTekken(FileWriter &writer, const std::string &given) {
  const char *file = "tekken.json";
  Json json;
  if (!parseJson(given, file, json, writer.error()))
    return false;
  Reader root(json, file, writer.error());
  if (!root.isObject())
    return false;
  for (const char *key : {"config", "vocab"})
    if (!root.has(key))
      return root.fail(std::string("has no ") + key);
  if (!root.has("special_tokens"))
    return root.fail("has no special_tokens: files of the first version of the format are not supported");
  Reader config = root.at("config"), specials = root.at("special_tokens"), vocab = root.at("vocab");
  if (!config.isObject() || !specials.isArray() || !vocab.isArray())
    return false;
  std::string pattern;
  int64_t special_count = static_cast<int64_t>(specials.value().size()), size = text::kMaxIds;
  if (special_count > kMostSpecials)
    return specials.fail("has more than " + std::to_string(kMostSpecials) + " tokens");
  if (!config.string("pattern", pattern) ||
      (config.has("default_num_special_tokens") &&
       !config.integer("default_num_special_tokens", special_count, special_count, kMostSpecials)) ||
      (config.has("default_vocab_size") && !config.integer("default_vocab_size", size, special_count, text::kMaxIds)))
    return false;
  std::vector<std::string> names(static_cast<size_t>(special_count));
  for (int64_t i = 0; i < special_count; ++i)
    names[static_cast<size_t>(i)] = "<SPECIAL_" + std::to_string(i) + ">";
  for (size_t i = 0; i < specials.value().size(); ++i) {
    Reader one = specials.at(i);
    int64_t rank;
    std::string name;
    if (!one.isObject() || !one.integer("rank", rank, 0, static_cast<int64_t>(specials.value().size()) - 1) ||
        !one.string("token_str", name))
      return false;
    std::string &place = names[static_cast<size_t>(rank)];
    if (place != "<SPECIAL_" + std::to_string(rank) + ">")
      return one.fail("the rank " + std::to_string(rank) + " is there twice");
    place = name;
  }
  std::vector<std::string> strings;
  size_t count = std::min(vocab.value().size(), static_cast<size_t>(size - special_count)); // what is beyond is padding
  for (size_t i = 0; i < count; ++i) {
    Reader one = vocab.at(i);
    std::string encoded;
    if (!one.isObject() || !one.string("token_bytes", encoded))
      return false;
    if (!decodeBase64(encoded, strings.emplace_back()))
      return one.at("token_bytes").expected("bytes in base 64");
  }
  if (!writeRanked(writer, file, strings, special_count, pattern))
    return false;
  for (size_t i = 0; i < names.size(); ++i) {
    if (writer.out["model"]["vocab"].contains(names[i]))
      return root.fail("the special token " + inQuotes(names[i]) + " is also a string with a rank");
    writer.out["added_tokens"].push_back(addedToken(static_cast<int64_t>(i), names[i]));
  }
  for (size_t i = 0; i < names.size(); ++i)
    writer.out["model"]["vocab"][names[i]] = i;
  return true;
}

} // namespace ingot::tokenizer
