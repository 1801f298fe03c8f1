// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See scheduler.h. One step is: plan who gets how many tokens (this is where pages are taken and sequences
// preempted), pack them, run, draw, and hand each drawn id to its sequence. Pipelined, the ids of the step before are
// handed out between run and draw, so that penalties know them.
#include "runtime/serve/scheduler.h"

#include <algorithm>

namespace ingot::serve {

struct Scheduler::Sequence {
  uint64_t id;
  Request request;
  std::unique_ptr<Detokenizer> detokenizer; // may be null
  StopMatcher stops;
  SamplingState sampling;
  PagedSequence pages;
  std::vector<int32_t> ids; // prompt, then what was drawn
  int64_t source = 0;       // positions of its source
  bool encoded = false;     // whether these are in the cache
  int32_t unknown = 0;      // -1-row of the id that is being drawn for it; 0: none is
  Clock::time_point firstStep{}, firstToken{};

  int64_t length() const { return int64_t(ids.size()) + (unknown != 0); }
  int64_t pending() const { return length() - pages.length(); }
  int64_t drawn() const { return int64_t(ids.size() - request.prompt.size()); }
};

Scheduler::Scheduler(StepRunner &runner, const SchedulerOptions &given)
    : runner(runner), options(given), sessions(pools, given.rewind) {
  const RunnerInfo &info = runner.info();
  for (const PageGroup &group : info.groups)
    pools.emplace_back(group);
  if (options.chunk <= 0 || options.chunk > info.tokens)
    options.chunk = info.tokens;
  longest = info.context;
  for (const PagePool &pool : pools)
    if (!pool.group().source && pagesFor(pool.group(), longest, options.chunk, options.rewind) > pool.group().pages)
      longest = std::min(longest, int64_t(pool.group().pages) * pool.group().page_tokens);
  // Not initialised: the rows that are never used cost no memory.
  if (!runner.keepsLogits())
    logits.reset(new float[size_t(maxRunning() * info.vocabulary)]);
}

Scheduler::~Scheduler() = default;

int64_t Scheduler::maxRunning() const {
  const RunnerInfo &info = runner.info();
  return std::min({info.sequences, info.logit_rows, info.tokens});
}

Result<uint64_t> Scheduler::submit(Request request, std::unique_ptr<Detokenizer> text) {
  const RunnerInfo &info = runner.info();
  auto refuse = [](std::string sentence) { return Error{ErrorCode::InvalidArgument, std::move(sentence)}; };
  if (request.prompt.empty())
    return refuse("the prompt has no tokens; give at least one");
  for (size_t i = 0; i < request.prompt.size(); ++i)
    if (request.prompt[i] < 0 || request.prompt[i] >= info.vocabulary)
      return refuse("id " + std::to_string(request.prompt[i]) + " at place " + std::to_string(i) +
                    " of the prompt is outside the vocabulary 0.." + std::to_string(info.vocabulary - 1));
  if (int64_t(request.prompt.size()) >= info.context)
    return refuse("the prompt has " + std::to_string(request.prompt.size()) + " ids, but the context holds " +
                  std::to_string(info.context) +
                  " with at least one new token; shorten the prompt or raise the context");
  if (int64_t(request.prompt.size()) >= longest)
    return refuse("the prompt has " + std::to_string(request.prompt.size()) + " ids, but the cache holds " +
                  std::to_string(longest) + " with at least one new token; give the cache more memory");
  if (request.new_tokens < 0)
    return refuse("the number of new tokens is " + std::to_string(request.new_tokens) + "; it must be 1 or more");
  if (!text && !request.stop.empty())
    return refuse("stop strings need a tokenizer, and there is none");
  if (Result<void> valid = validate(request.sampling); !valid)
    return valid.error();
  int64_t source = 0;
  if (request.source.data.empty() != (info.source == 0))
    return refuse(info.source ? "the model reads a source with its encoder, and the request has none"
                              : "the request has a source, but the model has no encoder that would read it");
  if (info.source) {
    INGOT_ASSIGN_OR_RETURN(source, runner.sourcePositions(request.source));
    if (source > info.source)
      return refuse("the source has " + std::to_string(source) + " positions, but " + std::to_string(info.source) +
                    " were planned; shorten it or load the model for longer ones");
    for (const PagePool &pool : pools)
      if (pool.group().source && uint64_t(source) > pool.group().pages * pool.group().page_tokens)
        return refuse("the source has " + std::to_string(source) + " positions, which the cache does not hold; give it more memory");
    if (request.session != 0)
      return refuse("a session keeps what a prompt begins with, and a model with an encoder begins anew for each source");
  }
  if (request.session != 0) {
    auto same = [&](auto &sequence) { return sequence->request.session == request.session; };
    if (!sessions.isOpen(request.session))
      return refuse("session " + std::to_string(request.session) + " is not open");
    if (std::any_of(waiting.begin(), waiting.end(), same) || std::any_of(running.begin(), running.end(), same))
      return refuse("session " + std::to_string(request.session) +
                    " has a request that is not finished; wait for it or cancel it");
  }

  uint64_t id = nextId++;
  SamplingState sampling(request.sampling, request.prompt);
  StopMatcher stops(request.stop);
  std::vector<int32_t> ids = request.prompt;
  waiting.push_back(
      std::unique_ptr<Sequence>(new Sequence{id, std::move(request), std::move(text), std::move(stops),
                                             std::move(sampling), PagedSequence(pools.size()), std::move(ids), source}));
  return id;
}

void Scheduler::cancel(uint64_t request) { stop(request); }

void Scheduler::stop(uint64_t request) {
  std::erase_if(waiting, [&](auto &sequence) {
    if (sequence->id != request)
      return false;
    forget(sequence.get()); // it was preempted in the step that follows
    return true;
  });
  std::erase_if(running, [&](auto &sequence) {
    if (sequence->id != request)
      return false;
    forget(sequence.get());
    giveBack(*sequence);
    return true;
  });
}

// Steps on their way compute for it in vain.
void Scheduler::forget(const Sequence *sequence) {
  for (Flight *flight : {flying.get(), following.get()})
    if (flight) {
      std::replace(flight->drawing.begin(), flight->drawing.end(), const_cast<Sequence *>(sequence),
                   static_cast<Sequence *>(nullptr));
      for (Planned &row : flight->rows)
        if (row.sequence == sequence)
          row.sequence = nullptr;
    }
}

void Scheduler::closeSession(uint64_t session) {
  auto same = [&](auto &sequence) { return session != 0 && sequence->request.session == session; };
  if (auto at = std::find_if(waiting.begin(), waiting.end(), same); at != waiting.end())
    stop((*at)->id);
  if (auto at = std::find_if(running.begin(), running.end(), same); at != running.end())
    stop((*at)->id);
  sessions.close(session);
}

int64_t Scheduler::rewindOf(const Sequence &sequence) const { return sequence.request.session ? options.rewind : 0; }

// The pages of a sequence that runs no longer.
void Scheduler::giveBack(Sequence &sequence) {
  if (sequence.request.session == 0)
    return sequence.pages.release(pools);
  // A step that was given before the end was known has computed the last id too. It may stay where a window is in the
  // way.
  const int64_t before = int64_t(sequence.ids.size()) - 1;
  if (sequence.pages.length() > before && sequence.pages.rewindable(pools, before))
    sequence.pages.rewind(pools, before);
  sessions.giveBack(sequence.request.session, std::move(sequence.pages), sequence.ids);
}

bool Scheduler::reserve(Sequence &sequence, int64_t length) {
  while (!sequence.pages.reserve(pools, length, sequence.source))
    if (!sessions.evict())
      return false;
  return true;
}

void Scheduler::preemptYoungest(std::vector<Planned> &planned, int64_t &budget) {
  std::unique_ptr<Sequence> victim = std::move(running.back());
  running.pop_back();
  victim->pages.release(pools);
  victim->encoded = false;
  std::erase_if(planned, [&](const Planned &row) {
    if (row.sequence != victim.get())
      return false;
    budget += row.count;
    return true;
  });
  waiting.push_front(std::move(victim)); // older than all who wait, so the order of age is kept
  ++counts.preemptions;
}

// Reserves pages for `length` positions; younger sequences make room, and in the end the sequence itself does.
bool Scheduler::makeRoom(Sequence &sequence, int64_t length, std::vector<Planned> &planned, int64_t &budget) {
  while (!reserve(sequence, length)) {
    bool itself = running.back().get() == &sequence;
    preemptYoungest(planned, budget);
    if (itself)
      return false;
  }
  return true;
}

// Pages of a group that the sequence does not hold yet and that all it has by now needs.
uint64_t Scheduler::owed(const Sequence &sequence, size_t group) const {
  const PageGroup &pages = pools[group].group();
  uint64_t all = pages.source ? (uint64_t(sequence.source) + pages.page_tokens - 1) / pages.page_tokens
                              : pagesFor(pages, sequence.length() + 1, options.chunk, rewindOf(sequence));
  return all - std::min(all, sequence.pages.held(group));
}

// A sequence joins only when all that it has by now fits beside all that the running ones have: one that joined for its
// first piece alone, or into the pages that an older prompt's later pieces need, would be preempted again.
bool Scheduler::admissible(const Sequence &sequence, const std::vector<uint64_t> &toRunning) const {
  for (size_t g = 0; g < pools.size(); ++g)
    if (toRunning[g] + owed(sequence, g) > pools[g].freePages() + sessions.held(g))
      return false;
  return true;
}

// Whether the id that is being drawn is the last one, whatever it is.
bool Scheduler::endsWithNext(const Sequence &sequence) const {
  return sequence.unknown != 0 &&
         ((sequence.request.new_tokens > 0 && sequence.drawn() + 1 >= sequence.request.new_tokens) ||
          sequence.length() >= longest);
}

void Scheduler::plan(std::vector<Planned> &planned) {
  int64_t budget = runner.info().tokens;
  uint64_t preemptionsBefore = counts.preemptions;
  // Rows of decode first, then pieces of prompts; within each the oldest first. Preempting shortens `running` from
  // its end, so an index stays right.
  for (bool decode : {true, false})
    for (size_t i = 0; i < running.size() && budget > 0; ++i) {
      Sequence &sequence = *running[i];
      if ((sequence.pending() == 1) != decode || endsWithNext(sequence))
        continue;
      int64_t count = std::min({sequence.pending(), options.chunk, budget});
      if (makeRoom(sequence, sequence.pages.length() + count, planned, budget)) {
        planned.push_back({&sequence, count});
        budget -= count;
      }
    }
  if (counts.preemptions != preemptionsBefore)
    return;
  std::vector<uint64_t> toRunning(pools.size()); // what is owed to all that run
  if (!waiting.empty())
    for (size_t g = 0; g < pools.size(); ++g)
      for (const std::unique_ptr<Sequence> &each : running)
        toRunning[g] += owed(*each, g);
  while (!waiting.empty() && budget > 0 && int64_t(running.size()) < maxRunning()) {
    Sequence &sequence = *waiting.front();
    if (sequence.request.session != 0)
      sequence.pages = sessions.take(sequence.request.session, sequence.ids);
    int64_t reused = sequence.pages.length();
    int64_t count = std::min({sequence.pending(), options.chunk, budget});
    if ((!running.empty() && !admissible(sequence, toRunning)) || !reserve(sequence, reused + count)) {
      giveBack(sequence);
      return;
    }
    counts.reused_tokens += uint64_t(reused);
    for (size_t g = 0; g < pools.size(); ++g)
      toRunning[g] += owed(sequence, g);
    running.push_back(std::move(waiting.front()));
    waiting.pop_front();
    planned.push_back({&sequence, count});
    budget -= count;
  }
}

Output Scheduler::take(Sequence &sequence, int32_t id, float logProbability, Clock::time_point now) {
  Output output;
  output.request = sequence.id;
  output.id = id;
  output.log_probability = logProbability;
  if (sequence.drawn() == 0)
    sequence.firstToken = now;
  sequence.ids.push_back(id);
  sequence.sampling.drew(id);

  const Request &request = sequence.request;
  bool end = std::find(request.end_ids.begin(), request.end_ids.end(), id) != request.end_ids.end();
  if (sequence.detokenizer && !end)
    output.text = sequence.stops.push(sequence.detokenizer->push(id));
  if (end)
    output.finish = Finish::end_token;
  else if (sequence.stops.matched())
    output.finish = Finish::stop_string;
  else if (request.new_tokens > 0 && sequence.drawn() >= request.new_tokens)
    output.finish = Finish::new_tokens;
  else if (int64_t(sequence.ids.size()) >= longest)
    output.finish = Finish::context;
  if (output.finish == Finish::running)
    return output;

  if (sequence.detokenizer && !sequence.stops.matched()) {
    output.text += sequence.stops.push(sequence.detokenizer->finish());
    output.text += sequence.stops.finish();
    if (sequence.stops.matched())
      output.finish = Finish::stop_string;
  }
  if (sequence.stops.matched())
    output.stop = *sequence.stops.matched();
  output.timing.prefill_seconds = std::chrono::duration<double>(sequence.firstToken - sequence.firstStep).count();
  output.timing.decode_seconds = std::chrono::duration<double>(now - sequence.firstToken).count();
  return output;
}

Result<void> Scheduler::encode(Sequence &sequence) {
  if (sequence.encoded || sequence.source == 0)
    return {};
  sequence.encoded = true;
  return runner.encode(sequence.request.source, sourceSlots(pools, sequence.pages));
}

// Gives the runner a step of these rows.
Result<std::unique_ptr<Scheduler::Flight>> Scheduler::launch(const std::vector<Planned> &planned) {
  const Clock::time_point start = Clock::now();
  auto flight = std::make_unique<Flight>();
  BatchBuilder builder(pools);
  for (const Planned &row : planned) {
    Sequence &sequence = *row.sequence;
    if (sequence.firstStep == Clock::time_point{})
      sequence.firstStep = start;
    INGOT_RETURN_IF_ERROR(encode(sequence));
    const bool complete = row.count == sequence.pending();
    // All that stands before an unknown id is in the cache.
    builder.add(
        sequence.pages,
        sequence.unknown != 0
            ? std::span<const int32_t>(&sequence.unknown, 1)
            : std::span<const int32_t>(sequence.ids).subspan(size_t(sequence.pages.length()), size_t(row.count)),
        complete ? WantLogits::last : WantLogits::none);
    if (complete)
      flight->drawing.push_back(&sequence);
    flight->decodes.push_back(complete && row.count == 1 &&
                              sequence.length() > int64_t(sequence.request.prompt.size()));
  }
  flight->rows = planned;
  ++counts.steps;
  INGOT_RETURN_IF_ERROR(runner.step(builder.build(), logits.get()));
  for (const Planned &row : planned)
    row.sequence->pages.advance(pools, row.sequence->pages.length() + row.count);
  return flight;
}

// Waits for the ids of a step and hands them out.
Result<void> Scheduler::collect(Flight &flight, std::vector<Output> &outputs) {
  std::vector<int32_t> ids(flight.drawing.size());
  std::vector<float> logProbabilities(flight.drawing.size());
  INGOT_RETURN_IF_ERROR(runner.pipelined()
                            ? runner.endSample(ids.data(), logProbabilities.data())
                            : runner.sample(flight.draws, logits.get(), ids.data(), logProbabilities.data()));
  const Clock::time_point now = Clock::now();
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= runner.info().vocabulary)
      return Error{ErrorCode::Internal,
                   "the sample kernel drew id " + std::to_string(ids[i]) + ", which is outside the vocabulary"};
    Sequence *sequence = flight.drawing[i];
    if (!sequence)
      continue;
    sequence->unknown = 0;
    outputs.push_back(take(*sequence, ids[i], logProbabilities[i], now));
    if (outputs.back().finish != Finish::running)
      stop(sequence->id);
  }
  return {};
}

