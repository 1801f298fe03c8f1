// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See json.h.
#include "compiler/import/huggingface/json.h"

#include <cstdio>
#include <set>
#include <stdexcept>

namespace ingot::huggingface {

namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 where there is none (Unicode 15, table 3-7).
size_t utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  auto continues = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xbf) { return byte(i) >= low && byte(i) <= high; };
  uint8_t lead = byte(0);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef)
    return continues(1, lead == 0xe0 ? 0xa0 : 0x80, lead == 0xed ? 0x9f : 0xbf) && continues(2) ? 3 : 0;
  if (lead >= 0xf0 && lead <= 0xf4)
    return continues(1, lead == 0xf0 ? 0x90 : 0x80, lead == 0xf4 ? 0x8f : 0xbf) && continues(2) && continues(3) ? 4 : 0;
  return 0;
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: ..." without the library's own tag.
std::string withoutTag(std::string_view what) {
  size_t end = what.find("] ");
  if (!what.empty() && what[0] == '[' && end != std::string_view::npos)
    what.remove_prefix(end + 2);
  return std::string(what);
}

} // namespace

std::optional<Json> parseJson(std::string_view text, std::string &error) {
  // Keys seen so far in each object that is open. Thrown errors unwind the parser; it keeps its own stack on the heap.
  std::vector<std::set<std::string>> open;
  auto watch = [&](int depth, Json::parse_event_t event, Json &parsed) {
    switch (event) {
    case Json::parse_event_t::object_start:
      open.emplace_back();
      [[fallthrough]];
    case Json::parse_event_t::array_start:
      if (depth >= kMaxNesting)
        throw std::runtime_error("values are nested more than " + std::to_string(kMaxNesting) + " deep");
      break;
    case Json::parse_event_t::object_end:
      open.pop_back();
      break;
    case Json::parse_event_t::key:
      if (!open.back().insert(parsed.get<std::string>()).second)
        throw std::runtime_error("the key " + inQuotes(parsed.get<std::string>()) + " stands twice in one object");
      break;
    default:
      break;
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const std::exception &caught) {
    std::string what = withoutTag(caught.what());
    error = inQuotes(what);
    error = error.substr(1, error.size() - 2);
    return std::nullopt;
  }
}

std::string inQuotes(std::string_view text) {
  constexpr size_t kLimit = 400;
  std::string out = "\"";
  char escape[8];
  size_t at = 0;
  while (at < text.size() && at < kLimit) {
    size_t length = utf8Length(text.substr(at));
    uint8_t lead = static_cast<uint8_t>(text[at]);
    // C0 and C1 controls could drive a terminal.
    bool control = lead < 0x20 || lead == 0x7f || (lead == 0xc2 && length == 2 && uint8_t(text[at + 1]) < 0xa0);
    if (length == 0 || control) {
      length = length ? length : 1;
      for (size_t i = 0; i < length; ++i) {
        std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(static_cast<uint8_t>(text[at + i])));
        out += escape;
      }
    } else {
      out += text.substr(at, length);
    }
    at += length;
  }
  if (at < text.size())
    out += "...";
  return out += '"';
}

std::string described(const Json &value) {
  switch (value.type()) {
  case Json::value_t::string:
    return inQuotes(value.get_ref<const std::string &>());
  case Json::value_t::array:
    return "a list of " + std::to_string(value.size());
  case Json::value_t::object:
    return "an object";
  default:
    return value.dump(-1, ' ', true, Json::error_handler_t::replace);
  }
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    size_t length = utf8Length(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

} // namespace ingot::huggingface
