// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading JSON that somebody else wrote: config.json, safetensors headers, shard indices. Stricter than the
// library's own parser (no duplicate keys, bounded nesting), and helpers that put foreign text into messages
// safely. What the keys mean is not known here.
#ifndef INGOT_IMPORT_HUGGINGFACE_JSON_H
#define INGOT_IMPORT_HUGGINGFACE_JSON_H

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::huggingface {

using Json = nlohmann::json;

// What an import has to tell: problems stop it, notes do not.
struct Messages {
  std::vector<std::string> problems;
  std::vector<std::string> notes;
};

// Containers inside containers beyond this are refused.
inline constexpr int kMaxNesting = 64;

// Parses one JSON value. Refuses duplicate keys, deep nesting, invalid UTF-8 and trailing text; `error` then says
// what and where.
std::optional<Json> parseJson(std::string_view text, std::string &error);

// `text` in double quotes, fit for a terminal: control characters and invalid UTF-8 escaped, long text cut.
std::string inQuotes(std::string_view text);

// A value as a message calls it: `"abc"`, `3.5`, `null`, `a list of 4`, `an object`.
std::string described(const Json &value);

// "[4096, 256]"
std::string shapeText(const std::vector<int64_t> &shape);

bool isUtf8(std::string_view text);

} // namespace ingot::huggingface

#endif
