// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API of runtime/include/ingot.h over runtime/serve: checks pointers, turns errors into a code and a sentence of
// this thread, and lets no exception out. What the functions promise stands in the header.
#include "runtime/include/ingot.h"

#include "runtime/capi/status.h"
#include "runtime/serve/chat.h"
#include "runtime/serve/model.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <unordered_map>

using namespace ingot;
using namespace ingot::capi;
using runtime::Error;
using runtime::ErrorCode;
using runtime::makeError;
using runtime::Result;

struct ingot_model {
  std::unique_ptr<serve::Model> model;
  std::vector<serve::PagePool> pools; // of the sequences that the caller made
  size_t sequences = 0;
  // Of ingot_generate; kept as long as there are sessions. After a failed step it is made anew, and so are the
  // sessions' parts of it: `epoch` tells whose are of an earlier one.
  std::unique_ptr<serve::Scheduler> scheduler;
  size_t sessions = 0;
  uint64_t epoch = 0;
  std::string variant;
  std::vector<int32_t> start;
  mutable std::mutex chatMutex;
  mutable std::unique_ptr<chat::ChatSection> chat; // once it was asked for
};

struct ingot_session {
  ingot_model *owner;
  uint64_t id = 0, epoch = 0; // of the scheduler's session
};

struct ingot_sequence {
  ingot_model *owner;
  serve::PagedSequence pages;
};

