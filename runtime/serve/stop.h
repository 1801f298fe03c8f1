// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds stop strings in text that arrives in pieces. Text that could still become a stop string is held back, so
// that what was let through never has to be taken back.
#ifndef INGOT_SERVE_STOP_H
#define INGOT_SERVE_STOP_H

#include <string>
#include <string_view>
#include <vector>

namespace ingot::serve {

class StopMatcher {
public:
  // Empty stop strings are left out: they would stop everything.
  explicit StopMatcher(std::vector<std::string> stops);
  // Takes more text and returns what may be shown by now. Once a stop string is complete, the text before its first
  // character has been returned and matched() names it; what follows it is dropped.
  std::string push(std::string_view text);
  // No more text comes: what was held back.
  std::string finish();
  // The stop string that was met, or nullptr.
  const std::string *matched() const { return hit; }

private:
  std::vector<std::string> stops;
  std::string held;
  const std::string *hit = nullptr;
};

} // namespace ingot::serve

#endif
