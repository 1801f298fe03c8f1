// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See conversation.h.
#include "tools/ingot-run/conversation.h"

#include "runtime/core/file.h"
#include "tools/ingot-run/sampling.h"

#include <random>

namespace ingot::tool {
namespace {

// Special tokens out of which tags are spelled: `<|channel|>` of `<|channel|>analysis<|message|>`. Others are not text.
std::vector<int32_t> tokensOf(const std::vector<serve::ReasoningTags> &tags, const text::Tokenizer &tokenizer) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.size(); ++id)
    if (tokenizer.isSpecial(id)) {
      std::string piece = tokenizer.piece(id);
      for (const serve::ReasoningTags &pair : tags)
        if (pair.open.find(piece) != pair.open.npos || pair.close.find(piece) != pair.close.npos) {
          ids.push_back(id);
          break;
        }
    }
  return ids;
}

std::string trimmed(std::string_view text, bool end) {
  constexpr std::string_view kNewlines = "\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kNewlines), text.size()));
  if (size_t last = text.find_last_not_of(kNewlines); end && last != text.npos)
    text = text.substr(0, last + 1);
  return std::string(text);
}

} // namespace

Conversation::Conversation(serve::Model &model, const ChatOptions &o)
    : model(model), options(o.sampling), params(samplingParams(o.sampling, model)), tags(serve::knownReasoningTags()),
      scheduler(model.runner(), {o.run.chunk, model.options().rewind}), session(scheduler.openSession()) {
  if (o.reasoningTags.size() == 2)
    tags = {{o.reasoningTags[0], o.reasoningTags[1]}};
  shown = tokensOf(tags, *model.tokenizer());
}

Result<std::unique_ptr<Conversation>> Conversation::create(serve::Model &model, const ChatOptions &o) {
  if (!model.tokenizer())
    return makeError(ErrorCode::InvalidArgument, "%s has no tokenizer, so it reads no text", o.run.engine.c_str());
  std::unique_ptr<Conversation> conversation(new Conversation(model, o));
  std::string source;
  if (o.chatTemplate) {
    INGOT_ASSIGN_OR_RETURN(source, runtime::readTextFile(*o.chatTemplate));
    if (source.empty())
      return makeError(ErrorCode::InvalidArgument, "%s is empty, expected a chat template", o.chatTemplate->c_str());
  }
  Result<std::unique_ptr<chat::ChatSection>> loaded = serve::loadChat(model, source);
  if (!loaded && loaded.error().code() == ErrorCode::NotFound)
    return makeError(ErrorCode::NotFound,
                     "%s; give one with --chat-template FILE.jinja, or continue a text with ingot-run generate",
                     loaded.error().message().c_str());
  if (!loaded)
    return Error(loaded.error()).prefixed(o.chatTemplate ? *o.chatTemplate : o.run.engine);
  conversation->chat = std::move(*loaded);
  if (o.messages) {
    INGOT_ASSIGN_OR_RETURN(conversation->input, readMessages(*o.messages));
  }
  if (o.tools) {
    INGOT_ASSIGN_OR_RETURN(conversation->input.variables["tools"], readTools(*o.tools));
  }
  for (const auto &[key, value] : o.variables)
    conversation->input.variables[key] = variableOf(value);
  if (o.system && o.messages && conversation->hasSystem())
    return makeError(ErrorCode::InvalidArgument, "%s begins with a system message already; leave out --system",
                     o.messages->c_str());
  if (o.system)
    conversation->setSystem(*o.system);
  INGOT_RETURN_IF_ERROR(serve::validate(conversation->params));
  return std::move(conversation);
}

bool Conversation::hasSystem() const { return !input.messages.empty() && input.messages[0]["role"] == "system"; }

void Conversation::setSystem(const std::string &text) {
  if (hasSystem())
    input.messages.erase(0);
  if (!text.empty())
    input.messages.insert(input.messages.begin(), message("system", text));
}

Result<Prompt> Conversation::prompt() const {
  Prompt prompt;
  INGOT_ASSIGN_OR_RETURN(prompt.text, serve::render(*chat, input));
  // The template writes special tokens itself, the one that begins a text included.
  prompt.ids = model.tokenizer()->encode(prompt.text, /*add_special=*/false);
  if (prompt.ids.empty())
    return makeError(ErrorCode::InvalidArgument, "the chat template makes no text of this conversation");
  if (int64_t(prompt.ids.size()) >= model.info().context)
    return makeError(ErrorCode::ResourceExhausted,
                     "the conversation has %zu tokens, but the context holds %lld, with at least one of a reply",
                     prompt.ids.size(), (long long)model.info().context);
  return prompt;
}

Result<Reply> Conversation::reply(Prompt prompt, const Sink &sink, const std::function<bool()> &stop) {
  serve::Request request;
  request.prompt = prompt.ids;
  request.session = session;
  if (!options.seed)
    params.seed = int64_t(std::random_device{}());
  request.sampling = params;
  request.new_tokens = options.newTokens;
  request.end_ids = endIds(options, model);
  request.stop = options.stop;
  uint64_t reusedBefore = scheduler.stats().reused_tokens;
  INGOT_ASSIGN_OR_RETURN(uint64_t id, scheduler.submit(std::move(request), model.detokenizer(prompt.ids, shown)));

  Reply reply;
  Completion &completion = reply.completion;
  serve::ReasoningSplitter splitter(tags, prompt.text);
  std::string answer, reasoning;
  auto take = [&](const std::vector<serve::ReasoningSplitter::Piece> &pieces) -> Result<void> {
    for (const serve::ReasoningSplitter::Piece &piece : pieces) {
      completion.text += piece.text;
      if (piece.part == serve::ReasoningSplitter::Part::reasoning)
        reasoning += piece.text;
      else if (piece.part == serve::ReasoningSplitter::Part::answer)
        answer += piece.text;
      INGOT_RETURN_IF_ERROR(sink(piece));
    }
    return {};
  };
  while (completion.finish == serve::Finish::running) {
    if (stop()) {
      scheduler.cancel(id);
      completion.finish = serve::Finish::cancelled;
      break;
    }
    INGOT_ASSIGN_OR_RETURN(std::vector<serve::Output> outputs, scheduler.step());
    for (const serve::Output &output : outputs) {
      if (output.id)
        completion.ids.push_back(*output.id);
      completion.finish = output.finish;
      completion.stop = output.stop;
      completion.timing = output.timing;
      INGOT_RETURN_IF_ERROR(take(splitter.push(output.text)));
    }
  }
  INGOT_RETURN_IF_ERROR(take(splitter.finish()));
  completion.prompt = std::move(prompt.text);
  completion.promptIds = std::move(prompt.ids);
  reply.reusedTokens = scheduler.stats().reused_tokens - reusedBefore;

  // The newlines between reasoning and answer belong to neither; a template writes its own.
  bool reasoned = !reasoning.empty();
  reply.message = message("assistant", reasoned ? trimmed(answer, /*end=*/false) : answer);
  if (reasoned)
    reply.message["reasoning_content"] = trimmed(reasoning, /*end=*/true);
  if (!completion.ids.empty())
    input.messages.push_back(reply.message);
  return reply;
}

} // namespace ingot::tool
