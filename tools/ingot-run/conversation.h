// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A conversation with a model. For each reply all messages go through the chat template, its text becomes ids, and the
// model computes those that its cache does not hold already: a session of the scheduler keeps it. So a reply is what a
// fresh run over the same messages gives, bit for bit, and costs what is new.
#ifndef INGOT_TOOLS_INGOT_RUN_CONVERSATION_H
#define INGOT_TOOLS_INGOT_RUN_CONVERSATION_H

#include "runtime/serve/reasoning.h"
#include "tools/ingot-run/completion.h"
#include "tools/ingot-run/messages.h"

#include <functional>

namespace ingot::tool {

// A conversation as the model reads it.
struct Prompt {
  std::string text;
  std::vector<int32_t> ids;
};

struct Reply {
  Completion completion;     // cancelled when it was stopped
  Json message;              // as it stands in the conversation
  uint64_t reusedTokens = 0; // of the prompt, found in the cache
};

class Conversation {
public:
  using Sink = std::function<Result<void>(const serve::ReasoningSplitter::Piece &)>;

  // The model must outlive it. Errors: a model without tokenizer or template, a template or JSON that cannot be read,
  // options out of range.
  static Result<std::unique_ptr<Conversation>> create(serve::Model &model, const ChatOptions &options);

  // Lists and objects that the template sees; to be changed between replies.
  serve::ChatInput input;

  // Replaces the first message where it is the system's, or puts one there; an empty text takes it away.
  void setSystem(const std::string &text);
  bool hasSystem() const;

  // What the template makes of the conversation, up to where the assistant begins. Errors: those of the template, and
  // ResourceExhausted for a conversation that leaves no room in the context.
  Result<Prompt> prompt() const;
  // Writes the next message as the assistant; `sink` gets it as it comes. It ends early between two steps once `stop`
  // says so. The message is appended to the conversation, unless it was stopped before its first token. After an error
  // there is no going on.
  Result<Reply> reply(Prompt prompt, const Sink &sink, const std::function<bool()> &stop);

  const serve::SamplingParams &sampling() const { return params; }

private:
  Conversation(serve::Model &model, const ChatOptions &options);

  serve::Model &model;
  std::unique_ptr<chat::ChatSection> chat;
  SamplingOptions options;
  serve::SamplingParams params;
  std::vector<serve::ReasoningTags> tags;
  std::vector<int32_t> shown; // special tokens that spell tags
  serve::Scheduler scheduler;
  uint64_t session;
};

} // namespace ingot::tool

#endif
