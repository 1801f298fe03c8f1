// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Continuous batching. Each step the scheduler packs what it likes into one batch: first a row for every sequence that
// is decoding, then pieces of prompts, oldest first, up to a budget of tokens. Sequences join and leave between any two
// steps. Pages are taken as they are needed; when none is left the youngest running sequence is preempted: its pages
// are freed, it waits, and what it had is computed again later. By the numeric contract (DESIGN section 4) none of
// this changes a bit of a sequence's logits, so its text does not depend on who else is there.
//
//   submit -> waiting --admit--> running --finish--> gone
//                ^-----preempt-----'
//
// Where the runner is pipelined (a GPU), the next step is prepared and given while the device still runs this one: a
// token that is not known yet is named by its row. That a sequence ended is then learned a step late; what the step
// computed for it is dropped, and the positions go. Its text is the same.
//
// A request of a session (sessions.h) begins with the positions that the session's cache shares with its prompt, and
// leaves its own there for the next one. Pages of sessions that no running request uses go before anyone is preempted.
//
// The scheduler knows ids, pages and limits; it knows nothing of files, tokenizers' insides, threads or kernels.
#ifndef INGOT_SERVE_SCHEDULER_H
#define INGOT_SERVE_SCHEDULER_H

#include "runtime/serve/batch.h"
#include "runtime/serve/sampling.h"
#include "runtime/serve/sessions.h"
#include "runtime/serve/stop.h"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace ingot::serve {

// Turns ids into text as they come. The concatenation of all pieces is the text of all ids.
class Detokenizer {
public:
  virtual ~Detokenizer() = default;
  virtual std::string push(int32_t id) = 0;
  virtual std::string finish() = 0;
};

enum class Finish {
  running,     // not finished
  end_token,   // drew one of the request's end tokens
  stop_string, // its text came to a stop string
  new_tokens,  // drew as many tokens as it was allowed
  context,     // the model's context is full
  cancelled
};

struct Request {
  std::vector<int32_t> prompt;
  SamplingParams sampling;
  int64_t new_tokens = 0; // at most so many are drawn; 0: until the context is full
  std::vector<int32_t> end_ids;
  std::vector<std::string> stop;
  Source source;        // of an encoder-decoder: what its encoder reads
  uint64_t session = 0; // keep its positions for the next request of this session, and use those of the last; 0: none
};

struct Timing {
  double prefill_seconds = 0; // from the first step with a token of it to its first drawn token
  double decode_seconds = 0;  // from its first drawn token to its last
};

// What one step brought for one sequence.
struct Output {
  uint64_t request = 0;
  std::optional<int32_t> id; // the token that was drawn
  float log_probability = 0; // of that token
  std::string text;          // what may be shown now; an end token or a stop string is not part of it
  Finish finish = Finish::running;
  std::string stop; // the stop string met, when finish is stop_string
  Timing timing;    // when finished
};

struct SchedulerOptions {
  int64_t chunk = 0;  // largest piece of one prompt in a step; 0: as many as a step holds
  int64_t rewind = 0; // of sessions, where the cache has windows; see sessions.h
};

struct SchedulerStats {
  uint64_t steps = 0;
  uint64_t prefill_tokens = 0; // computed, recomputed ones among them
  uint64_t decode_tokens = 0;
  uint64_t reused_tokens = 0; // of prompts, found in the cache of their session
  uint64_t preemptions = 0;
};

// Not thread-safe.
class Scheduler {
public:
  Scheduler(StepRunner &runner, const SchedulerOptions &options = {});
  ~Scheduler();

  // Queues a request; `text` may be null when no text is wanted (then stop strings are refused). Fails with
  // invalid_argument for an empty prompt, ids outside the vocabulary, a prompt that leaves no room for a new token in
  // the context or in the cache, sampling parameters outside their ranges, a source that is missing, too long or none that
  // the model takes, or a session that is not open or has another
  // request that is not finished.
  Result<uint64_t> submit(Request request, std::unique_ptr<Detokenizer> text);
  // Its pages are free afterwards; it gives no further output. Nothing happens when it has finished already.
  void cancel(uint64_t request);
  // A sequence that stays in the cache between requests, one request at a time. What a request computed is the
  // session's when it finishes or is cancelled, and lost to it when it is preempted.
  uint64_t openSession() { return sessions.open(); }
  // Cancels the session's request and frees its pages. Nothing happens when it is not open.
  void closeSession(uint64_t session);
  // Positions of an idle session that are in the cache.
  int64_t sessionLength(uint64_t session) const { return sessions.length(session); }

  bool idle() const { return waiting.empty() && running.empty(); }
  // Runs one step; where the runner is pipelined, the outputs are those of the step before. On an error the step has
  // changed nothing that can be relied on: drop the scheduler.
  Result<std::vector<Output>> step();

  const SchedulerStats &stats() const { return counts; }
  size_t runningCount() const { return running.size(); }
  const std::vector<PagePool> &pagePools() const { return pools; }

private:
  using Clock = std::chrono::steady_clock;
  struct Sequence;
  struct Planned {
    Sequence *sequence; // null when it is gone
    int64_t count;
  };
  // A step that was given to the runner and whose ids have not been handed out.
  struct Flight {
    std::vector<Planned> rows;
    std::vector<Sequence *> drawing; // whose ids it draws, in the order of its rows of logits; null when it is gone
    std::vector<bool> decodes;       // of rows: draws its next token from the last one
    SampleBatch draws;
  };

  int64_t maxRunning() const;
  int64_t rewindOf(const Sequence &sequence) const;
  bool reserve(Sequence &sequence, int64_t length);
  void giveBack(Sequence &sequence);
  Result<void> encode(Sequence &sequence);
  void stop(uint64_t request);
  void forget(const Sequence *sequence);
  bool endsWithNext(const Sequence &sequence) const;
  void plan(std::vector<Planned> &planned);
  bool makeRoom(Sequence &sequence, int64_t length, std::vector<Planned> &planned, int64_t &budget);
  void preemptYoungest(std::vector<Planned> &planned, int64_t &budget);
  uint64_t owed(const Sequence &sequence, size_t group) const;
  bool admissible(const Sequence &sequence, const std::vector<uint64_t> &toRunning) const;
  Result<std::unique_ptr<Flight>> launch(const std::vector<Planned> &planned);
  Result<void> collect(Flight &flight, std::vector<Output> &outputs);
  Output take(Sequence &sequence, int32_t id, float logProbability, Clock::time_point now);

  StepRunner &runner;
  SchedulerOptions options;
  std::vector<PagePool> pools;
  Sessions sessions;
  std::deque<std::unique_ptr<Sequence>> waiting;  // oldest first
  std::vector<std::unique_ptr<Sequence>> running; // oldest first
  int64_t longest = 0; // positions that a sequence may have: the context, or what the pools hold
  uint64_t nextId = 1;
  SchedulerStats counts;
  // The step whose ids the device draws, and the one that follows it: both only within step() where nothing is
  // pipelined.
  std::unique_ptr<Flight> flying, following;
  std::unique_ptr<float[]> logits; // null where the runner keeps them
};

} // namespace ingot::serve

#endif
