// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See scheduler.h. One step is: plan who gets how many tokens (this is where pages are taken and sequences
// preempted), pack them, run, draw, and hand each drawn id to its sequence.
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
  Clock::time_point firstStep{}, firstToken{};

  int64_t pending() const { return int64_t(ids.size()) - pages.length(); }
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
    if (pagesFor(pool.group(), longest, options.chunk, options.rewind) > pool.group().pages)
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
                                             std::move(sampling), PagedSequence(pools.size()), std::move(ids)}));
  return id;
}

void Scheduler::cancel(uint64_t request) {
  std::erase_if(waiting, [&](auto &sequence) { return sequence->id == request; });
  stopRunning(request);
}

void Scheduler::stopRunning(uint64_t request) {
  std::erase_if(running, [&](auto &sequence) {
    if (sequence->id != request)
      return false;
    giveBack(*sequence);
    return true;
  });
}

void Scheduler::closeSession(uint64_t session) {
  auto same = [&](auto &sequence) { return session != 0 && sequence->request.session == session; };
  std::erase_if(waiting, same);
  if (auto at = std::find_if(running.begin(), running.end(), same); at != running.end())
    stopRunning((*at)->id);
  sessions.close(session);
}

int64_t Scheduler::rewindOf(const Sequence &sequence) const { return sequence.request.session ? options.rewind : 0; }

// The pages of a sequence that runs no longer.
void Scheduler::giveBack(Sequence &sequence) {
  if (sequence.request.session != 0)
    sessions.giveBack(sequence.request.session, std::move(sequence.pages), sequence.ids);
  else
    sequence.pages.release(pools);
}

bool Scheduler::reserve(Sequence &sequence, int64_t length) {
  while (!sequence.pages.reserve(pools, length))
    if (!sessions.evict())
      return false;
  return true;
}

void Scheduler::preemptYoungest(std::vector<Planned> &planned, int64_t &budget) {
  std::unique_ptr<Sequence> victim = std::move(running.back());
  running.pop_back();
  victim->pages.release(pools);
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

// A sequence joins only when all that it has by now fits beside all that the running ones have: one that joined for its
// first piece alone, or into the pages that an older prompt's later pieces need, would be preempted again.
bool Scheduler::admissible(const Sequence &sequence) const {
  for (size_t g = 0; g < pools.size(); ++g) {
    auto needed = [&](const Sequence &one) {
      uint64_t all = pagesFor(pools[g].group(), int64_t(one.ids.size()) + 1, options.chunk, rewindOf(one));
      return all - std::min(all, one.pages.held(g));
    };
    uint64_t pages = needed(sequence);
    for (const std::unique_ptr<Sequence> &other : running)
      pages += needed(*other);
    if (pages > pools[g].freePages() + sessions.held(g))
      return false;
  }
  return true;
}

void Scheduler::plan(std::vector<Planned> &planned) {
  int64_t budget = runner.info().tokens;
  uint64_t preemptionsBefore = counts.preemptions;
  // Rows of decode first, then pieces of prompts; within each the oldest first. Preempting shortens `running` from
  // its end, so an index stays right.
  for (bool decode : {true, false})
    for (size_t i = 0; i < running.size() && budget > 0; ++i) {
      Sequence &sequence = *running[i];
      if ((sequence.pending() == 1) != decode)
        continue;
      int64_t count = std::min({sequence.pending(), options.chunk, budget});
      if (makeRoom(sequence, sequence.pages.length() + count, planned, budget)) {
        planned.push_back({&sequence, count});
        budget -= count;
      }
    }
  if (counts.preemptions != preemptionsBefore)
    return;
  while (!waiting.empty() && budget > 0 && int64_t(running.size()) < maxRunning()) {
    Sequence &sequence = *waiting.front();
    if (sequence.request.session != 0)
      sequence.pages = sessions.take(sequence.request.session, sequence.ids);
    int64_t reused = sequence.pages.length();
    int64_t count = std::min({sequence.pending(), options.chunk, budget});
    if ((!running.empty() && !admissible(sequence)) || !reserve(sequence, reused + count)) {
      giveBack(sequence);
      return;
    }
    counts.reused_tokens += uint64_t(reused);
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

Result<std::vector<Output>> Scheduler::step() {
  std::vector<Output> outputs;
  std::vector<Planned> planned;
  plan(planned);
  if (planned.empty()) {
    if (idle())
      return outputs;
    return Error{ErrorCode::Internal, "no sequence could be scheduled although some are waiting"};
  }

  Clock::time_point start = Clock::now();
  BatchBuilder builder(pools);
  SampleBatch draws;
  std::vector<Sequence *> drawing;
  for (const Planned &row : planned) {
    Sequence &sequence = *row.sequence;
    if (sequence.firstStep == Clock::time_point{})
      sequence.firstStep = start;
    bool complete = row.count == sequence.pending();
    builder.add(sequence.pages, std::span(sequence.ids).subspan(size_t(sequence.pages.length()), size_t(row.count)),
                complete ? WantLogits::last : WantLogits::none);
    if (complete) {
      drawing.push_back(&sequence);
      sequence.sampling.addRow(draws);
    }
    (complete && sequence.drawn() > 0 && row.count == 1 ? counts.decode_tokens : counts.prefill_tokens) +=
        uint64_t(row.count);
  }
  ++counts.steps;
  if (Result<void> ran = runner.step(builder.build(), logits.get()); !ran)
    return ran.error();
  for (const Planned &row : planned)
    row.sequence->pages.advance(pools, row.sequence->pages.length() + row.count);
  if (drawing.empty())
    return outputs;

  std::vector<int32_t> ids(drawing.size());
  std::vector<float> logProbabilities(drawing.size());
  if (Result<void> drew = runner.sample(draws, logits.get(), ids.data(), logProbabilities.data()); !drew)
    return drew.error();
  Clock::time_point now = Clock::now();
  for (size_t i = 0; i < drawing.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= runner.info().vocabulary)
      return Error{ErrorCode::Internal,
                   "the sample kernel drew id " + std::to_string(ids[i]) + ", which is outside the vocabulary"};
    outputs.push_back(take(*drawing[i], ids[i], logProbabilities[i], now));
    if (outputs.back().finish != Finish::running)
      stopRunning(drawing[i]->id);
  }
  return outputs;
}

} // namespace ingot::serve
