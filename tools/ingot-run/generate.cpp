// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run generate: continues one prompt, streaming, or many that share steps. All prompts are checked before the
// first step. Results come in the order of the prompts, whoever finishes first.
#include "runtime/core/file.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/completion.h"
#include "tools/ingot-run/profile.h"
#include "tools/ingot-run/sampling.h"
#include "tools/ingot-run/tensor_files.h"

#include <unordered_map>

namespace ingot::tool {
namespace {

// Of a model with an encoder: the prompt becomes its source, and the decoder's text begins as it was asked for.
Result<void> encodePrompts(const GenerateOptions &o, const serve::Model &model, std::vector<Completion> &prompts) {
  const serve::SourceEntry &entry = *model.sources();
  std::vector<int32_t> start = o.decoderIds;
  if (o.decoderPrompt) {
    if (!model.tokenizer())
      return makeError(ErrorCode::InvalidArgument, "%s has no tokenizer; give what the answer begins with as --decoder-ids",
                       o.run.engine.c_str());
    start = model.tokenizer()->encode(*o.decoderPrompt, /*add_special=*/false);
  }
  if (start.empty())
    start = model.startIds();
  if (start.empty())
    return makeError(ErrorCode::InvalidArgument,
                     "%s does not say what its decoder's text begins with (decoder_start_token_id); give --decoder-ids or --decoder-prompt",
                     o.run.engine.c_str());
  for (Completion &prompt : prompts) {
    if (o.source) {
      INGOT_ASSIGN_OR_RETURN(prompt.source, readSource(model, *o.source));
    } else {
      if (!entry.takesIds())
        return makeError(ErrorCode::InvalidArgument, "the encoder of %s reads features, %s: give them as --source FILE.npy",
                         o.run.engine.c_str(), entry.text().c_str());
      INGOT_ASSIGN_OR_RETURN(prompt.source, entry.ofIds(prompt.promptIds));
      prompt.sourceIds = std::move(prompt.promptIds);
    }
    prompt.promptIds = start;
  }
  return {};
}

Result<std::vector<Completion>> readPrompts(const GenerateOptions &o, const serve::Model &model) {
  std::vector<Completion> prompts;
  if (o.prompts) {
    INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(*o.prompts));
    for (size_t at = 0; at < text.size();) {
      size_t end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      if (line.ends_with('\r'))
        line.pop_back();
      prompts.push_back({});
      prompts.back().prompt = std::move(line);
      at = end + 1;
    }
    if (prompts.empty())
      return makeError(ErrorCode::InvalidArgument, "%s has no prompts; write one on each line", o.prompts->c_str());
  } else {
    prompts.push_back({});
    prompts[0].prompt = o.prompt.value_or("");
    prompts[0].promptIds = o.ids;
  }
  const text::Tokenizer *tokenizer = model.tokenizer();
  if (o.source)
    return prompts;
  if (!o.ids.empty()) {
    // Ids outside the vocabulary are refused by name when the prompt is submitted.
    if (tokenizer &&
        std::all_of(o.ids.begin(), o.ids.end(), [&](int32_t id) { return id >= 0 && id < model.info().vocabulary; }))
      prompts[0].prompt = tokenizer->decode(o.ids, /*skip_special=*/true);
    return prompts;
  }
  if (!tokenizer)
    return makeError(ErrorCode::InvalidArgument, "%s has no tokenizer; give the prompt as --ids", o.run.engine.c_str());
  for (Completion &prompt : prompts)
    prompt.promptIds = tokenizer->encode(prompt.prompt, /*add_special=*/true);
  return prompts;
}

Result<int> run(const GenerateOptions &o) {
  // The number of prompts decides what is planned, so their text is read before the model is loaded.
  serve::LoadOptions load;
  load.chunk = o.run.chunk;
  load.givesSources = true;
  int64_t lines = 1;
  if (o.prompts) {
    INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(*o.prompts));
    lines = std::count(text.begin(), text.end(), '\n') + (text.ends_with('\n') ? 0 : 1);
  }
  load.sequences = o.maxBatch ? o.maxBatch : std::clamp<int64_t>(lines, 1, 8);
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, loadModel(o.run, load));
  INGOT_ASSIGN_OR_RETURN(std::vector<Completion> prompts, readPrompts(o, *model));
  if (model->sources())
    INGOT_RETURN_IF_ERROR(encodePrompts(o, *model, prompts));
  else if (o.source || o.decoderPrompt || !o.decoderIds.empty())
    return makeError(ErrorCode::InvalidArgument, "%s has no encoder: --source, --decoder-prompt and --decoder-ids are for models that have one",
                     o.run.engine.c_str());
  serve::SamplingParams params = samplingParams(o.sampling, *model);
  if (o.run.verbose)
    describeSampling(o.sampling, params, *model);

  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Profile> profile, Profile::start(model->runner(), o.run));
  serve::Scheduler scheduler(model->runner(), {o.run.chunk});
  std::unordered_map<uint64_t, size_t> byRequest;
  for (size_t i = 0; i < prompts.size(); ++i) {
    serve::Request request;
    request.prompt = prompts[i].promptIds;
    request.source = prompts[i].source;
    request.sampling = params;
    request.new_tokens = o.sampling.newTokens;
    request.end_ids = endIds(o.sampling, *model);
    request.stop = o.sampling.stop;
    Result<uint64_t> id = scheduler.submit(std::move(request), model->detokenizer(prompts[i].promptIds));
    if (!id)
      return prompts.size() == 1 ? id.error() : Error(id.error()).prefixed("prompt " + std::to_string(i + 1));
    byRequest[*id] = i;
  }

  // Text of the first unfinished prompt streams; what comes for later ones waits. JSON waits until its prompt is done.
  bool several = prompts.size() > 1;
  size_t current = 0, shown = 0; // characters of prompts[current].text that were printed
  auto begin = [&]() -> Result<void> {
    shown = 0;
    return !o.json && current < prompts.size() && (o.echo || several) ? print(prompts[current].prompt) : Result<void>();
  };
  auto show = [&](bool all) -> Result<void> {
    while (current < prompts.size()) {
      Completion &prompt = prompts[current];
      bool done = all || prompt.finish != serve::Finish::running;
      if (o.json) {
        if (!done)
          break;
        INGOT_RETURN_IF_ERROR(print(lineOf(jsonOf(prompt))));
      } else {
        INGOT_RETURN_IF_ERROR(print(std::string_view(prompt.text).substr(shown)));
        shown = prompt.text.size();
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
      Completion &prompt = prompts[byRequest[output.request]];
      if (output.id)
        prompt.ids.push_back(*output.id);
      prompt.text += output.text;
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
