// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ingot-run bench: prefill and decode speed over random ids, beside the machine's ceilings measured there and then.
// Decode is also told as a share of what reading the weights once per token alone would allow.
#include "tools/ingot-run/bench_graph.h"
#include "tools/ingot-run/bench_trace.h"
#include "tools/ingot-run/ceilings.h"
#include "tools/ingot-run/common.h"
#include "tools/ingot-run/profile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>
#include <set>

namespace ingot::tool {
namespace {

// Bytes of weights that a step of one token reads: every weight of `step` but tables that only give single rows.
uint64_t weightBytesPerStep(serve::Model &model) {
  const format::Plan &plan = model.engine().plan();
  unsigned entryIndex = model.runner().stepEntry();
  const format::Entry &entry = *plan.entries()->Get(entryIndex);
  std::set<uint32_t> read;
  for (unsigned i = 0; i < entry.launches()->size(); ++i) {
    if (model.runner().executor().launch(entryIndex, i).kernel.starts_with("embedding"))
      continue;
    for (uint32_t buffer : *entry.launches()->Get(i)->buffers())
      if (const format::Buffer &b = *entry.buffers()->Get(buffer); b.kind() == format::BufferKind::weight)
        read.insert(b.index());
  }
  uint64_t bytes = 0;
  for (uint32_t weight : read)
    bytes += plan.weights()->Get(weight)->size();
  return bytes;
}

struct Times {
  double prefill, decode;
  double barriers; // of a step of decode, its sampling among them
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// One run: `batch` prompts of random ids together, until each has its new tokens.
Result<Times> once(serve::Model &model, const BenchOptions &o, uint32_t seed, int64_t promptTokens, int64_t newTokens) {
  std::mt19937 random(seed);
  serve::Scheduler scheduler(model.runner(), {o.run.chunk});
  for (int64_t i = 0; i < o.batch; ++i) {
    serve::Request request;
    for (int64_t t = 0; t < promptTokens; ++t)
      request.prompt.push_back(int32_t(random() % uint32_t(model.info().vocabulary)));
    request.sampling.temperature = 0;
    request.new_tokens = newTokens;
    INGOT_RETURN_IF_ERROR(scheduler.submit(std::move(request), nullptr));
  }
  // Prefill lasts until every prompt has drawn; decode is timed over the steps in which every sequence draws, so that
  // neither what some decode during the prefill of others nor the last steps of a few counts.
  auto start = std::chrono::steady_clock::now();
  std::set<uint64_t> drew;
  std::chrono::duration<double> decode{0};
  int64_t fullSteps = 0;
  uint64_t barriers = 0;
  const runtime::Executor &executor = model.runner().executor();
  Times times{0, 0, 0};
  while (!scheduler.idle()) {
    if (interrupted())
      return makeError(ErrorCode::Io, "interrupted");
    bool prefilling = int64_t(drew.size()) < o.batch;
    auto before = std::chrono::steady_clock::now();
    uint64_t passed = executor.barriers();
    INGOT_ASSIGN_OR_RETURN(std::vector<serve::Output> outputs, scheduler.step());
    if (prefilling) {
      for (const serve::Output &output : outputs)
        drew.insert(output.request);
      times.prefill = secondsSince(start);
    } else if (int64_t(outputs.size()) == o.batch) {
      decode += std::chrono::steady_clock::now() - before;
      barriers += executor.barriers() - passed;
      ++fullSteps;
    }
  }
  if (scheduler.stats().preemptions > 0)
    return makeError(ErrorCode::ResourceExhausted,
                     "the KV cache is too small for %lld sequences of %lld positions, so "
                     "they were preempted; give it more memory",
                     (long long)o.batch, (long long)(promptTokens + newTokens));
  times.decode = fullSteps ? decode.count() / double(fullSteps) : 0;
  times.barriers = fullSteps ? double(barriers) / double(fullSteps) : 0;
  return times;
}

Result<int> run(const BenchOptions &o) {
  serve::LoadOptions load;
  load.sequences = o.batch;
  load.chunk = o.run.chunk;
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<serve::Model> model, loadModel(o.run, load));
  int64_t context = model->info().context;
  int64_t promptTokens = o.promptTokens ? o.promptTokens : std::min<int64_t>(512, context / 2);
  int64_t newTokens = o.newTokens ? o.newTokens : std::clamp<int64_t>(context - promptTokens, 2, 128);
  if (promptTokens + newTokens > context)
    return makeError(ErrorCode::InvalidArgument,
                     "a prompt of %lld tokens and %lld new ones need %lld positions, but the "
                     "context holds %lld; ask for fewer",
                     (long long)promptTokens, (long long)newTokens, (long long)(promptTokens + newTokens),
                     (long long)context);
  unsigned threads = model->runner().executor().threads();

