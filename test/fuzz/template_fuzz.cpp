// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any chat template with any context: it is refused with a sentence, or rendering it ends with text or a sentence, soon
// and within its limits. Input: the template, a zero byte, the context as JSON (where there is none: a conversation).
#include "runtime/chat/section.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

using namespace ingot::chat;

namespace {

constexpr const char *kConversation =
    R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": [{"type": "text",
  "text": "é 狐"}]}, {"role": "assistant", "content": "a</think>b", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1.5}}}]}],
  "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "add_generation_prompt": true, "bos_token": "<s>",
  "x": [1, -2, 1e300, null, true, "ab"], "d": {"a": {"b": []}}, "n": 18446744073709551615})";

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view input(reinterpret_cast<const char *>(data), size);
  size_t end = std::min(input.find('\0'), size);
  std::string_view json = end < size ? input.substr(end + 1) : kConversation;
  nlohmann::ordered_json context = nlohmann::ordered_json::parse(json, nullptr, false);
  if (context.is_discarded())
    context = nlohmann::ordered_json::parse(kConversation);
  auto parsed = Template::parse(input.substr(0, end));
  if (!parsed) {
    if (parsed.error().message().empty())
      std::abort();
    return 0;
  }
  RenderOptions options;
  options.now = std::tm{};
  options.now->tm_mday = 1;
  options.maxSteps = 100'000;
  options.maxOutput = size_t(1) << 20;
  options.maxBytes = uint64_t(16) << 20;
  options.maxStack = size_t(4) << 20; // frames are large under sanitizers
  auto rendered = (*parsed)->render(context, options);
  if (!rendered && rendered.error().message().empty())
    std::abort();
  if (auto section = ChatSection::load(json); !section && section.error().message().empty())
    std::abort();
  return 0;
}
