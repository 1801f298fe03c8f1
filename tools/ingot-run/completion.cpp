// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See completion.h.
#include "tools/ingot-run/completion.h"

namespace ingot::tool {
namespace {

const char *reason(serve::Finish finish) {
  switch (finish) {
  case serve::Finish::end_token:
  case serve::Finish::stop_string:
    return "stop";
  case serve::Finish::new_tokens:
  case serve::Finish::context:
    return "length";
  case serve::Finish::running:
  case serve::Finish::cancelled:
    break;
  }
  return "cancelled";
}

} // namespace

nlohmann::ordered_json jsonOf(const Completion &completion) {
  nlohmann::ordered_json object;
  object["prompt"] = completion.prompt;
  object["text"] = completion.text;
  const bool encodes = !completion.source.data.empty();
  object["prompt_ids"] = encodes ? completion.sourceIds : completion.promptIds;
  if (encodes)
    object["decoder_prompt_ids"] = completion.promptIds;
  object["ids"] = completion.ids;
  object["finish_reason"] = reason(completion.finish);
  if (completion.finish == serve::Finish::stop_string)
    object["stop_reason"] = completion.stop;
  else if (completion.finish == serve::Finish::end_token)
    object["stop_reason"] = completion.ids.back();
  else
    object["stop_reason"] = nullptr;
  size_t decoded = completion.ids.empty() ? 0 : completion.ids.size() - 1; // the first comes out of the prefill
  nlohmann::ordered_json timings;
  timings["prompt_tokens"] = completion.promptIds.size();
  timings["new_tokens"] = completion.ids.size();
  if (completion.finish == serve::Finish::running || completion.finish == serve::Finish::cancelled) { // interrupted
    timings["prefill_seconds"] = timings["decode_seconds"] = timings["tokens_per_second"] = nullptr;
  } else {
    timings["prefill_seconds"] = completion.timing.prefill_seconds;
    timings["decode_seconds"] = completion.timing.decode_seconds;
    timings["tokens_per_second"] =
        completion.timing.decode_seconds > 0 ? double(decoded) / completion.timing.decode_seconds : 0.0;
  }
  object["timings"] = std::move(timings);
  return object;
}

std::string lineOf(const nlohmann::ordered_json &object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace ingot::tool
