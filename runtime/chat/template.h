// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chat templates: the Jinja that transformers renders a conversation with, parsed once and rendered as jinja2 would in
// the environment transformers makes (trim_blocks, lstrip_blocks, loop controls, immutable sandbox, its own tojson).
// A template is a program from a stranger: whatever it does ends with text or an error, within the limits below.
// docs/design/0006-chat-templates.md says what differs from jinja2 on purpose.
#ifndef INGOT_RUNTIME_CHAT_TEMPLATE_H
#define INGOT_RUNTIME_CHAT_TEMPLATE_H

#include "runtime/core/error.h"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace ingot::chat {

using runtime::Result;

struct TemplateSyntax; // the parsed template, syntax.h

struct RenderOptions {
  // The local time that strftime_now tells; absent: the clock's.
  std::optional<std::tm> now;
  // A step is an expression or statement evaluated, or an item looked at.
  uint64_t maxSteps = 20'000'000;
  // Bytes of text.
  size_t maxOutput = size_t(64) << 20;
  // Bytes of values made in the whole rendering (what was given included), which bounds memory and time.
  uint64_t maxBytes = uint64_t(1) << 30;
  // Bytes of the caller's stack that evaluation may take.
  size_t maxStack = size_t(1) << 20;
};

class Template {
public:
  // Parses `source`, UTF-8. Errors (InvalidArgument for what jinja2 refuses too, Unsupported for what only Ingot
  // refuses) name the line and the construct.
  static Result<std::unique_ptr<Template>> parse(std::string_view source);
  ~Template();

  // Renders with the variables of `context`, a JSON object: messages, tools, documents, add_generation_prompt,
  // bos_token, ... in any combination; what is absent is undefined. Errors: InvalidArgument with the line, where the
  // template raises or does what Python refuses (raise_exception's own text included); ResourceExhausted at a limit.
  // Thread-safe.
  Result<std::string> render(const nlohmann::ordered_json &context, const RenderOptions &options = {}) const;

private:
  explicit Template(std::unique_ptr<TemplateSyntax> syntax);

  std::unique_ptr<TemplateSyntax> syntax;
};

} // namespace ingot::chat

#endif
