// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See trace.h.
#include "tools/ingot-run/trace.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace ingot::tool {
namespace {

using runtime::ErrorCode;
using runtime::makeError;
using runtime::Result;

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    size_t comma = std::min(line.find(','), line.size());
    std::string_view field = line.substr(0, comma);
    while (!field.empty() && field.front() == ' ')
      field.remove_prefix(1);
    while (!field.empty() && field.back() == ' ')
      field.remove_suffix(1);
    fields.push_back(field);
    if (comma == line.size())
      return fields;
    line.remove_prefix(comma + 1);
  }
}

template <class T> std::optional<T> number(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

// "2023-11-16 18:17:03.9799600" (or with a T, or a Z at its end), or seconds.
std::optional<double> seconds(std::string_view text) {
  if (std::optional<double> plain = number<double>(text))
    return std::isfinite(*plain) ? plain : std::nullopt;
  if (text.ends_with('Z'))
    text.remove_suffix(1);
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  auto year = number<int>(text.substr(0, 4));
  auto month = number<unsigned>(text.substr(5, 2)), day = number<unsigned>(text.substr(8, 2));
  auto hour = number<unsigned>(text.substr(11, 2)), minute = number<unsigned>(text.substr(14, 2));
  auto second = number<double>(text.substr(17));
  if (!year || !month || !day || !hour || !minute || !second || *hour > 23 || *minute > 59 || !(*second >= 0) ||
      !(*second < 61))
    return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month), std::chrono::day(*day)};
  if (!date.ok())
    return std::nullopt;
  double days = double(std::chrono::sys_days(date).time_since_epoch().count());
  return days * 86400 + *hour * 3600 + *minute * 60 + *second;
}

} // namespace

Result<std::vector<TraceRequest>> parseTrace(const std::string &path, std::string_view text, int64_t limit) {
  int line = 0;
  auto fail = [&](const std::string &what) {
    return makeError(ErrorCode::InvalidArgument, "%s:%d: %s", path.c_str(), line, what.c_str());
  };
  constexpr std::string_view kColumns[] = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
  size_t places[3];
  double start = 0;
  std::vector<TraceRequest> requests;
  while (!text.empty() && (limit == 0 || int64_t(requests.size()) < limit)) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (row.ends_with('\r'))
      row.remove_suffix(1);
    std::vector<std::string_view> fields = split(row);
    if (line == 1) {
      for (size_t c = 0; c < 3; ++c) {
        places[c] = size_t(std::find(fields.begin(), fields.end(), kColumns[c]) - fields.begin());
        if (places[c] == fields.size())
          return fail("the first line names no column " + std::string(kColumns[c]) +
                      "; expected TIMESTAMP,ContextTokens,GeneratedTokens");
      }
      continue;
    }
    if (row.empty())
      continue;
    auto field = [&](size_t c) { return places[c] < fields.size() ? fields[places[c]] : std::string_view(); };
    std::optional<double> time = seconds(field(0));
    if (!time)
      return fail("'" + std::string(field(0)) + "' is no time; expected 2023-11-16 18:17:03.97 or seconds");
    if (requests.empty())
      start = *time;
    TraceRequest request{*time - start, 0, 0};
    if (!requests.empty() && request.arrival < requests.back().arrival)
      return fail("the time lies before that of the line above; sort the trace by its times");
    for (size_t c : {1, 2}) {
      std::optional<int64_t> tokens = number<int64_t>(field(c));
      if (!tokens || *tokens < 1 || *tokens > (int64_t(1) << 40))
        return fail("'" + std::string(field(c)) + "' is no number of " + std::string(kColumns[c]) +
                    "; expected 1 or more");
      (c == 1 ? request.prompt : request.output) = *tokens;
    }
    requests.push_back(request);
  }
  if (requests.empty())
    return makeError(ErrorCode::InvalidArgument, "%s holds no request; expected a line of names, then one for each",
                     path.c_str());
  return requests;
}

} // namespace ingot::tool
