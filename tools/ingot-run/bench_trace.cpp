// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run bench --trace: requests that come when a trace says, in real time, through continuous batching. Prompts are
// random ids, drawn by seed and place, and every request writes as many tokens as in the trace; so what is computed
// depends neither on the clock nor on the machine, only when.
#include "tools/ingot-run/bench_trace.h"

#include "runtime/core/file.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/profile.h"
#include "tools/ingot-run/trace.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <thread>

namespace ingot::tool {
namespace {

struct Served {
  std::vector<int32_t> prompt, ids;
  int64_t wanted = 0;                      // tokens to write
  double arrival = 0, first = 0, last = 0; // seconds: when it came, its first and its last token
  double prefill = 0;                      // from the first step with a token of it to its first drawn token
  bool finished = false;
};

struct Totals {
  int64_t requests = 0, completed = 0, shortened = 0, prompt = 0, output = 0;
  double seconds = 0, running = 0; // running: sequences, mean over the steps
  uint64_t steps = 0, preemptions = 0;
  std::vector<double> first, perToken, queued; // seconds of each request
};

// The prompts of the trace, shortened to the context where they must be: what is written keeps its length, as far as
// it leaves room for a prompt.
std::vector<Served> makeRequests(const std::vector<TraceRequest> &trace, const BenchOptions &o, int64_t vocabulary,
                                 int64_t context, int64_t &shortened) {
  std::vector<Served> requests(trace.size());
  for (size_t i = 0; i < trace.size(); ++i) {
    Served &one = requests[i];
    one.arrival = trace[i].arrival / o.speed;
    one.wanted = std::min(trace[i].output, context - 1);
    int64_t length = std::min(trace[i].prompt, context - one.wanted);
    shortened += one.wanted < trace[i].output || length < trace[i].prompt;
    std::seed_seq seed{uint64_t(o.seed), uint64_t(i)};
    std::mt19937 random(seed);
    for (int64_t t = 0; t < length; ++t)
      one.prompt.push_back(int32_t(random() % uint32_t(vocabulary)));
  }
  return requests;
}

Result<void> serveAll(serve::Model &model, const BenchOptions &o, std::vector<Served> &requests, Totals &totals) {
  serve::Scheduler scheduler(model.runner(), {o.run.chunk});
  std::vector<size_t> placeOf{0}; // by the scheduler's number of a request, which counts from 1
  Progress progress("bench", int64_t(requests.size()));
  auto start = std::chrono::steady_clock::now();
  for (size_t next = 0; (next < requests.size() || !scheduler.idle()) && !interrupted();) {
    for (; next < requests.size() && requests[next].arrival <= secondsSince(start); ++next) {
      serve::Request request;
      request.prompt = requests[next].prompt;
      request.sampling.temperature = 0;
      request.new_tokens = requests[next].wanted;
      INGOT_ASSIGN_OR_RETURN(uint64_t id, scheduler.submit(std::move(request), nullptr));
      placeOf.resize(id + 1);
      placeOf[id] = next;
    }
    if (scheduler.idle()) { // in slices, so that Ctrl-C is heard
      double wait = std::min(requests[next].arrival - secondsSince(start), 0.05);
      std::this_thread::sleep_for(std::chrono::duration<double>(std::max(wait, 0.0)));
      continue;
    }
    INGOT_ASSIGN_OR_RETURN(std::vector<serve::Output> outputs, scheduler.step());
    double now = secondsSince(start);
    totals.running += double(scheduler.runningCount());
    for (const serve::Output &output : outputs) {
      Served &one = requests[placeOf[output.request]];
      if (one.ids.empty())
        one.first = now;
      one.last = now;
      one.ids.push_back(*output.id);
      if (output.finish == serve::Finish::running)
        continue;
      one.finished = true;
      ++totals.running; // it was, in this step
      one.prefill = output.timing.prefill_seconds;
      progress.update(++totals.completed);
    }
  }
  totals.seconds = secondsSince(start);
  totals.steps = scheduler.stats().steps;
  totals.preemptions = scheduler.stats().preemptions;
  totals.running /= double(std::max<uint64_t>(totals.steps, 1));
  return {};
}

void sum(const std::vector<Served> &requests, Totals &totals) {
  totals.requests = int64_t(requests.size());
  for (const Served &one : requests) {
    totals.output += int64_t(one.ids.size());
    if (one.ids.empty())
      continue;
    totals.prompt += int64_t(one.prompt.size());
    totals.first.push_back(one.first - one.arrival);
    if (one.ids.size() > 1)
      totals.perToken.push_back((one.last - one.first) / double(one.ids.size() - 1));
    if (one.finished)
      totals.queued.push_back(std::max(0.0, one.first - one.arrival - one.prefill));
  }
}

// {"request": place, "prompt": ids, "ids": ids}, a line for each request that finished.
Result<void> writeOutputs(const std::string &path, const std::vector<Served> &requests) {
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "w"), std::fclose);
  bool written = file != nullptr;
  for (size_t i = 0; i < requests.size() && written; ++i) {
    if (!requests[i].finished)
      continue;
    nlohmann::ordered_json line{{"request", i}, {"prompt", requests[i].prompt}, {"ids", requests[i].ids}};
    std::string text = line.dump() + "\n";
    written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
  }
  if (!written || std::fflush(file.get()) != 0)
    return makeError(ErrorCode::Io, "cannot write %s: %s", path.c_str(), runtime::systemReason(errno).c_str());
  return {};
}

