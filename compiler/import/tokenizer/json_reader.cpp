// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks and sentences of json_reader.h.
#include "compiler/import/tokenizer/json_reader.h"

#include "runtime/text/unicode.h"

#include <algorithm>
#include <cstdio>

namespace ingot::tokenizer {

std::string inQuotes(std::string_view text) {
  std::string out = "\"";
  size_t shown = 0;
  for (size_t i = 0; i < text.size() && shown < 60; ++shown) {
    unsigned skip, length = text::sequenceLength(text.substr(i), skip);
    auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\x%02X", byte);
      out += escaped;
      ++i;
    } else {
      out.append(text.substr(i, length));
      i += length;
    }
  }
  if (shown == 60)
    out += "...";
  return out + "\"";
}

bool Reader::fail(const std::string &what) const {
  if (error_->empty())
    *error_ = path_ + ": " + what;
  return false;
}

bool Reader::expected(const char *what) const {
  std::string found = value_->type_name();
  if (value_->is_string())
    found += " " + inQuotes(value_->get_ref<const std::string &>());
  else if (value_->is_number() || value_->is_boolean())
    found += " " + value_->dump();
  return fail(std::string("expected ") + what + ", found " + found);
}

bool Reader::has(const char *key) const {
  if (!value_->is_object())
    return false;
  auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

Reader Reader::at(const char *key) const { return Reader(*value_->find(key), path_ + "." + key, *error_); }
Reader Reader::at(size_t index) const {
  return Reader((*value_)[index], path_ + "[" + std::to_string(index) + "]", *error_);
}

bool Reader::readString(std::string &out) const {
  if (!value_->is_string())
    return expected("a string");
  out = value_->get_ref<const std::string &>();
  return true;
}

bool Reader::readBool(bool &out) const {
  if (!value_->is_boolean())
    return expected("true or false");
  out = value_->get<bool>();
  return true;
}

bool Reader::readInteger(int64_t &out, int64_t low, int64_t high) const {
  std::string range = "an integer from " + std::to_string(low) + " to " + std::to_string(high);
  if (!value_->is_number_integer())
    return expected(range.c_str());
  if (value_->is_number_unsigned() && value_->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
    return expected(range.c_str());
  out = value_->get<int64_t>();
  return (out >= low && out <= high) || expected(range.c_str());
}

bool Reader::string(const char *key, std::string &out, const char *fallback) const {
  if (!isObject())
    return false;
  if (!has(key)) {
    if (!fallback)
      return fail(std::string("has no ") + key);
    out = fallback;
    return true;
  }
  return at(key).readString(out);
}

bool Reader::boolean(const char *key, bool &out) const {
  if (!isObject())
    return false;
  return has(key) ? at(key).readBool(out) : fail(std::string("has no ") + key);
}

bool Reader::boolean(const char *key, bool &out, bool fallback) const {
  if (!isObject())
    return false;
  out = fallback;
  return !has(key) || at(key).readBool(out);
}

bool Reader::integer(const char *key, int64_t &out, int64_t low, int64_t high) const {
  if (!isObject())
    return false;
  return has(key) ? at(key).readInteger(out, low, high) : fail(std::string("has no ") + key);
}

bool Reader::onlyKeys(std::initializer_list<std::string_view> known) const {
  if (!isObject())
    return false;
  for (const auto &[key, value] : value_->items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      return fail("the key " + inQuotes(key) + " is not known here");
  return true;
}

bool parseJson(std::string_view text, const char *path, Json &out, std::string &error) {
  try {
    out = Json::parse(text.begin(), text.end());
    return true;
  } catch (const Json::exception &e) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    std::string what = e.what();
    size_t bracket = what.find("] ");
    what = bracket == std::string::npos ? what : what.substr(bracket + 2);
    if (what.size() > 240)
      what = what.substr(0, 240) + "...";
    std::string clean; // the message repeats bytes of the file
    text::appendLossy(clean, what);
    error = std::string(path) + ": " + clean;
    return false;
  }
}

} // namespace ingot::tokenizer
