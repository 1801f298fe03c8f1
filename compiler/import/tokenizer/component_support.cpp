// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shared parts of component_support.h.
#include "compiler/import/tokenizer/component_support.h"

#include "runtime/text/unicode.h"

namespace ingot::tokenizer {

static constexpr int kMaxNesting = 16;

void appendString(std::vector<uint32_t> &program, SectionParts &parts, std::string_view text) {
  auto [offset, length] = parts.strings.add(text);
  append(program, offset, length);
}

bool typeOf(const Reader &json, std::string &type) { return json.string("type", type); }

bool refuse(const Reader &json, const char *what, const std::string &type) {
  return json.fail(std::string("the ") + what + " " + inQuotes(type) + " is not supported");
}

bool sequence(const Reader &json, const char *key, int depth, const std::function<bool(const Reader &)> &one) {
  if (depth >= kMaxNesting)
    return json.fail("sequences are nested too deeply");
  if (!json.onlyKeys({"type", key}))
    return false;
  if (!json.has(key))
    return json.fail(std::string("has no ") + key);
  Reader list = json.at(key);
  if (!list.isArray())
    return false;
  for (size_t i = 0; i < list.value().size(); ++i)
    if (!one(list.at(i)))
      return false;
  return true;
}

bool addPattern(const Reader &json, SectionParts &parts, const std::string &text, uint32_t &number) {
  std::string why;
  if (parts.patterns.add(text, parts.sets, number, why))
    return true;
  return json.fail("the pattern " + inQuotes(text) + " cannot be compiled: " + why);
}

bool matcher(const Reader &json, SectionParts &parts, Matcher &out) {
  if (!json.has("pattern"))
    return json.fail("has no pattern");
  Reader pattern = json.at("pattern");
  if (!pattern.isObject())
    return false;
  const char *kind = pattern.has("Regex") ? "Regex" : "String";
  if (!pattern.has(kind))
    return pattern.fail("has neither String nor Regex");
  if (!pattern.onlyKeys({kind}) || !pattern.string(kind, out.text))
    return false;
  if (out.text.empty())
    return pattern.fail("the pattern is empty");
  return !pattern.has("Regex") || addPattern(json, parts, out.text, out.pattern.emplace());
}

bool oneCharacter(const Reader &json, const char *key, std::string &out) {
  if (!json.string(key, out))
    return false;
  unsigned skip;
  if (out.empty() || text::sequenceLength(out, skip) != out.size())
    return json.at(key).expected("one character");
  return true;
}

bool metaspaceScheme(const Reader &json, text::PrependScheme &out) {
  std::string name;
  bool add = true;
  if (!json.string("prepend_scheme", name, "always") || !json.boolean("add_prefix_space", add, true))
    return false;
  if (name == "first")
    out = text::PrependScheme::First;
  else if (name == "never")
    out = text::PrependScheme::Never;
  else if (name == "always")
    out = text::PrependScheme::Always;
  else
    return json.at("prepend_scheme").expected("first, never or always");
  if (add)
    return true;
  if (out != text::PrependScheme::Never && json.has("prepend_scheme"))
    return json.fail("add_prefix_space is false but prepend_scheme is " + inQuotes(name));
  out = text::PrependScheme::Never;
  return true;
}

} // namespace ingot::tokenizer