namespace {

serve::SamplingParams samplingOf(const ingot_generate_options &o) {
  serve::SamplingParams params;
  params.temperature = o.temperature;
  params.top_k = o.top_k;
  params.top_p = o.top_p;
  params.min_p = o.min_p;
  params.repetition_penalty = o.repetition_penalty;
  params.presence_penalty = o.presence_penalty;
  params.frequency_penalty = o.frequency_penalty;
  params.seed = o.seed;
  return params;
}

ingot_finish finishOf(serve::Finish finish) {
  switch (finish) {
  case serve::Finish::end_token:
    return INGOT_END_TOKEN;
  case serve::Finish::stop_string:
    return INGOT_STOP_STRING;
  case serve::Finish::new_tokens:
    return INGOT_NEW_TOKENS;
  case serve::Finish::context:
    return INGOT_CONTEXT_FULL;
  case serve::Finish::running:
  case serve::Finish::cancelled:
    break;
  }
  return INGOT_RUNNING;
}

// Makes the scheduler where there is none.
void keepScheduler(ingot_model &model) {
  if (model.scheduler)
    return;
  serve::SchedulerOptions options;
  options.chunk = model.model->options().chunk;
  model.scheduler = std::make_unique<serve::Scheduler>(model.model->runner(), options);
  ++model.epoch;
}

// The number of a session in it.
uint64_t numberOf(ingot_session &session) {
  keepScheduler(*session.owner);
  if (session.epoch != session.owner->epoch) {
    session.id = session.owner->scheduler->openSession();
    session.epoch = session.owner->epoch;
  }
  return session.id;
}

// A caller's tensor as what the model's encoder reads.
Result<serve::Source> sourceOf(const ingot_model &model, const ingot_tensor &tensor) {
  const serve::SourceEntry *entry = model.model->sources();
  if (!entry)
    return makeError(ErrorCode::InvalidArgument, "the model has no encoder that would read a source");
  int64_t elements = 1;
  if (!tensor.shape || !tensor.data || tensor.rank == 0 || tensor.rank > 8)
    return makeError(ErrorCode::InvalidArgument, "the source has no shape or no data; expected %s", entry->text().c_str());
  for (size_t i = 0; i < tensor.rank; ++i)
    if (tensor.shape[i] < 1 || __builtin_mul_overflow(elements, tensor.shape[i], &elements))
      return makeError(ErrorCode::InvalidArgument, "dimension %zu of the source is %lld; expected %s", i, (long long)tensor.shape[i],
                       entry->text().c_str());
  const size_t each = ingot_type_bytes(tensor.type);
  if (each == 0 || tensor.bytes / each != size_t(elements) || tensor.bytes % each)
    return makeError(ErrorCode::InvalidArgument, "the source has %zu bytes; its type and shape ask for %lld elements of %zu", tensor.bytes,
                     (long long)elements, each);
  return entry->ofTensor(format::ElementType(tensor.type), std::span(tensor.shape, tensor.rank), tensor.data);
}

// Whatever happens, a call of ingot_generate leaves no request behind.
struct Requests {
  explicit Requests(serve::Scheduler &scheduler) : scheduler(scheduler) {}
  ~Requests() {
    for (const auto &[request, prompt] : prompts)
      scheduler.cancel(request);
  }
  serve::Scheduler &scheduler;
  std::unordered_map<uint64_t, size_t> prompts; // by request
};

// At its end the scheduler is dropped when no session lives in it, or a step of it has failed.
struct KeptScheduler {
  ~KeptScheduler() {
    if (!sound || model.sessions == 0)
      model.scheduler.reset();
  }
  ingot_model &model;
  bool sound = true;
};

ingot_status generateOn(ingot_model &model, const ingot_prompt *prompts, size_t count, ingot_output_callback callback,
                        void *user, bool &sound) {
  serve::Scheduler &scheduler = *model.scheduler;
  Requests requests(scheduler);
  for (size_t i = 0; i < count; ++i) {
    ingot_generate_options options;
    ingot_generate_options_init(&model, &options);
    if (ingot_status status = readStruct(prompts[i].options, options, "ingot_generate_options"))
      return status;
    if ((!prompts[i].ids && prompts[i].count) || (!options.stop && options.stop_count))
      return nullArgument("ingot_generate", prompts[i].ids ? "stop" : "ids");
    serve::Request request;
    request.prompt.assign(prompts[i].ids, prompts[i].ids + prompts[i].count);
    if (options.source) {
      Result<serve::Source> source = sourceOf(model, *options.source);
      if (!source)
        return fail(Error(source.error()).prefixed("prompt " + std::to_string(i)));
      request.source = std::move(*source);
      if (request.prompt.empty())
        request.prompt = model.model->startIds();
    }
    request.sampling = samplingOf(options);
    request.new_tokens = options.new_tokens;
    if (!options.ignore_end)
      request.end_ids = model.model->endIds();
    for (size_t s = 0; s < options.stop_count; ++s) {
      if (!options.stop[s])
        return nullArgument("ingot_generate", "a stop string");
      request.stop.emplace_back(options.stop[s]);
    }
    if (options.session) {
      if (options.session->owner != &model)
        return fail(INGOT_INVALID_ARGUMENT,
                    "ingot_generate: prompt " + std::to_string(i) + ": the session is of another model");
      request.session = numberOf(*options.session);
    }
    // The detokenizer is fed the prompt, so its ids must be sound: submit checks them, the text comes after.
    bool sound = std::all_of(request.prompt.begin(), request.prompt.end(),
                             [&](int32_t id) { return id >= 0 && id < model.model->info().vocabulary; });
    std::unique_ptr<serve::Detokenizer> text = sound ? model.model->detokenizer(request.prompt) : nullptr;
    Result<uint64_t> id = scheduler.submit(std::move(request), std::move(text));
    if (!id)
      return fail(Error(id.error()).prefixed("prompt " + std::to_string(i)));
    requests.prompts[*id] = i;
  }
  while (!scheduler.idle()) {
    sound = false;
    Result<std::vector<serve::Output>> outputs = scheduler.step();
    if (!outputs)
      return fail(outputs.error());
    sound = true;
    for (const serve::Output &output : *outputs) {
      ingot_output told{};
      told.prompt = requests.prompts[output.request];
      told.id = output.id.value_or(-1);
      told.log_probability = output.log_probability;
      told.text = output.text.c_str();
      told.text_bytes = output.text.size();
      told.finish = finishOf(output.finish);
      if (callback(user, &told) != 0)
        return fail(INGOT_STOPPED, "the callback asked to stop");
    }
  }
  return INGOT_OK;
}

} // namespace

const char *ingot_version(void) { return INGOT_VERSION; }