  // The first run pays for reading the file and for touching memory.
  INGOT_RETURN_IF_ERROR(once(*model, o, 1, promptTokens, std::min<int64_t>(newTokens, 4)));
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<Profile> profile, Profile::start(model->runner(), o.run));
  Progress progress("bench", o.repeat);
  std::vector<double> prefill, decode, barriers;
  for (int64_t i = 0; i < o.repeat; ++i) {
    INGOT_ASSIGN_OR_RETURN(Times times, once(*model, o, uint32_t(2 + i), promptTokens, newTokens));
    if (times.decode == 0)
      return makeError(ErrorCode::InvalidArgument,
                       "with %lld new tokens no step has all %lld sequences decoding: the first is done before the "
                       "last has begun; ask for more new tokens",
                       (long long)newTokens, (long long)o.batch);
    prefill.push_back(double(o.batch * promptTokens) / times.prefill);
    decode.push_back(times.decode);
    barriers.push_back(times.barriers);
    progress.update(i + 1);
  }
  double prefillRate = median(prefill), secondsPerToken = median(decode);
  double decodeRate = double(o.batch) / secondsPerToken;
  uint64_t weightBytes = weightBytesPerStep(*model);
  // Ceilings are those of the CPU; a GPU's are not measured here.
  const bool onCpu = model->runner().executor().hostCache() != nullptr;
  const Ceilings ceilings = onCpu ? measureCeilings(threads) : Ceilings();
  // A step of the whole batch reads the weights once.
  double share =
      ceilings.readBytesPerSecond > 0 ? double(weightBytes) / ceilings.readBytesPerSecond / secondsPerToken : 0;

  const std::span<const uint8_t> weights = model->engine().section(format::Section::Weights);
  const double largePages = double(runtime::inLargePages(weights.data(), weights.size())) / double(weights.size());

  const runtime::VariantChoice &choice = model->runner().executor().choice();
  std::string variant = choice.taken ? choice.verdicts[*choice.taken].name : "";
  if (o.json) {
    nlohmann::ordered_json object;
    object["model"] = model->engine().head().model()->str();
    object["variant"] = variant;
    object["compute"] = model->engine().head().compute()->str();
    object["threads"] = threads;
    object["batch"] = o.batch;
    object["prompt_tokens"] = promptTokens;
    object["new_tokens"] = newTokens;
    object["repeat"] = o.repeat;
    object["prefill_tokens_per_second"] = prefillRate;
    object["decode_tokens_per_second"] = decodeRate;
    object["decode_seconds_per_step"] = secondsPerToken;
    object["barriers_per_step"] = median(barriers);
    object["weight_bytes_per_step"] = weightBytes;
    if (onCpu) {
      object["read_bytes_per_second"] = ceilings.readBytesPerSecond;
      object["f32_ops_per_second"] = ceilings.f32.opsPerSecond;
      object["decode_share_of_bandwidth"] = share;
      if (!weights.empty())
        object["weights_in_large_pages"] = largePages;
    }
    INGOT_RETURN_IF_ERROR(print(object.dump() + "\n"));
  } else {
    char text[1200];
    std::snprintf(text, sizeof text,
                  "model      %s, %s, products in %s, %u threads\n"
                  "prefill    %.1f tokens/s   (%lld x %lld tokens)\n"
                  "decode     %.1f tokens/s   (%lld x %lld tokens, %.3f ms and %.0f barriers a step)\n",
                  model->engine().head().model()->c_str(), variant.c_str(), model->engine().head().compute()->c_str(),
                  threads, prefillRate, (long long)o.batch, (long long)promptTokens, decodeRate, (long long)o.batch,
                  (long long)newTokens, secondsPerToken * 1e3, median(barriers));
    INGOT_RETURN_IF_ERROR(print(text));
    if (onCpu)
      std::snprintf(text, sizeof text,
                    "ceilings   %.1f GB/s reading memory, %.1f GFLOP/s in f32 (%s)\n"
                    "decode reads %s of weights a step: %.0f%% of what the memory allows%s\n",
                    ceilings.readBytesPerSecond * 1e-9, ceilings.f32.opsPerSecond * 1e-9, ceilings.f32.with,
                    runtime::humanBytes(weightBytes).c_str(), share * 100,
                    share > 1 ? " (they lie in the caches)" : "");
    else
      std::snprintf(text, sizeof text, "decode reads %s of weights a step, %.1f GB/s\n",
                    runtime::humanBytes(weightBytes).c_str(), double(weightBytes) / secondsPerToken * 1e-9);
    INGOT_RETURN_IF_ERROR(print(text));
    if (onCpu && !weights.empty()) { // else all are drawn at load, or lie on the GPU
      std::snprintf(text, sizeof text, "weights    %.0f%% of the file's are mapped in pages of 2 MiB%s\n", largePages * 100,
                    largePages < 0.5 && weights.size() > (64 << 20)
                        ? "; small ones cost time (docs/guides/large-pages.md)"
                        : "");
      INGOT_RETURN_IF_ERROR(print(text));
    }
    INGOT_RETURN_IF_ERROR(print("medians of " + std::to_string(o.repeat) + " runs\n"));
  }
  INGOT_RETURN_IF_ERROR(profile->finish());
  INGOT_RETURN_IF_ERROR(flush());
  return 0;
}

} // namespace

int bench(const BenchOptions &given) {
  BenchOptions options = given;
  if (!options.trace && !options.batch)
    options.batch = 1;
  const bool graph = !options.shapes.empty() || !options.inputs.empty() || !options.entry.empty();
  if (!options.repeat)
    options.repeat = graph ? 20 : 3;
  Result<int> status = options.trace ? benchTrace(options) : graph ? benchGraph(options) : run(options);
  return status ? *status : interrupted() ? kInterrupted : report(status.error());
}

} // namespace ingot::tool