nlohmann::ordered_json percentilesJson(const std::vector<double> &seconds) {
  return {{"p50", percentile(seconds, 50)}, {"p90", percentile(seconds, 90)}, {"p99", percentile(seconds, 99)}};
}

Result<void> tell(serve::Model &model, const BenchOptions &o, const Totals &totals) {
  const runtime::VariantChoice &choice = model.runner().executor().choice();
  std::string variant = choice.taken ? choice.verdicts[*choice.taken].name : "";
  unsigned threads = model.runner().executor().threads();
  double promptRate = double(totals.prompt) / totals.seconds, outputRate = double(totals.output) / totals.seconds;
  if (o.json) {
    nlohmann::ordered_json object;
    object["model"] = model.engine().head().model()->str();
    object["variant"] = variant;
    object["compute"] = model.engine().head().compute()->str();
    object["threads"] = threads;
    object["trace"] = *o.trace;
    object["speed"] = o.speed;
    object["batch"] = model.info().sequences;
    object["chunk"] = o.run.chunk;
    object["context"] = model.info().context;
    object["requests"] = totals.requests;
    object["completed"] = totals.completed;
    object["shortened"] = totals.shortened;
    object["seconds"] = totals.seconds;
    object["prompt_tokens"] = totals.prompt;
    object["output_tokens"] = totals.output;
    object["prompt_tokens_per_second"] = promptRate;
    object["output_tokens_per_second"] = outputRate;
    object["time_to_first_token"] = percentilesJson(totals.first);
    object["time_per_output_token"] = percentilesJson(totals.perToken);
    object["queueing"] = percentilesJson(totals.queued);
    object["steps"] = totals.steps;
    object["mean_running"] = totals.running;
    object["preemptions"] = totals.preemptions;
    return print(object.dump() + "\n");
  }
  std::string text = "model       " + model.engine().head().model()->str() + ", " + variant;
  char rest[1024];
  std::snprintf(rest, sizeof rest,
                ", products in %s, %u threads, up to %lld sequences, pieces of %lld\n"
                "requests    %lld of %lld done in %.1f s, the trace %gx as fast\n"
                "throughput  %.1f prompt tokens/s, %.1f output tokens/s (%lld and %lld)\n"
                "steps       %llu, %.1f sequences at a time, %llu preemptions\n"
                "%-24s %9s %9s %9s\n",
                model.engine().head().compute()->c_str(),
                threads, (long long)model.info().sequences, (long long)o.run.chunk, (long long)totals.completed,
                (long long)totals.requests, totals.seconds, o.speed, promptRate, outputRate,
                (long long)totals.prompt, (long long)totals.output, (unsigned long long)totals.steps,
                totals.running, (unsigned long long)totals.preemptions, "milliseconds", "50%", "90%", "99%");
  text += rest;
  for (auto [name, values] : {std::pair{"time to first token", &totals.first},
                              {"time per output token", &totals.perToken},
                              {"queueing", &totals.queued}}) {
    std::snprintf(rest, sizeof rest, "%-24s %9.1f %9.1f %9.1f\n", name,
                  1e3 * percentile(*values, 50), 1e3 * percentile(*values, 90), 1e3 * percentile(*values, 99));
    text += rest;
  }
  return print(text);
}

} // namespace

Result<int> benchTrace(const BenchOptions &o) {
  INGOT_ASSIGN_OR_RETURN(std::string text, runtime::readTextFile(*o.trace));
  INGOT_ASSIGN_OR_RETURN(std::vector<TraceRequest> trace, parseTrace(*o.trace, text, o.limit));
  serve::LoadOptions load;
  load.sequences = o.batch ? o.batch : 8;
  load.chunk = o.run.chunk;
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, loadModel(o.run, load));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Profile> profile, Profile::start(model->runner(), o.run));
  Totals totals;
  std::vector<Served> requests =
      makeRequests(trace, o, model->info().vocabulary, model->info().context, totals.shortened);
  if (totals.shortened)
    note("%lld of %zu requests were shortened to the context of %lld positions", (long long)totals.shortened,
         requests.size(), (long long)model->info().context);
  INGOT_RETURN_IF_ERROR(serveAll(*model, o, requests, totals));
  sum(requests, totals);
  if (o.outputs)
    INGOT_RETURN_IF_ERROR(writeOutputs(*o.outputs, requests));
  INGOT_RETURN_IF_ERROR(tell(*model, o, totals));
  INGOT_RETURN_IF_ERROR(profile->finish());
  INGOT_RETURN_IF_ERROR(flush());
  return interrupted() ? kInterrupted : 0;
}

} // namespace ingot::tool