const char *ingot_status_name(ingot_status status) {
  switch (status) {
  case INGOT_OK:
    return "ok";
  case INGOT_INVALID_ARGUMENT:
    return "invalid_argument";
  case INGOT_NOT_FOUND:
    return "not_found";
  case INGOT_CORRUPT:
    return "corrupt";
  case INGOT_UNSUPPORTED:
    return "unsupported";
  case INGOT_RESOURCE_EXHAUSTED:
    return "resource_exhausted";
  case INGOT_IO:
    return "io";
  case INGOT_INTERNAL:
    return "internal";
  case INGOT_STOPPED:
    return "stopped";
  }
  return "unknown";
}

const char *ingot_error_message(void) { return capi::lastError().c_str(); }

void ingot_load_options_init(ingot_load_options *options) {
  if (!options)
    return;
  *options = {};
  options->struct_size = sizeof *options;
  options->sequences = 8;
  options->chunk = 512;
}

ingot_status ingot_load(const char *path, const ingot_load_options *options, ingot_model **model) {
  if (!model)
    return nullArgument("ingot_load", "model");
  *model = nullptr;
  if (!path)
    return nullArgument("ingot_load", "path");
  return guarded([&] {
    ingot_load_options full;
    ingot_load_options_init(&full);
    if (ingot_status status = readStruct(options, full, "ingot_load_options"))
      return status;
    serve::LoadOptions load;
    load.threads = full.threads;
    load.context = full.context;
    load.cache_bytes = full.cache_bytes;
    load.sequences = full.sequences;
    load.chunk = full.chunk;
    load.step_tokens = full.step_tokens;
    load.logit_rows = full.logit_rows;
    load.source = full.source;
    load.givesSources = true;
    Result<std::unique_ptr<serve::Model>> loaded = serve::Model::load(path, load);
    if (!loaded)
      return fail(loaded.error());
    auto made = std::make_unique<ingot_model>();
    made->model = std::move(*loaded);
    for (const serve::PageGroup &group : made->model->info().groups)
      made->pools.emplace_back(group);
    const runtime::VariantChoice &choice = made->model->runner().executor().choice();
    if (choice.taken)
      made->variant = choice.verdicts[*choice.taken].name;
    made->start = made->model->startIds();
    *model = made.release();
    return INGOT_OK;
  });
}

void ingot_model_free(ingot_model *model) { delete model; }

void ingot_model_info_init(ingot_model_info *info) {
  if (!info)
    return;
  *info = {};
  info->struct_size = sizeof *info;
}

ingot_status ingot_model_get_info(const ingot_model *model, ingot_model_info *info) {
  if (!model)
    return nullArgument("ingot_model_get_info", "model");
  if (!info)
    return nullArgument("ingot_model_get_info", "info");
  ingot_model_info full{};
  if (ingot_status status = readStruct(info, full, "ingot_model_info"))
    return status;
  const format::Head &head = model->model->engine().head();
  const serve::RunnerInfo &facts = model->model->info();
  runtime::Executor &executor = model->model->runner().executor();
  full.struct_size = info->struct_size;
  full.name = head.model()->c_str();
  full.family = head.family()->c_str();
  full.compute = head.compute()->c_str();
  full.variant = model->variant.c_str();
  full.vocabulary = facts.vocabulary;
  full.context = facts.context;
  full.sequences = facts.sequences;
  full.step_tokens = facts.tokens;
  full.logit_rows = facts.logit_rows;
  full.threads = executor.threads();
  full.weight_bytes = executor.memory().weights;
  full.arena_bytes = executor.memory().arenas;
  full.cache_bytes = executor.memory().cache;
  full.has_tokenizer = model->model->tokenizer() != nullptr;
  const format::Generation *generation = model->model->engine().plan().generation();
  full.bos = generation ? generation->bos() : -1;
  full.source = facts.source;
  full.source_is_ids = model->model->sources() && model->model->sources()->takesIds();
  full.start_ids = model->start.data();
  full.start_count = model->start.size();
  std::memcpy(static_cast<void *>(info), &full, info->struct_size);
  return INGOT_OK;
}

