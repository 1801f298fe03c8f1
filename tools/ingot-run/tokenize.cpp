// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run tokenize: text on standard input to token ids on standard output, and back with --decode.
#include "tools/ingot-run/common.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>

namespace ingot::tool {
namespace {

Result<std::string> readInput() {
  std::string text;
  char block[65536];
  size_t count;
  while ((count = std::fread(block, 1, sizeof block, stdin)) > 0)
    text.append(block, count);
  if (std::ferror(stdin))
    return makeError(ErrorCode::Io, "cannot read standard input: %s", runtime::systemReason(errno).c_str());
  return text;
}

// Numbers with white space, commas or brackets around them: what this verb prints, and JSON lists.
Result<std::vector<int32_t>> parseIds(const std::string &text, const text::Tokenizer &tokenizer) {
  std::vector<int32_t> ids;
  const std::string separators = " \t\r\n,[]";
  for (size_t at = 0; (at = text.find_first_not_of(separators, at)) != text.npos;) {
    size_t end = std::min(text.find_first_of(separators, at), text.size());
    std::string word = text.substr(at, end - at);
    char *rest = nullptr;
    errno = 0;
    long long value = std::strtoll(word.c_str(), &rest, 10);
    if (*rest || errno)
      return makeError(ErrorCode::InvalidArgument, "standard input: %s is no token id; write numbers",
                       runtime::quoted(word).c_str());
    if (value < 0 || value >= (long long)tokenizer.size())
      return makeError(ErrorCode::InvalidArgument, "standard input: id %lld is outside the vocabulary 0..%lld", value,
                       (long long)tokenizer.size() - 1);
    ids.push_back(int32_t(value));
    at = end;
  }
  return ids;
}

std::string dump(const nlohmann::ordered_json &object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// Offsets are worked out where they are shown.
Result<text::Encoding> encode(const text::Tokenizer &tokenizer, const std::string &text, const TokenizeOptions &o) {
  if (!o.json && !o.pieces)
    return text::Encoding{tokenizer.encode(text, !o.noSpecial), {}};
  if (text.size() > UINT32_MAX)
    return makeError(ErrorCode::InvalidArgument, "standard input: offsets are for texts of under 4 GiB");
  return tokenizer.encodeWithOffsets(text, !o.noSpecial);
}

Result<int> run(const TokenizeOptions &o) {
  INGOT_ASSIGN_OR_RETURN(auto engine, runtime::EngineFile::open(o.engine));
  INGOT_ASSIGN_OR_RETURN(auto tokenizer, serve::loadTokenizer(*engine));
  if (!tokenizer)
    return makeError(ErrorCode::InvalidArgument, "%s has no tokenizer", o.engine.c_str());
  INGOT_ASSIGN_OR_RETURN(std::string text, readInput());
  nlohmann::ordered_json object;
  std::string plain;
  if (o.decode) {
    INGOT_ASSIGN_OR_RETURN(std::vector<int32_t> ids, parseIds(text, *tokenizer));
    plain = tokenizer->decode(ids, !o.keepSpecial);
    if (o.json)
      object["text"] = plain;
  } else {
    INGOT_ASSIGN_OR_RETURN(text::Encoding encoding, encode(*tokenizer, text, o));
    if (o.json) {
      object["ids"] = encoding.ids;
      object["pieces"] = nlohmann::ordered_json::array();
      object["offsets"] = nlohmann::ordered_json::array();
      for (size_t i = 0; i < encoding.ids.size(); ++i) {
        object["pieces"].push_back(tokenizer->piece(encoding.ids[i]));
        object["offsets"].push_back({encoding.offsets[i].begin, encoding.offsets[i].end});
      }
    } else if (o.pieces) {
      for (size_t i = 0; i < encoding.ids.size(); ++i) {
        text::Offsets place = encoding.offsets[i];
        plain += std::to_string(encoding.ids[i]) + "\t" + std::to_string(place.begin) + "-" +
                 std::to_string(place.end) + "\t" + dump(tokenizer->piece(encoding.ids[i]));
      }
    } else {
      for (int32_t id : encoding.ids)
        plain += (plain.empty() ? "" : " ") + std::to_string(id);
      plain += "\n";
    }
  }
  INGOT_RETURN_IF_ERROR(print(o.json ? dump(object) : plain));
  INGOT_RETURN_IF_ERROR(flush());
  return 0;
}

} // namespace

int tokenize(const TokenizeOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
