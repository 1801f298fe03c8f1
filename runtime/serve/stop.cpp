// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See stop.h. Stop strings are few and short, so a plain search per piece is enough.
#include "runtime/serve/stop.h"

#include <algorithm>

namespace ingot::serve {

StopMatcher::StopMatcher(std::vector<std::string> given) : stops(std::move(given)) {
  std::erase_if(stops, [](const std::string &stop) { return stop.empty(); });
}

std::string StopMatcher::push(std::string_view text) {
  if (hit)
    return {};
  held += text;
  size_t first = std::string::npos;
  for (const std::string &stop : stops) {
    size_t at = held.find(stop);
    // Of two that start at one place the longer one is named; the text before is the same.
    if (at < first || (at == first && at != std::string::npos && stop.size() > hit->size())) {
      first = at;
      hit = &stop;
    }
  }
  if (hit) {
    std::string shown = held.substr(0, first);
    held.clear();
    return shown;
  }
  size_t keep = 0; // the longest end of `held` that begins some stop string
  for (const std::string &stop : stops)
    for (size_t n = std::min(stop.size() - 1, held.size()); n > keep; --n)
      if (held.compare(held.size() - n, n, stop, 0, n) == 0) {
        keep = n;
        break;
      }
  std::string shown = held.substr(0, held.size() - keep);
  held.erase(0, held.size() - keep);
  return shown;
}

std::string StopMatcher::finish() {
  std::string shown = std::move(held);
  held.clear();
  return hit ? std::string() : shown;
}

} // namespace ingot::serve
