// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// config.json, read key by key with types and ranges. It remembers which keys somebody read: at the end every other
// key must be known to leave the computation alone, or it is refused by name. So a setting that Ingot does not honour
// never slips through.
//
// Where a key is null it counts as absent, as in transformers. A reader gives its fallback and remembers the problem
// when a value has the wrong type or lies outside its range, so that all problems show at once.
#ifndef INGOT_IMPORT_HUGGINGFACE_CONFIG_H
#define INGOT_IMPORT_HUGGINGFACE_CONFIG_H

#include "compiler/import/huggingface/json.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::huggingface {

class Config {
public:
  // `object` and `messages` must outlive the config. `where` opens every message: "DIR/config.json".
  Config(const Json &object, std::string where, Messages &messages);

  // Is the key there, be it null?
  bool has(std::string_view key) const;
  // The key's value unless it is absent or null; counts as read.
  const Json *find(std::string_view key);

  std::optional<int64_t> integer(std::string_view key, int64_t least, int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::string> text(std::string_view key);
  std::optional<std::vector<double>> numbers(std::string_view key, double least, double most);
  std::optional<std::vector<std::string>> texts(std::string_view key);
  // The object at `key` as a config of its own, whose messages name the path.
  std::optional<Config> object(std::string_view key);

  // The reference ignores this key for this family: said in a note where it is set.
  void ignored(std::string_view key, std::string_view why);

  // `KEY is FOUND, expected EXPECTED`
  void wrong(std::string_view key, std::string_view expected);
  void problem(std::string text);
  void note(std::string text);
  // No problem so far, here or (after taint) in an object inside.
  bool good() const { return sound; }
  void taint() { sound = false; }
  bool wasRead(std::string_view key) const { return read.count(key) != 0; }
  bool empty() const { return values->empty(); }
  Messages *sink() const { return messages; }

  // Refuses every key that nobody read and that is not known to be harmless.
  void reportUnknownKeys();

private:
  std::string keyPath(std::string_view key) const;

  const Json *values;
  std::string where, prefix;
  Messages *messages;
  std::set<std::string, std::less<>> read;
  bool sound = true;
};

} // namespace ingot::huggingface

#endif
