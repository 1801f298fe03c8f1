// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A prompt and what came of it, and both as JSON: the same keys from generate and from chat.
#ifndef INGOT_TOOLS_INGOT_RUN_COMPLETION_H
#define INGOT_TOOLS_INGOT_RUN_COMPLETION_H

#include "runtime/serve/scheduler.h"

#include <nlohmann/json.hpp>

namespace ingot::tool {

struct Completion {
  std::string prompt; // as given; decoded where ids were given
  std::vector<int32_t> promptIds; // what the model continues
  // Of a model with an encoder: what that reads, and its ids where it is text.
  serve::Source source;
  std::vector<int32_t> sourceIds;
  std::string text;
  std::vector<int32_t> ids;
  serve::Finish finish = serve::Finish::running; // still so, or cancelled, where it was interrupted
  std::string stop;
  serve::Timing timing;
};

nlohmann::ordered_json jsonOf(const Completion &completion);

// One line. Bytes that are no UTF-8 (a prompt may have them) become U+FFFD.
std::string lineOf(const nlohmann::ordered_json &object);

} // namespace ingot::tool

#endif