ingot_status ingot_tokenize(const ingot_model *model, const char *text, size_t bytes, int add_special, int32_t *ids,
                            size_t capacity, size_t *count) {
  if (!model)
    return nullArgument("ingot_tokenize", "model");
  if (!text && bytes)
    return nullArgument("ingot_tokenize", "text");
  if (!ids && capacity)
    return nullArgument("ingot_tokenize", "ids");
  if (!count)
    return nullArgument("ingot_tokenize", "count");
  return guarded([&] {
    const text::Tokenizer *tokenizer = model->model->tokenizer();
    if (!tokenizer)
      return fail(INGOT_NOT_FOUND, "the engine has no tokenizer");
    std::vector<int32_t> found = tokenizer->encode(std::string_view(text, bytes), add_special != 0);
    std::copy_n(found.begin(), std::min(capacity, found.size()), ids);
    *count = found.size();
    return INGOT_OK;
  });
}

ingot_status ingot_detokenize(const ingot_model *model, const int32_t *ids, size_t count, int skip_special, char *text,
                              size_t capacity, size_t *bytes) {
  if (!model)
    return nullArgument("ingot_detokenize", "model");
  if (!ids && count)
    return nullArgument("ingot_detokenize", "ids");
  if (!text && capacity)
    return nullArgument("ingot_detokenize", "text");
  if (!bytes)
    return nullArgument("ingot_detokenize", "bytes");
  return guarded([&] {
    const text::Tokenizer *tokenizer = model->model->tokenizer();
    if (!tokenizer)
      return fail(INGOT_NOT_FOUND, "the engine has no tokenizer");
    for (size_t i = 0; i < count; ++i)
      if (ids[i] < 0 || ids[i] >= model->model->info().vocabulary)
        return fail(makeError(ErrorCode::InvalidArgument, "id %d at place %zu is outside the vocabulary 0..%lld",
                              ids[i], i, (long long)model->model->info().vocabulary - 1));
    std::string found = tokenizer->decode(std::span(ids, count), skip_special != 0);
    std::copy_n(found.begin(), std::min(capacity, found.size()), text);
    *bytes = found.size();
    return INGOT_OK;
  });
}

ingot_status ingot_chat_render(const ingot_model *model, const char *conversation, size_t conversation_bytes,
                               char *text, size_t capacity, size_t *bytes) {
  if (!model)
    return nullArgument("ingot_chat_render", "model");
  if (!conversation)
    return nullArgument("ingot_chat_render", "conversation");
  if (!text && capacity)
    return nullArgument("ingot_chat_render", "text");
  if (!bytes)
    return nullArgument("ingot_chat_render", "bytes");
  return guarded([&] {
    Result<serve::ChatInput> input =
        serve::parseConversation(std::string_view(conversation, conversation_bytes), "ingot_chat_render");
    if (!input)
      return fail(input.error());
    {
      std::lock_guard lock(model->chatMutex);
      if (!model->chat) {
        Result<std::unique_ptr<chat::ChatSection>> loaded = serve::loadChat(*model->model, {});
        if (!loaded)
          return fail(loaded.error());
        model->chat = std::move(*loaded);
      }
    }
    Result<std::string> rendered = serve::render(*model->chat, *input);
    if (!rendered)
      return fail(rendered.error());
    std::copy_n(rendered->begin(), std::min(capacity, rendered->size()), text);
    *bytes = rendered->size();
    return INGOT_OK;
  });
}

void ingot_generate_options_init(const ingot_model *model, ingot_generate_options *options) {
  if (!options)
    return;
  *options = {};
  options->struct_size = sizeof *options;
  serve::SamplingParams params = model ? model->model->defaultSampling() : serve::SamplingParams{};
  options->temperature = params.temperature;
  options->top_k = params.top_k;
  options->top_p = params.top_p;
  options->min_p = params.min_p;
  options->repetition_penalty = params.repetition_penalty;
  options->presence_penalty = params.presence_penalty;
  options->frequency_penalty = params.frequency_penalty;
}

