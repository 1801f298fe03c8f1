// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run generate: continues one prompt, streaming, or many that share steps. All prompts are checked before the
// first step. Results come in the order of the prompts, whoever finishes first.
#include "runtime/core/file.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/profile.h"

#include <nlohmann/json.hpp>

#include <random>
#include <unordered_map>

namespace ingot::tool {
namespace {

struct Prompt {
  std::string text; // as given; decoded where ids were given
  std::vector<int32_t> ids;
  // What came of it.
  std::string output;
  std::vector<int32_t> outputIds;
  serve::Finish finish = serve::Finish::running;
  std::string stop;
  serve::Timing timing;
};

Result<std::vector<Prompt>> readPrompts(const GenerateOptions &o, const serve::Model &model) {
  std::vector<Prompt> prompts;
  if (o.prompts) {
    INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(*o.prompts));
    for (size_t at = 0; at < text.size();) {
      size_t end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      if (line.ends_with('\r'))
        line.pop_back();
      prompts.push_back({});
      prompts.back().text = std::move(line);
      at = end + 1;
    }
    if (prompts.empty())
      return makeError(ErrorCode::InvalidArgument, "%s has no prompts; write one on each line", o.prompts->c_str());
  } else {
    prompts.push_back({});
    prompts[0].text = o.prompt.value_or("");
    prompts[0].ids = o.ids;
  }
  const text::Tokenizer *tokenizer = model.tokenizer();
  if (!o.ids.empty()) {
    // Ids outside the vocabulary are refused by name when the prompt is submitted.
    if (tokenizer &&
        std::all_of(o.ids.begin(), o.ids.end(), [&](int32_t id) { return id >= 0 && id < model.info().vocabulary; }))
      prompts[0].text = tokenizer->decode(o.ids, /*skip_special=*/true);
    return prompts;
  }
  if (!tokenizer)
    return makeError(ErrorCode::InvalidArgument, "%s has no tokenizer; give the prompt as --ids", o.run.engine.c_str());
  for (Prompt &prompt : prompts)
    prompt.ids = tokenizer->encode(prompt.text, /*add_special=*/true);
  return prompts;
}

serve::SamplingParams sampling(const GenerateOptions &o, const serve::Model &model) {
  serve::SamplingParams params = model.defaultSampling();
  // An option that only makes sense when drawing asks for drawing, unless greedy is asked for by name.
  if (params.temperature == 0 && !o.greedy && (o.topK || o.topP || o.minP || o.seed))
    params.temperature = 1;
  if (o.temperature)
    params.temperature = *o.temperature;
  if (o.topK)
    params.top_k = *o.topK;
  if (o.topP)
    params.top_p = *o.topP;
  if (o.minP)
    params.min_p = *o.minP;
  if (o.repetitionPenalty)
    params.repetition_penalty = *o.repetitionPenalty;
  if (o.presencePenalty)
    params.presence_penalty = *o.presencePenalty;
  if (o.frequencyPenalty)
    params.frequency_penalty = *o.frequencyPenalty;
  if (o.greedy)
    params.temperature = 0;
  params.seed = o.seed ? *o.seed : int64_t(std::random_device{}());
  return params;
}

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

std::string json(const Prompt &prompt) {
  nlohmann::ordered_json object;
  object["prompt"] = prompt.text;
  object["text"] = prompt.output;
  object["prompt_ids"] = prompt.ids;
  object["ids"] = prompt.outputIds;
  object["finish_reason"] = reason(prompt.finish);
  if (prompt.finish == serve::Finish::stop_string)
    object["stop_reason"] = prompt.stop;
  else if (prompt.finish == serve::Finish::end_token)
    object["stop_reason"] = prompt.outputIds.back();
  else
    object["stop_reason"] = nullptr;
  size_t decoded = prompt.outputIds.empty() ? 0 : prompt.outputIds.size() - 1; // the first comes out of the prefill
  nlohmann::ordered_json timings;
  timings["prompt_tokens"] = prompt.ids.size();
  timings["new_tokens"] = prompt.outputIds.size();
  if (prompt.finish == serve::Finish::running) { // interrupted
    timings["prefill_seconds"] = timings["decode_seconds"] = timings["tokens_per_second"] = nullptr;
  } else {
    timings["prefill_seconds"] = prompt.timing.prefill_seconds;
    timings["decode_seconds"] = prompt.timing.decode_seconds;
    timings["tokens_per_second"] =
        prompt.timing.decode_seconds > 0 ? double(decoded) / prompt.timing.decode_seconds : 0.0;
  }
  object["timings"] = std::move(timings);
  // Bytes that are no UTF-8 (a prompt may have them) become U+FFFD.
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<int> run(const GenerateOptions &o) {
  // The number of prompts decides what is planned, so their text is read before the model is loaded.
  serve::LoadOptions load;
  load.chunk = o.run.chunk;
  int64_t lines = 1;
  if (o.prompts) {
    INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(*o.prompts));
    lines = std::count(text.begin(), text.end(), '\n') + (text.ends_with('\n') ? 0 : 1);
  }
  load.sequences = o.maxBatch ? o.maxBatch : std::clamp<int64_t>(lines, 1, 8);
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, loadModel(o.run, load));
  INGOT_ASSIGN_OR_RETURN(std::vector<Prompt> prompts, readPrompts(o, *model));
  serve::SamplingParams params = sampling(o, *model);
  if (o.run.verbose && params.temperature > 0)
    note("seed        %lld", (long long)params.seed);

  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Profile> profile, Profile::start(model->runner(), o.run));
  serve::Scheduler scheduler(model->runner(), {o.run.chunk});
  std::unordered_map<uint64_t, size_t> byRequest;
  for (size_t i = 0; i < prompts.size(); ++i) {
    serve::Request request;
    request.prompt = prompts[i].ids;
    request.sampling = params;
    request.new_tokens = o.newTokens;
    if (!o.ignoreEos)
      request.end_ids = model->endIds();
    request.stop = o.stop;
    Result<uint64_t> id = scheduler.submit(std::move(request), model->detokenizer(prompts[i].ids));
    if (!id)
      return prompts.size() == 1 ? id.error() : Error(id.error()).prefixed("prompt " + std::to_string(i + 1));
    byRequest[*id] = i;
  }

  // Text of the first unfinished prompt streams; what comes for later ones waits. JSON waits until its prompt is done.
  bool several = prompts.size() > 1;
  size_t current = 0, shown = 0; // characters of prompts[current].output that were printed
  auto begin = [&]() -> Result<void> {
    shown = 0;
    return !o.json && current < prompts.size() && (o.echo || several) ? print(prompts[current].text) : Result<void>();
  };
  auto show = [&](bool all) -> Result<void> {
    while (current < prompts.size()) {
      Prompt &prompt = prompts[current];
      bool done = all || prompt.finish != serve::Finish::running;
      if (o.json) {
        if (!done)
          break;
        INGOT_RETURN_IF_ERROR(print(json(prompt)));
      } else {
        INGOT_RETURN_IF_ERROR(print(std::string_view(prompt.output).substr(shown)));
        shown = prompt.output.size();
        if (!done)
          break;
        INGOT_RETURN_IF_ERROR(print(several && current + 1 < prompts.size() ? "\n\n" : "\n"));
      }
      ++current;
      INGOT_RETURN_IF_ERROR(begin());
    }
    return flush();
  };

  INGOT_RETURN_IF_ERROR(begin());
  INGOT_RETURN_IF_ERROR(flush());
  auto start = std::chrono::steady_clock::now();
  while (!scheduler.idle() && !interrupted()) {
    INGOT_ASSIGN_OR_RETURN(std::vector<serve::Output> outputs, scheduler.step());
    for (serve::Output &output : outputs) {
      Prompt &prompt = prompts[byRequest[output.request]];
      if (output.id)
        prompt.outputIds.push_back(*output.id);
      prompt.output += output.text;
      prompt.finish = output.finish;
      prompt.stop = output.stop;
      prompt.timing = output.timing;
    }
    INGOT_RETURN_IF_ERROR(show(false));
  }
  if (interrupted())
    INGOT_RETURN_IF_ERROR(show(true));
  INGOT_RETURN_IF_ERROR(profile->finish());
  if (o.run.verbose) {
    const serve::SchedulerStats &stats = scheduler.stats();
    note("ran         %llu steps in %.2f s: %llu tokens of prompts, %llu decoded, %llu preemptions",
         (unsigned long long)stats.steps, secondsSince(start), (unsigned long long)stats.prefill_tokens,
         (unsigned long long)stats.decode_tokens, (unsigned long long)stats.preemptions);
  }
  return interrupted() ? kInterrupted : 0;
}

} // namespace

int generate(const GenerateOptions &options) {
  Result<int> status = run(options);
  return status ? *status : report(status.error());
}

} // namespace ingot::tool
