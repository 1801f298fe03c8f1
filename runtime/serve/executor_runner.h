// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The StepRunner over an engine's plan: binds the arrays of StepBatch and SampleBatch to the arguments of entries
// `step` and `sample` by name, once, and runs them. An argument or a symbol that this runtime does not know is refused
// when the runner is made: a newer compiler may have added one.
#ifndef INGOT_SERVE_EXECUTOR_RUNNER_H
#define INGOT_SERVE_EXECUTOR_RUNNER_H

#include "runtime/executor/executor.h"
#include "runtime/serve/runner.h"
#include "runtime/serve/source.h"

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace ingot::serve {

struct RunnerBounds {
  runtime::DeviceName device;
  std::shared_ptr<runtime::cuda::Device> gpu; // see runtime::ExecutorOptions
  bool deterministic = false;
  unsigned threads = 0; // 0: one per physical core that the process may use
  int64_t context = 0;  // positions of a sequence
  int64_t source = 0;   // of a source: the largest dimension
  int64_t tokens = 0, sequences = 0, logit_rows = 0;
  std::vector<uint64_t> pages; // of each cache group
};

// The plan's cache groups, as the schedule sees them, without pages, for sources whose dimensions are up to `source`. Unsupported for a
// group that is not paged.
Result<std::vector<PageGroup>> pageGroups(const runtime::EngineFile &engine, int64_t source);

// What an executor at these bounds would be made with; for runtime::memoryUse.
Result<runtime::ExecutorOptions> executorOptions(const runtime::EngineFile &engine, const RunnerBounds &bounds);

// What one launch had to do in one run: as the plan states it, and for launches that walk the contexts (they take the
// block table and planes of the cache) by the positions that there really were.
struct LaunchWork {
  double bytes = 0, operations = 0;
};

// One run of an entry, told when it is over.
struct RunRecord {
  unsigned entry;
  std::span<const LaunchWork> work;         // [launches]
  std::span<const runtime::StepTime> times; // [threads][launches]
};
using RunObserver = std::function<void(const RunRecord &)>;

class ExecutorRunner : public StepRunner {
public:
  static Result<std::unique_ptr<ExecutorRunner>> create(std::shared_ptr<const runtime::EngineFile> engine,
                                                        const RunnerBounds &bounds);

  const RunnerInfo &info() const override { return facts; }
  // The entry that reads sources; null where there is none.
  const SourceEntry *sources() const { return encoder ? &*encoder : nullptr; }
  bool keepsLogits() const override { return onGpu; }
  Result<void> step(const StepBatch &batch, float *logits) override;
  Result<void> sample(const SampleBatch &batch, const float *logits, int32_t *ids, float *log_probabilities) override;
  Result<int64_t> sourcePositions(const Source &source) const override;
  Result<void> encode(const Source &source, const std::vector<int32_t> &slots) override;
  bool pipelined() const override { return onGpu; }
  Result<void> beginSample(const SampleBatch &batch) override;
  Result<void> endSample(int32_t *ids, float *log_probabilities) override;

  runtime::Executor &executor() { return *owned; }
  unsigned stepEntry() const { return stepIndex; }
  unsigned sampleEntry() const { return sampleIndex; }

  // Times every launch from now on and tells `observer` of each run; an empty one switches it off, and then it is free.
  void observe(RunObserver observer);

private:
  enum class StepInput {
    tokens,
    positions,
    sequence_starts,
    context_lengths,
    slots,
    block_table,
    logit_rows,
    previous_ids,
    source_positions,
    source_lengths
  };
  enum class SampleInput {
    logits,
    temperature,
    top_k,
    top_p,
    min_p,
    repetition,
    presence,
    frequency,
    seed,
    counter,
    penalty_starts,
    penalty_ids,
    penalty_counts,
    mask_rows,
    masks
  };
  enum class SampleOutput { ids, log_probabilities };

  ExecutorRunner() = default;
  Result<void> bind();
  Result<void> run(unsigned entry, std::vector<int64_t> values, const std::vector<const void *> &inputs,
                   const std::vector<void *> &outputs);
  static constexpr size_t kKnownSymbols = 6; // in the order of kSymbols in executor_runner.cpp
  std::vector<int64_t> symbolValues(const std::array<int64_t, kKnownSymbols> &values) const;

  // What a launch of `step` reads of the contexts.
  struct ContextReads {
    int group = -1;           // of the cache; -1: nothing
    double positionBytes = 0; // of all its planes
  };
  void findContextReads();
  void measure(const StepBatch &batch);
  LaunchWork workOf(unsigned entry, unsigned launch, std::span<const int64_t> values) const;

  std::vector<const void *> sampleArguments(const SampleBatch &batch, const float *logits) const;
  std::vector<void *> sampleResults(int32_t *ids, float *logProbabilities) const;
  std::vector<int64_t> sampleSymbols(const SampleBatch &batch) const;

  RunObserver observer;
  std::vector<runtime::StepTime> times;
  std::vector<LaunchWork> work;
  std::vector<ContextReads> contextReads; // by launch of `step`
  // Of the batch in progress, by cache group: positions in the cache that it reads, pairs of a token and such a one.
  std::vector<int64_t> positionsRead, pairs;
  std::unique_ptr<runtime::Executor> owned;
  bool onGpu = false;
  RunnerInfo facts;
  unsigned stepIndex = 0, sampleIndex = 0;
  std::optional<SourceEntry> encoder;
  // What each symbol of the plan and each argument of the entries is, in the plan's order.
  std::vector<unsigned> symbols;
  std::vector<StepInput> stepInputs;
  std::vector<SampleInput> sampleInputs;
  std::vector<SampleOutput> sampleOutputs;
  std::vector<int64_t> begun; // symbols of the last beginSample
};

} // namespace ingot::serve

#endif