ingot_status ingot_generate(ingot_model *model, const ingot_prompt *prompts, size_t count,
                            ingot_output_callback callback, void *user) {
  if (!model)
    return nullArgument("ingot_generate", "model");
  if (!prompts && count)
    return nullArgument("ingot_generate", "prompts");
  if (!callback)
    return nullArgument("ingot_generate", "callback");
  if (model->sequences)
    return fail(INGOT_INVALID_ARGUMENT, "ingot_generate: " + std::to_string(model->sequences) +
                                            " sequences of the model hold its cache; free them first");
  return guarded([&] {
    keepScheduler(*model);
    KeptScheduler kept{*model};
    return generateOn(*model, prompts, count, callback, user, kept.sound);
  });
}

ingot_status ingot_session_create(ingot_model *model, ingot_session **session) {
  if (!session)
    return nullArgument("ingot_session_create", "session");
  *session = nullptr;
  if (!model)
    return nullArgument("ingot_session_create", "model");
  if (model->sequences)
    return fail(INGOT_INVALID_ARGUMENT, "ingot_session_create: " + std::to_string(model->sequences) +
                                            " sequences of the model hold its cache; free them first");
  return guarded([&] {
    auto made = std::make_unique<ingot_session>(ingot_session{model});
    numberOf(*made);
    ++model->sessions;
    *session = made.release();
    return INGOT_OK;
  });
}

void ingot_session_free(ingot_session *session) {
  if (!session)
    return;
  ingot_model &model = *session->owner;
  if (model.scheduler && session->epoch == model.epoch)
    model.scheduler->closeSession(session->id);
  if (--model.sessions == 0)
    model.scheduler.reset();
  delete session;
}

int64_t ingot_session_length(const ingot_session *session) {
  return session && session->owner->scheduler && session->epoch == session->owner->epoch
             ? session->owner->scheduler->sessionLength(session->id)
             : 0;
}

ingot_status ingot_sequence_create(ingot_model *model, ingot_sequence **sequence) {
  if (!sequence)
    return nullArgument("ingot_sequence_create", "sequence");
  *sequence = nullptr;
  if (!model)
    return nullArgument("ingot_sequence_create", "model");
  if (model->sessions)
    return fail(INGOT_INVALID_ARGUMENT, "ingot_sequence_create: " + std::to_string(model->sessions) +
                                            " sessions of the model hold its cache; free them first");
  return guarded([&] {
    *sequence = new ingot_sequence{model, serve::PagedSequence(model->pools.size())};
    ++model->sequences;
    return INGOT_OK;
  });
}

ingot_status ingot_sequence_encode(ingot_sequence *sequence, const ingot_tensor *source) {
  if (!sequence)
    return nullArgument("ingot_sequence_encode", "sequence");
  if (!source)
    return nullArgument("ingot_sequence_encode", "source");
  return guarded([&] {
    ingot_model &model = *sequence->owner;
    Result<serve::Source> made = sourceOf(model, *source);
    if (!made)
      return fail(Error(made.error()).prefixed("ingot_sequence_encode"));
    serve::ExecutorRunner &runner = model.model->runner();
    Result<int64_t> positions = runner.sourcePositions(*made);
    if (!positions)
      return fail(Error(positions.error()).prefixed("ingot_sequence_encode"));
    if (*positions > model.model->info().source)
      return fail(makeError(ErrorCode::InvalidArgument, "ingot_sequence_encode: the source has %lld positions, but %lld were planned",
                            (long long)*positions, (long long)model.model->info().source));
    if (sequence->pages.sourceLength() > 0)
      return fail(INGOT_INVALID_ARGUMENT, "ingot_sequence_encode: the sequence has a source already");
    if (!sequence->pages.reserve(model.pools, sequence->pages.length(), *positions))
      return fail(INGOT_RESOURCE_EXHAUSTED, "ingot_sequence_encode: the cache has no room for the source; free a sequence or load the "
                                            "model with more cache_bytes");
    if (Result<void> ran = runner.encode(*made, serve::sourceSlots(model.pools, sequence->pages)); !ran)
      return fail(ran.error());
    return INGOT_OK;
  });
}