Result<std::vector<Output>> Scheduler::step() {
  std::vector<Output> outputs;
  std::vector<Planned> planned;
  plan(planned);
  if (!planned.empty()) {
    INGOT_ASSIGN_OR_RETURN(following, launch(planned));
  } else if (!flying && !idle()) {
    return Error{ErrorCode::Internal, "no sequence could be scheduled although some are waiting"};
  }
  if (flying)
    INGOT_RETURN_IF_ERROR(collect(*flying, outputs));
  flying = std::move(following);
  if (!flying)
    return outputs;
  for (size_t i = 0; i < flying->rows.size(); ++i)
    if (flying->rows[i].sequence)
      (flying->decodes[i] ? counts.decode_tokens : counts.prefill_tokens) += uint64_t(flying->rows[i].count);

  // Rows of sequences that ended meanwhile are drawn as well: the device has computed their logits.
  static const SamplingState nobody({.temperature = 0}, {});
  for (size_t i = 0; i < flying->drawing.size(); ++i) {
    Sequence *sequence = flying->drawing[i];
    (sequence ? sequence->sampling : nobody).addRow(flying->draws);
    if (sequence && runner.pipelined())
      sequence->unknown = -1 - int32_t(i);
  }
  const std::vector<Sequence *> &drawing = flying->drawing;
  const bool wanted = std::any_of(drawing.begin(), drawing.end(), [](auto *sequence) { return sequence != nullptr; });
  if (wanted && runner.pipelined()) {
    INGOT_RETURN_IF_ERROR(runner.beginSample(flying->draws));
    return outputs;
  }
  if (wanted)
    INGOT_RETURN_IF_ERROR(collect(*flying, outputs));
  flying.reset();
  return outputs;
}

} // namespace ingot::serve
