// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed access to JSON that may hold anything: every failure is one sentence with the path of the key, what was
// expected and what was found. Never throws.
#ifndef INGOT_COMPILER_IMPORT_TOKENIZER_JSON_READER_H
#define INGOT_COMPILER_IMPORT_TOKENIZER_JSON_READER_H

#include <nlohmann/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace ingot::tokenizer {

using Json = nlohmann::json;

// A value and where it stands. Reading functions return false once they have written `error`.
class Reader {
public:
  Reader(const Json &value, std::string path, std::string &error)
      : value_(&value), path_(std::move(path)), error_(&error) {}

  const Json &value() const { return *value_; }
  const std::string &path() const { return path_; }
  bool isNull() const { return value_->is_null(); }
  std::string &errorText() const { return *error_; }

  bool fail(const std::string &what) const; // "path: what"
  bool expected(const char *what) const;    // "path: expected WHAT, found ..."

  // Absent and null keys are the same.
  bool has(const char *key) const;
  Reader at(const char *key) const; // of an object that has it
  Reader at(size_t index) const;    // of an array

  bool isObject() const { return value_->is_object() || expected("an object"); }
  bool isArray() const { return value_->is_array() || expected("an array"); }
  bool readString(std::string &out) const;
  bool readBool(bool &out) const;
  bool readInteger(int64_t &out, int64_t low, int64_t high) const;

  // Of an object's key; a default makes it optional.
  bool string(const char *key, std::string &out, const char *fallback = nullptr) const;
  bool boolean(const char *key, bool &out) const;
  bool boolean(const char *key, bool &out, bool fallback) const;
  bool integer(const char *key, int64_t &out, int64_t low, int64_t high) const;

  // Refuses keys that are not named: they might change what the component does.
  bool onlyKeys(std::initializer_list<std::string_view> known) const;

private:
  const Json *value_;
  std::string path_;
  std::string *error_;
};

// Parses; the error tells where. `path` names the file.
bool parseJson(std::string_view text, const char *path, Json &out, std::string &error);

// Text from a file, safe to print: quoted, shortened, controls and bad UTF-8 escaped.
std::string inQuotes(std::string_view text);

} // namespace ingot::tokenizer

#endif