void ingot_sequence_free(ingot_sequence *sequence) {
  if (!sequence)
    return;
  sequence->pages.release(sequence->owner->pools);
  --sequence->owner->sequences;
  delete sequence;
}

int64_t ingot_sequence_length(const ingot_sequence *sequence) { return sequence ? sequence->pages.length() : 0; }

ingot_status ingot_step(ingot_model *model, const ingot_row *rows, size_t count, float *logits) {
  if (!model)
    return nullArgument("ingot_step", "model");
  if (!rows || count == 0)
    return nullArgument("ingot_step", "rows");
  return guarded([&] {
    const serve::RunnerInfo &info = model->model->info();
    int64_t tokens = 0;
    std::set<const ingot_sequence *> seen;
    serve::BatchBuilder builder(model->pools);
    for (size_t r = 0; r < count; ++r) {
      const ingot_row &row = rows[r];
      auto refuse = [&](const std::string &what) {
        return fail(INGOT_INVALID_ARGUMENT, "ingot_step: row " + std::to_string(r) + ": " + what);
      };
      if (!row.sequence || row.sequence->owner != model)
        return refuse("the sequence is null or of another model");
      if (!seen.insert(row.sequence).second)
        return refuse("its sequence has a row before it");
      if (!row.ids || row.count == 0)
        return refuse("it has no ids");
      if (info.source && row.sequence->pages.sourceLength() == 0)
        return refuse("its sequence has no source, to which its tokens attend; give it one with ingot_sequence_encode");
      for (size_t i = 0; i < row.count; ++i)
        if (row.ids[i] < 0 || row.ids[i] >= info.vocabulary)
          return refuse("id " + std::to_string(row.ids[i]) + " at place " + std::to_string(i) +
                        " is outside the vocabulary 0.." + std::to_string(info.vocabulary - 1));
      if (row.sequence->pages.length() + int64_t(row.count) > info.context)
        return refuse("the sequence has " + std::to_string(row.sequence->pages.length()) + " positions, and " +
                      std::to_string(row.count) + " more pass the context of " + std::to_string(info.context));
      if (row.want < INGOT_NO_LOGITS || row.want > INGOT_ALL_LOGITS)
        return refuse("want is " + std::to_string(int(row.want)) + ", expected 0, 1 or 2");
      tokens += int64_t(row.count);
      builder.add(row.sequence->pages, std::span(row.ids, row.count), serve::WantLogits(row.want));
    }
    auto within = [&](const char *what, int64_t value, int64_t bound) {
      return value <= bound
                 ? INGOT_OK
                 : fail(makeError(ErrorCode::InvalidArgument, "ingot_step: %lld %s, but the model was loaded for %lld",
                                  (long long)value, what, (long long)bound));
    };
    if (ingot_status status = within("sequences", int64_t(count), info.sequences))
      return status;
    if (ingot_status status = within("tokens", tokens, info.tokens))
      return status;
    if (ingot_status status = within("rows of logits", builder.logitRows(), info.logit_rows))
      return status;
    if (!logits && builder.logitRows())
      return nullArgument("ingot_step", "logits");
    // What rows before a failing one reserved stays theirs: it is used by their next step, or freed with them.
    for (size_t r = 0; r < count; ++r)
      if (!rows[r].sequence->pages.reserve(model->pools, rows[r].sequence->pages.length() + int64_t(rows[r].count),
                                           rows[r].sequence->pages.sourceLength()))
        return fail(
            makeError(ErrorCode::ResourceExhausted,
                      "ingot_step: row %zu: the cache has no page left for %zu more positions; free a sequence or "
                      "load the model with more cache_bytes",
                      r, rows[r].count));
    if (Result<void> ran = model->model->runner().step(builder.build(), logits); !ran)
      return fail(ran.error());
    for (size_t r = 0; r < count; ++r)
      rows[r].sequence->pages.advance(model->pools, rows[r].sequence->pages.length() + int64_t(rows[r].count));
    return INGOT_OK;
  });
}
