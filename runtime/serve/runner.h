// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the scheduler asks of a model: run one `step` over a packed batch, and draw from its logits. ExecutorRunner
// (executor_runner.h) is the real one; tests put a small deterministic model here, so that paging, chunking and
// preemption are checked without a compiler. Shapes are those of docs/design/0001-foundation.md.
#ifndef INGOT_SERVE_RUNNER_H
#define INGOT_SERVE_RUNNER_H

#include "runtime/core/error.h"
#include "runtime/serve/page_pool.h"

#include <cstdint>
#include <vector>

namespace ingot::serve {

using runtime::Error;
using runtime::ErrorCode;
using runtime::makeError;
using runtime::Result;

// What is fixed once a model is loaded. No batch is larger than these bounds.
struct RunnerInfo {
  int64_t vocabulary = 0;
  int64_t context = 0;    // positions a sequence may have
  int64_t tokens = 0;     // largest T of a step
  int64_t sequences = 0;  // largest R
  int64_t logit_rows = 0; // largest L
  int64_t source = 0;     // positions that a sequence's source may have; 0: sequences have none
  std::vector<PageGroup> groups;
};

// What the encoder of an encoder-decoder reads for one sequence: a tensor of the type that the model takes.
struct Source {
  std::vector<int64_t> shape; // a batch of 1 comes first
  std::vector<char> data;     // none: there is no source
};

// Inputs of `step`: T tokens of R sequences packed without padding, L of whose rows get logits. Sequence r has the
// tokens sequence_starts[r] .. sequence_starts[r+1]-1; context_lengths[r] counts its positions with these among them. A
// sequence has at least one token, its positions ascend, and it stands in a step once.
struct StepBatch {
  int64_t blocks = 0;             // B
  std::vector<int32_t> tokens;    // [T]; -1-r, where the runner is pipelined: the id of row r of the last `beginSample`
  std::vector<int32_t> positions; // [1, T]
  std::vector<int32_t> sequence_starts; // [R+1]
  std::vector<int32_t> context_lengths; // [R]
  std::vector<int32_t> slots;           // [G, T]
  std::vector<int32_t> block_table;     // [G, R, B]
  std::vector<int32_t> logit_rows;      // [L]
  std::vector<int32_t> source_positions; // [1, T]: the last position of the source of a token's sequence
  std::vector<int32_t> source_lengths;   // [R]
  std::vector<int32_t> previous_ids;    // [L]: zeros, for runners that are not pipelined
};

// Inputs of `sample`: one entry per row of logits; see INGOT_SAMPLE_PARAMS in compiler/target/templates/params.h.
struct SampleBatch {
  std::vector<float> temperature, top_p, min_p, repetition, presence, frequency;
  std::vector<int32_t> top_k, mask_rows;
  std::vector<int64_t> seed, counter;
  std::vector<int32_t> penalty_starts{0}; // [L+1]
  std::vector<int32_t> penalty_ids;       // [E]
  std::vector<int32_t> penalty_counts;    // [E]
};

// Not thread-safe: one step at a time.
class StepRunner {
public:
  virtual ~StepRunner() = default;
  virtual const RunnerInfo &info() const = 0;
  // Whether logits stay where `step` leaves them, for `sample` to find: both are then given null for them.
  virtual bool keepsLogits() const { return false; }
  // Runs the batch; logits has room for [L, vocabulary], or is null as above.
  virtual Result<void> step(const StepBatch &batch, float *logits) = 0;
  // Draws one id per row of logits [L, vocabulary]; ids and log_probabilities have room for L.
  virtual Result<void> sample(const SampleBatch &batch, const float *logits, int32_t *ids,
                              float *log_probabilities) = 0;

  // Positions that a source has; InvalidArgument where it is none that the model takes.
  virtual Result<int64_t> sourcePositions(const Source &) const {
    return makeError(ErrorCode::InvalidArgument, "the model has no encoder, which would read a source");
  }
  // Computes keys and values of a source into the cache. slots: [G, positions], of which the rows of groups that keep sources matter.
  virtual Result<void> encode(const Source &, const std::vector<int32_t> &) {
    return makeError(ErrorCode::Internal, "the model has no encoder");
  }

  // Whether the next step may be given before the ids of this one are known: a device works through what it is given in
  // order, and `step` without logits and `beginSample` return before it has.
  virtual bool pipelined() const { return false; }
  // `sample` in two halves, of pipelined runners: the second waits for the first, and not for a `step` given between
  // them. An error of a step may be told by the second half that follows it.
  virtual Result<void> beginSample(const SampleBatch &) { return makeError(ErrorCode::Internal, "not pipelined"); }
  virtual Result<void> endSample(int32_t *, float *) { return makeError(ErrorCode::Internal, "not pipelined"); }
};

} // namespace ingot::serve

#endif
